//! Versions stay what they are when others are made from them or dropped.

use crate::reference::{Model, Shape, batches, changes, fixed, follow, root, shape};
use proptest::prelude::*;
use yulian_crypto::Digest;
use yulian_state::{Path, Tree};

proptest! {
    #![proptest_config(fixed(60))]

    #[test]
    fn old_versions_still_prove(shape in shape(), batches in batches(200, 12, 200)) {
        let mut versions = vec![(Tree::new(), Model::new())];
        for (number, batch) in batches.iter().enumerate() {
            // Now and then a fork from an older version.
            let parent = if number % 3 == 2 { versions.len() / 2 } else { versions.len() - 1 };
            let (tree, mut model) = versions[parent].clone();
            let changes = changes(batch, shape);
            follow(&mut model, &changes);
            versions.push((tree.apply(&changes), model));
        }
        // Dropping every other version must not touch the rest.
        let kept: Vec<_> = versions.into_iter().step_by(2).collect();
        for (tree, model) in &kept {
            prop_assert_eq!(tree.root(), root(model));
            for key in 0..200 {
                let bytes = crate::reference::path(key, shape);
                let path = Path::from_bytes(bytes);
                let proven = tree.prove(&path).verify(&tree.root(), &path);
                prop_assert_eq!(proven, Ok(model.get(&bytes).copied().map(Digest)));
            }
        }
    }
}

/// Each half may be built by itself: few leaves and many, on one side only, and on both.
#[test]
fn halves_make_the_whole() {
    for count in [0, 1, 2, 7, 16, 17, 40, 3_000] {
        let leaf = |number: u32| (Path::of(1, &number.to_be_bytes()), Digest([number as u8; 32]));
        let mut leaves: Vec<_> = (0..count).map(leaf).collect();
        leaves.sort_unstable();
        let middle = leaves.partition_point(|(path, _)| path.as_bytes()[0] < 0x80);
        let whole = Tree::new().apply(
            &leaves
                .iter()
                .map(|(path, value)| (*path, Some(*value)))
                .collect::<Vec<_>>(),
        );
        let half = |leaves: &[(Path, Digest)]| Tree::from_sorted(leaves.iter().copied());
        let joined = Tree::of_halves(half(&leaves[..middle]), half(&leaves[middle..]));
        assert_eq!((joined.root(), joined.len()), (whole.root(), whole.len()), "{count}");
        for side in [&leaves[..middle], &leaves[middle..]] {
            let changes: Vec<_> = side.iter().map(|(path, _)| (*path, None)).collect();
            assert_eq!(joined.apply(&changes).root(), whole.apply(&changes).root(), "{count}");
        }
    }
}

/// The deepest tree there can be, made and dropped on a stack that holds little more than its 256 levels.
#[test]
fn deep_and_large_trees_need_little_stack() {
    let work = || {
        let comb = (0..256u16).map(|key| (key, Some(1))).collect();
        let deep = Tree::new().apply(&changes(&comb, Shape::Comb));
        let leaf = |number: u32| (Path::of(0, &number.to_be_bytes()), Digest::ZERO);
        let mut leaves: Vec<_> = (0..200_000u32).map(leaf).collect();
        leaves.sort_unstable();
        let large = Tree::from_sorted(leaves.clone());
        let changes: Vec<_> = leaves.iter().step_by(2).map(|leaf| (leaf.0, None)).collect();
        let half = large.apply(&changes);
        drop(large);
        (deep.len(), half.len())
    };
    let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(work);
    assert_eq!(thread.unwrap().join().unwrap(), (256, 100_000));
}

/// Works on the pieces from the last to the first, as threads may, and says that it has more than one.
pub(crate) struct Backwards(pub(crate) usize);

impl yulian_state::workers::Workers for Backwards {
    fn threads(&self) -> usize {
        self.0
    }

    fn run(&self, count: usize, job: &(dyn Fn(usize) + Sync)) {
        (0..count).rev().for_each(job);
    }
}

proptest! {
    #![proptest_config(fixed(40))]

    #[test]
    fn work_in_pieces_makes_the_same_version(shape in shape(), batches in batches(2_000, 6, 1_500), threads in 2..9usize) {
        let (mut tree, mut model) = (Tree::new(), Model::new());
        for batch in &batches {
            let changes = changes(batch, shape);
            let before: Vec<_> = changes.iter().map(|(path, _)| (*path, tree.get(path))).collect();
            let differs = before.iter().zip(&changes).filter(|((_, old), (_, new))| old != new);
            let expected: Vec<_> = differs.map(|(old, _)| *old).collect();
            follow(&mut model, &changes);
            let (next, undo) = tree.apply_undoable_on(&changes, &Backwards(threads));
            prop_assert_eq!((next.root(), next.len()), (root(&model), model.len()));
            prop_assert_eq!(undo.changes(), &expected[..]);
            prop_assert_eq!(next.apply(undo.changes()).root(), tree.root());
            tree = next;
        }
    }
}

/// Each number once and the answers in order, whoever does the work.
#[test]
fn pieces_come_back_in_order() {
    use yulian_state::workers::{OneThread, Workers, both, map};
    let all: [&dyn Workers; 3] = [&OneThread, &Backwards(2), &Backwards(8)];
    for workers in all {
        assert_eq!(map(workers, 5, |at| at * at), [0, 1, 4, 9, 16]);
        assert!(map(workers, 0, |at| at).is_empty());
        assert_eq!(both(workers, || 1, || "two"), (1, "two"));
    }
}
