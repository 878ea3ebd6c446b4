//! Where a key stands in the tree.

use std::fmt;
use yulian_crypto::{Digest, sm3};

/// Tag of the hash that makes a path.
pub const PATH_TAG: &sm3::Tag = b"ylStPath";

/// Bits of a path, and the most levels a tree can have.
pub const PATH_BITS: usize = 256;

/// The place of a key in the tree: SM3("ylStPath" ‖ module id, 4 bytes big-endian ‖ key).
///
/// Bit 0 is the highest bit of the first byte; paths sort as their bytes do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path([u8; 32]);

impl Path {
    /// The path of `key` in the name space of module `module_id`.
    pub fn of(module_id: u32, key: &[u8]) -> Self {
        Self(sm3::tagged(PATH_TAG, &[&module_id.to_be_bytes(), key]).0)
    }

    /// [`Self::of`] each, side by side.
    pub fn of_many(keys: &[(u32, &[u8])]) -> Vec<Self> {
        let modules: Vec<[u8; 4]> = keys.iter().map(|(module, _)| module.to_be_bytes()).collect();
        let parts: Vec<_> = modules
            .iter()
            .zip(keys)
            .map(|(module, (_, key))| [&module[..], key])
            .collect();
        let digests = sm3::tagged_many(PATH_TAG, &parts);
        digests.into_iter().map(|digest| Self(digest.0)).collect()
    }

    /// The path that was written out as these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The path held by exactly 32 bytes, or `None`.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Bit number `depth`, from the highest bit of the first byte on.
    pub fn bit(&self, depth: u8) -> bool {
        bit(&self.0, depth)
    }

    /// Number of leading bits that both paths have in common: 0 to 256.
    pub fn common_bits(&self, other: &Self) -> usize {
        common_bits(&self.0, &other.0)
    }
}

/// Bit number `depth` of a path's bytes.
pub(crate) fn bit(path: &[u8; 32], depth: u8) -> bool {
    path[usize::from(depth / 8)] >> (7 - depth % 8) & 1 == 1
}

/// Number of leading bits that two paths' bytes have in common.
pub(crate) fn common_bits(one: &[u8; 32], other: &[u8; 32]) -> usize {
    // Words of eight bytes, since keys with long common beginnings are the slow ones.
    let (words, _) = one.as_chunks::<8>();
    let (others, _) = other.as_chunks::<8>();
    for (at, (word, other)) in words.iter().zip(others).enumerate() {
        let differing = u64::from_be_bytes(*word) ^ u64::from_be_bytes(*other);
        if differing != 0 {
            return at * 64 + differing.leading_zeros() as usize;
        }
    }
    PATH_BITS
}

impl AsRef<[u8]> for Path {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Path> for Digest {
    fn from(path: Path) -> Self {
        Self(path.0)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Digest(self.0), f)
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_count_from_the_highest_of_the_first_byte() {
        let mut bytes = [0; 32];
        bytes[0] = 0x80;
        bytes[31] = 0x01;
        let path = Path::from_bytes(bytes);
        assert!(path.bit(0) && !path.bit(1) && !path.bit(254) && path.bit(255));
    }

    #[test]
    fn many_are_what_each_is() {
        let keys: Vec<Vec<u8>> = (0..50u8).map(|n| vec![n; usize::from(n)]).collect();
        let list: Vec<_> = keys.iter().map(|key| (key.len() as u32, &key[..])).collect();
        let each: Vec<_> = list.iter().map(|(module, key)| Path::of(*module, key)).collect();
        assert_eq!(Path::of_many(&list), each);
    }

    #[test]
    fn common_bits_end_at_the_first_difference() {
        let path = |first: u8, last: u8| {
            let mut bytes = [0; 32];
            (bytes[0], bytes[31]) = (first, last);
            Path::from_bytes(bytes)
        };
        assert_eq!(path(0, 0).common_bits(&path(0x80, 0)), 0);
        assert_eq!(path(1, 0).common_bits(&path(1, 1)), 255);
        assert_eq!(path(1, 1).common_bits(&path(1, 1)), 256);
    }
}
