//! `yulian platform`: platforms with nodes of their own that are linked by the province's relay chain.
//!
//! A city's platform asks, the province's approves by vote; then each side keeps a light client of the other and carries on its own
//! chains alone. No platform has an account, a key or a node on another one.

mod approve;
mod file;
mod heartbeat;
mod join;
mod keep;
mod leave;
mod peers;
mod tell;
mod topology;
mod url;

pub(crate) use file::Platforms;
pub(crate) use join::{joins, say_how_to_join};
pub(crate) use keep::keep;
pub(crate) use peers::{Foreign, at, foreign, relay_at};
pub(crate) use topology::{Command as Topology, run as topology};
pub(crate) use url::JoinUrl;

use crate::{
    chain::all,
    connect::{Connect, block_on},
    fusion::hub,
    problem::{Exit, Result},
    refusal::sdk,
    text::problem,
};
use clap::Subcommand;
use std::collections::BTreeSet;
use yulian_crypto::Digest;
use yulian_sdk::{Chain, views::ChainRecordView};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Join(join::Arguments),
    Confirm(join::Confirm),
    Keep(keep::Arguments),
    Requests(approve::Requests),
    Approve(approve::Approve),
    Remove(leave::Remove),
    Leave(leave::Leave),
    Tell(tell::Arguments),
}

pub(crate) fn run(command: Command) -> Result<Exit> {
    match command {
        Command::Join(arguments) => block_on(join::run(&arguments)),
        Command::Confirm(arguments) => block_on(join::confirm(&arguments)),
        Command::Keep(arguments) => block_on(keep::run(&arguments)),
        Command::Requests(arguments) => block_on(approve::requests(&arguments)),
        Command::Approve(arguments) => block_on(approve::run(&arguments)),
        Command::Remove(arguments) => block_on(leave::remove(&arguments)),
        Command::Leave(arguments) => block_on(leave::run(&arguments)),
        Command::Tell(arguments) => block_on(tell::run(&arguments)),
    }
}

/// This platform's own relay chain.
async fn own_relay(connect: &Connect) -> Result<Chain> {
    find_own_relay(connect).await?.ok_or_else(problem::no_relay)
}

async fn find_own_relay(connect: &Connect) -> Result<Option<Chain>> {
    relay_among(connect, &all(&connect.to_system().chain().await?).await?).await
}

/// The relay chain among those of this platform's register.
pub(crate) async fn relay_among(connect: &Connect, chains: &[ChainRecordView]) -> Result<Option<Chain>> {
    match hub(chains) {
        Some(relay) => {
            let chain = connect.client()?.chain(&relay.id.to_string()).await;
            chain.map(Some).map_err(sdk)
        }
        None => Ok(None),
    }
}

/// The relay chain that this platform's chains believe: its own, or that of the platform that it joins.
pub(crate) async fn relay_chain(connect: &Connect) -> Result<Chain> {
    match (find_own_relay(connect).await?, Platforms::read(&connect.dir)?.upstream) {
        (Some(relay), _) => Ok(relay),
        (None, Some(upstream)) => relay_at(&upstream).await,
        (None, None) => Err(problem::no_relay()),
    }
}

/// A chain of another platform, wherever its nodes are.
pub(crate) async fn reach(connect: &Connect, id: &Digest) -> Result<Chain> {
    let hub = relay_chain(connect).await?;
    let found = foreign(&hub, &BTreeSet::new(), &Platforms::read(&connect.dir)?).await?;
    match found.into_iter().find(|one| one.id == *id) {
        Some(one) => one.open().await,
        None => Err(problem::not_joined(id)),
    }
}
