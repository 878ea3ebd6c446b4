//! What waits in a consortium: invitations, notices, votes.

use crate::{
    text::KeyText,
    views::{RecordError, members::key},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use yulian_types::proto;

/// An invitation that waits for its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvitationView {
    /// Organisation id.
    pub organisation: String,
    /// Its name.
    pub name: String,
    /// Whether it will vote.
    pub member: bool,
    /// Key that accepts, and becomes that of its first administrator.
    pub admin_public_key: KeyText,
    /// What that administrator will be called.
    pub admin_label: String,
    /// Block time until which it can be accepted, ms since 1970-01-01 UTC.
    pub valid_until_ms: u64,
    /// Proposal that was carried.
    pub proposal: u64,
    /// Organisation that proposed it.
    pub proposer: String,
    /// Height of the invitation.
    pub height: u64,
}

impl InvitationView {
    /// The view of a record of the state.
    pub fn new(record: proto::Invitation) -> Result<Self, RecordError> {
        let terms = record.terms.unwrap_or_default();
        Ok(Self {
            admin_public_key: key(&terms.admin_public_key)?,
            organisation: terms.id,
            name: terms.name,
            member: terms.member,
            admin_label: terms.admin_label,
            valid_until_ms: terms.valid_until_ms,
            proposal: record.proposal,
            proposer: record.proposer,
            height: record.height,
        })
    }
}

/// An organisation that gave notice, and whose validators have not left the set in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeavingView {
    /// Organisation id.
    pub organisation: String,
    /// Why, as it says.
    pub reason: String,
    /// Height of the notice.
    pub height: u64,
    /// Block time of the notice, ms since 1970-01-01 UTC.
    pub time_ms: u64,
}

impl From<proto::LeaveNotice> for LeavingView {
    fn from(record: proto::LeaveNotice) -> Self {
        Self {
            organisation: record.organisation,
            reason: record.reason,
            height: record.height,
            time_ms: record.time_ms,
        }
    }
}

/// A proposal that can be voted on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenProposalView {
    /// Number.
    pub id: u64,
    /// Organisation that proposed it.
    pub proposer: String,
    /// Block time at which the vote ends, ms since 1970-01-01 UTC.
    pub deadline_ms: u64,
}

/// All that waits for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PendingView {
    /// Height of the state that it is of.
    pub height: u64,
    /// Invitations, ascending by organisation.
    pub invitations: Vec<InvitationView>,
    /// Organisations on their way out, ascending.
    pub leaving: Vec<LeavingView>,
    /// Votes that are open, ascending by number.
    pub proposals: Vec<OpenProposalView>,
}
