//! `yulian validator`: who finalises blocks. Every change is a vote and acts at the next boundary of an epoch.

use super::{
    Ballot, exit_of,
    nodes::{at_candidate, register},
    standing,
};
use crate::{
    connect::{Actor, Connect, block_on},
    out,
    problem::{Cause, Exit, Result},
    progress::Progress,
    refusal::sdk,
    risk,
    text::{
        problem::{self, NODE_UNREACHABLE},
        say,
    },
};
use clap::{Args, Subcommand};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::time::sleep;
use yulian_crypto::sm2::PublicKey;
use yulian_sdk::{
    Action, Candidate, Chain,
    views::{CandidateView, ProposalStatus, ProposalView, ValidatorSetView, ValidatorView, ValidatorsView},
};
use yulian_types::proto::AcceptedRisk;

/// Between two looks at a chain that is on its way.
const PAUSE: Duration = Duration::from_millis(150);
/// A candidate at most so many blocks behind has caught up: its proof must be over one of the last 256.
const BEHIND_MAX: u64 = 64;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(List),
    Add(Add),
    Remove(Remove),
    Replace(Replace),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    #[arg(long)]
    candidate: String,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    validator: String,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
pub(crate) struct Replace {
    validator: String,
    #[arg(long)]
    candidate: String,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
pub(crate) struct Change {
    #[arg(long, default_value_t = 180)]
    timeout_s: u64,
    #[arg(long, value_name = "REASON")]
    accept_risk: Option<String>,
    #[command(flatten)]
    ballot: Ballot,
}

pub(crate) fn run(command: Command) -> Result<Exit> {
    match command {
        Command::List(arguments) => block_on(list(&arguments)),
        Command::Add(arguments) => block_on(change(&arguments.change, Some(&arguments.candidate), None)),
        Command::Remove(arguments) => block_on(change(&arguments.change, None, Some(&arguments.validator))),
        Command::Replace(arguments) => block_on(change(
            &arguments.change,
            Some(&arguments.candidate),
            Some(&arguments.validator),
        )),
    }
}

async fn list(arguments: &List) -> Result<Exit> {
    let chain = arguments.connect.chain().await?;
    let view = chain.validators().await.map_err(sdk)?;
    if arguments.json {
        out::json(&view);
        return Ok(Exit::Done);
    }
    out::line(say::validators_in_force(
        view.epoch,
        view.since_height,
        view.current.quorum,
    ));
    print(&view.current);
    if let Some(next) = &view.next {
        out::line(say::validators_next(view.epoch_last_height + 1));
        print(next);
    }
    Ok(Exit::Done)
}

fn print(set: &ValidatorSetView) {
    let row = |validator: &ValidatorView| {
        let key = validator.public_key.to_string();
        vec![
            out::one_line(&validator.name),
            out::one_line(&validator.cloud),
            validator.organisation.clone(),
            key,
        ]
    };
    let rows: Vec<_> = set.validators.iter().map(row).collect();
    out::table(
        &[
            say::head_node(),
            say::head_cloud(),
            say::label_organisation(),
            say::label_public_key(),
        ],
        &rows,
    );
    if let Some(accepted) = &set.risk {
        out::line(risk::line(accepted));
    }
}

/// Adds `candidate`, removes `leaving`, or puts the one in the place of the other.
async fn change(change: &Change, candidate: Option<&str>, leaving: Option<&str>) -> Result<Exit> {
    let ballot = &change.ballot;
    let (chain, voters) = ballot.open().await?;
    let deadline = Instant::now() + Duration::from_secs(change.timeout_s);
    let mut progress = Progress::new(say::step_preparing(), None);
    let now = chain.validators().await.map_err(sdk)?;
    let leaving = leaving.map(|named| find(&now, named)).transpose()?;
    let joining = match candidate {
        Some(url) => Some(ready(&chain, &voters, url, deadline, &mut progress).await?),
        None => None,
    };
    let risk = change.accept_risk.as_deref().and_then(|reason| {
        let risk = risk::after(&now, leaving.as_ref(), joining.as_ref(), reason);
        if risk.is_none() {
            out::note_line(say::risk_none());
        }
        risk
    });
    let (action, reason) = action(leaving.as_ref(), joining.as_ref(), risk)?;
    progress.label(say::step_voting());
    let view = ballot.decide(&chain, &voters, &action, reason).await?;
    if view.status != ProposalStatus::Carried {
        drop(progress);
        return Ok(ballot.finish(&view));
    }
    progress.label(say::step_epoch());
    let joined = joining.map(|candidate| candidate.public_key.0);
    let left = leaving.map(|validator| validator.public_key.0);
    let set = in_force(&chain, joined, left, deadline, &mut progress).await?;
    drop(progress);
    report(ballot.json, &view, &set);
    Ok(exit_of(&view))
}

fn find(view: &ValidatorsView, named: &str) -> Result<ValidatorView> {
    let set = view.next.as_ref().unwrap_or(&view.current);
    let key: Option<PublicKey> = named.parse().ok();
    let fitting = |validator: &&ValidatorView| validator.name == named || Some(validator.public_key.0) == key;
    set.validators.iter().find(fitting).cloned().ok_or_else(|| {
        let names: Vec<String> = set
            .validators
            .iter()
            .map(|validator| out::one_line(&validator.name))
            .collect();
        problem::unknown_node(named, names.join(", "))
    })
}

/// Registers the candidate if need be, waits until it has caught up, and fetches its proof.
pub(crate) async fn ready(
    chain: &Chain,
    voters: &[Actor],
    url: &str,
    deadline: Instant,
    progress: &mut Progress,
) -> Result<CandidateView> {
    let candidate = answering(chain, url, deadline, progress).await?;
    let mut view = candidate.candidate_proof().await.map_err(sdk)?;
    let admin = voters.iter().find(|voter| voter.view.organisation == view.organisation);
    let registered = super::nodes::all(chain)
        .await?
        .iter()
        .any(|node| node.public_key == view.public_key);
    match admin {
        Some(admin) => {
            register(chain, admin, &view).await?;
        }
        None if registered => {}
        None => return Err(problem::not_registered(out::one_line(&view.name), &view.organisation)),
    }
    progress.label(say::step_catching_up(out::one_line(&view.name)));
    loop {
        let tip = chain.info().await.map_err(sdk)?.height;
        if view.height + BEHIND_MAX >= tip && is_ready(&candidate).await? {
            return Ok(view);
        }
        if Instant::now() >= deadline {
            return Err(problem::candidate_behind(out::one_line(&view.name), view.height, tip));
        }
        sleep(PAUSE).await;
        view = candidate.candidate_proof().await.map_err(sdk)?;
        progress.set(view.height);
    }
}

/// The chain at the candidate, which may have been started a moment ago.
async fn answering(chain: &Chain, url: &str, deadline: Instant, progress: &mut Progress) -> Result<Chain> {
    progress.label(say::step_answering(url));
    loop {
        match at_candidate(chain, url).await {
            Err(problem) if problem.code() == NODE_UNREACHABLE && Instant::now() < deadline => sleep(PAUSE).await,
            other => return other,
        }
    }
}

async fn is_ready(candidate: &Chain) -> Result<bool> {
    let readiness = candidate.client().readiness().await.map_err(sdk)?;
    Ok(readiness
        .chains
        .iter()
        .any(|chain| chain.id.0 == candidate.id() && chain.ready))
}

/// What to propose, and the reason that is given for it.
pub(crate) fn action(
    leaving: Option<&ValidatorView>,
    joining: Option<&CandidateView>,
    risk: Option<AcceptedRisk>,
) -> Result<(Action, String)> {
    let candidate = |view: &CandidateView| Candidate::try_from(view).or_problem(problem::bad_answer);
    Ok(match (leaving, joining) {
        (Some(old), Some(new)) => {
            let reason = say::action_replace(old.public_key, out::one_line(&new.name), new.public_key);
            (
                Action::ReplaceValidator(old.public_key.0, candidate(new)?, risk),
                reason,
            )
        }
        (None, Some(new)) => (
            Action::AddValidator(candidate(new)?, risk),
            say::action_add(out::one_line(&new.name), new.public_key),
        ),
        (Some(old), None) => (
            Action::RemoveValidator(old.public_key.0, risk),
            say::action_remove(old.public_key),
        ),
        (None, None) => return Err(problem::nothing_named()),
    })
}

/// Waits until the set in force has the one and not the other.
pub(crate) async fn in_force(
    chain: &Chain,
    joined: Option<PublicKey>,
    left: Option<PublicKey>,
    deadline: Instant,
    progress: &mut Progress,
) -> Result<ValidatorsView> {
    loop {
        let view = chain.validators().await.map_err(sdk)?;
        let has = |key: PublicKey| {
            view.current
                .validators
                .iter()
                .any(|validator| validator.public_key.0 == key)
        };
        if joined.is_none_or(has) && !left.is_some_and(has) {
            return Ok(view);
        }
        if Instant::now() >= deadline {
            return Err(problem::not_in_force(view.epoch_last_height + 1));
        }
        progress.add(1);
        sleep(PAUSE).await;
    }
}

fn report(as_json: bool, proposal: &ProposalView, set: &ValidatorsView) {
    if as_json {
        out::json(&json!({ "proposal": proposal, "validators": set }));
        return;
    }
    out::line(standing(proposal));
    out::line(say::validators_in_force(
        set.epoch,
        set.since_height,
        set.current.quorum,
    ));
    print(&set.current);
}
