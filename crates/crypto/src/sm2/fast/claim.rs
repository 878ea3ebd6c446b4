//! What a signature claims.

use super::limbs::{self, U256};
use crate::sm2::Signature;
use crate::sm3::Digest;

/// "s·G + t·Q has an x with x mod n = c": steps B5–B7 of GB/T 32918.2-2016, 7.1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    pub(super) s: U256,
    pub(super) t: U256,
    pub(super) c: U256,
}

impl Claim {
    /// What (r, s) claims of the digest e; `None` when t = r + s mod n is 0, which the standard refuses.
    pub(super) fn new(e: &Digest, signature: &Signature) -> Option<Self> {
        let (r, s) = (limbs::from_be(signature.r()), limbs::from_be(signature.s()));
        let t = limbs::add_mod_n(&r, &s);
        let e = limbs::reduce_mod_n(&limbs::from_be(&e.0));
        let c = limbs::sub_mod_n(&r, &e);
        (t != [0; 4]).then_some(Self { s, t, c })
    }
}
