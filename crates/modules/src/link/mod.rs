//! Links to other chains: light clients of them, packets that are sent, relayed, received, acknowledged or timed out.
//!
//! Whoever carries a packet needs no trust: every step is proven under a header of another chain that a quorum of its validators
//! made final, and whose light client is kept here. Each packet ends exactly once at its source: done, failed, timed out, or given up
//! by vote. The protocol is described in `docs/cross-chain.md`.

pub mod agreement;
mod carry;
mod client;
pub mod codes;
pub mod freeze;
mod inbox;
mod outbox;
mod port;
mod proof;
mod relay;
pub mod route;
mod tables;

pub use self::{
    outbox::{Outgoing, send, send_by_itself},
    port::{Outcome, Port},
};

use bytes::Bytes;
use std::sync::Arc;
use yulian_exec::{Call, Code, Failure, Method, Module, rules::ROLE_REGULATOR};
use yulian_types::state_keys::LINK_ID;

/// Name of the module in a transaction.
pub const LINK_MODULE: &str = "link";
/// Most updates of one `carry`.
pub const UPDATES_MAX: usize = 8;
/// Most items of one `carry`.
pub const ITEMS_MAX: usize = 32;
/// Most changes of the validators in one update; a client that slept longer takes several.
pub const SET_CHANGES_MAX: usize = 16;
/// Most headers in a row of one update.
pub const HEADERS_MAX: usize = 16;
/// Headers of a chain that are kept; the lowest goes first.
pub const HEADERS_KEPT_MAX: usize = 64;
/// Validator sets of a chain that are kept; the oldest goes first.
pub const RANGES_KEPT_MAX: usize = 32;
/// Most other chains that a chain keeps light clients of.
pub const CLIENTS_MAX: usize = 1024;
/// Packets of a module to one chain that have not ended. Past it, sending is refused.
pub const PENDING_MAX: u64 = 65_536;
/// As many of them may be from accounts of one organisation.
pub const PENDING_PER_ORGANISATION_MAX: u64 = 4096;
/// Most bytes of the code with which a destination fails.
pub const CODE_BYTES_MAX: usize = 64;
/// Most bytes of what a packet answers.
pub const ANSWER_BYTES_MAX: usize = 1024;
/// Shortest time that a packet is given, ms.
pub const TIMEOUT_MS_MIN: u64 = 5_000;
/// Longest time that a packet is given, ms.
pub const TIMEOUT_MS_MAX: u64 = 30 * 24 * 3_600_000;
/// Time that a packet is given where its sender names none, ms.
pub const TIMEOUT_MS_DEFAULT: u64 = 10 * 60_000;
/// Shortest trust period that can be agreed, ms.
pub const TRUST_PERIOD_MS_MIN: u64 = 3_600_000;
/// Longest trust period that can be agreed, ms.
pub const TRUST_PERIOD_MS_MAX: u64 = 365 * 24 * 3_600_000;
/// Trust period where an agreement names none, ms: retired validators' keys are erased by then.
pub const TRUST_PERIOD_MS_DEFAULT: u64 = 30 * 24 * 3_600_000;
/// A header whose time is ahead of this chain's by more than this is refused, ms.
pub const AHEAD_MS_MAX: u64 = 10 * 60_000;
/// Most routes of a relay chain.
pub const ROUTES_MAX: usize = 256;
/// Most freezes of a relay chain.
pub const FREEZES_MAX: usize = 64;
/// Most bytes of the reason of a freeze.
pub const REASON_BYTES_MAX: usize = 512;

/// Metering units for a byte of a state proof: one hash over two blocks for 33 bytes.
const PROOF_BYTE_COST: u64 = 40;
/// Metering units for a byte of a header.
const HEADER_BYTE_COST: u64 = 20;

const REGULATOR: &[&str] = &[ROLE_REGULATOR];
const ANYBODY: &[&str] = &[];

const METHODS: &[Method] = &[
    Method {
        name: "open",
        roles: ANYBODY,
        doc: "Opens the light client of a chain that was agreed upon by vote. OpenLink",
    },
    Method {
        name: "introduce",
        roles: ANYBODY,
        doc: "Opens the light client of a chain that the relay vouches for. IntroduceLink",
    },
    Method {
        name: "carry",
        roles: ANYBODY,
        doc: "Brings headers of other chains and packets, each with its proof. Carry → CarryAnswer",
    },
    Method {
        name: "report_conflict",
        roles: ANYBODY,
        doc: "Shows two final headers of one height: the light client is frozen. LinkConflict",
    },
    Method {
        name: "tick",
        roles: ANYBODY,
        doc: "Does nothing: asks an idle or paused chain for a block that shows its time. Without arguments",
    },
    Method {
        name: "freeze",
        roles: REGULATOR,
        doc: "Stops packets on their way through this chain at once. Freeze",
    },
];

/// The module, with the modules that send and take packets.
#[derive(Clone)]
pub struct Link {
    ports: Arc<[Arc<dyn Port>]>,
}

impl Link {
    /// The module with its ports.
    pub fn new(ports: Vec<Arc<dyn Port>>) -> Self {
        Self { ports: ports.into() }
    }

    /// Names of the modules that send and take packets.
    pub fn senders(&self) -> impl Iterator<Item = &'static str> {
        self.ports.iter().map(|port| port.module())
    }

    fn port(&self, module: &str) -> Option<&dyn Port> {
        self.ports
            .iter()
            .find(|port| port.module() == module)
            .map(|port| &**port)
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.senders()).finish()
    }
}

impl Module for Link {
    fn id(&self) -> u32 {
        LINK_ID
    }

    fn name(&self) -> &'static str {
        LINK_MODULE
    }

    fn methods(&self) -> &'static [Method] {
        METHODS
    }

    fn codes(&self) -> &'static [&'static Code] {
        codes::CODES
    }

    /// A module that the chain does not have takes no packets either.
    fn among(&self, wanted: &dyn Fn(&str) -> bool) -> Option<Arc<dyn Module>> {
        let ports = self.ports.iter().filter(|port| wanted(port.module()));
        Some(Arc::new(Self::new(ports.cloned().collect())))
    }

    fn call(&self, call: &mut Call<'_>, method: &str, arguments: &Bytes) -> Result<Bytes, Failure> {
        match method {
            "open" => client::open(call, arguments),
            "introduce" => client::introduce(call, arguments),
            "carry" => carry::carry(self, call, arguments),
            "report_conflict" => client::conflict(call, arguments),
            "tick" => match arguments.is_empty() {
                true => Ok(Bytes::new()),
                false => Err(Failure::new(&yulian_exec::codes::BAD_ARGUMENTS, "none are expected")),
            },
            "freeze" => freeze::freeze(call, arguments),
            _ => Err(Failure::new(&yulian_exec::codes::UNKNOWN_METHOD, method)),
        }
    }
}

fn parse_chain(bytes: &[u8]) -> Result<yulian_types::Digest, Failure> {
    match yulian_types::Digest::from_slice(bytes) {
        Some(chain) if chain != yulian_types::Digest::ZERO => Ok(chain),
        _ => Err(Failure::new(&codes::BAD_CHAIN_ID, format!("{} bytes", bytes.len()))),
    }
}
