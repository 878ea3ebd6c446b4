//! Proposals and ballots.

use super::{
    ACTION_BYTES_MAX, OPEN_PROPOSALS_PER_ORGANISATION_MAX, REASON_BYTES_MAX, STATUS_CARRIED, STATUS_OPEN,
    STATUS_REJECTED,
    action::{Action, Moment, Occasion},
    codes,
    members::{Members, charter},
};
use crate::risk::Source;
use bytes::Bytes;
use yulian_exec::{Call, Failure, rules, tables};
use yulian_types::{
    encode,
    proto::{self, Ballot, OpenProposal, OpenProposals, Proposal},
};

pub(super) fn propose(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: proto::Propose = call.decode(arguments)?;
    check_member(call)?;
    if arguments.reason.is_empty() || !rules::is_text(&arguments.reason, REASON_BYTES_MAX) {
        return Err(Failure::from(&codes::BAD_REASON));
    }
    if arguments.action.len() > ACTION_BYTES_MAX {
        return Err(Failure::new(
            &codes::BAD_ACTION,
            format!("{} bytes", arguments.action.len()),
        ));
    }
    let action = Action::decode(arguments.kind, &arguments.action)?;
    // Only to learn whether it is possible: nothing is written of it.
    action.effect(call, Occasion::PROPOSED)?;
    let deadline_ms = call.block().time_ms.saturating_add(charter(call)?.voting_period_ms);
    let last: proto::Counter = call
        .record(&tables::last_proposal(), "last proposal")?
        .unwrap_or_default();
    let id = last.value + 1;
    let open = open_with(call, id, deadline_ms)?;
    let proposal = Proposal {
        id,
        kind: arguments.kind,
        action: arguments.action,
        reason: arguments.reason,
        proposer: call.organisation().id.clone(),
        height: call.block().height,
        deadline_ms,
        status: STATUS_OPEN,
        ..Default::default()
    };
    call.put_record(&tables::last_proposal(), &proto::Counter { value: id })?;
    call.put_record(&tables::open_proposals(), &open)?;
    call.put_record(&tables::proposal(id), &proposal)?;
    call.emit("proposed", number(id))?;
    Ok(encode(&proto::ProposalId { proposal: id }))
}

fn check_member(call: &Call<'_>) -> Result<(), Failure> {
    let organisation = call.organisation();
    if organisation.member {
        Ok(())
    } else {
        Err(Failure::new(&codes::NOT_MEMBER, organisation.id.clone()))
    }
}

/// The list of open proposals with a new one of the sender's organisation; expired ones go.
fn open_with(call: &mut Call<'_>, id: u64, deadline_ms: u64) -> Result<OpenProposals, Failure> {
    let mut open: OpenProposals = call
        .record(&tables::open_proposals(), "open proposals")?
        .unwrap_or_default();
    let (now, organisation) = (call.block().time_ms, call.organisation().id.clone());
    open.proposals.retain(|proposal| proposal.deadline_ms >= now);
    let own = open
        .proposals
        .iter()
        .filter(|proposal| proposal.organisation == organisation)
        .count();
    if own >= OPEN_PROPOSALS_PER_ORGANISATION_MAX {
        return Err(Failure::new(&codes::TOO_MANY_OPEN, format!("{own} are open")));
    }
    open.proposals.push(OpenProposal {
        id,
        organisation,
        deadline_ms,
    });
    Ok(open)
}

pub(super) fn vote(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: proto::Vote = call.decode(arguments)?;
    check_member(call)?;
    let mut proposal = open_proposal(call, arguments.proposal)?;
    let organisation = call.organisation().id.clone();
    if proposal
        .ballots
        .iter()
        .any(|ballot| ballot.organisation == organisation)
    {
        return Err(Failure::new(&codes::ALREADY_VOTED, organisation));
    }
    proposal.ballots.push(Ballot {
        organisation,
        approve: arguments.approve,
    });
    let action = Action::decode(proposal.kind, &proposal.action)?;
    match tally(call, &proposal, &action)? {
        Tally::Open => {
            call.put_record(&tables::proposal(proposal.id), &proposal)?;
            call.emit("voted", number(proposal.id))?;
        }
        Tally::Carried => {
            // If the effect is impossible now, the whole transaction fails and the ballot with it.
            action.effect(call, carried(&proposal))?.write(call)?;
            decide(call, proposal, STATUS_CARRIED, "carried")?;
        }
        Tally::Rejected => decide(call, proposal, STATUS_REJECTED, "rejected")?,
    }
    Ok(Bytes::new())
}

fn carried(proposal: &Proposal) -> Occasion<'_> {
    Occasion {
        moment: Moment::Carried,
        source: Source {
            proposal: proposal.id,
            organisation: &proposal.proposer,
        },
    }
}

fn open_proposal(call: &mut Call<'_>, id: u64) -> Result<Proposal, Failure> {
    let proposal: Option<Proposal> = call.record(&tables::proposal(id), "proposal")?;
    let proposal = proposal.ok_or_else(|| Failure::new(&codes::PROPOSAL_NOT_FOUND, id.to_string()))?;
    if proposal.status != STATUS_OPEN {
        return Err(Failure::new(
            &codes::PROPOSAL_DECIDED,
            format!("at height {}", proposal.decided_height),
        ));
    }
    let now = call.block().time_ms;
    if proposal.deadline_ms < now {
        let detail = format!("ended at {}, block time {now}", proposal.deadline_ms);
        return Err(Failure::new(&codes::PROPOSAL_EXPIRED, detail));
    }
    Ok(proposal)
}

enum Tally {
    Open,
    Carried,
    Rejected,
}

/// Counts ballots. An approval counts while its organisation is a member and not frozen; frozen members still count
/// among those of whom a share must approve, so that freezing some gives the others no more weight.
fn tally(call: &mut Call<'_>, proposal: &Proposal, action: &Action) -> Result<Tally, Failure> {
    let charter = charter(call)?;
    let members = Members::load(call)?;
    let needed = rules::votes_needed(&action.quorum(&charter), members.len());
    let approvals = proposal
        .ballots
        .iter()
        .filter(|b| b.approve && members.is_active(&b.organisation))
        .count();
    let refusals = proposal
        .ballots
        .iter()
        .filter(|b| !b.approve && members.contains(&b.organisation))
        .count();
    Ok(if approvals >= needed {
        Tally::Carried
    } else if members.len() - refusals < needed {
        Tally::Rejected
    } else {
        Tally::Open
    })
}

fn decide(call: &mut Call<'_>, mut proposal: Proposal, status: u32, event: &'static str) -> Result<(), Failure> {
    proposal.status = status;
    proposal.decided_height = call.block().height;
    let mut open: OpenProposals = call
        .record(&tables::open_proposals(), "open proposals")?
        .unwrap_or_default();
    open.proposals.retain(|other| other.id != proposal.id);
    call.put_record(&tables::open_proposals(), &open)?;
    call.put_record(&tables::proposal(proposal.id), &proposal)?;
    call.emit(event, number(proposal.id))
}

/// A proposal's number as an event carries it: 8 bytes big-endian.
fn number(id: u64) -> Bytes {
    Bytes::copy_from_slice(&id.to_be_bytes())
}
