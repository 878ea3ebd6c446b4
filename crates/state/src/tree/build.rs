//! Building subtrees from sorted leaves.

use super::{
    BUCKET_LEAVES_MAX, Tree,
    node::{Entry, Inner, Link, Node},
};
use crate::{Path, hash};
use std::sync::Arc;
use yulian_crypto::Digest;

/// Builds a [`Tree`] from leaves that come in order of path, two hashes per leaf, without a second copy in memory.
#[derive(Default)]
pub struct TreeBuilder {
    builder: Builder,
    last: Option<Path>,
    len: usize,
}

impl TreeBuilder {
    /// A builder without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the leaf of `path` with the hash of its value.
    ///
    /// # Panics
    /// If `path` does not come strictly after the one before.
    pub fn push(&mut self, path: Path, value: Digest) {
        assert!(
            self.last.is_none_or(|last| last < path),
            "leaves come sorted and without duplicates"
        );
        let leaf = hash::leaf(&path, &value);
        self.builder.push(Entry::new(path, value, leaf), true);
        self.last = Some(path);
        self.len += 1;
    }

    /// The tree of all leaves added.
    pub fn finish(mut self) -> Tree {
        let (root, len) = (self.builder.finish(), self.len);
        Tree { root, len }
    }
}

/// Finished subtrees side by side, each deeper in the tree than the one to its left.
///
/// The next leaf's first differing bit tells which of them are complete: those that lie deeper are joined.
/// Subtrees of few leaves are kept as a range of `entries` until they grow beyond a bucket.
#[derive(Default)]
pub(super) struct Builder {
    entries: Vec<Entry>,
    parts: Vec<Part>,
}

struct Part {
    /// The bit that separates it from the part before; 0 in the first.
    depth: u8,
    content: Content,
}

enum Content {
    /// The entries from `start` to where the next part's begin.
    Few {
        start: usize,
        hash: Digest,
        changed: bool,
    },
    Many(Link),
}

impl Builder {
    /// Adds a leaf to the right of all others. `changed` means that hashes above it that `entry` and its neighbours
    /// carry are out of date.
    pub(super) fn push(&mut self, entry: Entry, changed: bool) {
        let depth = self.entries_depth(&entry.path);
        while self.parts.len() > 1 && self.parts.last().is_some_and(|last| last.depth > depth) {
            self.join_last();
        }
        let content = Content::Few {
            start: self.entries.len(),
            hash: entry.leaf,
            changed,
        };
        self.entries.push(entry);
        self.parts.push(Part { depth, content });
    }

    /// The subtree of all leaves added, if there are any. The builder is empty afterwards.
    pub(super) fn finish(&mut self) -> Option<Link> {
        while self.parts.len() > 1 {
            self.join_last();
        }
        let only = self.parts.pop()?;
        Some(self.seal(only.content))
    }

    /// The first bit in which `path` differs from the leaf added last: that leaf is always the last entry.
    fn entries_depth(&self, path: &Path) -> u8 {
        self.entries.last().map_or(0, |last| last.path.common_bits(path) as u8)
    }

    fn join_last(&mut self) {
        let (Some(right), Some(left)) = (self.parts.pop(), self.parts.pop()) else {
            return;
        };
        let content = self.join(left.content, right.content, right.depth);
        let depth = left.depth;
        self.parts.push(Part { depth, content });
    }

    fn join(&mut self, left: Content, right: Content, depth: u8) -> Content {
        match (left, right) {
            (
                Content::Few {
                    start,
                    hash: left,
                    changed: left_changed,
                },
                Content::Few {
                    start: middle,
                    hash: right,
                    changed: right_changed,
                },
            ) if self.entries.len() - start <= BUCKET_LEAVES_MAX => {
                let changed = left_changed || right_changed;
                let gap = &mut self.entries[middle - 1];
                if changed {
                    gap.inner = hash::node(&left, &right, depth);
                    gap.depth = depth;
                }
                let hash = gap.inner;
                Content::Few { start, hash, changed }
            }
            (left, right) => {
                let right = self.seal(right);
                let left = self.seal(left);
                let hash = hash::node(&left.hash, &right.hash, depth);
                let inner = Inner { depth, left, right };
                let node = Node::Inner(Arc::new(inner));
                Content::Many(Link { hash, node })
            }
        }
    }

    /// Moves a part's entries, which are the last ones, into a bucket.
    fn seal(&mut self, content: Content) -> Link {
        match content {
            Content::Few { start, hash, .. } => {
                let node = Node::Bucket(self.entries[start..].into());
                self.entries.truncate(start);
                Link { hash, node }
            }
            Content::Many(link) => link,
        }
    }
}
