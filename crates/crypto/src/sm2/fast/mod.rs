//! A verifier for public data: SM2 (GB/T 32918.2-2016, clause 7) in variable time, without an
//! inversion, with tables for keys that come again.
//!
//! With t = r + s mod n and (x, y) = s·G + t·Q a signature is valid when r = e + x mod n, that is when
//! x mod n = r − e. In Jacobian coordinates that is X = (r − e)·Z², so nothing is ever inverted.
//!
//! A key seen for the first time costs 256 doublings; from the third valid signature on it has a table
//! of 4 KB with multiples of 2³²ʲ·Q, and 32 doublings are left.

mod cache;
mod field;
mod limbs;
mod point;
mod sum;

#[cfg(test)]
mod tests;

use self::cache::{Cache, Known, Tabled};
use self::limbs::U256;
use self::point::{Affine, Jacobian};
use self::sum::KeyTable;
use crate::sm2::{PublicKey, Signature, Verifier, identity_digest, message_digest};
use crate::sm3::Digest;

/// The default budget for what is remembered of keys: 32 MiB, about 7,000 keys with a table.
pub const KEY_CACHE_BYTES: usize = 32 << 20;

/// The verifier to use; share one per process. For public data only: its time depends on its input.
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
    /// A verifier that remembers keys within `cache_bytes`, and two keys in each of 16 shards
    /// (140 KB) at least.
    pub fn new(cache_bytes: usize) -> Self {
        Self {
            cache: Cache::new(cache_bytes),
        }
    }

    /// A signature of a key without a table. Only valid ones count as a sighting, so that a flood of
    /// wrong signatures builds no tables.
    fn verify_plain(&self, key: &PublicKey, seen: Option<Digest>, item: (&[u8], &Signature)) -> bool {
        let identity = seen.unwrap_or_else(|| identity_digest(key));
        let e = message_digest(&identity, item.0);
        let point = point_of(key);
        let valid = holds(&e, item.1, |s, t| sum::sum(s, t, &point));
        if valid && seen.is_some() {
            let table = KeyTable::new(&point);
            self.cache.remember_table(key, Tabled { identity, table });
        } else if valid {
            self.cache.remember_seen(key, identity);
        }
        valid
    }
}

impl Verifier for FastVerifier {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        let item = (message, signature);
        match self.cache.look_up(key) {
            Known::New => self.verify_plain(key, None, item),
            Known::Seen(identity) => self.verify_plain(key, Some(identity), item),
            Known::Tabled(known) => {
                let e = message_digest(&known.identity, message);
                holds(&e, signature, |s, t| known.table.sum(s, t))
            }
        }
    }
}

/// Steps B5–B7 of the standard; `sum` computes s·G + t·Q.
fn holds(e: &Digest, signature: &Signature, sum: impl FnOnce(&U256, &U256) -> Jacobian) -> bool {
    let (r, s) = (limbs::from_be(signature.r()), limbs::from_be(signature.s()));
    let t = limbs::add_mod_n(&r, &s);
    if t == [0; 4] {
        return false;
    }
    let e = limbs::reduce_mod_n(&limbs::from_be(&e.0));
    sum(&s, &t).has_x_mod_n(&limbs::sub_mod_n(&r, &e))
}

/// Whether `signature` is one of `key` over the digest e, remembering nothing.
pub(super) fn verify_digest(key: &PublicKey, e: &Digest, signature: &Signature) -> bool {
    let point = point_of(key);
    holds(e, signature, |s, t| sum::sum(s, t, &point))
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
