//! The threads that execute blocks together with the executing task.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
};
use yulian_state::workers::{OneThread, Workers};

/// Most threads that execute a block.
pub const EXECUTION_THREADS_MAX: usize = 16;
/// Most that are chosen without a setting: what execution cannot divide is then most of its time.
const EXECUTION_THREADS_CHOSEN_MAX: usize = 4;
/// Cores for each thread that is chosen: the others verify signatures, serve the network and write to disk meanwhile.
const CORES_PER_THREAD: usize = 4;

/// How many threads execute a block where no setting says it: one for each four cores, at most 4, so that there is one on a
/// machine of fewer than eight cores.
pub fn execution_threads_chosen() -> usize {
    chosen(thread::available_parallelism().map_or(1, NonZeroUsize::get))
}

fn chosen(cores: usize) -> usize {
    (cores / CORES_PER_THREAD).clamp(1, EXECUTION_THREADS_CHOSEN_MAX)
}

/// A pool of threads beside the caller's.
struct Crew {
    pool: rayon::ThreadPool,
    threads: usize,
}

/// The threads for execution, the caller's among them. One alone needs no pool; where the system gives no threads there is
/// one as well, which takes longer and changes nothing else.
pub(crate) fn workers(threads: usize) -> Arc<dyn Workers> {
    let threads = threads.clamp(1, EXECUTION_THREADS_MAX);
    if threads == 1 {
        return Arc::new(OneThread);
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads - 1)
        .thread_name(|at| format!("execution {}", at + 2));
    match pool.build() {
        Ok(pool) => Arc::new(Crew { pool, threads }),
        Err(error) => {
            tracing::warn!(%error, threads, "no threads for execution: blocks are executed on one");
            Arc::new(OneThread)
        }
    }
}

impl Workers for Crew {
    fn threads(&self) -> usize {
        self.threads
    }

    fn run(&self, count: usize, job: &(dyn Fn(usize) + Sync)) {
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(at) = Some(next.fetch_add(1, Relaxed)).filter(|at| *at < count) {
                job(at);
            }
        };
        // The caller works as well, and does it all where the others have no time.
        self.pool.in_place_scope(|scope| {
            for _ in 1..self.threads.min(count) {
                scope.spawn(|_| work());
            }
            work();
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::sync::Mutex;
    use yulian_state::workers::map;

    #[test]
    fn few_cores_are_left_to_other_work() {
        let expected = [(1, 1), (2, 1), (4, 1), (7, 1), (8, 2), (12, 3), (16, 4), (64, 4)];
        assert!(expected.iter().all(|(cores, threads)| chosen(*cores) == *threads));
    }

    #[test]
    fn every_piece_is_done_once() {
        for threads in [0, 1, 2, 4, 1_000] {
            let crew = workers(threads);
            assert_eq!(crew.threads(), threads.clamp(1, EXECUTION_THREADS_MAX));
            for count in [0, 1, 2, 3, 1_000] {
                assert_eq!(map(&*crew, count, |at| at), (0..count).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn all_threads_take_part() {
        let crew = workers(3);
        let (meeting, seen) = (std::sync::Barrier::new(3), Mutex::new(BTreeSet::new()));
        // Nobody gets past the barrier unless three threads are at it.
        crew.run(3, &|_| {
            meeting.wait();
            let name = thread::current().name().map(str::to_owned);
            seen.lock().expect("no thread panics").insert(name);
        });
        assert_eq!(seen.into_inner().expect("no thread panics").len(), 3);
    }
}
