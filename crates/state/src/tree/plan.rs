//! The parts of a new version before their hashes are known.
//!
//! SM3 is fast when many messages are hashed side by side. So the parts are put together first, with numbers in
//! place of hashes; then all leaves are hashed at once, then the nodes by height above them; last the
//! hashes go where they belong.

use super::{
    BUCKET_LEAVES_MAX,
    bucket::{Bucket, Leaves},
    hashing::{Hashing, Slot},
    node::{Inner, Link, Node},
};
use std::{ops::Range, sync::Arc};
use yulian_crypto::Digest;

/// A subtree of the new version: one of the old version, or the number of a new part.
#[derive(Clone, Copy)]
pub(super) enum Part<'a> {
    Old(&'a Link),
    New(u32),
}

impl Part<'_> {
    pub(super) fn is(&self, link: &Link) -> bool {
        matches!(self, Part::Old(old) if std::ptr::eq(*old, link))
    }
}

struct New<'a> {
    slot: Slot,
    content: Content<'a>,
}

enum Content<'a> {
    /// A bucket with the node hashes that it still lacks, a range of `patches`.
    Bucket(Bucket, Range<usize>),
    Inner(u8, Part<'a>, Part<'a>),
}

/// A bucket's node hash `gap` is to be that of `slot`.
#[derive(Clone, Copy)]
struct Patch {
    gap: u32,
    slot: Slot,
}

#[derive(Default)]
pub(super) struct Plan<'a> {
    hashing: Hashing,
    /// Every part comes after those it consists of.
    parts: Vec<New<'a>>,
    patches: Vec<Patch>,
    /// The finished parts that no node has taken yet.
    done: Vec<(Digest, Option<Node>)>,
    scratch: Vec<Digest>,
}

impl<'a> Plan<'a> {
    /// A subtree of at least one leaf. A node hash is up to date unless a leaf under it is marked in `changed`.
    pub(super) fn subtree(&mut self, leaves: Leaves<'_>, changed: &[bool]) -> Part<'a> {
        if leaves.len() <= BUCKET_LEAVES_MAX {
            let bucket = Bucket::new(leaves, &mut self.scratch);
            return self.bucket(bucket, changed);
        }
        let (depth, middle) = leaves.top();
        let (left, right) = leaves.split(middle);
        let (left_changed, right_changed) = changed.split_at(middle);
        let left = self.subtree(left, left_changed);
        let right = self.subtree(right, right_changed);
        self.node(depth, left, right)
    }

    /// A new bucket, some of whose leaves have changed.
    pub(super) fn bucket(&mut self, bucket: Bucket, changed: &[bool]) -> Part<'a> {
        let start = self.patches.len();
        let slot = self.rehash(bucket.leaves(), changed, 0);
        self.add(slot, Content::Bucket(bucket, start..self.patches.len()))
    }

    /// The hash of leaves of which the first is number `at` in its bucket.
    fn rehash(&mut self, leaves: Leaves<'_>, changed: &[bool], at: usize) -> Slot {
        if leaves.len() == 1 {
            return self.hashing.leaf(&leaves.paths[0], &leaves.values[0]);
        }
        let (depth, middle) = leaves.top();
        if !changed.contains(&true) {
            return self.hashing.known(leaves.nodes[middle - 1]);
        }
        let (left, right) = leaves.split(middle);
        let (left_changed, right_changed) = changed.split_at(middle);
        let left = self.rehash(left, left_changed, at);
        let right = self.rehash(right, right_changed, at + middle);
        let slot = self.hashing.node(left, right, depth);
        let gap = (at + middle - 1) as u32;
        self.patches.push(Patch { gap, slot });
        slot
    }

