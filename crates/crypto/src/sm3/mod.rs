//! SM3 (GB/T 32905-2016) and its domain-separated form.
//!
//! Every hash that YuLian gives a meaning to starts with an 8-byte ASCII [`Tag`]. All tags have the
//! same length, so no tagged input can be read as the input of another tag.

pub(crate) mod lanes;

use lanes::batch::{Equal, Pairs, Parts};
use sm3::Digest as _;
use std::{fmt, str::FromStr};

/// Length of an SM3 digest, bytes.
pub const DIGEST_BYTES: usize = 32;

/// An 8-byte ASCII domain tag; the first bytes of a tagged hash input.
pub type Tag = [u8; 8];

/// A 32-byte SM3 digest. Shown and parsed as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest(pub [u8; DIGEST_BYTES]);

impl Digest {
    /// 32 zero bytes: the root of an empty tree and the parent of genesis.
    pub const ZERO: Self = Self([0; DIGEST_BYTES]);

    /// The digest held by exactly 32 bytes, or `None`.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes as a vector, for protobuf fields.
    pub fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an SM3 digest is 64 hexadecimal digits")]
pub struct NotADigest;

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let mut out = [0; DIGEST_BYTES];
        hex::decode_to_slice(text, &mut out).map_err(|_| NotADigest)?;
        Ok(Self(out))
    }
}

/// SM3 of the concatenation of `parts`.
pub fn hash(parts: &[&[u8]]) -> Digest {
    let mut hasher = Hasher::default();
    for part in parts {
        hasher.update(part);
    }
    hasher.finish()
}

/// SM3(tag ‖ parts…).
pub fn tagged(tag: &Tag, parts: &[&[u8]]) -> Digest {
    let mut hasher = Hasher::default();
    hasher.update(tag);
    for part in parts {
        hasher.update(part);
    }
    hasher.finish()
}

/// SM3 of each message, in order; a message is the concatenation of its parts.
///
/// The same digests as [`hash`] of each, but faster for many: messages of an equal number of 64-byte blocks are
/// hashed side by side.
pub fn hash_many<const PARTS: usize>(messages: &[[&[u8]; PARTS]]) -> Vec<Digest> {
    lanes::hash(&Parts::new(b"", messages))
}

/// SM3(tag ‖ parts…) of each message, in order: [`tagged`] for many.
pub fn tagged_many<const PARTS: usize>(tag: &Tag, messages: &[[&[u8]; PARTS]]) -> Vec<Digest> {
    lanes::hash(&Parts::new(tag, messages))
}

/// SM3 of each message of N bytes, in order: [`hash_many`] without looking at lengths, as trees need it.
pub fn hash_equal<const N: usize>(messages: &[[u8; N]]) -> Vec<Digest> {
    lanes::hash(&Equal(messages))
}

/// SM3(tag ‖ left ‖ right) of each pair, in order: the nodes of a tree.
pub(crate) fn tagged_pairs(tag: &Tag, pairs: &[[Digest; 2]]) -> Vec<Digest> {
    lanes::hash(&Pairs { tag, pairs })
}

/// Incremental SM3, for files and streams.
#[derive(Clone, Default)]
pub struct Hasher(sm3::Sm3);

impl Hasher {
    /// Appends bytes to the message.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of everything appended.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sm3::Hasher")
    }
}
