//! `yulian notice`: what a chain tells others, and what it was told.

use super::{
    names::Places,
    say,
    wait::{self, Hop},
};
use crate::{
    clock,
    connect::{Connect, Sign, block_on},
    files, out,
    problem::{Cause, Exit, Result},
    refusal::sdk,
    text::{problem, say as texts},
    transaction,
};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;
use std::path::PathBuf;
use yulian_exec::rules::ROLE_ADMIN;
use yulian_modules::notice::KINDS;
use yulian_sdk::Chain;
use yulian_types::{
    Digest,
    proto::{Notice, NoticeRecord},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Send(Send),
    List(List),
}

#[derive(Debug, Args)]
pub(crate) struct Send {
    text: String,
    #[arg(long)]
    to: String,
    #[arg(long, default_value = "notice", value_parser = KINDS)]
    kind: String,
    #[arg(long)]
    document: Option<PathBuf>,
    #[arg(long, default_value_t = 60)]
    timeout_s: u64,
    #[arg(long)]
    no_wait: bool,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    sign: Sign,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[arg(long)]
    from: Option<String>,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

pub(crate) fn run(command: Command) -> Result<Exit> {
    match command {
        Command::Send(arguments) => block_on(send(&arguments)),
        Command::List(arguments) => block_on(list(&arguments)),
    }
}

/// A notice that came, as a program reads it.
#[derive(Debug, Serialize)]
struct Told {
    source: String,
    source_id: String,
    kind: &'static str,
    organisation: String,
    text: String,
    /// SM3 of a document, or empty.
    digest: String,
    sequence: u64,
    height: u64,
    time_ms: u64,
}

async fn send(arguments: &Send) -> Result<Exit> {
    let chain = arguments.connect.chain().await?;
    let (places, _) = Places::around(&arguments.connect, &chain).await?;
    let to = places.find(&arguments.to)?;
    let actor = arguments.sign.actor(&arguments.connect, &chain, ROLE_ADMIN).await?;
    let document = arguments.document.as_deref().map(files::sm3_of).transpose()?;
    let timeout_ms = arguments.timeout_s.saturating_mul(1_000);
    let notice = Notice {
        destination: to.to_vec().into(),
        kind: arguments.kind.clone(),
        text: arguments.text.clone(),
        digest: document.map(|digest| digest.to_vec().into()).unwrap_or_default(),
        timeout_ms,
    };
    let signed = actor.account.tell(chain.terms(), &notice);
    let result = transaction::result(&chain, &signed.or_problem(problem::cannot_sign)?).await?;
    let name = wait::named(&chain, &result)?;
    let end = match arguments.no_wait {
        true => None,
        false => Some(wait::end_of(&chain, &name, &places.name(&to), wait::patience(timeout_ms)).await?),
    };
    let hop = Hop::new(&places, &name, end.as_ref());
    match arguments.json {
        true => out::json(&hop),
        false => out::line(hop.line()),
    }
    Ok(match hop.is_done() || arguments.no_wait {
        true => Exit::Done,
        false => Exit::No,
    })
}

async fn list(arguments: &List) -> Result<Exit> {
    let chain = arguments.connect.chain().await?;
    let (places, clients) = Places::around(&arguments.connect, &chain).await?;
    let from = arguments.from.as_deref().map(|named| places.find(named)).transpose()?;
    let mut told = Vec::new();
    for client in &clients {
        let source = wait::digest(&client.chain_id)?;
        if from.is_none_or(|from| from == source) {
            told.extend(of_source(&chain, &places, &source).await?);
        }
    }
    if arguments.json {
        out::json(&json!({ "chain": chain.name(), "notices": told }));
        return Ok(Exit::Done);
    }
    if told.is_empty() {
        out::line(say::no_notices(out::one_line(chain.name())));
        return Ok(Exit::Done);
    }
    for notice in &told {
        print(notice);
    }
    Ok(Exit::Done)
}

async fn of_source(chain: &Chain, places: &Places, source: &Digest) -> Result<Vec<Told>> {
    let mut told = Vec::new();
    for kind in KINDS {
        let Some(record) = chain.notice(source, kind).await.map_err(sdk)? else {
            continue;
        };
        let NoticeRecord {
            notice,
            organisation,
            sequence,
            height,
            time_ms,
        } = record;
        let notice = notice.unwrap_or_default();
        told.push(Told {
            source: places.name(source),
            source_id: source.to_string(),
            kind,
            organisation,
            text: notice.text,
            digest: hex::encode(&notice.digest),
            sequence,
            height,
            time_ms,
        });
    }
    Ok(told)
}

fn print(told: &Told) {
    out::line(say::notice_head(
        &told.source,
        kind(told.kind),
        out::one_line(&told.organisation),
        clock::beijing(told.time_ms),
    ));
    out::line(format!("  {}", out::one_line(&told.text)));
    if !told.digest.is_empty() {
        out::line(format!("  {}  {}", texts::label_digest(), told.digest));
    }
}

fn kind(kind: &str) -> String {
    match kind {
        "heartbeat" => say::kind_heartbeat(),
        "parameter" => say::kind_parameter(),
        "policy" => say::kind_policy(),
        _ => say::kind_notice(),
    }
}
