//! The replay window: ids of the final blocks of the last W.

use crate::hashing::DigestSet;
use std::collections::VecDeque;
use yulian_crypto::Digest;

/// Parts that the window is kept in; ids are forgotten a part at a time.
const SEGMENTS: u64 = 8;

/// The ids in the final blocks of at least the last W, W being a chain parameter.
///
/// It may hold some older ids: their transactions have expired, which is judged first. So the answer to every
/// transaction is a function of the blocks of the last W alone, whenever the window was built.
#[derive(Debug, Clone, Default)]
pub struct ReplayWindow {
    segments: VecDeque<Segment>,
}

#[derive(Debug, Clone)]
struct Segment {
    first_ms: u64,
    last_ms: u64,
    ids: DigestSet,
}

impl ReplayWindow {
    /// An empty window. After a restart, [`ReplayWindow::push`] the blocks of the last W, oldest first.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a final block. `time_ms` is its block time, `window_ms` the parameter W. Forgets what is older than W.
    pub fn push(&mut self, time_ms: u64, ids: &[Digest], window_ms: u64) {
        while self
            .segments
            .front()
            .is_some_and(|oldest| oldest.last_ms < time_ms.saturating_sub(window_ms))
        {
            self.segments.pop_front();
        }
        if ids.is_empty() {
            return;
        }
        let full = |segment: &Segment| time_ms.saturating_sub(segment.first_ms) > window_ms / SEGMENTS;
        if self.segments.back().is_none_or(full) {
            self.segments.push_back(Segment {
                first_ms: time_ms,
                last_ms: time_ms,
                ids: DigestSet::default(),
            });
        }
        if let Some(newest) = self.segments.back_mut() {
            newest.last_ms = time_ms;
            newest.ids.extend(ids);
        }
    }

    /// Whether an id is in the window.
    pub fn contains(&self, id: &Digest) -> bool {
        self.segments.iter().rev().any(|segment| segment.ids.contains(id))
    }

    /// Number of ids held.
    pub fn len(&self) -> usize {
        self.segments.iter().map(|segment| segment.ids.len()).sum()
    }

    /// Whether no id is held.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> Digest {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        Digest(bytes)
    }

    #[test]
    fn ids_of_the_last_window_are_held_and_old_ones_go() {
        let mut window = ReplayWindow::new();
        for second in 0..=1000 {
            window.push(second * 1_000, &[id(second)], 100_000);
            for back in 0..=second.min(100) {
                assert!(window.contains(&id(second - back)), "second {second}, {back} back");
            }
        }
        assert!(!window.contains(&id(1000 - 114)));
        assert!(window.len() <= 114, "{} ids", window.len());
    }

    #[test]
    fn a_longer_window_keeps_what_is_there_and_an_empty_block_forgets_too() {
        let mut window = ReplayWindow::new();
        window.push(1_000, &[id(1)], 1_000);
        window.push(2_000, &[id(2)], 10_000);
        assert!(window.contains(&id(1)));
        window.push(50_000, &[], 10_000);
        assert!(window.is_empty());
        assert_eq!(window.len(), 0);
    }
}
