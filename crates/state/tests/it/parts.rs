//! Parts of the state verify alone, hold exactly the keys under their prefix, and nothing else passes.

use crate::reference::{Model, Shape, changes, fixed, follow, path, shape};
use proptest::prelude::*;
use yulian_crypto::Digest;
use yulian_state::{PartError, PartProof, Path, Prefix, Tree};

fn tree(keys: u16, shape: Shape) -> (Tree, Model) {
    let batch = (0..keys).map(|key| (key, Some(key as u8))).collect();
    let changes = changes(&batch, shape);
    let mut model = Model::new();
    follow(&mut model, &changes);
    (Tree::new().apply(&changes), model)
}

/// The first bits of a path, the others zero.
fn prefix(of: &[u8; 32], bits: u8) -> Prefix {
    let mut bytes = [0; 32];
    for at in 0..usize::from(bits) {
        bytes[at / 8] |= of[at / 8] & (0x80 >> (at % 8));
    }
    Prefix::new(Path::from_bytes(bytes), bits).unwrap()
}

/// The model's keys whose bits agree, compared one by one.
fn under(model: &Model, of: &[u8; 32], bits: u8) -> Vec<(Path, Digest)> {
    let same = |path: &[u8; 32]| (0..usize::from(bits)).all(|at| (path[at / 8] ^ of[at / 8]) & (0x80 >> (at % 8)) == 0);
    let found = model.iter().filter(|(path, _)| same(path));
    found
        .map(|(path, value)| (Path::from_bytes(*path), Digest(*value)))
        .collect()
}

proptest! {
    #![proptest_config(fixed(300))]

    #[test]
    fn each_part_holds_the_keys_under_its_prefix(shape in shape(), keys in 0..400u16, probe in 0..800u16, bits in any::<u8>()) {
        let (tree, model) = tree(keys, shape);
        let of = path(probe, shape);
        // Short prefixes are the usual ones.
        for bits in [bits, bits % 12] {
            let (prefix, leaves) = (prefix(&of, bits), under(&model, &of, bits));
            let proof = tree.prove_part(&prefix);
            prop_assert_eq!(proof.verify(&tree.root(), &prefix, &leaves), Ok(()));
            prop_assert_eq!(matches!(proof, PartProof::Absent(_)), leaves.is_empty());
            prop_assert_eq!(PartProof::from_bytes(&proof.to_bytes()), Ok(proof));
        }
    }

    #[test]
    fn a_part_with_a_key_too_few_too_many_or_changed_is_refused(keys in 2..400u16, probe in 0..400u16, bits in 0..10u8, at in any::<usize>()) {
        let (tree, model) = tree(keys, Shape::Random);
        let of = path(probe, Shape::Random);
        let (prefix, leaves) = (prefix(&of, bits), under(&model, &of, bits));
        let proof = tree.prove_part(&prefix);
        let refused = |leaves: &[(Path, Digest)]| proof.verify(&tree.root(), &prefix, leaves).is_err();
        if !leaves.is_empty() {
            let at = at % leaves.len();
            let mut fewer = leaves.clone();
            fewer.remove(at);
            prop_assert!(refused(&fewer));
            let mut changed = leaves.clone();
            changed[at].1.0[7] ^= 1;
            prop_assert!(refused(&changed));
            let mut twice = leaves.clone();
            twice.insert(at, leaves[at]);
            prop_assert!(refused(&twice));
        }
        let mut more = leaves;
        let mut new = *prefix.first().as_bytes();
        new[31] = 1;
        more.push((Path::from_bytes(new), Digest([1; 32])));
        more.sort_unstable();
        prop_assert!(refused(&more));
    }

    #[test]
    fn a_changed_proof_is_refused(keys in 2..400u16, probe in 0..600u16, bits in 1..14u8, at in any::<usize>(), by in 1..=255u8) {
        let (tree, model) = tree(keys, Shape::Random);
        let of = path(probe, Shape::Random);
        let (prefix, leaves) = (prefix(&of, bits), under(&model, &of, bits));
        let mut bytes = tree.prove_part(&prefix).to_bytes();
        let at = at % bytes.len();
        bytes[at] ^= by;
        let verified = PartProof::from_bytes(&bytes).and_then(|proof| proof.verify(&tree.root(), &prefix, &leaves));
        prop_assert!(verified.is_err(), "byte {} of {}", at, bytes.len());
    }

    #[test]
    fn foreign_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), kind in 0..3u8) {
        let with_kind = [&[kind][..], &bytes].concat();
        for bytes in [bytes, with_kind] {
            if let Ok(proof) = PartProof::from_bytes(&bytes) {
                prop_assert_eq!(proof.to_bytes(), bytes);
                prop_assert!(proof.verify(&Digest([7; 32]), &Prefix::ALL, &[]).is_err());
            }
        }
    }

    #[test]
    fn prefixes_divide_the_paths(of in any::<[u8; 32]>(), probe in any::<[u8; 32]>(), bits in 0..=254u8) {
        let whole = prefix(&of, bits);
        let probe = Path::from_bytes(probe);
        let [lower, upper] = whole.halves().unwrap();
        prop_assert_eq!(lower.end(), Some(*upper.first()));
        prop_assert_eq!(lower.first(), whole.first());
        prop_assert_eq!(upper.end(), whole.end());
        let inside = probe >= *whole.first() && whole.end().is_none_or(|end| probe < end);
        prop_assert_eq!(whole.holds(&probe), inside);
        prop_assert_eq!(lower.holds(&probe) || upper.holds(&probe), inside);
    }
}

#[test]
fn a_part_is_no_proof_of_another() {
    let (tree, model) = tree(400, Shape::Random);
    let of = path(3, Shape::Random);
    let (short, long) = (prefix(&of, 3), prefix(&of, 4));
    let (proof, leaves) = (tree.prove_part(&short), under(&model, &of, 3));
    assert!(matches!(
        proof.verify(&tree.root(), &long, &leaves),
        Err(PartError::Place(_))
    ));
    let proof = tree.prove_part(&long);
    let leaves = under(&model, &of, 4);
    assert_eq!(proof.verify(&tree.root(), &short, &leaves), Err(PartError::Order(3)));
    let absent = PartProof::Absent(tree.prove(long.first()));
    assert_eq!(absent.verify(&tree.root(), &long, &[]), Err(PartError::Empty));
    assert_eq!(proof.verify(&Digest([1; 32]), &long, &leaves), Err(PartError::Root));
}

#[test]
fn bits_behind_a_prefix_are_zero() {
    let mut bytes = [0; 32];
    bytes[1] = 0x40;
    assert!(Prefix::new(Path::from_bytes(bytes), 9).is_none());
    assert!(Prefix::new(Path::from_bytes(bytes), 10).is_some());
    assert_eq!(Prefix::ALL.end(), None);
}
