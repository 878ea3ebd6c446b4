//! OpenSSL as a second implementation of SM2, SM3, SM4 and the key files, in both directions.

use crate::tools::{Folder, openssl, try_openssl};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use yulian_crypto::key_file::{self, PemError};
use yulian_crypto::sm2::{FastVerifier, SecretKey, Signature, Signer, Verifier};
use yulian_crypto::{sm3, sm4};

/// OpenSSL 3's default identity is empty.
const SM2_OPTIONS: [&str; 5] = ["-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678"];

fn random(length: usize, rng: &mut impl Rng) -> Vec<u8> {
    let mut out = vec![0; length];
    rng.fill_bytes(&mut out);
    out
}

#[test]
fn sm3_digests() {
    let mut rng = ChaCha20Rng::seed_from_u64(20);
    for length in [0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 1_000, 30_000] {
        let message = random(length, &mut rng);
        let expected = openssl(&["dgst", "-sm3", "-binary"], &message);
        assert_eq!(sm3::hash(&[&message]).0[..], expected, "{length}");
    }
}

#[test]
fn sm4_gcm() {
    let mut rng = ChaCha20Rng::seed_from_u64(21);
    for (length, aad_length) in [(0, 0), (0, 20), (1, 0), (16, 16), (17, 33), (500, 3)] {
        let key: [u8; 16] = random(16, &mut rng).try_into().unwrap();
        let nonce: [u8; 12] = random(12, &mut rng).try_into().unwrap();
        let (plain, aad) = (random(length, &mut rng), random(aad_length, &mut rng));
        let sealed = sm4::Gcm::new(&key).seal(&nonce, &aad, &plain).unwrap();
        let (text, tag) = sealed.split_at(length);

        // The text is counter mode from nonce ‖ 2 on; OpenSSL 3.0 has no SM4-GCM as such.
        let key = hex::encode(key);
        let counter = |number: u8| format!("{}000000{number:02x}", hex::encode(nonce));
        let ctr = |number, input: &[u8]| openssl(&["enc", "-sm4-ctr", "-K", &key, "-iv", &counter(number)], input);
        assert_eq!(text, ctr(2, &plain));

        // The tag is GHASH under SM4(0), masked by counter 1.
        let hash_key = openssl(&["enc", "-sm4-ecb", "-nopad", "-K", &key], &[0; 16]);
        let hash = ghash(u128::from_be_bytes(hash_key.try_into().unwrap()), &aad, text);
        assert_eq!(tag, ctr(1, &hash.to_be_bytes()));
    }
}

/// GHASH bit by bit, as NIST SP 800-38D, 6.3–6.4, has it.
fn ghash(key: u128, aad: &[u8], text: &[u8]) -> u128 {
    let times_key = |x: u128| {
        let (mut sum, mut power) = (0, key);
        for bit in (0..128).rev() {
            sum ^= if x >> bit & 1 == 1 { power } else { 0 };
            power = power >> 1 ^ if power & 1 == 1 { 0xe1 << 120 } else { 0 };
        }
        sum
    };
    let mut blocks: Vec<u128> = Vec::new();
    for part in [aad, text] {
        blocks.extend(part.chunks(16).map(|chunk| {
            let mut block = [0; 16];
            block[..chunk.len()].copy_from_slice(chunk);
            u128::from_be_bytes(block)
        }));
    }
    blocks.push(((aad.len() as u128 * 8) << 64) | (text.len() as u128 * 8));
    blocks.into_iter().fold(0, |sum, block| times_key(sum ^ block))
}

#[test]
fn sm2_signatures_both_ways() {
    let mut rng = ChaCha20Rng::seed_from_u64(22);
    let folder = Folder::new();
    for round in 0..5 {
        let secret = SecretKey::generate(&mut rng);
        let private = folder.put("private", key_file::to_pem(&secret).as_bytes());
        let public = folder.put("public", key_file::public_to_pem(&secret.public_key()).as_bytes());
        let text = random(1 + round * 100, &mut rng);
        let message = folder.put("message", &text);

        let mut sign = vec!["pkeyutl", "-sign", "-inkey", &private, "-in", &message];
        sign.extend(SM2_OPTIONS);
        let theirs = Signature::from_der(&openssl(&sign, b"")).unwrap();
        assert!(FastVerifier::default().verify(&secret.public_key(), &text, &theirs));

        let ours = folder.put("signature", &secret.sign(&text).unwrap().to_der());
        let mut verify = vec![
            "pkeyutl", "-verify", "-pubin", "-inkey", &public, "-in", &message, "-sigfile", &ours,
        ];
        verify.extend(SM2_OPTIONS);
        openssl(&verify, b"");
        folder.put("message", b"another");
        assert!(try_openssl(&verify, b"").is_err());
    }
}

