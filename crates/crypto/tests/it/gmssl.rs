//! PyPI's `gmssl` (pure Python) as another implementation of SM2, SM3 and SM4, in both directions.

use crate::tools::gmssl;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use yulian_crypto::key_file;
use yulian_crypto::sm2::{FastVerifier, PublicKey, SecretKey, Signature, Signer, Verifier};
use yulian_crypto::{sm3, sm4};

/// Each line: private number, x ‖ y, message, our signature. Answers: whether ours verifies, theirs.
const SIGN: &str = "
import sys
from gmssl import sm2
for line in sys.stdin:
    d, q, message, ours = line.split()
    key = sm2.CryptSM2(private_key=d, public_key=q)
    message = bytes.fromhex(message)
    print(int(bool(key.verify_with_sm3(ours, message))), key.sign_with_sm3(message))
";

#[test]
fn sm2_signatures_both_ways() {
    let mut rng = ChaCha20Rng::seed_from_u64(30);
    let mut input = String::new();
    let mut cases: Vec<(PublicKey, Vec<u8>, bool)> = Vec::new();
    for round in 0..12 {
        let secret = SecretKey::generate(&mut rng);
        let mut message = vec![0; 1 + round * 7];
        rng.fill_bytes(&mut message);
        let right = round % 4 != 3;
        let signature = secret.sign(if right { &message } else { b"another" }).unwrap();
        let (d, q) = (
            hex::encode(*secret.to_bytes()),
            hex::encode(&secret.public_key().to_uncompressed()[1..]),
        );
        input += &format!("{d} {q} {} {signature}\n", hex::encode(&message));
        cases.push((secret.public_key(), message, right));
    }
    let answers = gmssl(SIGN, &input);
    assert_eq!(answers.lines().count(), cases.len(), "{answers}");
    for (answer, (key, message, right)) in answers.lines().zip(&cases) {
        let (verified, theirs) = answer.split_once(' ').unwrap();
        assert_eq!(verified == "1", *right);
        let theirs: Signature = theirs.parse().unwrap();
        assert!(FastVerifier::default().verify(key, message, &theirs));
    }
}

const HASH: &str = "
import sys
from gmssl import sm3
for line in sys.stdin:
    print(sm3.sm3_hash(list(bytes.fromhex(line.strip()))))
";

#[test]
fn sm3_digests() {
    let mut rng = ChaCha20Rng::seed_from_u64(31);
    let messages: Vec<_> = [0, 1, 55, 56, 64, 200]
        .map(|length| {
            let mut message = vec![0; length];
            rng.fill_bytes(&mut message);
            message
        })
        .into();
    let input: String = messages.iter().map(|message| hex::encode(message) + "\n").collect();
    let expected: Vec<_> = messages
        .iter()
        .map(|message| sm3::hash(&[message]).to_string())
        .collect();
    assert_eq!(gmssl(HASH, &input).lines().collect::<Vec<_>>(), expected);
}

/// Counter mode by hand from the block cipher: GCM's text is counter mode from nonce ‖ 2 on.
const COUNTER: &str = "
import sys
from gmssl import sm4
key, nonce, text = (bytes.fromhex(part) for part in sys.stdin.read().split())
cipher = sm4.CryptSM4(padding_mode=None)
cipher.set_key(key, sm4.SM4_ENCRYPT)
stream = b''.join(bytes(cipher.one_round(cipher.sk, list(nonce + (2 + i).to_bytes(4, 'big')))) for i in range(len(text) // 16 + 1))
print(bytes(a ^ b for a, b in zip(text, stream)).hex())
";

#[test]
fn sm4_gcm_text() {
    let mut rng = ChaCha20Rng::seed_from_u64(32);
    let (mut key, mut nonce, mut plain) = ([0; 16], [0; 12], vec![0; 100]);
    rng.fill_bytes(&mut key);
    rng.fill_bytes(&mut nonce);
    rng.fill_bytes(&mut plain);
    let sealed = sm4::Gcm::new(&key).seal(&nonce, b"", &plain).unwrap();
    let input = format!("{} {} {}", hex::encode(key), hex::encode(nonce), hex::encode(&plain));
    assert_eq!(gmssl(COUNTER, &input).trim(), hex::encode(&sealed[..plain.len()]));
}

/// Encrypts a PKCS#8 key as newer tools do, with PBKDF2 over HMAC-SM3: written from RFC 8018.
const ENCRYPT: &str = "
import sys, base64
from gmssl import sm3, sm4
plain = base64.b64decode(''.join(line for line in sys.stdin.read().split('\\n') if '-' not in line))

def h(data):
    return bytes.fromhex(sm3.sm3_hash(list(data)))
def hmac(key, data):
    key = key.ljust(64, b'\\0')
    return h(bytes(k ^ 0x5c for k in key) + h(bytes(k ^ 0x36 for k in key) + data))
def pbkdf2(password, salt, rounds):
    last = total = hmac(password, salt + b'\\0\\0\\0\\1')
    for _ in range(rounds - 1):
        last = hmac(password, last)
        total = bytes(a ^ b for a, b in zip(total, last))
    return total[:16]

def tlv(tag, *parts):
    body = b''.join(parts)
    size = bytes([len(body)]) if len(body) < 128 else bytes([0x81, len(body)])
    return bytes([tag]) + size + body
def oid(text):
    first, second, *rest = map(int, text.split('.'))
    out = bytes([first * 40 + second])
    for number in rest:
        digits = [number & 127]
        while number > 127:
            number >>= 7
            digits.insert(0, number & 127 | 128)
        out += bytes(digits)
    return tlv(6, out)

salt, iv, rounds = bytes(range(8)), bytes(range(16)), 50
cipher = sm4.CryptSM4()
cipher.set_key(pbkdf2(b'secret', salt, rounds), sm4.SM4_ENCRYPT)
data = cipher.crypt_cbc(iv, plain)
derivation = tlv(48, tlv(4, salt), tlv(2, bytes([rounds])), KEYBYTES tlv(48, oid('1.2.156.10197.1.401.2'), b'\\5\\0'))
parameters = tlv(48, tlv(48, oid('1.2.840.113549.1.5.12'), derivation),
    tlv(48, oid('1.2.156.10197.1.104.2'), tlv(4, iv)))
der = tlv(48, tlv(48, oid('1.2.840.113549.1.5.13'), parameters), tlv(4, data))
text = base64.b64encode(der).decode()
print('-----BEGIN ENCRYPTED PRIVATE KEY-----')
for start in range(0, len(text), 64):
    print(text[start:start + 64])
print('-----END ENCRYPTED PRIVATE KEY-----')
";

#[test]
fn we_read_keys_encrypted_with_pbkdf2_over_sm3() {
    let secret = SecretKey::generate(&mut ChaCha20Rng::seed_from_u64(33));
    for key_bytes in ["", "tlv(2, bytes([16])),"] {
        let pem = gmssl(&ENCRYPT.replace("KEYBYTES", key_bytes), &key_file::to_pem(&secret));
        let read = key_file::from_pem(&pem, Some("secret")).unwrap();
        assert_eq!(read.public_key(), secret.public_key());
        assert!(key_file::from_pem(&pem, Some("secret ")).is_err());
    }
    let pem = gmssl(
        &ENCRYPT.replace("KEYBYTES", "tlv(2, bytes([32])),"),
        &key_file::to_pem(&secret),
    );
    assert!(
        key_file::from_pem(&pem, Some("secret")).is_err(),
        "a length that is not SM4's"
    );
}
