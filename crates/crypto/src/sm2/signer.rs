//! What makes signatures.

use crate::sm2::{PublicKey, Signature};
use std::{error::Error, io, sync::Arc};

/// Signs with one SM2 key: a [`crate::sm2::SecretKey`], or a device that holds the key.
///
/// **Deterministic:** the same message gives the same signature, also after a restart. Consensus
/// counts on it: a validator that is asked twice for one vote must send the same bytes twice. A
/// device that draws random nonces is no `Signer` by itself but a [`crate::sm2::SigningDevice`].
pub trait Signer: Send + Sync + 'static {
    /// The key under which the signatures verify.
    fn public_key(&self) -> PublicKey;

    /// Signs e = SM3(ZA ‖ message) with the default identity.
    ///
    /// # Errors
    /// A key in memory does not fail; a device or its cache may, see [`SignError`].
    fn sign(&self, message: &[u8]) -> Result<Signature, SignError>;
}

impl<S: Signer + ?Sized> Signer for Arc<S> {
    fn public_key(&self) -> PublicKey {
        (**self).public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        (**self).sign(message)
    }
}

/// Why no signature was made.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The device that holds the key refused or could not be reached.
    #[error("the signing device failed")]
    Device(#[source] Box<dyn Error + Send + Sync>),
    /// The device or its cache gave a signature that does not verify; it was not released.
    #[error("the signing device gave a wrong signature")]
    WrongSignature,
    /// The cache of signatures could not be read or written, so none was released.
    #[error("the cache of signatures failed")]
    Cache(#[source] io::Error),
    /// No nonce in a row of tries gave a valid signature: the key or the arithmetic is broken.
    #[error("no usable nonce was found")]
    Nonce,
}
