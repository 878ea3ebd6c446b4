//! No bytes make a decoder panic, and what a decoder takes is what it was given.

use crate::wire::{genesis, set, transaction};
use bytes::Bytes;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::sync::Arc;
use yulian_types::{
    BlockLimits, FinalityProof, SealedBlock, SealedGenesis, SealedTransaction, ValidatorSet, decode_canonical,
    decode_header, encode, proto,
};

const ROUNDS: usize = 20_000;

/// Asks every decoder.
fn decode_all(bytes: &Bytes) -> usize {
    let limits = BlockLimits::default();
    let mut taken = 0;
    taken += usize::from(SealedTransaction::decode(bytes.clone()).is_ok_and(|t| t.bytes == *bytes));
    taken += usize::from(SealedBlock::decode(bytes.clone(), &limits).is_ok_and(|b| body(&b) == *bytes));
    taken += usize::from(SealedGenesis::decode(bytes).is_ok_and(|g| encode(&g.message) == *bytes));
    taken += usize::from(ValidatorSet::decode(bytes).is_ok_and(|s| s.encode() == *bytes));
    taken += usize::from(decode_header(bytes).is_ok_and(|h| encode(&h) == *bytes));
    for set_size in [0, 1, 4, 64] {
        taken += usize::from(FinalityProof::decode(bytes, set_size).is_ok_and(|p| p.encode() == *bytes));
    }
    let receipt: Result<proto::Receipt, _> = decode_canonical(bytes, 10_000);
    taken + usize::from(receipt.is_ok_and(|receipt| encode(&receipt) == *bytes))
}

/// The encoding of what a decoder found in a block.
fn body(block: &SealedBlock) -> Bytes {
    encode(&proto::Block {
        header: block.header_bytes.clone(),
        transactions: block.transactions.iter().map(|t| t.bytes.clone()).collect(),
    })
}

fn seeds() -> Vec<Bytes> {
    let genesis = genesis();
    let sealed = Arc::new(SealedTransaction::decode(transaction(1)).expect("transaction"));
    let block = SealedBlock::build(genesis.block().header, vec![sealed]);
    let proof = FinalityProof {
        epoch: 1,
        view: 2,
        parent_view: 1,
        digest: block.digest,
        signers: vec![],
        set_size: 4,
        signatures: vec![],
    };
    vec![
        transaction(1),
        block.bytes,
        block.header_bytes,
        genesis.bytes,
        set(4).encode(),
        proof.encode(),
    ]
}

#[test]
fn noise() {
    let mut random = StdRng::seed_from_u64(1);
    for _ in 0..ROUNDS {
        let mut bytes = vec![0; random.random_range(0..200)];
        random.fill(&mut bytes[..]);
        decode_all(&bytes.into());
    }
}

/// Valid messages with some bytes changed, cut out or put in twice.
#[test]
fn damage() {
    let mut random = StdRng::seed_from_u64(2);
    let seeds = seeds();
    assert!(seeds.iter().all(|seed| decode_all(seed) >= 1));
    for round in 0..ROUNDS {
        let mut bytes = seeds[round % seeds.len()].to_vec();
        for _ in 0..random.random_range(1..4) {
            let at = random.random_range(0..bytes.len());
            let end = (at + random.random_range(0..20)).min(bytes.len());
            match random.random_range(0..4) {
                0 => bytes[at] = random.random(),
                1 => bytes[at] ^= 1 << random.random_range(0..8),
                2 if end - at < bytes.len() => drop(bytes.drain(at..end)),
                _ => {
                    let copy = bytes[at..end].to_vec();
                    bytes.splice(at..at, copy);
                }
            }
        }
        decode_all(&bytes.into());
    }
}

/// Every single byte of every message changed to every value would be many; to eight neighbours it is few.
#[test]
fn every_byte() {
    for seed in seeds() {
        for at in 0..seed.len() {
            for bit in 0..8 {
                let mut bytes = seed.to_vec();
                bytes[at] ^= 1 << bit;
                decode_all(&bytes.into());
            }
        }
    }
}
