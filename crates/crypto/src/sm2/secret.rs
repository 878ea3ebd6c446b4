//! The software signer.

use crate::sm2::{PublicKey, SignError, Signature, Signer, identity_digest, message_digest};
use crate::sm3::Digest;
use ::sm2::elliptic_curve::bigint::U256;
use ::sm2::elliptic_curve::ops::Reduce;
use ::sm2::elliptic_curve::point::AffineCoordinates;
use ::sm2::elliptic_curve::{Curve, Group, PrimeField};
use ::sm2::{FieldBytes, NonZeroScalar, ProjectivePoint, Scalar, Sm2};
use rand_core::CryptoRng;
use rfc6979::KGenerator;
use sm3::Sm3;
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Nonces tried for one signature. Each fails with a probability near 2^-255.
const NONCES_MAX: usize = 8;

/// An SM2 private key in memory, wiped when dropped.
///
/// Signing takes constant time in the key and the nonce (arithmetic of RustCrypto `sm2`). The nonce
/// is derived from key and message as in RFC 6979 with HMAC-SM3, so signatures are deterministic.
pub struct SecretKey {
    d: NonZeroScalar,
    /// (1 + d)⁻¹ mod n: every signature needs it.
    inverse: Scalar,
    public: PublicKey,
    identity: Digest,
}

/// A number that is no SM2 private key: not in 1..n-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an SM2 private key is a number in 1..n-2")]
pub struct BadSecretKey;

impl SecretKey {
    /// A new key from the caller's random source.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        loop {
            let mut bytes = Zeroizing::new([0; 32]);
            rng.fill_bytes(&mut *bytes);
            if let Ok(key) = Self::from_bytes(&bytes) {
                return key;
            }
        }
    }

    /// The key of a big-endian number in 1..n-2. (n-1 has no signatures: 1 + d would be 0.)
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, BadSecretKey> {
        let d = NonZeroScalar::try_from(&bytes[..]).map_err(|_| BadSecretKey)?;
        let inverse = Option::from((*d + Scalar::ONE).invert()).ok_or(BadSecretKey)?;
        let point = ProjectivePoint::mul_by_generator(&d).to_affine();
        let public = PublicKey::from_coordinates(&point.x().into(), &point.y().into());
        Ok(Self {
            d,
            inverse,
            public,
            identity: identity_digest(&public),
        })
    }

    /// The number as 32 big-endian bytes, wiped when dropped. For key files only.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.d.to_bytes().into())
    }

    /// Steps A3–A6 of GB/T 32918.2-2016, 6.1, for one nonce; `None` asks for the next nonce.
    fn try_nonce(&self, e: &Scalar, k: &Scalar) -> Option<Signature> {
        let x = ProjectivePoint::mul_by_generator(k).to_affine().x();
        let r = *e + Scalar::reduce(&x);
        if bool::from(r.is_zero()) || bool::from((r + *k).is_zero()) {
            return None;
        }
        let s = self.inverse * (*k - r * *self.d);
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&r.to_repr());
        bytes[32..].copy_from_slice(&s.to_repr());
        Signature::from_bytes(&bytes).ok()
    }
}

impl Signer for SecretKey {
    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        let digest = FieldBytes::from(message_digest(&self.identity, message).0);
        let e = Scalar::reduce(&digest);
        let key = self.to_bytes();
        let mut nonces = KGenerator::<Sm3, U256>::new(&*key, &e.to_repr(), &[], &Sm2::ORDER);
        for _ in 0..NONCES_MAX {
            let mut bytes = Zeroizing::new([0; 32]);
            nonces.fill_next_k(&mut *bytes);
            let k = Option::<Scalar>::from(Scalar::from_repr((*bytes).into())).map(Zeroizing::new);
            if let Some(signature) = k.and_then(|k| self.try_nonce(&e, &k)) {
                return Ok(signature);
            }
        }
        Err(SignError::Nonce)
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.d.zeroize();
        self.inverse.zeroize();
    }
}

impl ZeroizeOnDrop for SecretKey {}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.public)
    }
}
