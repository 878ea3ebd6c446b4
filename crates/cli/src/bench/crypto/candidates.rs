//! Our own operations and RustCrypto's, on the same keys and messages.

use super::{OWN, Series, operation::Operation};
use crate::key;
use ::sm2::dsa::{
    SigningKey, VerifyingKey,
    signature::{Signer as _, Verifier as _},
};
use ::sm3::{Digest as _, Sm3};
use aes_gcm::{
    AesGcm, KeyInit as _,
    aead::{AeadInOut, consts::U12},
};
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use yulian_crypto::{
    sm2::{FastVerifier, Item, KEY_CACHE_BYTES, PublicKey, SecretKey, Signature, Signer, Verifier},
    sm3, sm4,
};

const KEYS: usize = 64;
/// Signatures, and how many are verified together.
const SIGNATURES: usize = 256;
/// Times that a verifier has seen a key before it counts as hot.
const HOT: usize = 16;
/// Nodes of a tree that are hashed side by side.
const NODES: usize = 1024;
/// CPU time of one candidate in one round, seconds.
const SLICE_SECONDS: f64 = 0.15;
const SM2: &str = "sm2";
const SM3: &str = "sm3";
const SM4: &str = "sm4";
/// The identity of GB/T 35276 that both sides sign with.
const IDENTITY: &str = "1234567812345678";

/// An operation of an implementation.
pub(super) struct Candidate<'a> {
    operation: Operation,
    implementation: &'static str,
    run: Box<dyn FnMut(usize) + 'a>,
    /// Operations of one run.
    size: f64,
}

/// CPU time of this thread, seconds: other programs on the machine do not count.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

impl<'a> Candidate<'a> {
    fn new(operation: Operation, implementation: &'static str, run: impl FnMut(usize) + 'a) -> Self {
        Self {
            operation,
            implementation,
            run: Box::new(run),
            size: 1.0,
        }
    }

    fn of(self, size: usize) -> Self {
        let size = size as f64;
        Self { size, ..self }
    }

    pub(super) fn series(&self) -> Series {
        Series::new(self.operation, self.implementation)
    }

    /// Operations per second of CPU time, in a slice of it.
    pub(super) fn measure(&mut self) -> f64 {
        let (start, mut done) = (cpu_seconds(), 0u32);
        loop {
            // Few at a time, as one run may take ten milliseconds.
            for _ in 0..(16.0 / self.size).ceil() as u32 {
                (self.run)(done as usize);
                done += 1;
            }
            let spent = cpu_seconds() - start;
            if spent >= SLICE_SECONDS {
                return f64::from(done) * self.size / spent;
            }
        }
    }
}

struct Signed {
    key: PublicKey,
    reference_key: VerifyingKey,
    message: [u8; 32],
    signature: Signature,
    reference_signature: ::sm2::dsa::Signature,
}

/// Keys, messages, signatures, and verifiers that have seen them.
pub(super) struct Material {
    secret: SecretKey,
    signed: Vec<Signed>,
    cached: FastVerifier,
    hot: FastVerifier,
}

fn signed(secret: &SecretKey) -> Signed {
    let mut message = [0; 32];
    rand_core::Rng::fill_bytes(&mut key::random(), &mut message);
    let signature = secret.sign(&message).expect("software keys sign");
    let key = secret.public_key();
    Signed {
        key,
        reference_key: VerifyingKey::from_sec1_bytes(IDENTITY, key.as_bytes()).expect("our keys are theirs"),
        message,
        signature,
        reference_signature: ::sm2::dsa::Signature::from_slice(signature.as_bytes())
            .expect("our signatures are theirs"),
    }
}

/// A verifier that has seen all these signatures so many times.
fn trained(all: &[Signed], times: usize) -> FastVerifier {
    let verifier = FastVerifier::new(KEY_CACHE_BYTES);
    for one in all.iter().cycle().take(all.len() * times) {
        assert!(verifier.verify(&one.key, &one.message, &one.signature));
    }
    verifier
}

impl Material {
    pub(super) fn new() -> Self {
        let keys: Vec<_> = (0..KEYS).map(|_| SecretKey::generate(&mut key::random())).collect();
        let signed: Vec<_> = keys.iter().cycle().take(SIGNATURES).map(signed).collect();
        Self {
            secret: SecretKey::generate(&mut key::random()),
            cached: trained(&signed, 1),
            hot: trained(&signed, HOT),
            signed,
        }
    }

