//! SM2 identities, SM3 digests and SM4-GCM records in the shape the consensus library asks for.

use bytes::BufMut;
use commonware_codec::{Buf, Error as CodecError, FixedArray, FixedSize, Read, ReadExt, Write};
use commonware_cryptography::{self as library, Cipher};
use commonware_math::algebra::Random;
use commonware_parallel::Strategy;
use commonware_utils::{Array, Span, sequence::FixedBytes, union_unique};
use rand_core::CryptoRng;
use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher as StdHasher},
    ops::Deref,
    sync::{Arc, LazyLock},
};
use yulian_crypto::{
    Digest, sm2,
    sm2::{FastVerifier, Verifier},
    sm3, sm4,
};

/// Votes and handshakes concern public data only.
pub(crate) static VERIFIER: LazyLock<Arc<FastVerifier>> = LazyLock::new(FastVerifier::shared);

/// A type that is ordered, hashed, shown and written as its `raw` bytes.
macro_rules! raw_bytes {
    ($name:ident, $length:expr) => {
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.raw == other.raw
            }
        }
        impl Eq for $name {}
        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.raw.cmp(&other.raw)
            }
        }
        impl Hash for $name {
            fn hash<H: StdHasher>(&self, hasher: &mut H) {
                self.raw.hash(hasher)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.raw.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.raw
            }
        }
        impl Deref for $name {
            type Target = [u8];
            fn deref(&self) -> &[u8] {
                &self.raw
            }
        }
        impl Write for $name {
            fn write(&self, out: &mut impl BufMut) {
                self.raw.write(out)
            }
        }
        impl FixedSize for $name {
            const SIZE: usize = $length;
        }
        impl Span for $name {}
        impl Array for $name {}
    };
}

/// Block digest.
#[derive(Clone, Copy, FixedArray)]
#[fixed_array(infallible)]
pub struct EngineDigest {
    raw: [u8; 32],
}
raw_bytes!(EngineDigest, 32);

impl Read for EngineDigest {
    type Cfg = ();
    fn read_cfg(input: &mut impl Buf, _: &()) -> Result<Self, CodecError> {
        Ok(Self {
            raw: <[u8; 32]>::read(input)?,
        })
    }
}

impl library::Digest for EngineDigest {
    const EMPTY: Self = Self { raw: [0; 32] };
}

impl Random for EngineDigest {
    fn random(mut rng: impl CryptoRng) -> Self {
        let mut raw = [0; 32];
        rng.fill_bytes(&mut raw);
        Self { raw }
    }
}

impl From<Digest> for EngineDigest {
    fn from(digest: Digest) -> Self {
        Self { raw: digest.0 }
    }
}

impl From<EngineDigest> for Digest {
    fn from(digest: EngineDigest) -> Self {
        Digest(digest.raw)
    }
}

/// SM3 as the library's hasher (leader rotation).
#[derive(Default, Clone)]
pub(crate) struct Sm3(sm3::Hasher);

impl library::Hasher for Sm3 {
    type Digest = EngineDigest;

    fn hash(parts: &[&[u8]]) -> EngineDigest {
        sm3::hash(parts).into()
    }

    fn hash_pair(left: &[&[u8]], right: &[&[u8]], _: &impl Strategy) -> (EngineDigest, EngineDigest) {
        (Self::hash(left), Self::hash(right))
    }

    fn update(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(bytes);
        self
    }

    fn finalize(self) -> (Self, EngineDigest) {
        (Self::default(), self.0.finish().into())
    }
}

/// SM2 signature r‖s.
#[derive(Clone, FixedArray)]
pub struct EngineSignature {
    raw: [u8; 64],
}
raw_bytes!(EngineSignature, 64);

impl Read for EngineSignature {
    type Cfg = ();
    fn read_cfg(input: &mut impl Buf, _: &()) -> Result<Self, CodecError> {
        let raw = <[u8; 64]>::read(input)?;
        sm2::Signature::from_bytes(&raw).map_err(|_| CodecError::Invalid("sm2", "signature out of range"))?;
        Ok(Self { raw })
    }
}

impl library::Signature for EngineSignature {}

impl From<sm2::Signature> for EngineSignature {
    fn from(signature: sm2::Signature) -> Self {
        Self {
            raw: *signature.as_bytes(),
        }
    }
}

