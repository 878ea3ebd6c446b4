//! `yulian parameter`.

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
use yulian_sdk::{Action, views::ParameterView};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(List),
    Set(Set),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    name: String,
    value: u64,
    #[command(flatten)]
    ballot: Ballot,
}

pub(crate) fn run(command: Command) -> Result<Exit> {
    match command {
        Command::List(arguments) => block_on(list(&arguments)),
        Command::Set(arguments) => block_on(set(&arguments)),
    }
}

async fn list(arguments: &List) -> Result<Exit> {
    let info = arguments.connect.chain().await?;
    let info = info.info().await.map_err(sdk)?;
    if arguments.json {
        out::json(&json!({ "height": info.height, "parameters": info.parameters, "charter": info.charter }));
        return Ok(Exit::Done);
    }
    let row = |parameter: &ParameterView| {
        let grows = if parameter.never_shrinks {
            say::only_grows()
        } else {
            String::new()
        };
        let limits = format!("{}..{}", parameter.minimum, parameter.maximum);
        vec![
            out::one_line(&parameter.name),
            parameter.value.to_string(),
            limits,
            grows,
        ]
    };
    let rows: Vec<_> = info.parameters.iter().map(row).collect();
    out::table(
        &[say::head_name(), say::head_value(), say::head_limits(), String::new()],
        &rows,
    );
    Ok(Exit::Done)
}

async fn set(arguments: &Set) -> Result<Exit> {
    let (chain, voters) = arguments.ballot.open().await?;
    let action = Action::SetParameter {
        name: arguments.name.clone(),
        value: arguments.value,
    };
    let reason = say::action_parameter(&arguments.name, arguments.value);
    let view = arguments.ballot.decide(&chain, &voters, &action, reason).await?;
    Ok(arguments.ballot.finish(&view))
}
