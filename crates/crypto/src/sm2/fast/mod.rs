//! A verifier for public data: SM2 (GB/T 32918.2-2016, clause 7) in variable time, with tables for keys
//! that come again, and with shared inversions for signatures that come together.
//!
//! With t = r + s mod n and (x, y) = s·G + t·Q a signature is valid when r = e + x mod n, that is when
//! x mod n = r − e. In Jacobian coordinates that is X = (r − e)·Z², so one signature needs no inversion.
//!
//! | a key after … valid signatures | table | multiplications for s·G + t·Q: alone | of many |
//! |---|---|---|---|
//! | 0 to 2 | none | 3,000 | 2,750 |
//! | 3 | 4 KB: t·Q with 8 doublings | 1,050 | 640 |
//! | 43, where there is room | 152 KB: t·Q without doublings | 670 | 360 |
//!
//! s·G always comes from a table of 1.5 MB, shared by the process.

mod affine_sum;
mod batch;
mod cache;
mod claim;
mod comb;
mod field;
mod hot;
#[cfg(any(test, target_arch = "x86_64"))]
pub(crate) mod lanes;
mod limbs;
mod point;
mod seen;
#[cfg(any(test, target_arch = "x86_64"))]
mod self_test;
mod slots;
mod sum;

#[cfg(test)]
mod tests;

use self::batch::Job;
use self::cache::{Cache, Known};
use self::claim::Claim;
use self::point::{Affine, Jacobian};
use crate::sm2::{Item, PublicKey, Signature, Verifier, identity_digest, identity_digests, message_digest};
use crate::sm3::{Digest, hash_many};
use std::sync::{Arc, LazyLock};

/// The default budget for what is remembered of keys: 96 MiB, of which 63 for 14,700 keys with a table,
/// 32 for 220 keys with a large one, and 1 for the marks of 131,072 keys that were seen.
pub const KEY_CACHE_BYTES: usize = 96 << 20;

/// The verifier to use: [`FastVerifier::shared`]. For public data only: its time depends on its input.
#[derive(Debug)]
pub struct FastVerifier {
    cache: Cache,
}

impl Default for FastVerifier {
    fn default() -> Self {
        Self::new(KEY_CACHE_BYTES)
    }
}

impl FastVerifier {
    /// The verifier of the process: all chains of a node share one budget.
    pub fn shared() -> Arc<Self> {
        static SHARED: LazyLock<Arc<FastVerifier>> = LazyLock::new(Arc::default);
        SHARED.clone()
    }

    /// A verifier that remembers keys within `cache_bytes`, and one key in each of 16 shards
    /// (72 KB) at least.
    pub fn new(cache_bytes: usize) -> Self {
        Self {
            cache: Cache::new(cache_bytes),
        }
    }

    /// Answers for at most [`batch::BLOCK`] items. What is learned of their keys serves the next block.
    fn verify_block(&self, items: &[Item<'_>]) -> Vec<bool> {
        let known: Vec<_> = items.iter().map(|item| self.cache.look_up(item.key)).collect();
        let identities = identities(items, &known);
        let messages = items
            .iter()
            .zip(&identities)
            .map(|(item, identity)| [identity.as_ref(), item.message]);
        let digests = hash_many(&messages.collect::<Vec<_>>());
        let mut answers = vec![false; items.len()];
        let mut jobs = Vec::with_capacity(items.len());
        let mut places = Vec::with_capacity(items.len());
        for (place, item) in items.iter().enumerate() {
            if let Some(claim) = Claim::new(&digests[place], item.signature) {
                let known = &known[place];
                jobs.push(Job {
                    key: item.key,
                    known,
                    claim,
                });
                places.push(place);
            }
        }
        for (place, valid) in places.into_iter().zip(batch::judge(&jobs)) {
            answers[place] = valid;
            if valid {
                let key = items[place].key;
                self.cache
                    .learn(key, &known[place], identities[place], || point_of(key));
            }
        }
        answers
    }
}

impl Verifier for FastVerifier {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        let known = self.cache.look_up(key);
        let identity = known.identity().unwrap_or_else(|| identity_digest(key));
        let e = message_digest(&identity, message);
        let valid = match &known {
            Known::New => holds(&e, signature, |claim| sum::sum(&claim.s, &claim.t, &point_of(key))),
            Known::Tabled(known) => holds(&e, signature, |claim| known.table.sum(&claim.s, &claim.t)),
            Known::Hot(known) => holds(&e, signature, |claim| known.sum(&claim.s, &claim.t)),
        };
        if valid {
            self.cache.learn(key, &known, identity, || point_of(key));
        }
        valid
    }

    fn verify_many(&self, items: &[Item<'_>]) -> Vec<bool> {
        items
            .chunks(batch::BLOCK)
            .flat_map(|block| match block {
                [item] => vec![self.verify(item.key, item.message, item.signature)],
                _ => self.verify_block(block),
            })
            .collect()
    }
}

/// ZA of each item's key; those that are not known are hashed side by side.
fn identities(items: &[Item<'_>], known: &[Known]) -> Vec<Digest> {
    let unknown = items.iter().zip(known).filter(|(_, known)| known.identity().is_none());
    let unknown: Vec<_> = unknown.map(|(item, _)| item.key).collect();
    let mut hashed = identity_digests(&unknown).into_iter();
    let mut identity = |known: &Known| {
        known
            .identity()
            .or_else(|| hashed.next())
            .expect("one for each unknown key")
    };
    known.iter().map(&mut identity).collect()
}

/// Whether the claim of a signature over e holds; `sum` computes s·G + t·Q.
fn holds(e: &Digest, signature: &Signature, sum: impl FnOnce(&Claim) -> Jacobian) -> bool {
    Claim::new(e, signature).is_some_and(|claim| sum(&claim).has_x_mod_n(&claim.c))
}

/// Whether `signature` is one of `key` over the digest e, remembering nothing.
pub(super) fn verify_digest(key: &PublicKey, e: &Digest, signature: &Signature) -> bool {
    let point = point_of(key);
    holds(e, signature, |claim| sum::sum(&claim.s, &claim.t, &point))
}

fn point_of(key: &PublicKey) -> Affine {
    Affine::unchecked(key.x(), key.y()).expect("a public key was checked when it was parsed")
}

/// The big-endian y of the point with this x and a y of this parity, if there is one.
pub(super) fn y_of(x: &[u8; 32], odd: bool) -> Option<[u8; 32]> {
    Affine::from_x(x, odd).map(|point| point.y.to_be())
}

/// Whether both coordinates are below p and on the curve.
pub(super) fn is_on_curve(x: &[u8; 32], y: &[u8; 32]) -> bool {
    Affine::from_be(x, y).is_some()
}
