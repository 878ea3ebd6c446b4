//! A chain comes to believe another: votes, then the light client. `yulian link agree`, and what a fusion network is built of.

use super::{names::Places, say};
use crate::{
    clock,
    connect::{Actor, Connect},
    fusion::standing,
    governance::{self, Ballot, propose, vote},
    out,
    problem::{Cause, Exit, Result},
    refusal::sdk,
    text::problem,
    transaction,
};
use bytes::Bytes;
use clap::Args;
use serde::Serialize;
use std::time::{Duration, Instant};
use yulian_sdk::{
    Action, BlockRef, Chain, Client, Options, Page, SdkError,
    views::{ProposalStatus, ProposalView},
};
use yulian_types::{
    StateKey, block_digest, decode_header,
    proto::{AgreeLink, LinkPoint, OpenLink, SetRoute},
    state_keys::LINK_ACTIVE,
};

/// A genesis that is older than this is no start of a light client any more, ms.
const GENESIS_AGE_MS_MAX: u64 = 24 * 3_600_000;
/// Code of a node whose last state is not provable yet.
const NOT_PROVABLE: &str = "not_provable";
/// A new chain makes its first block within this time.
const SETTLED_WITHIN: Duration = Duration::from_secs(20);
/// Pause between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// What `--start` takes.
const LATEST: &str = "latest";
const GENESIS: &str = "genesis";

const MS_PER_DAY: u64 = 24 * 3_600_000;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    of: String,
    #[arg(long)]
    of_url: Vec<String>,
    #[arg(long)]
    relay: bool,
    #[arg(long)]
    direct: bool,
    #[arg(long, value_parser = [LATEST, GENESIS])]
    start: Option<String>,
    #[arg(long)]
    trust_days: Option<u64>,
    #[command(flatten)]
    ballot: Ballot,
}

/// What is agreed upon.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// It becomes the chain's relay.
    pub(crate) relay: bool,
    /// Its packets need no relay's word.
    pub(crate) direct: bool,
    /// The chain's default where it is 0.
    pub(crate) trust_period_ms: u64,
}

/// Where a light client begins, and what opens it there.
struct Start {
    point: Option<LinkPoint>,
    open: OpenLink,
}

/// What came of an agreement, as a program reads it.
#[derive(Debug, Serialize)]
struct Agreed {
    chain: String,
    of: String,
    /// To be compared with what the other chain's operators say.
    of_id: String,
    /// active; proposed where the keys at hand did not reach the quorum.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_height: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proposal: Option<u64>,
}

pub(super) async fn run(arguments: &Arguments) -> Result<Exit> {
    let (at, voters) = arguments.ballot.open().await?;
    let of = other(arguments, &at).await?;
    let settings = Settings {
        relay: arguments.relay,
        direct: arguments.direct,
        trust_period_ms: arguments.trust_days.unwrap_or_default().saturating_mul(MS_PER_DAY),
    };
    let client = at.link_client(&of.id()).await.map_err(sdk)?;
    match client.map(|client| client.status) {
        None | Some(LINK_ACTIVE) => {}
        // Another start has to be asked for by name.
        Some(_) if arguments.start.is_some() => {}
        status => return Err(not_active(&at, &of, status)),
    }
    if arguments.start.is_none()
        && let Some(agreed) = at.link_agreement(&of.id()).await.map_err(sdk)?
    {
        // The vote was carried before; only the opening is missing.
        let point = agreed.agreed.unwrap_or_default().start;
        let start = at_point(&of, point).await?;
        open(&at, &voters, &start.open).await?;
        report(arguments, &at, &of, &start, None);
        return Ok(Exit::Done);
    }
    let start = match arguments.start.as_deref() {
        Some(GENESIS) => from_genesis(&of).await?,
        Some(_) => from_header(&of, BlockRef::Latest).await?,
        None if client_stays(&at, &of).await? => Start {
            point: None,
            open: OpenLink::default(),
        },
        None => start(&of).await?,
    };
    if !arguments.ballot.json {
        out::line(say::compare_digest(out::one_line(of.name()), of.id()));
    }
    let opened = !start.open.genesis.is_empty();
    let reason = say::reason_agree(out::one_line(of.name()));
    let action = agreement(&of, &settings, start.point.clone());
    let view = arguments.ballot.decide(&at, &voters, &action, reason).await?;
    let carried = view.status == ProposalStatus::Carried;
    if carried && opened {
        open(&at, &voters, &start.open).await?;
    }
    report(arguments, &at, &of, &start, Some(&view));
    Ok(governance::exit_of(&view))
}

