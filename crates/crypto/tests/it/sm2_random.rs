//! Many random signatures and mutations of them: the fast verifier, by its plain and its cached path and
//! by batches, answers as RustCrypto does.
//!
//! `YULIAN_SM2_ROUNDS=1000000 cargo test --release -p yulian-crypto sm2_random` for a long run.

use ::sm2::dsa::VerifyingKey;
use ::sm2::dsa::signature::Verifier as _;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use yulian_crypto::sm2::{FastVerifier, Item, PublicKey, SecretKey, Signature, Signer, Verifier};

const ROUNDS: usize = 20_000;
const KEYS: usize = 50;

/// Room for the large tables of half the keys: a batch has keys of every kind.
const BATCH_CACHE_BYTES: usize = 12 << 20;
const BATCH_MAX: usize = 200;

#[derive(Clone)]
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
    let mut out = case.clone();
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

/// Signatures that wait for their batch, with RustCrypto's answers.
struct Waiting {
    verifier: FastVerifier,
    cases: Vec<(Case, Signature, bool)>,
    /// Batches have every size from 1 to [`BATCH_MAX`] in turn.
    size: usize,
}

impl Waiting {
    fn push(&mut self, case: Case, signature: Signature, expected: bool) {
        self.cases.push((case, signature, expected));
        if self.cases.len() >= self.size {
            self.size = self.size % BATCH_MAX + 1;
            self.check();
        }
    }

    fn check(&mut self) {
        let cases = std::mem::take(&mut self.cases);
        let items: Vec<_> = cases
            .iter()
            .map(|(case, signature, _)| Item {
                key: &case.key,
                message: &case.message,
                signature,
            })
            .collect();
        let expected: Vec<_> = cases.iter().map(|(_, _, expected)| *expected).collect();
        assert_eq!(self.verifier.verify_many(&items), expected);
        // All wrong together, too.
        let wrong: Vec<_> = items
            .iter()
            .map(|item| Item {
                message: b"no",
                ..*item
            })
            .collect();
        assert_eq!(self.verifier.verify_many(&wrong), vec![false; wrong.len()]);
    }
}

#[test]
fn random_signatures_and_mutations() {
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let secrets: Vec<_> = (0..KEYS).map(|_| SecretKey::generate(&mut rng)).collect();
    let known = FastVerifier::default();
    let mut waiting = Waiting {
        verifier: FastVerifier::new(BATCH_CACHE_BYTES),
        cases: Vec::new(),
        size: 1,
    };
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
        for case in [Some(case.clone()), wrong].into_iter().flatten() {
            let expected = oracle(&case);
            match Signature::from_bytes(&case.signature) {
                Ok(signature) => {
                    // A new verifier has no table for any key; `known` has one for each, in the end.
                    let fresh = FastVerifier::new(0);
                    assert_eq!(fresh.verify(&case.key, &case.message, &signature), expected, "{round}");
                    assert_eq!(known.verify(&case.key, &case.message, &signature), expected, "{round}");
                    waiting.push(case, signature, expected);
                }
                Err(_) => assert!(!expected),
            }
            *if expected { &mut valid } else { &mut refused } += 1;
        }
        last = Some(case);
    }
    waiting.check();
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
