//! `yulian protocol`: versions of the protocol.

use super::Ballot;
use crate::{
    connect::{Connect, block_on},
    out,
    problem::{Exit, Result},
    refusal::sdk,
    text::say,
};
use clap::{Args, Subcommand};
use serde_json::json;
use yulian_exec::PROTOCOL_VERSIONS_KNOWN;
use yulian_sdk::Action;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(List),
    Activate(Activate),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct Activate {
    version: u32,
    height: u64,
    #[command(flatten)]
    ballot: Ballot,
}

pub(crate) fn run(command: Command) -> Result<Exit> {
    match command {
        Command::List(arguments) => block_on(list(&arguments)),
        Command::Activate(arguments) => block_on(activate(&arguments)),
    }
}

async fn list(arguments: &List) -> Result<Exit> {
    let chain = arguments.connect.chain().await?;
    let info = chain.info().await.map_err(sdk)?;
    if arguments.json {
        let known = PROTOCOL_VERSIONS_KNOWN;
        out::json(&json!({ "height": info.height, "protocols": info.protocols, "known_here": known }));
        return Ok(Exit::Done);
    }
    let known = |version: &u32| {
        if PROTOCOL_VERSIONS_KNOWN.contains(version) {
            say::known()
        } else {
            say::not_known()
        }
    };
    let row = |entry: &yulian_sdk::views::ProtocolView| {
        vec![
            entry.version.to_string(),
            entry.height.to_string(),
            known(&entry.version),
        ]
    };
    let rows: Vec<_> = info.protocols.iter().map(row).collect();
    out::table(
        &[say::head_version(), say::head_from_height(), say::head_this_program()],
        &rows,
    );
    Ok(Exit::Done)
}

async fn activate(arguments: &Activate) -> Result<Exit> {
    let (chain, voters) = arguments.ballot.open().await?;
    let Activate { version, height, .. } = *arguments;
    if !PROTOCOL_VERSIONS_KNOWN.contains(&version) {
        out::note_line(say::protocol_unknown_here(version));
    }
    let action = Action::ActivateProtocol { version, height };
    let view = arguments
        .ballot
        .decide(&chain, &voters, &action, say::action_protocol(version, height))
        .await?;
    Ok(arguments.ballot.finish(&view))
}
