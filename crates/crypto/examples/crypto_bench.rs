//! Signatures verified per second against RustCrypto `sm2`, in one interleaved run by CPU time.
//!
//! `cargo run --release -p yulian-crypto --example crypto_bench`

use ::sm2::dsa::signature::{Signer as _, Verifier as _};
use ::sm2::dsa::{SigningKey, VerifyingKey};
use ::sm3::{Digest as _, Sm3};
use aes_gcm::aead::{AeadInOut, consts::U12};
use aes_gcm::{AesGcm, KeyInit as _};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::ops::Deref;
use std::rc::Rc;
use yulian_crypto::merkle;
use yulian_crypto::sm2::{FastVerifier, Item, KEY_CACHE_BYTES, PublicKey, SecretKey, Signature, Signer, Verifier};
use yulian_crypto::{sm3, sm4};

const ORACLE_VERIFY: &str = "verify, RustCrypto sm2 0.14";
const ORACLE_SIGN: &str = "sign, RustCrypto sm2 0.14";

const KEYS: usize = 64;
const SIGNATURES: usize = 256;
/// Keys that all have a table, but none a large one.
const MANY_KEYS: usize = 10_000;
/// The median of so many rounds is shown; candidates take turns within a round.
const ROUNDS: usize = 7;
/// CPU time for one candidate in one round, seconds.
const SLICE_SECONDS: f64 = 0.1;

struct Signed {
    key: PublicKey,
    oracle_key: VerifyingKey,
    message: [u8; 32],
    signature: Signature,
    oracle_signature: ::sm2::dsa::Signature,
}

/// `signatures` of `keys` that take turns.
fn signed(keys: usize, signatures: usize) -> Vec<Signed> {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let keys: Vec<_> = (0..keys).map(|_| SecretKey::generate(&mut rng)).collect();
    (0..signatures)
        .map(|index| {
            let secret = &keys[index % keys.len()];
            let mut message = [0; 32];
            rng.fill_bytes(&mut message);
            let signature = secret.sign(&message).expect("software keys sign");
            let key = secret.public_key();
            Signed {
                key,
                oracle_key: VerifyingKey::from_sec1_bytes("1234567812345678", key.as_bytes())
                    .expect("our keys are theirs"),
                message,
                signature,
                oracle_signature: ::sm2::dsa::Signature::from_slice(signature.as_bytes())
                    .expect("our signatures are theirs"),
            }
        })
        .collect()
}

fn as_items(signed: &[Signed]) -> Vec<Item<'_>> {
    signed
        .iter()
        .map(|signed| Item {
            key: &signed.key,
            message: &signed.message,
            signature: &signed.signature,
        })
        .collect()
}

/// A verifier that has seen all these signatures so many times.
fn trained(cache_bytes: usize, items: &[Item<'_>], times: usize) -> FastVerifier {
    let verifier = FastVerifier::new(cache_bytes);
    for _ in 0..times {
        for item in items {
            assert!(verifier.verify(item.key, item.message, item.signature));
        }
    }
    verifier
}

/// CPU time of this thread, seconds: other programs on the machine do not count.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

struct Candidate<'a> {
    name: &'static str,
    /// The candidate to compare with.
    baseline: Option<&'static str>,
    run: Box<dyn FnMut(usize) + 'a>,
    /// What one run does of that which is counted.
    size: f64,
    unit: &'static str,
    per_second: Vec<f64>,
}

impl<'a> Candidate<'a> {
    fn new(name: &'static str, run: impl FnMut(usize) + 'a) -> Self {
        Self {
            name,
            baseline: None,
            run: Box::new(run),
            size: 1.0,
            unit: "/s",
            per_second: Vec::new(),
        }
    }

    fn against(self, name: &'static str) -> Self {
        let baseline = Some(name);
        Self { baseline, ..self }
    }

    fn of(self, size: usize) -> Self {
        let size = size as f64;
        Self { size, ..self }
    }

    fn megabytes(self, bytes: usize) -> Self {
        let (size, unit) = (bytes as f64 * 1e-6, "MB/s");
        Self { size, unit, ..self }
    }

