//! Leaves that are not in memory, and how they come back.
//!
//! A *cold* bucket is what is left of one whose leaves were given up: its hash stands in the link to it, and here the
//! prefix that exactly these leaves have, and their number. Whoever keeps the values finds the leaves by the prefix again;
//! the hash says whether they are the right ones. So nothing can come back that was not there.

use super::{
    BUCKET_LEAVES_MAX, Tree,
    bucket::Bucket,
    chunk::CHUNK_BITS,
    merged::Merged,
    node::{Inner, Link, Node},
    plan::Plan,
};
use crate::{Path, Prefix};
use std::sync::Arc;
use yulian_crypto::Digest;

/// Bytes of a path that a cold bucket keeps; the last two say how many bits its leaves have in common, and how many they are.
const KEPT_BYTES: usize = 30;

/// Most bits of the prefix of a cold bucket. Paths are hashes: more in common have only keys that somebody has looked for, and
/// their leaves stay in memory.
const BITS_MAX: u8 = (KEPT_BYTES * 8) as u8;

/// Where the leaves of a cold bucket are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cold {
    /// The first bits of the leaves' paths, at least `bits`, then zeros.
    pub(super) first: Path,
    /// All leaves of the tree whose paths have these first bits are in the bucket, and no others.
    pub(super) bits: u8,
    /// Number of leaves.
    pub(super) leaves: u8,
}

impl Cold {
    /// What is left of a bucket below a node that decides bit `bits` − 1; `None` if it is to stay. A bucket in several chunks
    /// stays, since their roots are asked for with every block.
    pub(super) fn of(link: &Link, bucket: &Bucket, bits: u16) -> Option<Self> {
        let bits = fitting(bits)?;
        let mut first = *link.first_path().as_bytes();
        first[KEPT_BYTES..].fill(0);
        Some(Self {
            first: Path::from_bytes(first),
            bits,
            leaves: bucket.count() as u8,
        })
    }

    /// Two cold buckets that fit into one, below a node that decides bit `bits` − 1.
    pub(super) fn merged(left: &Link, right: &Link, bits: u16) -> Option<Self> {
        let bits = fitting(bits)?;
        let (Node::Bucket(left), Node::Bucket(right)) = (&left.node, &right.node) else {
            return None;
        };
        let (left, right) = (left.as_cold()?, right.as_cold()?);
        let leaves = left.leaves + right.leaves;
        let first = left.first;
        (usize::from(leaves) <= BUCKET_LEAVES_MAX).then_some(Self { first, bits, leaves })
    }

    /// First bits of the paths (30 bytes) ‖ number of bits (1) ‖ number of leaves (1).
    pub(super) fn encode(&self) -> Digest {
        let mut bytes = *self.first.as_bytes();
        bytes[KEPT_BYTES..].copy_from_slice(&[self.bits, self.leaves]);
        Digest(bytes)
    }

    pub(super) fn decode(digest: &Digest) -> Self {
        let mut first = digest.0;
        let [bits, leaves] = [first[KEPT_BYTES], first[KEPT_BYTES + 1]];
        first[KEPT_BYTES..].fill(0);
        let first = Path::from_bytes(first);
        Self { first, bits, leaves }
    }

    pub(super) fn prefix(&self) -> Prefix {
        Prefix::of(&self.first, self.bits)
    }
}

fn fitting(bits: u16) -> Option<u8> {
    let bits = u8::try_from(bits).ok()?;
    (CHUNK_BITS..=BITS_MAX).contains(&bits).then_some(bits)
}

/// All leaves under a prefix, which [`Tree::missing`] named: path and value hash, in ascending order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The prefix.
    pub prefix: Prefix,
    /// Every path with the prefix that has a value.
    pub leaves: Vec<(Path, Digest)>,
}

/// What was found under a prefix is not what the tree has there: it is of another version, or damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the values under the prefix {0} are not those of the tree")]
pub struct WrongLeaves(pub Prefix);

