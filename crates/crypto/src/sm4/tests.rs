//! Every engine that this processor has, against RustCrypto's.

use super::*;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const NONCE: [u8; NONCE_BYTES] = [0xf1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

/// The cipher of a key by every engine, with names; the first is the reference.
fn engines(key: &[u8; KEY_BYTES]) -> Vec<(&'static str, Gcm)> {
    #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "no kernel to add"))]
    let mut out = vec![("table", Gcm::by_table(key)), ("chosen", Gcm::new(key))];
    #[cfg(target_arch = "x86_64")]
    if let Some(aes) = Aes::detect() {
        let gcm = |vaes| Gcm(Engine::Vector(vector::VectorGcm::new(aes, vaes, key)));
        out.push(("128 bits", gcm(None)));
        out.extend(Vaes::detect().map(|vaes| ("256 bits", gcm(Some(vaes)))));
    }
    out
}

/// Bytes that depend on their place and on a seed.
fn bytes<const N: usize>(seed: usize) -> [u8; N] {
    std::array::from_fn(|i| (i * 167 + seed * 59 + i / 256) as u8)
}

fn check(engines: &[(&str, Gcm)], nonce: &[u8; NONCE_BYTES], aad: &[u8], plain: &[u8]) {
    let expected = engines[0].1.seal(nonce, aad, plain).expect("short");
    for (name, gcm) in engines {
        let place = format!("{name}: {} of text, {} beside it", plain.len(), aad.len());
        assert!(gcm.seal(nonce, aad, plain).expect("short") == expected, "{place}");
        assert!(gcm.open(nonce, aad, &expected).expect("authentic") == plain, "{place}");
    }
}

#[test]
fn every_length() {
    let engines = engines(&bytes(1));
    let text: [u8; 600] = bytes(2);
    for length in 0..=text.len() {
        check(&engines, &NONCE, &text[..length % 40], &text[..length]);
    }
    for length in 0..=300 {
        check(&engines, &NONCE, &text[..length], &text[..length % 33]);
    }
}

#[test]
fn long_texts() {
    let engines = engines(&bytes(3));
    let text: Vec<u8> = bytes::<4099>(4).repeat(17);
    for length in [4095, 4096, 4097, 65_536, text.len()] {
        check(&engines, &NONCE, b"beside", &text[..length]);
    }
}

#[test]
fn keys_nonces_and_texts_of_one_byte() {
    for byte in 0..=255 {
        let engines = engines(&[byte; KEY_BYTES]);
        check(&engines, &[byte; NONCE_BYTES], &[], &[byte; 256]);
    }
}

#[test]
fn nothing_is_decrypted_without_the_tag() {
    let text: [u8; 600] = bytes(5);
    for (name, gcm) in engines(&bytes(6)) {
        let mut sealed = text;
        let tag = gcm.seal_in_place(&NONCE, b"beside", &mut sealed).expect("short");
        for bit in (0..8 * TAG_BYTES).chain([usize::MAX]) {
            let (mut changed, mut changed_tag) = (sealed, tag);
            match changed_tag.get_mut(bit / 8) {
                Some(byte) => *byte ^= 1 << (bit % 8),
                None => changed[599] ^= 1,
            }
            let before = changed;
            let opened = gcm.open_in_place(&NONCE, b"beside", &mut changed, &changed_tag);
            assert_eq!((opened, changed), (Err(NotAuthentic), before), "{name} {bit}");
        }
        assert_eq!(
            gcm.open_in_place(&NONCE, b"besides", &mut sealed, &tag),
            Err(NotAuthentic),
            "{name}"
        );
        assert_eq!(
            gcm.open_in_place(&NONCE, b"beside", &mut sealed, &tag),
            Ok(()),
            "{name}"
        );
        assert_eq!(sealed, text, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default()
    })]

    #[test]
    fn random_keys_and_texts(key in any::<[u8; KEY_BYTES]>(), nonce in any::<[u8; NONCE_BYTES]>(),
            aad in prop::collection::vec(any::<u8>(), 0..80), plain in prop::collection::vec(any::<u8>(), 0..2000)) {
        check(&engines(&key), &nonce, &aad, &plain);
    }
}
