//! What is a transaction and what is not.

use crate::wire::{data, digest, number, secret, transaction};
use bytes::Bytes;
use yulian_crypto::sm2::{FastVerifier, Signer, Verifier};
use yulian_types::{
    CodecError, SealedTransaction, TransactionError, decode_canonical, encode, limits::*, proto, transaction_id,
};

fn edited(edit: impl FnOnce(&mut proto::Transaction)) -> Result<SealedTransaction, TransactionError> {
    let mut envelope: proto::Transaction = decode_canonical(&transaction(1), TRANSACTION_BYTES_MAX).expect("envelope");
    edit(&mut envelope);
    SealedTransaction::decode(encode(&envelope))
}

fn payload(edit: impl FnOnce(&mut proto::TransactionPayload)) -> Result<SealedTransaction, TransactionError> {
    edited(|envelope| {
        let mut payload: proto::TransactionPayload =
            decode_canonical(&envelope.payload, TRANSACTION_BYTES_MAX).expect("payload");
        edit(&mut payload);
        envelope.payload = encode(&payload);
    })
}

#[track_caller]
fn field(result: Result<SealedTransaction, TransactionError>, name: &'static str) {
    assert_eq!(result.expect_err("refused"), TransactionError::Field { field: name });
}

#[test]
fn what_the_builder_makes_is_taken() {
    let bytes = transaction(1);
    let sealed = SealedTransaction::decode(bytes.clone()).expect("transaction");
    assert_eq!(sealed.bytes, bytes);
    let [signer] = &sealed.signers[..] else {
        panic!("one signer");
    };
    assert_eq!(signer.key, secret(9).public_key());
    assert!(FastVerifier::default().verify(&signer.key, &sealed.id.0, &signer.signature));
    assert_eq!(sealed.sender, yulian_types::account_id(&signer.key));
}

#[test]
fn many_together_are_what_each_is_alone() {
    let mut list: Vec<Bytes> = (1..=20).map(transaction).collect();
    list[3] = Bytes::from_static(b"no transaction");
    list[19] = list[19].slice(1..);
    let together = SealedTransaction::decode_many(list.clone());
    assert_eq!(together.len(), 20);
    for (bytes, together) in list.into_iter().zip(together) {
        match (SealedTransaction::decode(bytes), together) {
            (Ok(alone), Ok(together)) => assert_eq!(
                (alone.bytes, alone.id, alone.leaf, alone.payload, alone.signers),
                (
                    together.bytes,
                    together.id,
                    together.leaf,
                    together.payload,
                    together.signers
                )
            ),
            (Err(alone), Err(together)) => assert_eq!(alone, together),
            (alone, together) => panic!("{alone:?} {together:?}"),
        }
    }
    assert!(SealedTransaction::decode_many(vec![]).is_empty());
}

#[test]
fn id_and_leaf_fix_what_they_should() {
    let base = SealedTransaction::decode(transaction(1)).expect("transaction");
    let other = SealedTransaction::decode(transaction(2)).expect("transaction");
    assert!(base.id != other.id && base.leaf != other.leaf);
    // Another signature over the same payload: the same id, another leaf.
    let resigned = edited(|envelope| {
        let signature = secret(8).sign(b"anything").expect("signature");
        envelope.signatures[0].signature = Bytes::copy_from_slice(signature.as_bytes());
    });
    let resigned = resigned.expect("form is fine");
    assert!(resigned.id == base.id && resigned.leaf != base.leaf);
    let twice = edited(|envelope| envelope.signatures.push(envelope.signatures[0].clone())).expect("form is fine");
    assert!(twice.id == base.id && twice.leaf != base.leaf);
    // The kind is part of the id.
    assert_ne!(transaction_id(1, b"payload"), transaction_id(2, b"payload"));
}

