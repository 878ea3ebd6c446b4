//! What the consortium decides by vote: validators, parameters, organisations, protocol versions.

pub(crate) mod charter;
mod membership;
pub(crate) mod nodes;
pub(crate) mod organisation;
pub(crate) mod parameter;
pub(crate) mod proposal;
pub(crate) mod protocol;
pub(crate) mod validator;

use crate::{
    connect::{Actor, Connect, SignMany},
    out,
    problem::{Cause, Exit, Result},
    refusal::sdk,
    text::{problem, say},
    transaction,
};
use clap::Args;
use prost::Message;
use yulian_exec::rules::ROLE_ADMIN;
use yulian_sdk::{
    Action, Chain,
    views::{ProposalStatus, ProposalView},
};
use yulian_types::proto::ProposalId;

/// Options of every command that ends in a vote.
#[derive(Debug, Clone, Args)]
pub(crate) struct Ballot {
    #[arg(long)]
    pub(crate) reason: Option<String>,
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connect: Connect,
    #[command(flatten)]
    pub(crate) sign: SignMany,
}

impl Ballot {
    /// The chain and one administrator of each organisation whose key is at hand.
    pub(crate) async fn open(&self) -> Result<(Chain, Vec<Actor>)> {
        let chain = self.connect.chain().await?;
        let voters = self.sign.actors(&self.connect, &chain, ROLE_ADMIN).await?;
        Ok((chain, voters))
    }

    /// Proposes an action and votes for it with every key at hand.
    pub(crate) async fn decide(
        &self,
        chain: &Chain,
        voters: &[Actor],
        action: &Action,
        reason: String,
    ) -> Result<ProposalView> {
        let reason = self.reason.clone().unwrap_or(reason);
        let id = propose(chain, voters, action, &reason).await?;
        vote(chain, voters, id, true).await
    }

    /// Says where a proposal stands; one that is not carried is no yes.
    pub(crate) fn finish(&self, view: &ProposalView) -> Exit {
        if self.json {
            out::json(view);
        } else {
            out::line(standing(view));
        }
        exit_of(view)
    }
}

/// Opens a proposal in the name of the first voter and returns its number.
pub(crate) async fn propose(chain: &Chain, voters: &[Actor], action: &Action, reason: &str) -> Result<u64> {
    let proposer = voters
        .first()
        .ok_or_else(|| problem::no_account_key("*", ROLE_ADMIN, "-"))?;
    let signed = proposer
        .account
        .propose(chain.terms(), action, reason)
        .or_problem(problem::cannot_sign)?;
    let result = transaction::result(chain, &signed).await?;
    let answer = ProposalId::decode(result.result.output.0).or_problem(problem::bad_answer)?;
    Ok(answer.proposal)
}

/// Casts the ballots of those who have not voted yet, until the proposal is decided.
pub(crate) async fn vote(chain: &Chain, voters: &[Actor], id: u64, approve: bool) -> Result<ProposalView> {
    let mut view = chain.proposal(id).await.map_err(sdk)?;
    for voter in voters {
        if view.status != ProposalStatus::Open {
            break;
        }
        let own = &voter.view.organisation;
        if view.ballots.iter().any(|ballot| ballot.organisation == *own) {
            continue;
        }
        let signed = voter
            .account
            .vote(chain.terms(), id, approve)
            .or_problem(problem::cannot_sign)?;
        transaction::result(chain, &signed).await?;
        view = chain.proposal(id).await.map_err(sdk)?;
    }
    Ok(view)
}

/// Where a proposal stands, in a line.
pub(crate) fn standing(view: &ProposalView) -> String {
    let approvals = view.ballots.iter().filter(|ballot| ballot.approve).count();
    let refusals = view.ballots.len() - approvals;
    match view.status {
        ProposalStatus::Carried => say::proposal_carried(view.id, approvals, refusals),
        ProposalStatus::Rejected => say::proposal_rejected(view.id, approvals, refusals),
        _ => say::proposal_open(view.id, approvals, refusals),
    }
}

/// Done if carried, else the answer is no, or not yet.
pub(crate) fn exit_of(view: &ProposalView) -> Exit {
    match view.status {
        ProposalStatus::Carried => Exit::Done,
        _ => Exit::No,
    }
}
