//! Consent, pause and end of a chain, and its observers.

use super::{MODULE, find, offer_of, offers};
use crate::{
    connect::{Connect, Sign},
    governance::Ballot,
    problem::{Cause, Exit, Result},
    text::{problem, say},
    transaction,
};
use bytes::Bytes;
use clap::Args;
use yulian_exec::rules::ROLE_ADMIN;
use yulian_modules::chain::STATE_DOOMED;
use yulian_sdk::Action;
use yulian_types::proto::{AcceptChain, ChainCall, ChangeChain, ChangeMembers};

#[derive(Debug, Args)]
pub(crate) struct Accept {
    name: String,
    #[arg(long)]
    node: String,
    #[arg(long)]
    refuse: bool,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    sign: Sign,
}

#[derive(Debug, Args)]
pub(crate) struct Change {
    name: String,
    #[arg(long, default_value = "")]
    reason: String,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    sign: Sign,
}

#[derive(Debug, Args)]
pub(crate) struct Destroy {
    name: String,
    #[command(flatten)]
    ballot: Ballot,
}

#[derive(Debug, Args)]
pub(crate) struct Members {
    name: String,
    #[arg(long)]
    add_observer: Vec<String>,
    #[arg(long)]
    remove_observer: Vec<String>,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    sign: Sign,
}

/// Whoever is named signs; else an administrator of that organisation.
pub(crate) fn sign_for(sign: &Sign, organisation: &str) -> Sign {
    match (&sign.key, &sign.actor) {
        (None, None) => Sign {
            actor: Some(organisation.into()),
            ..sign.clone()
        },
        _ => sign.clone(),
    }
}

pub(super) async fn accept(arguments: &Accept) -> Result<Exit> {
    let system = arguments.connect.chain().await?;
    let offers = offers(&system).await?;
    let node = offer_of(&offers, &arguments.node)?;
    let sign = sign_for(&arguments.sign, &node.organisation);
    let actor = sign.actor(&arguments.connect, &system, ROLE_ADMIN).await?;
    let message = AcceptChain {
        name: arguments.name.clone(),
        node: Bytes::copy_from_slice(node.node.0.as_bytes()),
        agree: !arguments.refuse,
    };
    let signed = actor.account.call(system.terms(), MODULE, "accept", &message);
    let signed = signed.or_problem(problem::cannot_sign)?;
    let done = match arguments.refuse {
        false => say::chain_accepted(&arguments.name, &node.name),
        true => say::chain_not_accepted(&arguments.name, &node.name),
    };
    transaction::finish(&system, &signed, done, arguments.json).await
}

pub(super) async fn change(arguments: &Change, method: &str) -> Result<Exit> {
    let system = arguments.connect.chain().await?;
    let chain = find(&system, &arguments.name).await?;
    let sign = sign_for(&arguments.sign, &chain.creator);
    let actor = sign.actor(&arguments.connect, &system, ROLE_ADMIN).await?;
    let message = ChainCall {
        name: chain.name.clone(),
        reason: arguments.reason.clone(),
    };
    let signed = actor.account.call(system.terms(), MODULE, method, &message);
    let signed = signed.or_problem(problem::cannot_sign)?;
    let done = match method {
        "pause" => say::chain_paused(&chain.name),
        "resume" => say::chain_resumed(&chain.name),
        _ => say::chain_archived(&chain.name),
    };
    transaction::finish(&system, &signed, done, arguments.json).await
}

pub(super) async fn destroy(arguments: &Destroy) -> Result<Exit> {
    let (system, voters) = arguments.ballot.open().await?;
    let reason = say::reason_destroy_chain(&arguments.name);
    let action = Action::ChangeChain(ChangeChain {
        name: arguments.name.clone(),
        state: STATE_DOOMED,
        reason: reason.clone(),
    });
    let view = arguments.ballot.decide(&system, &voters, &action, reason).await?;
    Ok(arguments.ballot.finish(&view))
}

pub(super) async fn members(arguments: &Members) -> Result<Exit> {
    let system = arguments.connect.chain().await?;
    let chain = find(&system, &arguments.name).await?;
    let offers = offers(&system).await?;
    let keys = |named: &[String]| -> Result<Vec<Bytes>> {
        let key = |name: &String| Ok(Bytes::copy_from_slice(offer_of(&offers, name)?.node.0.as_bytes()));
        named.iter().map(key).collect()
    };
    let message = ChangeMembers {
        name: chain.name.clone(),
        add_observers: keys(&arguments.add_observer)?,
        remove_observers: keys(&arguments.remove_observer)?,
    };
    let sign = sign_for(&arguments.sign, &chain.creator);
    let actor = sign.actor(&arguments.connect, &system, ROLE_ADMIN).await?;
    let signed = actor.account.call(system.terms(), MODULE, "members", &message);
    let signed = signed.or_problem(problem::cannot_sign)?;
    transaction::finish(
        &system,
        &signed,
        say::chain_members_changed(&chain.name),
        arguments.json,
    )
    .await
}
