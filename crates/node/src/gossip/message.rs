//! The message of the transaction channel: one byte 1, then for each transaction its length (u32 big-endian) and bytes.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::sync::Arc;
use yulian_types::{SealedTransaction, limits::TRANSACTION_BYTES_MAX};

/// Most bytes of a message. The engine's channel must carry this much.
pub const GOSSIP_MESSAGE_BYTES_MAX: usize = 192 * 1024;
/// Most transactions of a message.
pub const GOSSIP_TRANSACTIONS_MAX: usize = 1_024;

const KIND: u8 = 1;
const LENGTH_BYTES: usize = 4;

const _: () = assert!(GOSSIP_MESSAGE_BYTES_MAX > 1 + LENGTH_BYTES + TRANSACTION_BYTES_MAX);

/// Why bytes are not a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GossipError {
    /// More than [`GOSSIP_MESSAGE_BYTES_MAX`].
    #[error("a message of {0} bytes")]
    TooLong(usize),
    /// The first byte is unknown.
    #[error("a message of an unknown kind")]
    Kind,
    /// A length beyond what is there, or zero, or too many transactions, or none.
    #[error("a message of a wrong form")]
    Form,
}

/// Splits transactions into messages.
pub fn encode(transactions: &[Arc<SealedTransaction>]) -> Vec<Bytes> {
    let mut messages = Vec::new();
    let mut message = BytesMut::new();
    let mut count = 0;
    for transaction in transactions {
        let more = LENGTH_BYTES + transaction.bytes.len();
        if count == GOSSIP_TRANSACTIONS_MAX || message.len() + more > GOSSIP_MESSAGE_BYTES_MAX {
            messages.push(message.split().freeze());
            count = 0;
        }
        if count == 0 {
            message.put_u8(KIND);
        }
        message.put_u32(transaction.bytes.len() as u32);
        message.put_slice(&transaction.bytes);
        count += 1;
    }
    if count > 0 {
        messages.push(message.freeze());
    }
    messages
}

/// Splits a message into transaction bytes, without copying.
pub fn decode(mut message: Bytes) -> Result<Vec<Bytes>, GossipError> {
    if message.len() > GOSSIP_MESSAGE_BYTES_MAX {
        return Err(GossipError::TooLong(message.len()));
    }
    if message.first() != Some(&KIND) {
        return Err(GossipError::Kind);
    }
    message.advance(1);
    let mut out = Vec::new();
    while !message.is_empty() {
        if message.len() < LENGTH_BYTES || out.len() == GOSSIP_TRANSACTIONS_MAX {
            return Err(GossipError::Form);
        }
        let length = message.get_u32() as usize;
        if length == 0 || length > message.len() {
            return Err(GossipError::Form);
        }
        out.push(message.split_to(length));
    }
    if out.is_empty() {
        return Err(GossipError::Form);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{sender_key, transaction};

    #[test]
    fn transactions_survive_and_every_cut_is_refused() {
        let list: Vec<_> = (0..3).map(|n| transaction(&sender_key(1), n)).collect();
        let messages = encode(&list);
        assert_eq!(messages.len(), 1);
        let bytes: Vec<_> = list.iter().map(|t| t.bytes.clone()).collect();
        assert_eq!(decode(messages[0].clone()).unwrap(), bytes);
        let ends: Vec<_> = bytes
            .iter()
            .scan(1, |at, b| {
                *at += 4 + b.len();
                Some(*at)
            })
            .collect();
        for cut in (0..messages[0].len()).filter(|cut| !ends.contains(cut)) {
            assert!(decode(messages[0].slice(..cut)).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn messages_keep_their_limits() {
        let one = transaction(&sender_key(1), 0);
        let many = vec![one.clone(); GOSSIP_TRANSACTIONS_MAX * 2 + 1];
        let messages = encode(&many);
        assert!(messages.iter().all(|m| m.len() <= GOSSIP_MESSAGE_BYTES_MAX));
        let total: usize = messages.into_iter().map(|m| decode(m).unwrap().len()).sum();
        assert_eq!(total, many.len());
        assert!(encode(&[]).is_empty());
    }

    #[test]
    fn other_bytes_are_refused() {
        assert_eq!(decode(Bytes::new()), Err(GossipError::Kind));
        assert_eq!(decode(Bytes::from_static(&[2])), Err(GossipError::Kind));
        assert_eq!(decode(Bytes::from_static(&[1])), Err(GossipError::Form));
        assert_eq!(decode(Bytes::from_static(&[1, 0, 0, 0, 0])), Err(GossipError::Form));
        assert_eq!(
            decode(Bytes::from_static(&[1, 255, 255, 255, 255, 7])),
            Err(GossipError::Form)
        );
        let long = Bytes::from(vec![1; GOSSIP_MESSAGE_BYTES_MAX + 1]);
        assert_eq!(decode(long), Err(GossipError::TooLong(GOSSIP_MESSAGE_BYTES_MAX + 1)));
        let many = [&[1][..], &[0, 0, 0, 1, 9].repeat(GOSSIP_TRANSACTIONS_MAX + 1)].concat();
        assert_eq!(decode(many.into()), Err(GossipError::Form));
    }
}
