//! Tables of the state that only the chain itself relies on; those that proofs rely on are in `yulian_types::state_keys`.

use yulian_crypto::Digest;
use yulian_types::{
    StateKey,
    state_keys::{ACCOUNT_ID, GOVERNANCE_ID},
};

/// Table of `governance`: the charter, one record.
pub const TABLE_CHARTER: u8 = 2;
/// Table of `governance`: ids of the member organisations, one record.
pub const TABLE_MEMBERS: u8 = 3;
/// Table of `governance`: digest of the validator set decided for the next epoch that is open, one record.
pub const TABLE_DECIDED: u8 = 4;
/// Table of `governance`: every validator set that was ever decided, by digest.
pub const TABLE_SET: u8 = 5;
/// Table of `governance`: protocol versions by height, one record.
pub const TABLE_PROTOCOL: u8 = 6;
/// Table of `governance`: id of the last proposal, one record.
pub const TABLE_LAST_PROPOSAL: u8 = 7;
/// Table of `governance`: proposals by id, 8 bytes big-endian.
pub const TABLE_PROPOSAL: u8 = 8;
/// Table of `governance`: the open proposals, one record.
pub const TABLE_OPEN: u8 = 9;
/// Table of `governance`: registered nodes by public key.
pub const TABLE_NODE: u8 = 10;
/// Table of `governance`: public keys of the registered nodes, one record.
pub const TABLE_NODES: u8 = 11;
/// Table of `governance`: number of nodes of an organisation, by organisation id.
pub const TABLE_NODE_COUNT: u8 = 12;
/// Table of `governance`: the risk that was accepted with a validator set, by the set's digest.
pub const TABLE_RISK: u8 = 13;
/// Table of `governance`: invitations by organisation id.
pub const TABLE_INVITATION: u8 = 14;
/// Table of `governance`: ids of the organisations that are invited, one record.
pub const TABLE_INVITED: u8 = 15;
/// Table of `governance`: what organisations signed when they joined, by organisation id.
pub const TABLE_MEMBERSHIP: u8 = 16;
/// Table of `governance`: notices of organisations that leave, by organisation id.
pub const TABLE_NOTICE: u8 = 17;
/// Table of `governance`: ids of the organisations that gave notice, one record.
pub const TABLE_LEAVING: u8 = 18;
/// Table of `account`: number of administrators of an organisation that are not frozen, by organisation id.
pub const TABLE_ADMIN_COUNT: u8 = 4;

fn governance(table: u8, key: &[u8]) -> StateKey {
    StateKey::new(GOVERNANCE_ID, table, &[key])
}

/// [`yulian_types::proto::Charter`].
pub fn charter() -> StateKey {
    governance(TABLE_CHARTER, &[])
}

/// [`yulian_types::proto::OrganisationList`] of the members.
pub fn members() -> StateKey {
    governance(TABLE_MEMBERS, &[])
}

/// 32 bytes: digest of the decided set.
pub fn decided_set() -> StateKey {
    governance(TABLE_DECIDED, &[])
}

/// [`yulian_types::proto::ValidatorSet`] of a digest.
pub fn validator_set(digest: &Digest) -> StateKey {
    governance(TABLE_SET, &digest.0)
}

/// [`yulian_types::proto::ProtocolSchedule`].
pub fn protocol() -> StateKey {
    governance(TABLE_PROTOCOL, &[])
}

/// [`yulian_types::proto::Counter`]: id of the last proposal.
pub fn last_proposal() -> StateKey {
    governance(TABLE_LAST_PROPOSAL, &[])
}

/// [`yulian_types::proto::Proposal`] of an id.
pub fn proposal(id: u64) -> StateKey {
    governance(TABLE_PROPOSAL, &id.to_be_bytes())
}

/// [`yulian_types::proto::OpenProposals`].
pub fn open_proposals() -> StateKey {
    governance(TABLE_OPEN, &[])
}

/// [`yulian_types::proto::NodeRecord`] of a public key.
pub fn node(public_key: &[u8]) -> StateKey {
    governance(TABLE_NODE, public_key)
}

/// [`yulian_types::proto::NodeList`].
pub fn nodes() -> StateKey {
    governance(TABLE_NODES, &[])
}

/// [`yulian_types::proto::Counter`]: nodes of an organisation.
pub fn node_count(organisation: &str) -> StateKey {
    governance(TABLE_NODE_COUNT, organisation.as_bytes())
}

/// [`yulian_types::proto::Invitation`] of an organisation.
pub fn invitation(organisation: &str) -> StateKey {
    governance(TABLE_INVITATION, organisation.as_bytes())
}

/// [`yulian_types::proto::OrganisationList`] of those that are invited; some invitations may have expired.
pub fn invited() -> StateKey {
    governance(TABLE_INVITED, &[])
}

/// [`yulian_types::proto::Membership`] of an organisation.
pub fn membership(organisation: &str) -> StateKey {
    governance(TABLE_MEMBERSHIP, organisation.as_bytes())
}

/// [`yulian_types::proto::LeaveNotice`] of an organisation.
pub fn notice(organisation: &str) -> StateKey {
    governance(TABLE_NOTICE, organisation.as_bytes())
}

/// [`yulian_types::proto::OrganisationList`] of those that gave notice.
pub fn leaving() -> StateKey {
    governance(TABLE_LEAVING, &[])
}

/// [`yulian_types::proto::RiskRecord`] of the validator set with a digest.
pub fn risk(set: &Digest) -> StateKey {
    governance(TABLE_RISK, &set.0)
}

/// [`yulian_types::proto::Counter`]: administrators of an organisation that are not frozen.
pub fn admin_count(organisation: &str) -> StateKey {
    StateKey::new(ACCOUNT_ID, TABLE_ADMIN_COUNT, &[organisation.as_bytes()])
}
