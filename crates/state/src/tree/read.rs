//! Looking things up in a version.

use super::{
    bucket::{Bucket, Leaves},
    cold::Cold,
    node::{Link, Node},
};
use crate::{Path, Proof, Sibling};
use yulian_crypto::Digest;

impl Link {
    pub(super) fn get(&self, path: &Path) -> Option<Digest> {
        let leaves = self.bucket(path, |_, _| ()).leaves();
        leaves.find(path).ok().map(|at| leaves.values[at])
    }

    pub(super) fn prove(&self, path: &Path) -> Proof {
        let mut siblings = Vec::new();
        let bucket = self.bucket(path, |depth, other| {
            let hash = other.hash;
            siblings.push(Sibling { depth, hash });
        });
        let leaf = Some(descend(bucket.leaves(), path, &mut siblings));
        Proof { siblings, leaf }
    }

    /// The path of the leftmost leaf: all leaves share the bits above the top's depth with it. If it is not in memory, its first
    /// bits, which are more than these.
    pub(super) fn first_path(&self) -> Path {
        let mut link = self;
        loop {
            match &link.node {
                Node::Inner(inner) => link = &inner.left,
                Node::Bucket(bucket) => {
                    let here = || Path::from_bytes(bucket.leaves().paths[0].0);
                    return bucket.as_cold().map_or_else(here, |cold| cold.first);
                }
            }
        }
    }

    /// The place of the leaves where the bits of `path` lead, if they are not in memory.
    pub(super) fn cold(&self, path: &Path) -> Option<Cold> {
        self.bucket(path, |_, _| ()).as_cold()
    }

    /// The bucket where the bits of `path` lead; `pass` sees each node's depth and the side not taken.
    fn bucket(&self, path: &Path, mut pass: impl FnMut(u8, &Link)) -> &Bucket {
        let mut link = self;
        loop {
            match &link.node {
                Node::Bucket(bucket) => return bucket,
                Node::Inner(inner) => {
                    let (taken, other) = if path.bit(inner.depth) {
                        (&inner.right, &inner.left)
                    } else {
                        (&inner.left, &inner.right)
                    };
                    pass(inner.depth, other);
                    link = taken;
                }
            }
        }
    }
}

/// Path and value hash of the leaf where the bits of `path` lead. A bucket is never empty.
fn descend(mut leaves: Leaves<'_>, path: &Path, siblings: &mut Vec<Sibling>) -> (Path, Digest) {
    while leaves.len() > 1 {
        let (depth, middle) = leaves.top();
        let (left, right) = leaves.split(middle);
        let (taken, other) = if path.bit(depth) { (right, left) } else { (left, right) };
        let hash = other.hash();
        siblings.push(Sibling { depth, hash });
        leaves = taken;
    }
    (Path::from_bytes(leaves.paths[0].0), leaves.values[0])
}
