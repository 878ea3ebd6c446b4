//! Canonical bounded protobuf.

use bytes::Bytes;
use prost::{
    Message,
    encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field},
};
use std::cell::RefCell;

/// Why bytes are not a canonical message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The bytes exceed the limit.
    #[error("{found} bytes, at most {limit} are allowed")]
    TooLong {
        /// Length of the bytes.
        found: usize,
        /// Largest length allowed.
        limit: usize,
    },
    /// More fields than the message may have.
    #[error("more than {limit} fields")]
    TooMany {
        /// Largest number of fields allowed.
        limit: usize,
    },
    /// The bytes are not protobuf of this message.
    #[error("not a valid message: {0}")]
    Malformed(String),
    /// Decoding and encoding again gives other bytes: unknown fields, default values on the wire, repeated
    /// fields, long varints or trailing bytes.
    #[error("not the canonical encoding (unknown, repeated or default-valued fields, or trailing bytes)")]
    NotCanonical,
}

/// Decodes a message of at most `limit` bytes and refuses every encoding but the canonical one.
pub fn decode_canonical<M: Message + Default>(bytes: &Bytes, limit: usize) -> Result<M, CodecError> {
    check_length(bytes.len(), limit)?;
    let message = M::decode(bytes.clone()).map_err(|error| CodecError::Malformed(error.to_string()))?;
    if !encodes_to(&message, bytes) {
        return Err(CodecError::NotCanonical);
    }
    Ok(message)
}

/// What the buffer for comparing keeps between two messages, bytes: more than nearly every transaction has.
const SCRATCH_BYTES: usize = 16 << 10;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn encodes_to<M: Message>(message: &M, bytes: &[u8]) -> bool {
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.clear();
        // A vector takes what there is memory for, and a message is hardly longer than the bytes it was read from.
        let same = message.encode(scratch).is_ok() && scratch[..] == *bytes;
        scratch.shrink_to(SCRATCH_BYTES);
        same
    })
}

/// Like [`decode_canonical`] for messages that may hold many entries: at most `most` outermost fields, and the field
/// `number` (of wire type 2) at most `longest` bytes long.
///
/// Two bytes on the wire can become hundreds in memory, so this is looked at before a message is built.
pub(crate) fn decode_counted<M: Message + Default>(
    bytes: &Bytes,
    limit: usize,
    most: usize,
    (number, longest): (u32, usize),
) -> Result<M, CodecError> {
    check_length(bytes.len(), limit)?;
    let malformed = |error: prost::DecodeError| CodecError::Malformed(error.to_string());
    let mut rest = &bytes[..];
    let mut fields = 0;
    while !rest.is_empty() {
        fields += 1;
        if fields > most {
            return Err(CodecError::TooMany { limit: most });
        }
        let (found, wire) = decode_key(&mut rest).map_err(malformed)?;
        if found == number && wire == WireType::LengthDelimited {
            let length = decode_varint(&mut &rest[..]).map_err(malformed)?;
            check_length(usize::try_from(length).unwrap_or(usize::MAX), longest)?;
        }
        skip_field(wire, found, &mut rest, DecodeContext::default()).map_err(malformed)?;
    }
    decode_canonical(bytes, limit)
}

fn check_length(found: usize, limit: usize) -> Result<(), CodecError> {
    if found > limit {
        return Err(CodecError::TooLong { found, limit });
    }
    Ok(())
}

/// The canonical bytes of a message.
pub fn encode<M: Message>(message: &M) -> Bytes {
    message.encode_to_vec().into()
}
