//! What is remembered of keys, within a budget of bytes, for many threads.

use super::hot::{HOT_AFTER, Hot, HotKeys};
use super::point::Affine;
use super::sum::{KEY_TABLE_BYTES, KeyTable};
use crate::sm2::PublicKey;
use crate::sm3::Digest;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Independently locked parts, chosen by a byte of x.
const SHARDS: usize = 16;

/// What a key that was seen once is taken to occupy, bytes: 97 in a hash map that may be half empty.
const SEEN_BYTES: usize = 256;
/// The same of a key with a table.
const TABLED_BYTES: usize = KEY_TABLE_BYTES + SEEN_BYTES;
/// The part of the budget for keys that were seen once: one in so many bytes.
const SEEN_SHARE: usize = 24;
/// The part for keys with large tables.
const HOT_SHARE: usize = 3;

/// A key that has signed more than once.
#[derive(Debug)]
pub(super) struct Tabled {
    pub(super) identity: Digest,
    pub(super) table: KeyTable,
    /// Valid signatures since the table was built, or since the key asked for a large one in vain.
    valid: AtomicU32,
}

impl Tabled {
    pub(super) fn new(identity: Digest, point: &Affine) -> Self {
        Self {
            identity,
            table: KeyTable::new(point),
            valid: AtomicU32::new(0),
        }
    }
}

/// What is known of a key.
pub(super) enum Known {
    /// Nothing.
    New,
    /// One valid signature was seen; here is ZA.
    Seen(Digest),
    /// It has a table.
    Tabled(Arc<Tabled>),
    /// It has a large table.
    Hot(Arc<Hot>),
}

impl Known {
    /// Whether there is no table.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Self::New | Self::Seen(_))
    }

    /// ZA, if it is known.
    pub(super) fn identity(&self) -> Option<Digest> {
        match self {
            Self::New => None,
            Self::Seen(identity) => Some(*identity),
            Self::Tabled(known) => Some(known.identity),
            Self::Hot(known) => Some(known.identity),
        }
    }
}

/// The keys that are remembered. One that is pushed out is only slower to verify.
#[derive(Debug)]
pub(super) struct Cache {
    shards: [Mutex<Shard>; SHARDS],
    hot: HotKeys,
}

#[derive(Debug)]
struct Shard {
    seen: Generations<Digest>,
    tabled: Generations<Arc<Tabled>>,
}

impl Cache {
    /// Uses at most `bytes`, but always room for two keys in each shard.
    pub(super) fn new(bytes: usize) -> Self {
        let (seen, hot) = (bytes / SEEN_SHARE, bytes / HOT_SHARE);
        let tabled = bytes - seen - hot;
        let shard = || Shard {
            seen: Generations::new(seen / SEEN_BYTES / SHARDS),
            tabled: Generations::new(tabled / TABLED_BYTES / SHARDS),
        };
        Self {
            shards: std::array::from_fn(|_| Mutex::new(shard())),
            hot: HotKeys::new(hot),
        }
    }

    pub(super) fn look_up(&self, key: &PublicKey) -> Known {
        if let Some(hot) = self.hot.look_up(key) {
            return Known::Hot(hot);
        }
        let mut shard = self.shard(key);
        if let Some(tabled) = shard.tabled.get(key) {
            return Known::Tabled(tabled);
        }
        shard.seen.get(key).map_or(Known::New, Known::Seen)
    }

    /// Counts a valid signature, and builds the table that the key has earned by it. Only valid ones come
    /// here, so that a flood of wrong signatures builds no tables and pushes none out.
    pub(super) fn learn(&self, key: &PublicKey, identity: Digest, point: impl FnOnce() -> Affine) {
        match self.look_up(key) {
            Known::New => self.shard(key).seen.insert(*key, identity),
            Known::Seen(_) => {
                let tabled = Arc::new(Tabled::new(identity, &point()));
                self.shard(key).tabled.insert(*key, tabled);
            }
            Known::Tabled(tabled) => {
                self.hot.tick();
                if tabled.valid.fetch_add(1, Ordering::Relaxed) + 1 == HOT_AFTER {
                    tabled.valid.store(0, Ordering::Relaxed);
                    self.hot.ask(key, identity, &point());
                }
            }
            Known::Hot(hot) => self.hot.used(&hot),
        }
    }

    /// A panic elsewhere cannot leave a shard in a state that gives wrong answers: entries are
    /// complete when they are inserted.
    fn shard(&self, key: &PublicKey) -> MutexGuard<'_, Shard> {
        let index = usize::from(key.x()[31]) % SHARDS;
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
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
        let cache = Cache::new(2 << 20);
        for shard in &cache.shards {
            let shard = shard.lock().unwrap();
            let tables = 2 * shard.tabled.half_max * SHARDS * TABLED_BYTES;
            let seen = 2 * shard.seen.half_max * SHARDS * SEEN_BYTES;
            let hot = cache.hot.bytes_max();
            assert!(tables + seen + hot <= 2 << 20, "{tables} {seen} {hot}");
            assert!(tables > 1_200_000 && hot > 500_000, "{tables} {hot}");
        }
        assert_eq!(KEY_TABLE_BYTES, 4096);
    }

    #[test]
    fn a_key_earns_its_tables_by_valid_signatures() {
        let cache = Cache::new(8 << 20);
        let key = key(1);
        let point = || Affine::from_be(key.x(), key.y()).unwrap();
        let mut classes = Vec::new();
        for _ in 0..HOT_AFTER + 4 {
            classes.push(match cache.look_up(&key) {
                Known::New => 'n',
                Known::Seen(_) => 's',
                Known::Tabled(_) => 't',
                Known::Hot(_) => 'h',
            });
            cache.learn(&key, Digest::ZERO, point);
        }
        let expected = format!("ns{}hh", "t".repeat(HOT_AFTER as usize));
        assert_eq!(classes.iter().collect::<String>(), expected);
    }
}