    /// Batches of so many items, by the verifier that is given each time.
    fn batches<V: Deref<Target = FastVerifier>>(
        name: &'static str,
        size: usize,
        items: &'a [Item<'a>],
        verifier: impl Fn() -> V + 'a,
    ) -> Self {
        let parts = items.len() / size;
        let run = move |index: usize| {
            let part = index % parts * size;
            let answers = verifier().verify_many(black_box(&items[part..part + size]));
            assert!(answers.iter().all(|valid| *valid));
        };
        Self::new(name, run).of(size).against(ORACLE_VERIFY)
    }

    fn measure(&mut self) {
        let (start, mut done) = (cpu_seconds(), 0u32);
        loop {
            // Few at a time, as one run may take ten milliseconds.
            for _ in 0..(16.0 / self.size).ceil().max(1.0) as u32 {
                (self.run)(done as usize);
                done += 1;
            }
            let spent = cpu_seconds() - start;
            if spent >= SLICE_SECONDS {
                self.per_second.push(f64::from(done) * self.size / spent);
                return;
            }
        }
    }

    fn median(&mut self) -> f64 {
        self.per_second.sort_by(f64::total_cmp);
        self.per_second[self.per_second.len() / 2]
    }
}

fn candidates<'a>(items: &'a [Signed], known: &'a FastVerifier, secret: &'a SecretKey) -> Vec<Candidate<'a>> {
    let at = move |index: usize| &items[index % items.len()];
    let unknown = move |index| {
        // A fresh verifier has seen no key.
        let item = at(index);
        let fresh = FastVerifier::new(0);
        assert!(fresh.verify(&item.key, black_box(&item.message), &item.signature));
    };
    let cached = move |index| {
        let item = at(index);
        assert!(known.verify(&item.key, black_box(&item.message), &item.signature));
    };
    let oracle = move |index| {
        let item = at(index);
        let valid = item.oracle_key.verify(black_box(&item.message), &item.oracle_signature);
        assert!(valid.is_ok());
    };
    let oracle_secret = SigningKey::from_slice("1234567812345678", &*secret.to_bytes()).expect("in range");
    vec![
        Candidate::new(ORACLE_VERIFY, oracle),
        Candidate::new("verify, unknown key", unknown).against(ORACLE_VERIFY),
        Candidate::new("verify, cached key", cached).against(ORACLE_VERIFY),
        Candidate::new("parse a compressed key", move |index| {
            black_box(PublicKey::from_bytes(at(index).key.as_bytes()).expect("valid"));
        }),
        Candidate::new(ORACLE_SIGN, move |index| {
            let signature: ::sm2::dsa::Signature = oracle_secret.sign(&at(index).message);
            black_box(signature);
        }),
        Candidate::new("sign", move |index| {
            black_box(Signer::sign(secret, &at(index).message).expect("software keys sign"));
        })
        .against(ORACLE_SIGN),
    ]
}

const ORACLE_NODES: &str = "1,024 of 66 bytes, RustCrypto sm3";
const ORACLE_MESSAGES: &str = "256 of 300 bytes, RustCrypto sm3";

fn hashes<'a>() -> Vec<Candidate<'a>> {
    let leaves: Vec<_> = (0..1024u32).map(|i| merkle::leaf(&i.to_be_bytes())).collect();
    let nodes: Vec<[u8; 66]> = (0..1024).map(|i| [i as u8; 66]).collect();
    let messages: Vec<[u8; 300]> = (0..256).map(|i| [i as u8; 300]).collect();
    let (oracle_nodes, oracle_messages) = (nodes.clone(), messages.clone());
    vec![
        Candidate::new("SM3 of 1 KiB", move |_| {
            black_box(sm3::hash(&[black_box(&[7; 1024])]));
        }),
        Candidate::new(ORACLE_NODES, move |_| {
            let digests: Vec<_> = black_box(&oracle_nodes).iter().map(Sm3::digest).collect();
            black_box(digests);
        })
        .of(nodes.len()),
        Candidate::new("1,024 of 66 bytes, hash_equal", move |_| {
            black_box(sm3::hash_equal(black_box(&nodes)));
        })
        .of(1024)
        .against(ORACLE_NODES),
        Candidate::new(ORACLE_MESSAGES, move |_| {
            let digests: Vec<_> = black_box(&oracle_messages).iter().map(Sm3::digest).collect();
            black_box(digests);
        })
        .of(messages.len()),
        Candidate::new("256 of 300 bytes, hash_many", move |_| {
            let messages: Vec<_> = black_box(&messages)
                .iter()
                .map(|message| [message.as_slice()])
                .collect();
            black_box(sm3::hash_many(&messages));
        })
        .of(256)
        .against(ORACLE_MESSAGES),
        Candidate::new("Merkle root of 1,024 leaves", move |_| {
            black_box(merkle::root(black_box(&leaves)));
        }),
    ]
}

