//! Threads that a caller lends: this crate and those above it start none of their own.

use std::sync::{Mutex, PoisonError};

/// Threads for work that falls into independent pieces. What the pieces yield never depends on which thread does which,
/// nor on how many there are.
pub trait Workers: Send + Sync {
    /// How many threads work at a time, the caller's own among them; at least 1.
    fn threads(&self) -> usize;

    /// Calls `job` once with each number below `count`, on any of the threads and in any order, and returns when all
    /// calls have. Must not be called from a job.
    ///
    /// # Panics
    /// If a job does.
    fn run(&self, count: usize, job: &(dyn Fn(usize) + Sync));
}

/// The caller's own thread and no other.
#[derive(Debug, Clone, Copy, Default)]
pub struct OneThread;

impl Workers for OneThread {
    fn threads(&self) -> usize {
        1
    }

    fn run(&self, count: usize, job: &(dyn Fn(usize) + Sync)) {
        (0..count).for_each(job);
    }
}

/// What `work` yields for each number below `count`, in order.
pub fn map<T: Send>(workers: &dyn Workers, count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let places: Vec<Mutex<Option<T>>> = (0..count).map(|_| Mutex::new(None)).collect();
    workers.run(count, &|at| {
        let done = work(at);
        *places[at].lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
    });
    let done = |place: Mutex<Option<T>>| place.into_inner().unwrap_or_else(PoisonError::into_inner);
    places
        .into_iter()
        .map(|place| done(place).expect("every number was given to a job"))
        .collect()
}

/// What two pieces of work yield that have nothing to do with each other.
pub fn both<A: Send, B: Send>(
    workers: &dyn Workers,
    first: impl FnOnce() -> A + Send,
    second: impl FnOnce() -> B + Send,
) -> (A, B) {
    let work = Mutex::new((Some(first), Some(second)));
    let mut done = map(workers, 2, |at| {
        let mut work = work.lock().unwrap_or_else(PoisonError::into_inner);
        if at == 0 {
            let first = work.0.take();
            drop(work);
            (first.map(|first| first()), None)
        } else {
            let second = work.1.take();
            drop(work);
            (None, second.map(|second| second()))
        }
    });
    match (done.pop(), done.pop()) {
        (Some((_, Some(second))), Some((Some(first), _))) => (first, second),
        _ => unreachable!("both numbers were given to a job"),
    }
}
