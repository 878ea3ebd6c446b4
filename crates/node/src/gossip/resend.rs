//! What was sent and may have been lost.

use crate::pool::Mempool;
use std::{collections::VecDeque, sync::Arc};
use yulian_types::{Digest, SealedTransaction};

/// A transaction that still waits is sent again after this time, ms.
const AFTER_MS: u64 = 5_000;
/// How often a transaction is sent again. Then the client must act: it sees a time-out or "unknown".
pub(super) const ROUNDS_MAX: u32 = 6;
/// Most transactions sent again at one time, so that a backlog is not doubled by repeating it.
const AT_ONCE_MAX: usize = 256;
/// Most transactions remembered.
const REMEMBERED_MAX: usize = 65_536;

pub(super) struct Resend {
    pool: Mempool,
    /// In the order of their next time.
    sent: VecDeque<Sent>,
}

struct Sent {
    due_ms: u64,
    id: Digest,
    rounds: u32,
}

impl Resend {
    pub(super) fn new(pool: Mempool) -> Self {
        let sent = VecDeque::new();
        Self { pool, sent }
    }

    /// Remembers what is sent for the first time.
    pub(super) fn sent(&mut self, now_ms: u64, transactions: &[Arc<SealedTransaction>]) {
        let room = REMEMBERED_MAX - self.sent.len();
        self.sent.extend(transactions.iter().take(room).map(|transaction| Sent {
            due_ms: now_ms + AFTER_MS,
            id: transaction.id,
            rounds: 0,
        }));
    }

    /// What has to be sent again now. What has left the pool is final or hopeless.
    pub(super) fn due(&mut self, now_ms: u64) -> Vec<Arc<SealedTransaction>> {
        let mut due = Vec::new();
        while self.sent.front().is_some_and(|first| first.due_ms <= now_ms) && due.len() < AT_ONCE_MAX {
            let Some(mut first) = self.sent.pop_front() else {
                break;
            };
            let Some(transaction) = self.pool.lock().get(&first.id).cloned() else {
                continue;
            };
            due.push(transaction);
            first.rounds += 1;
            if first.rounds < ROUNDS_MAX {
                first.due_ms = now_ms + AFTER_MS;
                self.sent.push_back(first);
            }
        }
        due
    }
}
