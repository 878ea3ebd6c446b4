//! One meaning has one encoding.

use crate::wire::{data, long_varint, number, varint};
use bytes::Bytes;
use prost::Message;
use yulian_types::{CodecError, decode_canonical, proto};

const LIMIT: usize = 1_000;

fn validator(parts: &[Vec<u8>]) -> Result<proto::Validator, CodecError> {
    decode_canonical(&Bytes::from(parts.concat()), LIMIT)
}

fn receipt(parts: &[Vec<u8>]) -> Result<proto::Receipt, CodecError> {
    decode_canonical(&Bytes::from(parts.concat()), LIMIT)
}

fn not_canonical<M: std::fmt::Debug>(result: Result<M, CodecError>) {
    assert_eq!(result.expect_err("refused"), CodecError::NotCanonical);
}

fn malformed<M: std::fmt::Debug>(result: Result<M, CodecError>) {
    let error = result.expect_err("refused");
    assert!(matches!(error, CodecError::Malformed(_)), "{error}");
}

#[test]
fn the_one_encoding_is_taken() {
    let found = validator(&[data(1, b"key"), data(2, b"name"), data(4, b"org")]).expect("canonical");
    assert_eq!(
        (&found.public_key[..], &found.name[..], &found.cloud[..]),
        (&b"key"[..], "name", "")
    );
    assert_eq!(validator(&[]).expect("all defaults"), proto::Validator::default());
}

#[test]
fn unknown_repeated_and_unordered_fields_are_refused() {
    let good = || vec![data(1, b"key"), data(2, b"name")];
    for unknown in [data(5, b"x"), data(5, b""), number(5, 0), number(536_870_911, 1)] {
        let mut parts = good();
        parts.push(unknown.clone());
        not_canonical(validator(&parts));
        parts.rotate_right(1);
        not_canonical(validator(&parts));
    }
    not_canonical(validator(&[data(1, b"key"), data(2, b"a"), data(2, b"b")]));
    not_canonical(validator(&[data(1, b"key"), data(2, b"a"), data(2, b"a")]));
    not_canonical(validator(&[data(2, b"name"), data(1, b"key")]));
}

#[test]
fn defaults_on_the_wire_are_refused() {
    not_canonical(validator(&[data(1, b"key"), data(2, b"")]));
    not_canonical(receipt(&[data(1, b"id"), number(2, 0)]));
    let organisation: Result<proto::Organisation, _> =
        decode_canonical(&Bytes::from([data(1, b"a"), number(3, 0)].concat()), LIMIT);
    not_canonical(organisation);
    // Entries of a repeated field and a sub-message have no default.
    let list = proto::ReceiptList {
        receipts: vec![Bytes::new(), Bytes::from_static(b"x")],
    };
    let bytes = Bytes::from(list.encode_to_vec());
    assert_eq!(&bytes[..], [data(1, b""), data(1, b"x")].concat());
    assert_eq!(
        decode_canonical::<proto::ReceiptList>(&bytes, LIMIT).expect("canonical"),
        list
    );
    let empty_set = Bytes::from(data(6, b""));
    let genesis: proto::Genesis = decode_canonical(&empty_set, LIMIT).expect("canonical");
    assert_eq!(genesis.validators, Some(proto::ValidatorSet::default()));
}

#[test]
fn long_varints_are_refused() {
    not_canonical(receipt(&[data(1, b"id"), varint(2 << 3), long_varint(1)]));
    not_canonical(receipt(&[long_varint(2 << 3), varint(1)]));
    not_canonical(validator(&[varint(1 << 3 | 2), long_varint(3), b"key".to_vec()]));
    let mut eleven = vec![0xff; 10];
    eleven.push(1);
    malformed(receipt(&[varint(5 << 3), eleven]));
}

/// 33 bits in a uint32 and 2 in a bool would be cut by a decoder that does not look twice.
#[test]
fn numbers_too_large_are_refused() {
    not_canonical(receipt(&[number(2, 1 << 32 | 1)]));
    let member = |value| decode_canonical::<proto::Organisation>(&Bytes::from(number(3, value)), LIMIT);
    assert!(member(1).expect("true").member);
    not_canonical(member(2));
    assert_eq!(receipt(&[number(5, u64::MAX)]).expect("uint64").metering, u64::MAX);
}

#[test]
fn truncated_and_trailing_bytes_are_refused() {
    let good = [data(1, b"key"), data(2, b"name"), data(3, "云".as_bytes())].concat();
    for length in 1..good.len() {
        let cut = Bytes::copy_from_slice(&good[..length]);
        let result: Result<proto::Validator, _> = decode_canonical(&cut, LIMIT);
        // Cut between two fields it is a message again, but never the same.
        assert!(result.is_err() || length == 5 || length == 11, "{length}");
    }
    for tail in [&[0][..], &[0xff], &[0x80], &[0x0a], &[0x0a, 5], &[0x07], &[0x0b, 0x0c]] {
        assert!(validator(&[good.clone(), tail.to_vec()]).is_err(), "{tail:?}");
    }
}

#[test]
fn wrong_wire_types_and_texts_are_refused() {
    malformed(validator(&[number(1, 1)]));
    malformed(receipt(&[data(2, b"x")]));
    malformed(validator(&[data(2, &[0xff, 0xfe])]));
    malformed(validator(&[data(2, "省".as_bytes().split_last().expect("bytes").1)]));
    malformed(validator(&[vec![0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]]));
}

#[test]
fn longer_than_the_limit_is_refused_unread() {
    let bytes = Bytes::from(vec![0xff; LIMIT + 1]);
    let result: Result<proto::Validator, _> = decode_canonical(&bytes, LIMIT);
    let too_long = CodecError::TooLong {
        found: LIMIT + 1,
        limit: LIMIT,
    };
    assert_eq!(result, Err(too_long));
    let fits = Bytes::from(data(1, &vec![7; LIMIT - 3]));
    assert_eq!(fits.len(), LIMIT);
    decode_canonical::<proto::Validator>(&fits, LIMIT).expect("as long as allowed");
}
