//! `yulian drill`: takes a part of a running network away and shows what happens.

mod load;
mod lose_cloud;
mod paper;
mod report;
pub(crate) mod say;
mod scope;

use crate::{
    connect::block_on,
    problem::{Exit, Result},
};
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    LoseCloud(lose_cloud::Arguments),
}

pub(crate) fn run(command: &Command) -> Result<Exit> {
    match command {
        Command::LoseCloud(arguments) => block_on(lose_cloud::run(arguments)),
    }
}
