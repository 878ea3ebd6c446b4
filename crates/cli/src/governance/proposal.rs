//! `yulian proposal`.

use super::{Ballot, standing, vote};
use crate::{
    clock,
    connect::{Connect, block_on},
    out,
    problem::{Exit, Result},
    refusal::sdk,
    risk,
    text::say,
};
use clap::{Args, Subcommand};
use serde_json::json;
use yulian_sdk::{
    Page,
    views::{AcceptedRiskView, ActionView, ProposalStatus, ProposalView},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(List),
    Show(Show),
    Vote(Vote),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[arg(long)]
    all: bool,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    id: u64,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("ballot").required(true).args(["approve", "reject"])))]
pub(crate) struct Vote {
    id: u64,
    #[arg(long)]
    approve: bool,
    #[arg(long)]
    reject: bool,
    #[command(flatten)]
    ballot: Ballot,
}

pub(crate) fn run(command: Command) -> Result<Exit> {
    match command {
        Command::List(arguments) => block_on(list(&arguments)),
        Command::Show(arguments) => block_on(show(&arguments)),
        Command::Vote(arguments) => block_on(cast(&arguments)),
    }
}

async fn list(arguments: &List) -> Result<Exit> {
    let chain = arguments.connect.chain().await?;
    let page = chain.proposals(&Page::default()).await.map_err(sdk)?;
    let open = |view: &ProposalView| arguments.all || is_open(view);
    let items: Vec<ProposalView> = page.items.into_iter().filter(open).collect();
    if arguments.json {
        out::json(&json!({ "proposals": items, "next": page.next }));
        return Ok(Exit::Done);
    }
    if items.is_empty() {
        out::line(say::no_proposals());
        return Ok(Exit::Done);
    }
    items.iter().for_each(print);
    Ok(Exit::Done)
}

/// Votes are still taken.
fn is_open(view: &ProposalView) -> bool {
    view.status == ProposalStatus::Open && view.deadline_ms >= clock::now_ms()
}

async fn show(arguments: &Show) -> Result<Exit> {
    let chain = arguments.connect.chain().await?;
    let view = chain.proposal(arguments.id).await.map_err(sdk)?;
    if arguments.json {
        out::json(&view);
    } else {
        print(&view);
    }
    Ok(Exit::Done)
}

fn print(view: &ProposalView) {
    out::line(standing(view));
    let ballots: Vec<String> = view
        .ballots
        .iter()
        .map(|ballot| match ballot.approve {
            true => say::ballot_yes(&ballot.organisation),
            false => say::ballot_no(&ballot.organisation),
        })
        .collect();
    out::fields(&[
        (say::label_action(), action(&view.action)),
        (say::label_reason(), out::one_line(&view.reason)),
        (say::label_proposer(), view.proposer.clone()),
        (say::label_height(), view.height.to_string()),
        (say::label_deadline(), clock::beijing(view.deadline_ms)),
        (say::label_ballots(), ballots.join(", ")),
    ]);
}

/// What a proposal would do, in words.
fn action(action: &ActionView) -> String {
    match action {
        ActionView::AddValidator { validator, accept_risk } => {
            let added = say::action_add(out::one_line(&validator.name), validator.public_key);
            with_risk(added, accept_risk.as_ref())
        }
        ActionView::RemoveValidator {
            public_key,
            accept_risk,
        } => with_risk(say::action_remove(public_key), accept_risk.as_ref()),
        ActionView::ReplaceValidator {
            public_key,
            validator,
            accept_risk,
        } => {
            let replaced = say::action_replace(public_key, out::one_line(&validator.name), validator.public_key);
            with_risk(replaced, accept_risk.as_ref())
        }
        ActionView::CreateChain {
            name,
            template,
            creator,
            accept_risk,
            ..
        } => {
            let created = say::action_create_chain(out::one_line(name), template, creator);
            with_risk(created, accept_risk.as_ref())
        }
        ActionView::ChangeChain { name, life, .. } => {
            say::action_change_chain(out::one_line(name), crate::chain::life_words(*life))
        }
        ActionView::InviteOrganisation {
            id,
            name,
            valid_until_ms,
            ..
        } => say::action_invite(id, out::one_line(name), clock::beijing(*valid_until_ms)),
        ActionView::WithdrawInvitation { id } => say::action_withdraw_invitation(id),
        ActionView::SetTemplate { template } => say::action_set_template(&template.name),
        ActionView::SetParameter { name, value } => say::action_parameter(out::one_line(name), value),
        ActionView::AddOrganisation { id, name, .. } => say::action_add_organisation(id, out::one_line(name)),
        ActionView::RemoveOrganisation { id } => say::action_remove_organisation(id),
        ActionView::FreezeOrganisation { id } => say::action_freeze_organisation(id),
        ActionView::UnfreezeOrganisation { id } => say::action_unfreeze_organisation(id),
        ActionView::ChangeCharter { .. } => say::action_charter(),
        ActionView::ActivateProtocol { version, height } => say::action_protocol(version, height),
        ActionView::AgreeLink { chain, name, relay, .. } => {
            let as_relay = if *relay { say::action_as_relay() } else { String::new() };
            say::action_agree_link(out::one_line(name), chain, as_relay)
        }
        ActionView::EndLink { chain } => say::action_end_link(chain),
        ActionView::SetRoute {
            source,
            destination,
            module,
            closed,
            ..
        } => match closed {
            true => say::action_close_route(source, destination, out::one_line(module)),
            false => say::action_open_route(source, destination, out::one_line(module)),
        },
        ActionView::RemoveRoute {
            source,
            destination,
            module,
        } => say::action_remove_route(source, destination, out::one_line(module)),
        ActionView::LiftFreeze { source, destination } => say::action_lift_freeze(source, destination),
        ActionView::Other { number } => say::action_other(number),
    }
}

/// An action with the risk that it accepts: whoever votes must see it.
fn with_risk(action: String, accepted: Option<&AcceptedRiskView>) -> String {
    match accepted {
        Some(accepted) => say::action_with_risk(action, risk::accepted(accepted)),
        None => action,
    }
}

async fn cast(arguments: &Vote) -> Result<Exit> {
    let (chain, voters) = arguments.ballot.open().await?;
    let view = vote(&chain, &voters, arguments.id, arguments.approve && !arguments.reject).await?;
    if arguments.ballot.json {
        out::json(&view);
    } else {
        print(&view);
    }
    // The ballots were cast, whatever became of the proposal.
    Ok(Exit::Done)
}
