//! Signing with a device whose nonces are random, such as an HSM (GM/T 0018).

use crate::sm2::{PublicKey, SignError, Signature, Signer, fast, identity_digest, message_digest};
use crate::sm3::Digest;
use std::error::Error;
use std::io;
use std::sync::{Mutex, PoisonError};

/// A handle to a device that keeps the private key and may sign one digest differently every time.
pub trait SigningDevice: Send + Sync + 'static {
    /// The key under which the signatures verify.
    fn public_key(&self) -> PublicKey;

    /// Signs e, the 32 bytes that GM/T 0018's `SDF_InternalSign_ECC` takes.
    ///
    /// # Errors
    /// Whatever the device reports; it is passed on as [`SignError::Device`].
    fn sign_digest(&self, e: &Digest) -> Result<Signature, Box<dyn Error + Send + Sync>>;
}

/// Remembers which signature was given for a subject. The subject is e = SM3(ZA ‖ message), so it
/// stands for key and message.
pub trait SignatureCache: Send + Sync + 'static {
    /// The signature put for this subject, if it is still kept.
    fn get(&self, subject: &Digest) -> io::Result<Option<Signature>>;

    /// Keeps a signature. When this returns, the entry survives a loss of power: only then is the
    /// signature released.
    fn put(&self, subject: &Digest, signature: &Signature) -> io::Result<()>;
}

/// Makes a [`Signer`] of a device with random nonces: the first signature of a message is stored
/// durably before it is released, and later ones are answered from there.
///
/// One signature is made at a time. The answer is the same for as long as the cache keeps the entry;
/// see [`crate::sm2::SignatureFile`] for how long that is.
#[derive(Debug)]
pub struct CachedSigner<S, C> {
    device: S,
    cache: C,
    public: PublicKey,
    identity: Digest,
    /// Held from look-up to store: two threads with one message get one signature.
    busy: Mutex<()>,
}

impl<S: SigningDevice, C: SignatureCache> CachedSigner<S, C> {
    /// Wraps a device; its public key is asked for once.
    pub fn new(device: S, cache: C) -> Self {
        let public = device.public_key();
        Self {
            device,
            cache,
            public,
            identity: identity_digest(&public),
            busy: Mutex::new(()),
        }
    }

    /// A wrong signature is never stored or released: it may disclose the key of a faulty device.
    fn checked(&self, e: &Digest, signature: Signature) -> Result<Signature, SignError> {
        if fast::verify_digest(&self.public, e, &signature) {
            Ok(signature)
        } else {
            Err(SignError::WrongSignature)
        }
    }
}

impl<S: SigningDevice, C: SignatureCache> Signer for CachedSigner<S, C> {
    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        let e = message_digest(&self.identity, message);
        let _busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = self.cache.get(&e).map_err(SignError::Cache)? {
            return self.checked(&e, known);
        }
        let signature = self.device.sign_digest(&e).map_err(SignError::Device)?;
        let signature = self.checked(&e, signature)?;
        self.cache.put(&e, &signature).map_err(SignError::Cache)?;
        Ok(signature)
    }
}
