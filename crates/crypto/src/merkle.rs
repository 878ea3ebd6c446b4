//! Merkle trees over SM3, with inclusion proofs that fix index and count.
//!
//! Shape as in RFC 9162, section 2.1.1: a tree of n leaves splits at the largest power of two below
//! n, so no leaf is ever doubled and no two lists of leaves share a tree. All hashes are tagged, so
//! no leaf can pass for a node, and the published root also commits to the number of leaves:
//!
//! ```text
//! leaf(data)        = SM3("ylMkLeaf" ‖ data)
//! node(left, right) = SM3("ylMkNode" ‖ left ‖ right)
//! root              = SM3("ylMkRoot" ‖ count as u64 big-endian ‖ top),  count ≥ 1
//! root of no leaves = 32 zero bytes
//! ```

use crate::sm3::{Digest, Tag, tagged, tagged_many, tagged_pairs};

/// Tag of a leaf made by [`leaf`].
pub const LEAF_TAG: &Tag = b"ylMkLeaf";
/// Tag of an inner node.
pub const NODE_TAG: &Tag = b"ylMkNode";
/// Tag of the published root.
pub const ROOT_TAG: &Tag = b"ylMkRoot";

/// The longest path there can be: a count is a u64.
pub const SIBLINGS_MAX: usize = 64;

/// The leaf of some bytes. A caller may instead supply any digest that has its own tag.
pub fn leaf(data: &[u8]) -> Digest {
    tagged(LEAF_TAG, &[data])
}

/// The [`leaf`] of each, in order, hashed side by side; the data may be in parts.
pub fn leaves<const PARTS: usize>(data: &[[&[u8]; PARTS]]) -> Vec<Digest> {
    tagged_many(LEAF_TAG, data)
}

fn node(left: &Digest, right: &Digest) -> Digest {
    tagged(NODE_TAG, &[left.as_ref(), right.as_ref()])
}

fn publish(count: u64, top: &Digest) -> Digest {
    tagged(ROOT_TAG, &[&count.to_be_bytes(), top.as_ref()])
}

/// The root of `leaves`, without keeping the tree: about n hashes, memory of n/2 digests.
pub fn root(leaves: &[Digest]) -> Digest {
    let mut level = next_level(leaves);
    while level.len() > 1 {
        level = next_level(&level);
    }
    level
        .first()
        .map_or(Digest::ZERO, |top| publish(leaves.len() as u64, top))
}

/// Pairs hashed, a last odd one carried up unchanged: the split of RFC 9162, seen from below.
fn next_level(level: &[Digest]) -> Vec<Digest> {
    let (pairs, odd) = level.as_chunks();
    let mut above = tagged_pairs(NODE_TAG, pairs);
    above.extend_from_slice(odd);
    above
}

/// All levels of a tree, to prove many leaves: twice the memory of the leaves.
#[derive(Debug, Clone)]
pub struct Tree {
    /// From the leaves up to the top; no level when there are no leaves.
    levels: Vec<Vec<Digest>>,
}

impl Tree {
    /// Builds the tree of `leaves`, in order.
    pub fn new(leaves: Vec<Digest>) -> Self {
        let mut levels = Vec::new();
        let mut level = leaves;
        while level.len() > 1 {
            let above = next_level(&level);
            levels.push(level);
            level = above;
        }
        if !level.is_empty() {
            levels.push(level);
        }
        Self { levels }
    }

    /// The number of leaves.
    pub fn count(&self) -> u64 {
        self.levels.first().map_or(0, Vec::len) as u64
    }

    /// The published root; [`root`] of the same leaves is equal.
    pub fn root(&self) -> Digest {
        self.levels
            .last()
            .map_or(Digest::ZERO, |top| publish(self.count(), &top[0]))
    }

    /// The proof that leaf `index` (from 0) is in the tree, or `None` when there is no such leaf.
    pub fn prove(&self, index: u64) -> Option<Proof> {
        if index >= self.count() {
            return None;
        }
        let siblings = self
            .levels
            .iter()
            .enumerate()
            .filter_map(|(height, level)| level.get((index as usize >> height) ^ 1))
            .copied()
            .collect();
        Some(Proof {
            index,
            count: self.count(),
            siblings,
        })
    }
}

/// That one leaf stands at one place of a list of known length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The leaf's place, from 0.
    pub index: u64,
    /// The number of leaves in the tree.
    pub count: u64,
    /// The other half at each level from the leaf up, where there is one; at most [`SIBLINGS_MAX`].
    pub siblings: Vec<Digest>,
}

impl Proof {
    /// Whether `leaf` stands at `index` among the `count` leaves under `root`.
    ///
    /// Foreign input of any kind only makes the answer no; the work is bounded by 66 hashes.
    pub fn verify(&self, root: &Digest, leaf: &Digest) -> bool {
        self.top(leaf).is_some_and(|top| publish(self.count, &top) == *root)
    }

    /// The digest the path leads to, if the path has exactly the length that index and count ask for.
    fn top(&self, leaf: &Digest) -> Option<Digest> {
        if self.index >= self.count || self.siblings.len() > SIBLINGS_MAX {
            return None;
        }
        let mut siblings = self.siblings.iter();
        let mut here = *leaf;
        // `last` is the index of the last node of the current level.
        let (mut index, mut last) = (self.index, self.count - 1);
        while last > 0 {
            if index & 1 == 1 {
                here = node(siblings.next()?, &here);
            } else if index < last {
                here = node(&here, siblings.next()?);
            }
            index >>= 1;
            last >>= 1;
        }
        siblings.next().is_none().then_some(here)
    }
}