impl Tree {
    /// The prefixes of leaves that are not in memory and that reading, proving or changing something at `paths` needs:
    /// ascending, each once. Nothing if everything is there; costs nothing where the tree has no limit.
    pub fn missing<'a>(&self, paths: impl IntoIterator<Item = &'a Path>) -> Vec<Prefix> {
        match &self.root {
            Some(link) if self.cold() > 0 => missing(link, paths),
            _ => Vec::new(),
        }
    }

    /// The same version with the leaves under some prefixes in memory, whatever its limit; `found` comes in the order of
    /// [`Tree::missing`], of which it may be a part. The next version keeps to the limit again.
    ///
    /// # Errors
    /// [`WrongLeaves`] if something else was found than what the tree has there.
    pub fn fill(&self, found: &[Found]) -> Result<Self, WrongLeaves> {
        let Some(root) = &self.root else {
            return found
                .first()
                .map_or(Ok(self.clone()), |first| Err(WrongLeaves(first.prefix)));
        };
        let (root, leaves) = fill(root, found)?;
        let mut filled = self.clone();
        filled.root = Some(root);
        filled.share.cold -= leaves;
        Ok(filled)
    }
}

/// See [`Tree::missing`].
pub(super) fn missing<'a>(link: &Link, paths: impl IntoIterator<Item = &'a Path>) -> Vec<Prefix> {
    let cold = paths.into_iter().filter_map(|path| link.cold(path));
    let mut prefixes: Vec<Prefix> = cold.map(|cold| cold.prefix()).collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    prefixes
}

/// See [`Tree::fill`]; with the number of leaves that came back.
pub(super) fn fill(link: &Link, found: &[Found]) -> Result<(Link, usize), WrongLeaves> {
    let mut plan = Plan::default();
    let mut merged = Merged::default();
    let mut parts = Vec::with_capacity(found.len());
    for one in found {
        check(one)?;
        merged.clear();
        one.leaves.iter().for_each(|(path, value)| merged.push(path, *value));
        let (leaves, changed) = merged.leaves();
        parts.push(plan.subtree(leaves, changed));
    }
    let links = plan.finish_all(&parts);
    let found: Vec<_> = found.iter().map(|one| one.prefix).zip(links).collect();
    let mut leaves = 0;
    let link = replace(link, &found, &mut leaves)?;
    Ok((link, leaves))
}

/// Whether the leaves can be those of one bucket.
fn check(found: &Found) -> Result<(), WrongLeaves> {
    let Found { prefix, leaves } = found;
    let ascend = leaves.windows(2).all(|pair| pair[0].0 < pair[1].0);
    let inside = leaves.iter().all(|(path, _)| prefix.holds(path));
    let fits = (1..=BUCKET_LEAVES_MAX).contains(&leaves.len());
    if ascend && inside && fits {
        Ok(())
    } else {
        Err(WrongLeaves(*prefix))
    }
}

/// The subtree with some buckets in place of the cold ones with the same prefixes and hashes.
fn replace(link: &Link, found: &[(Prefix, Link)], leaves: &mut usize) -> Result<Link, WrongLeaves> {
    let Some((prefix, bucket)) = found.first() else {
        return Ok(link.clone());
    };
    let inner = match &link.node {
        Node::Inner(inner) => inner,
        Node::Bucket(old) => {
            let here = old.as_cold().filter(|cold| cold.prefix() == *prefix);
            return match here {
                Some(cold) if found.len() == 1 && link.hash == bucket.hash => {
                    *leaves += usize::from(cold.leaves);
                    Ok(bucket.clone())
                }
                _ => Err(WrongLeaves(*prefix)),
            };
        }
    };
    let middle = found.partition_point(|(prefix, _)| !prefix.first().bit(inner.depth));
    let (left, right) = found.split_at(middle);
    let left = replace(&inner.left, left, leaves)?;
    let right = replace(&inner.right, right, leaves)?;
    Ok(Link {
        hash: link.hash,
        node: Node::Inner(Arc::new(Inner::new(inner.depth, left, right))),
    })
}
