//! Two chains of a platform come to believe each other: votes, then light clients.

use crate::{
    agent,
    connect::{Actor, Connect, SignMany},
    governance::{propose, vote},
    key::passphrase,
    problem::{Cause, Result},
    refusal::sdk,
    text::{problem, say},
    transaction,
};
use prost::Message;
use yulian_exec::rules::ROLE_ADMIN;
use yulian_modules::link;
use yulian_sdk::{Action, Chain, views::ProposalStatus};
use yulian_types::{
    Digest, StateKey,
    proto::{AgreeLink, LinkClient, OpenLink, RouteList, SetRoute},
    state_keys::LINK_ACTIVE,
};

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

/// The light client that a chain keeps of another.
pub(super) async fn client(at: &Chain, of: &Digest) -> Result<Option<LinkClient>> {
    let view = at.state(&StateKey::link_client(of), None).await.map_err(sdk)?;
    let decoded = view.value.map(|value| LinkClient::decode(value.0)).transpose();
    decoded.or_problem(problem::bad_answer)
}

/// A chain agrees on another and opens its light client, unless it has done so.
pub(super) async fn agree(connect: &Connect, at: &Chain, of: &Chain, relay: bool) -> Result<()> {
    if client(at, &of.id())
        .await?
        .is_some_and(|client| client.status == LINK_ACTIVE)
    {
        return Ok(());
    }
    let action = Action::AgreeLink(AgreeLink {
        chain_id: of.id().to_vec().into(),
        name: of.name().into(),
        relay,
        direct: !relay,
        ..Default::default()
    });
    decide(at, &voters(connect, at).await?, &action).await?;
    let genesis = of.genesis().await.map_err(sdk)?;
    let open = OpenLink {
        genesis: genesis.bytes,
        ..Default::default()
    };
    let carrier = agent::carrier(connect, at).await?;
    let signed = carrier
        .call(at.terms(), link::LINK_MODULE, "open", &open)
        .or_problem(problem::cannot_sign)?;
    transaction::result(at, &signed).await.map(|_| ())
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
