//! Leaves that are kept together.

use super::{BUCKET_LEAVES_MAX, cold::Cold};
use crate::{Path, hash, path};
use std::sync::Arc;
use yulian_crypto::Digest;

/// Digests of a cold bucket. Leaves take 3n − 1.
const COLD_DIGESTS: usize = 1;

/// A subtree of 1 to [`BUCKET_LEAVES_MAX`] leaves in one piece of memory: n paths in ascending order ‖ n value hashes ‖
/// n − 1 hashes of nodes, 96 bytes for a leaf.
///
/// Between any two neighbours there is exactly one node of the tree: the one whose depth is the first bit in which
/// they differ. Its hash stands at the number of the leaf on its left. Neither depths nor leaf hashes are kept: the
/// former follow from the paths, the latter are computed again where they are siblings: 1.4 for a changed leaf.
///
/// Or, if it is *cold*, one digest that says where its leaves are: see [`Cold`]. No leaves take one digest.
#[derive(Clone)]
pub(super) struct Bucket(Arc<[Digest]>);

impl Bucket {
    /// A copy of `leaves`, of which there is at least one. `scratch` is any memory to put it together in.
    pub(super) fn new(leaves: Leaves<'_>, scratch: &mut Vec<Digest>) -> Self {
        debug_assert!((1..=BUCKET_LEAVES_MAX).contains(&leaves.len()));
        scratch.clear();
        scratch.extend_from_slice(leaves.paths);
        scratch.extend_from_slice(leaves.values);
        scratch.extend_from_slice(leaves.nodes);
        Self(Arc::from(&scratch[..]))
    }

    /// The place of leaves that are not in memory.
    pub(super) fn cold(cold: &Cold) -> Self {
        Self(Arc::from([cold.encode()]))
    }

    /// Whether its leaves are not in memory.
    pub(super) fn is_cold(&self) -> bool {
        self.0.len() == COLD_DIGESTS
    }

    /// Where its leaves are, if they are not in memory.
    pub(super) fn as_cold(&self) -> Option<Cold> {
        self.is_cold().then(|| Cold::decode(&self.0[0]))
    }

    /// Number of leaves, also of a cold bucket.
    pub(super) fn count(&self) -> usize {
        self.as_cold()
            .map_or_else(|| self.len(), |cold| usize::from(cold.leaves))
    }

    /// A copy of which this is the only owner.
    pub(super) fn copy(&self) -> Self {
        Self(Arc::from(&self.0[..]))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len().div_ceil(3)
    }

    pub(super) fn owners(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    /// Memory it takes, with the two counters of its owners.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        2 * size_of::<usize>() + size_of_val(&*self.0)
    }

    /// Reads something of every 64 bytes of paths, which are searched first; the processor sees itself that the rest is copied.
    pub(super) fn touch(&self) -> usize {
        if self.is_cold() {
            return self.owners();
        }
        let words = self.0[..self.len()]
            .iter()
            .step_by(2)
            .map(|digest| usize::from(digest.0[0]));
        words.fold(self.owners(), |all, word| all ^ word)
    }

    /// The leaves.
    ///
    /// # Panics
    /// If they are not in memory: whoever goes there has brought them before, see [`super::Tree::missing`].
    pub(super) fn leaves(&self) -> Leaves<'_> {
        assert!(!self.is_cold(), "leaves that are not in memory were not brought");
        let (paths, rest) = self.0.split_at(self.len());
        let (values, nodes) = rest.split_at(paths.len());
        Leaves { paths, values, nodes }
    }

    /// Value hashes and node hashes, to be written in a bucket that nobody else has yet.
    pub(super) fn edit(&mut self) -> Option<(&mut [Digest], &mut [Digest])> {
        let len = self.len();
        let all = Arc::get_mut(&mut self.0)?;
        Some(all[len..].split_at_mut(len))
    }
}

/// Neighbouring leaves and the hashes of the nodes between them, one less.
#[derive(Clone, Copy)]
pub(super) struct Leaves<'a> {
    pub(super) paths: &'a [Digest],
    pub(super) values: &'a [Digest],
    pub(super) nodes: &'a [Digest],
}

impl<'a> Leaves<'a> {
    pub(super) fn len(&self) -> usize {
        self.paths.len()
    }

    /// Where `path` is, or would have to be inserted.
    pub(super) fn find(&self, path: &Path) -> Result<usize, usize> {
        self.paths.binary_search_by(|one| one.0.cmp(path.as_bytes()))
    }

    /// The depth of the topmost node between at least two leaves, and the number of leaves on its left.
    ///
    /// The paths ascend: what the outer two have in common, all have.
    pub(super) fn top(&self) -> (u8, usize) {
        let (first, last) = (&self.paths[0].0, &self.paths[self.len() - 1].0);
        // Two different paths have at most 255 bits in common.
        let depth = path::common_bits(first, last) as u8;
        (depth, self.paths.partition_point(|one| !path::bit(&one.0, depth)))
    }

    /// The first `middle` leaves, and the others.
    pub(super) fn split(&self, middle: usize) -> (Self, Self) {
        let (left_paths, right_paths) = self.paths.split_at(middle);
        let (left_values, right_values) = self.values.split_at(middle);
        let left = Self {
            paths: left_paths,
            values: left_values,
            nodes: &self.nodes[..middle - 1],
        };
        let right = Self {
            paths: right_paths,
            values: right_values,
            nodes: &self.nodes[middle..],
        };
        (left, right)
    }

    /// The leaves whose paths start with the byte `first`.
    pub(super) fn starting_with(&self, first: u8) -> Option<Self> {
        let from = self.paths.partition_point(|path| path.0[0] < first);
        let to = self.paths.partition_point(|path| path.0[0] <= first);
        (from < to).then(|| Self {
            paths: &self.paths[from..to],
            values: &self.values[from..to],
            nodes: &self.nodes[from..to - 1],
        })
    }

    /// The root of the leaves' subtree, if the node hashes are up to date.
    pub(super) fn hash(&self) -> Digest {
        if self.len() == 1 {
            return hash::leaf(&Path::from_bytes(self.paths[0].0), &self.values[0]);
        }
        self.nodes[self.top().1 - 1]
    }
}
