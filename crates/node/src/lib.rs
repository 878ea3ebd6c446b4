//! One chain host: ledger, mempool, execution pipelined with consensus, node API, metrics, lifecycle.

pub mod admission;
mod chain;
pub mod config;
mod crew;
pub mod desk;
pub mod executor;
pub mod gossip;
pub mod host;
pub mod http;
pub mod ledger;
pub mod metrics;
pub mod options;
pub mod pool;
pub mod prover;
pub mod regime;
pub mod service;
pub mod snapshot;
pub mod waiters;

#[cfg(test)]
mod testing;

pub use chain::{ChainNode, Core, FinalBlockData, Latest, Network, OpenError, StopCause, WaitError};
pub use crew::{EXECUTION_THREADS_MAX, execution_threads_chosen};
pub use options::{ChainOptions, Pace};
pub use service::{ChainApi, Identity, NodeService};
