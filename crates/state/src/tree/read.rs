//! Looking things up in a version.

use super::node::{Entry, Link, Node, top_gap};
use crate::{Path, Proof, Sibling};
use yulian_crypto::Digest;

impl Link {
    pub(super) fn get(&self, path: &Path) -> Option<Digest> {
        let entries = self.bucket(path, |_, _| ());
        let at = entries.binary_search_by(|entry| entry.path.cmp(path));
        at.ok().map(|at| entries[at].value)
    }

    pub(super) fn prove(&self, path: &Path) -> Proof {
        let mut siblings = Vec::new();
        let entries = self.bucket(path, |depth, other| {
            let hash = other.hash;
            siblings.push(Sibling { depth, hash });
        });
        let reached = descend(entries, path, &mut siblings);
        let leaf = Some((reached.path, reached.value));
        Proof { siblings, leaf }
    }

    /// The path of the leftmost leaf: all leaves share the bits above the top's depth with it.
    pub(super) fn first_path(&self) -> &Path {
        let mut link = self;
        loop {
            match &link.node {
                Node::Inner(inner) => link = &inner.left,
                Node::Bucket(entries) => return &entries[0].path,
            }
        }
    }

    /// The bucket where the bits of `path` lead; `pass` sees each node's depth and the side not taken.
    fn bucket(&self, path: &Path, mut pass: impl FnMut(u8, &Link)) -> &[Entry] {
        let mut link = self;
        loop {
            match &link.node {
                Node::Bucket(entries) => return entries,
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

/// The leaf of the bucket where the bits of `path` lead. A bucket is never empty.
fn descend<'a>(entries: &'a [Entry], path: &Path, siblings: &mut Vec<Sibling>) -> &'a Entry {
    let mut range = entries;
    while range.len() > 1 {
        let gap = top_gap(range);
        let depth = range[gap].depth;
        let (left, right) = range.split_at(gap + 1);
        let (taken, other) = if path.bit(depth) { (right, left) } else { (left, right) };
        let hash = range_hash(other);
        siblings.push(Sibling { depth, hash });
        range = taken;
    }
    &range[0]
}

fn range_hash(range: &[Entry]) -> Digest {
    if range.len() == 1 {
        range[0].leaf
    } else {
        range[top_gap(range)].inner
    }
}
