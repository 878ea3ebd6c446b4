//! What one block wrote, as a Merkle root that outlives the pruning of the state.
//!
//! The writes are sorted by path, one per key. Leaf data = path (32) ‖ 01 ‖ value hash (32) for a value that was set, path ‖ 00
//! for one that was removed; leaves, nodes and root as in [`yulian_crypto::merkle`].

use crate::{Change, Path, hash::value_hashes, value_hash};
use bytes::Bytes;
use std::collections::BTreeMap;
use yulian_crypto::{Digest, merkle, sm3::tagged};

/// A key of a module and the value it has after a block; `None` if it was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The module whose key it is.
    pub module_id: u32,
    /// The key within the module.
    pub key: Bytes,
    /// The new value.
    pub value: Option<Bytes>,
}

impl Write {
    /// The place in the state that is written.
    pub fn path(&self) -> Path {
        Path::of(self.module_id, &self.key)
    }

    /// The change for [`crate::Tree::apply`].
    pub fn change(&self) -> Change {
        (self.path(), self.value.as_deref().map(value_hash))
    }
}

/// The changes of `writes`, sorted by path; of several writes to one key the last counts.
pub fn changes(writes: &[Write]) -> Vec<Change> {
    let by_path: BTreeMap<_, _> = writes
        .iter()
        .map(|write| (write.path(), write.value.as_deref()))
        .collect();
    changes_at(by_path)
}

/// The changes that give values to paths, in the order in which they come; `None` removes.
///
/// All values are hashed together, which is much faster than one after the other.
pub fn changes_at<'a>(values: impl IntoIterator<Item = (Path, Option<&'a [u8]>)>) -> Vec<Change> {
    let mut set = Vec::new();
    let mut changes: Vec<Change> = Vec::new();
    for (path, value) in values {
        set.extend(value.map(|value| [value]));
        changes.push((path, value.map(|_| Digest::ZERO)));
    }
    let places = changes.iter_mut().filter_map(|(_, hash)| hash.as_mut());
    for (place, hash) in places.zip(value_hashes(&set)) {
        *place = hash;
    }
    changes
}

/// The Merkle leaf of a change.
pub fn leaf(change: &Change) -> Digest {
    tagged(merkle::LEAF_TAG, &parts(change))
}

/// The Merkle leaf of each change, hashed together.
fn leaves(changes: &[Change]) -> Vec<Digest> {
    merkle::leaves(&changes.iter().map(parts).collect::<Vec<_>>())
}

fn parts((path, value): &Change) -> [&[u8]; 3] {
    match value {
        Some(value) => [path.as_bytes(), &[1], &value.0],
        None => [path.as_bytes(), &[0], &[]],
    }
}

/// The write-set root of changes in ascending order of path; [`Digest::ZERO`] for none.
pub fn root(changes: &[Change]) -> Digest {
    merkle::root(&leaves(changes))
}

/// The proof that the change at `path` is among `changes`, which are in ascending order of path; `None` if it is not.
///
/// It is checked by `proof.verify(&root, &leaf(&change))`.
pub fn prove(changes: &[Change], path: &Path) -> Option<merkle::Proof> {
    let at = changes.binary_search_by(|change| change.0.cmp(path)).ok()?;
    merkle::Tree::new(leaves(changes)).prove(at as u64)
}
