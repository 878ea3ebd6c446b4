//! Two chains of a platform come to believe each other: votes, then light clients.

use super::show::standing;
use crate::{
    agent, clock,
    connect::{Actor, Connect, SignMany},
    governance::{propose, vote},
    key::passphrase,
    out,
    problem::{Cause, Result},
    refusal::sdk,
    text::{problem, say},
    transaction,
};
use bytes::Bytes;
use prost::Message;
use std::time::{Duration, Instant};
use yulian_exec::rules::ROLE_ADMIN;
use yulian_modules::link;
use yulian_sdk::{Action, BlockRef, Chain, Page, SdkError, views::ProposalStatus};
use yulian_types::{
    Digest, StateKey, block_digest, decode_header,
    proto::{AgreeLink, LinkClient, LinkPoint, OpenLink, RouteList, SetRoute},
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

/// Administrators of a chain, for which this folder has the keys.
pub(super) async fn voters(connect: &Connect, chain: &Chain) -> Result<Vec<Actor>> {
    let many = SignMany {
        key: Vec::new(),
        passphrase: passphrase::Source::default(),
    };
    many.actors(connect, chain, ROLE_ADMIN).await
}

/// Proposes and votes with every key at hand.
async fn decide(chain: &Chain, voters: &[Actor], action: &Action) -> Result<()> {
    let id = propose(chain, voters, action, &say::reason_fusion()).await?;
    let view = vote(chain, voters, id, true).await?;
    match view.status {
        ProposalStatus::Carried => Ok(()),
        _ => Err(problem::not_carried(chain.name(), id)),
    }
}

/// Waits until a new chain's state can be proven: its first block makes that of genesis so.
pub(super) async fn settled(chain: &Chain) -> Result<()> {
    let until = Instant::now() + SETTLED_WITHIN;
    loop {
        match chain.state(&link::routes(), None).await {
            Err(SdkError::Refused { error, .. }) if error.code == NOT_PROVABLE && Instant::now() < until => {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            answer => return answer.map(|_| ()).map_err(sdk),
        }
    }
}

/// The light client that a chain keeps of another.
pub(crate) async fn client(at: &Chain, of: &Digest) -> Result<Option<LinkClient>> {
    let view = at.state(&StateKey::link_client(of), None).await.map_err(sdk)?;
    let decoded = view.value.map(|value| LinkClient::decode(value.0)).transpose();
    decoded.or_problem(problem::bad_answer)
}

/// A chain agrees on another and opens its light client, unless it has one. One that is frozen or ended is not opened again: what
/// happened is for the members to judge.
pub(super) async fn agree(connect: &Connect, at: &Chain, of: &Chain, relay: bool) -> Result<()> {
    match client(at, &of.id()).await?.map(|client| client.status) {
        None => {}
        Some(LINK_ACTIVE) => return Ok(()),
        status => {
            let (at, of) = (out::one_line(at.name()), out::one_line(of.name()));
            return Err(problem::link_not_active(at, of, standing(status)));
        }
    }
    let (start, open) = start(of).await?;
    let action = Action::AgreeLink(AgreeLink {
        chain_id: of.id().to_vec().into(),
        name: of.name().into(),
        relay,
        direct: !relay,
        start,
        ..Default::default()
    });
    decide(at, &voters(connect, at).await?, &action).await?;
    let carrier = agent::carrier(connect, at).await?;
    let signed = carrier
        .call(at.terms(), link::LINK_MODULE, "open", &open)
        .or_problem(problem::cannot_sign)?;
    transaction::result(at, &signed).await.map(|_| ())
}

/// Where a light client of a chain begins, and what opens it there: at genesis while that is young, later at the last final header,
/// so that no long history is to be followed and nothing is outside of the trust period.
async fn start(of: &Chain) -> Result<(Option<LinkPoint>, OpenLink)> {
    let genesis = of.genesis().await.map_err(sdk)?;
    let mut open = OpenLink {
        genesis: genesis.bytes.clone(),
        ..Default::default()
    };
    if clock::now_ms().saturating_sub(genesis.message.time_ms) <= GENESIS_AGE_MS_MAX {
        return Ok((None, open));
    }
    let header = of.header(BlockRef::Latest).await.map_err(sdk)?.bytes.0;
    let message = decode_header(&header).or_problem(problem::bad_answer)?;
    if message.height == 0 {
        return Ok((None, open));
    }
    open.validators = match message.validators_since {
        0 => genesis.validators.encode(),
        since => set_since(of, since).await?,
    };
    let start = LinkPoint {
        height: message.height,
        digest: block_digest(&header).to_vec().into(),
    };
    open.header = header;
    Ok((Some(start), open))
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

/// The relay chain passes on what anybody sends to anybody, unless its routes say something already.
pub(super) async fn open_routes(connect: &Connect, relay: &Chain) -> Result<()> {
    let view = relay.state(&link::routes(), None).await.map_err(sdk)?;
    let routes = view.value.map(|value| RouteList::decode(value.0)).transpose();
    if routes
        .or_problem(problem::bad_answer)?
        .is_some_and(|list| !list.routes.is_empty())
    {
        return Ok(());
    }
    let any = Digest::ZERO.to_vec();
    let action = Action::SetRoute(SetRoute {
        source: any.clone().into(),
        destination: any.into(),
        ..Default::default()
    });
    decide(relay, &voters(connect, relay).await?, &action).await
}