#[test]
fn openssl_reads_our_key_files() {
    let mut rng = ChaCha20Rng::seed_from_u64(23);
    let folder = Folder::new();
    let secret = SecretKey::generate(&mut rng);
    let public = key_file::public_to_pem(&secret.public_key());
    for (name, passphrase) in [("plain", None), ("encrypted", Some("豫链 pass"))] {
        key_file::write(&folder.path(name), &secret, passphrase, &mut rng).unwrap();
        let pass = format!("pass:{}", passphrase.unwrap_or("none"));
        let file = folder.text(name);
        let read = |last: &[&str]| openssl(&[&["pkey", "-in", &file, "-passin", &pass], last].concat(), b"");
        assert_eq!(String::from_utf8(read(&["-pubout"])).unwrap(), public);
        assert_eq!(String::from_utf8(read(&[])).unwrap(), *key_file::to_pem(&secret));
        read(&["-check", "-noout"]);
    }
    let file = folder.text("encrypted");
    assert!(try_openssl(&["pkey", "-in", &file, "-passin", "pass:wrong"], b"").is_err());
    let described = String::from_utf8(openssl(&["asn1parse", "-in", &file], b"")).unwrap();
    assert!(
        described.contains(":sm4-cbc") && described.contains(":hmacWithSHA256"),
        "{described}"
    );
}

#[test]
fn we_read_openssl_key_files() {
    let folder = Folder::new();
    let (plain, encrypted, public) = (folder.text("plain"), folder.text("encrypted"), folder.text("public"));
    openssl(&["genpkey", "-algorithm", "SM2", "-out", &plain], b"");
    openssl(&["pkey", "-in", &plain, "-pubout", "-out", &public], b"");
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o600)).unwrap();
    let secret = key_file::read(&folder.path("plain"), None).unwrap();
    let public = key_file::read_public(&folder.path("public")).unwrap();
    assert_eq!(secret.public_key(), public);
    for cipher in ["sm4-cbc", "aes-256-cbc", "aes-128-cbc"] {
        let encrypt = ["pkcs8", "-topk8", "-in", &plain, "-out", &encrypted, "-v2", cipher];
        openssl(&[&encrypt[..], &["-passout", "pass:secret"]].concat(), b"");
        fs::set_permissions(&encrypted, fs::Permissions::from_mode(0o600)).unwrap();
        let read = |passphrase| key_file::read(&folder.path("encrypted"), passphrase);
        assert_eq!(read(Some("secret")).unwrap().public_key(), public, "{cipher}");
        assert!(read(Some("Secret")).is_err());
        assert!(read(None).is_err());
    }
}

#[test]
fn keys_of_other_kinds_are_refused() {
    let pem = |arguments: &[&str]| String::from_utf8(openssl(arguments, b"")).unwrap();
    let curve = "ec_paramgen_curve:P-256";
    let p256 = pem(&["genpkey", "-algorithm", "EC", "-pkeyopt", curve]);
    let refused = key_file::from_pem(&p256, None).unwrap_err();
    assert!(matches!(refused, PemError::NotSm2(oid) if oid.to_string() == "1.2.840.10045.3.1.7"));
    let ed25519 = pem(&["genpkey", "-algorithm", "ED25519"]);
    let refused = key_file::from_pem(&ed25519, None).unwrap_err();
    assert!(matches!(refused, PemError::NotSm2(oid) if oid.to_string() == "1.3.101.112"));
    let sec1 = pem(&["ecparam", "-name", "prime256v1", "-genkey", "-noout"]);
    let refused = key_file::from_pem(&sec1, None).unwrap_err();
    assert!(
        matches!(&refused, PemError::Label(label) if label == "EC PRIVATE KEY"),
        "{refused}"
    );

    let folder = Folder::new();
    let file = folder.put("key", p256.as_bytes());
    let encrypt = ["pkcs8", "-topk8", "-in", &file, "-passout", "pass:secret", "-v2"];
    for (cipher, extra, oid) in [
        ("des3", &[][..], "1.2.840.113549.3.7"),
        ("aes-256-cbc", &["-v2prf", "hmacWithSHA512"], "1.2.840.113549.2.11"),
    ] {
        let other = pem(&[&encrypt[..], &[cipher], extra].concat());
        let refused = key_file::from_pem(&other, Some("secret")).unwrap_err();
        assert!(
            matches!(refused, PemError::Encryption(found) if found.to_string() == oid),
            "{refused}"
        );
    }
}
