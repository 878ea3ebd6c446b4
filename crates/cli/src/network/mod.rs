//! `yulian network`: from a topology to the folders of its nodes.

mod config;
mod firewall;
pub(crate) mod plan;
mod readme;
pub(crate) mod record;
pub(crate) mod topology;
pub(crate) mod write;

use crate::{
    clock, out,
    problem::{Exit, Result},
    text::say,
    up::refuse_existing,
};
use clap::{Args, Subcommand};
use plan::Plan;
use serde_json::json;
use std::path::PathBuf;
use topology::{EXAMPLE, Topology};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(Init),
    Example,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    #[arg(long)]
    topology: PathBuf,
    #[arg(long)]
    out: PathBuf,
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &Command) -> Result<Exit> {
    match command {
        Command::Init(arguments) => init(arguments),
        Command::Example => {
            out::line(EXAMPLE.trim_end());
            Ok(Exit::Done)
        }
    }
}

fn init(arguments: &Init) -> Result<Exit> {
    let dir = &arguments.out;
    refuse_existing(dir)?;
    let topology = Topology::read(&arguments.topology)?;
    let plan = Plan::new(&topology, clock::now_ms())?;
    let folders: Vec<String> = plan.nodes.iter().map(|planned| planned.node.name.clone()).collect();
    write::network(&plan, dir, &folders)?;
    let genesis = plan.genesis.chain_id.to_string();
    if arguments.json {
        out::json(&json!({ "dir": dir, "chain": topology.name, "genesis": genesis, "nodes": folders }));
        return Ok(Exit::Done);
    }
    out::line(say::network_written(dir.display(), out::one_line(&topology.name)));
    out::fields(&[(say::head_genesis(), genesis), (say::label_nodes(), folders.join(", "))]);
    out::note_line(say::network_keys_hint(dir.display()));
    Ok(Exit::Done)
}
