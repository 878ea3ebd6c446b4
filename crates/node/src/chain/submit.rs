//! Submitting transactions and waiting for what becomes of them.

use super::ChainNode;
use crate::{
    admission::{Answer, Refusal},
    ledger::LedgerError,
    waiters::Outcome,
};
use bytes::Bytes;
use yulian_engine::Runtime;
use yulian_store::Kv;
use yulian_types::Digest;

/// Why nobody can wait for a result.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WaitError {
    /// As many wait as may.
    #[error("too many clients wait for results")]
    Busy,
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The node stops.
    #[error("the node is stopping")]
    Stopping,
}

impl<R: Runtime, K: Kv> ChainNode<R, K> {
    /// Offers foreign bytes as transactions; one answer each, in order. `Ok` says that it waits here, which is no promise.
    pub async fn submit(&self, transactions: Vec<Bytes>) -> Vec<Answer> {
        self.admission.submit(transactions).await
    }

    /// What became of a transaction that is final.
    pub fn outcome(&self, id: &Digest) -> Result<Option<Outcome>, LedgerError> {
        let Some((height, index)) = self.ledger().position(id)? else {
            return Ok(None);
        };
        let damaged = |what: &str| LedgerError::Damaged(format!("the {what} of height {height}"));
        let header = self.ledger().header(height)?.ok_or_else(|| damaged("header"))?;
        let message = yulian_types::decode_header(&header).map_err(|_| damaged("header"))?;
        let receipts = self.ledger().receipts(height)?;
        Ok(Some(Outcome::Final {
            height,
            digest: yulian_types::block_digest(&header),
            time_ms: message.time_ms,
            index,
            // A pruned receipt leaves its place empty: that the transaction is final stands.
            receipt: receipts
                .and_then(|list| list.get(index as usize).cloned())
                .unwrap_or_default(),
        }))
    }

    /// Waits until a transaction is final or can no longer become so. The caller bounds the time.
    pub async fn wait_for(&self, id: Digest) -> Result<Outcome, WaitError> {
        // In line first, then the look: a block that comes between the two is not missed. What still waits in the pool
        // is not final yet, or its block is just about to wake us.
        let mut waiting = self.waiters.wait_for(id).ok_or(WaitError::Busy)?;
        if !self.pool.holds(&id)
            && let Some(outcome) = self.outcome(&id)?
        {
            return Ok(outcome);
        }
        waiting.outcome().await.ok_or(WaitError::Stopping)
    }

    /// Submits one transaction and waits for what becomes of it. One that is final already gives its result.
    pub async fn submit_and_wait(&self, transaction: Bytes) -> Result<Outcome, Refusal> {
        let (id, answer) = self.submit(vec![transaction]).await.pop().ok_or(Refusal::Stopping)?;
        match (id, answer) {
            (Some(id), Ok(_)) => self.wait_for(id).await.map_err(Refusal::from),
            // Whatever stands against it now, it may be final already; then that is the answer.
            (Some(id), Err(refusal)) => self.outcome(&id).map_err(WaitError::from)?.ok_or(refusal),
            (None, Err(refusal)) => Err(refusal),
            (None, Ok(_)) => Err(Refusal::Stopping),
        }
    }
}

impl From<WaitError> for Refusal {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::Busy => Self::Busy,
            WaitError::Ledger(error) => Self::State(error.to_string()),
            WaitError::Stopping => Self::Stopping,
        }
    }
}
