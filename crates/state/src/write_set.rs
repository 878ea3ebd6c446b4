//! What one block wrote, as a Merkle root that outlives the pruning of the state.
//!
//! The writes are sorted by path, one per key. Leaf data = path (32) ‖ 01 ‖ value hash (32) for a value that was set, path ‖ 00
//! for one that was removed; leaves, nodes and root as in [`yulian_crypto::merkle`].

use crate::{Change, Path, value_hash};
use bytes::Bytes;
use std::collections::BTreeMap;
use yulian_crypto::{Digest, merkle};

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
    let by_path: BTreeMap<Path, Option<Digest>> = writes.iter().map(Write::change).collect();
    by_path.into_iter().collect()
}

/// The Merkle leaf of a change.
pub fn leaf(change: &Change) -> Digest {
    let (path, value) = change;
    let mut data = [0; 65];
    data[..32].copy_from_slice(path.as_bytes());
    match value {
        Some(value) => {
            data[32] = 1;
            data[33..].copy_from_slice(&value.0);
            merkle::leaf(&data)
        }
        None => merkle::leaf(&data[..33]),
    }
}

/// The write-set root of changes in ascending order of path; [`Digest::ZERO`] for none.
pub fn root(changes: &[Change]) -> Digest {
    let leaves: Vec<Digest> = changes.iter().map(leaf).collect();
    merkle::root(&leaves)
}

/// The proof that the change at `path` is among `changes`, which are in ascending order of path; `None` if it is not.
///
/// It is checked by `proof.verify(&root, &leaf(&change))`.
pub fn prove(changes: &[Change], path: &Path) -> Option<merkle::Proof> {
    let at = changes.binary_search_by(|change| change.0.cmp(path)).ok()?;
    merkle::Tree::new(changes.iter().map(leaf).collect()).prove(at as u64)
}
