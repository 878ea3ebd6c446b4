//! Proofs hold for what is there and for what is not, and nothing else passes.

use crate::reference::{Model, Shape, changes, fixed, follow, path, shape};
use proptest::prelude::*;
use yulian_crypto::Digest;
use yulian_state::{PROOF_BYTES_MAX, Path, Proof, ProofError, Sibling, Tree};

fn tree(keys: u16, shape: Shape) -> (Tree, Model) {
    let batch = (0..keys).map(|key| (key, Some(key as u8))).collect();
    let changes = changes(&batch, shape);
    let mut model = Model::new();
    follow(&mut model, &changes);
    (Tree::new().apply(&changes), model)
}

proptest! {
    #![proptest_config(fixed(200))]

    #[test]
    fn present_and_absent_keys_are_proven(shape in shape(), keys in 1..400u16, probe in 0..800u16) {
        let (tree, model) = tree(keys, shape);
        let bytes = path(probe, shape);
        let path = Path::from_bytes(bytes);
        let proof = tree.prove(&path);
        let proven = proof.verify(&tree.root(), &path);
        prop_assert_eq!(proven, Ok(model.get(&bytes).copied().map(Digest)));
        let decoded = Proof::from_bytes(&proof.to_bytes());
        prop_assert_eq!(decoded, Ok(proof));
    }

    #[test]
    fn a_changed_proof_is_refused(keys in 2..300u16, probe in 0..600u16, at in any::<usize>(), by in 1..=255u8) {
        let (tree, _) = tree(keys, Shape::Random);
        let path = Path::from_bytes(path(probe, Shape::Random));
        let mut bytes = tree.prove(&path).to_bytes();
        let at = at % bytes.len();
        bytes[at] ^= by;
        let verified = Proof::from_bytes(&bytes).and_then(|proof| proof.verify(&tree.root(), &path));
        prop_assert!(verified.is_err(), "byte {} of {}", at, bytes.len());
    }

    #[test]
    fn foreign_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), kind in 0..3u8) {
        let path = Path::of(1, &bytes);
        let with_kind = [&[kind][..], &bytes].concat();
        for bytes in [bytes, with_kind] {
            if let Ok(proof) = Proof::from_bytes(&bytes) {
                prop_assert_eq!(proof.to_bytes(), bytes);
                prop_assert!(proof.verify(&Digest([7; 32]), &path).is_err());
            }
        }
    }
}

fn sample() -> (Tree, Path, Proof) {
    let (tree, _) = tree(500, Shape::Random);
    let path = Path::from_bytes(path(7, Shape::Random));
    let proof = tree.prove(&path);
    assert!(proof.siblings.len() > 4);
    (tree, path, proof)
}

#[test]
fn a_wrong_value_is_refused() {
    let (tree, path, mut proof) = sample();
    proof.leaf = Some((path, Digest([1; 32])));
    assert_eq!(proof.verify(&tree.root(), &path), Err(ProofError::Root));
}

#[test]
fn the_proof_of_one_key_says_nothing_about_another() {
    let (tree, path, proof) = sample();
    for number in 0..500 {
        let other = Path::from_bytes(crate::reference::path(number, Shape::Random));
        if other != path {
            let astray = proof.verify(&tree.root(), &other);
            assert!(matches!(astray, Err(ProofError::Astray(_))));
        }
    }
}

#[test]
fn a_present_key_cannot_be_shown_absent_by_a_neighbour() {
    let (tree, path, proof) = sample();
    for number in 0..500 {
        let other = Path::from_bytes(crate::reference::path(number, Shape::Random));
        let foreign = tree.prove(&other);
        if other != path {
            assert!(foreign.verify(&tree.root(), &path).is_err());
        }
    }
    let cut = Proof {
        siblings: proof.siblings[1..].to_vec(),
        ..proof
    };
    assert_eq!(cut.verify(&tree.root(), &path), Err(ProofError::Root));
}

#[test]
fn tampered_reordered_and_truncated_siblings_are_refused() {
    let (tree, path, proof) = sample();
    let verify = |siblings: Vec<Sibling>| {
        let leaf = proof.leaf;
        Proof { siblings, leaf }.verify(&tree.root(), &path)
    };
    for at in 0..proof.siblings.len() {
        let mut tampered = proof.siblings.clone();
        tampered[at].hash.0[31] ^= 1;
        assert_eq!(verify(tampered), Err(ProofError::Root));
        let mut without = proof.siblings.clone();
        without.remove(at);
        assert_eq!(verify(without), Err(ProofError::Root));
        let mut doubled = proof.siblings.clone();
        doubled.insert(at, proof.siblings[at]);
        assert!(matches!(verify(doubled), Err(ProofError::Order(_))));
    }
    for at in 1..proof.siblings.len() {
        let mut swapped = proof.siblings.clone();
        swapped.swap(at - 1, at);
        assert!(matches!(verify(swapped), Err(ProofError::Order(_))));
        let mut depths = proof.siblings.clone();
        let depth = depths[at].depth;
        depths[at].depth = depths[at - 1].depth;
        depths[at - 1].depth = depth;
        assert!(matches!(verify(depths), Err(ProofError::Order(_))));
    }
}

#[test]
fn truncated_and_lengthened_bytes_are_refused() {
    let (tree, path, proof) = sample();
    let bytes = proof.to_bytes();
    for end in 0..bytes.len() {
        let cut = Proof::from_bytes(&bytes[..end]);
        assert!(cut.and_then(|proof| proof.verify(&tree.root(), &path)).is_err());
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(Proof::from_bytes(&longer), Err(ProofError::Length(longer.len())));
    let huge = vec![1; PROOF_BYTES_MAX + 33];
    assert_eq!(Proof::from_bytes(&huge), Err(ProofError::Length(huge.len())));
    assert_eq!(Proof::from_bytes(&[]), Err(ProofError::Length(0)));
    assert_eq!(Proof::from_bytes(&[0, 0]), Err(ProofError::Length(2)));
    assert_eq!(Proof::from_bytes(&[2]), Err(ProofError::Kind(2)));
}

#[test]
fn the_empty_tree_proves_absence_under_its_own_root_only() {
    let path = Path::of(1, b"key");
    let proof = Tree::new().prove(&path);
    assert_eq!(proof.to_bytes(), [0]);
    assert_eq!(proof.verify(&Digest::ZERO, &path), Ok(None));
    assert_eq!(proof.verify(&Digest([1; 32]), &path), Err(ProofError::Root));
    let (tree, _) = tree(3, Shape::Random);
    let full = tree.prove(&path);
    assert_eq!(full.verify(&Digest::ZERO, &path), Err(ProofError::Root));
}

/// The deepest tree: a proof of 255 siblings is made, encoded and checked.
#[test]
fn a_proof_as_deep_as_a_path_is_long() {
    let (tree, _) = tree(256, Shape::Comb);
    let path = Path::from_bytes(path(255, Shape::Comb));
    let proof = tree.prove(&path);
    assert_eq!(proof.siblings.len(), 255);
    assert!(proof.to_bytes().len() <= PROOF_BYTES_MAX);
    let decoded = Proof::from_bytes(&proof.to_bytes()).unwrap();
    assert_eq!(decoded.verify(&tree.root(), &path), Ok(Some(Digest([255; 32]))));
}
