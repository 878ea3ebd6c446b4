//! Marks of keys that gave a valid signature.
//!
//! A table costs as much as one verification without it and saves two thirds of each that follows. It is built for the third
//! signature: the first of an account is the proof that its key is held, and most people then sign once in a while.
//!
//! One mark a place, the last key's: a mark that another key has overwritten only costs that key another signature before
//! it gets a table, and two keys with the same mark only cost a table too early.

use crate::sm2::PublicKey;
use std::sync::atomic::{AtomicU64, Ordering};

/// Signatures of a key without a table.
const MARKS: u64 = 2;
/// The bits of a mark that count.
const COUNT: u64 = 3;

#[derive(Debug)]
pub(super) struct Seen(Box<[AtomicU64]>);

impl Seen {
    /// Uses at most `bytes`, and one place at least.
    pub(super) fn new(bytes: usize) -> Self {
        let places = bytes / size_of::<AtomicU64>();
        let places = places.checked_ilog2().map_or(1, |bits| 1 << bits);
        Self((0..places).map(|_| AtomicU64::new(0)).collect())
    }

    /// Marks a key, and tells whether it has been marked [`MARKS`] times before.
    pub(super) fn mark(&self, key: &PublicKey) -> bool {
        let number = |at: usize| u64::from_be_bytes(key.x()[at..at + 8].try_into().expect("eight bytes"));
        let place = &self.0[number(0) as usize % self.0.len()];
        let first = number(8) & !COUNT | 1;
        let found = place.load(Ordering::Relaxed);
        if found & !COUNT != first & !COUNT {
            place.store(first, Ordering::Relaxed);
            return false;
        }
        // An empty place is no mark of a key either, whatever the key.
        let count = found & COUNT;
        if count < MARKS {
            place.store(found + 1, Ordering::Relaxed);
        }
        count == MARKS
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sm2::{SecretKey, Signer};

    #[test]
    fn a_key_is_seen_the_third_time() {
        let keys: Vec<_> = (1..=50)
            .map(|number| SecretKey::from_bytes(&[number; 32]).unwrap().public_key())
            .collect();
        let seen = Seen::new(1 << 20);
        for expected in [false, false, true, true] {
            assert!(keys.iter().all(|key| seen.mark(key) == expected));
        }
        let one = Seen::new(0);
        let marked = [0, 0, 0, 1, 0, 0, 0].map(|number: usize| one.mark(&keys[number]));
        assert_eq!(marked, [false, false, true, false, false, false, true]);
    }
}
