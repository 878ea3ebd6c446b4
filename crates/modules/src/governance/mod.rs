//! The consortium: charter, member organisations, votes, validators, parameters, nodes, protocol versions.
//!
//! One member organisation has one vote, cast by an account with the role admin. A proposal is carried in the very
//! transaction whose ballot reaches the quorum, and takes effect there: on the validator set *decided* for the next epoch,
//! on the parameters, on the organisations. If the effect is impossible at that moment the vote fails and its ballot is not
//! counted, so that it can be cast again. All deadlines are block time.

mod action;
pub mod codes;
mod invitations;
mod leaving;
mod members;
mod nodes;
mod organisations;
mod proposals;
mod settings;
mod validators;

use bytes::Bytes;
use yulian_exec::{Call, Code, Failure, Method, Module, rules::ROLE_ADMIN};
use yulian_types::state_keys::GOVERNANCE_ID;

/// Most bytes of a proposal's reason.
pub const REASON_BYTES_MAX: usize = 1024;
/// Most bytes of a proposal's action.
pub const ACTION_BYTES_MAX: usize = 4096;
/// Most open proposals of one organisation.
pub const OPEN_PROPOSALS_PER_ORGANISATION_MAX: usize = 8;

/// Status of a proposal that can be voted on until its deadline.
pub const STATUS_OPEN: u32 = 1;
/// Status of a proposal that reached its quorum and took effect.
pub const STATUS_CARRIED: u32 = 2;
/// Status of a proposal that could not reach its quorum any more.
pub const STATUS_REJECTED: u32 = 3;

/// Kind of a proposal: `AddValidator`.
pub const KIND_ADD_VALIDATOR: u32 = 1;
/// Kind of a proposal: `RemoveValidator`.
pub const KIND_REMOVE_VALIDATOR: u32 = 2;
/// Kind of a proposal: `ReplaceValidator`.
pub const KIND_REPLACE_VALIDATOR: u32 = 3;
/// Kind of a proposal: `SetParameter`.
pub const KIND_SET_PARAMETER: u32 = 4;
/// Kind of a proposal: `AddOrganisation`.
pub const KIND_ADD_ORGANISATION: u32 = 5;
/// Kind of a proposal: `OrganisationId`, to remove it.
pub const KIND_REMOVE_ORGANISATION: u32 = 6;
/// Kind of a proposal: `OrganisationId`, to freeze it.
pub const KIND_FREEZE_ORGANISATION: u32 = 7;
/// Kind of a proposal: `OrganisationId`, to unfreeze it.
pub const KIND_UNFREEZE_ORGANISATION: u32 = 8;
/// Kind of a proposal: `ChangeCharter`.
pub const KIND_CHANGE_CHARTER: u32 = 9;
/// Kind of a proposal: `ActivateProtocol`.
pub const KIND_ACTIVATE_PROTOCOL: u32 = 10;
/// Kind of a proposal: `AgreeLink`.
pub const KIND_AGREE_LINK: u32 = 20;
/// Kind of a proposal: `EndLink`.
pub const KIND_END_LINK: u32 = 21;
/// Kind of a proposal: `SetRoute`.
pub const KIND_SET_ROUTE: u32 = 22;
/// Kind of a proposal: `Freeze`, to lift it.
pub const KIND_LIFT_FREEZE: u32 = 23;
/// Kind of a proposal: `RemoveRoute`.
pub const KIND_REMOVE_ROUTE: u32 = 24;

/// Kind of a proposal: `CreateChain`, on a system chain.
pub const KIND_CREATE_CHAIN: u32 = 11;
/// Kind of a proposal: `ChangeChain`, on a system chain.
pub const KIND_CHANGE_CHAIN: u32 = 12;
/// Kind of a proposal: `ChainTemplate` that is added or takes the place of one, on a system chain.
pub const KIND_SET_TEMPLATE: u32 = 13;

/// Kind of a proposal: `InviteOrganisation`.
pub const KIND_INVITE_ORGANISATION: u32 = 14;
/// Kind of a proposal: `OrganisationId`, to withdraw its invitation.
pub const KIND_WITHDRAW_INVITATION: u32 = 15;

const ADMIN: &[&str] = &[ROLE_ADMIN];

/// The module.
#[derive(Debug, Clone, Copy)]
pub struct Governance;

const METHODS: &[Method] = &[
    Method {
        name: "propose",
        roles: ADMIN,
        doc: "Opens a proposal; the proposer votes like everybody else. Propose → ProposalId",
    },
    Method {
        name: "vote",
        roles: ADMIN,
        doc: "Casts the ballot of the sender's organisation. Vote",
    },
    Method {
        name: "register_node",
        roles: ADMIN,
        doc: "Registers a node of the sender's organisation, or replaces its record. RegisterNode",
    },
    Method {
        name: "remove_node",
        roles: ADMIN,
        doc: "Takes a node of the sender's organisation that is no validator off the list. RemoveNode",
    },
    Method {
        name: "join",
        roles: &[],
        doc: "Carries the acceptance of an invitation, signed by the invited key over the charter. JoinOrganisation",
    },
    Method {
        name: "leave",
        roles: ADMIN,
        doc: "The sender's organisation leaves: first its validators, then all of it. LeaveOrganisation → LeaveAnswer",
    },
];

impl Module for Governance {
    fn id(&self) -> u32 {
        GOVERNANCE_ID
    }

    fn name(&self) -> &'static str {
        "governance"
    }

    fn methods(&self) -> &'static [Method] {
        METHODS
    }

    fn codes(&self) -> &'static [&'static Code] {
        codes::CODES
    }

    fn call(&self, call: &mut Call<'_>, method: &str, arguments: &Bytes) -> Result<Bytes, Failure> {
        match method {
            "propose" => proposals::propose(call, arguments),
            "vote" => proposals::vote(call, arguments),
            "register_node" => nodes::register(call, arguments),
            "remove_node" => nodes::remove(call, arguments),
            "join" => invitations::join(call, arguments),
            "leave" => leaving::leave(call, arguments),
            _ => Err(Failure::new(&yulian_exec::codes::UNKNOWN_METHOD, method)),
        }
    }
}
