//! The leaves of a bucket with what changes in it.

use super::bucket::Leaves;
use crate::Path;
use yulian_crypto::Digest;

/// A change that has an effect on a bucket, at the number of the leaf it replaces or before which it is inserted.
pub(super) struct Edit {
    pub(super) at: usize,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Insert(Path, Digest),
    Overwrite(Digest),
    Remove,
}

/// Leaves of one bucket with its changes. A hash that stood above old leaves is still right unless a leaf under it
/// is new or has changed, or stands next to one that was removed: those are marked.
#[derive(Default)]
pub(super) struct Merged {
    paths: Vec<Digest>,
    values: Vec<Digest>,
    /// One for each leaf, the last without meaning.
    nodes: Vec<Digest>,
    changed: Vec<bool>,
    /// A leaf was removed where the next one will stand.
    removed: bool,
}

impl Merged {
    pub(super) fn clear(&mut self) {
        self.paths.clear();
        self.values.clear();
        self.nodes.clear();
        self.changed.clear();
        self.removed = false;
    }

    pub(super) fn len(&self) -> usize {
        self.paths.len()
    }

    /// All leaves, of which there is at least one, and which of them are marked.
    pub(super) fn leaves(&self) -> (Leaves<'_>, &[bool]) {
        let leaves = Leaves {
            paths: &self.paths,
            values: &self.values,
            nodes: &self.nodes[..self.len() - 1],
        };
        (leaves, &self.changed)
    }

    /// Adds a leaf that is new or has changed.
    pub(super) fn push(&mut self, path: &Path, value: Digest) {
        self.paths.push(Digest::from(*path));
        self.values.push(value);
        // The node in this gap lies above the new leaf and is hashed anew.
        self.nodes.push(Digest::ZERO);
        self.changed.push(true);
        self.removed = false;
    }

    /// Replaces what there was by `leaves` after `edits`, which are in order.
    pub(super) fn merge(&mut self, leaves: Leaves<'_>, edits: &[Edit]) {
        self.clear();
        let mut from = 0;
        for edit in edits {
            self.keep(leaves, from, edit.at);
            from = edit.at + 1;
            match edit.kind {
                Kind::Insert(path, value) => {
                    self.push(&path, value);
                    from = edit.at;
                }
                Kind::Overwrite(value) => self.push(&Path::from_bytes(leaves.paths[edit.at].0), value),
                Kind::Remove => self.remove(),
            }
        }
        self.keep(leaves, from, leaves.len());
    }

    /// Takes over leaves as they are.
    fn keep(&mut self, leaves: Leaves<'_>, from: usize, to: usize) {
        if from == to {
            return;
        }
        let first = self.len();
        self.paths.extend_from_slice(&leaves.paths[from..to]);
        self.values.extend_from_slice(&leaves.values[from..to]);
        // There is no gap after the last leaf.
        let gaps = from..to.min(leaves.nodes.len());
        self.nodes.extend_from_slice(&leaves.nodes[gaps]);
        self.nodes.resize(self.paths.len(), Digest::ZERO);
        self.changed.resize(self.paths.len(), false);
        self.changed[first] = std::mem::take(&mut self.removed);
    }

    /// Marks the neighbours of a leaf that is left out.
    fn remove(&mut self) {
        self.removed = true;
        if let Some(last) = self.changed.last_mut() {
            *last = true;
        }
    }
}
