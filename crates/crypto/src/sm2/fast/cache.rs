//! What is remembered of keys, within a budget of bytes, for many threads.

use super::hot::{HOT_AFTER, Hot, HotKeys};
use super::point::Affine;
use super::seen::Seen;
use super::slots::{ENTRY_BYTES, Slots};
use super::sum::{KEY_TABLE_BYTES, KeyTable};
use crate::sm2::PublicKey;
use crate::sm3::Digest;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Independently locked parts, chosen by a byte of x.
const SHARDS: usize = 16;

/// What a key with a table is taken to occupy, bytes.
const TABLED_BYTES: usize = KEY_TABLE_BYTES + ENTRY_BYTES;
/// The part of the budget for the marks of keys that were seen: one in so many bytes.
const SEEN_SHARE: usize = 96;
/// The part for keys with large tables.
const HOT_SHARE: usize = 3;

/// A key that has signed three times.
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
#[derive(Clone)]
pub(super) enum Known {
    /// It has no table.
    New,
    /// It has a table.
    Tabled(Arc<Tabled>),
    /// It has a large table.
    Hot(Arc<Hot>),
}

impl Known {
    /// Whether there is no table.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Self::New)
    }

    /// ZA, if it is known.
    pub(super) fn identity(&self) -> Option<Digest> {
        match self {
            Self::New => None,
            Self::Tabled(known) => Some(known.identity),
            Self::Hot(known) => Some(known.identity),
        }
    }
}

/// The keys that are remembered. One that is pushed out is only slower to verify.
#[derive(Debug)]
pub(super) struct Cache {
    seen: Seen,
    shards: [Mutex<Slots<Arc<Tabled>>>; SHARDS],
    hot: HotKeys,
}

impl Cache {
    /// Uses at most `bytes`, but always room for one key in each shard.
    pub(super) fn new(bytes: usize) -> Self {
        let (seen, hot) = (bytes / SEEN_SHARE, bytes / HOT_SHARE);
        let tabled = (bytes - seen - hot) / TABLED_BYTES;
        Self {
            seen: Seen::new(seen),
            shards: std::array::from_fn(|_| Mutex::new(Slots::new(tabled / SHARDS))),
            hot: HotKeys::new(hot),
        }
    }

    pub(super) fn look_up(&self, key: &PublicKey) -> Known {
        if let Some(hot) = self.hot.look_up(key) {
            return Known::Hot(hot);
        }
        self.shard(key).get(key).map_or(Known::New, Known::Tabled)
    }

    /// Counts a valid signature of a key of which `known` was known, and builds the table that the key has earned by it.
    /// Only valid ones come here, so that a flood of wrong signatures builds no tables and pushes none out.
    pub(super) fn learn(&self, key: &PublicKey, known: &Known, identity: Digest, point: impl FnOnce() -> Affine) {
        match known {
            Known::New => self.learn_new(key, identity, point),
            Known::Tabled(tabled) => {
                self.hot.tick();
                if tabled.valid.fetch_add(1, Ordering::Relaxed) + 1 == HOT_AFTER {
                    tabled.valid.store(0, Ordering::Relaxed);
                    self.hot.ask(key, identity, &point());
                }
            }
            Known::Hot(hot) => self.hot.used(hot),
        }
    }

    fn learn_new(&self, key: &PublicKey, identity: Digest, point: impl FnOnce() -> Affine) {
        // Another signature of the key may have brought its table meanwhile: in the same batch, or another thread.
        if !self.seen.mark(key) || !self.shard(key).asks(key) {
            return;
        }
        let tabled = Arc::new(Tabled::new(identity, &point()));
        self.shard(key).insert(*key, tabled);
    }

    /// A panic elsewhere cannot leave a shard in a state that gives wrong answers: entries are
    /// complete when they are inserted.
    fn shard(&self, key: &PublicKey) -> MutexGuard<'_, Slots<Arc<Tabled>>> {
        let index = usize::from(key.x()[31]) % SHARDS;
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
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
    fn budget_bounds_the_number_of_tables() {
        let cache = Cache::new(2 << 20);
        let tables: usize = cache
            .shards
            .iter()
            .map(|shard| shard.lock().unwrap().entries_max())
            .sum();
        let tables = tables * TABLED_BYTES;
        let (seen, hot) = (cache.seen.bytes(), cache.hot.bytes_max());
        assert!(tables + seen + hot <= 2 << 20, "{tables} {seen} {hot}");
        assert!(tables > 1_200_000 && hot > 500_000, "{tables} {hot}");
        assert_eq!(KEY_TABLE_BYTES, 4096);
    }

    #[test]
    fn a_key_earns_its_tables_by_valid_signatures() {
        let cache = Cache::new(8 << 20);
        let key = key(1);
        let point = || Affine::from_be(key.x(), key.y()).unwrap();
        let mut classes = Vec::new();
        for _ in 0..HOT_AFTER + 5 {
            let known = cache.look_up(&key);
            classes.push(match known {
                Known::New => 'n',
                Known::Tabled(_) => 't',
                Known::Hot(_) => 'h',
            });
            cache.learn(&key, &known, Digest::ZERO, point);
        }
        let expected = format!("nnn{}hh", "t".repeat(HOT_AFTER as usize));
        assert_eq!(classes.iter().collect::<String>(), expected);
    }

    #[test]
    fn signatures_of_one_batch_build_one_table() {
        let cache = Cache::new(8 << 20);
        let key = key(2);
        let built = std::cell::Cell::new(0);
        for _ in 0..5 {
            cache.learn(&key, &Known::New, Digest::ZERO, || {
                built.set(built.get() + 1);
                Affine::from_be(key.x(), key.y()).unwrap()
            });
        }
        assert_eq!(built.get(), 1);
    }
}
