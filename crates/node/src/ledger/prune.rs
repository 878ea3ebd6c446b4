//! Removing the bodies of old blocks. Headers, proofs, state and look-ups stay, so every proof of state and of finality
//! can still be made; what goes is blocks and receipts.

use super::{Commit, Ledger, LedgerError, keys, meta};
use std::future::Future;
use yulian_exec::epoch;
use yulian_store::{BLOCK, Batch, Kv, RECEIPT, StoreError};

/// Most heights removed by one batch, so that blocks do not wait for it.
pub const PRUNE_HEIGHTS_MAX: u64 = 1_024;
/// Fewest recent heights that are kept, whatever is asked for: peers that lag a little must find them.
pub const RETAIN_BLOCKS_MIN: u64 = 1_024;

impl<K: Kv> Ledger<K> {
    /// Removes some bodies that are older than `retain` heights and older than the replay window; `true` if there are
    /// more to remove.
    pub async fn prune(&self, retain: u64) -> Result<bool, LedgerError> {
        let from = self.pruned_below().max(1);
        let tip = self.tip();
        let recent = tip.height.saturating_sub(retain.max(RETAIN_BLOCKS_MIN));
        let in_window = self.first_at_or_after(tip.time_ms.saturating_sub(self.replay_window_ms()?))?;
        let goal = recent.min(in_window);
        let below = goal.min(from.saturating_add(PRUNE_HEIGHTS_MAX));
        if from >= below {
            return Ok(false);
        }
        let commit = self.begin_prune(from, below);
        commit.durable().await?;
        self.known_mut().pruned = below;
        Ok(below < goal)
    }

    fn begin_prune(&self, from: u64, below: u64) -> Commit<K, impl Future<Output = Result<(), StoreError>> + Send> {
        let mut batch = Batch::new();
        // The last block of an epoch stays: the engine starts the next epoch from it.
        let length = self.epoch_length();
        let goes = |height: &u64| !epoch::is_last(*height, length);
        let mut start = from;
        for end in (from..=below).filter(|height| *height == below || !goes(height)) {
            for space in [BLOCK, RECEIPT] {
                batch.delete_range(space, &keys::height(start), &keys::height(end));
            }
            start = end + 1;
        }
        meta::put_pruned(&mut batch, below);
        let mut buffer = self.buffer();
        buffer.forget_blocks((from..below).filter(goes));
        let number = buffer.begin(&mut batch);
        Commit::new(self.clone(), number, self.0.kv.commit(batch))
    }
}
