//! Many random signatures and mutations of them: the fast verifier, by its plain and its cached path,
//! answers as RustCrypto does.
//!
//! `YULIAN_SM2_ROUNDS=1000000 cargo test --release -p yulian-crypto sm2_random` for a long run.

use ::sm2::dsa::VerifyingKey;
use ::sm2::dsa::signature::Verifier as _;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use yulian_crypto::sm2::{FastVerifier, Item, PublicKey, SecretKey, Signature, Signer, Verifier};

const ROUNDS: usize = 20_000;
const KEYS: usize = 50;

struct Case {
    key: PublicKey,
    message: Vec<u8>,
    signature: [u8; 64],
}

fn rounds() -> usize {
    let given = std::env::var("YULIAN_SM2_ROUNDS").ok();
    given.map_or(ROUNDS, |text| text.parse().expect("YULIAN_SM2_ROUNDS is a number"))
}

fn oracle(case: &Case) -> bool {
    let key = VerifyingKey::from_sec1_bytes("1234567812345678", case.key.as_bytes()).unwrap();
    ::sm2::dsa::Signature::from_slice(&case.signature)
        .is_ok_and(|signature| key.verify(&case.message, &signature).is_ok())
}

/// One change, of any kind that should make a signature wrong.
fn mutated(case: &Case, other: &Case, rng: &mut impl Rng) -> Case {
    let mut out = Case {
        key: case.key,
        message: case.message.clone(),
        signature: case.signature,
    };
    let at = rng.next_u32() as usize;
    match at % 7 {
        0 => out.signature[at / 7 % 64] ^= 1 << (at / 448 % 8),
        1 => out.message.push(0),
        2 => out.message[at / 7 % case.message.len()] ^= 1 << (at / 448 % 8),
        3 => out.key = other.key,
        4 => out.signature[..32].copy_from_slice(&other.signature[..32]),
        5 => out.signature.rotate_left(32),
        _ => out.signature = other.signature,
    }
    out
}

#[test]
fn random_signatures_and_mutations() {
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let secrets: Vec<_> = (0..KEYS).map(|_| SecretKey::generate(&mut rng)).collect();
    let known = FastVerifier::default();
    let (mut valid, mut refused) = (0, 0);
    let mut last: Option<Case> = None;
    for round in 0..rounds() {
        let secret = &secrets[round % KEYS];
        let mut message = vec![0; 1 + rng.next_u32() as usize % 100];
        rng.fill_bytes(&mut message);
        let case = Case {
            key: secret.public_key(),
            signature: *secret.sign(&message).unwrap().as_bytes(),
            message,
        };
        let wrong = last.as_ref().map(|last| mutated(&case, last, &mut rng));
        for case in [Some(&case), wrong.as_ref()].into_iter().flatten() {
            let expected = oracle(case);
            match Signature::from_bytes(&case.signature) {
                Ok(signature) => {
                    // A new verifier has no table for any key; `known` has one for each, in the end.
                    let fresh = FastVerifier::new(0);
                    assert_eq!(fresh.verify(&case.key, &case.message, &signature), expected, "{round}");
                    assert_eq!(known.verify(&case.key, &case.message, &signature), expected, "{round}");
                }
                Err(_) => assert!(!expected),
            }
            *if expected { &mut valid } else { &mut refused } += 1;
        }
        last = Some(case);
    }
    assert_eq!((valid, refused), (rounds(), rounds() - 1));
}

#[test]
fn many_at_once_and_many_threads_with_little_memory() {
    let mut rng = ChaCha20Rng::seed_from_u64(10);
    let cases: Vec<_> = (0..400u32)
        .map(|index| {
            let secret = SecretKey::generate(&mut rng);
            let message = index.to_be_bytes();
            let signature = secret.sign(if index % 3 == 0 { b"other" } else { &message }).unwrap();
            (secret.public_key(), message, signature)
        })
        .collect();
    let items: Vec<_> = cases
        .iter()
        .map(|(key, message, signature)| Item {
            key,
            message,
            signature,
        })
        .collect();
    let expected: Vec<_> = (0..400).map(|index| index % 3 != 0).collect();
    let verifier = FastVerifier::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..4 {
                    assert_eq!(verifier.verify_many(&items), expected);
                    // Again and again, so that tables are built and pushed out.
                    for _ in 0..4 {
                        assert_eq!(verifier.verify_many(&items[..20]), expected[..20]);
                    }
                }
            });
        }
    });
}
