//! SM4 against GB/T 32907-2016, Annex A, and SM4-GCM against RFC 8998, Appendix A.1.

use ::sm4::Sm4;
use ::sm4::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use yulian_crypto::sm4::{Gcm, NotAuthentic, TAG_BYTES};

const KEY: &str = "0123456789abcdeffedcba9876543210";

const IV: &str = "00001234567800000000abcd";
const AAD: &str = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
const PLAIN: &str = "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd\
eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa";
const CIPHER: &str = "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735\
d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d";
const TAG: &str = "83de3541e4c2b58177e065a9bf7b62ec";

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text).unwrap().try_into().unwrap()
}

#[test]
fn gb_t_32907_annex_a() {
    let cipher = Sm4::new(&bytes(KEY).into());
    let start = bytes::<16>(KEY).into();
    let mut block = start;
    cipher.encrypt_block(&mut block);
    assert_eq!(hex::encode(block), "681edf34d206965e86b3e94f536e4246");
    for _ in 1..1_000_000 {
        cipher.encrypt_block(&mut block);
    }
    assert_eq!(hex::encode(block), "595298c7c6fd271f0402f804c33d3f66");
    for _ in 0..1_000_000 {
        cipher.decrypt_block(&mut block);
    }
    assert_eq!(block, start);
}

#[test]
fn rfc_8998_appendix_a() {
    let cipher = Gcm::new(&bytes(KEY));
    let (nonce, aad, plain) = (bytes(IV), bytes::<20>(AAD), bytes::<64>(PLAIN));
    let sealed = cipher.seal(&nonce, &aad, &plain).unwrap();
    assert_eq!(hex::encode(&sealed), format!("{CIPHER}{TAG}"));
    assert_eq!(cipher.open(&nonce, &aad, &sealed).unwrap(), plain);

    let mut text = plain;
    let tag = cipher.seal_in_place(&nonce, &aad, &mut text).unwrap();
    assert_eq!((hex::encode(text).as_str(), hex::encode(tag).as_str()), (CIPHER, TAG));
    cipher.open_in_place(&nonce, &aad, &mut text, &tag).unwrap();
    assert_eq!(text, plain);
}

#[test]
fn any_changed_bit_is_refused() {
    let (key, nonce, aad) = (bytes(KEY), bytes(IV), bytes::<20>(AAD));
    let cipher = Gcm::new(&key);
    let sealed = cipher.seal(&nonce, &aad, b"seventeen letters").unwrap();
    assert_eq!(sealed.len(), 17 + TAG_BYTES);
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(cipher.open(&nonce, &aad, &changed), Err(NotAuthentic));
    }
    for bit in 0..aad.len() * 8 {
        let mut changed = aad;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(cipher.open(&nonce, &changed, &sealed), Err(NotAuthentic));
    }
    for bit in 0..nonce.len() * 8 {
        let mut changed = nonce;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(cipher.open(&changed, &aad, &sealed), Err(NotAuthentic));
    }
    for bit in 0..key.len() * 8 {
        let mut changed = key;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(Gcm::new(&changed).open(&nonce, &aad, &sealed), Err(NotAuthentic));
    }
    for length in 0..sealed.len() {
        assert_eq!(cipher.open(&nonce, &aad, &sealed[..length]), Err(NotAuthentic));
    }
}

#[test]
fn empty_messages_are_authenticated_too() {
    let cipher = Gcm::new(&bytes(KEY));
    let sealed = cipher.seal(&bytes(IV), b"", b"").unwrap();
    assert_eq!(sealed.len(), TAG_BYTES);
    assert_eq!(cipher.open(&bytes(IV), b"", &sealed).unwrap(), b"");
    assert_eq!(cipher.open(&bytes(IV), b"x", &sealed), Err(NotAuthentic));
}
