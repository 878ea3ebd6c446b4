//! Marks of keys that gave a valid signature.
//!
//! One mark a place, the last key's: a mark that another key has overwritten only costs that key another signature before
//! it gets a table, and two keys with the same mark only cost a table too early.

use crate::sm2::PublicKey;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug)]
pub(super) struct Seen(Box<[AtomicU64]>);

impl Seen {
    /// Uses at most `bytes`, and one place at least.
    pub(super) fn new(bytes: usize) -> Self {
        let places = bytes / size_of::<AtomicU64>();
        let places = places.checked_ilog2().map_or(1, |bits| 1 << bits);
        Self((0..places).map(|_| AtomicU64::new(0)).collect())
    }

    /// Marks a key, and tells whether it was marked already.
    pub(super) fn mark(&self, key: &PublicKey) -> bool {
        let number = |at: usize| u64::from_be_bytes(key.x()[at..at + 8].try_into().expect("eight bytes"));
        let place = &self.0[number(0) as usize % self.0.len()];
        // Zero is no mark.
        let mark = number(8) | 1;
        place.swap(mark, Ordering::Relaxed) == mark
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
    fn a_key_is_seen_the_second_time() {
        let keys: Vec<_> = (1..=50)
            .map(|number| SecretKey::from_bytes(&[number; 32]).unwrap().public_key())
            .collect();
        let seen = Seen::new(1 << 20);
        assert!(!keys.iter().any(|key| seen.mark(key)));
        assert!(keys.iter().all(|key| seen.mark(key)));
        let one = Seen::new(0);
        assert!(!one.mark(&keys[0]) && one.mark(&keys[0]) && !one.mark(&keys[1]) && !one.mark(&keys[0]));
    }
}
