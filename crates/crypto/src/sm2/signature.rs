//! SM2 signatures as bytes.

use der::asn1::UintRef;
use der::{Decode, Encode, Reader, SliceReader};
use std::{fmt, str::FromStr};

/// Length of a signature r ‖ s, bytes.
pub const SIGNATURE_BYTES: usize = 64;

/// The order n of the base point, big-endian (GB/T 32918.5-2017, clause 2).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x72, 0x03, 0xdf,
    0x6b, 0x21, 0xc6, 0x05, 0x2b, 0x53, 0xbb, 0xf4, 0x09, 0x39, 0xd5, 0x41, 0x23,
];

/// r ‖ s, each 32 bytes big-endian and in 1..n-1. Shown and parsed as 128 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature([u8; SIGNATURE_BYTES]);

/// Bytes or a text that are no SM2 signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not 64 bytes.
    #[error("an SM2 signature is 64 bytes r ‖ s; these are {0}")]
    Length(usize),
    /// r or s is 0, or not below the order of the curve.
    #[error("r or s of the SM2 signature is outside 1..n-1")]
    Range,
    /// Not the one DER form of SEQUENCE { INTEGER r, INTEGER s }.
    #[error("the SM2 signature is not in DER")]
    Der,
    /// Not hexadecimal.
    #[error("an SM2 signature is written as 128 hexadecimal digits")]
    Hex,
}

impl Signature {
    /// Parses r ‖ s; refuses numbers outside 1..n-1.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignatureError> {
        let all: [u8; SIGNATURE_BYTES] = bytes.try_into().map_err(|_| SignatureError::Length(bytes.len()))?;
        let (r, s) = all.split_at(32);
        if in_range(r) && in_range(s) {
            Ok(Self(all))
        } else {
            Err(SignatureError::Range)
        }
    }

    /// r ‖ s.
    pub fn as_bytes(&self) -> &[u8; SIGNATURE_BYTES] {
        &self.0
    }

    /// SEQUENCE { INTEGER r, INTEGER s } in DER (GB/T 35276-2017), 8 to 72 bytes.
    pub fn to_der(&self) -> Vec<u8> {
        let mut body = uint_der(self.r());
        body.extend(uint_der(self.s()));
        // Both INTEGERs take at most 35 bytes, so the length fits one byte.
        let mut out = vec![0x30, body.len() as u8];
        out.append(&mut body);
        out
    }

    /// Parses what [`Self::to_der`] writes and nothing else: no leading zeros, no negative
    /// numbers, no trailing bytes, no other encoding of a length.
    pub fn from_der(bytes: &[u8]) -> Result<Self, SignatureError> {
        let (r, s) = read_der(bytes).map_err(|_| SignatureError::Der)?;
        let mut out = [0; SIGNATURE_BYTES];
        for (number, half) in [r, s].into_iter().zip(out.chunks_exact_mut(32)) {
            let digits = number.as_bytes();
            let start = half.len().checked_sub(digits.len());
            half[start.ok_or(SignatureError::Range)?..].copy_from_slice(digits);
        }
        Self::from_bytes(&out)
    }

    pub(crate) fn r(&self) -> &[u8; 32] {
        self.half(0)
    }

    pub(crate) fn s(&self) -> &[u8; 32] {
        self.half(1)
    }

    fn half(&self, index: usize) -> &[u8; 32] {
        &self.0.as_chunks().0[index]
    }
}

fn in_range(number: &[u8]) -> bool {
    number < &ORDER[..] && number.iter().any(|byte| *byte != 0)
}

fn uint_der(number: &[u8; 32]) -> Vec<u8> {
    UintRef::new(number)
        .and_then(|uint| uint.to_der())
        .expect("a 32-byte number is always encodable")
}

fn read_der(bytes: &[u8]) -> Result<(UintRef<'_>, UintRef<'_>), der::Error> {
    let mut reader = SliceReader::new(bytes)?;
    let pair = reader.sequence(|inner| Ok::<_, der::Error>((UintRef::decode(inner)?, UintRef::decode(inner)?)))?;
    reader.finish()?;
    Ok(pair)
}

impl AsRef<[u8]> for Signature {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Signature {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let mut bytes = [0; SIGNATURE_BYTES];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| SignatureError::Hex)?;
        Self::from_bytes(&bytes)
    }
}
