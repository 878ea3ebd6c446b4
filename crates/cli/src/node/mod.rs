//! `yulian node`: one node, and the nodes of a network on this machine.

pub(crate) mod control;
pub(crate) mod new;
mod offer;
mod run;

pub(crate) use run::stdin_closed;

use crate::{
    governance::nodes,
    problem::{Exit, Result},
};
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(run::Arguments),
    New(new::Arguments),
    Stop(control::Stop),
    Start(control::Start),
    List(nodes::List),
    Register(nodes::Register),
    Remove(nodes::Remove),
    Add(offer::Add),
    Drain(offer::Drain),
    Offers(offer::List),
}

pub(crate) fn run(command: Command) -> Result<Exit> {
    match command {
        Command::Run(arguments) => run::run(&arguments),
        Command::New(arguments) => new::run(&arguments),
        Command::Stop(arguments) => control::run_stop(&arguments),
        Command::Start(arguments) => control::run_start(&arguments),
        Command::List(arguments) => nodes::list(&arguments),
        Command::Register(arguments) => nodes::run_register(&arguments),
        Command::Remove(arguments) => nodes::run_remove(&arguments),
        Command::Add(arguments) => offer::add(&arguments),
        Command::Drain(arguments) => offer::drain(&arguments),
        Command::Offers(arguments) => offer::list(&arguments),
    }
}
