//! Transactions between their submission and the final block that holds them, and what became of them.

use super::{
    histogram::Histogram,
    outcome::{Outcome, Part},
};
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

/// All transactions under way. Each client may have only so many.
pub(super) struct Flight {
    started: Instant,
    /// Where each part of the run but the first begins, from the start.
    cuts: Vec<Duration>,
    state: Mutex<State>,
    windows: Vec<Semaphore>,
}

#[derive(Default)]
struct State {
    open: HashMap<Digest, Open>,
    outcome: Outcome,
    recent: Recent,
}

/// What happened since the last sample.
#[derive(Debug, Clone, Default)]
pub(super) struct Recent {
    pub(super) sent: u64,
    pub(super) not_sent: u64,
    pub(super) committed: u64,
    pub(super) latencies: Histogram,
}

struct Open {
    client: usize,
    since: Instant,
}

impl Flight {
    pub(super) fn new(clients: usize, window: usize, cuts: Vec<Duration>) -> Self {
        let windows = (0..clients).map(|_| Semaphore::new(window)).collect();
        let outcome = Outcome {
            parts: vec![Part::default(); cuts.len() + 1],
            ..Outcome::default()
        };
        Self {
            started: Instant::now(),
            cuts,
            state: Mutex::new(State {
                outcome,
                ..State::default()
            }),
            windows,
        }
    }

    /// When the clock of the run started.
    pub(super) fn started(&self) -> Instant {
        self.started
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

    /// Whether one more transaction may be under way now; if so it is.
    pub(super) fn try_room(&self, client: usize) -> bool {
        let permit = self.windows[client].try_acquire();
        permit.map(tokio::sync::SemaphorePermit::forget).is_ok()
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

    /// Transactions go to a node for the first time, now.
    pub(super) fn enter(&self, client: usize, transactions: &[SignedTransaction]) {
        let now = Instant::now();
        let mut state = self.state();
        for transaction in transactions {
            self.open(&mut state, client, transaction, now);
        }
    }

    /// A transaction leaves that was to leave at `since`: what it waited meanwhile is part of its latency.
    pub(super) fn enter_due(&self, client: usize, transaction: &SignedTransaction, since: Instant) {
        self.open(&mut self.state(), client, transaction, since);
    }

    fn open(&self, state: &mut State, client: usize, transaction: &SignedTransaction, since: Instant) {
        state.outcome.sent += 1;
        state.recent.sent += 1;
        state.outcome.parts[self.part(since)].sent += 1;
        state.open.insert(transaction.id, Open { client, since });
    }

    /// The part of the run that a moment is in.
    fn part(&self, at: Instant) -> usize {
        let at = at.saturating_duration_since(self.started);
        self.cuts.partition_point(|cut| *cut <= at)
    }

    /// A transaction that was to leave at `due` did not.
    pub(super) fn not_sent(&self, due: Instant, unsigned: bool) {
        let mut state = self.state();
        match unsigned {
            true => state.outcome.not_signed += 1,
            false => state.outcome.no_room += 1,
        }
        state.recent.not_sent += 1;
        state.outcome.parts[self.part(due)].not_sent += 1;
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
        let State { outcome, recent, .. } = state;
        if !success {
            outcome.failed += 1;
            outcome.refusal.get_or_insert_with(|| code.to_owned());
            return;
        }
        let us = now.saturating_duration_since(open.since).as_micros();
        let us = u32::try_from(us).unwrap_or(u32::MAX);
        outcome.committed += 1;
        outcome.elapsed = now - self.started;
        outcome.latencies.add(us);
        outcome.parts[self.part(open.since)].latencies.add(us);
        recent.committed += 1;
        recent.latencies.add(us);
    }

    /// What happened since this was last asked.
    pub(super) fn take_recent(&self) -> Recent {
        std::mem::take(&mut self.state().recent)
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
        let flight = Flight::new(1, 4, vec![]);
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
        let recent = flight.take_recent();
        assert_eq!((recent.sent, recent.committed), (4, 1));
        assert_eq!(flight.take_recent().sent, 0);
        let outcome = flight.end(false);
        assert_eq!(
            (outcome.sent, outcome.committed, outcome.failed, outcome.unresolved),
            (4, 1, 2, 1)
        );
        assert_eq!(outcome.refusal.as_deref(), Some("evidence.already"));
        assert_eq!(outcome.success_rate(), 0.25);
    }

    #[test]
    fn a_late_departure_counts_from_when_it_was_due_in_the_part_it_was_due_in() {
        let flight = Flight::new(1, 1, vec![Duration::from_secs(1), Duration::from_secs(5)]);
        // Due a second and a half after the start, which is not yet: no latency is below zero.
        let due = flight.started() + Duration::from_millis(1500);
        assert!(flight.try_room(0) && !flight.try_room(0));
        flight.enter_due(0, &transaction(1), due);
        flight.settled(&transaction(1).id, true, "");
        assert!(flight.try_room(0));
        flight.enter_due(0, &transaction(2), flight.started() - Duration::from_millis(300));
        flight.settled(&transaction(2).id, true, "");
        flight.not_sent(flight.started() + Duration::from_secs(9), false);
        let outcome = flight.end(false);
        let parts: Vec<_> = outcome.parts.iter().map(|part| (part.sent, part.not_sent)).collect();
        assert_eq!(parts, [(1, 0), (1, 0), (0, 1)]);
        assert!(outcome.parts[0].latencies.ms(1.0) >= 300.0);
        assert_eq!((outcome.parts[1].latencies.ms(1.0), outcome.no_room), (0.0, 1));
    }
}