const SEAL_SIZES: [(usize, &str, &str); 4] = [
    (128, "SM4-GCM seal 128 B, RustCrypto", "SM4-GCM seal 128 B"),
    (1 << 10, "SM4-GCM seal 1 KiB, RustCrypto", "SM4-GCM seal 1 KiB"),
    (16 << 10, "SM4-GCM seal 16 KiB, RustCrypto", "SM4-GCM seal 16 KiB"),
    (1 << 20, "SM4-GCM seal 1 MiB, RustCrypto", "SM4-GCM seal 1 MiB"),
];

fn seals<'a>() -> Vec<Candidate<'a>> {
    let of_size = |(size, oracle_name, name)| {
        let (mut oracle_text, mut text) = (vec![7; size], vec![7; size]);
        let oracle = AesGcm::<::sm4::Sm4, U12>::new(&[1; 16].into());
        let gcm = sm4::Gcm::new(&[1; 16]);
        let oracle = move |_| {
            let sealed = oracle.encrypt_inout_detached(&[2; 12].into(), &[3; 13], oracle_text.as_mut_slice().into());
            black_box(sealed.expect("short"));
        };
        let own = move |_| {
            black_box(gcm.seal_in_place(&[2; 12], &[3; 13], &mut text).expect("short"));
        };
        [
            Candidate::new(oracle_name, oracle).megabytes(size),
            Candidate::new(name, own).megabytes(size).against(oracle_name),
        ]
    };
    SEAL_SIZES.into_iter().flat_map(of_size).collect()
}

/// What many signatures at a time cost.
fn batch_candidates<'a>(few: &'a [Item<'a>], many: &'a [Item<'a>], hot: &'a FastVerifier) -> Vec<Candidate<'a>> {
    let tabled = Rc::new(trained(KEY_CACHE_BYTES, many, 4));
    let fresh = || Box::new(FastVerifier::new(0));
    vec![
        Candidate::batches("64 keys, batches of 256", 256, few, move || hot),
        Candidate::batches("64 keys, batches of 64", 64, few, move || hot),
        Candidate::batches("64 keys, batches of 16", 16, few, move || hot),
        Candidate::batches("10,000 keys, batches of 256", 256, many, move || Rc::clone(&tabled)),
        Candidate::batches("unknown keys, batches of 256", 256, many, fresh),
        Candidate::batches("unknown keys, batches of 64", 64, many, fresh),
    ]
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn main() {
    let few = signed(KEYS, SIGNATURES);
    let many = signed(MANY_KEYS, MANY_KEYS);
    let (few_items, many_items) = (as_items(&few), as_items(&many));
    let known = trained(KEY_CACHE_BYTES, &few_items, 1);
    let hot = trained(KEY_CACHE_BYTES, &few_items, 16);
    let secret = SecretKey::from_bytes(&[7; 32]).expect("in range");
    let mut candidates = candidates(&few, &known, &secret);
    candidates.extend(batch_candidates(&few_items, &many_items, &hot));
    candidates.extend(hashes());
    candidates.extend(seals());
    for _ in 0..ROUNDS {
        for candidate in &mut candidates {
            candidate.measure();
        }
    }
    let medians: Vec<_> = candidates
        .iter_mut()
        .map(|candidate| (candidate.name, candidate.median()))
        .collect();
    for (candidate, (name, median)) in candidates.iter().zip(&medians) {
        let baseline = medians.iter().find(|(name, _)| candidate.baseline == Some(name));
        let ratio = baseline.map_or(String::new(), |(_, baseline)| format!("{:>8.2} x", median / baseline));
        println!("{name:<34} {median:>10.0} {:<4} {ratio}", candidate.unit);
    }
}
