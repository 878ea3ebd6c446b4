//! A chain comes to believe another: votes, then the light client. `yulian link agree`, and what a fusion network is built of.

use super::{names::Places, say};
use crate::{
    clock,
    connect::{Actor, Connect, SignMany},
    fusion::standing,
    governance::{self, Ballot, propose, vote},
    out,
    problem::{Cause, Exit, Result},
    refusal::sdk,
    text::problem,
    transaction,
};
use clap::Args;
use serde::Serialize;
use yulian_exec::rules::ROLE_ADMIN;
use yulian_sdk::{
    Action, BlockRef, Chain, Client, Options,
    views::{ProposalStatus, ProposalView},
};
use yulian_types::{
    Digest, block_digest, decode_header,
    proto::{AgreeLink, LinkClient, LinkPoint, OpenLink, SetRoute},
    state_keys::{LINK_ACTIVE, LINK_ENDED},
};

/// A genesis that is older than this is no start of a light client any more, ms.
const GENESIS_AGE_MS_MAX: u64 = 24 * 3_600_000;
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
    /// A link that has ended is made once more.
    pub(crate) again: bool,
}

impl Settings {
    /// A chain that the relay chain links.
    pub(crate) fn member() -> Self {
        Self {
            direct: true,
            ..Self::default()
        }
    }

    /// The relay chain of a chain that it links.
    pub(crate) fn relay() -> Self {
        Self {
            relay: true,
            ..Self::default()
        }
    }
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
    let of = chain_of(&arguments.ballot.connect, &at, &arguments.of, &arguments.of_url).await?;
    if !arguments.ballot.json {
        out::line(say::compare_digest(out::one_line(of.name()), of.id()));
    }
    let client = at.link_client(&of.id()).await.map_err(sdk)?;
    let agreed = at.link_agreement(&of.id()).await.map_err(sdk)?;
    match (client.as_ref().map(|client| client.status), &arguments.start) {
        // Another start has to be asked for by name.
        (None | Some(LINK_ACTIVE), _) | (_, Some(_)) => {}
        (status, None) if agreed.is_none() => return Err(not_active(&at, &of, status)),
        _ => {}
    }
    if let (None, Some(agreed)) = (&arguments.start, agreed) {
        // The vote was carried before; only the light client is missing.
        let start = agreed.agreed.unwrap_or_default().start;
        open(&at, &voters, &of, start.as_ref()).await?;
        report(arguments, &at, &of, Made::From(start.as_ref()), None);
        return Ok(Exit::Done);
    }
    // A client that is in force keeps its start: only its settings change.
    let in_force = |client: &LinkClient| {
        let age_ms = clock::now_ms().saturating_sub(client.time_ms);
        client.status == LINK_ACTIVE && !client.introduced && age_ms <= client.trust_period_ms
    };
    let stays = client.as_ref().is_some_and(in_force);
    let start = match arguments.start.as_deref() {
        Some(GENESIS) => None,
        Some(_) => latest(&of).await?,
        None if stays => None,
        None => start(&of).await?,
    };
    let reason = say::reason_agree(out::one_line(of.name()));
    let action = agreement(&of, &arguments.settings(), start.clone()).await?;
    let view = decide_and_settle(&arguments.ballot, &at, &voters, &action, reason).await?;
    // The chain itself says whether there is something to be opened.
    let opens = at.link_agreement(&of.id()).await.map_err(sdk)?.is_some();
    let made = match opens {
        true => Made::From(start.as_ref()),
        false => Made::Settings,
    };
    if view.status == ProposalStatus::Carried && opens {
        open(&at, &voters, &of, start.as_ref()).await?;
    }
    report(arguments, &at, &of, made, Some(&view));
    Ok(governance::exit_of(&view))
}

impl Arguments {
    fn settings(&self) -> Settings {
        Settings {
            relay: self.relay,
            direct: self.direct,
            trust_period_ms: self.trust_days.unwrap_or_default().saturating_mul(MS_PER_DAY),
            again: false,
        }
    }
}

/// Another chain by name or digest: at other nodes, where these are named.
pub(super) async fn chain_of(connect: &Connect, at: &Chain, of: &str, of_url: &[String]) -> Result<Chain> {
    if !of_url.is_empty() {
        let client = Client::new(of_url, Options::default()).map_err(sdk)?;
        return client.chain(of).await.map_err(sdk);
    }
    let (places, _) = Places::around(connect, at).await?;
    places.hosted(of).await
}

/// What an agreement brings.
#[derive(Debug, Clone, Copy)]
enum Made<'a> {
    /// A light client from a start on, genesis if none.
    From(Option<&'a LinkPoint>),
    /// Other settings of the one that is there.
    Settings,
}

fn report(arguments: &Arguments, at: &Chain, of: &Chain, made: Made<'_>, view: Option<&ProposalView>) {
    let start = match made {
        Made::From(start) => start,
        Made::Settings => None,
    };
    let carried = view.is_none_or(|view| view.status == ProposalStatus::Carried);
    if arguments.ballot.json {
        out::json(&Agreed {
            chain: at.name().into(),
            of: of.name().into(),
            of_id: of.id().to_string(),
            status: if carried { "active" } else { "proposed" },
            start_height: start.map(|point| point.height),
            start: start.map(|point| hex::encode(&point.digest)),
            proposal: view.map(|view| view.id),
        });
        return;
    }
    if let Some(view) = view.filter(|_| !carried) {
        out::line(governance::standing(view));
        return;
    }
    let (at, of) = (out::one_line(at.name()), out::one_line(of.name()));
    out::line(match made {
        Made::From(start) => say::link_made(at, of, start.map_or(0, |point| point.height)),
        Made::Settings => say::link_settings(at, of),
    });
}

