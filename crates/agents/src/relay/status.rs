//! What an agent is doing, for people and programs.

use super::{Shared, now_ms};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
};

/// Counters since the agent was started.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) carried: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) transactions: AtomicU64,
    pub(crate) headers: AtomicU64,
    under_way: AtomicI64,
    last_error: Mutex<Option<LastError>>,
}

impl Counters {
    /// So many more transactions are under way.
    pub(crate) fn under_way(&self, more: i64) {
        self.under_way.fetch_add(more, Relaxed);
    }

    pub(crate) fn error(&self, chain: &str, text: String) {
        tracing::warn!(chain, error = %text, "not carried; it is tried again");
        let error = LastError {
            time_ms: now_ms(),
            chain: chain.into(),
            text,
        };
        *self.last_error.lock().expect("last error") = Some(error);
    }
}

/// The last thing that did not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// When, ms since 1970-01-01 UTC.
    pub time_ms: u64,
    /// Name of the chain.
    pub chain: String,
    /// What.
    pub text: String,
}

/// A chain as the agent sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainStatus {
    /// Name.
    pub name: String,
    /// Genesis digest.
    pub id: String,
    /// Last height followed.
    pub height: u64,
    /// Time of that block, ms since 1970-01-01 UTC.
    pub time_ms: u64,
    /// Height up to which everything is finished.
    pub done: u64,
}

/// What an agent is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayStatus {
    /// When this was written, ms since 1970-01-01 UTC.
    pub time_ms: u64,
    /// Process that wrote it.
    pub process: u32,
    /// The chains.
    pub chains: Vec<ChainStatus>,
    /// Packets that wait for each stage.
    pub backlog: BTreeMap<String, usize>,
    /// Steps that were taken since the start.
    pub carried: u64,
    /// Steps that were refused since the start, those of packets that others had carried included.
    pub refused: u64,
    /// Headers that were brought since the start.
    pub headers: u64,
    /// Transactions that were submitted since the start.
    pub transactions: u64,
    /// Transactions that are being prepared or wait for their result.
    #[serde(default)]
    pub under_way: u64,
    /// The last thing that did not work.
    pub last_error: Option<LastError>,
}

pub(super) fn read(shared: &Shared) -> RelayStatus {
    let now = now_ms();
    let (chains, backlog) = {
        let board = shared.board();
        let chain = |(id, place): (&yulian_crypto::Digest, &super::Place)| {
            let height = place.height.load(Relaxed);
            ChainStatus {
                name: place.chain().name().into(),
                id: id.to_string(),
                height,
                time_ms: place.time_ms.load(Relaxed),
                done: board.done_up_to(id, height),
            }
        };
        let chains = shared.places.iter().map(chain).collect();
        let backlog = board
            .backlog()
            .into_iter()
            .map(|(name, count)| (name.into(), count))
            .collect();
        (chains, backlog)
    };
    let counters = &shared.counters;
    RelayStatus {
        time_ms: now,
        process: std::process::id(),
        chains,
        backlog,
        carried: counters.carried.load(Relaxed),
        refused: counters.refused.load(Relaxed),
        headers: counters.headers.load(Relaxed),
        transactions: counters.transactions.load(Relaxed),
        under_way: counters.under_way.load(Relaxed).max(0) as u64,
        last_error: counters.last_error.lock().expect("last error").clone(),
    }
}
