//! What a node may be told about one of its chains.

use crate::{ledger::HISTORY_HEIGHTS, pool::PoolLimits};
use std::time::Duration;
use yulian_engine::{Peer, Timing};

/// Most tasks that verify signatures.
pub const SIGNATURE_TASKS_MAX: usize = 16;

/// Settings of a chain on one node. None of it is part of consensus.
#[derive(Debug, Clone)]
pub struct ChainOptions {
    /// How much the pool of waiting transactions holds.
    pub pool: PoolLimits,
    /// Tasks that verify signatures, each on a thread of its own where there are threads; 1 to [`SIGNATURE_TASKS_MAX`].
    pub signature_tasks: usize,
    /// Threads that execute a block, that of the executing task among them; 1 to [`EXECUTION_THREADS_MAX`]. Results are the
    /// same with any number.
    ///
    /// [`EXECUTION_THREADS_MAX`]: crate::EXECUTION_THREADS_MAX
    pub execution_threads: usize,
    /// When blocks are proposed.
    pub pace: Pace,
    /// Bodies of older blocks are removed; `None` keeps all.
    pub retain_blocks: Option<u64>,
    /// Heights behind the last one at which the state stays provable.
    pub history_heights: u64,
    /// Bytes that the state tree may take, [`yulian_state::Tree::within`]; `None` keeps all of it in memory.
    pub state_memory: Option<usize>,
    /// Times of the protocol.
    pub timing: Timing,
    /// Addresses to use instead of those registered on the chain, by key, and nodes beside them.
    pub peers: Vec<Peer>,
    /// Nobody takes part but those that the chain has registered: [`Self::peers`] changes addresses alone.
    pub registered_only: bool,
    /// The chain is not here yet: nothing that it would judge by its genesis is taken for it.
    pub candidate: bool,
}

impl Default for ChainOptions {
    fn default() -> Self {
        Self {
            pool: PoolLimits::default(),
            signature_tasks: 1,
            execution_threads: 1,
            pace: Pace::default(),
            retain_blocks: None,
            history_heights: HISTORY_HEIGHTS,
            state_memory: None,
            timing: Timing::default(),
            peers: Vec::new(),
            registered_only: false,
            candidate: false,
        }
    }
}

/// When a leader proposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// After the last transaction, the closing block follows when nothing new has come for this time.
    pub closing_delay: Duration,
    /// The same where other chains wait for what the parent wrote.
    pub link_delay: Duration,
    /// A parent of that many transactions means load: the next block then waits until it is full or `loaded_interval` after
    /// its parent. Fewer and larger blocks cost less per transaction.
    pub loaded_from: usize,
    /// Time between blocks under load.
    pub loaded_interval: Duration,
    /// So many new transactions before the interval is over mean more load than most machines carry: then the next block
    /// waits for `busy_interval`, because what each block costs, whatever its size, is what is short.
    pub busy_from: usize,
    /// Time between blocks under such load.
    pub busy_interval: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            closing_delay: Duration::from_millis(150),
            link_delay: Duration::from_millis(10),
            loaded_from: 64,
            loaded_interval: Duration::from_millis(70),
            busy_from: 1_500,
            busy_interval: Duration::from_millis(200),
        }
    }
}
