//! Parts of the state that verify alone: all keys whose paths begin with certain bits.
//!
//! The keys under a prefix are one subtree, whose hash follows from them alone. With the hashes of the sides not taken on
//! the way down to it that gives the root. Where no key has the prefix, the leaf that its bits lead to instead
//! shows it: any key with the prefix would lie on the same way.

use crate::{PATH_BITS, Path, Proof, ProofError, Sibling, Tree, hash};
use yulian_crypto::Digest;

const SIBLING_BYTES: usize = 33;

/// The first bits of paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefix {
    /// The bits, then zeros.
    first: Path,
    bits: u8,
}

impl Prefix {
    /// The prefix of no bits: all paths have it.
    pub const ALL: Self = Self {
        first: Path::from_bytes([0; 32]),
        bits: 0,
    };

    /// The first `bits` bits of `first`, whose other bits must be 0; else `None`.
    pub fn new(first: Path, bits: u8) -> Option<Self> {
        let zeros = (usize::from(bits)..PATH_BITS).all(|depth| !first.bit(depth as u8));
        zeros.then_some(Self { first, bits })
    }

    /// The first `bits` bits of a path.
    pub(crate) fn of(path: &Path, bits: u8) -> Self {
        let mut bytes = *path.as_bytes();
        let (whole, rest) = (usize::from(bits / 8), bits % 8);
        bytes[whole] &= !(0xff >> rest);
        bytes[whole + 1..].fill(0);
        let first = Path::from_bytes(bytes);
        Self { first, bits }
    }

    /// The lowest path with the prefix.
    pub fn first(&self) -> &Path {
        &self.first
    }

    /// Number of bits.
    pub fn bits(&self) -> u8 {
        self.bits
    }

    /// The lowest path behind all with the prefix; `None` if there is none.
    pub fn end(&self) -> Option<Path> {
        let mut bytes = *self.first.as_bytes();
        for depth in (0..self.bits).rev() {
            let (at, bit) = (usize::from(depth / 8), 0x80 >> (depth % 8));
            bytes[at] ^= bit;
            if bytes[at] & bit != 0 {
                return Some(Path::from_bytes(bytes));
            }
        }
        None
    }

    /// The two prefixes of one more bit; `None` for the longest prefix.
    pub fn halves(&self) -> Option<[Self; 2]> {
        let bits = self.bits.checked_add(1)?;
        let mut upper = *self.first.as_bytes();
        upper[usize::from(self.bits / 8)] |= 0x80 >> (self.bits % 8);
        let first = Path::from_bytes(upper);
        Some([Self { bits, ..*self }, Self { first, bits }])
    }

    /// Whether a path has the prefix.
    pub fn holds(&self, path: &Path) -> bool {
        self.first.common_bits(path) >= usize::from(self.bits)
    }
}

impl std::fmt::Display for Prefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

/// Shows what keys have a [`Prefix`], together with these keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartProof {
    /// There are some: the sides not taken on the way down to their subtree.
    Present(Vec<Sibling>),
    /// There are none: where the bits lead instead.
    Absent(Proof),
}

/// Why a part is not that of the state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartError {
    /// Bytes that no proof has.
    #[error("the proof of a part cannot be read from {0} bytes")]
    Form(usize),
    /// Depths do not rise, or reach below the prefix.
    #[error("the levels of the proof of a part are not in order at depth {0}")]
    Order(u8),
    /// Paths do not strictly ascend, or lack the prefix.
    #[error("path {0} is out of place in the part")]
    Place(Path),
    /// There are keys and a proof that there are none, or the other way round.
    #[error("the proof of a part says something else about its being empty")]
    Empty,
    /// A proof that there are no keys does not hold.
    #[error("that the part is empty is not proven: {0}")]
    Absence(#[from] ProofError),
    /// Hashing up gives another root.
    #[error("the part does not lead to the root")]
    Root,
}

impl Tree {
    /// Proves which keys have the prefix.
    pub fn prove_part(&self, prefix: &Prefix) -> PartProof {
        let mut proof = self.prove(prefix.first());
        match &proof.leaf {
            Some((found, _)) if prefix.holds(found) => {
                proof.siblings.retain(|sibling| sibling.depth < prefix.bits());
                PartProof::Present(proof.siblings)
            }
            _ => PartProof::Absent(proof),
        }
    }
}

