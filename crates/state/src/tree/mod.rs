//! The tree in memory: versions that share their parts.

mod apply;
mod bucket;
mod build;
mod chunk;
mod cold;
mod drop;
mod evict;
mod hashing;
mod merged;
mod node;
mod plan;
mod read;
mod spread;
mod warm;

pub(crate) use self::chunk::Chunk;
pub use self::{
    build::TreeBuilder,
    cold::{Found, WrongLeaves},
};

use self::{
    apply::{Applied, apply, join},
    evict::Share,
    node::Link,
};
use crate::{
    Path, Proof,
    history::Undo,
    workers::{OneThread, Workers},
};
use yulian_crypto::Digest;

/// The most leaves that are kept together in one piece of memory. Not part of any format.
///
/// Measured from 8 to 32: more leaves take less memory in all (135 to 113 bytes for a key with jemalloc) and no more
/// time, but more for every changed key of a version that is kept (0.6 to 2.2 KB).
pub const BUCKET_LEAVES_MAX: usize = 32;

/// The most changes that are worked on at a time: with all hashes between the leaves and the root they take up to
/// 20 MB of memory (a few hundred only for keys that are made to share many bits).
const CHANGES_AT_ONCE: usize = 1 << 14;

/// Most paths that [`Tree::warm`] takes at a time.
pub const WARM_PATHS_MAX: usize = warm::WINDOW;

/// A change at a path: the hash of the new value, or `None` to remove what is there.
pub type Change = (Path, Option<Digest>);

/// A version of the state: the hash of every value, by path.
///
/// The tree has a node exactly where keys differ for the first time: both sides of a node are non-empty, and its
/// depth is the bit that separates them. So the set of paths and values alone fixes the root, whatever the history.
///
/// A version never changes; [`Tree::apply`] makes another that shares with it all but the buckets of the
/// changed leaves and the nodes above them. Cloning costs nothing.
///
/// Budget of memory: 101 bytes for each of many random keys. That is 64 of path and value hash, 31 of hashes inside its
/// bucket and 6 of its share of the nodes above buckets (120 bytes each). An allocator's size classes come on top, 1
/// to 10 bytes. Every key that differs between two versions that are both kept takes about 2.5 KB more.
///
/// Where that is too much, a tree can be told what it may take ([`Tree::within`]): then the leaves of most buckets are not in
/// memory but for a hash of all of them, about 8 bytes a key with the nodes above. What look-ups, proofs and changes need of
/// those, they find [`Tree::missing`], and the caller brings it ([`Tree::fill`]).
#[derive(Clone, Default)]
pub struct Tree {
    root: Option<Link>,
    len: usize,
    share: Share,
}

impl Tree {
    /// The tree without keys; its root is [`Digest::ZERO`].
    pub fn new() -> Self {
        Self::default()
    }

    /// The tree of `leaves` (path and value hash), which come in strictly ascending order of path.
    ///
    /// # Panics
    /// If the order is not strictly ascending.
    pub fn from_sorted(leaves: impl IntoIterator<Item = (Path, Digest)>) -> Self {
        let mut builder = TreeBuilder::new();
        for (path, value) in leaves {
            builder.push(path, value);
        }
        builder.finish()
    }

    /// The tree whose paths with first bit 0 are those of `lower` and with first bit 1 those of `upper`, so that both can be
    /// built at a time. Other paths in them give a root that no state has.
    pub fn of_halves(lower: Self, upper: Self) -> Self {
        let len = lower.len + upper.len;
        let root = join(0, lower.root.as_ref(), upper.root.as_ref());
        let share = Share::of_halves(&lower.share, &upper.share);
        Self { root, len, share }
    }

    /// The version after `changes`, which come in strictly ascending order of path. Removing what is not there and
    /// setting what is there already change nothing.
    ///
    /// # Panics
    /// If the order is not strictly ascending, or something is [missing](Tree::missing).
    pub fn apply(&self, changes: &[Change]) -> Self {
        self.next(apply(self.root.as_ref(), changes, false, &OneThread)).0
    }

    /// [`Tree::apply`], and what undoes it: each path that changed with the value hash it had before, in order of path.
    /// Applied to the new version, that gives the old one.
    ///
    /// # Panics
    /// As for [`Tree::apply`].
    pub fn apply_undoable(&self, changes: &[Change]) -> (Self, Undo) {
        self.apply_undoable_on(changes, &OneThread)
    }

    /// [`Tree::apply_undoable`] with the threads of `workers`, where there are changes enough.
    ///
    /// # Panics
    /// As for [`Tree::apply`].
    pub fn apply_undoable_on(&self, changes: &[Change], workers: &dyn Workers) -> (Self, Undo) {
        let (tree, before) = self.next(apply(self.root.as_ref(), changes, true, workers));
        (tree, Undo::new(before))
    }

    fn next(&self, applied: Applied) -> (Self, Vec<Change>) {
        let len = self.len + applied.added - applied.removed;
        let mut next = Self {
            root: applied.root,
            len,
            share: self.share,
        };
        next.make_room();
        (next, applied.before.unwrap_or_default())
    }

    /// Touches what look-ups of `paths` will read, side by side: one after the other they would wait for memory at every
    /// level. Of more than [`WARM_PATHS_MAX`] the later ones are left out. Nothing depends on it.
    pub fn warm(&self, paths: &[Path]) {
        if let Some(root) = &self.root {
            warm::warm(root, paths, |path| path);
        }
    }

    /// The root hash: all that it takes to check a [`Proof`].
    pub fn root(&self) -> Digest {
        self.root.as_ref().map_or(Digest::ZERO, |link| link.hash)
    }

    /// The hash of the value at `path`.
    ///
    /// # Panics
    /// If something is [missing](Tree::missing).
    pub fn get(&self, path: &Path) -> Option<Digest> {
        self.root.as_ref()?.get(path)
    }

    /// The proof of what is, or is not, at `path`.
    ///
    /// # Panics
    /// If something is [missing](Tree::missing).
    pub fn prove(&self, path: &Path) -> Proof {
        let empty = Proof {
            siblings: Vec::new(),
            leaf: None,
        };
        self.root.as_ref().map_or(empty, |link| link.prove(path))
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tree")
            .field("root", &self.root())
            .field("len", &self.len)
            .finish()
    }
}
