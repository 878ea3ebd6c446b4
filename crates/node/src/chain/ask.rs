//! Submitting a transaction and waiting for its final result.

use super::ChainNode;
use crate::{admission::Refusal, ledger::LedgerError, waiters::Outcome};
use bytes::Bytes;
use yulian_engine::Runtime;
use yulian_store::Kv;
use yulian_types::{Digest, SealedTransaction};

impl<R: Runtime, K: Kv> ChainNode<R, K> {
    /// The final result of a transaction that stands in a final block whose receipts are held.
    pub fn outcome_of(&self, id: &Digest) -> Result<Option<Outcome>, LedgerError> {
        let Some((height, index)) = self.ledger().position(id)? else {
            return Ok(None);
        };
        let Some(header) = self.ledger().header_message(height)? else {
            return Ok(None);
        };
        let receipts = self.ledger().receipts(height)?.unwrap_or_default();
        let Some(receipt) = receipts.get(index as usize).cloned() else {
            return Ok(None);
        };
        let Some(digest) = self
            .ledger()
            .header(height)?
            .map(|bytes| yulian_types::block_digest(&bytes))
        else {
            return Ok(None);
        };
        Ok(Some(Outcome::Final {
            height,
            digest,
            time_ms: header.time_ms,
            index,
            receipt,
        }))
    }

    /// Submits a transaction and waits for its final result. Submitting the same bytes again gives the same result.
    pub async fn submit_and_wait(&self, bytes: Bytes) -> Result<Outcome, Refusal> {
        let id = SealedTransaction::decode(bytes.clone())?.id;
        let state = |error: LedgerError| Refusal::State(error.to_string());
        // The place is taken first: a result that comes between the look and the wait is not missed.
        let mut waiting = self.waiters.wait_for(id).ok_or(Refusal::Busy)?;
        if let Some(outcome) = self.outcome_of(&id).map_err(state)? {
            return Ok(outcome);
        }
        let answer = self.admission.submit(vec![bytes]).await.pop();
        if let Some((_, Err(refusal))) = answer {
            // It may have become final since; then that is the answer.
            return self.outcome_of(&id).map_err(state)?.ok_or(refusal);
        }
        waiting.outcome().await.ok_or(Refusal::Stopping)
    }
}
