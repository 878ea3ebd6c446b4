//! Protobuf by hand, so that bytes can be wrong in every way; and some valid messages.

use bytes::Bytes;
use yulian_crypto::{
    Digest,
    sm2::{SecretKey, Signer},
    sm3,
};
use yulian_types::{SealedGenesis, TransactionBuilder, ValidatorSet, account_id, proto};

pub(crate) fn varint(mut number: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
    out
}

/// A number with a varint longer than it has to be.
pub(crate) fn long_varint(number: u64) -> Vec<u8> {
    let mut out = varint(number);
    let last = out.len() - 1;
    out[last] |= 0x80;
    out.push(0);
    out
}

pub(crate) fn number(field: u32, value: u64) -> Vec<u8> {
    [varint(u64::from(field) << 3), varint(value)].concat()
}

pub(crate) fn data(field: u32, value: &[u8]) -> Vec<u8> {
    [
        &varint(u64::from(field) << 3 | 2)[..],
        &varint(value.len() as u64),
        value,
    ]
    .concat()
}

pub(crate) fn secret(number: u32) -> SecretKey {
    let bytes = sm3::hash(&[b"types test key", &number.to_be_bytes()]);
    SecretKey::from_bytes(&bytes.0).expect("key")
}

pub(crate) fn validator(number: u32) -> proto::Validator {
    proto::Validator {
        public_key: Bytes::copy_from_slice(secret(number).public_key().as_bytes()),
        name: format!("node-{number}"),
        cloud: format!("cloud-{number}"),
        organisation: "org".into(),
    }
}

pub(crate) fn set(count: u32) -> ValidatorSet {
    ValidatorSet::new((0..count).map(validator).collect()).expect("set")
}

pub(crate) fn genesis() -> SealedGenesis {
    SealedGenesis::new(genesis_message()).expect("genesis")
}

pub(crate) fn genesis_message() -> proto::Genesis {
    proto::Genesis {
        version: 1,
        name: "测试链".into(),
        time_ms: 1_000,
        protocol_version: 1,
        epoch_length: 10,
        validators: Some(set(4).message().clone()),
        ..Default::default()
    }
}

pub(crate) fn transaction(nonce: u8) -> Bytes {
    let key = secret(9);
    let sender = account_id(&key.public_key());
    let chain = genesis().chain_id;
    let arguments = Bytes::from_static(b"arguments");
    let builder = TransactionBuilder::new(chain, sender, [nonce; 16], 5_000, "evidence", "deposit", arguments);
    builder.sign(&key).expect("signature").0
}

pub(crate) fn digest(text: &str) -> Digest {
    sm3::hash(&[text.as_bytes()])
}