    /// All, with each of ours beside RustCrypto's.
    pub(super) fn candidates(&self) -> Vec<Candidate<'_>> {
        let mut all = self.verifications();
        all.extend(self.signing());
        all.extend(nodes());
        all.extend(kib());
        all.extend(seal(Operation::Sm4Kib, 1 << 10));
        all.extend(seal(Operation::Sm4Kib16, 16 << 10));
        all
    }

    fn verifications(&self) -> Vec<Candidate<'_>> {
        let at = |index: usize| &self.signed[index % self.signed.len()];
        let items: Vec<Item<'_>> = self
            .signed
            .iter()
            .map(|one| Item {
                key: &one.key,
                message: &one.message,
                signature: &one.signature,
            })
            .collect();
        vec![
            Candidate::new(Operation::Sm2Verify, SM2, move |index| {
                let one = at(index);
                let valid = one
                    .reference_key
                    .verify(black_box(&one.message), &one.reference_signature);
                assert!(valid.is_ok());
            }),
            Candidate::new(Operation::Sm2VerifyUnknownKey, OWN, move |index| {
                // A fresh verifier has seen no key.
                let (one, fresh) = (at(index), FastVerifier::new(0));
                assert!(fresh.verify(&one.key, black_box(&one.message), &one.signature));
            }),
            Candidate::new(Operation::Sm2VerifyCachedKey, OWN, move |index| {
                let one = at(index);
                assert!(self.cached.verify(&one.key, black_box(&one.message), &one.signature));
            }),
            Candidate::new(Operation::Sm2VerifyBatch, OWN, move |_| {
                let answers = self.hot.verify_many(black_box(&items));
                assert!(answers.iter().all(|valid| *valid));
            })
            .of(SIGNATURES),
        ]
    }

    fn signing(&self) -> [Candidate<'_>; 2] {
        let message = &self.signed[0].message;
        let reference = SigningKey::from_slice(IDENTITY, &*self.secret.to_bytes()).expect("in range");
        [
            Candidate::new(Operation::Sm2Sign, SM2, move |_| {
                let signature: ::sm2::dsa::Signature = reference.sign(black_box(message));
                black_box(signature);
            }),
            Candidate::new(Operation::Sm2Sign, OWN, move |_| {
                black_box(Signer::sign(&self.secret, black_box(message)).expect("software keys sign"));
            }),
        ]
    }
}

/// Nodes of a Merkle tree: two digests and two bytes of frame.
fn nodes<'a>() -> [Candidate<'a>; 2] {
    let nodes: Vec<[u8; 66]> = (0..NODES).map(|at| [at as u8; 66]).collect();
    let same = nodes.clone();
    [
        Candidate::new(Operation::Sm3Node, SM3, move |_| {
            let digests: Vec<_> = black_box(&same).iter().map(Sm3::digest).collect();
            black_box(digests);
        })
        .of(NODES),
        Candidate::new(Operation::Sm3Node, OWN, move |_| {
            black_box(sm3::hash_equal(black_box(&nodes)));
        })
        .of(NODES),
    ]
}

fn kib<'a>() -> [Candidate<'a>; 2] {
    let message = [7; 1024];
    [
        Candidate::new(Operation::Sm3Kib, SM3, move |_| {
            black_box(Sm3::digest(black_box(message)));
        }),
        Candidate::new(Operation::Sm3Kib, OWN, move |_| {
            black_box(sm3::hash(&[black_box(&message)]));
        }),
    ]
}

fn seal<'a>(operation: Operation, bytes: usize) -> [Candidate<'a>; 2] {
    let (mut reference_text, mut text) = (vec![7; bytes], vec![7; bytes]);
    let reference = AesGcm::<::sm4::Sm4, U12>::new(&[1; 16].into());
    let own = sm4::Gcm::new(&[1; 16]);
    [
        Candidate::new(operation, SM4, move |_| {
            let sealed =
                reference.encrypt_inout_detached(&[2; 12].into(), &[3; 13], reference_text.as_mut_slice().into());
            black_box(sealed.expect("short"));
        }),
        Candidate::new(operation, OWN, move |_| {
            black_box(own.seal_in_place(&[2; 12], &[3; 13], &mut text).expect("short"));
        }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_candidate_works_and_has_one_to_compare_with() {
        let material = Material::new();
        let mut all = material.candidates();
        let of: Vec<_> = all.iter().map(|one| (one.operation, one.implementation)).collect();
        for candidate in &mut all {
            (candidate.run)(3);
            let reference = candidate.operation.reference();
            assert!(of.iter().any(|(operation, by)| *operation == reference && *by != OWN));
        }
    }
}
