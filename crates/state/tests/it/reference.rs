//! The tree as its definition reads: recursive, without any memory of earlier hashes.

use proptest::prelude::*;
use sm3::{Digest as _, Sm3};
use std::collections::BTreeMap;
use yulian_crypto::Digest;
use yulian_state::{Change, Path, Tree};

pub(crate) type Model = BTreeMap<[u8; 32], [u8; 32]>;

fn sm3(bytes: &[u8]) -> [u8; 32] {
    Sm3::digest(bytes).into()
}

fn bit(path: &[u8; 32], depth: usize) -> bool {
    path[depth / 8] & (0x80 >> (depth % 8)) != 0
}

pub(crate) fn leaf(path: &[u8; 32], value: &[u8; 32]) -> [u8; 32] {
    sm3(&[&path[..], value, &[0]].concat())
}

pub(crate) fn node(left: &[u8; 32], right: &[u8; 32], depth: u8) -> [u8; 32] {
    sm3(&[&left[..], right, &[1, depth]].concat())
}

pub(crate) fn root(model: &Model) -> Digest {
    let leaves: Vec<_> = model.iter().map(|(path, value)| (*path, *value)).collect();
    Digest(subtree(&leaves, 0))
}

fn subtree(leaves: &[([u8; 32], [u8; 32])], depth: usize) -> [u8; 32] {
    match leaves {
        [] => [0; 32],
        [(path, value)] => leaf(path, value),
        _ => {
            let ones = leaves.iter().position(|(path, _)| bit(path, depth));
            match ones {
                None | Some(0) => subtree(leaves, depth + 1),
                Some(at) => {
                    let left = subtree(&leaves[..at], depth + 1);
                    let right = subtree(&leaves[at..], depth + 1);
                    node(&left, &right, depth as u8)
                }
            }
        }
    }
}

pub(crate) fn path(number: u16, shape: Shape) -> [u8; 32] {
    let mut path = sm3(&number.to_be_bytes());
    match shape {
        Shape::Random => {}
        // 240 leading bits from three choices: long shared prefixes, and keys that part above everything there is.
        Shape::Ground => path[..30].fill((number % 3) as u8),
        Shape::Zeros => path[..usize::from(number % 9)].fill(0),
        // One more shared bit with each key: as deep a tree as there can be.
        Shape::Comb => {
            path = [0; 32];
            path[usize::from(number % 256) / 8] = 0x80 >> (number % 8);
        }
    }
    path
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    Random,
    Ground,
    Zeros,
    Comb,
}

pub(crate) fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        Just(Shape::Random),
        Just(Shape::Ground),
        Just(Shape::Zeros),
        Just(Shape::Comb)
    ]
}

/// A batch: number of the key, and the value or its removal.
pub(crate) type Batch = BTreeMap<u16, Option<u8>>;

pub(crate) fn batches(keys: u16, count: usize, size: usize) -> impl Strategy<Value = Vec<Batch>> {
    let batch = |size| {
        let change = (0..keys, prop::option::weighted(0.6, any::<u8>()));
        prop::collection::vec(change, 0..size).prop_map(|changes| changes.into_iter().collect())
    };
    // Some batches are far larger than a bucket, most are small.
    prop::collection::vec(prop_oneof![4 => batch(20), 1 => batch(size)], 1..count)
}

pub(crate) fn changes(batch: &Batch, shape: Shape) -> Vec<Change> {
    let change = |(key, value): (&u16, &Option<u8>)| (path(*key, shape), value.map(|v| [v; 32]));
    let sorted: BTreeMap<_, _> = batch.iter().map(change).collect();
    sorted
        .into_iter()
        .map(|(path, value)| (Path::from_bytes(path), value.map(Digest)))
        .collect()
}

pub(crate) fn follow(model: &mut Model, changes: &[Change]) {
    for (path, value) in changes {
        match value {
            Some(value) => drop(model.insert(*path.as_bytes(), value.0)),
            None => drop(model.remove(path.as_bytes())),
        }
    }
}

pub(crate) fn from_sorted(model: &Model) -> Tree {
    let leaf = |(path, value): (&[u8; 32], &[u8; 32])| (Path::from_bytes(*path), Digest(*value));
    Tree::from_sorted(model.iter().map(leaf))
}

/// A config with a fixed seed, so that a test that passes always passes.
pub(crate) fn fixed(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(20_260_101),
        ..ProptestConfig::default()
    }
}