/// A client that is in force keeps its start: only its settings change.
async fn client_stays(at: &Chain, of: &Chain) -> Result<bool> {
    let client = at.link_client(&of.id()).await.map_err(sdk)?;
    Ok(client.is_some_and(|client| client.status == LINK_ACTIVE && !client.introduced))
}

/// The chain that is to be believed: at other nodes, where these are named.
async fn other(arguments: &Arguments, at: &Chain) -> Result<Chain> {
    if !arguments.of_url.is_empty() {
        let client = Client::new(&arguments.of_url, Options::default()).map_err(sdk)?;
        return client.chain(&arguments.of).await.map_err(sdk);
    }
    let (places, _) = Places::around(&arguments.ballot.connect, at).await?;
    places.hosted(&arguments.of).await
}

fn report(arguments: &Arguments, at: &Chain, of: &Chain, start: &Start, view: Option<&ProposalView>) {
    let carried = view.is_none_or(|view| view.status == ProposalStatus::Carried);
    if arguments.ballot.json {
        out::json(&Agreed {
            chain: at.name().into(),
            of: of.name().into(),
            of_id: of.id().to_string(),
            status: if carried { "active" } else { "proposed" },
            start_height: start.point.as_ref().map(|point| point.height),
            start: start.point.as_ref().map(|point| hex::encode(&point.digest)),
            proposal: view.map(|view| view.id),
        });
        return;
    }
    if let Some(view) = view.filter(|_| !carried) {
        out::line(governance::standing(view));
        return;
    }
    let height = start.point.as_ref().map_or(0, |point| point.height);
    out::line(say::link_made(
        out::one_line(at.name()),
        out::one_line(of.name()),
        height,
    ));
}

fn not_active(at: &Chain, of: &Chain, status: Option<u32>) -> crate::problem::Problem {
    let (at, of) = (out::one_line(at.name()), out::one_line(of.name()));
    problem::link_not_active(at, of, standing(status))
}

fn agreement(of: &Chain, settings: &Settings, start: Option<LinkPoint>) -> Action {
    Action::AgreeLink(AgreeLink {
        chain_id: of.id().to_vec().into(),
        name: of.name().into(),
        trust_period_ms: settings.trust_period_ms,
        relay: settings.relay,
        direct: settings.direct,
        start,
    })
}

/// Anybody may open what was agreed: the first of those who voted does.
async fn open(at: &Chain, voters: &[Actor], open: &OpenLink) -> Result<()> {
    let opener = voters
        .first()
        .ok_or_else(|| problem::no_account_key("*", "admin", "-"))?;
    let signed = opener
        .account
        .open_link(at.terms(), open)
        .or_problem(problem::cannot_sign)?;
    transaction::result(at, &signed).await.map(|_| ())
}

/// Proposes and votes with every key at hand; it must be carried.
pub(crate) async fn decide(chain: &Chain, voters: &[Actor], action: &Action, reason: &str) -> Result<()> {
    let id = propose(chain, voters, action, reason).await?;
    let view = vote(chain, voters, id, true).await?;
    match view.status {
        ProposalStatus::Carried => Ok(()),
        _ => Err(problem::not_carried(chain.name(), id)),
    }
}

