//! Hashes that wait until there are many of them.

use crate::hash::{LeafMessage, NodeMessage, leaf_message, node_message};
use yulian_crypto::{Digest, sm3};

/// Messages hashed at a time: enough for the widest lanes, few enough to stay in the nearest cache.
const BATCH: usize = 256;

/// A hash that is known or will be: its number, and how many steps it is above what is known.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    at: u32,
    height: u8,
}

impl Slot {
    pub(super) fn at(self) -> usize {
        self.at as usize
    }
}

/// A node whose hash is wanted, by the numbers of its sides' hashes and of its own.
struct Job {
    left: u32,
    right: u32,
    out: u32,
    depth: u8,
}

#[derive(Default)]
pub(super) struct Hashing {
    hashes: Vec<Digest>,
    /// Leaves not hashed yet; those already hashed, in batches, are in `hashes`.
    leaves: Vec<LeafMessage>,
    leaf_slots: Vec<u32>,
    /// The nodes at height 1, 2 and so on: all that they need lies below.
    levels: Vec<Vec<Job>>,
    messages: Vec<NodeMessage>,
}

impl Hashing {
    fn slot(&mut self, hash: Digest, height: u8) -> Slot {
        let at = self.hashes.len() as u32;
        self.hashes.push(hash);
        Slot { at, height }
    }

    pub(super) fn known(&mut self, hash: Digest) -> Slot {
        self.slot(hash, 0)
    }

    pub(super) fn leaf(&mut self, path: &Digest, value: &Digest) -> Slot {
        let slot = self.slot(Digest::ZERO, 0);
        self.leaves.push(leaf_message(path, value));
        self.leaf_slots.push(slot.at);
        if self.leaves.len() == BATCH {
            self.hash_leaves();
        }
        slot
    }

    pub(super) fn node(&mut self, left: Slot, right: Slot, depth: u8) -> Slot {
        // Depths strictly rise towards the leaves: at 256 there can only be the root, whose height nobody asks for.
        let below = usize::from(left.height.max(right.height));
        let slot = self.slot(Digest::ZERO, (below + 1).min(255) as u8);
        if self.levels.len() <= below {
            self.levels.resize_with(below + 1, Vec::new);
        }
        self.levels[below].push(Job {
            left: left.at,
            right: right.at,
            out: slot.at,
            depth,
        });
        slot
    }

    fn hash_leaves(&mut self) {
        let hashes = sm3::hash_equal(&self.leaves);
        for (slot, hash) in self.leaf_slots.drain(..).zip(hashes) {
            self.hashes[slot as usize] = hash;
        }
        self.leaves.clear();
    }

    /// All hashes, by number.
    pub(super) fn run(&mut self) -> &[Digest] {
        self.hash_leaves();
        for level in &mut self.levels {
            for jobs in level.chunks(BATCH) {
                hash_nodes(&mut self.hashes, jobs, &mut self.messages);
            }
            level.clear();
        }
        &self.hashes
    }

    /// Forgets all hashes, but not the memory they took.
    pub(super) fn clear(&mut self) {
        self.hashes.clear();
    }
}

fn hash_nodes(hashes: &mut [Digest], jobs: &[Job], messages: &mut Vec<NodeMessage>) {
    messages.clear();
    messages.extend(jobs.iter().map(|job| {
        let (left, right) = (&hashes[job.left as usize], &hashes[job.right as usize]);
        node_message(left, right, job.depth)
    }));
    for (job, hash) in jobs.iter().zip(sm3::hash_equal(messages)) {
        hashes[job.out as usize] = hash;
    }
}
