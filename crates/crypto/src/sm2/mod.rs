//! SM2 signatures (GB/T 32918.2-2016) on the recommended curve (GB/T 32918.5-2017).
//!
//! A key travels as 33 bytes (SEC1, compressed), a signature as 64 bytes r ‖ s, both numbers
//! big-endian. The number that is signed is e = SM3(ZA ‖ message), where ZA binds the signer's key
//! and the standard's default identity [`DEFAULT_ID`] (GB/T 35276-2017).
//!
//! - [`Signer`] makes signatures: a [`SecretKey`] in memory, or a [`SigningDevice`] made
//!   deterministic by a [`CachedSigner`].
//! - [`Verifier`] checks them: [`FastVerifier`], for public data only.

mod device;
mod digest;
mod fast;
mod key;
mod parsed;
mod secret;
mod signature;
mod signature_file;
mod signer;
mod verifier;

pub use self::device::{CachedSigner, SignatureCache, SigningDevice};
use self::digest::identity_digests;
pub use self::digest::{DEFAULT_ID, identity_digest, message_digest};
#[cfg(target_arch = "x86_64")]
pub(crate) use self::fast::lanes;
pub use self::fast::{FastVerifier, KEY_CACHE_BYTES};
pub use self::key::{KeyError, PUBLIC_KEY_BYTES, PublicKey};
pub use self::secret::{BadSecretKey, SecretKey};
pub use self::signature::{SIGNATURE_BYTES, Signature, SignatureError};
pub use self::signature_file::{SIGNATURES_KEPT, SignatureFile};
pub use self::signer::{SignError, Signer};
pub use self::verifier::{Item, Verifier};
