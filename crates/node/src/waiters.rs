//! Clients that wait for the final result of a transaction.

use bytes::Bytes;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;
use yulian_exec::Failure;
use yulian_types::Digest;

/// Most clients that wait at a time.
pub const WAITERS_MAX: usize = 32_768;

/// What became of a transaction.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It stands in a final block.
    Final {
        /// Height of the block.
        height: u64,
        /// Digest of the block.
        digest: Digest,
        /// Block time, ms.
        time_ms: u64,
        /// Position in the block.
        index: u32,
        /// Encoded receipt.
        receipt: Bytes,
    },
    /// It can no longer enter a block, and was removed from the pool.
    Refused(Failure),
}

/// Who waits for what. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Waiters(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    by_id: HashMap<Digest, Vec<(u64, oneshot::Sender<Outcome>)>>,
    tickets: u64,
    count: usize,
}

/// A place among those who wait; given up when dropped.
#[derive(Debug)]
pub struct Waiting {
    waiters: Waiters,
    id: Digest,
    ticket: u64,
    outcome: oneshot::Receiver<Outcome>,
}

impl Waiters {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place; `None` if [`WAITERS_MAX`] are taken.
    pub fn wait_for(&self, id: Digest) -> Option<Waiting> {
        let mut table = self.lock();
        if table.count >= WAITERS_MAX {
            return None;
        }
        table.count += 1;
        table.tickets += 1;
        let ticket = table.tickets;
        let (sender, outcome) = oneshot::channel();
        table.by_id.entry(id).or_default().push((ticket, sender));
        Some(Waiting {
            waiters: self.clone(),
            id,
            ticket,
            outcome,
        })
    }

    /// Wakes those who wait for some transactions. `outcome` is asked only for those that somebody waits for.
    pub fn wake<'a>(&self, ids: impl Iterator<Item = (usize, &'a Digest)>, mut outcome: impl FnMut(usize) -> Outcome) {
        let mut table = self.lock();
        if table.by_id.is_empty() {
            return;
        }
        for (at, id) in ids {
            let Some(list) = table.by_id.remove(id) else {
                continue;
            };
            table.count -= list.len();
            let outcome = outcome(at);
            for (_, waiter) in list {
                let _ = waiter.send(outcome.clone());
            }
        }
    }

    /// Number of those who wait.
    pub fn count(&self) -> usize {
        self.lock().count
    }
}

impl Waiting {
    /// Waits; `None` if the node stops.
    pub async fn outcome(&mut self) -> Option<Outcome> {
        (&mut self.outcome).await.ok()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut table = self.waiters.lock();
        let Some(list) = table.by_id.get_mut(&self.id) else {
            return;
        };
        let before = list.len();
        list.retain(|(ticket, _)| *ticket != self.ticket);
        let gone = before - list.len();
        if list.is_empty() {
            table.by_id.remove(&self.id);
        }
        table.count -= gone;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;

    fn outcome(index: u32) -> Outcome {
        Outcome::Final {
            height: 1,
            digest: Digest::ZERO,
            time_ms: 0,
            index,
            receipt: Bytes::new(),
        }
    }

    #[test]
    fn all_who_wait_for_an_id_are_woken_and_places_are_given_back() {
        let waiters = Waiters::default();
        let id = |n: u8| Digest([n; 32]);
        let (mut a, mut b, c) = (
            waiters.wait_for(id(1)).unwrap(),
            waiters.wait_for(id(1)).unwrap(),
            waiters.wait_for(id(2)).unwrap(),
        );
        let given_up = waiters.wait_for(id(1)).unwrap();
        assert_eq!(waiters.count(), 4);
        drop(given_up);
        assert_eq!(waiters.count(), 3);
        let ids = [id(9), id(1)];
        waiters.wake(ids.iter().enumerate(), |at| outcome(at as u32));
        for waiting in [&mut a, &mut b] {
            assert!(matches!(
                block_on(waiting.outcome()),
                Some(Outcome::Final { index: 1, .. })
            ));
        }
        assert_eq!(waiters.count(), 1);
        drop((a, b, c));
        assert_eq!(waiters.count(), 0);
        assert!(waiters.lock().by_id.is_empty());
    }

    #[test]
    fn places_are_bounded() {
        let waiters = Waiters::default();
        let id = |n: usize| Digest(std::array::from_fn(|at| (n >> (8 * (at % 4))) as u8));
        let taken: Vec<_> = (0..WAITERS_MAX).map(|n| waiters.wait_for(id(n)).unwrap()).collect();
        assert!(waiters.wait_for(Digest([1; 32])).is_none());
        drop(taken);
        assert!(waiters.wait_for(Digest([1; 32])).is_some());
    }
}
