//! Finality proofs: form and signatures.

use crate::wire::{data, digest, genesis, number, secret, set};
use bytes::Bytes;
use yulian_crypto::sm2::{FastVerifier, Signature, Signer};
use yulian_types::{
    Digest, FinalityError, FinalityProof, ValidatorSet, decode_canonical, encode, finality_message,
    limits::{FINALITY_PROOF_BYTES_MAX, VALIDATORS_MAX},
    proto,
};

fn sign(set: &ValidatorSet, index: u32, message: &[u8]) -> Signature {
    let key = set.keys()[index as usize];
    let found = (0..VALIDATORS_MAX as u32)
        .map(secret)
        .find(|secret| secret.public_key() == key);
    found.expect("a test key").sign(message).expect("signature")
}

fn proof(set: &ValidatorSet, signers: &[u32]) -> FinalityProof {
    let (chain, block) = (genesis().chain_id, digest("block"));
    let message = finality_message(&chain, 3, 300, 299, &block);
    FinalityProof {
        epoch: 3,
        view: 300,
        parent_view: 299,
        digest: block,
        signers: signers.to_vec(),
        set_size: set.len() as u32,
        signatures: signers.iter().map(|index| sign(set, *index, &message)).collect(),
    }
}

fn verify(proof: &FinalityProof, set: &ValidatorSet) -> Result<(), FinalityError> {
    proof.verify(&genesis().chain_id, set, &FastVerifier::default())
}

fn message(edit: impl FnOnce(&mut proto::FinalityProof)) -> Result<FinalityProof, FinalityError> {
    let mut message: proto::FinalityProof =
        decode_canonical(&proof(&set(4), &[0, 1, 2]).encode(), 1_000).expect("proof");
    edit(&mut message);
    FinalityProof::decode(&encode(&message), 4)
}

#[test]
fn a_quorum_of_the_set_holds() {
    for (count, signers) in [
        (4, &[0, 1, 3][..]),
        (7, &[0, 2, 3, 5, 6]),
        (1, &[0]),
        (10, &[0, 1, 2, 3, 7, 8, 9]),
    ] {
        let set = set(count);
        let made = proof(&set, signers);
        let read = FinalityProof::decode(&made.encode(), set.len()).expect("proof");
        assert_eq!(read, made);
        verify(&read, &set).expect("holds");
        let short = proof(&set, &signers[1..]);
        let (found, needed) = (signers.len() - 1, signers.len());
        assert_eq!(verify(&short, &set), Err(FinalityError::TooFew { found, needed }));
    }
}

#[test]
fn everything_signed_is_bound() {
    let set = set(4);
    let good = proof(&set, &[0, 1, 2]);
    for edit in [
        (|proof: &mut FinalityProof| proof.epoch += 1) as fn(&mut FinalityProof),
        |proof| proof.view += 1,
        |proof| proof.parent_view += 1,
        |proof| proof.digest = Digest::ZERO,
        |proof| proof.signatures.swap(0, 1),
        |proof| proof.signers = vec![0, 1, 3],
    ] {
        let mut changed = good.clone();
        edit(&mut changed);
        assert!(matches!(verify(&changed, &set), Err(FinalityError::Signature(_))));
    }
    let elsewhere = good.verify(&digest("another chain"), &set, &FastVerifier::default());
    assert!(matches!(elsewhere, Err(FinalityError::Signature(_))));
}

#[test]
fn proofs_made_in_memory_are_checked_as_well() {
    let set = set(4);
    let good = proof(&set, &[0, 1, 2]);
    let signature = good.signatures[0];
    for (signers, count) in [
        (vec![0, 0, 1], 3),
        (vec![2, 1, 0], 3),
        (vec![0, 1, 4], 3),
        (vec![0, 1, u32::MAX], 3),
        (vec![0, 1, 2], 4),
        (vec![0, 1, 2], 2),
    ] {
        let mut changed = good.clone();
        changed.signers = signers;
        changed.signatures = vec![signature; count];
        assert!(matches!(verify(&changed, &set), Err(FinalityError::Bitmap { .. })));
    }
    assert!(matches!(
        verify(&good, &crate::wire::set(5)),
        Err(FinalityError::Bitmap { .. })
    ));
}

#[test]
fn malformed_proofs_are_refused() {
    for version in [0, 2] {
        assert_eq!(
            message(|proof| proof.version = version),
            Err(FinalityError::Version(version))
        );
    }
    assert_eq!(
        message(|proof| proof.digest = vec![1; 31].into()),
        Err(FinalityError::Field("digest"))
    );
    for bytes in [vec![], vec![1; 63], vec![0; 64], vec![0xff; 64]] {
        let result = message(|proof| proof.signatures[1] = bytes.into());
        assert_eq!(result, Err(FinalityError::Field("signature")));
    }
    for bitmap in [
        &[][..],
        &[0b11],
        &[0b1111],
        &[0b1_0011],
        &[0b1000_0011],
        &[0b111, 0],
        &[0b11, 1],
    ] {
        let result = message(|proof| proof.signers = Bytes::copy_from_slice(bitmap));
        assert!(matches!(result, Err(FinalityError::Bitmap { .. })), "{bitmap:?}");
    }
    let good = proof(&set(4), &[0, 1, 2]).encode();
    for tail in [data(8, b"x"), number(2, 9), vec![0]] {
        let result = FinalityProof::decode(&[&good[..], &tail].concat().into(), 4);
        assert!(matches!(result, Err(FinalityError::Codec(_))), "{result:?}");
    }
    for length in 0..good.len() {
        assert!(FinalityProof::decode(&good.slice(..length), 4).is_err(), "{length}");
    }
    let long = FinalityProof::decode(&vec![0; FINALITY_PROOF_BYTES_MAX + 1].into(), 4);
    assert!(matches!(long, Err(FinalityError::Codec(_))));
}

#[test]
fn the_largest_proof_fits_its_limit() {
    let set = set(VALIDATORS_MAX as u32);
    let mut largest = proof(&set, &(0..VALIDATORS_MAX as u32).collect::<Vec<_>>());
    (largest.epoch, largest.view, largest.parent_view) = (u64::MAX, u64::MAX, u64::MAX);
    let read = FinalityProof::decode(&largest.encode(), set.len()).expect("proof");
    assert_eq!(read, largest);
}

/// The bytes as docs/formats.md has them, written out by hand.
#[test]
fn the_signed_bytes_are_fixed() {
    let chain = digest("chain");
    let block = digest("block");
    let found = finality_message(&chain, 1, 300, 127, &block);
    let by_hand = [
        &[50][..],
        b"yulian/1/",
        &chain.0,
        b"_FINALIZE",
        &[1, 0xac, 0x02, 0x7f],
        &block.0,
    ]
    .concat();
    assert_eq!(found, by_hand);
}
