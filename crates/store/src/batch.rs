//! Batches: the unit of an atomic commit.

use crate::Space;
use bytes::Bytes;
use std::collections::BTreeMap;

/// What the accounting adds per operation for keys' lengths and back-end overhead, bytes.
const OP_OVERHEAD_BYTES: usize = 16;

/// Changes that become visible and durable together or not at all.
///
/// Operations take effect in the order they are added: the last one on a key wins, and a range deleted
/// later takes away what was put earlier.
#[derive(Debug, Default, Clone)]
pub struct Batch {
    pub(crate) spaces: BTreeMap<Space, SpaceChanges>,
    bytes: usize,
}

/// The changes of one space: ranges are deleted first, then the points are applied.
#[derive(Debug, Default, Clone)]
pub(crate) struct SpaceChanges {
    pub(crate) ranges: Vec<(Bytes, Bytes)>,
    pub(crate) points: BTreeMap<Bytes, Option<Bytes>>,
}

impl Batch {
    /// A batch without changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `key` to `value`.
    pub fn put(&mut self, space: Space, key: &[u8], value: impl Into<Bytes>) {
        self.point(space, key, Some(value.into()));
    }

    /// Removes `key`; nothing happens if it is not there.
    pub fn delete(&mut self, space: Space, key: &[u8]) {
        self.point(space, key, None);
    }

    /// Removes every key from `from` (inclusive) to `to` (exclusive). An empty or inverted range removes nothing.
    pub fn delete_range(&mut self, space: Space, from: &[u8], to: &[u8]) {
        if from >= to {
            return;
        }
        let changes = self.spaces.entry(space).or_default();
        let (from, to) = (Bytes::copy_from_slice(from), Bytes::copy_from_slice(to));
        let overtaken: Vec<Bytes> = changes
            .points
            .range(from.clone()..to.clone())
            .map(|(key, _)| key.clone())
            .collect();
        for key in overtaken {
            let value = changes.points.remove(&key).flatten();
            self.bytes -= point_bytes(&key, value.as_ref());
        }
        self.bytes += from.len() + to.len() + OP_OVERHEAD_BYTES;
        changes.ranges.push((from, to));
    }

    /// Adds the changes of `later` after those of this batch.
    pub fn append(&mut self, later: Batch) {
        for (space, changes) in later.spaces {
            for (from, to) in changes.ranges {
                self.delete_range(space, &from, &to);
            }
            for (key, value) in changes.points {
                self.point_owned(space, key, value);
            }
        }
    }

    /// Size of all keys and values plus a constant per operation, bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        self.spaces.is_empty()
    }

    fn point(&mut self, space: Space, key: &[u8], value: Option<Bytes>) {
        self.point_owned(space, Bytes::copy_from_slice(key), value);
    }

    fn point_owned(&mut self, space: Space, key: Bytes, value: Option<Bytes>) {
        self.bytes += point_bytes(&key, value.as_ref());
        let points = &mut self.spaces.entry(space).or_default().points;
        if let Some(old) = points.insert(key.clone(), value) {
            self.bytes -= point_bytes(&key, old.as_ref());
        }
    }
}

fn point_bytes(key: &Bytes, value: Option<&Bytes>) -> usize {
    key.len() + value.map_or(0, Bytes::len) + OP_OVERHEAD_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{INDEX, META};

    #[test]
    fn bytes_follow_what_is_in_the_batch() {
        let mut batch = Batch::new();
        assert!(batch.is_empty());
        batch.put(META, b"a", vec![0; 10]);
        batch.put(META, b"a", vec![0; 4]);
        batch.delete(INDEX, b"b");
        assert_eq!(batch.bytes(), (1 + 4 + 16) + (1 + 16));
        batch.delete_range(META, b"a", b"b");
        assert_eq!(batch.bytes(), (1 + 16) + (1 + 1 + 16));
        batch.delete_range(META, b"b", b"a");
        assert_eq!(batch.bytes(), (1 + 16) + (1 + 1 + 16));
    }

    #[test]
    fn a_range_takes_away_what_was_put_before_it_only() {
        let mut batch = Batch::new();
        batch.put(META, b"k1", "old");
        batch.delete_range(META, b"k", b"l");
        batch.put(META, b"k2", "new");
        let changes = &batch.spaces[&META];
        assert_eq!(changes.points.len(), 1);
        assert_eq!(changes.ranges.len(), 1);
        assert!(changes.points.contains_key(&b"k2"[..]));
    }
}
