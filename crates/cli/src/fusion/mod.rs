//! `yulian fusion`: the fusion network of a platform: its relay chain, the chains that it links, and what goes between them.

mod ask;
mod build;
mod layout;
mod show;

pub(crate) use build::build;
pub(crate) use layout::{City, Layout};
pub(crate) use show::standing;

use crate::{
    agent,
    connect::block_on,
    problem::{Exit, Result},
};
use clap::Subcommand;
use yulian_sdk::views::ChainRecordView;

/// Template of a relay chain.
pub(crate) const RELAY_TEMPLATE: &str = "relay";
/// Template of the chains that it links.
pub(crate) const SHARING_TEMPLATE: &str = "sharing";
/// Name of the account that carries, in every network that `up` makes.
pub(crate) const RELAY_ACCOUNT: &str = "relay";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Build(build::Arguments),
    Show(show::Arguments),
    Ask(ask::Arguments),
}

pub(crate) fn run(command: Command) -> Result<Exit> {
    match command {
        Command::Build(arguments) => block_on(build::run(&arguments)),
        Command::Show(arguments) => block_on(show::run(&arguments)),
        Command::Ask(arguments) => block_on(ask::run(&arguments)),
    }
}

/// The relay chain among those of a platform.
pub(crate) fn hub(chains: &[ChainRecordView]) -> Option<&ChainRecordView> {
    chains
        .iter()
        .find(|chain| chain.template == RELAY_TEMPLATE && agent::is_linked(chain))
}