impl PartProof {
    /// Checks that exactly the keys of `leaves` (path and value hash, ascending) have the prefix in the state with this root.
    ///
    /// Work: about three hashes for each leaf, and one for each level above.
    ///
    /// # Errors
    /// If that is not shown.
    pub fn verify(&self, root: &Digest, prefix: &Prefix, leaves: &[(Path, Digest)]) -> Result<(), PartError> {
        match self {
            Self::Absent(proof) => {
                let elsewhere = proof.leaf.as_ref().is_none_or(|(found, _)| !prefix.holds(found));
                if !leaves.is_empty() || !elsewhere {
                    return Err(PartError::Empty);
                }
                Ok(proof.verify(root, prefix.first()).map(drop)?)
            }
            Self::Present(siblings) => {
                check_order(siblings, prefix)?;
                check_places(leaves, prefix)?;
                let mut up = Tree::from_sorted(leaves.iter().copied()).root();
                for Sibling { depth, hash } in siblings.iter().rev() {
                    up = if prefix.first().bit(*depth) {
                        hash::node(hash, &up, *depth)
                    } else {
                        hash::node(&up, hash, *depth)
                    };
                }
                if up == *root { Ok(()) } else { Err(PartError::Root) }
            }
        }
    }

    /// 01 ‖ for each node passed, from the root down: depth (1) ‖ hash of the other side (32), where there are keys; 00 ‖
    /// [`Proof::to_bytes`] where there are none.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Absent(proof) => [&[0], &proof.to_bytes()[..]].concat(),
            Self::Present(siblings) => {
                let mut out = Vec::with_capacity(1 + siblings.len() * SIBLING_BYTES);
                out.push(1);
                for sibling in siblings {
                    out.push(sibling.depth);
                    out.extend_from_slice(&sibling.hash.0);
                }
                out
            }
        }
    }

    /// Reads what [`PartProof::to_bytes`] wrote. What is read re-encodes to the same bytes.
    ///
    /// # Errors
    /// [`PartError::Form`], [`PartError::Absence`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PartError> {
        let form = || PartError::Form(bytes.len());
        match bytes.split_first() {
            Some((0, rest)) => Ok(Self::Absent(Proof::from_bytes(rest)?)),
            Some((1, rest)) => {
                let (levels, []) = rest.as_chunks::<SIBLING_BYTES>() else {
                    return Err(form());
                };
                if levels.len() > PATH_BITS {
                    return Err(form());
                }
                let sibling = |level: &[u8; SIBLING_BYTES]| {
                    let (depth, hash) = level.split_first()?;
                    let (depth, hash) = (*depth, Digest::from_slice(hash)?);
                    Some(Sibling { depth, hash })
                };
                let siblings = levels.iter().map(sibling).collect::<Option<_>>();
                siblings.map(Self::Present).ok_or_else(form)
            }
            _ => Err(form()),
        }
    }
}

fn check_order(siblings: &[Sibling], prefix: &Prefix) -> Result<(), PartError> {
    let falls = |pair: &&[Sibling]| pair[0].depth >= pair[1].depth;
    let fallen = siblings.windows(2).find(falls).map(|pair| pair[1].depth);
    let below = || {
        siblings
            .last()
            .map(|last| last.depth)
            .filter(|depth| *depth >= prefix.bits())
    };
    match fallen.or_else(below) {
        Some(depth) => Err(PartError::Order(depth)),
        None => Ok(()),
    }
}

fn check_places(leaves: &[(Path, Digest)], prefix: &Prefix) -> Result<(), PartError> {
    if leaves.is_empty() {
        return Err(PartError::Empty);
    }
    let falls = |pair: &&[(Path, Digest)]| pair[0].0 >= pair[1].0;
    let fallen = leaves.windows(2).find(falls).map(|pair| pair[1].0);
    let outside = || leaves.iter().map(|(path, _)| *path).find(|path| !prefix.holds(path));
    match fallen.or_else(outside) {
        Some(path) => Err(PartError::Place(path)),
        None => Ok(()),
    }
}
