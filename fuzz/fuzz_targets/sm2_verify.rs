//! Keys, signatures and messages from bytes: the fast verifier, alone and by batches, answers as RustCrypto
//! does.
//!
//! Input: a byte of choices, 32 bytes of key, 64 of signature, and the message. A choice makes the
//! signature from the key instead, because no fuzzer finds a valid one.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run -s none sm2_verify`

#![no_main]

use libfuzzer_sys::fuzz_target;
use sm2::dsa::VerifyingKey;
use sm2::dsa::signature::Verifier as _;
use std::sync::LazyLock;
use yulian_crypto::sm2::{FastVerifier, Item, PublicKey, SecretKey, Signature, Signer, Verifier};

/// Keys that come again get their tables here.
static KNOWN: LazyLock<FastVerifier> = LazyLock::new(FastVerifier::default);

fn oracle(key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
    let key = VerifyingKey::from_sec1_bytes("1234567812345678", &key.to_uncompressed()).expect("our keys are theirs");
    let signature = sm2::dsa::Signature::from_slice(signature.as_bytes()).expect("our signatures are theirs");
    key.verify(message, &signature).is_ok()
}

fn check(key: &PublicKey, message: &[u8], signature: &Signature, copies: usize) {
    let expected = oracle(key, message, signature);
    assert_eq!(FastVerifier::new(0).verify(key, message, signature), expected);
    assert_eq!(KNOWN.verify(key, message, signature), expected);
    let item = Item {
        key,
        message,
        signature,
    };
    let other = Item {
        message: b"another",
        ..item
    };
    let items: Vec<_> = [item, other].repeat(copies);
    let expected = [expected, oracle(key, b"another", signature)].repeat(copies);
    assert_eq!(FastVerifier::new(0).verify_many(&items), expected);
    assert_eq!(KNOWN.verify_many(&items), expected);
}

fuzz_target!(|input: &[u8]| {
    let Some((&choices, rest)) = input.split_first() else { return };
    let Some((key_bytes, rest)) = rest.split_first_chunk::<32>() else { return };
    let Some((signature, message)) = rest.split_first_chunk::<64>() else { return };
    let copies = 1 + usize::from(choices >> 3);
    let secret = SecretKey::from_bytes(key_bytes).ok();
    let key = match (choices & 1, &secret) {
        (0, Some(secret)) => Some(secret.public_key()),
        _ => PublicKey::from_bytes(&[&[2 + (choices >> 1 & 1)][..], key_bytes].concat()).ok(),
    };
    let signature = match (choices & 4, &secret) {
        (0, _) => Signature::from_bytes(signature).ok(),
        (_, Some(secret)) => secret.sign(message).ok(),
        _ => None,
    };
    if let (Some(key), Some(signature)) = (key, signature) {
        check(&key, message, &signature, copies);
    }
});
