//! One chain host: ledger, mempool, execution pipelined with consensus, node API, metrics, lifecycle.

pub mod gossip;
pub mod ledger;
pub mod metrics;
pub mod pool;

#[cfg(test)]
mod testing;
