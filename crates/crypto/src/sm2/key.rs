//! SM2 public keys.

use crate::sm2::{fast, parsed};
use std::{fmt, hash, str::FromStr};

/// Length of a compressed public key, bytes.
pub const PUBLIC_KEY_BYTES: usize = 33;

/// A point of the SM2 curve other than infinity: every value of this type was checked.
///
/// Its identity is the 33-byte compressed SEC1 form (02 or 03, then x), which is also how it is
/// shown and parsed in hexadecimal, compared, ordered and hashed. y is kept beside it, because
/// finding it again costs a square root.
#[derive(Clone, Copy)]
pub struct PublicKey {
    compressed: [u8; PUBLIC_KEY_BYTES],
    y: [u8; 32],
}

/// Bytes or a text that are no SM2 public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not 33 bytes (compressed), or not 64 or 65 (uncompressed).
    #[error("an SM2 public key is 33 bytes, or 64 or 65 uncompressed; these are {0}")]
    Length(usize),
    /// The first byte names no form of a point that has this length.
    #[error("an SM2 public key of this length does not begin with {0:#04x}")]
    Form(u8),
    /// A coordinate is not below p, or the point is not on the curve.
    #[error("these bytes are no point of the SM2 curve")]
    NotOnCurve,
    /// Not hexadecimal.
    #[error("an SM2 public key is written as 66 hexadecimal digits")]
    Hex,
}

impl PublicKey {
    /// Parses 33 bytes of compressed SEC1. x must be below p and on the curve.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let compressed: [u8; PUBLIC_KEY_BYTES] = bytes.try_into().map_err(|_| KeyError::Length(bytes.len()))?;
        if !matches!(compressed[0], 2 | 3) {
            return Err(KeyError::Form(compressed[0]));
        }
        if let Some(known) = parsed::look_up(&compressed) {
            return Ok(known);
        }
        let x = compressed.last_chunk().expect("33 bytes hold 32");
        let y = fast::y_of(x, compressed[0] == 3).ok_or(KeyError::NotOnCurve)?;
        let key = Self { compressed, y };
        parsed::remember(key);
        Ok(key)
    }

    /// Parses x ‖ y (64 bytes) or 04 ‖ x ‖ y (65 bytes); both must be below p and on the curve.
    pub fn from_uncompressed(bytes: &[u8]) -> Result<Self, KeyError> {
        let coordinates = match bytes.len() {
            64 => bytes,
            65 if bytes[0] == 4 => &bytes[1..],
            65 => return Err(KeyError::Form(bytes[0])),
            other => return Err(KeyError::Length(other)),
        };
        let [x, y] = coordinates.as_chunks().0 else {
            return Err(KeyError::Length(bytes.len()));
        };
        if !fast::is_on_curve(x, y) {
            return Err(KeyError::NotOnCurve);
        }
        Ok(Self::from_coordinates(x, y))
    }

    /// The compressed form: the bytes that are stored, sent and hashed.
    pub fn as_bytes(&self) -> &[u8; PUBLIC_KEY_BYTES] {
        &self.compressed
    }

    /// 04 ‖ x ‖ y, as certificates and most other libraries have it.
    pub fn to_uncompressed(&self) -> [u8; 65] {
        let mut out = [4; 65];
        out[1..33].copy_from_slice(self.x());
        out[33..].copy_from_slice(&self.y);
        out
    }

    pub(super) fn x(&self) -> &[u8; 32] {
        self.compressed.last_chunk().expect("33 bytes hold 32")
    }

    pub(super) fn y(&self) -> &[u8; 32] {
        &self.y
    }

    /// The key of a point that is known to be on the curve.
    pub(super) fn from_coordinates(x: &[u8; 32], y: &[u8; 32]) -> Self {
        let mut compressed = [2 | (y[31] & 1); PUBLIC_KEY_BYTES];
        compressed[1..].copy_from_slice(x);
        Self { compressed, y: *y }
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.compressed == other.compressed
    }
}

impl Eq for PublicKey {}

impl PartialOrd for PublicKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PublicKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.compressed.cmp(&other.compressed)
    }
}

impl hash::Hash for PublicKey {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.compressed.hash(state);
    }
}

impl AsRef<[u8]> for PublicKey {
    fn as_ref(&self) -> &[u8] {
        &self.compressed
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.compressed))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut bytes = [0; PUBLIC_KEY_BYTES];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| KeyError::Hex)?;
        Self::from_bytes(&bytes)
    }
}
