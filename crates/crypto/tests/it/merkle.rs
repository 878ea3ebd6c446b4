//! Merkle trees against a recursive reference written from RFC 9162, section 2.1.1.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use sm3::{Digest as _, Sm3};
use yulian_crypto::Digest;
use yulian_crypto::merkle::{Proof, SIBLINGS_MAX, Tree, leaf, root};

fn sm3_of(parts: &[&[u8]]) -> Digest {
    Digest(Sm3::digest(parts.concat()).into())
}

fn reference_top(leaves: &[Digest]) -> Digest {
    if let [only] = leaves {
        return *only;
    }
    let mut split = 1;
    while split * 2 < leaves.len() {
        split *= 2;
    }
    let (left, right) = leaves.split_at(split);
    sm3_of(&[b"ylMkNode", &reference_top(left).0, &reference_top(right).0])
}

fn reference_root(leaves: &[Digest]) -> Digest {
    if leaves.is_empty() {
        return Digest([0; 32]);
    }
    let count = (leaves.len() as u64).to_be_bytes();
    sm3_of(&[b"ylMkRoot", &count, &reference_top(leaves).0])
}

fn leaves(count: u64) -> Vec<Digest> {
    (0..count).map(|index| leaf(&index.to_be_bytes())).collect()
}

#[test]
fn leaf_is_tagged() {
    assert_eq!(leaf(b"row"), sm3_of(&[b"ylMkLeafrow"]));
}

#[test]
fn roots_and_proofs_of_every_small_tree() {
    for count in 0..=70 {
        let leaves = leaves(count);
        let tree = Tree::new(leaves.clone());
        let expected = reference_root(&leaves);
        assert_eq!((tree.root(), tree.count()), (expected, count));
        assert_eq!(root(&leaves), expected);
        assert_eq!(tree.prove(count), None);
        for index in 0..count {
            let proof = tree.prove(index).unwrap();
            for (other, digest) in leaves.iter().enumerate() {
                let held = proof.verify(&expected, digest);
                assert_eq!(held, other as u64 == index, "{count} {index} {other}");
            }
        }
    }
}

#[test]
fn roots_differ_by_count_and_order() {
    let four = leaves(4);
    let doubled = [four.clone(), vec![four[3]]].concat();
    assert_ne!(root(&four), root(&doubled));
    let swapped = [four[1], four[0], four[2], four[3]];
    assert_ne!(root(&four), root(&swapped));
    assert_ne!(root(&four[..1]), four[0]);
}

#[test]
fn a_node_is_no_leaf() {
    let four = leaves(4);
    let tree = Tree::new(four.clone());
    let inner = sm3_of(&[b"ylMkNode", &four[0].0, &four[1].0]);
    let proof = tree.prove(0).unwrap();
    let shortened = Proof {
        siblings: proof.siblings[1..].to_vec(),
        ..proof
    };
    for count in [2, 4] {
        let claim = Proof {
            count,
            ..shortened.clone()
        };
        assert!(!claim.verify(&tree.root(), &inner));
    }
}

#[test]
fn extreme_proofs_are_answered() {
    let digest = leaf(b"x");
    for (index, count, length) in [
        (0, 0, 0),
        (0, 1, 1),
        (1, 1, 0),
        (u64::MAX, u64::MAX, SIBLINGS_MAX),
        (u64::MAX - 1, u64::MAX, SIBLINGS_MAX),
        (0, u64::MAX, SIBLINGS_MAX),
        (0, u64::MAX, SIBLINGS_MAX + 1),
    ] {
        let siblings = vec![digest; length];
        let proof = Proof { index, count, siblings };
        assert!(!proof.verify(&Digest::ZERO, &digest));
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default()
    })]

    #[test]
    fn any_change_breaks_a_proof(count in 1u64..600, pick: prop::sample::Index, bit in 0usize..256,
            level: prop::sample::Index, other in 0u64..1_000) {
        let leaves = leaves(count);
        let tree = Tree::new(leaves.clone());
        let root = tree.root();
        prop_assert_eq!(root, reference_root(&leaves));
        let index = pick.index(count as usize) as u64;
        let proof = tree.prove(index).unwrap();
        let leaf = leaves[index as usize];
        prop_assert!(proof.verify(&root, &leaf));
        let flip = |digest: &mut Digest| digest.0[bit / 8] ^= 1 << (bit % 8);

        let (mut wrong_root, mut wrong_leaf) = (root, leaf);
        flip(&mut wrong_root);
        flip(&mut wrong_leaf);
        prop_assert!(!proof.verify(&wrong_root, &leaf));
        prop_assert!(!proof.verify(&root, &wrong_leaf));
        if other != index {
            let proof = Proof { index: other, ..proof.clone() };
            prop_assert!(!proof.verify(&root, &leaf));
        }
        if other != count {
            let proof = Proof { count: other, ..proof.clone() };
            prop_assert!(!proof.verify(&root, &leaf));
        }
        let mut longer = proof.clone();
        longer.siblings.push(leaf);
        prop_assert!(!longer.verify(&root, &leaf));
        if !proof.siblings.is_empty() {
            let at = level.index(proof.siblings.len());
            let mut wrong = proof.clone();
            flip(&mut wrong.siblings[at]);
            prop_assert!(!wrong.verify(&root, &leaf));
            let mut shorter = proof;
            shorter.siblings.remove(at);
            prop_assert!(!shorter.verify(&root, &leaf));
        }
    }
}
