//! A tree most of whose leaves are not in memory is the same tree.

use crate::{
    reference::{Model, fixed, follow, root},
    versions::Backwards,
};
use proptest::prelude::*;
use sm3::{Digest as _, Sm3};
use std::collections::BTreeMap;
use yulian_crypto::Digest;
use yulian_state::{
    Change, Found, Path, Prefix, Tree, TreeBuilder, WrongLeaves,
    history::{ChunkAt, ChunkRoots, Folded, encode_chunk},
};

/// Keys are below this.
const KEYS: u16 = 1_200;

/// Few chunks, so that buckets lie within them; one part of the keys shares 100 bits or more, another nearly all.
fn path(number: u16) -> [u8; 32] {
    let mut path: [u8; 32] = Sm3::digest(number.to_be_bytes()).into();
    path[0] = [3, 3, 0xc0, 0xc1][usize::from(number % 4)];
    match number % 7 {
        0 => path[1..13].fill((number % 5) as u8),
        1 => path[1..29].fill((number % 3) as u8),
        _ => {}
    }
    path
}

type Batch = BTreeMap<u16, Option<u8>>;

/// Changes, and what the tree may take from then on.
fn batches(count: usize) -> impl Strategy<Value = Vec<(Batch, Option<usize>)>> {
    let batch = |size: usize, weight: f64| {
        let change = (0..KEYS, prop::option::weighted(weight, any::<u8>()));
        prop::collection::vec(change, 0..size).prop_map(|changes| changes.into_iter().collect())
    };
    let limit = prop_oneof![Just(None), Just(Some(0)), (0..100_000usize).prop_map(Some)];
    let batch = prop_oneof![3 => batch(30, 0.6), 2 => batch(900, 0.9), 1 => batch(900, 0.1)];
    prop::collection::vec((batch, limit), 1..count)
}

fn changes(batch: &Batch) -> Vec<Change> {
    let change = |(key, value): (&u16, &Option<u8>)| (Path::from_bytes(path(*key)), value.map(|v| Digest([v; 32])));
    let mut changes: Vec<_> = batch.iter().map(change).collect();
    changes.sort_unstable();
    changes
}

/// What a store would find, one path after the other.
fn find(model: &Model, prefix: &Prefix) -> Found {
    let leaves = model
        .iter()
        .map(|(path, value)| (Path::from_bytes(*path), Digest(*value)));
    Found {
        prefix: *prefix,
        leaves: leaves.filter(|(path, _)| prefix.holds(path)).collect(),
    }
}

fn bring(tree: &Tree, model: &Model, paths: &[Path]) -> Tree {
    let found: Vec<_> = tree.missing(paths).iter().map(|prefix| find(model, prefix)).collect();
    // In two parts, as a caller may who has little room.
    let (first, second) = found.split_at(found.len() / 2);
    let tree = tree.fill(first).and_then(|tree| tree.fill(second)).unwrap();
    assert_eq!(tree.missing(paths), []);
    tree
}

/// [`bring`] for a large model.
fn bring_few(tree: &Tree, model: &Model, paths: &[Path]) -> Tree {
    let find = |prefix: &Prefix| {
        let to = prefix.end().map_or([0xff; 32], |end| *end.as_bytes());
        let leaves = model.range(*prefix.first().as_bytes()..to);
        let leaves = leaves.map(|(path, value)| (Path::from_bytes(*path), Digest(*value)));
        let (prefix, leaves) = (*prefix, leaves.collect());
        Found { prefix, leaves }
    };
    let found: Vec<_> = tree.missing(paths).iter().map(find).collect();
    tree.fill(&found).unwrap()
}

fn paths(changes: &[Change]) -> Vec<Path> {
    changes.iter().map(|(path, _)| *path).collect()
}

