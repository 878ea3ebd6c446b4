//! Keeping a tree within its memory.

use super::{
    Tree,
    bucket::Bucket,
    cold::Cold,
    node::{Inner, Link, Node},
};
use crate::Path;
use std::sync::Arc;

/// What a leaf in memory takes, with its share of the nodes above.
const LEAF_BYTES: usize = 101;
/// What a leaf takes that is not in memory: its share of what is left of its bucket, and of the nodes above.
const COLD_LEAF_BYTES: usize = 8;

/// What of a tree is in memory, and what may be. The versions that come of one inherit it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Share {
    /// Number of leaves that are not in memory.
    pub(super) cold: usize,
    /// Bytes that the tree may take.
    limit: Option<usize>,
    /// Where the last sweep ended.
    hand: Option<Path>,
}

impl Share {
    pub(super) fn of_halves(lower: &Self, upper: &Self) -> Self {
        Self {
            cold: lower.cold + upper.cold,
            limit: lower.limit.zip(upper.limit).map(|(one, other)| one + other),
            hand: None,
        }
    }
}

impl Tree {
    /// The same version within a limit of bytes, which all versions that are made of it keep to: leaves beyond it are
    /// not in memory. Root, proofs and all else are those of a tree without a limit. `None` lifts the limit; what
    /// is not in memory is then brought back as it is needed.
    ///
    /// The limit covers leaves and nodes of this version, as counted by [`Tree::bytes`]. What other versions do not share, and
    /// what [`Tree::fill`] has brought, comes on top. About 8 bytes a key always stay, and buckets of few keys in several chunks.
    pub fn within(mut self, limit: Option<usize>) -> Self {
        self.share.limit = limit;
        self.make_room();
        self
    }

    /// Memory that this version takes, bytes; an allocator's size classes come on top.
    pub fn bytes(&self) -> usize {
        let cold = self.share.cold;
        (self.len - cold) * LEAF_BYTES + cold * COLD_LEAF_BYTES
    }

    /// Number of keys that are not in memory.
    pub fn cold(&self) -> usize {
        self.share.cold
    }

    pub(super) fn make_room(&mut self) {
        if let Some(limit) = self.share.limit {
            self.shrink(limit, None);
        }
    }

    /// Gives up leaves until no more than `limit` bytes are left, or nothing that can be: in order of path, from where the
    /// last sweep ended, round to there. A bucket that was brought so stays for a whole round. All of that is a matter of
    /// time only. With `end`, nothing where that path leads and behind it.
    pub(super) fn shrink(&mut self, limit: usize, end: Option<&Path>) {
        let Some(root) = &self.root else {
            return;
        };
        let wanted = self
            .bytes()
            .saturating_sub(limit)
            .div_ceil(LEAF_BYTES - COLD_LEAF_BYTES);
        if wanted == 0 {
            return;
        }
        let from = self.share.hand;
        let rounds = match end {
            Some(_) => vec![(from.as_ref(), end)],
            None => vec![(from.as_ref(), None), (None, from.as_ref())],
        };
        let (mut root, mut sweep) = (root.clone(), Sweep::of(wanted));
        for (from, to) in rounds {
            root = sweep.subtree(&root, 0, from, to).unwrap_or(root);
        }
        self.root = Some(root);
        self.share.cold += sweep.given;
        self.share.hand = sweep.hand.or(from);
    }
}

/// Giving up leaves in order of path.
struct Sweep {
    /// Number of leaves to give up.
    wanted: usize,
    given: usize,
    /// The end of the last bucket given up.
    hand: Option<Path>,
}

impl Sweep {
    fn of(wanted: usize) -> Self {
        let (given, hand) = (0, None);
        Self { wanted, given, hand }
    }

    /// The subtree below a node that decides bit `bits` − 1, between the buckets where `from` and `to` lead, without the
    /// latter; `None` if all of it stays. The bounds are followed by their bits alone.
    fn subtree(&mut self, link: &Link, bits: u16, from: Option<&Path>, to: Option<&Path>) -> Option<Link> {
        if self.given >= self.wanted {
            return None;
        }
        match &link.node {
            Node::Bucket(bucket) if bucket.is_cold() || to.is_some() => None,
            Node::Bucket(bucket) => self.bucket(link, bucket, bits),
            Node::Inner(inner) if inner.cold => None,
            Node::Inner(inner) => self.inner(link, inner, bits, from, to),
        }
    }

    fn bucket(&mut self, link: &Link, bucket: &Bucket, bits: u16) -> Option<Link> {
        let cold = Cold::of(link, bucket, bits)?;
        self.given += usize::from(cold.leaves);
        self.hand = cold.prefix().end();
        Some(cold_link(link, &cold))
    }

    fn inner(&mut self, link: &Link, inner: &Inner, bits: u16, from: Option<&Path>, to: Option<&Path>) -> Option<Link> {
        let below = u16::from(inner.depth) + 1;
        let on_right = |bound: Option<&Path>| bound.map(|path| path.bit(inner.depth));
        let (starts_right, ends_right) = (on_right(from) == Some(true), on_right(to) == Some(true));
        let mut left = None;
        if !starts_right {
            let to = to.filter(|_| !ends_right);
            left = self.subtree(&inner.left, below, from, to);
        }
        let mut right = None;
        if on_right(to) != Some(false) {
            let from = from.filter(|_| starts_right);
            right = self.subtree(&inner.right, below, from, to);
        }
        let stays = left.is_none() && right.is_none();
        let left = left.unwrap_or_else(|| inner.left.clone());
        let right = right.unwrap_or_else(|| inner.right.clone());
        // Also where nothing was given up now: removals may have brought two sides together that both are cold.
        let cold = is_cold(&left) && is_cold(&right);
        if stays && !cold {
            return None;
        }
        if let Some(cold) = Cold::merged(&left, &right, bits) {
            return Some(cold_link(link, &cold));
        }
        let inner = Inner {
            cold,
            ..Inner::new(inner.depth, left, right)
        };
        Some(Link {
            hash: link.hash,
            node: Node::Inner(Arc::new(inner)),
        })
    }
}

fn cold_link(link: &Link, cold: &Cold) -> Link {
    Link {
        hash: link.hash,
        node: Node::Bucket(Bucket::cold(cold)),
    }
}

fn is_cold(link: &Link) -> bool {
    match &link.node {
        Node::Bucket(bucket) => bucket.is_cold(),
        Node::Inner(inner) => inner.cold,
    }
}
