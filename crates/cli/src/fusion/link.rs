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
    Digest, StateKey, decode_header,
    proto::{AgreeLink, LinkAgreement, LinkClient, LinkPoint, OpenLink, RouteList, SetRoute},
    state_keys::{LINK_ACTIVE, LINK_ENDED},
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
pub(crate) async fn voters(connect: &Connect, chain: &Chain) -> Result<Vec<Actor>> {
    let many = SignMany {
        key: Vec::new(),
        passphrase: passphrase::Source::default(),
    };
    many.actors(connect, chain, ROLE_ADMIN).await
}

/// Proposes and votes with every key at hand.
pub(crate) async fn decide(chain: &Chain, voters: &[Actor], action: &Action) -> Result<()> {
    let id = propose(chain, voters, action, &say::reason_fusion()).await?;
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

/// A chain agrees on another and opens its light client, unless it has one. One that is frozen is not opened again, nor one that has
/// ended unless `again` says so: what happened is for the members to judge.
pub(crate) async fn agree(connect: &Connect, at: &Chain, of: &Chain, relay: bool, again: bool) -> Result<()> {
    match client(at, &of.id()).await?.map(|client| client.status) {
        None => {}
        Some(LINK_ACTIVE) => return Ok(()),
        Some(LINK_ENDED) if again => {}
        status => {
            let (at, of) = (out::one_line(at.name()), out::one_line(of.name()));
            return Err(problem::link_not_active(at, of, standing(status)));
        }
    }
    let start = match agreement(at, &of.id()).await? {
        // The members agreed before; only the light client is missing.
        Some(agreed) => agreed.start,
        None => {
            let start = start(of).await?;
            let action = Action::AgreeLink(AgreeLink {
                chain_id: of.id().to_vec().into(),
                name: of.name().into(),
                relay,
                direct: !relay,
                start: start.clone(),
                ..Default::default()
            });
            decide(at, &voters(connect, at).await?, &action).await?;
            start
        }
    };
    let open = opening(of, start.as_ref()).await?;
    let carrier = agent::carrier(connect, at).await?;
    let signed = carrier
        .call(at.terms(), link::LINK_MODULE, "open", &open)
        .or_problem(problem::cannot_sign)?;
    transaction::result(at, &signed).await.map(|_| ())
}

/// What a chain's members agreed on about another that it has not opened.
async fn agreement(at: &Chain, of: &Digest) -> Result<Option<AgreeLink>> {
    let view = at.state(&link::agreement_key(of), None).await.map_err(sdk)?;
    let decoded = view.value.map(|value| LinkAgreement::decode(value.0)).transpose();
    Ok(decoded
        .or_problem(problem::bad_answer)?
        .and_then(|agreement| agreement.agreed))
}

/// Where a light client of a chain begins: at genesis (none) while that is young, later at the last final header, so that no long
/// history is to be followed and nothing is outside of the trust period. The header is proven from the genesis on.
async fn start(of: &Chain) -> Result<Option<LinkPoint>> {
    let genesis = of.genesis().await.map_err(sdk)?;
    if clock::now_ms().saturating_sub(genesis.message.time_ms) <= GENESIS_AGE_MS_MAX {
        return Ok(None);
    }
    let height = of.header(BlockRef::Latest).await.map_err(sdk)?.height;
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
    let message = decode_header(&header).or_problem(problem::bad_answer)?;
    open.validators = match message.validators_since {
        0 => genesis.validators.encode(),
        since => set_since(of, since).await?,
    };
    open.header = header;
    Ok(open)
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
