//! `yulian fusion ask`: one chain asks another for an evidence record; the answer stands on the chain that asked.

use crate::{
    connect::{Connect, Sign},
    evidence::{packs, relayed},
    files, out,
    problem::{Cause, Exit, Problem, Result},
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
use yulian_modules::verification::{KIND_EVIDENCE, VERIFICATION_MODULE};
use yulian_sdk::Chain;
use yulian_types::{
    Digest, StateKey,
    proto::{Ask, Inquiry, InquiryAnswer, PacketEnd, PacketRef},
    state_keys::{PACKET_DONE, STATUS_ACTIVE},
};

/// Pause between looks for the answer.
const LOOK_EVERY: Duration = Duration::from_millis(20);

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
    let signed = actor.account.call(from.terms(), VERIFICATION_MODULE, "ask", &ask);
    let result = transaction::result(&from, &signed.or_problem(problem::cannot_sign)?).await?;
    let sent = PacketRef::decode(result.result.output.0).or_problem(problem::bad_answer)?;
    let end = wait(arguments, &from, &of, sent.sequence, started).await?;
    let answer = InquiryAnswer::decode(end.output.clone()).or_problem(problem::bad_answer)?;
    let took_ms = started.elapsed().as_millis() as u64;
    let pack_bytes = match &arguments.pack {
        Some(path) if answer.found => Some(write_pack(arguments, &of, &digest, path).await?),
        _ => None,
    };
    let answer = Answer {
        chain: of.name().into(),
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

async fn open(client: &yulian_sdk::Client, named: &str) -> Result<Chain> {
    client.chain(named).await.map_err(sdk)
}

/// The record's pack with the way from the relay chain to it.
async fn write_pack(arguments: &Arguments, of: &Chain, digest: &Digest, path: &Path) -> Result<usize> {
    let relay = super::relay_chain(&arguments.connect).await?;
    let pack = packs::fetch(of, digest, &arguments.organisation, None).await?;
    let pack = relayed::with_word(&arguments.connect, of, &relay, pack).await?;
    files::write(path, &pack, false)?;
    Ok(pack.len())
}

async fn wait(arguments: &Arguments, from: &Chain, of: &Chain, sequence: u64, started: Instant) -> Result<PacketEnd> {
    let key = StateKey::packet_ended(&of.id(), VERIFICATION_MODULE, sequence);
    // The time-out is the other chain's; the way back takes a moment.
    let patience = Duration::from_secs(arguments.timeout_s.saturating_add(30));
    loop {
        let view = from.state(&key, None).await.map_err(sdk)?;
        if let Some(value) = view.value {
            let end = PacketEnd::decode(value.0).or_problem(problem::bad_answer)?;
            return match end.status {
                PACKET_DONE => Ok(end),
                _ => Err(not_answered(of, &end)),
            };
        }
        if started.elapsed() > patience {
            return Err(problem::packet_pending(of.name(), sequence));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn not_answered(of: &Chain, end: &PacketEnd) -> Problem {
    problem::packet_failed(of.name(), out::one_line(&end.code))
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
