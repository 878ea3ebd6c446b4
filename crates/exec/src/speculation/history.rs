//! The last final blocks: their states for proofs, their writes until the base holds them, their digests.

use crate::{
    Base, Executed, Snapshot,
    limits::{FINAL_CHANGES_KEPT, FINAL_STATES_KEPT, FINAL_STATES_KEPT_MIN, RECENT_DIGESTS},
};
use std::{collections::VecDeque, sync::Arc};
use yulian_crypto::Digest;

pub(super) struct History {
    /// Oldest first; the last final block is the last. Never empty.
    finals: VecDeque<Arc<Executed>>,
    /// Final blocks whose writes the base may lack, oldest first.
    uncommitted: VecDeque<Arc<Executed>>,
    /// Digests, oldest first.
    recent: VecDeque<Digest>,
}

impl History {
    pub(super) fn new(last_final: Arc<Executed>, recent: Vec<Digest>) -> Self {
        Self {
            finals: VecDeque::from([last_final]),
            uncommitted: VecDeque::new(),
            recent: recent.into(),
        }
    }

    pub(super) fn push(&mut self, executed: Arc<Executed>) {
        self.recent.push_back(executed.digest);
        if self.recent.len() > RECENT_DIGESTS {
            self.recent.pop_front();
        }
        self.finals.push_back(executed.clone());
        while self.too_many_states() {
            self.finals.pop_front();
        }
        self.uncommitted.push_back(executed);
    }

    fn too_many_states(&self) -> bool {
        // The oldest version itself shares with nothing older: its own changes cost nothing.
        let changes: usize = self.finals.iter().skip(1).map(|executed| executed.changes.len()).sum();
        let too_dear = changes > FINAL_CHANGES_KEPT && self.finals.len() > FINAL_STATES_KEPT_MIN;
        self.finals.len() > FINAL_STATES_KEPT || too_dear
    }

    pub(super) fn committed(&mut self, height: u64) {
        while self.uncommitted.front().is_some_and(|oldest| oldest.height() <= height) {
            self.uncommitted.pop_front();
        }
    }

    /// Newest first.
    pub(super) fn uncommitted(&self) -> impl Iterator<Item = Arc<Executed>> + '_ {
        self.uncommitted.iter().rev().cloned()
    }

    pub(super) fn uncommitted_len(&self) -> usize {
        self.uncommitted.len()
    }

    /// The last `count` digests, oldest first.
    pub(super) fn recent(&self, count: usize) -> Vec<Digest> {
        let from = self.recent.len().saturating_sub(count);
        self.recent.range(from..).copied().collect()
    }

    pub(super) fn state<B: Base>(&self, height: u64, base: &B) -> Option<Snapshot<B>> {
        let at = self.finals.iter().position(|executed| executed.height() == height)?;
        let undone = self.finals.range(at + 1..).cloned().collect();
        let tree = self.finals[at].tree.clone();
        Some(Snapshot::new(base.clone(), tree, self.uncommitted().collect(), undone))
    }
}
