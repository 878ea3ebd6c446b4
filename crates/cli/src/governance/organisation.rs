//! `yulian organisation`.

use super::{Ballot, membership};
use crate::{
    connect::{Connect, block_on},
    key::passphrase,
    out,
    problem::{Cause, Exit, Result},
    refusal::sdk,
    text::{problem, say},
};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::PathBuf;
use yulian_sdk::{Action, Page, views::OrganisationView};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(List),
    Add(Add),
    Remove(Named),
    Freeze(Named),
    Unfreeze(Named),
    Invite(membership::Invite),
    Withdraw(Named),
    Accept(membership::Accept),
    Join(membership::Join),
    Leave(membership::Leave),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[arg(long)]
    pending: bool,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    id: String,
    #[arg(long)]
    name: String,
    #[arg(long)]
    member: bool,
    #[arg(long)]
    admin_key: PathBuf,
    #[arg(long)]
    admin_label: Option<String>,
    #[arg(long)]
    admin_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    ballot: Ballot,
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    id: String,
    #[command(flatten)]
    ballot: Ballot,
}

pub(crate) fn run(command: Command) -> Result<Exit> {
    match command {
        Command::List(arguments) => block_on(list(&arguments)),
        Command::Add(arguments) => block_on(add(&arguments)),
        Command::Remove(named) => {
            let action = Action::RemoveOrganisation(named.id.clone());
            block_on(decide(&named, action, say::action_remove_organisation(&named.id)))
        }
        Command::Freeze(named) => {
            let action = Action::FreezeOrganisation(named.id.clone());
            block_on(decide(&named, action, say::action_freeze_organisation(&named.id)))
        }
        Command::Unfreeze(named) => {
            let action = Action::UnfreezeOrganisation(named.id.clone());
            block_on(decide(&named, action, say::action_unfreeze_organisation(&named.id)))
        }
        Command::Invite(arguments) => block_on(membership::invite(&arguments)),
        Command::Withdraw(named) => {
            let action = Action::WithdrawInvitation(named.id.clone());
            block_on(decide(&named, action, say::action_withdraw_invitation(&named.id)))
        }
        Command::Accept(arguments) => block_on(membership::accept(&arguments)),
        Command::Join(arguments) => block_on(membership::join(&arguments)),
        Command::Leave(arguments) => block_on(membership::leave(&arguments)),
    }
}

async fn list(arguments: &List) -> Result<Exit> {
    let chain = arguments.connect.chain().await?;
    if arguments.pending {
        return membership::pending(&chain, arguments.json).await;
    }
    let mut items: Vec<OrganisationView> = Vec::new();
    let mut page = Page::default();
    loop {
        let found = chain.organisations(&page).await.map_err(sdk)?;
        items.extend(found.items);
        match found.next {
            Some(next) => page = Page::after(next),
            None => break,
        }
    }
    if arguments.json {
        out::json(&json!({ "organisations": items }));
        return Ok(Exit::Done);
    }
    let row = |organisation: &OrganisationView| {
        let member = if organisation.member {
            say::member()
        } else {
            say::no_member()
        };
        let frozen = match (organisation.removed, organisation.frozen) {
            (true, _) => say::removed_organisation(),
            (false, true) => say::frozen(),
            (false, false) => String::new(),
        };
        vec![
            organisation.id.clone(),
            out::one_line(&organisation.name),
            member,
            frozen,
        ]
    };
    let rows: Vec<_> = items.iter().map(row).collect();
    out::table(
        &[say::head_id(), say::head_name(), say::head_member(), String::new()],
        &rows,
    );
    Ok(Exit::Done)
}

async fn add(arguments: &Add) -> Result<Exit> {
    let (chain, voters) = arguments.ballot.open().await?;
    let passphrase = passphrase::Source {
        passphrase_file: arguments.admin_passphrase_file.clone(),
    };
    let admin = passphrase.read_key(&arguments.admin_key)?;
    let default = || format!("{} admin", arguments.name);
    let label = arguments.admin_label.clone().unwrap_or_else(default);
    let Add { id, name, member, .. } = arguments;
    let action = Action::add_organisation(chain.terms(), id, name, *member, &admin, &label);
    let action = action.or_problem(problem::cannot_sign)?;
    let view = arguments
        .ballot
        .decide(&chain, &voters, &action, say::action_add_organisation(id, name))
        .await?;
    Ok(arguments.ballot.finish(&view))
}

async fn decide(named: &Named, action: Action, reason: String) -> Result<Exit> {
    let (chain, voters) = named.ballot.open().await?;
    let view = named.ballot.decide(&chain, &voters, &action, reason).await?;
    Ok(named.ballot.finish(&view))
}
