//! When a block is due: the rule that keeps an idle chain silent and a loaded one economical.

use crate::options::Pace;
use yulian_exec::Executed;

/// Since when a leader waits and on what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Situation {
    /// When this proposal was asked for, own clock, ms.
    pub(super) began_ms: u64,
    /// Time of the parent, ms.
    pub(super) parent_ms: u64,
    /// Transactions of the parent.
    pub(super) parent_transactions: usize,
    /// Other chains wait for what the parent wrote.
    pub(super) parent_links: bool,
    /// The parent is the genesis block.
    pub(super) genesis: bool,
    /// A change of validators waits for the epoch's end.
    pub(super) change_pending: bool,
    /// The chain's parameter.
    pub(super) heartbeat_ms: u64,
}

impl Situation {
    pub(super) fn new(parent: &Executed, began_ms: u64) -> Self {
        Self {
            began_ms,
            parent_ms: parent.time_ms(),
            parent_transactions: parent.ids.len(),
            parent_links: parent.links_changed,
            genesis: parent.height() == 0,
            change_pending: parent.change_pending(),
            heartbeat_ms: parent.parameters.heartbeat_ms,
        }
    }

    /// From when on a block without transactions is wanted, ms.
    ///
    /// * At once while a change of validators waits: empty blocks carry an idle chain to the end of its epoch.
    /// * A little later if the parent's results are not provable yet, which its child makes them: one closing block.
    /// * Else only as a heartbeat: views that pass without a block cost memory until one is final.
    pub(super) fn empty_due_ms(&self, pace: &Pace) -> u64 {
        if self.change_pending {
            return self.began_ms;
        }
        if self.genesis || self.parent_transactions > 0 {
            let delay = if self.parent_links {
                pace.link_delay
            } else {
                pace.closing_delay
            };
            return self.began_ms.saturating_add(delay.as_millis() as u64);
        }
        self.parent_ms.saturating_add(self.heartbeat_ms)
    }

    /// From when on transactions go into a block, ms, when so many are `pooled`, those of the parent among them. A proposer
    /// whose clock is behind its parent's time still waits no longer than one interval.
    pub(super) fn transactions_due_ms(&self, pace: &Pace, pooled: usize) -> u64 {
        if self.parent_transactions < pace.loaded_from {
            return self.began_ms;
        }
        let busy = pooled.saturating_sub(self.parent_transactions) >= pace.busy_from;
        let interval = if busy { pace.busy_interval } else { pace.loaded_interval };
        let interval = interval.as_millis() as u64;
        self.parent_ms
            .saturating_add(interval)
            .min(self.began_ms.saturating_add(interval))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Situation = Situation {
        began_ms: 10_000,
        parent_ms: 9_900,
        parent_transactions: 0,
        parent_links: false,
        genesis: false,
        change_pending: false,
        heartbeat_ms: 300_000,
    };

    #[test]
    fn an_idle_chain_makes_one_closing_block_then_a_heartbeat() {
        let pace = Pace::default();
        assert_eq!(QUIET.empty_due_ms(&pace), 309_900);
        let closing = Situation {
            parent_transactions: 1,
            ..QUIET
        };
        assert_eq!(closing.empty_due_ms(&pace), 10_150);
        let sends = Situation {
            parent_links: true,
            ..closing
        };
        assert_eq!(sends.empty_due_ms(&pace), 10_010);
        let first = Situation { genesis: true, ..QUIET };
        assert_eq!(first.empty_due_ms(&pace), 10_150);
        let driven = Situation {
            change_pending: true,
            ..QUIET
        };
        assert_eq!(driven.empty_due_ms(&pace), 10_000);
    }

    #[test]
    fn transactions_wait_only_under_load_and_never_longer_than_an_interval() {
        let pace = Pace::default();
        assert_eq!(QUIET.transactions_due_ms(&pace, 0), 10_000);
        let loaded = Situation {
            parent_transactions: 64,
            ..QUIET
        };
        assert_eq!(loaded.transactions_due_ms(&pace, 0), 9_970);
        let recent = Situation {
            parent_ms: 9_960,
            ..loaded
        };
        assert_eq!(recent.transactions_due_ms(&pace, 0), 10_030);
        // 1,500 that came since the parent: more are waited for.
        assert_eq!(recent.transactions_due_ms(&pace, 64 + 1_499), 10_030);
        assert_eq!(recent.transactions_due_ms(&pace, 64 + 1_500), 10_160);
        let ahead = Situation {
            parent_ms: 15_000,
            ..loaded
        };
        assert_eq!(ahead.transactions_due_ms(&pace, 0), 10_070);
    }
}
