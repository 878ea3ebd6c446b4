//! The body of a batch submission: for each transaction its length (u32 big-endian) and its bytes.

use crate::limits::{BATCH_BYTES_MAX, BATCH_LENGTH_BYTES, BATCH_TRANSACTIONS_MAX};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use yulian_types::limits::TRANSACTION_BYTES_MAX;

/// Why bytes are not a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// No transaction.
    #[error("the batch is empty")]
    Empty,
    /// More than [`BATCH_TRANSACTIONS_MAX`].
    #[error("more than {BATCH_TRANSACTIONS_MAX} transactions")]
    TooMany,
    /// More than [`BATCH_BYTES_MAX`] in all.
    #[error("more than {BATCH_BYTES_MAX} bytes")]
    TooLong,
    /// A length of zero or beyond [`TRANSACTION_BYTES_MAX`].
    #[error("transaction {index} has {length} bytes, 1 to {TRANSACTION_BYTES_MAX} are allowed")]
    Length {
        /// Position in the batch.
        index: usize,
        /// Its length.
        length: usize,
    },
    /// The bytes end inside a length or a transaction.
    #[error("the batch ends inside transaction {index}")]
    Truncated {
        /// Position in the batch.
        index: usize,
    },
}

/// Writes a batch that [`decode_batch`] accepts.
pub fn encode_batch(transactions: &[Bytes]) -> Result<Bytes, BatchError> {
    check_count(transactions.len())?;
    let total: usize = transactions.iter().map(|t| t.len() + BATCH_LENGTH_BYTES).sum();
    if total > BATCH_BYTES_MAX {
        return Err(BatchError::TooLong);
    }
    let mut out = BytesMut::with_capacity(total);
    for (index, transaction) in transactions.iter().enumerate() {
        check_length(index, transaction.len())?;
        out.put_u32(transaction.len() as u32);
        out.put_slice(transaction);
    }
    Ok(out.freeze())
}

/// Splits a batch without copying. The transactions themselves are not looked at.
pub fn decode_batch(mut body: Bytes) -> Result<Vec<Bytes>, BatchError> {
    if body.len() > BATCH_BYTES_MAX {
        return Err(BatchError::TooLong);
    }
    let mut out = Vec::new();
    while !body.is_empty() {
        let index = out.len();
        check_count(index + 1)?;
        if body.len() < BATCH_LENGTH_BYTES {
            return Err(BatchError::Truncated { index });
        }
        let length = body.get_u32() as usize;
        check_length(index, length)?;
        if body.len() < length {
            return Err(BatchError::Truncated { index });
        }
        out.push(body.split_to(length));
    }
    check_count(out.len())?;
    Ok(out)
}

fn check_count(count: usize) -> Result<(), BatchError> {
    match count {
        0 => Err(BatchError::Empty),
        1..=BATCH_TRANSACTIONS_MAX => Ok(()),
        _ => Err(BatchError::TooMany),
    }
}

fn check_length(index: usize, length: usize) -> Result<(), BatchError> {
    match length {
        1..=TRANSACTION_BYTES_MAX => Ok(()),
        _ => Err(BatchError::Length { index, length }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let items = vec![Bytes::from_static(b"a"), Bytes::from_static(b"bcd")];
        let body = encode_batch(&items).unwrap();
        assert_eq!(&body[..], b"\0\0\0\x01a\0\0\0\x03bcd");
        assert_eq!(decode_batch(body).unwrap(), items);
    }

    #[test]
    fn every_cut_is_refused() {
        let items = vec![Bytes::from_static(b"a"), Bytes::from_static(b"bcd")];
        let body = encode_batch(&items).unwrap();
        for end in (0..body.len()).filter(|end| *end != 5) {
            assert!(decode_batch(body.slice(..end)).is_err(), "{end}");
        }
    }

    #[test]
    fn limits_hold() {
        assert_eq!(decode_batch(Bytes::new()), Err(BatchError::Empty));
        let zero = Bytes::from_static(&[0, 0, 0, 0]);
        assert_eq!(decode_batch(zero), Err(BatchError::Length { index: 0, length: 0 }));
        let long = Bytes::from_static(&[0xff, 0xff, 0xff, 0xff]);
        assert!(matches!(decode_batch(long), Err(BatchError::Length { index: 0, .. })));
        let many = Bytes::from([0, 0, 0, 1, 7].repeat(BATCH_TRANSACTIONS_MAX + 1));
        assert_eq!(decode_batch(many), Err(BatchError::TooMany));
        let huge = Bytes::from(vec![0; BATCH_BYTES_MAX + 1]);
        assert_eq!(decode_batch(huge), Err(BatchError::TooLong));
        let one = Bytes::from(vec![0; TRANSACTION_BYTES_MAX + 1]);
        assert!(matches!(encode_batch(&[one]), Err(BatchError::Length { .. })));
    }
}
