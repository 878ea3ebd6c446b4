//! Bringing back what a state tree has not in memory.
//!
//! The base may be some blocks behind the tree, or ahead of it. What it holds is right at all paths that no block
//! in between wrote; at the others the blocks themselves say what stood there. So it does not matter which block the base is
//! at, nor whether it moves on meanwhile; and the tree's own hash has the last word.

use crate::{Base, Executed, StateError};
use std::{collections::BTreeMap, sync::Arc};
use yulian_crypto::Digest;
use yulian_state::{
    BUCKET_LEAVES_MAX, Change, Found, Path, Prefix, Tree, WrongLeaves,
    workers::{self, Workers},
    write_set,
};

/// Prefixes that each thread brings at a time: their values, 32 of each, are hashed side by side and are in memory at once.
const PREFIXES_AT_ONCE: usize = 128;

/// What the leaves of a state follow from.
pub(crate) struct Source<'a, B> {
    pub(crate) base: &'a B,
    /// Blocks whose writes the base may lack, newest first.
    pub(crate) overlays: &'a [Arc<Executed>],
    /// Blocks after the state whose writes the base may have, oldest first.
    pub(crate) undone: &'a [Arc<Executed>],
}

impl<B: Base> Source<'_, B> {
    /// The tree with the leaves under these prefixes in memory. They are found by several threads, if there are.
    pub(crate) fn fill(&self, tree: &Tree, missing: &[Prefix], workers: &dyn Workers) -> Result<Tree, StateError> {
        let mut tree = tree.clone();
        let threads = workers.threads().max(1);
        for some in missing.chunks(PREFIXES_AT_ONCE * threads) {
            let pieces: Vec<_> = some.chunks(some.len().div_ceil(threads)).collect();
            let mut found = Vec::with_capacity(some.len());
            for piece in workers::map(workers, pieces.len(), |at| self.find(pieces[at])) {
                found.extend(piece?);
            }
            let filled = tree.fill(&found);
            tree = filled.map_err(|WrongLeaves(prefix)| StateError::StaleUnder(prefix))?;
        }
        Ok(tree)
    }

    fn find(&self, prefixes: &[Prefix]) -> Result<Vec<Found>, StateError> {
        let between: Vec<_> = prefixes.iter().map(|prefix| self.between(prefix)).collect();
        let mut values = Vec::new();
        for (prefix, between) in prefixes.iter().zip(&between) {
            // No more than a bucket has, and what was removed from it since.
            let held = self.base.values(prefix, BUCKET_LEAVES_MAX + between.len() + 1)?;
            values.push(held);
        }
        let all = values.iter().flatten();
        let mut hashes = write_set::changes_at(all.map(|(path, value)| (*path, Some(&value[..])))).into_iter();
        let found = prefixes.iter().zip(between).zip(&values);
        let found = found.map(|((prefix, between), held)| {
            let mut leaves: BTreeMap<Path, Option<Digest>> = hashes.by_ref().take(held.len()).collect();
            leaves.extend(between);
            let leaves = leaves.into_iter().filter_map(|(path, hash)| Some((path, hash?)));
            Found {
                prefix: *prefix,
                leaves: leaves.collect(),
            }
        });
        Ok(found.collect())
    }

    /// What the state has at the paths under a prefix that blocks between it and the base wrote.
    fn between(&self, prefix: &Prefix) -> BTreeMap<Path, Option<Digest>> {
        let mut found = BTreeMap::new();
        for block in self.overlays.iter().rev() {
            found.extend(under(&block.changes, prefix));
        }
        for block in self.undone.iter().rev() {
            found.extend(under(block.undo.changes(), prefix));
        }
        found
    }
}

/// The changes under a prefix, of those in order of path.
fn under<'a>(changes: &'a [Change], prefix: &'a Prefix) -> impl Iterator<Item = Change> + 'a {
    let from = changes.partition_point(|(path, _)| path < prefix.first());
    changes[from..]
        .iter()
        .take_while(|(path, _)| prefix.holds(path))
        .copied()
}
