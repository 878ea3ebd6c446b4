//! The register of a platform's nodes and chains, on its system chain.
//!
//! A chain is asked for by one account (or by vote), every node's owner agrees (beforehand by a standing offer, or in so many
//! words), every validator answers for it with its own key; then it runs. The genesis of a new chain is a function of the
//! call and of the state alone, so that every node starts the same chain; its bytes stay here as the proof of what it is.
//! What is asked of a node stands in the state: nodes read it there and start or stop hosting.

mod birth;
pub mod codes;
mod create;
mod life;
mod offers;
mod set;
mod templates;

pub use self::templates::built_in;
pub(crate) use self::{create::Request, life::change, templates::set as set_template};

use bytes::Bytes;
use yulian_exec::{Call, Code, Failure, Method, Module, chains, rules::ROLE_ADMIN};
use yulian_types::{
    StateKey,
    proto::{self, ChainRecord},
    state_keys::{CHAIN_ID, CHAIN_MODULE},
};

/// Most observers of a chain.
pub const OBSERVERS_MAX: usize = 64;
/// Most organisations of a chain beside its creator's and its validators' owners.
pub const ORGANISATIONS_MAX: usize = 32;
/// Most accounts that a new chain takes over from the system chain, and most further ones.
pub const ACCOUNTS_MAX: usize = 128;
/// Most bytes of a reason.
pub const REASON_BYTES_MAX: usize = 512;
/// Block time between the vote that destroys a chain and the removal of its data, ms: a day to object and to copy.
pub const DESTROY_DELAY_MS: u64 = 24 * 3_600_000;

/// State of a chain: an owner of a node has not agreed yet.
pub const STATE_ASKED: u32 = 1;
/// State of a chain: its validators have not all answered for it.
pub const STATE_STARTING: u32 = 2;
/// State of a chain: an owner said no.
pub const STATE_REFUSED: u32 = 3;
/// State of a chain: it takes transactions.
pub const STATE_RUNNING: u32 = 4;
/// State of a chain: it takes those of `governance` and `link` alone.
pub const STATE_PAUSED: u32 = 5;
/// State of a chain: no more blocks; what it holds can be read.
pub const STATE_ARCHIVED: u32 = 6;
/// State of a chain: a vote wants it gone.
pub const STATE_DOOMED: u32 = 7;
/// State of a chain: its data are gone, its record, genesis and last block stay.
pub const STATE_DESTROYED: u32 = 8;

const ADMIN: &[&str] = &[ROLE_ADMIN];

/// The module.
#[derive(Debug, Clone, Copy)]
pub struct Chain;

const METHODS: &[Method] = &[
    Method {
        name: "offer",
        roles: ADMIN,
        doc: "Sets the standing offer of a node of the sender's organisation. OfferNode",
    },
    Method {
        name: "create",
        roles: &[],
        doc: "Asks for a new chain, where the template lets the sender's role do so. CreateChain → ChainCreated",
    },
    Method {
        name: "accept",
        roles: ADMIN,
        doc: "The owner of a node says whether it hosts a chain. AcceptChain",
    },
    Method {
        name: "ready",
        roles: &[],
        doc: "Carries a validator's answer for a chain. ChainReady",
    },
    Method {
        name: "pause",
        roles: ADMIN,
        doc: "Pauses a chain of the sender's organisation. ChainCall",
    },
    Method {
        name: "resume",
        roles: ADMIN,
        doc: "Lets a paused chain of the sender's organisation go on. ChainCall",
    },
    Method {
        name: "archive",
        roles: ADMIN,
        doc: "Ends a paused chain of the sender's organisation; it stays readable. ChainCall",
    },
    Method {
        name: "members",
        roles: ADMIN,
        doc: "Adds and removes observers of a chain of the sender's organisation. ChangeMembers",
    },
    Method {
        name: "validators",
        roles: &[],
        doc: "Carries what a validator says of the set that its chain voted into force. ChainValidators",
    },
    Method {
        name: "checkpoint",
        roles: &[],
        doc: "Carries a validator's statement of an archived chain's last block. ChainCheckpoint",
    },
    Method {
        name: "destroyed",
        roles: &[],
        doc: "Closes the record of a chain whose delay is over and whose last block is agreed on. ChainCall",
    },
];

impl Module for Chain {
    fn id(&self) -> u32 {
        CHAIN_ID
    }

    fn name(&self) -> &'static str {
        CHAIN_MODULE
    }

    fn methods(&self) -> &'static [Method] {
        METHODS
    }

    fn codes(&self) -> &'static [&'static Code] {
        codes::CODES
    }

    fn call(&self, call: &mut Call<'_>, method: &str, arguments: &Bytes) -> Result<Bytes, Failure> {
        match method {
            "offer" => offers::set(call, arguments),
            "create" => create::by_role(call, arguments),
            "accept" => life::accept(call, arguments),
            "ready" => life::ready(call, arguments),
            "pause" => life::by_creator(call, arguments, STATE_PAUSED),
            "resume" => life::by_creator(call, arguments, STATE_RUNNING),
            "archive" => life::by_creator(call, arguments, STATE_ARCHIVED),
            "members" => life::members(call, arguments),
            "validators" => set::state(call, arguments),
            "checkpoint" => life::checkpoint(call, arguments),
            "destroyed" => life::destroyed(call, arguments),
            _ => Err(Failure::new(&yulian_exec::codes::UNKNOWN_METHOD, method)),
        }
    }
}

fn record(call: &mut Call<'_>, name: &str) -> Result<ChainRecord, Failure> {
    let not_found = || Failure::new(&codes::CHAIN_NOT_FOUND, name);
    if !chains::is_chain_name(name) {
        return Err(not_found());
    }
    call.record(&StateKey::chain(name), "chain")?.ok_or_else(not_found)
}

/// The names under a key, with one more.
fn names_with(call: &mut Call<'_>, key: &StateKey, name: &str) -> Result<proto::NameList, Failure> {
    let mut list: proto::NameList = call.record(key, "names")?.unwrap_or_default();
    if let Err(at) = list.names.binary_search_by(|other| other.as_str().cmp(name)) {
        list.names.insert(at, name.into());
    }
    Ok(list)
}
