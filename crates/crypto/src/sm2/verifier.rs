//! What checks signatures.

use crate::sm2::{PublicKey, Signature};

/// One signature to check.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// Who is said to have signed.
    pub key: &'a PublicKey,
    /// What was signed, before hashing.
    pub message: &'a [u8],
    /// The signature to check.
    pub signature: &'a Signature,
}

/// Checks SM2 signatures over e = SM3(ZA ‖ message) with the default identity.
///
/// Everything given here is taken to be public: implementations may take time that depends on it.
/// Every implementation gives exactly the standard's answer.
pub trait Verifier: Send + Sync {
    /// Whether `signature` is one of `key` over `message`.
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool;

    /// The answer for each item, in order. A wrong signature does not touch its neighbours.
    fn verify_many(&self, items: &[Item<'_>]) -> Vec<bool> {
        items
            .iter()
            .map(|item| self.verify(item.key, item.message, item.signature))
            .collect()
    }
}