/// Waits until a new chain's state can be proven: its first block makes that of genesis so.
pub(crate) async fn settled(chain: &Chain) -> Result<()> {
    let until = Instant::now() + SETTLED_WITHIN;
    loop {
        match chain.state(&StateKey::routes(), None).await {
            Err(SdkError::Refused { error, .. }) if error.code == NOT_PROVABLE && Instant::now() < until => {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            answer => return answer.map(|_| ()).map_err(sdk),
        }
    }
}

/// A chain agrees on another and opens its light client, unless it has one. One that is frozen or ended is not opened again: what
/// happened is for the members to judge.
pub(crate) async fn agree(at: &Chain, voters: &[Actor], of: &Chain, settings: &Settings, reason: &str) -> Result<()> {
    let client = at.link_client(&of.id()).await.map_err(sdk)?;
    match client.map(|client| client.status) {
        None => {}
        Some(LINK_ACTIVE) => return Ok(()),
        status => return Err(not_active(at, of, status)),
    }
    let start = start(of).await?;
    decide(at, voters, &agreement(of, settings, start.point), reason).await?;
    open(at, voters, &start.open).await
}

/// At genesis while that is young, later at the last final header, so that no long history is to be followed and nothing is outside
/// of the trust period.
async fn start(of: &Chain) -> Result<Start> {
    let genesis = of.genesis().await.map_err(sdk)?;
    let young = clock::now_ms().saturating_sub(genesis.message.time_ms) <= GENESIS_AGE_MS_MAX;
    match young {
        true => from_genesis(of).await,
        false => from_header(of, BlockRef::Latest).await,
    }
}

async fn from_genesis(of: &Chain) -> Result<Start> {
    let genesis = of.genesis().await.map_err(sdk)?.bytes;
    Ok(Start {
        point: None,
        open: OpenLink {
            genesis,
            ..Default::default()
        },
    })
}

/// At what was agreed upon.
async fn at_point(of: &Chain, point: Option<LinkPoint>) -> Result<Start> {
    match point {
        None => from_genesis(of).await,
        Some(point) => {
            let start = from_header(of, BlockRef::Height(point.height)).await?;
            match start.point.as_ref() == Some(&point) {
                true => Ok(start),
                false => Err(problem::other_start(out::one_line(of.name()), point.height)),
            }
        }
    }
}

/// At a final header; a chain that has made no block yet has its genesis alone.
async fn from_header(of: &Chain, at: BlockRef) -> Result<Start> {
    let genesis = of.genesis().await.map_err(sdk)?;
    let mut open = OpenLink {
        genesis: genesis.bytes.clone(),
        ..Default::default()
    };
    let header = of.header(at).await.map_err(sdk)?.bytes.0;
    let message = decode_header(&header).or_problem(problem::bad_answer)?;
    if message.height == 0 {
        return Ok(Start { point: None, open });
    }
    open.validators = match message.validators_since {
        0 => genesis.validators.encode(),
        since => set_since(of, since).await?,
    };
    let point = LinkPoint {
        height: message.height,
        digest: block_digest(&header).to_vec().into(),
    };
    open.header = header;
    Ok(Start {
        point: Some(point),
        open,
    })
}

/// The validators that came into force at a height.
async fn set_since(of: &Chain, since: u64) -> Result<Bytes> {
    let mut page = Page::default();
    loop {
        let history = of.validator_history(&page).await.map_err(sdk)?;
        let found = history.items.into_iter().find(|change| change.first_height == since);
        match (found, history.next) {
            (Some(change), _) => return Ok(change.set.bytes.0),
            (None, Some(next)) => page = Page::after(next),
            (None, None) => return Err(problem::no_set(out::one_line(of.name()), since)),
        }
    }
}

/// A relay chain passes on what anybody sends to anybody, unless its routes say something already.
pub(crate) async fn open_routes(relay: &Chain, voters: &[Actor], reason: &str) -> Result<()> {
    if !relay.routes().await.map_err(sdk)?.is_empty() {
        return Ok(());
    }
    let any = yulian_types::Digest::ZERO.to_vec();
    let action = Action::SetRoute(SetRoute {
        source: any.clone().into(),
        destination: any.into(),
        ..Default::default()
    });
    decide(relay, voters, &action, reason).await
}

/// One administrator of each organisation whose key is in the folder.
pub(crate) async fn voters(connect: &Connect, chain: &Chain) -> Result<Vec<Actor>> {
    crate::connect::SignMany::of_folder()
        .actors(connect, chain, yulian_exec::rules::ROLE_ADMIN)
        .await
}
