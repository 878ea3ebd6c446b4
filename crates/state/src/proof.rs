//! Proofs that a key has a value, or has none.

use crate::{PATH_BITS, Path, hash};
use yulian_crypto::Digest;

/// The most siblings a proof can have: one per bit of a path.
pub const PROOF_LEVELS_MAX: usize = PATH_BITS;

/// The longest encoded proof, bytes. With random keys a proof has about 800 bytes at a million keys.
pub const PROOF_BYTES_MAX: usize = LEAF_BYTES + PROOF_LEVELS_MAX * SIBLING_BYTES;

const EMPTY: u8 = 0;
const LEAF: u8 = 1;
const LEAF_BYTES: usize = 1 + 64;
const SIBLING_BYTES: usize = 33;

/// The other side of a node on the way to a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sibling {
    /// The bit of the path that the node decides.
    pub depth: u8,
    /// The hash of the side not taken.
    pub hash: Digest,
}

/// What lies in a tree where a path leads.
///
/// Following the bits of a path from the root ends in exactly one leaf, or the tree is empty. If the leaf is that
/// of the path, the key has the leaf's value; if it is another's, the key has none. The form is the same for both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The nodes passed, from the root down: depths strictly rise.
    pub siblings: Vec<Sibling>,
    /// Path and value hash of the leaf reached; `None` if the tree is empty.
    pub leaf: Option<(Path, Digest)>,
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The bytes have a length that no proof has.
    #[error("a state proof cannot have {0} bytes")]
    Length(usize),
    /// The first byte is neither 0 (empty tree) nor 1.
    #[error("a state proof cannot be of kind {0}")]
    Kind(u8),
    /// Depths do not strictly rise from the root down.
    #[error("the levels of the state proof are not in order at depth {0}")]
    Order(u8),
    /// The leaf lies on another way from the root than the path.
    #[error("the state proof leaves the path at depth {0}")]
    Astray(u8),
    /// Hashing up from the leaf gives another root.
    #[error("the state proof does not lead to the root")]
    Root,
}

impl Proof {
    /// The hash of the value at `path` in the tree with the given root; `None` means that there is none.
    ///
    /// Costs one hash per sibling, at most [`PROOF_LEVELS_MAX`].
    ///
    /// # Errors
    /// If the proof proves nothing about this path under this root.
    pub fn verify(&self, root: &Digest, path: &Path) -> Result<Option<Digest>, ProofError> {
        let Some((found, value)) = &self.leaf else {
            let empty = self.siblings.is_empty() && *root == Digest::ZERO;
            return if empty { Ok(None) } else { Err(ProofError::Root) };
        };
        self.check_order()?;
        let mut up = hash::leaf(found, value);
        for Sibling { depth, hash } in self.siblings.iter().rev() {
            if found.bit(*depth) != path.bit(*depth) {
                return Err(ProofError::Astray(*depth));
            }
            up = if path.bit(*depth) {
                hash::node(hash, &up, *depth)
            } else {
                hash::node(&up, hash, *depth)
            };
        }
        if up != *root {
            return Err(ProofError::Root);
        }
        Ok((found == path).then_some(*value))
    }

    /// Rising depths also bound the number of siblings, as a depth is one byte.
    fn check_order(&self) -> Result<(), ProofError> {
        let falls = |pair: &&[Sibling]| pair[0].depth >= pair[1].depth;
        match self.siblings.windows(2).find(falls) {
            Some(pair) => Err(ProofError::Order(pair[1].depth)),
            None => Ok(()),
        }
    }

    /// The one byte 00 for an empty tree; else 01 ‖ leaf path (32) ‖ value hash (32) ‖ per sibling from the root down:
    /// depth (1) ‖ hash (32).
    pub fn to_bytes(&self) -> Vec<u8> {
        let Some((path, value)) = &self.leaf else {
            return vec![EMPTY];
        };
        let mut out = Vec::with_capacity(LEAF_BYTES + self.siblings.len() * SIBLING_BYTES);
        out.push(LEAF);
        out.extend_from_slice(path.as_bytes());
        out.extend_from_slice(&value.0);
        for sibling in &self.siblings {
            out.push(sibling.depth);
            out.extend_from_slice(&sibling.hash.0);
        }
        out
    }

    /// Reads what [`Proof::to_bytes`] wrote. What is read re-encodes to the same bytes.
    ///
    /// # Errors
    /// [`ProofError::Length`], [`ProofError::Kind`] and [`ProofError::Order`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProofError> {
        let length = ProofError::Length(bytes.len());
        let proof = match bytes.split_first() {
            Some((&EMPTY, [])) => Self {
                siblings: Vec::new(),
                leaf: None,
            },
            Some((&LEAF, rest)) if bytes.len() <= PROOF_BYTES_MAX => Self::from_parts(rest).ok_or(length)?,
            Some((&EMPTY | &LEAF, _)) | None => return Err(length),
            Some((&kind, _)) => return Err(ProofError::Kind(kind)),
        };
        proof.check_order()?;
        Ok(proof)
    }

    fn from_parts(bytes: &[u8]) -> Option<Self> {
        let (path, rest) = bytes.split_at_checked(32)?;
        let (value, rest) = rest.split_at_checked(32)?;
        let chunks = rest.chunks_exact(SIBLING_BYTES);
        if !chunks.remainder().is_empty() {
            return None;
        }
        let sibling = |chunk: &[u8]| {
            let (depth, hash) = chunk.split_first()?;
            let (depth, hash) = (*depth, Digest::from_slice(hash)?);
            Some(Sibling { depth, hash })
        };
        Some(Self {
            siblings: chunks.map(sibling).collect::<Option<_>>()?,
            leaf: Some((Path::from_slice(path)?, Digest::from_slice(value)?)),
        })
    }
}
