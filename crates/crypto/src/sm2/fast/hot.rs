//! Large tables of the few keys that sign most.
//!
//! Only a key that gave [`HOT_AFTER`] valid signatures gets one, and only where there is room or another
//! was not used for long: keys in use are never pushed out, however many others ask.

use super::comb::{self, Comb};
use super::limbs::U256;
use super::point::{Affine, Jacobian};
use super::sum::BASE;
use crate::sm2::PublicKey;
use crate::sm3::Digest;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Valid signatures after which a key asks for a large table: building one takes as long as checking 20.
pub(super) const HOT_AFTER: u32 = 40;
/// Window of a table.
const HOT_WINDOW: u32 = 7;
/// What a table is taken to occupy: 37 places of 64 points, 152 KB, and its entry. (Window 6 would take
/// 86 KB and a twelfth more time.)
pub(super) const HOT_BYTES: usize = comb::points(HOT_WINDOW) * size_of::<Affine>() + 256;
/// A table may be replaced when, for each table there can be, so many signatures were valid since its last.
const IDLE_AFTER: u64 = 64;

/// A key with a large table.
#[derive(Debug)]
pub(super) struct Hot {
    pub(super) identity: Digest,
    pub(super) comb: Comb,
    last_used: AtomicU64,
}

impl Hot {
    pub(super) fn new(identity: Digest, point: &Affine, now: u64) -> Self {
        Self {
            identity,
            comb: Comb::new(point, HOT_WINDOW),
            last_used: AtomicU64::new(now),
        }
    }

    /// s·G + t·Q without doublings.
    pub(super) fn sum(&self, s: &U256, t: &U256) -> Jacobian {
        BASE.add_to(self.comb.add_to(Jacobian::INFINITY, t), s)
    }
}

/// The keys with large tables.
#[derive(Debug)]
pub(super) struct HotKeys {
    entries_max: usize,
    keys: RwLock<HashMap<PublicKey, Arc<Hot>>>,
    /// Valid signatures of keys with any table.
    clock: AtomicU64,
}

impl HotKeys {
    /// Uses at most `bytes`.
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            entries_max: bytes / HOT_BYTES,
            keys: RwLock::default(),
            clock: AtomicU64::new(0),
        }
    }

    pub(super) fn look_up(&self, key: &PublicKey) -> Option<Arc<Hot>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(key).cloned()
    }

    /// A signature of a key with a table was valid.
    pub(super) fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed)
    }

    /// A signature of a hot key was valid.
    pub(super) fn used(&self, hot: &Hot) {
        hot.last_used.store(self.tick(), Ordering::Relaxed);
    }

    /// Builds a table if there is a place for it.
    pub(super) fn ask(&self, key: &PublicKey, identity: Digest, point: &Affine) {
        if !self.has_place() {
            return;
        }
        let hot = Hot::new(identity, point, self.tick());
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have taken the place meanwhile.
        if keys.len() >= self.entries_max && !keys.contains_key(key) {
            let Some(idle) = self.idle(&keys) else { return };
            keys.remove(&idle);
        }
        keys.insert(*key, Arc::new(hot));
    }

    #[cfg(test)]
    pub(super) fn bytes_max(&self) -> usize {
        self.entries_max * HOT_BYTES
    }

    fn has_place(&self) -> bool {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.len() < self.entries_max || self.idle(&keys).is_some()
    }

    /// The key unused for longest, if that is long.
    fn idle(&self, keys: &HashMap<PublicKey, Arc<Hot>>) -> Option<PublicKey> {
        let last_used = |hot: &Hot| hot.last_used.load(Ordering::Relaxed);
        let (key, hot) = keys.iter().min_by_key(|(_, hot)| last_used(hot))?;
        let age = self.clock.load(Ordering::Relaxed).saturating_sub(last_used(hot));
        (age > IDLE_AFTER * self.entries_max as u64).then_some(*key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sm2::{SecretKey, Signer};

    fn key(number: u8) -> (PublicKey, Affine) {
        let key = SecretKey::from_bytes(&[number; 32]).unwrap().public_key();
        (key, Affine::from_be(key.x(), key.y()).unwrap())
    }

    #[test]
    fn only_keys_out_of_use_are_replaced() {
        let hot = HotKeys::new(2 * HOT_BYTES);
        let ask = |(key, point): &(PublicKey, Affine)| {
            hot.ask(key, Digest::ZERO, point);
            hot.look_up(key).is_some()
        };
        let [first, second, third] = [1, 2, 3].map(key);
        assert!(ask(&first) && ask(&second));
        // Others may sign as much as they like: the first two are used in between.
        for _ in 0..3 * IDLE_AFTER {
            hot.tick();
            for (key, _) in [&first, &second] {
                hot.used(&hot.look_up(key).unwrap());
            }
            assert!(!ask(&third));
        }
        for _ in 0..=2 * IDLE_AFTER {
            hot.used(&hot.look_up(&second.0).unwrap());
        }
        assert!(ask(&third));
        assert!(hot.look_up(&first.0).is_none() && hot.look_up(&second.0).is_some());
        assert_eq!(hot.keys.read().unwrap().len(), 2);
    }

    #[test]
    fn a_small_budget_has_no_large_tables() {
        let hot = HotKeys::new(HOT_BYTES - 1);
        let (key, point) = key(1);
        hot.ask(&key, Digest::ZERO, &point);
        assert!(hot.look_up(&key).is_none());
    }
}