fn not_active(at: &Chain, of: &Chain, status: Option<u32>) -> crate::problem::Problem {
    let (at, of) = (out::one_line(at.name()), out::one_line(of.name()));
    problem::link_not_active(at, of, standing(status))
}

/// What is voted on. The name is that of the chain's genesis, whatever its node says.
async fn agreement(of: &Chain, settings: &Settings, start: Option<LinkPoint>) -> Result<Action> {
    let genesis = of.genesis().await.map_err(sdk)?;
    Ok(Action::AgreeLink(AgreeLink {
        chain_id: of.id().to_vec().into(),
        name: genesis.message.name,
        trust_period_ms: settings.trust_period_ms,
        relay: settings.relay,
        direct: settings.direct,
        start,
    }))
}

/// Opens what was agreed upon. Anybody may: the first of those who voted does.
async fn open(at: &Chain, voters: &[Actor], of: &Chain, start: Option<&LinkPoint>) -> Result<()> {
    let opener = voters
        .first()
        .ok_or_else(|| problem::no_account_key("*", ROLE_ADMIN, "-"))?;
    let signed = opener
        .account
        .open_link(at.terms(), &opening(of, start).await?)
        .or_problem(problem::cannot_sign)?;
    // Whoever looks next must see it.
    transaction::provable_result(at, &signed).await.map(|_| ())
}

/// Proposes and votes; what was carried is seen by whoever looks next.
pub(super) async fn decide_and_settle(
    ballot: &Ballot,
    chain: &Chain,
    voters: &[Actor],
    action: &Action,
    reason: String,
) -> Result<ProposalView> {
    let view = ballot.decide(chain, voters, action, reason).await?;
    if view.status == ProposalStatus::Carried {
        transaction::settle(chain).await?;
    }
    Ok(view)
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

/// A chain agrees on another and opens its light client, unless it has one. One that is frozen is not opened again, nor one that has
/// ended unless the settings say so: what happened is for the members to judge.
pub(crate) async fn agree(at: &Chain, voters: &[Actor], of: &Chain, settings: &Settings, reason: &str) -> Result<()> {
    let client = at.link_client(&of.id()).await.map_err(sdk)?;
    match client.map(|client| client.status) {
        None => {}
        Some(LINK_ACTIVE) => return Ok(()),
        Some(LINK_ENDED) if settings.again => {}
        status => return Err(not_active(at, of, status)),
    }
    let start = match at.link_agreement(&of.id()).await.map_err(sdk)? {
        // The members agreed before; only the light client is missing.
        Some(agreed) => agreed.agreed.unwrap_or_default().start,
        None => {
            let start = start(of).await?;
            decide(at, voters, &agreement(of, settings, start.clone()).await?, reason).await?;
            start
        }
    };
    open(at, voters, of, start.as_ref()).await
}

/// Where a light client of a chain begins: at genesis (none) while that is young, later at the last final header, so that no long
/// history is to be followed and nothing is outside of the trust period.
async fn start(of: &Chain) -> Result<Option<LinkPoint>> {
    let genesis = of.genesis().await.map_err(sdk)?;
    match clock::now_ms().saturating_sub(genesis.message.time_ms) <= GENESIS_AGE_MS_MAX {
        true => Ok(None),
        false => latest(of).await,
    }
}

/// The last final header, proven from the genesis on; none where that is genesis itself.
async fn latest(of: &Chain) -> Result<Option<LinkPoint>> {
    let height = of.header(BlockRef::Latest).await.map_err(sdk)?.height;
    if height == 0 {
        return Ok(None);
    }
    let view = of.finality(BlockRef::Height(height)).await.map_err(sdk)?;
    let proofs = of.proofs().await.map_err(sdk)?;
    let headers = proofs.finality(&view).or_problem(problem::bad_answer)?;
    let first = headers.first();
    Ok((first.height() > 0).then(|| LinkPoint {
        height: first.height(),
        digest: first.digest().to_vec().into(),
    }))
}

/// What opens a light client at an agreed start.
async fn opening(of: &Chain, start: Option<&LinkPoint>) -> Result<OpenLink> {
    let genesis = of.genesis().await.map_err(sdk)?;
    let mut open = OpenLink {
        genesis: genesis.bytes.clone(),
        ..Default::default()
    };
    let Some(start) = start else {
        return Ok(open);
    };
    let header = of.header(BlockRef::Height(start.height)).await.map_err(sdk)?.bytes.0;
    if block_digest(&header).0 != start.digest[..] {
        return Err(problem::other_start(out::one_line(of.name()), start.height));
    }
    let since = decode_header(&header).or_problem(problem::bad_answer)?.validators_since;
    let set = of.validators_since(since).await.map_err(sdk)?;
    open.validators = set.ok_or_else(|| problem::no_set(out::one_line(of.name()), since))?;
    open.header = header;
    Ok(open)
}

/// A relay chain passes on what anybody sends to anybody, unless its routes say something already.
pub(crate) async fn open_routes(relay: &Chain, voters: &[Actor], reason: &str) -> Result<()> {
    if !relay.routes().await.map_err(sdk)?.is_empty() {
        return Ok(());
    }
    let any = Digest::ZERO.to_vec();
    let action = Action::SetRoute(SetRoute {
        source: any.clone().into(),
        destination: any.into(),
        ..Default::default()
    });
    decide(relay, voters, &action, reason).await
}

/// One administrator of each organisation whose key is in the folder.
pub(crate) async fn voters(connect: &Connect, chain: &Chain) -> Result<Vec<Actor>> {
    SignMany::of_folder().actors(connect, chain, ROLE_ADMIN).await
}
