//! Building trees from sorted leaves.

use super::{Change, Tree};
use crate::Path;
use yulian_crypto::Digest;

/// Leaves that are hashed together.
const LEAVES_AT_ONCE: usize = 4_096;

/// Builds a [`Tree`] from leaves that come in order of path, two hashes per leaf, without a second copy in memory:
/// a few thousand leaves at most wait until they are hashed side by side, with their nodes in about 2 MB.
#[derive(Default)]
pub struct TreeBuilder {
    tree: Tree,
    waiting: Vec<Change>,
    limit: Option<usize>,
}

impl TreeBuilder {
    /// A builder without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// A builder of a tree within a limit of bytes, [`Tree::within`], which it also keeps to while it builds.
    pub fn within(limit: Option<usize>) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// Adds the leaf of `path` with the hash of its value.
    ///
    /// # Panics
    /// If `path` does not come strictly after the one before.
    pub fn push(&mut self, path: Path, value: Digest) {
        assert!(
            self.waiting.last().is_none_or(|(last, _)| *last < path),
            "leaves come sorted and without duplicates"
        );
        // The last leaf stays, so that there is always one to compare with.
        if self.waiting.len() > LEAVES_AT_ONCE {
            self.tree = self.tree.apply(&self.waiting[..LEAVES_AT_ONCE]);
            if let Some(limit) = self.limit {
                // The next leaves come where the last one leads, or behind.
                self.tree.shrink(limit, Some(&self.waiting[LEAVES_AT_ONCE - 1].0));
            }
            self.waiting.drain(..LEAVES_AT_ONCE);
        }
        self.waiting.push((path, Some(value)));
    }

    /// The tree of all leaves added.
    pub fn finish(self) -> Tree {
        self.tree.apply(&self.waiting).within(self.limit)
    }
}