#[test]
fn envelopes() {
    for kind in [0, 2, u32::MAX] {
        let result = edited(|envelope| envelope.kind = kind);
        assert_eq!(result.expect_err("refused"), TransactionError::Kind(kind));
    }
    for count in [0, SIGNATURES_MAX + 1] {
        let result = edited(|envelope| envelope.signatures = vec![envelope.signatures[0].clone(); count]);
        assert_eq!(result.expect_err("refused"), TransactionError::SignatureCount(count));
    }
    edited(|envelope| envelope.signatures = vec![envelope.signatures[0].clone(); SIGNATURES_MAX])
        .expect("as many as may be");
    for scheme in [0, 2] {
        let result = edited(|envelope| envelope.signatures[0].scheme = scheme);
        assert_eq!(result.expect_err("refused"), TransactionError::Scheme(scheme));
    }
    for signer in [vec![], vec![2; 32], vec![2; 34], vec![4; 33], vec![0xff; 33]] {
        let result = edited(|envelope| envelope.signatures[0].signer = signer.into());
        assert_eq!(result.expect_err("refused"), TransactionError::SignerKey { index: 0 });
    }
    for signature in [vec![], vec![1; 63], vec![1; 65], vec![0; 64], vec![0xff; 64]] {
        let result = edited(|envelope| {
            envelope.signatures.push(envelope.signatures[0].clone());
            envelope.signatures[1].signature = signature.into();
        });
        assert_eq!(
            result.expect_err("refused"),
            TransactionError::SignatureForm { index: 1 }
        );
    }
}

#[test]
fn payloads() {
    for version in [0, 2] {
        let result = payload(|payload| payload.version = version);
        assert_eq!(result.expect_err("refused"), TransactionError::Version(version));
    }
    field(payload(|payload| payload.sender = vec![1; 31].into()), "sender");
    field(payload(|payload| payload.chain_id = vec![1; 33].into()), "chain_id");
    field(
        payload(|payload| payload.on_behalf_of = vec![1; 31].into()),
        "on_behalf_of",
    );
    payload(|payload| payload.on_behalf_of = digest("other").to_vec().into()).expect("another account");
    field(payload(|payload| payload.nonce = vec![1; 15].into()), "nonce");
    field(payload(|payload| payload.nonce.clear()), "nonce");
    field(payload(|payload| payload.module.clear()), "module");
    field(
        payload(|payload| payload.module = "m".repeat(NAME_BYTES_MAX + 1)),
        "module",
    );
    payload(|payload| payload.module = "m".repeat(NAME_BYTES_MAX)).expect("as long as may be");
    field(payload(|payload| payload.method.clear()), "method");
    field(
        payload(|payload| payload.method = "方".repeat(NAME_BYTES_MAX / 3 + 1)),
        "method",
    );
    field(
        payload(|payload| payload.arguments = vec![1; ARGUMENTS_BYTES_MAX + 1].into()),
        "arguments",
    );
    payload(|payload| payload.arguments = vec![1; ARGUMENTS_BYTES_MAX].into()).expect("as long as may be");
    let key = |length: usize| Bytes::from(vec![1; length]);
    field(payload(|payload| payload.declared_keys = vec![key(3)]), "declared_keys");
    field(
        payload(|payload| payload.declared_keys = vec![key(STATE_KEY_BYTES_MAX + 1)]),
        "declared_keys",
    );
    field(
        payload(|payload| payload.declared_keys = vec![key(4); DECLARED_KEYS_MAX + 1]),
        "declared_keys",
    );
    payload(|payload| payload.declared_keys = vec![key(STATE_KEY_BYTES_MAX); DECLARED_KEYS_MAX])
        .expect("as many as may be");
}

#[test]
fn bytes_around_and_inside_are_refused() {
    let bytes = transaction(1);
    for tail in [data(9, b"x"), number(1, 1), vec![0]] {
        let result = SealedTransaction::decode([&bytes[..], &tail].concat().into());
        assert!(matches!(result, Err(TransactionError::Envelope(_))), "{result:?}");
        let result = edited(|envelope| envelope.payload = [&envelope.payload[..], &tail].concat().into());
        assert!(matches!(result, Err(TransactionError::Payload(_))), "{result:?}");
    }
    for length in 0..bytes.len() {
        assert!(
            SealedTransaction::decode(bytes.slice(..length)).is_err(),
            "{length} bytes"
        );
    }
    let long = SealedTransaction::decode(vec![0; TRANSACTION_BYTES_MAX + 1].into());
    let too_long = CodecError::TooLong {
        found: TRANSACTION_BYTES_MAX + 1,
        limit: TRANSACTION_BYTES_MAX,
    };
    assert_eq!(long.expect_err("refused"), TransactionError::Envelope(too_long));
}
