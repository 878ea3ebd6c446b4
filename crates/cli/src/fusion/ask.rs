//! `yulian fusion ask`: one chain asks another for an evidence record; the answer stands on the chain that asked.

use crate::{
    between,
    connect::{Connect, Sign},
    evidence::{packs, relayed},
    files, out, platform,
    problem::{Cause, Exit, Result},
    refusal::sdk,
    text::{problem, say},
    transaction,
};
use clap::Args;
use prost::Message;
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use yulian_exec::rules::ROLE_WRITER;
use yulian_modules::verification::KIND_EVIDENCE;
use yulian_sdk::{Chain, PacketName};
use yulian_types::{
    Digest,
    proto::{Ask, Inquiry, InquiryAnswer, PacketRef},
    state_keys::{PACKET_DONE, STATUS_ACTIVE},
};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Digest of the record.
    digest: String,
    #[arg(long)]
    from: String,
    #[arg(long)]
    of: String,
    #[arg(long)]
    organisation: String,
    #[arg(long, default_value_t = 60)]
    timeout_s: u64,
    #[arg(long)]
    pack: Option<PathBuf>,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    sign: Sign,
}

#[derive(Debug, Serialize)]
struct Answer {
    chain: String,
    found: bool,
    status: u32,
    height: u64,
    time_ms: u64,
    transaction_id: String,
    sequence: u64,
    /// Height of the asking chain at which the answer stands.
    answered_height: u64,
    took_ms: u64,
    /// Bytes of the evidence pack with the relay path, where one was asked for and there is a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pack_bytes: Option<usize>,
}

pub(super) async fn run(arguments: &Arguments) -> Result<Exit> {
    let client = arguments.connect.client()?;
    let from = client.chain(&arguments.from).await.map_err(sdk)?;
    let of = asked(&from, &arguments.of).await?;
    let digest: Digest = arguments
        .digest
        .parse()
        .map_err(|_| problem::bad_digest(&arguments.digest))?;
    let actor = arguments.sign.actor(&arguments.connect, &from, ROLE_WRITER).await?;
    let ask = Ask {
        destination: of.id.to_vec().into(),
        inquiry: Some(Inquiry {
            kind: KIND_EVIDENCE,
            digest: digest.to_vec().into(),
            organisation: arguments.organisation.clone(),
            ..Default::default()
        }),
        timeout_ms: arguments.timeout_s.saturating_mul(1_000),
    };
    let started = Instant::now();
    let signed = actor.account.ask(from.terms(), &ask);
    let result = transaction::result(&from, &signed.or_problem(problem::cannot_sign)?).await?;
    let sent = PacketRef::decode(result.result.output.0).or_problem(problem::bad_answer)?;
    let name = PacketName::of(from.id(), &sent).ok_or_else(problem::bad_answer)?;
    // The time-out is the other chain's; the way back takes a moment.
    let patience = Duration::from_secs(arguments.timeout_s.saturating_add(30));
    let end = between::end_of(&from, &name, &of.name, patience).await?;
    if end.status != PACKET_DONE {
        return Err(between::not_done(&of.name, &end));
    }
    let answer = InquiryAnswer::decode(end.output.clone()).or_problem(problem::bad_answer)?;
    let took_ms = started.elapsed().as_millis() as u64;
    let pack_bytes = match &arguments.pack {
        Some(path) if answer.found => Some(write_pack(arguments, &of.id, &digest, path).await?),
        _ => None,
    };
    let answer = Answer {
        chain: of.name,
        found: answer.found,
        status: answer.status,
        height: answer.height,
        time_ms: answer.time_ms,
        transaction_id: hex::encode(&answer.transaction_id),
        sequence: sent.sequence,
        answered_height: end.height,
        took_ms,
        pack_bytes,
    };
    match (arguments.json, &arguments.pack, pack_bytes) {
        (true, ..) => out::json(&answer),
        (false, Some(path), Some(bytes)) => {
            print(&answer);
            out::line(say::pack_written(path.display(), bytes));
        }
        (false, ..) => print(&answer),
    }
    Ok(match answer.status {
        STATUS_ACTIVE => Exit::Done,
        _ => Exit::No,
    })
}

/// The chain that is asked: one that the asking chain has a light client of.
struct Asked {
    id: Digest,
    name: String,
}

/// By name or genesis digest.
async fn asked(from: &Chain, named: &str) -> Result<Asked> {
    let clients = from.link_clients().await.map_err(sdk)?;
    let known = clients
        .into_iter()
        .filter_map(|client| Digest::from_slice(&client.chain_id).map(|id| (id, client.name)));
    let known: Vec<(Digest, String)> = known.collect();
    let found = known.iter().find(|(id, name)| name == named || id.to_string() == named);
    found
        .map(|(id, name)| Asked {
            id: *id,
            name: out::one_line(name),
        })
        .ok_or_else(|| {
            let names: Vec<String> = known.iter().map(|(_, name)| out::one_line(name)).collect();
            problem::chain_not_linked(out::one_line(named), out::one_line(from.name()), names.join(", "))
        })
}

/// The record's pack with the way from the relay chain to it.
async fn write_pack(arguments: &Arguments, of: &Digest, digest: &Digest, path: &Path) -> Result<usize> {
    let connect = &arguments.connect;
    let relay = platform::relay_chain(connect).await?;
    // Where this platform's nodes do not host it, another one's do.
    let of = match connect.client()?.chain(&of.to_string()).await {
        Ok(chain) => chain,
        Err(error) if error.is_not_found() => platform::reach(connect, of).await?,
        Err(error) => return Err(sdk(error)),
    };
    let pack = packs::fetch(&of, digest, &arguments.organisation, None).await?;
    let pack = relayed::with_word(connect, &of, &relay, pack).await?;
    files::write(path, &pack, false)?;
    Ok(pack.len())
}

fn print(answer: &Answer) {
    let chain = out::one_line(&answer.chain);
    match (answer.found, answer.status) {
        (false, _) => out::line(say::ask_not_found(chain)),
        (true, STATUS_ACTIVE) => out::line(say::ask_active(chain, answer.height)),
        (true, _) => out::line(say::ask_inactive(chain, answer.height)),
    }
    out::line(say::ask_took(answer.took_ms, answer.sequence, answer.answered_height));
}
