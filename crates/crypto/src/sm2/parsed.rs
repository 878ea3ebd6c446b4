//! Keys parsed before: finding y costs a square root, and a chain sees the same keys in every transaction.

use super::PublicKey;
use super::key::PUBLIC_KEY_BYTES;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

/// Independent parts, so that threads seldom wait for one another.
const PARTS: usize = 16;
/// Keys of one part; a full part starts anew. 16 × 4,096 keys take up to 20 MiB.
const KEYS_PER_PART: usize = 4_096;

type Part = Mutex<HashMap<[u8; PUBLIC_KEY_BYTES], PublicKey>>;

static PARSED: LazyLock<[Part; PARTS]> = LazyLock::new(Default::default);

fn part(compressed: &[u8; PUBLIC_KEY_BYTES]) -> &'static Part {
    // The last byte of x is as good as random for keys that anyone holds.
    &PARSED[compressed[PUBLIC_KEY_BYTES - 1] as usize % PARTS]
}

/// A key that was parsed before.
pub(super) fn look_up(compressed: &[u8; PUBLIC_KEY_BYTES]) -> Option<PublicKey> {
    let part = part(compressed).lock().unwrap_or_else(PoisonError::into_inner);
    part.get(compressed).copied()
}

/// Remembers a key that was checked.
pub(super) fn remember(key: PublicKey) {
    let mut part = part(key.as_bytes()).lock().unwrap_or_else(PoisonError::into_inner);
    if part.len() >= KEYS_PER_PART {
        part.clear();
    }
    part.insert(*key.as_bytes(), key);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sm2::{SecretKey, Signer};

    #[test]
    fn a_key_parses_alike_whether_it_was_seen_or_not() {
        for number in 1..=64u8 {
            let key = SecretKey::from_bytes(&[number; 32]).unwrap().public_key();
            let uncompressed = PublicKey::from_uncompressed(&key.to_uncompressed()).unwrap();
            for _ in 0..2 {
                let parsed = PublicKey::from_bytes(key.as_bytes()).unwrap();
                assert_eq!(parsed.to_uncompressed(), uncompressed.to_uncompressed());
            }
            // The other root has the same x and is another key.
            let mut other = *key.as_bytes();
            other[0] ^= 1;
            let other = PublicKey::from_bytes(&other).unwrap();
            assert_ne!(other.to_uncompressed(), uncompressed.to_uncompressed());
            assert_eq!(look_up(key.as_bytes()), Some(key));
        }
    }

    #[test]
    fn a_full_part_starts_anew() {
        let key = SecretKey::from_bytes(&[7; 32]).unwrap().public_key();
        let mut full = part(key.as_bytes()).lock().unwrap();
        for number in 0..KEYS_PER_PART as u32 {
            let mut bytes = [0; PUBLIC_KEY_BYTES];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            full.insert(bytes, key);
        }
        drop(full);
        remember(key);
        assert!(part(key.as_bytes()).lock().unwrap().len() <= KEYS_PER_PART);
        assert_eq!(look_up(key.as_bytes()), Some(key));
    }
}