proptest! {
    #![proptest_config(fixed(80))]

    #[test]
    fn any_limit_gives_the_same_roots_proofs_and_undo_records(batches in batches(14), probes in prop::collection::vec(0..KEYS + 99, 12)) {
        let mut versions = vec![(Tree::new(), Tree::new(), Model::new())];
        for (number, (batch, limit)) in batches.iter().enumerate() {
            // Now and then a fork from an older version.
            let parent = if number % 4 == 3 { versions.len() / 2 } else { versions.len() - 1 };
            let (tree, whole, mut model) = versions[parent].clone();
            let changes = changes(batch);
            let tree = bring(&tree.within(*limit), &model, &paths(&changes));
            let (next, undo) = tree.apply_undoable_on(&changes, &Backwards(1 + number % 4));
            let (whole, whole_undo) = whole.apply_undoable(&changes);
            follow(&mut model, &changes);
            prop_assert_eq!(next.root(), root(&model));
            prop_assert_eq!((next.root(), next.len(), undo), (whole.root(), whole.len(), whole_undo));
            prop_assert_eq!(ChunkRoots::of(&next), ChunkRoots::of(&whole));
            prop_assert!(limit.is_none_or(|limit| next.bytes() <= limit.max(96_000)));
            versions.push((next, whole, model));
        }
        for (tree, whole, model) in &versions {
            for number in &probes {
                let path = Path::from_bytes(path(*number));
                let tree = bring(tree, model, &[path]);
                let proof = tree.prove(&path);
                let value = model.get(path.as_bytes()).copied().map(Digest);
                prop_assert_eq!(proof.verify(&root(model), &path), Ok(value));
                prop_assert_eq!((proof, tree.get(&path)), (whole.prove(&path), value));
                let bits = 6 + (number % 20) as u8;
                let mut first = *path.as_bytes();
                first[usize::from(bits / 8)] &= !(0xff >> (bits % 8));
                first[usize::from(bits / 8) + 1..].fill(0);
                let prefix = Prefix::new(Path::from_bytes(first), bits).unwrap();
                let tree = bring(&tree, model, &[*prefix.first()]);
                prop_assert_eq!(tree.prove_part(&prefix), whole.prove_part(&prefix));
            }
        }
    }

    #[test]
    fn what_is_not_what_was_given_up_does_not_come_back(
        batch in prop::collection::btree_map(0..KEYS, (1..=255u8).prop_map(Some), 400..900),
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        damage in 0..6u8,
    ) {
        let changes = changes(&batch);
        let mut model = Model::new();
        follow(&mut model, &changes);
        let tree = Tree::new().apply(&changes).within(Some(0));
        let missing = tree.missing(&paths(&changes));
        prop_assert!(missing.len() > 8);
        let mut found: Vec<_> = missing.iter().map(|prefix| find(&model, prefix)).collect();
        let which = which.index(found.len());
        let (prefix, leaves) = (found[which].prefix, &mut found[which].leaves);
        let at = at.index(leaves.len());
        match damage {
            0 => leaves[at].1.0[5] ^= 1,
            1 => drop(leaves.remove(at)),
            2 => leaves.insert(at, leaves[at]),
            3 => {
                let mut bytes = *leaves[at].0.as_bytes();
                bytes[31] ^= 1;
                leaves[at].0 = Path::from_bytes(bytes);
            }
            4 => leaves.clear(),
            // Another's.
            _ => *leaves = find(&model, &missing[(which + 1) % missing.len()]).leaves,
        }
        prop_assert_eq!(tree.fill(&found).map(|tree| tree.root()), Err(WrongLeaves(prefix)));
    }

    #[test]
    fn former_heights_are_proven_from_what_is_brought(batches in batches(9), probes in prop::collection::vec(0..KEYS + 99, 12)) {
        let mut heights = vec![(Tree::new(), ChunkRoots::of(&Tree::new()))];
        let (mut tree, mut model, mut records) = (Tree::new().within(Some(0)), Model::new(), Vec::new());
        for (batch, _) in &batches {
            let changes = changes(batch);
            let (next, undo) = bring(&tree, &model, &paths(&changes)).apply_undoable(&changes);
            follow(&mut model, &changes);
            heights.push((heights.last().unwrap().0.apply(&changes), ChunkRoots::of(&next)));
            records.push(undo);
            tree = next;
        }
        for (height, (then, roots)) in heights.iter().enumerate() {
            for number in &probes {
                let path = Path::from_bytes(path(*number));
                let Some(chunk) = roots.chunk_of(&path) else { continue };
                let mut folded = Folded::new(chunk);
                for undo in records[height..].iter().rev() {
                    for (_, changes) in undo.chunks().filter(|(other, _)| *other == chunk) {
                        folded.add(&encode_chunk(changes).unwrap()).unwrap();
                    }
                }
                let missing = folded.missing(&tree);
                let found: Vec<_> = missing.iter().map(|prefix| find(&model, prefix)).collect();
                let current = tree.fill(&found).unwrap();
                let mut before = ChunkAt::roll_back(&current, folded, roots.clone()).unwrap();
                let found: Vec<_> = before.missing(&path).iter().map(|prefix| find(&model, prefix)).collect();
                before.fill(&found).unwrap();
                prop_assert_eq!(before.prove(&path).unwrap(), then.prove(&path));
            }
        }
    }

    #[test]
    fn a_tree_is_built_within_any_limit(batch in prop::collection::btree_map(0..KEYS, any::<u8>().prop_map(Some), 0..900), limit in 0..90_000usize) {
        let mut model = Model::new();
        follow(&mut model, &changes(&batch));
        let mut builder = TreeBuilder::within(Some(limit));
        model.iter().for_each(|(path, value)| builder.push(Path::from_bytes(*path), Digest(*value)));
        let tree = builder.finish();
        prop_assert_eq!((tree.root(), tree.len()), (root(&model), model.len()));
    }
}