impl EngineSignature {
    /// The signature as `crypto` knows it.
    pub(crate) fn to_sm2(&self) -> Option<sm2::Signature> {
        sm2::Signature::from_bytes(&self.raw).ok()
    }
}

/// SM2 public key, 33 bytes compressed; parsed once.
#[derive(Clone, FixedArray)]
pub struct EngineKey {
    raw: [u8; 33],
    key: sm2::PublicKey,
}
raw_bytes!(EngineKey, 33);

impl Read for EngineKey {
    type Cfg = ();
    fn read_cfg(input: &mut impl Buf, _: &()) -> Result<Self, CodecError> {
        let raw = <[u8; 33]>::read(input)?;
        let key = sm2::PublicKey::from_bytes(&raw).map_err(|_| CodecError::Invalid("sm2", "not a public key"))?;
        Ok(Self { raw, key })
    }
}

impl From<&sm2::PublicKey> for EngineKey {
    fn from(key: &sm2::PublicKey) -> Self {
        Self {
            raw: *key.as_bytes(),
            key: *key,
        }
    }
}

impl EngineKey {
    /// The key as `crypto` knows it.
    pub(crate) fn to_sm2(&self) -> sm2::PublicKey {
        self.key
    }
}

impl library::Verifier for EngineKey {
    type Signature = EngineSignature;

    fn verify(&self, namespace: &[u8], message: &[u8], signature: &EngineSignature) -> bool {
        let Some(signature) = signature.to_sm2() else {
            return false;
        };
        VERIFIER.verify(&self.key, &union_unique(namespace, message), &signature)
    }
}

impl library::PublicKey for EngineKey {}

/// A node's signing key: software or a device behind [`sm2::Signer`].
#[derive(Clone)]
pub struct NodeSigner(pub Arc<dyn sm2::Signer>);

impl fmt::Debug for NodeSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeSigner")
    }
}

/// Required by the library's trait; only its own tests draw signers this way.
impl Random for NodeSigner {
    fn random(mut rng: impl CryptoRng) -> Self {
        Self(Arc::new(sm2::SecretKey::generate(&mut rng)))
    }
}

impl NodeSigner {
    /// Signs, or says why the key cannot.
    pub(crate) fn try_sign(&self, namespace: &[u8], message: &[u8]) -> Result<EngineSignature, sm2::SignError> {
        self.0.sign(&union_unique(namespace, message)).map(Into::into)
    }
}

impl library::Signer for NodeSigner {
    type Signature = EngineSignature;
    type PublicKey = EngineKey;

    fn public_key(&self) -> EngineKey {
        EngineKey::from(&self.0.public_key())
    }

    /// Only the handshake signs this way. A key that cannot sign leaves a node without links: it stops.
    fn sign(&self, namespace: &[u8], message: &[u8]) -> EngineSignature {
        self.try_sign(namespace, message)
            .expect("the node's signing key failed during a handshake")
    }
}

/// SM4-GCM records of a link; the nonce is a counter.
pub(crate) struct LinkCipher {
    records: u128,
    cipher: sm4::Gcm,
}

impl LinkCipher {
    fn nonce(&mut self) -> Option<[u8; 12]> {
        if self.records >> 96 != 0 {
            return None;
        }
        let mut nonce = [0; 12];
        nonce.copy_from_slice(&self.records.to_le_bytes()[..12]);
        self.records += 1;
        Some(nonce)
    }
}

impl Random for LinkCipher {
    fn random(mut rng: impl CryptoRng) -> Self {
        let mut key = [0; 16];
        rng.fill_bytes(&mut key);
        Self {
            records: 0,
            cipher: sm4::Gcm::new(&key),
        }
    }
}

impl Cipher for LinkCipher {
    type Tag = FixedBytes<16>;

    fn seal(mut self, associated: &[u8], data: &mut [u8]) -> Option<(Self, Self::Tag)> {
        let nonce = self.nonce()?;
        let tag = self.cipher.seal_in_place(&nonce, associated, data).ok()?;
        Some((self, FixedBytes::new(tag)))
    }

    fn open(mut self, associated: &[u8], data: &mut [u8], tag: &Self::Tag) -> Option<Self> {
        let nonce = self.nonce()?;
        let tag: [u8; 16] = tag.as_ref().try_into().ok()?;
        self.cipher.open_in_place(&nonce, associated, data, &tag).ok()?;
        Some(self)
    }
}
