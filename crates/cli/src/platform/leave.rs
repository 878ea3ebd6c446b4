//! `yulian platform leave` and `remove`: how the link of two platforms ends.

use super::{
    file::Platforms,
    keep::administrator,
    own_relay,
    peers::{foreign, relay_at},
    tell,
};
use crate::{
    between, chain,
    connect::Connect,
    out,
    problem::{Exit, Result},
    refusal::sdk,
    text::{problem, say},
    transaction,
};
use clap::Args;
use serde_json::json;
use std::{collections::BTreeSet, time::Duration};
use yulian_crypto::Digest;
use yulian_sdk::{Action, Chain};
use yulian_types::state_keys::LINK_ENDED;

/// Kind of the notice by which a platform says that it leaves, and how its text begins.
pub(super) const LEAVE_KIND: &str = "notice";
pub(super) const LEAVE_TEXT: &str = "leave";
/// How long the relay chain's acknowledgement of it is waited for.
const TOLD_WITHIN: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub(crate) struct Leave {
    #[arg(long)]
    force: bool,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    named: String,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

/// Tells the relay chain, then ends the link by vote. What is still on its way ends as given up.
pub(super) async fn run(arguments: &Leave) -> Result<Exit> {
    let connect = &arguments.connect;
    let upstream = Platforms::read(&connect.dir)?.upstream;
    let upstream = upstream.ok_or_else(problem::joins_nobody)?;
    let relay = upstream.relay.ok_or_else(problem::not_confirmed)?.0;
    let record = chain::running(&connect.chain().await?, &upstream.chain).await?;
    let own = connect.client()?.chain(&record.id.to_string()).await.map_err(sdk)?;
    let actor = administrator(connect, &own).await?;
    let told = async {
        relay_at(&upstream).await?;
        let notice = tell::send(&own, &actor, &relay, LEAVE_KIND, LEAVE_TEXT, None).await?;
        tell::arrived(&own, &notice, TOLD_WITHIN).await
    };
    match told.await {
        Ok(()) => {}
        Err(problem) if arguments.force => out::note_line(problem.render()),
        Err(problem) => return Err(problem),
    }
    end(connect, &own, &relay).await?;
    Platforms::change(&connect.dir, |platforms| platforms.upstream = None)?;
    match arguments.json {
        true => out::json(&json!({ "name": own.name(), "chain": own.id().to_string(), "status": "ended" })),
        false => out::line(say::has_left(own.name())),
    }
    Ok(Exit::Done)
}

/// The relay chain's members end the link to a platform that leaves, or that must.
pub(super) async fn remove(arguments: &Remove) -> Result<Exit> {
    let connect = &arguments.connect;
    let relay = own_relay(connect).await?;
    let platforms = Platforms::read(&connect.dir)?;
    let known = foreign(&relay, &BTreeSet::new(), &platforms).await?;
    let named = |name: &str, id: &Digest| name == arguments.named || id.to_string() == arguments.named;
    let of_file = platforms
        .joined
        .iter()
        .map(|joined| (joined.name.clone(), joined.chain.0));
    let mut all = known.into_iter().map(|one| (one.name, one.id)).chain(of_file);
    let found = all.find(|(name, id)| named(name, id));
    let (name, id) = found.ok_or_else(|| problem::not_joined(out::one_line(&arguments.named)))?;
    end(connect, &relay, &id).await?;
    Platforms::change(&connect.dir, |platforms| {
        platforms.joined.retain(|joined| joined.chain.0 != id)
    })?;
    match arguments.json {
        true => out::json(&json!({ "name": name, "chain": id.to_string(), "status": "ended" })),
        false => out::line(say::removed(out::one_line(&name))),
    }
    Ok(Exit::Done)
}

/// Ends a link by vote, unless it has ended.
async fn end(connect: &Connect, at: &Chain, of: &Digest) -> Result<()> {
    if at
        .link_client(of)
        .await
        .map_err(sdk)?
        .is_none_or(|client| client.status == LINK_ENDED)
    {
        return Ok(());
    }
    let action = Action::EndLink(*of);
    let voters = between::voters(connect, at).await?;
    between::decide(at, &voters, &action, &say::action_end_link(of)).await?;
    // Light clients are read from the state that can be proven: whoever looks next finds this one ended.
    transaction::settle(at).await
}