/// Millions of keys in proportion: what is built never takes much more than the limit, and both halves of it are one tree.
#[test]
fn a_large_tree_is_built_and_changed_within_its_limit() {
    const KEYS: u32 = 60_000;
    const LIMIT: usize = 1_500_000;
    let leaf = |number: u32| (Path::of(1, &number.to_be_bytes()), Digest([number as u8; 32]));
    let mut leaves: Vec<_> = (0..KEYS).map(leaf).collect();
    leaves.sort_unstable();
    let middle = leaves.partition_point(|(path, _)| path.as_bytes()[0] < 0x80);
    let half = |leaves: &[(Path, Digest)]| {
        let mut builder = TreeBuilder::within(Some(LIMIT / 2));
        leaves.iter().for_each(|(path, value)| builder.push(*path, *value));
        builder.finish()
    };
    let mut tree = Tree::of_halves(half(&leaves[..middle]), half(&leaves[middle..]));
    let mut whole = Tree::from_sorted(leaves.iter().copied());
    assert_eq!((tree.root(), tree.len()), (whole.root(), whole.len()));
    let mut model: Model = leaves.iter().map(|(path, value)| (*path.as_bytes(), value.0)).collect();
    for block in 0..12u32 {
        assert!(tree.bytes() <= LIMIT, "{}", tree.bytes());
        assert!(tree.cold() > KEYS as usize / 2);
        let number = |at: u32| (block * 7_919 + at * 104_729) % (KEYS + KEYS / 8);
        // The last blocks remove most of what there is.
        let (count, removed) = if block < 8 { (3_000, 5) } else { (40_000, 1) };
        let change = |at: u32| {
            (
                leaf(number(at)).0,
                (!at.is_multiple_of(removed)).then_some(Digest([block as u8; 32])),
            )
        };
        let changes: BTreeMap<_, _> = (1..=count).map(change).collect();
        let changes: Vec<Change> = changes.into_iter().collect();
        let brought = bring_few(&tree, &model, &paths(&changes));
        tree = brought.apply_undoable_on(&changes, &Backwards(4)).0;
        whole = whole.apply(&changes);
        follow(&mut model, &changes);
        assert_eq!((tree.root(), tree.len()), (whole.root(), whole.len()), "{block}");
        if tree.len() < 30_000 {
            break;
        }
    }
    assert!(tree.len() < 30_000);
}

/// Removals leave few keys where many were: what is left of buckets merges as buckets do.
#[test]
fn cold_buckets_are_those_of_a_tree_built_anew() {
    let leaf = |number: u32| (Path::of(1, &number.to_be_bytes()), Digest([1; 32]));
    let mut leaves: Vec<_> = (0..60_000).map(leaf).collect();
    leaves.sort_unstable();
    let mut model: Model = leaves.iter().map(|(path, value)| (*path.as_bytes(), value.0)).collect();
    let mut tree = Tree::from_sorted(leaves.iter().copied()).within(Some(0));
    for part in 0..4 {
        // Some everywhere, and whole stretches.
        let goes = |at: usize| at % 6 == part && !at.is_multiple_of(7) || at / 300 % 6 == part;
        let removed = leaves.iter().enumerate().filter(|(at, _)| goes(*at));
        let changes: Vec<Change> = removed.map(|(_, (path, _))| (*path, None)).collect();
        tree = bring_few(&tree, &model, &paths(&changes)).apply(&changes);
        follow(&mut model, &changes);
    }
    let all: Vec<_> = model
        .iter()
        .map(|(path, value)| (Path::from_bytes(*path), Digest(*value)))
        .collect();
    let anew = Tree::from_sorted(all.iter().copied()).within(Some(0));
    assert_eq!(
        (tree.root(), tree.len(), tree.cold()),
        (anew.root(), anew.len(), anew.cold())
    );
    let prefixes = |tree: &Tree| tree.missing(all.iter().map(|(path, _)| path));
    assert!(prefixes(&anew).len() > 200);
    // A bucket whose neighbours are gone may know a longer prefix.
    let (found, expected) = (prefixes(&tree.within(Some(0))), prefixes(&anew));
    assert_eq!(found.len(), expected.len());
    assert!(
        found
            .iter()
            .zip(&expected)
            .all(|(found, expected)| expected.holds(found.first()))
    );
}
