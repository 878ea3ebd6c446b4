//! The parts that versions share.

use super::BUCKET_LEAVES_MAX;
use crate::{Path, hash};
use std::sync::Arc;
use yulian_crypto::Digest;

/// A subtree with its hash. The hash is kept with the link, so that a node's hash is computed without touching
/// the children.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) hash: Digest,
    pub(super) node: Node,
}

/// A subtree: with up to [`BUCKET_LEAVES_MAX`] leaves always one bucket, with more always a node.
///
/// Depths rise from node to node, so no chain of nodes is longer than 256 and dropping a tree
/// recurses no deeper, however large it is.
#[derive(Clone)]
pub(super) enum Node {
    Bucket(Arc<[Entry]>),
    Inner(Arc<Inner>),
}

/// A node above buckets.
pub(super) struct Inner {
    pub(super) depth: u8,
    pub(super) left: Link,
    pub(super) right: Link,
}

/// A leaf in a bucket, and the gap between it and the next leaf.
///
/// Between any two neighbours there is exactly one node of the tree: the one whose depth is the first bit in which
/// they differ. So a bucket's sorted leaves and the depths of its gaps are its subtree: the smallest depth is
/// the top, and each side is again such a range.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) path: Path,
    pub(super) value: Digest,
    pub(super) leaf: Digest,
    /// Hash of the node in the gap; without meaning in a bucket's last entry.
    pub(super) inner: Digest,
    /// Depth of the node in the gap; without meaning in a bucket's last entry.
    pub(super) depth: u8,
}

impl Entry {
    pub(super) fn new(path: Path, value: Digest, leaf: Digest) -> Self {
        Self {
            path,
            value,
            leaf,
            inner: Digest::ZERO,
            depth: 0,
        }
    }
}

impl Link {
    /// The subtree of two sides that differ at `depth`, or the one side there is.
    pub(super) fn join(depth: u8, left: Option<Self>, right: Option<Self>) -> Option<Self> {
        let (Some(left), Some(right)) = (&left, &right) else {
            return left.or(right);
        };
        let hash = hash::node(&left.hash, &right.hash, depth);
        let node = match (&left.node, &right.node) {
            (Node::Bucket(a), Node::Bucket(b)) if a.len() + b.len() <= BUCKET_LEAVES_MAX => {
                Node::Bucket(merge(a, b, depth, hash))
            }
            _ => Node::Inner(Arc::new(Inner {
                depth,
                left: left.clone(),
                right: right.clone(),
            })),
        };
        Some(Self { hash, node })
    }

    /// Whether both are the same subtree.
    pub(super) fn is(&self, other: Option<&Self>) -> bool {
        other.is_some_and(|other| self.hash == other.hash)
    }
}

fn merge(left: &[Entry], right: &[Entry], depth: u8, inner: Digest) -> Arc<[Entry]> {
    let mut entries = Vec::with_capacity(left.len() + right.len());
    entries.extend_from_slice(left);
    if let Some(last) = entries.last_mut() {
        (last.depth, last.inner) = (depth, inner);
    }
    entries.extend_from_slice(right);
    entries.into()
}

/// The gap of smallest depth among neighbours in `range`, which has at least two leaves. It is the only one.
pub(super) fn top_gap(range: &[Entry]) -> usize {
    let gaps = 0..range.len() - 1;
    gaps.min_by_key(|gap| range[*gap].depth).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Change, Tree};

    fn path(number: u32) -> Path {
        Path::of(0, &number.to_be_bytes())
    }

    /// Every piece is as large as it may be, so memory follows the number of keys down as well as up.
    fn check(link: &Link) -> usize {
        match &link.node {
            Node::Bucket(entries) => {
                assert!((1..=BUCKET_LEAVES_MAX).contains(&entries.len()));
                entries.len()
            }
            Node::Inner(inner) => {
                let leaves = check(&inner.left) + check(&inner.right);
                assert!(leaves > BUCKET_LEAVES_MAX);
                leaves
            }
        }
    }

    #[test]
    fn buckets_split_and_merge_with_the_number_of_leaves() {
        let set = |number: u32| (path(number), Some(Digest([1; 32])));
        let mut changes: Vec<Change> = (0..5_000).map(set).collect();
        changes.sort_unstable();
        let mut tree = Tree::new();
        for some in changes.chunks(700) {
            tree = tree.apply(some);
            assert_eq!(tree.root.as_ref().map(check), Some(tree.len()));
        }
        // First every other key, then what is left from the lowest path on.
        let (even, odd): (Vec<_>, Vec<_>) = changes.chunks(2).map(|two| (two[0].0, two[1].0)).unzip();
        for removed in [&even[..], &odd[..1_000], &odd[1_000..]] {
            let removal: Vec<Change> = removed.iter().map(|path| (*path, None)).collect();
            tree = tree.apply(&removal);
            assert_eq!(tree.root.as_ref().map_or(0, check), tree.len());
        }
        assert!(tree.root.is_none());
    }
}
