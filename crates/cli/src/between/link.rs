//! `yulian link`: which other chains a chain believes, and since when.

use super::{agree, compare, names::Places, say, wait};
use crate::{
    clock,
    connect::{Connect, Sign, block_on},
    files,
    fusion::standing,
    governance::Ballot,
    out,
    problem::{Cause, Exit, Result},
    refusal::sdk,
    text::{problem, say as texts},
    transaction,
};
use clap::{Args, Subcommand};
use prost::Message;
use serde::Serialize;
use std::path::PathBuf;
use yulian_exec::rules::ROLE_AUDITOR;
use yulian_modules::link::LINK_MODULE;
use yulian_sdk::{Action, BlockRef, Chain};
use yulian_types::{
    Digest,
    limits::TRANSACTION_BYTES_MAX,
    proto::{LinkClient, LinkConflict},
    state_keys::LINK_ACTIVE,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(List),
    Show(Show),
    Agree(agree::Arguments),
    End(End),
    Compare(compare::Arguments),
    Conflict(Conflict),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    of: String,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct End {
    #[arg(long)]
    of: String,
    #[command(flatten)]
    ballot: Ballot,
}

#[derive(Debug, Args)]
pub(crate) struct Conflict {
    file: PathBuf,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    sign: Sign,
}

pub(crate) fn run(command: Command) -> Result<Exit> {
    match command {
        Command::List(arguments) => block_on(list(&arguments)),
        Command::Show(arguments) => block_on(show(&arguments)),
        Command::Agree(arguments) => block_on(agree::run(&arguments)),
        Command::End(arguments) => block_on(end(&arguments)),
        Command::Compare(arguments) => block_on(compare::run(&arguments)),
        Command::Conflict(arguments) => block_on(conflict(&arguments)),
    }
}

/// A light client, as a program reads it.
#[derive(Debug, Serialize)]
struct Known {
    name: String,
    id: String,
    /// active, expired, frozen, ended.
    status: &'static str,
    /// The last header that is known: height, digest, block time, its age now.
    height: u64,
    digest: String,
    time_ms: u64,
    age_ms: u64,
    trust_period_ms: u64,
    /// Until headers of that age prove nothing any more; 0 when it is over.
    trust_left_ms: u64,
    /// It is this chain's relay.
    relay: bool,
    /// Its packets need no relay's word.
    direct: bool,
    /// Opened on the relay's word, not by a vote of this chain.
    introduced: bool,
    /// Headers and sets of validators that are kept.
    headers: usize,
    validator_sets: usize,
    opened_height: u64,
    updated_height: u64,
}

impl Known {
    fn new(places: &Places, client: &LinkClient) -> Result<Self> {
        let id = wait::digest(&client.chain_id)?;
        let age_ms = clock::now_ms().saturating_sub(client.time_ms);
        let trust_left_ms = client.trust_period_ms.saturating_sub(age_ms);
        let status = match client.status {
            LINK_ACTIVE if trust_left_ms == 0 => "expired",
            status => standing(Some(status)),
        };
        Ok(Self {
            name: places.name(&id),
            id: id.to_string(),
            status,
            height: client.height,
            digest: hex::encode(&client.digest),
            time_ms: client.time_ms,
            age_ms,
            trust_period_ms: client.trust_period_ms,
            trust_left_ms,
            relay: client.relay,
            direct: client.direct,
            introduced: client.introduced,
            headers: client.heights.len(),
            validator_sets: client.ranges.len(),
            opened_height: client.opened_height,
            updated_height: client.updated_height,
        })
    }

    fn trusted(&self) -> String {
        let words = [
            self.relay.then(say::link_relay),
            self.direct.then(say::link_direct),
            Some(match self.introduced {
                true => say::link_introduced(),
                false => say::link_voted(),
            }),
        ];
        let words: Vec<String> = words.into_iter().flatten().collect();
        words.join(&say::comma())
    }
}

fn status_in_words(status: &str) -> String {
    match status {
        "active" => say::link_active(),
        "expired" => say::link_expired(),
        "frozen" => say::link_frozen(),
        "ended" => say::link_ended(),
        _ => say::link_none(),
    }
}

async fn list(arguments: &List) -> Result<Exit> {
    let chain = arguments.connect.chain().await?;
    let (places, clients) = Places::around(&arguments.connect, &chain).await?;
    let known: Vec<Known> = clients
        .iter()
        .map(|client| Known::new(&places, client))
        .collect::<Result<_>>()?;
    if arguments.json {
        out::json(&serde_json::json!({ "chain": chain.name(), "id": chain.id().to_string(), "links": known }));
        return Ok(Exit::Done);
    }
    if known.is_empty() {
        out::line(say::no_links(out::one_line(chain.name())));
        return Ok(Exit::Done);
    }
    let row = |known: &Known| {
        vec![
            known.name.clone(),
            status_in_words(known.status),
            known.height.to_string(),
            clock::long_span(known.age_ms),
            clock::long_span(known.trust_left_ms),
            known.trusted(),
            known.id.clone(),
        ]
    };
    let head = [
        texts::label_chain(),
        texts::label_status(),
        texts::label_height(),
        say::head_age(),
        say::head_trust_left(),
        say::head_believed(),
        texts::head_genesis(),
    ];
    out::table(&head, &known.iter().map(row).collect::<Vec<_>>());
    Ok(Exit::Done)
}

async fn show(arguments: &Show) -> Result<Exit> {
    let chain = arguments.connect.chain().await?;
    let (places, _) = Places::around(&arguments.connect, &chain).await?;
    let peer = places.peer(&arguments.of).await?;
    let client = chain.link_client(&peer.id).await.map_err(sdk)?;
    let Some(client) = client else {
        return no_link(arguments, &chain, &peer.id, &peer.name).await;
    };
    let known = Known::new(&places, &client)?;
    // What the chain itself has come to, where it can be asked.
    let tip = match &peer.chain {
        Some(there) => Some(there.header(BlockRef::Latest).await.map_err(sdk)?.height),
        None => None,
    };
    if arguments.json {
        let mut shown = serde_json::to_value(&known).unwrap_or_default();
        shown["tip"] = tip.into();
        out::json(&shown);
    } else {
        print(&known, tip);
    }
    Ok(match known.status {
        "active" => Exit::Done,
        _ => Exit::No,
    })
}

/// There is no light client: perhaps one was agreed upon.
async fn no_link(arguments: &Show, chain: &Chain, of: &Digest, name: &str) -> Result<Exit> {
    let agreed = chain.link_agreement(of).await.map_err(sdk)?;
    let status = match agreed {
        Some(_) => "agreed",
        None => "none",
    };
    if arguments.json {
        out::json(&serde_json::json!({ "name": name, "id": of.to_string(), "status": status }));
    } else {
        let at = out::one_line(chain.name());
        out::line(match agreed {
            Some(agreed) => say::link_agreed_only(at, name, agreed.height),
            None => say::link_unknown(at, name),
        });
    }
    Ok(Exit::No)
}

fn print(known: &Known, tip: Option<u64>) {
    let behind = match tip {
        Some(tip) => say::link_height_of(known.height, tip),
        None => known.height.to_string(),
    };
    out::fields(&[
        (texts::label_chain(), known.name.clone()),
        (texts::head_genesis(), known.id.clone()),
        (texts::label_status(), status_in_words(known.status)),
        (say::head_believed(), known.trusted()),
        (texts::label_height(), behind),
        (texts::label_digest(), known.digest.clone()),
        (
            texts::label_time(),
            say::time_and_age(clock::beijing(known.time_ms), clock::long_span(known.age_ms)),
        ),
        (say::label_trust_period(), clock::long_span(known.trust_period_ms)),
        (say::head_trust_left(), clock::long_span(known.trust_left_ms)),
        (say::label_kept(), say::kept(known.headers, known.validator_sets)),
        (
            say::label_opened(),
            say::opened(known.opened_height, known.updated_height),
        ),
    ]);
}

async fn end(arguments: &End) -> Result<Exit> {
    let (chain, voters) = arguments.ballot.open().await?;
    let (places, _) = Places::around(&arguments.ballot.connect, &chain).await?;
    let of = places.find(&arguments.of)?;
    let action = Action::EndLink(of);
    let reason = texts::action_end_link(of);
    let view = agree::decide_and_settle(&arguments.ballot, &chain, &voters, &action, reason).await?;
    Ok(arguments.ballot.finish(&view))
}

async fn conflict(arguments: &Conflict) -> Result<Exit> {
    let content = files::read(&arguments.file, 2 * TRANSACTION_BYTES_MAX)?;
    let text = std::str::from_utf8(&content).ok();
    let bytes = text.and_then(|text| hex::decode(text.trim()).ok()).unwrap_or(content);
    let bad = || problem::bad_conflict(arguments.file.display());
    let shown = LinkConflict::decode(&bytes[..]).or_problem(bad)?;
    let of = Digest::from_slice(&shown.chain_id).ok_or_else(bad)?;
    let chain = arguments.connect.chain().await?;
    let actor = arguments.sign.actor(&arguments.connect, &chain, ROLE_AUDITOR).await?;
    let signed = actor
        .account
        .call(chain.terms(), LINK_MODULE, "report_conflict", &shown)
        .or_problem(problem::cannot_sign)?;
    let result = transaction::provable_result(&chain, &signed).await?;
    transaction::show_done(&result, say::link_now_frozen(of), arguments.json);
    Ok(Exit::Done)
}
