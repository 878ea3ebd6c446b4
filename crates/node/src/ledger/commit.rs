//! Making a final block durable.

use super::{Known, Ledger, LedgerError, SetMark, Tip, evidence, history::Past, keys, meta, state};
use bytes::Bytes;
use std::{collections::BTreeSet, future::Future};
use yulian_exec::{Executed, epoch};
use yulian_store::{Batch, INDEX, Kv, RECEIPT, StoreError, TX};
use yulian_types::{Digest, FinalityProof, SealedBlock, encode, proto::ReceiptList};

/// A commit that was begun. It takes effect even if this is dropped; [`Commit::durable`] says when.
#[must_use = "a commit is not known to be durable before it was waited for"]
pub struct Commit<K, F> {
    ledger: Ledger<K>,
    number: u64,
    future: F,
    tip: Option<Tip>,
}

impl<K, F> std::fmt::Debug for Commit<K, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Commit").field("tip", &self.tip).finish_non_exhaustive()
    }
}

impl<K: Kv, F: Future<Output = Result<(), StoreError>> + Send> Commit<K, F> {
    pub(super) fn new(ledger: Ledger<K>, number: u64, future: F) -> Self {
        let tip = None;
        Self {
            ledger,
            number,
            future,
            tip,
        }
    }

    /// Waits until it is durable. Only then does the ledger's tip move.
    pub async fn durable(self) -> Result<(), LedgerError> {
        self.future.await?;
        self.ledger.buffer().finish(self.number);
        if let Some(tip) = self.tip {
            self.ledger.past().durable(tip.height);
            let mut known = self.ledger.known_mut();
            if tip.height > known.tip.height {
                known.tip = tip;
            }
        }
        Ok(())
    }
}

impl<K: Kv> Ledger<K> {
    /// Begins the one batch of a final block: everything that follows from it, and every put of the engine so far. Blocks
    /// come in the order of heights; the caller waits for each before it acknowledges the block, not before it begins
    /// the next one.
    ///
    /// # Errors
    /// [`LedgerError::NotNext`] if the block does not follow the one before; [`LedgerError::Damaged`] if its undo records are
    /// longer than any block's can be.
    pub fn begin_final<'a>(
        &'a self,
        before: &Tip,
        block: &SealedBlock,
        proof: Option<&FinalityProof>,
        executed: &Executed,
    ) -> Result<Commit<K, impl Future<Output = Result<(), StoreError>> + Send + use<'a, K>>, LedgerError> {
        let height = block.height();
        if height != before.height + 1 || block.parent != before.digest || executed.digest != block.digest {
            return Err(LedgerError::NotNext {
                found: height,
                last: before.height,
            });
        }
        let tip = tip_after(before, executed);
        let mut batch = Batch::new();
        self.put_results(&mut batch, block, executed);
        self.put_sets(&mut batch, executed);
        self.past().put(&mut batch, executed)?;
        meta::put_tip(&mut batch, &tip);
        let mut buffer = self.buffer();
        buffer.put_block(height, block.digest, block.bytes.clone());
        if let Some(proof) = proof {
            buffer.put_proof(height, block.digest, proof.encode());
        }
        let number = buffer.begin(&mut batch);
        let mut commit = Commit::new(self.clone(), number, self.0.kv.commit(batch));
        commit.tip = Some(tip);
        Ok(commit)
    }

    fn put_results(&self, batch: &mut Batch, block: &SealedBlock, executed: &Executed) {
        let height = block.height();
        state::put(batch, &executed.writes, executed.changes.iter().map(|(path, _)| *path));
        batch.put(INDEX, &keys::header(height), block.header_bytes.clone());
        if !executed.receipts.is_empty() {
            let receipts = executed.receipts.clone();
            batch.put(RECEIPT, &keys::height(height), encode(&ReceiptList { receipts }));
        }
        for (index, id) in executed.ids.iter().enumerate() {
            batch.put(TX, &id.0, keys::position(height, index as u32));
        }
        let mut known = self.known_mut();
        evidence::index(batch, executed, &mut known.depositing);
        state::index_members(batch, executed, &mut known.organisations);
    }

    /// The last block of an epoch names the set of the next.
    fn put_sets(&self, batch: &mut Batch, executed: &Executed) {
        let height = executed.height();
        if !epoch::is_last(height, self.epoch_length()) {
            return;
        }
        let digest = executed.announced.digest();
        let mut known = self.known_mut();
        if known.sets.last().is_some_and(|mark| mark.digest == digest) {
            return;
        }
        let mark = SetMark {
            first_epoch: executed.header.epoch + 1,
            first_height: height + 1,
            digest,
        };
        meta::put_set(batch, &mark);
        known.sets.push(mark);
    }

    /// The state of a new chain.
    pub(super) fn genesis_batch(genesis: &Bytes, block: &SealedBlock, executed: &Executed) -> (Batch, Known, Past) {
        let mut batch = Batch::new();
        let nothing = Tip {
            height: 0,
            digest: Digest::ZERO,
            time_ms: 0,
            state_root: Digest::ZERO,
            receipt_root: Digest::ZERO,
            write_set_root: Digest::ZERO,
            transactions: 0,
        };
        let tip = tip_after(&nothing, executed);
        let mark = SetMark {
            first_epoch: 0,
            first_height: 0,
            digest: executed.validators.digest(),
        };
        state::put(
            &mut batch,
            &executed.writes,
            executed.changes.iter().map(|(path, _)| *path),
        );
        batch.put(INDEX, &keys::header(0), block.header_bytes.clone());
        meta::put_origin(&mut batch, genesis.clone());
        meta::put_set(&mut batch, &mark);
        meta::put_tip(&mut batch, &tip);
        let mut organisations = BTreeSet::new();
        state::index_members(&mut batch, executed, &mut organisations);
        let past = Past::begin(&mut batch, 0, &executed.tree);
        let known = Known {
            tip,
            sets: vec![mark],
            depositing: BTreeSet::new(),
            organisations,
            pruned: 0,
            floor: None,
        };
        (batch, known, past)
    }
}

/// The tip once a block is final.
pub(crate) fn tip_after(before: &Tip, executed: &Executed) -> Tip {
    Tip {
        height: executed.height(),
        digest: executed.digest,
        time_ms: executed.time_ms(),
        state_root: executed.results.state_root,
        receipt_root: executed.results.receipt_root,
        write_set_root: executed.results.write_set_root,
        transactions: before.transactions + executed.ids.len() as u64,
    }
}
