//! A bounded map of keys that most of the traffic cannot empty.
//!
//! A map that always takes the newcomer forgets everything when slightly more keys than it has places for come in turn:
//! each is pushed out just before it comes again. So a full map takes one newcomer in [`TAKEN_ONE_IN`], for a key that was
//! not used for a while (the clock algorithm, with a bounded search): of n keys in turn, about as many are found as there
//! are places, and other keys take over within some signatures of each.

use crate::sm2::PublicKey;
use std::collections::HashMap;

/// What a key takes beside its value, bytes: an entry of a map that may be half empty, and a place.
pub(super) const ENTRY_BYTES: usize = 384;
/// A full map takes one in so many.
const TAKEN_ONE_IN: u32 = 8;
/// Places that are looked at for one that was not used.
const LOOKED_AT: usize = 8;

#[derive(Debug)]
pub(super) struct Slots<V> {
    places: HashMap<PublicKey, usize>,
    entries: Vec<Entry<V>>,
    entries_max: usize,
    hand: usize,
    asked: u32,
}

#[derive(Debug)]
struct Entry<V> {
    key: PublicKey,
    value: V,
    used: bool,
}

impl<V: Clone> Slots<V> {
    pub(super) fn new(entries_max: usize) -> Self {
        Self {
            places: HashMap::new(),
            entries: Vec::new(),
            entries_max: entries_max.max(1),
            hand: 0,
            asked: 0,
        }
    }

    pub(super) fn get(&mut self, key: &PublicKey) -> Option<V> {
        let entry = &mut self.entries[*self.places.get(key)?];
        entry.used = true;
        Some(entry.value.clone())
    }

    /// Whether a key that is not here is to be inserted.
    pub(super) fn asks(&mut self, key: &PublicKey) -> bool {
        if self.places.contains_key(key) {
            return false;
        }
        if self.entries.len() < self.entries_max {
            return true;
        }
        self.asked = self.asked.wrapping_add(1);
        self.asked.is_multiple_of(TAKEN_ONE_IN)
    }

    /// Inserts a key, in the place of another where all are taken.
    pub(super) fn insert(&mut self, key: PublicKey, value: V) {
        let entry = Entry {
            key,
            value,
            used: false,
        };
        if let Some(place) = self.places.get(&key) {
            self.entries[*place] = entry;
            return;
        }
        if self.entries.len() < self.entries_max {
            self.places.insert(key, self.entries.len());
            self.entries.push(entry);
            return;
        }
        let place = self.unused();
        self.places.remove(&self.entries[place].key);
        self.places.insert(key, place);
        self.entries[place] = entry;
    }

    fn unused(&mut self) -> usize {
        let mut place = self.hand;
        for _ in 0..LOOKED_AT {
            place = self.hand;
            self.hand = (self.hand + 1) % self.entries.len();
            if !std::mem::take(&mut self.entries[place].used) {
                break;
            }
        }
        place
    }

    #[cfg(test)]
    pub(super) fn entries_max(&self) -> usize {
        self.entries_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sm2::{SecretKey, Signer};

    fn keys(count: u8) -> Vec<PublicKey> {
        let key = |number| SecretKey::from_bytes(&[number; 32]).unwrap().public_key();
        (1..=count).map(key).collect()
    }

    /// Looks each key up in turn, inserting where the map asks for it; how many were found.
    fn round(slots: &mut Slots<PublicKey>, keys: &[PublicKey]) -> usize {
        let mut found = 0;
        for key in keys {
            match slots.get(key) {
                Some(value) => {
                    assert_eq!(value, *key);
                    found += 1;
                }
                None if slots.asks(key) => slots.insert(*key, *key),
                None => {}
            }
            assert!(slots.entries.len() <= slots.entries_max && slots.places.len() == slots.entries.len());
        }
        found
    }

    #[test]
    fn more_keys_in_turn_than_places_do_not_push_each_other_out() {
        let keys = keys(60);
        let mut slots = Slots::new(40);
        round(&mut slots, &keys);
        for _ in 0..20 {
            let found = round(&mut slots, &keys);
            assert!((32..=40).contains(&found), "{found}");
        }
    }

    #[test]
    fn other_keys_take_over() {
        let keys = keys(80);
        let (before, after) = keys.split_at(40);
        let mut slots = Slots::new(40);
        round(&mut slots, before);
        assert_eq!(round(&mut slots, before), 40);
        let found: Vec<_> = (0..40).map(|_| round(&mut slots, after)).collect();
        assert!(found[39] >= 36, "{found:?}");
    }

    #[test]
    fn a_key_is_inserted_once() {
        let keys = keys(1);
        let mut slots = Slots::new(0);
        assert!(slots.asks(&keys[0]));
        slots.insert(keys[0], 1);
        assert!(!slots.asks(&keys[0]));
        slots.insert(keys[0], 2);
        assert_eq!((slots.get(&keys[0]), slots.entries.len()), (Some(2), 1));
    }
}
