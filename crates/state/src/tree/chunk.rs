//! The parts of a tree below its first eight bits.

use super::{
    Change, Tree,
    apply::apply,
    bucket::Bucket,
    cold::{Found, WrongLeaves, fill, missing},
    node::{Link, Node},
};
use crate::{Path, Prefix, Proof, workers::OneThread};
use yulian_crypto::Digest;

/// Bits that the paths of a chunk have in common.
pub(super) const CHUNK_BITS: u8 = 8;

/// The subtree of all paths with one first byte. It may be empty.
#[derive(Clone, Default)]
pub(crate) struct Chunk(Option<Link>);

impl Chunk {
    pub(crate) fn root(&self) -> Digest {
        self.0.as_ref().map_or(Digest::ZERO, |link| link.hash)
    }

    /// The chunk after changes to paths in it, in strictly ascending order.
    pub(crate) fn apply(&self, changes: &[Change]) -> Self {
        Self(apply(self.0.as_ref(), changes, false, &OneThread).root)
    }

    /// See [`Tree::missing`].
    pub(crate) fn missing<'a>(&self, paths: impl IntoIterator<Item = &'a Path>) -> Vec<Prefix> {
        self.0.as_ref().map_or_else(Vec::new, |link| missing(link, paths))
    }

    /// See [`Tree::fill`].
    pub(crate) fn fill(&self, found: &[Found]) -> Result<Self, WrongLeaves> {
        Ok(match &self.0 {
            None => Self(None),
            Some(link) => Self(Some(fill(link, found)?.0)),
        })
    }

    /// The proof below the chunk's root.
    pub(crate) fn prove(&self, path: &Path) -> Option<Proof> {
        self.0.as_ref().map(|link| link.prove(path))
    }
}

impl Tree {
    /// The subtree of the paths whose first byte is `first`.
    pub(crate) fn chunk(&self, first: u8) -> Chunk {
        Chunk(self.root.as_ref().and_then(|link| link.chunk(first)))
    }

    /// The roots of all 256 chunks, by first byte.
    pub(crate) fn roots_of_chunks(&self) -> [Digest; 256] {
        let mut roots = [Digest::ZERO; 256];
        if let Some(link) = &self.root {
            link.roots_of_chunks(0, 0, &mut roots);
        }
        roots
    }
}

impl Link {
    fn chunk(&self, first: u8) -> Option<Self> {
        let mut link = self;
        loop {
            match &link.node {
                Node::Inner(inner) if inner.depth < CHUNK_BITS => {
                    let right = first >> (7 - inner.depth) & 1 == 1;
                    link = if right { &inner.right } else { &inner.left };
                }
                Node::Inner(_) => return (link.first_path().as_bytes()[0] == first).then(|| link.clone()),
                // Such a bucket never lies in several chunks.
                Node::Bucket(bucket) if bucket.is_cold() => {
                    return (link.first_path().as_bytes()[0] == first).then(|| link.clone());
                }
                Node::Bucket(bucket) => {
                    let leaves = bucket.leaves().starting_with(first)?;
                    let (hash, bucket) = (leaves.hash(), Bucket::new(leaves, &mut Vec::new()));
                    let node = Node::Bucket(bucket);
                    return Some(Self { hash, node });
                }
            }
        }
    }

    /// Enters the roots of the chunks below; the `known` leading bits of `first` are those of all paths here.
    fn roots_of_chunks(&self, first: u8, known: u8, roots: &mut [Digest; 256]) {
        let inner = match &self.node {
            Node::Bucket(bucket) => match bucket.as_cold() {
                None => return bucket.roots_of_chunks(roots),
                Some(cold) => {
                    roots[usize::from(cold.first.as_bytes()[0])] = self.hash;
                    return;
                }
            },
            Node::Inner(inner) => inner,
        };
        // Where bits are skipped, only a leaf tells what they are: that is rare.
        let skipped = inner.depth.min(CHUNK_BITS) > known;
        let first = if skipped {
            self.first_path().as_bytes()[0]
        } else {
            first
        };
        if inner.depth >= CHUNK_BITS {
            roots[usize::from(first)] = self.hash;
            return;
        }
        let bit = 0x80 >> inner.depth;
        inner.left.roots_of_chunks(first & !bit, inner.depth + 1, roots);
        inner.right.roots_of_chunks(first | bit, inner.depth + 1, roots);
    }
}

impl Bucket {
    /// A bucket lies in several chunks where there are few keys.
    fn roots_of_chunks(&self, roots: &mut [Digest; 256]) {
        let leaves = self.leaves();
        let mut last = None;
        for first in leaves.paths.iter().map(|path| path.0[0]) {
            if last.replace(first) != Some(first)
                && let Some(chunk) = leaves.starting_with(first)
            {
                roots[usize::from(first)] = chunk.hash();
            }
        }
    }
}
