//! The only crate that names the consensus library: consensus, peer network, block store, epochs, many chains.
//!
//! [`api`](crate::Application) is the whole of what a node sees: it gives the engine an [`Application`] and an
//! [`Archive`] for each chain and gets a [`ChainHandle`]. Everything is generic over the runtime context: [`tcp`]
//! runs it on the operating system, [`simulated`] in the deterministic simulation.
//!
//! Invariants: a block is acknowledged only after the application made it durable; a chain's messages reach and come
//! from its members only; the validator set of every epoch reached stays known.

mod api;
mod automaton;
mod block;
mod chain;
mod exchange;
mod host;
mod keys;
mod members;
mod provider;
mod runtime;
mod scheme;
pub mod simulated;
mod stores;
pub mod tcp;
mod two_faced;

pub use api::{
    Ancestors, Application, Archive, ChainConfig, ChainStatus, EXCHANGE_BYTES_MAX, Fatal, FinalBlock, Peer, Round,
    Runtime, SetRange, Task, Timing,
};
pub use chain::{ChainHandle, MESSAGE_BYTES_MAX};
pub use exchange::Exchange;
pub use host::{EXCHANGE_MESSAGES_PER_SECOND, Host, Net};
pub use keys::{EngineKey, NodeSigner};
pub use runtime::{Context, Env};
