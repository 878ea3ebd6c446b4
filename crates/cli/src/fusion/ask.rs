//! `yulian fusion ask`: one chain asks another for an evidence record; the answer stands on the chain that asked.

use crate::{
    between,
    connect::{Connect, Sign},
    out,
    problem::{Cause, Exit, Result},
    refusal::sdk,
    text::{problem, say},
    transaction,
};
use clap::Args;
use prost::Message;
use serde::Serialize;
use std::time::{Duration, Instant};
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
}

pub(super) async fn run(arguments: &Arguments) -> Result<Exit> {
    let client = arguments.connect.client()?;
    let (from, of) = (
        open(&client, &arguments.from).await?,
        open(&client, &arguments.of).await?,
    );
    let digest: Digest = arguments
        .digest
        .parse()
        .map_err(|_| problem::bad_digest(&arguments.digest))?;
    let actor = arguments.sign.actor(&arguments.connect, &from, ROLE_WRITER).await?;
    let ask = Ask {
        destination: of.id().to_vec().into(),
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
    let end = between::end_of(&from, &name, of.name(), patience).await?;
    if end.status != PACKET_DONE {
        return Err(between::not_done(of.name(), &end));
    }
    let answer = InquiryAnswer::decode(end.output.clone()).or_problem(problem::bad_answer)?;
    let answer = Answer {
        chain: of.name().into(),
        found: answer.found,
        status: answer.status,
        height: answer.height,
        time_ms: answer.time_ms,
        transaction_id: hex::encode(&answer.transaction_id),
        sequence: sent.sequence,
        answered_height: end.height,
        took_ms: started.elapsed().as_millis() as u64,
    };
    match arguments.json {
        true => out::json(&answer),
        false => print(&answer),
    }
    Ok(match answer.status {
        STATUS_ACTIVE => Exit::Done,
        _ => Exit::No,
    })
}

async fn open(client: &yulian_sdk::Client, named: &str) -> Result<Chain> {
    client.chain(named).await.map_err(sdk)
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
