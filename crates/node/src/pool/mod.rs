//! Transactions that wait for a block: bounded, fair per sender, with an answer when full.

mod queue;
mod select;
mod verified;

#[cfg(test)]
mod tests;

pub use queue::{Pool, PoolCounts, PoolError, PoolLimits, TRANSACTION_OVERHEAD_BYTES};
pub use select::Take;
pub use verified::Verified;

use bytes::Bytes;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use yulian_types::{Digest, KnownTransactions, SealedTransaction};

/// The pool as the parts of a node share it. Clones are handles to one pool.
#[derive(Debug, Clone)]
pub struct Mempool {
    pool: Arc<Mutex<Pool>>,
    /// Transactions that ever entered; whoever waits for work watches it.
    entered: Arc<watch::Sender<u64>>,
}

impl Mempool {
    /// An empty pool.
    pub fn new(limits: PoolLimits) -> Self {
        Self {
            pool: Arc::new(Mutex::new(Pool::new(limits))),
            entered: Arc::new(watch::Sender::new(0)),
        }
    }

    /// Locks the pool. Hold it for moments only: admission and proposals wait for it.
    pub fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds transactions whose signatures were verified; one answer each, in order, `Ok(false)` for one it holds.
    pub fn insert_all(&self, transactions: Vec<Arc<SealedTransaction>>) -> Vec<Result<bool, PoolError>> {
        let answers: Vec<_> = {
            let mut pool = self.lock();
            transactions.into_iter().map(|t| pool.insert(t)).collect()
        };
        let new = answers.iter().filter(|answer| matches!(answer, Ok(true))).count() as u64;
        if new > 0 {
            self.entered.send_modify(|entered| *entered += new);
        }
        answers
    }

    /// Follows the number of transactions that entered.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.entered.subscribe()
    }

    /// Whether the pool holds a transaction of this id.
    pub fn holds(&self, id: &Digest) -> bool {
        self.lock().get(id).is_some()
    }
}

/// What waits here was decoded and hashed when it came in, and nearly every block consists of it.
impl KnownTransactions for Mempool {
    fn find(&self, list: &[Bytes]) -> Vec<Option<Arc<SealedTransaction>>> {
        let pool = self.lock();
        list.iter().map(|bytes| pool.find(bytes).cloned()).collect()
    }
}
