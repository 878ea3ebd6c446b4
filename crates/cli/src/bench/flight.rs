//! Transactions between their submission and the final block that holds them, and what became of them.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;
use yulian_crypto::Digest;
use yulian_sdk::{SignedTransaction, views::StreamBlock};

/// A final block came without results.
const NO_RESULT: &str = "no_result";

/// What a run came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    /// Handed to a node at least once.
    pub(crate) sent: u64,
    /// Final, and executed with success.
    pub(crate) committed: u64,
    /// Final without success, or refused.
    pub(crate) failed: u64,
    /// Neither seen in a final block nor refused when the run ended.
    pub(crate) unresolved: u64,
    /// Times that something was sent again because a node was full.
    pub(crate) pauses: u64,
    /// From the first submission of each transaction to its final block, µs.
    pub(crate) latencies_us: Vec<u32>,
    /// From the first submission to the last commit.
    pub(crate) elapsed: Duration,
    /// Final blocks that hold transactions of the run.
    pub(crate) blocks: u64,
    /// Why the first refused transaction was refused.
    pub(crate) refusal: Option<String>,
    /// Whether the transactions were used up before the time was over.
    pub(crate) used_up: bool,
}

impl Outcome {
    /// Final successes in a second.
    pub(crate) fn tps(&self) -> f64 {
        match self.elapsed.is_zero() {
            true => 0.0,
            false => self.committed as f64 / self.elapsed.as_secs_f64(),
        }
    }

    /// Final successes of all that was sent, 0 to 1.
    pub(crate) fn success_rate(&self) -> f64 {
        self.committed as f64 / self.sent.max(1) as f64
    }

    /// Latency that a share of the transactions keeps, ms.
    pub(crate) fn latency_ms(&mut self, share: f64) -> f64 {
        self.latencies_us.sort_unstable();
        let rank = (share * self.latencies_us.len() as f64).ceil() as usize;
        let us = self
            .latencies_us
            .get(rank.saturating_sub(1))
            .copied()
            .unwrap_or_default();
        f64::from(us) / 1000.0
    }

    /// Takes in a later run; the time between the two does not count.
    pub(crate) fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.committed += other.committed;
        self.failed += other.failed;
        self.unresolved += other.unresolved;
        self.pauses += other.pauses;
        self.latencies_us.extend(other.latencies_us);
        self.elapsed += other.elapsed;
        self.blocks += other.blocks;
        self.refusal = self.refusal.take().or(other.refusal);
        self.used_up |= other.used_up;
    }
}

/// All transactions under way. Each client may have only so many.
pub(super) struct Flight {
    started: Instant,
    state: Mutex<State>,
    windows: Vec<Semaphore>,
}

#[derive(Default)]
struct State {
    open: HashMap<Digest, Open>,
    outcome: Outcome,
}

struct Open {
    client: usize,
    since: Instant,
}

