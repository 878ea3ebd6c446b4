//! Canonical bounded protobuf.

use bytes::Bytes;
use prost::Message;

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
    if bytes.len() > limit {
        return Err(CodecError::TooLong {
            found: bytes.len(),
            limit,
        });
    }
    let message = M::decode(bytes.clone()).map_err(|error| CodecError::Malformed(error.to_string()))?;
    if message.encoded_len() != bytes.len() || message.encode_to_vec() != bytes[..] {
        return Err(CodecError::NotCanonical);
    }
    Ok(message)
}

/// The canonical bytes of a message.
pub fn encode<M: Message>(message: &M) -> Bytes {
    message.encode_to_vec().into()
}
