//! Hash tables keyed by SM3 digests.
//!
//! Paths and ids are SM3 outputs, so their own bytes are the hash: nobody can aim many of them at one slot without
//! finding as many partial preimages. The tables serve look-ups only; nothing iterates them.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasherDefault, Hasher},
};
use yulian_crypto::Digest;
use yulian_state::Path;

/// Takes eight bytes of the key as its hash.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct OwnBytes(u64);

impl Hasher for OwnBytes {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    // The length prefix of an array says nothing.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

pub(crate) type DigestMap<V> = HashMap<Digest, V, BuildHasherDefault<OwnBytes>>;
pub(crate) type DigestSet = HashSet<Digest, BuildHasherDefault<OwnBytes>>;
pub(crate) type PathMap<V> = HashMap<Path, V, BuildHasherDefault<OwnBytes>>;

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::Hash;

    fn hash(value: impl Hash) -> u64 {
        let mut hasher = OwnBytes::default();
        value.hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn the_hash_is_the_first_eight_bytes() {
        let mut bytes = [7; 32];
        bytes[..8].copy_from_slice(&42u64.to_le_bytes());
        assert_eq!(hash(Digest(bytes)), 42);
        assert_eq!(hash(Path::from_bytes(bytes)), 42);
    }
}
