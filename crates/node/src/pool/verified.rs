//! Which transactions had their signatures verified by this node.

use std::collections::HashSet;
use yulian_types::Digest;

/// Leaf digests of verified transactions, newest ones kept: a leaf commits to the id and to every signature byte, so a
/// known leaf need not be verified again. Holds between one and two times its capacity.
#[derive(Debug)]
pub struct Verified {
    young: HashSet<Digest>,
    old: HashSet<Digest>,
    capacity: usize,
}

impl Verified {
    /// Remembers at least the last `capacity` leaves.
    pub fn new(capacity: usize) -> Self {
        Self {
            young: HashSet::new(),
            old: HashSet::new(),
            capacity,
        }
    }

    /// Remembers a leaf whose signatures this node has verified.
    pub fn insert(&mut self, leaf: Digest) {
        if self.young.len() >= self.capacity {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(leaf);
    }

    /// Whether the leaf is remembered.
    pub fn contains(&self, leaf: &Digest) -> bool {
        self.young.contains(leaf) || self.old.contains(leaf)
    }
}
