//! `yulian platform tell`: what the province's platform tells the cities: policies, recommended parameters, notices.

use super::{keep::administrator, own_relay, peers::linked};
use crate::{
    between,
    connect::{Actor, Connect},
    files, out,
    problem::{Cause, Exit, Result},
    progress::Progress,
    text::{problem, say},
    transaction,
};
use clap::{Args, ValueEnum};
use futures::{StreamExt, stream};
use serde::Serialize;
use std::{collections::BTreeSet, path::PathBuf, time::Duration};
use yulian_crypto::Digest;
use yulian_sdk::{Chain, PacketName};
use yulian_types::{proto::Notice, state_keys::PACKET_DONE};

/// Chains that are waited for at a time.
const AT_ONCE: usize = 8;

/// What a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Policy,
    Parameter,
    Notice,
}

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    text: String,
    #[arg(long, default_value = "policy")]
    kind: Kind,
    #[arg(long)]
    document: Option<PathBuf>,
    #[arg(long)]
    to: Vec<String>,
    #[arg(long, default_value_t = 60)]
    timeout_s: u64,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Serialize)]
struct Told {
    chain: String,
    arrived: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

pub(super) async fn run(arguments: &Arguments) -> Result<Exit> {
    let connect = &arguments.connect;
    let relay = own_relay(connect).await?;
    let targets = targets(&relay, &arguments.to).await?;
    let document = arguments.document.as_deref().map(files::sm3_of).transpose()?;
    let actor = administrator(connect, &relay).await?;
    let kind = match arguments.kind {
        Kind::Policy => "policy",
        Kind::Parameter => "parameter",
        Kind::Notice => "notice",
    };
    let mut progress = Progress::new(say::step_tell(), Some(targets.len() as u64));
    let within = Duration::from_secs(arguments.timeout_s);
    let mut told = stream::iter(targets)
        .map(|(name, id)| {
            let (relay, actor) = (&relay, &actor);
            async move {
                let sent = send(relay, actor, &id, kind, &arguments.text, document).await;
                let arrived = match sent {
                    Ok(notice) => arrived(relay, &notice, within).await,
                    Err(problem) => Err(problem),
                };
                Told {
                    chain: name,
                    arrived: arrived.is_ok(),
                    reason: arrived.err().map(|problem| problem.summary()),
                }
            }
        })
        .buffer_unordered(AT_ONCE);
    let mut answers = Vec::new();
    while let Some(answer) = told.next().await {
        progress.add(1);
        answers.push(answer);
    }
    drop(progress);
    answers.sort_by(|a, b| a.chain.cmp(&b.chain));
    let arrived = answers.iter().filter(|answer| answer.arrived).count();
    if arguments.json {
        out::json(&answers);
    } else {
        out::line(say::told(kind, arrived, answers.len()));
        for missing in answers.iter().filter(|answer| !answer.arrived) {
            let reason = missing.reason.as_deref().unwrap_or_default();
            out::line(format!(
                "  {}  {}",
                out::one_line(&missing.chain),
                out::one_line(reason)
            ));
        }
    }
    Ok(if arrived == answers.len() { Exit::Done } else { Exit::No })
}

/// The chains that the relay chain links, or those named.
async fn targets(relay: &Chain, named: &[String]) -> Result<Vec<(String, Digest)>> {
    let linked = linked(relay, &BTreeSet::new()).await?;
    if named.is_empty() {
        return match linked.is_empty() {
            true => Err(problem::not_joined("*")),
            false => Ok(linked),
        };
    }
    let find = |name: &String| {
        let fits = |(known, id): &&(String, Digest)| known == name || id.to_string() == *name;
        linked
            .iter()
            .find(fits)
            .cloned()
            .ok_or_else(|| problem::not_joined(out::one_line(name)))
    };
    named.iter().map(find).collect()
}

/// Sends a notice.
pub(super) async fn send(
    from: &Chain,
    actor: &Actor,
    to: &Digest,
    kind: &str,
    text: &str,
    document: Option<Digest>,
) -> Result<PacketName> {
    let notice = Notice {
        destination: to.to_vec().into(),
        kind: kind.into(),
        text: text.into(),
        digest: document.map(|digest| digest.to_vec().into()).unwrap_or_default(),
        timeout_ms: 0,
    };
    let signed = actor.account.tell(from.terms(), &notice);
    let result = transaction::result(from, &signed.or_problem(problem::cannot_sign)?).await?;
    between::named(from, &result)
}

/// Waits until a notice has arrived.
pub(super) async fn arrived(from: &Chain, notice: &PacketName, within: Duration) -> Result<()> {
    let to = notice.destination;
    let end = between::ended(from, notice, &to.to_string(), within, || {}).await?;
    match end.status {
        PACKET_DONE => Ok(()),
        _ => Err(between::not_done(&to.to_string(), &end)),
    }
}
