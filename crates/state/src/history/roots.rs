//! The roots of all chunks at one height.

use super::HistoryError;
use crate::{Path, Sibling, Tree, hash};
use std::fmt;
use yulian_crypto::Digest;

/// The number of chunks: one for each first byte of a path.
pub const CHUNKS: usize = 256;

/// The longest encoding of [`ChunkRoots`], bytes: all chunks have keys.
pub const CHUNK_ROOTS_BYTES_MAX: usize = MAP_BYTES + CHUNKS * 32;

const MAP_BYTES: usize = CHUNKS / 8;

/// The root of every chunk after a block; [`Digest::ZERO`] where there are no keys. They fix the state root.
#[derive(Clone, PartialEq, Eq)]
pub struct ChunkRoots(Box<[Digest; CHUNKS]>);

impl ChunkRoots {
    /// The chunk roots of a tree. Touches only what is above the chunks, about 500 nodes of a large tree; hashes at most
    /// one leaf for each chunk, where there are few keys.
    pub fn of(tree: &Tree) -> Self {
        Self(Box::new(tree.roots_of_chunks()))
    }

    /// The root of the chunk of paths that start with the byte `first`.
    pub fn chunk(&self, first: u8) -> Digest {
        self.0[usize::from(first)]
    }

    /// The state root: up to 255 hashes.
    pub fn root(&self) -> Digest {
        fold(&self.0[..], 0)
    }

    /// The chunk in which following the bits of `path` ends: its own if that has keys, else another; `None` if there are no
    /// keys at all. It is that chunk's undo records that a proof for the path needs.
    pub fn chunk_of(&self, path: &Path) -> Option<u8> {
        self.descend(path, |_, _| ())
    }

    /// The siblings of the nodes passed above the chunk, from the root down: up to 255 hashes.
    pub(super) fn siblings(&self, path: &Path) -> Vec<Sibling> {
        let mut siblings = Vec::new();
        self.descend(path, |depth, other| {
            let hash = fold(other, depth + 1);
            siblings.push(Sibling { depth, hash });
        });
        siblings
    }

    /// `pass` sees each node's depth and the chunks on the side not taken.
    fn descend(&self, path: &Path, mut pass: impl FnMut(u8, &[Digest])) -> Option<u8> {
        let (mut here, mut first) = (&self.0[..], 0);
        if empty(here) {
            return None;
        }
        for depth in 0..8 {
            let (left, right) = here.split_at(here.len() / 2);
            // Where one side is empty there is no node.
            let node = !empty(left) && !empty(right);
            let to_right = if node { path.bit(depth) } else { empty(left) };
            let (taken, other) = if to_right { (right, left) } else { (left, right) };
            if node {
                pass(depth, other);
            }
            first |= u8::from(to_right) << (7 - depth);
            here = taken;
        }
        Some(first)
    }

    /// A bit for each chunk that has keys, from the highest bit of the first byte on (32 bytes) ‖ the roots of these.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![0; MAP_BYTES];
        for (at, root) in self.0.iter().enumerate() {
            if *root != Digest::ZERO {
                out[at / 8] |= 0x80 >> (at % 8);
                out.extend_from_slice(&root.0);
            }
        }
        out
    }

    /// Reads what [`ChunkRoots::to_bytes`] wrote. What is read re-encodes to the same bytes.
    ///
    /// # Errors
    /// [`HistoryError::Roots`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HistoryError> {
        let wrong = || HistoryError::Roots(bytes.len());
        let (map, rest) = bytes.split_first_chunk::<MAP_BYTES>().ok_or_else(wrong)?;
        let (given, remainder) = rest.as_chunks::<32>();
        let mut given = given.iter().map(|root| Digest(*root));
        let mut roots = Box::new([Digest::ZERO; CHUNKS]);
        for (at, root) in roots.iter_mut().enumerate() {
            if map[at / 8] & 0x80 >> (at % 8) != 0 {
                // The root of a chunk that has keys is never zero.
                *root = given.next().filter(|root| *root != Digest::ZERO).ok_or_else(wrong)?;
            }
        }
        match (given.next(), remainder) {
            (None, []) => Ok(Self(roots)),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Debug for ChunkRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chunks = self.0.iter().filter(|root| **root != Digest::ZERO).count();
        f.debug_struct("ChunkRoots").field("with_keys", &chunks).finish()
    }
}

fn empty(chunks: &[Digest]) -> bool {
    chunks.iter().all(|root| *root == Digest::ZERO)
}

/// The root of the subtree of neighbouring chunks, a power of two, that have the first `depth` bits in common.
fn fold(chunks: &[Digest], depth: u8) -> Digest {
    if let [only] = chunks {
        return *only;
    }
    let (left, right) = chunks.split_at(chunks.len() / 2);
    let (left, right) = (fold(left, depth + 1), fold(right, depth + 1));
    if left == Digest::ZERO {
        right
    } else if right == Digest::ZERO {
        left
    } else {
        hash::node(&left, &right, depth)
    }
}
