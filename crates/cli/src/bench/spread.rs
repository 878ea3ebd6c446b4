//! Work on all cores.

use std::{ops::Range, thread};

/// Does a range in as many parts as there are cores, at a time, and returns what each part gave, in order. A part whose
/// thread panicked is an error.
pub(super) fn over_cores<T: Send>(range: Range<u64>, work: impl Fn(Range<u64>) -> T + Sync) -> Vec<thread::Result<T>> {
    let threads = thread::available_parallelism().map_or(1, usize::from) as u64;
    let share = (range.end - range.start).div_ceil(threads).max(1);
    let work = &work;
    thread::scope(|scope| {
        let part = |at: u64| {
            let from = (range.start + at * share).min(range.end);
            let part = from..(from + share).min(range.end);
            scope.spawn(move || work(part))
        };
        let running: Vec<_> = (0..threads).map(part).collect();
        running.into_iter().map(thread::ScopedJoinHandle::join).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_up_the_range_in_order() {
        for count in [0, 1, 7, 1000] {
            let parts = over_cores(5..5 + count, |part| part.collect::<Vec<_>>());
            let all: Vec<u64> = parts.into_iter().flat_map(|part| part.unwrap()).collect();
            assert_eq!(all, (5..5 + count).collect::<Vec<_>>());
        }
    }
}
