//! What is remembered of keys, within a budget of bytes, for many threads.

use super::sum::{KEY_TABLE_BYTES, KeyTable};
use crate::sm2::PublicKey;
use crate::sm3::Digest;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Independently locked parts, chosen by a byte of x.
const SHARDS: usize = 16;

/// What a key that was seen once is taken to occupy, bytes: 97 in a hash map that may be half empty.
const SEEN_BYTES: usize = 256;
/// The same of a key with a table.
const TABLED_BYTES: usize = KEY_TABLE_BYTES + SEEN_BYTES;
/// The part of the budget for keys that were seen once: one in so many bytes.
const SEEN_SHARE: usize = 16;

/// A key that has signed more than once.
#[derive(Debug)]
pub(super) struct Tabled {
    pub(super) identity: Digest,
    pub(super) table: KeyTable,
}

/// What is known of a key.
pub(super) enum Known {
    /// Nothing.
    New,
    /// One valid signature was seen; here is ZA.
    Seen(Digest),
    /// It has a table.
    Tabled(Arc<Tabled>),
}

/// The keys that are remembered. One that is pushed out is only slower to verify.
#[derive(Debug)]
pub(super) struct Cache([Mutex<Shard>; SHARDS]);

#[derive(Debug)]
struct Shard {
    seen: Generations<Digest>,
    tabled: Generations<Arc<Tabled>>,
}

impl Cache {
    /// Uses at most `bytes`, but always room for two keys in each shard.
    pub(super) fn new(bytes: usize) -> Self {
        let seen = bytes / SEEN_SHARE;
        let tabled = bytes - seen;
        Self(std::array::from_fn(|_| {
            Mutex::new(Shard {
                seen: Generations::new(seen / SEEN_BYTES / SHARDS),
                tabled: Generations::new(tabled / TABLED_BYTES / SHARDS),
            })
        }))
    }

    pub(super) fn look_up(&self, key: &PublicKey) -> Known {
        let mut shard = self.shard(key);
        if let Some(tabled) = shard.tabled.get(key) {
            return Known::Tabled(tabled);
        }
        shard.seen.get(key).map_or(Known::New, Known::Seen)
    }

    pub(super) fn remember_seen(&self, key: &PublicKey, identity: Digest) {
        self.shard(key).seen.insert(*key, identity);
    }

    pub(super) fn remember_table(&self, key: &PublicKey, tabled: Tabled) {
        self.shard(key).tabled.insert(*key, Arc::new(tabled));
    }

    /// A panic elsewhere cannot leave a shard in a state that gives wrong answers: entries are
    /// complete when they are inserted.
    fn shard(&self, key: &PublicKey) -> MutexGuard<'_, Shard> {
        let index = usize::from(key.x()[31]) % SHARDS;
        self.0[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A bounded map that forgets what was not used for long: entries in use move to the young half,
/// and when that is full the old half is dropped and the young becomes the old.
#[derive(Debug)]
struct Generations<V> {
    young: HashMap<PublicKey, V>,
    old: HashMap<PublicKey, V>,
    half_max: usize,
}

impl<V: Clone> Generations<V> {
    fn new(entries_max: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            half_max: (entries_max / 2).max(1),
        }
    }

    fn get(&mut self, key: &PublicKey) -> Option<V> {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let value = self.old.remove(key)?;
        self.insert(*key, value.clone());
        Some(value)
    }

    fn insert(&mut self, key: PublicKey, value: V) {
        if self.young.len() >= self.half_max && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sm2::{SecretKey, Signer};

    fn key(number: u8) -> PublicKey {
        let mut bytes = [0; 32];
        bytes[31] = number;
        SecretKey::from_bytes(&bytes).unwrap().public_key()
    }

    #[test]
    fn generations_keep_what_is_used_and_stay_bounded() {
        let keys: Vec<_> = (1..=40).map(key).collect();
        let mut cache = Generations::new(8);
        for (value, &key) in keys.iter().enumerate() {
            cache.insert(key, value);
            assert_eq!(cache.get(&keys[0]), Some(0), "{value}");
            assert!(cache.young.len() <= 4 && cache.old.len() <= 4);
        }
        assert_eq!(cache.get(&keys[1]), None);
        assert_eq!(cache.get(&keys[39]), Some(39));
    }

    #[test]
    fn budget_bounds_the_number_of_tables() {
        let cache = Cache::new(1 << 20);
        for shard in &cache.0 {
            let shard = shard.lock().unwrap();
            let tables = 2 * shard.tabled.half_max * SHARDS * TABLED_BYTES;
            let seen = 2 * shard.seen.half_max * SHARDS * SEEN_BYTES;
            assert!(tables + seen <= 1 << 20, "{tables} {seen}");
            assert!(tables > 900_000, "{tables}");
        }
        assert_eq!(KEY_TABLE_BYTES, 4096);
    }
}