    /// The subtree of two sides that differ at `depth`, or the one side there is.
    pub(super) fn join(&mut self, depth: u8, left: Option<Part<'a>>, right: Option<Part<'a>>) -> Option<Part<'a>> {
        match (left, right) {
            (Some(left), Some(right)) => Some(self.node(depth, left, right)),
            (left, right) => left.or(right),
        }
    }

    fn node(&mut self, depth: u8, left: Part<'a>, right: Part<'a>) -> Part<'a> {
        let (left_slot, right_slot) = (self.slot(left), self.slot(right));
        let slot = self.hashing.node(left_slot, right_slot, depth);
        let few = match (self.as_bucket(left), self.as_bucket(right)) {
            (Some((one, _)), Some((other, _))) => one.len() + other.len() <= BUCKET_LEAVES_MAX,
            _ => false,
        };
        let content = if few {
            self.merge(left, right, slot)
        } else {
            Content::Inner(depth, left, right)
        };
        self.add(slot, content)
    }

    /// Two buckets that fit into one, under the node of `slot`.
    fn merge(&mut self, left: Part<'a>, right: Part<'a>, slot: Slot) -> Content<'a> {
        let (Some((left, left_patches)), Some((right, right_patches))) = (self.as_bucket(left), self.as_bucket(right))
        else {
            unreachable!("only buckets are merged")
        };
        let (one, other) = (left.leaves(), right.leaves());
        let (paths, values) = ([one.paths, other.paths].concat(), [one.values, other.values].concat());
        let nodes = [one.nodes, &[Digest::ZERO], other.nodes].concat();
        let middle = one.len() as u32;
        let start = self.patches.len();
        self.patches.extend_from_within(left_patches);
        let moved = self.patches.len();
        self.patches.extend_from_within(right_patches);
        for patch in &mut self.patches[moved..] {
            patch.gap += middle;
        }
        let gap = middle - 1;
        self.patches.push(Patch { gap, slot });
        let leaves = Leaves {
            paths: &paths,
            values: &values,
            nodes: &nodes,
        };
        Content::Bucket(Bucket::new(leaves, &mut self.scratch), start..self.patches.len())
    }

    /// A bucket in memory: others are not merged.
    fn as_bucket(&self, part: Part<'a>) -> Option<(&Bucket, Range<usize>)> {
        match part {
            Part::Old(link) => match &link.node {
                Node::Bucket(bucket) if !bucket.is_cold() => Some((bucket, 0..0)),
                _ => None,
            },
            Part::New(at) => match &self.parts[at as usize].content {
                Content::Bucket(bucket, patches) => Some((bucket, patches.clone())),
                Content::Inner(..) => None,
            },
        }
    }

    fn slot(&mut self, part: Part<'a>) -> Slot {
        match part {
            Part::Old(link) => self.hashing.known(link.hash),
            Part::New(at) => self.parts[at as usize].slot,
        }
    }

    fn add(&mut self, slot: Slot, content: Content<'a>) -> Part<'a> {
        let at = self.parts.len() as u32;
        self.parts.push(New { slot, content });
        Part::New(at)
    }

    /// Hashes everything and puts the parts together. The plan is empty afterwards.
    pub(super) fn finish(&mut self, root: Part<'a>) -> Option<Link> {
        self.put_together();
        let link = take(&mut self.done, root);
        self.done.clear();
        link
    }

    /// [`Plan::finish`] for several subtrees at once.
    pub(super) fn finish_all(&mut self, roots: &[Part<'a>]) -> Vec<Link> {
        self.put_together();
        let links = roots.iter().filter_map(|root| take(&mut self.done, *root)).collect();
        self.done.clear();
        links
    }

    fn put_together(&mut self) {
        let hashes = self.hashing.run();
        for New { slot, content } in self.parts.drain(..) {
            let node = match content {
                Content::Bucket(mut bucket, range) => {
                    patch(&mut bucket, &self.patches[range], hashes);
                    Some(Node::Bucket(bucket))
                }
                Content::Inner(depth, left, right) => {
                    let (left, right) = (take(&mut self.done, left), take(&mut self.done, right));
                    inner(depth, left, right)
                }
            };
            self.done.push((hashes[slot.at()], node));
        }
        self.patches.clear();
        self.hashing.clear();
    }
}

fn patch(bucket: &mut Bucket, patches: &[Patch], hashes: &[Digest]) {
    // Nobody else has had a chance to take a share in it.
    if let Some((_, nodes)) = bucket.edit() {
        for patch in patches {
            nodes[patch.gap as usize] = hashes[patch.slot.at()];
        }
    }
}

/// A part belongs to one node only.
fn take(done: &mut [(Digest, Option<Node>)], part: Part<'_>) -> Option<Link> {
    match part {
        Part::Old(link) => Some(link.clone()),
        Part::New(at) => {
            let (hash, node) = &mut done[at as usize];
            node.take().map(|node| Link { hash: *hash, node })
        }
    }
}

fn inner(depth: u8, left: Option<Link>, right: Option<Link>) -> Option<Node> {
    let (left, right) = (left?, right?);
    Some(Node::Inner(Arc::new(Inner::new(depth, left, right))))
}