impl Flight {
    pub(super) fn new(clients: usize, window: usize) -> Self {
        let windows = (0..clients).map(|_| Semaphore::new(window)).collect();
        Self {
            started: Instant::now(),
            state: Mutex::default(),
            windows,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Counters stay what they are when a task that holds them ends.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a client may have `count` more transactions under way.
    pub(super) async fn room(&self, client: usize, count: usize) {
        // Never closed; the room is given back one by one when transactions are settled.
        if let Ok(permits) = self.windows[client].acquire_many(count as u32).await {
            permits.forget();
        }
    }

    /// Gives back room that was not needed.
    pub(super) fn spare(&self, client: usize, count: usize) {
        self.windows[client].add_permits(count);
    }

    /// A block of the run is final whose transactions are not looked at.
    pub(super) fn count_block(&self, transactions: u64) {
        if transactions > 0 {
            self.state().outcome.blocks += 1;
        }
    }

    /// Transactions go to a node for the first time.
    pub(super) fn enter(&self, client: usize, transactions: &[SignedTransaction]) {
        let since = Instant::now();
        let mut state = self.state();
        state.outcome.sent += transactions.len() as u64;
        state.open.extend(
            transactions
                .iter()
                .map(|transaction| (transaction.id, Open { client, since })),
        );
    }

    /// A node was full.
    pub(super) fn paused(&self) {
        self.state().outcome.pauses += 1;
    }

    /// A transaction is refused for good.
    pub(super) fn refused(&self, id: &Digest, why: impl FnOnce() -> String) {
        let mut state = self.state();
        if let Some(open) = state.open.remove(id) {
            state.outcome.failed += 1;
            state.outcome.refusal.get_or_insert_with(why);
            self.windows[open.client].add_permits(1);
        }
    }

    /// The result of one transaction that its client waited for.
    pub(super) fn settled(&self, id: &Digest, success: bool, code: &str) {
        let now = Instant::now();
        self.settle(&mut self.state(), id, success, code, now);
    }

    /// A block is final; returns how many transactions of the run are now.
    pub(super) fn seen(&self, block: &StreamBlock) -> u64 {
        let now = Instant::now();
        let mut state = self.state();
        let before = state.open.len();
        for transaction in block.transactions.iter().flatten() {
            let (success, code) = match &transaction.result {
                Some(result) => (result.success, result.code.as_str()),
                None => (false, NO_RESULT),
            };
            self.settle(&mut state, &transaction.id.0, success, code, now);
        }
        if state.open.len() < before {
            state.outcome.blocks += 1;
        }
        state.outcome.committed
    }

    fn settle(&self, state: &mut State, id: &Digest, success: bool, code: &str, now: Instant) {
        let Some(open) = state.open.remove(id) else {
            return;
        };
        self.windows[open.client].add_permits(1);
        let outcome = &mut state.outcome;
        if !success {
            outcome.failed += 1;
            outcome.refusal.get_or_insert_with(|| code.to_owned());
            return;
        }
        outcome.committed += 1;
        outcome.elapsed = now - self.started;
        let us = now.duration_since(open.since).as_micros();
        outcome.latencies_us.push(u32::try_from(us).unwrap_or(u32::MAX));
    }

    /// Whether nothing is under way.
    pub(super) fn is_over(&self) -> bool {
        self.state().open.is_empty()
    }

    /// Final successes so far.
    pub(super) fn committed(&self) -> u64 {
        self.state().outcome.committed
    }

    /// Ends the run: what is under way now stays unresolved.
    pub(super) fn end(&self, used_up: bool) -> Outcome {
        let mut state = self.state();
        let mut outcome = std::mem::take(&mut state.outcome);
        outcome.unresolved = state.open.len() as u64;
        outcome.used_up = used_up;
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transaction(number: u8) -> SignedTransaction {
        SignedTransaction {
            id: Digest([number; 32]),
            bytes: Default::default(),
            valid_until_ms: 0,
        }
    }

    #[tokio::test]
    async fn each_transaction_counts_once_and_gives_its_room_back() {
        let flight = Flight::new(1, 4);
        let all: Vec<_> = (1..=4).map(transaction).collect();
        flight.room(0, 4).await;
        flight.enter(0, &all);
        assert_eq!(flight.windows[0].available_permits(), 0);
        flight.settled(&all[0].id, true, "");
        flight.settled(&all[0].id, true, "");
        flight.settled(&all[1].id, false, "evidence.already");
        flight.refused(&all[2].id, || "x".into());
        flight.refused(&all[2].id, || "y".into());
        assert_eq!(flight.windows[0].available_permits(), 3);
        assert!(!flight.is_over());
        let outcome = flight.end(false);
        assert_eq!(
            (outcome.sent, outcome.committed, outcome.failed, outcome.unresolved),
            (4, 1, 2, 1)
        );
        assert_eq!(outcome.refusal.as_deref(), Some("evidence.already"));
        assert_eq!(outcome.success_rate(), 0.25);
    }

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let mut outcome = Outcome {
            latencies_us: (1..=200).rev().map(|ms| ms * 1000).collect(),
            ..Outcome::default()
        };
        assert_eq!(
            [0.5, 0.99, 1.0].map(|share| outcome.latency_ms(share)),
            [100.0, 198.0, 200.0]
        );
        assert_eq!(Outcome::default().latency_ms(0.5), 0.0);
    }
}
