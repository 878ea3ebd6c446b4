//! The parts that versions share.

use super::bucket::Bucket;
use std::sync::Arc;
use yulian_crypto::Digest;

/// A subtree with its hash. The hash is kept with the link, so that a node's hash is computed without touching
/// the children.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) hash: Digest,
    pub(super) node: Node,
}

/// A subtree: with up to [`super::BUCKET_LEAVES_MAX`] leaves always one bucket, with more always a node. Only where leaves
/// are not in memory a node may have fewer: buckets merge when both are there, or when both are not.
///
/// Depths rise from node to node, so no chain of nodes is longer than 256 and dropping a tree
/// recurses no deeper, however large it is.
#[derive(Clone)]
pub(super) enum Node {
    Bucket(Bucket),
    Inner(Arc<Inner>),
}

/// A node above buckets.
pub(super) struct Inner {
    pub(super) depth: u8,
    /// Nothing below is in memory. Where it is not set, that may be so all the same.
    pub(super) cold: bool,
    pub(super) left: Link,
    pub(super) right: Link,
}

impl Inner {
    pub(super) fn new(depth: u8, left: Link, right: Link) -> Self {
        let cold = false;
        Self {
            depth,
            cold,
            left,
            right,
        }
    }
}

impl Node {
    /// How many links lead to it.
    pub(super) fn owners(&self) -> usize {
        match self {
            Node::Bucket(bucket) => bucket.owners(),
            Node::Inner(inner) => Arc::strong_count(inner),
        }
    }
}

// With the two counters of an `Arc` a node takes 120 bytes: the budget of a key counts on it.
const _: () = assert!(size_of::<Link>() == 48 && size_of::<Inner>() == 104);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BUCKET_LEAVES_MAX, Change, Path, Tree};

    fn path(number: u32) -> Path {
        Path::of(0, &number.to_be_bytes())
    }

    /// Every piece is as large as it may be, so memory follows the number of keys down as well as up.
    fn check(link: &Link) -> usize {
        match &link.node {
            Node::Bucket(bucket) => {
                assert!((1..=BUCKET_LEAVES_MAX).contains(&bucket.len()));
                assert_eq!(bucket.leaves().hash(), link.hash);
                bucket.len()
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

    fn bytes(link: &Link) -> usize {
        match &link.node {
            Node::Bucket(bucket) => bucket.bytes(),
            Node::Inner(inner) => {
                2 * size_of::<usize>() + size_of::<Inner>() + bytes(&inner.left) + bytes(&inner.right)
            }
        }
    }

    #[test]
    fn a_key_takes_what_the_budget_says() {
        // How full buckets are on average depends on where the number of keys lies between powers of two.
        for keys in [65_536, 92_000, 110_000] {
            let mut leaves: Vec<_> = (0..keys).map(|number| (path(number), Digest([1; 32]))).collect();
            leaves.sort_unstable();
            let all = bytes(Tree::from_sorted(leaves).root.as_ref().unwrap());
            let tenths = all * 10 / keys as usize;
            assert!(
                (990..=1020).contains(&tenths),
                "{keys} keys: {tenths} tenths of a byte each"
            );
        }
    }

    fn same(one: &Link, other: &Link) -> bool {
        match (&one.node, &other.node) {
            (Node::Inner(one), Node::Inner(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    #[test]
    fn what_does_not_change_is_shared() {
        let set = |number: u32| (path(number), Some(Digest([1; 32])));
        let mut changes: Vec<Change> = (0..5_000).map(set).collect();
        changes.sort_unstable();
        let tree = Tree::new().apply(&changes);
        let root = tree.root.as_ref().unwrap();
        // What is there already, and the removal of what is not there.
        let mut idle: Vec<Change> = (4_000..6_000)
            .map(|number| (path(number), (number < 5_000).then_some(Digest([1; 32]))))
            .collect();
        idle.sort_unstable();
        assert!(same(root, tree.apply(&idle).root.as_ref().unwrap()));
        // With one leaf changed, the other side of the root stays.
        let next = tree.apply(&[(changes[0].0, Some(Digest([2; 32])))]);
        let (Node::Inner(old), Node::Inner(new)) = (&root.node, &next.root.as_ref().unwrap().node) else {
            unreachable!("thousands of leaves")
        };
        assert!(same(&old.right, &new.right) && !same(&old.left, &new.left));
    }
}
