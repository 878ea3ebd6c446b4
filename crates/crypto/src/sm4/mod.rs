//! SM4-GCM: the block cipher SM4 (GB/T 32907-2016) in Galois/Counter mode (NIST SP 800-38D, RFC 8998).
//!
//! On x86-64 with AES and carry-less multiplication, the time depends on lengths only. Elsewhere the S-box is a table, so
//! the time may disclose something of the key to a program that shares the processor's cache: run nodes on machines of
//! their own.

#[cfg(target_arch = "x86_64")]
pub(crate) mod cipher;
#[cfg(target_arch = "x86_64")]
pub(crate) mod ghash;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod vector;

#[cfg(target_arch = "x86_64")]
use crate::simd::{Aes, Vaes};
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aead::{AeadInOut, consts::U12};
use aes_gcm::{AesGcm, KeyInit};
use std::fmt;

/// Length of a key, bytes.
pub const KEY_BYTES: usize = 16;
/// Length of a nonce, bytes.
pub const NONCE_BYTES: usize = 12;
/// Length of a tag, bytes; a sealed message is this much longer than the plain one.
pub const TAG_BYTES: usize = 16;
/// The longest message or associated data, bytes. (The mode itself ends at 64 GiB.)
pub const MESSAGE_BYTES_MAX: usize = 1 << 30;

/// SM4-GCM under one key; the key is wiped when this is dropped.
///
/// **A nonce must never be used twice with one key**: two messages under one nonce disclose each other
/// and let anyone forge. Count, or use a new key per message.
pub struct Gcm(Engine);

/// A block of the cipher.
#[cfg(target_arch = "x86_64")]
pub(crate) type Block = [u8; 16];
#[cfg(target_arch = "x86_64")]
pub(crate) type RoundKeys = [u32; 32];

type TableGcm = AesGcm<::sm4::Sm4, U12>;

enum Engine {
    Table(Box<TableGcm>),
    #[cfg(target_arch = "x86_64")]
    Vector(Box<vector::VectorGcm>),
}

/// A message or its associated data is longer than [`MESSAGE_BYTES_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message for SM4-GCM has at most {MESSAGE_BYTES_MAX} bytes")]
pub struct TooLong;

/// Key, nonce, associated data, text or tag do not belong together; nothing was decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the SM4-GCM tag does not match: wrong key, nonce or associated data, or changed bytes")]
pub struct NotAuthentic;

impl Gcm {
    /// The cipher of a key.
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(aes) = Aes::detect() {
            return Self(Engine::Vector(vector::VectorGcm::new(aes, Vaes::detect(), key)));
        }
        Self::by_table(key)
    }

    /// The cipher of a key for any processor.
    fn by_table(key: &[u8; KEY_BYTES]) -> Self {
        Self(Engine::Table(Box::new(AesGcm::new(key.into()))))
    }

    /// Encrypts: ciphertext ‖ tag.
    pub fn seal(&self, nonce: &[u8; NONCE_BYTES], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, TooLong> {
        let mut out = Vec::with_capacity(plain.len() + TAG_BYTES);
        out.extend_from_slice(plain);
        let tag = self.seal_in_place(nonce, aad, &mut out)?;
        out.extend_from_slice(&tag);
        Ok(out)
    }

    /// Decrypts what [`Self::seal`] made, if nothing was changed.
    pub fn open(&self, nonce: &[u8; NONCE_BYTES], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, NotAuthentic> {
        let (text, tag) = sealed.split_last_chunk().ok_or(NotAuthentic)?;
        let mut out = text.to_vec();
        self.open_in_place(nonce, aad, &mut out, tag)?;
        Ok(out)
    }

    /// Encrypts a buffer and returns the tag.
    pub fn seal_in_place(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &[u8],
        text: &mut [u8],
    ) -> Result<[u8; TAG_BYTES], TooLong> {
        check_length(aad, text)?;
        match &self.0 {
            Engine::Table(cipher) => {
                let text = InOutBuf::from(text);
                let tag = cipher.encrypt_inout_detached(nonce.into(), aad, text);
                tag.map(Into::into).map_err(|_| TooLong)
            }
            #[cfg(target_arch = "x86_64")]
            Engine::Vector(cipher) => Ok(cipher.seal(nonce, aad, text)),
        }
    }

    /// Decrypts a buffer if the tag matches; otherwise the buffer's content is of no use.
    pub fn open_in_place(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &[u8],
        text: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<(), NotAuthentic> {
        check_length(aad, text).map_err(|_| NotAuthentic)?;
        match &self.0 {
            Engine::Table(cipher) => {
                let text = InOutBuf::from(text);
                let opened = cipher.decrypt_inout_detached(nonce.into(), aad, text, tag.into());
                opened.map_err(|_| NotAuthentic)
            }
            #[cfg(target_arch = "x86_64")]
            Engine::Vector(cipher) => cipher.open(nonce, aad, text, tag),
        }
    }
}

fn check_length(aad: &[u8], text: &[u8]) -> Result<(), TooLong> {
    let fits = aad.len() <= MESSAGE_BYTES_MAX && text.len() <= MESSAGE_BYTES_MAX;
    fits.then_some(()).ok_or(TooLong)
}

impl fmt::Debug for Gcm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sm4::Gcm")
    }
}
