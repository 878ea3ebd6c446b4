//! Too few, unknown and repeated signers.

use crate::support::*;
use bytes::Bytes;
use yulian_crypto::sm2::Signer;
use yulian_light::{Code, testing, testing::TestChain};
use yulian_types::{FinalityProof, decode_canonical, encode, finality_message, proto};

fn with_proof(chain: &TestChain, json: &[u8], change: impl FnOnce(&mut proto::FinalityProof)) -> Vec<u8> {
    let mut proof: proto::FinalityProof = decode_canonical(&chain.finality(2), 10_000).expect("proof");
    change(&mut proof);
    changed(json, |pack| pack.finality = encode(&proof).into())
}

#[test]
fn any_quorum_will_do_and_less_will_not() {
    let (chain, json) = pack();
    let by = |signers: &[u32]| changed(&json, |pack| pack.finality = chain.finality_by(2, signers).into());
    for signers in [[0, 1, 2].as_slice(), &[0, 1, 3], &[0, 2, 3], &[1, 2, 3], &[0, 1, 2, 3]] {
        let outcome = verify(&chain, &by(signers), None).expect("a quorum");
        assert_eq!(outcome.report().finality.signed_by.len(), signers.len());
    }
    for signers in [[].as_slice(), &[0], &[3], &[0, 1], &[2, 3]] {
        refused(&chain, &by(signers), Code::TooFewSigners);
    }
}

#[test]
fn quorums_of_larger_sets() {
    for (validators, quorum) in [(5, 4), (6, 5), (7, 5), (10, 7)] {
        let mut chain = TestChain::new("larger", validators, 1_000);
        let transaction = chain.deposit(5, &digest("file"), "");
        chain.push(vec![transaction]);
        chain.push(vec![]);
        let json = pack_of(chain.parts(1, 0, 2, None));
        let by = |count: u32| {
            let signers: Vec<u32> = (0..count).collect();
            changed(&json, |pack| pack.finality = chain.finality_by(2, &signers).into())
        };
        assert!(verify(&chain, &by(quorum), None).expect("a quorum").is_yes());
        refused(&chain, &by(quorum - 1), Code::TooFewSigners);
    }
}

#[test]
fn one_signer_does_not_count_twice() {
    let (chain, json) = pack();
    let repeated = with_proof(&chain, &json, |proof| proof.signatures[1] = proof.signatures[0].clone());
    refused(&chain, &repeated, Code::BadSignature);
    let more = with_proof(&chain, &json, |proof| {
        proof.signatures.push(proof.signatures[0].clone())
    });
    refused(&chain, &more, Code::BadSigners);
    let two_bits_one_signature = with_proof(&chain, &json, |proof| {
        proof.signatures.pop();
    });
    refused(&chain, &two_bits_one_signature, Code::BadSigners);
}

#[test]
fn signers_outside_the_set_are_refused() {
    let (chain, json) = pack();
    let bits = |bytes: &'static [u8]| {
        let bytes = Bytes::from_static(bytes);
        with_proof(&chain, &json, |proof| proof.signers = bytes)
    };
    refused(&chain, &bits(&[0b1_0011]), Code::BadSigners);
    refused(&chain, &bits(&[0b0111, 0]), Code::BadSigners);
    refused(&chain, &bits(&[0b0011, 1]), Code::BadSigners);
    refused(&chain, &bits(&[]), Code::BadSigners);
    // The bit is a validator's, the key is not.
    let header = &chain.block(2).sealed;
    let message = finality_message(&chain.genesis.chain_id, 0, 4, 3, &header.digest);
    let stranger = testing::secret(77).sign(&message).expect("signature");
    let foreign = with_proof(&chain, &json, |proof| {
        proof.signatures[2] = Bytes::copy_from_slice(stranger.as_bytes());
    });
    refused(&chain, &foreign, Code::BadSignature);
    // A whole quorum of strangers.
    let proof = FinalityProof {
        epoch: 0,
        view: 4,
        parent_view: 3,
        digest: header.digest,
        signers: vec![0, 1, 2],
        set_size: 4,
        signatures: (70..73)
            .map(|n| testing::secret(n).sign(&message).expect("signature"))
            .collect(),
    };
    refused(
        &chain,
        &changed(&json, |pack| pack.finality = proof.encode().into()),
        Code::BadSignature,
    );
}

#[test]
fn what_was_signed_is_fixed() {
    let (chain, json) = pack();
    for change in [
        (|proof: &mut proto::FinalityProof| proof.view += 1) as fn(&mut proto::FinalityProof),
        |proof| proof.parent_view += 1,
        |proof| proof.signatures.swap(0, 1),
    ] {
        refused(&chain, &with_proof(&chain, &json, change), Code::BadSignature);
    }
    let epoch = with_proof(&chain, &json, |proof| proof.epoch = 1);
    refused(&chain, &epoch, Code::NotFinal);
    let version = with_proof(&chain, &json, |proof| proof.version = 2);
    refused(&chain, &version, Code::NotFinal);
    let other = changed(&json, |pack| pack.finality = chain.finality(3).into());
    refused(&chain, &other, Code::NotFinal);
    let short = with_proof(&chain, &json, |proof| {
        proof.signatures[0] = Bytes::from_static(&[1; 63])
    });
    refused(&chain, &short, Code::NotFinal);
    // The same header finalised on another chain of the same validators.
    let elsewhere = TestChain::new("elsewhere", 4, 1_000);
    let message = finality_message(&elsewhere.genesis.chain_id, 0, 4, 3, &chain.block(2).sealed.digest);
    let set = chain.genesis.validators.keys();
    let foreign = with_proof(&chain, &json, |proof| {
        let signer = (0..4)
            .map(testing::secret)
            .find(|key| key.public_key() == set[0])
            .expect("key");
        let signature = signer.sign(&message).expect("signature");
        proof.signatures[0] = Bytes::copy_from_slice(signature.as_bytes());
    });
    refused(&chain, &foreign, Code::BadSignature);
}
