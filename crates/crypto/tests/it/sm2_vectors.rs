//! SM2 against the example of GB/T 32918.5-2017, Annex A, and against RustCrypto's signer.

use ::sm2::dsa::SigningKey;
use ::sm2::dsa::signature::Signer as _;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use yulian_crypto::sm2::{
    DEFAULT_ID, FastVerifier, KeyError, PublicKey, SecretKey, Signature, SignatureError, Signer, Verifier,
    identity_digest, message_digest,
};

const D: &str = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8";
const X: &str = "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020";
const Y: &str = "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13";
const ZA: &str = "b2e14c5c79c6df5b85f4fe7ed8db7a262b9da7e07ccb0ea9f4747b8ccda8a4f3";
const E: &str = "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640";
const R: &str = "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3";
const S: &str = "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa";

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

fn annex_key() -> SecretKey {
    SecretKey::from_bytes(&bytes(D).try_into().unwrap()).unwrap()
}

fn seeded(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

#[test]
fn annex_a_example() {
    let key = PublicKey::from_uncompressed(&bytes(&format!("{X}{Y}"))).unwrap();
    assert_eq!(annex_key().public_key(), key);
    let identity = identity_digest(&key);
    assert_eq!(identity.to_string(), ZA);
    assert_eq!(message_digest(&identity, b"message digest").to_string(), E);
    let signature: Signature = format!("{R}{S}").parse().unwrap();
    let verifier = FastVerifier::default();
    assert!(verifier.verify(&key, b"message digest", &signature));
    assert!(!verifier.verify(&key, b"message digesu", &signature));
}

#[test]
fn signatures_are_those_of_rustcrypto() {
    let mut rng = seeded(1);
    let verifier = FastVerifier::default();
    for round in 0..200u32 {
        let secret = SecretKey::generate(&mut rng);
        let id = std::str::from_utf8(DEFAULT_ID).unwrap();
        let oracle = SigningKey::from_slice(id, &*secret.to_bytes()).unwrap();
        let mut message = vec![0; rng.next_u32() as usize % 200];
        rng.fill_bytes(&mut message);
        let signature = secret.sign(&message).unwrap();
        let expected: ::sm2::dsa::Signature = oracle.sign(&message);
        assert_eq!(signature.as_bytes()[..], expected.to_bytes()[..], "{round}");
        assert!(verifier.verify(&secret.public_key(), &message, &signature));
    }
}

#[test]
fn secret_keys_at_the_ends_of_the_range() {
    let order = bytes("fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123");
    let with_last = |delta: u8| {
        let mut number: [u8; 32] = order.clone().try_into().unwrap();
        number[31] -= delta;
        number
    };
    assert!(SecretKey::from_bytes(&[0; 32]).is_err());
    assert!(SecretKey::from_bytes(&[0xff; 32]).is_err());
    assert!(SecretKey::from_bytes(&with_last(0)).is_err());
    assert!(SecretKey::from_bytes(&with_last(1)).is_err());
    let last = SecretKey::from_bytes(&with_last(2)).unwrap();
    let signature = last.sign(b"m").unwrap();
    assert!(FastVerifier::default().verify(&last.public_key(), b"m", &signature));
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!("{:?}", annex_key());
    assert!(!shown.contains(&D[..8]), "{shown}");
}

#[test]
fn public_keys_are_canonical() {
    let key = annex_key().public_key();
    assert_eq!(PublicKey::from_bytes(key.as_bytes()).unwrap(), key);
    assert_eq!(PublicKey::from_uncompressed(&key.to_uncompressed()).unwrap(), key);
    assert_eq!(key.to_string().parse::<PublicKey>().unwrap(), key);
    assert_eq!(key.to_string(), format!("03{X}"));

    let compressed = |first: &str, x: &str| PublicKey::from_bytes(&bytes(&format!("{first}{x}")));
    let p = "fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff";
    assert_eq!(compressed("02", p), Err(KeyError::NotOnCurve));
    assert_eq!(compressed("02", &"ff".repeat(32)), Err(KeyError::NotOnCurve));
    assert_eq!(compressed("04", X), Err(KeyError::Form(4)));
    assert_eq!(compressed("00", X), Err(KeyError::Form(0)));
    assert_eq!(PublicKey::from_bytes(&[0]), Err(KeyError::Length(1)));
    assert_eq!(PublicKey::from_bytes(&[]), Err(KeyError::Length(0)));
    let wrong_y = format!("{X}{}", "01".repeat(32));
    let refused = PublicKey::from_uncompressed(&bytes(&wrong_y));
    assert_eq!(refused, Err(KeyError::NotOnCurve));
    let refused = PublicKey::from_uncompressed(&bytes(&format!("05{X}{Y}")));
    assert_eq!(refused, Err(KeyError::Form(5)));
    assert_eq!("zz".repeat(33).parse::<PublicKey>(), Err(KeyError::Hex));
}

#[test]
fn signatures_out_of_range_do_not_parse() {
    let order = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";
    let zero = "00".repeat(32);
    for bad in [
        format!("{zero}{S}"),
        format!("{R}{zero}"),
        format!("{order}{S}"),
        format!("{R}{order}"),
        "ff".repeat(64),
    ] {
        assert_eq!(bad.parse::<Signature>(), Err(SignatureError::Range));
    }
    assert_eq!(Signature::from_bytes(&[1; 63]), Err(SignatureError::Length(63)));
    assert_eq!("0".parse::<Signature>(), Err(SignatureError::Hex));
}

#[test]
fn der_is_strict() {
    let signature: Signature = format!("{R}{S}").parse().unwrap();
    let der = signature.to_der();
    assert_eq!(der, bytes(&format!("3046022100{R}022100{S}")));
    assert_eq!(Signature::from_der(&der).unwrap(), signature);

    let mut small = [0; 64];
    (small[31], small[63]) = (1, 0x80);
    let small = Signature::from_bytes(&small).unwrap();
    assert_eq!(small.to_der(), bytes("300702010102020080"));
    assert_eq!(Signature::from_der(&small.to_der()).unwrap(), small);

    for bad in [
        "",
        "30",
        "3000",
        "30070201010202008000",    // trailing byte
        "3008020101020300008000",  // leading zero, trailing byte
        "30080201010203000080",    // leading zero
        "3006020101020180",        // negative
        "308107020101020200 80",   // long form of a short length
        "300902010102020080 0500", // a third element
        "310702010102020080",      // SET
        "3080020101020200800000",  // indefinite length
    ] {
        let der = bytes(&bad.replace(' ', ""));
        assert_eq!(Signature::from_der(&der), Err(SignatureError::Der), "{bad}");
    }
    let wide = format!("3028022101{}020101", "00".repeat(32));
    let refused = Signature::from_der(&bytes(&wide));
    assert!(refused.is_err(), "{refused:?}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 20_000, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default()
    })]

    #[test]
    fn der_has_one_form(numbers: [u8; 64], zeros in 0usize..32, at: prop::sample::Index, change: u8) {
        let mut numbers = numbers;
        numbers[..zeros].fill(0);
        let Ok(signature) = Signature::from_bytes(&numbers) else { return Ok(()) };
        let mut der = signature.to_der();
        prop_assert_eq!(Signature::from_der(&der), Ok(signature));
        let at = at.index(der.len());
        der[at] ^= change;
        if let Ok(other) = Signature::from_der(&der) {
            prop_assert_eq!(other.to_der(), der);
        }
    }

    #[test]
    fn arbitrary_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(signature) = Signature::from_der(&bytes) {
            prop_assert_eq!(signature.to_der(), bytes.clone());
        }
        if let Ok(key) = PublicKey::from_bytes(&bytes) {
            prop_assert_eq!(&key.as_bytes()[..], bytes.clone());
        }
        if let Ok(key) = PublicKey::from_uncompressed(&bytes) {
            prop_assert!(key.to_uncompressed().ends_with(&bytes));
        }
    }
}
