//! What is proven of former heights is what the tree of that height proved; and a block can be undone.

use crate::reference::{Model, Shape, changes, fixed, follow, root, shape};
use proptest::prelude::*;
use std::collections::BTreeMap;
use yulian_crypto::Digest;
use yulian_state::{
    Change, Path, Proof, Tree,
    history::{ChunkAt, ChunkRoots, Folded, HistoryError, Undo, decode_chunk, encode_chunk, prove_at},
};

/// Everything that a node keeps, and the trees that it does not.
struct Chain {
    versions: Vec<(Tree, Model)>,
    roots: Vec<ChunkRoots>,
    /// By chunk, the records of block 1, 2 and so on, with the height.
    records: BTreeMap<u8, Vec<(usize, Vec<u8>)>>,
    undo: Vec<Undo>,
}

impl Chain {
    fn new() -> Self {
        Self {
            versions: vec![(Tree::new(), Model::new())],
            roots: vec![ChunkRoots::of(&Tree::new())],
            records: BTreeMap::new(),
            undo: vec![Undo::default()],
        }
    }

    fn block(&mut self, changes: &[Change]) {
        let height = self.versions.len();
        let (tree, mut model) = self.versions[height - 1].clone();
        let (tree, undo) = tree.apply_undoable(changes);
        follow(&mut model, changes);
        for (chunk, changes) in undo.chunks() {
            let record = encode_chunk(changes).unwrap();
            assert_eq!(decode_chunk(chunk, &record).as_deref(), Ok(changes));
            self.records.entry(chunk).or_default().push((height, record));
        }
        self.roots.push(ChunkRoots::of(&tree));
        self.versions.push((tree, model));
        self.undo.push(undo);
    }

    fn current(&self) -> &Tree {
        &self.versions[self.versions.len() - 1].0
    }

    fn records_after(&self, height: usize, chunk: Option<u8>) -> impl Iterator<Item = &[u8]> {
        let all = chunk.and_then(|chunk| self.records.get(&chunk)).into_iter().flatten();
        let later = all.rev().filter(move |(at, _)| *at > height);
        later.map(|(_, record)| &record[..])
    }

    fn prove(&self, height: usize, path: &Path) -> Result<Proof, HistoryError> {
        let roots = &self.roots[height];
        let records = self.records_after(height, roots.chunk_of(path));
        prove_at(self.current(), roots, records, path)
    }
}

/// A path by number: few or many chunks, long common beginnings across their border, or all in one.
fn path(number: u16, shape: Shape) -> [u8; 32] {
    let mut path = crate::reference::path(number, shape);
    if number.is_multiple_of(5) {
        // Some keys of every shape are neighbours far down in a chunk that others use too.
        path = [path[0]; 32];
        path[31] = number as u8;
    }
    if matches!(shape, Shape::Ground) {
        // The bits that all chunks with keys have in common are not only zeros.
        path[0] ^= 0xa4;
    }
    path
}

type Batch = Vec<(u16, Option<u8>)>;

fn histories(keys: u16, size: usize) -> impl Strategy<Value = Vec<Batch>> {
    let batch = prop::collection::vec((0..keys, prop::option::weighted(0.6, any::<u8>())), 0..size);
    prop::collection::vec(batch, 1..12)
}

fn to_changes(batch: &Batch, shape: Shape) -> Vec<Change> {
    let change =
        |(key, value): &(u16, Option<u8>)| (Path::from_bytes(path(*key, shape)), value.map(|v| Digest([v; 32])));
    batch
        .iter()
        .map(change)
        .collect::<BTreeMap<_, _>>()
        .into_iter()
        .collect()
}

proptest! {
    #![proptest_config(fixed(60))]

    #[test]
    fn every_former_height_is_proven(
        shape in shape(),
        (keys, batches) in prop_oneof![
            histories(6, 5).prop_map(|batches| (6, batches)),
            histories(60, 40).prop_map(|batches| (60, batches)),
            histories(900, 500).prop_map(|batches| (900, batches)),
        ],
    ) {
        let mut chain = Chain::new();
        for batch in &batches {
            chain.block(&to_changes(batch, shape));
        }
        for (height, (tree, model)) in chain.versions.iter().enumerate() {
            let root = root(model);
            prop_assert_eq!(chain.roots[height].root(), root);
            // Also some that never were.
            for key in (0..keys + 20).step_by(1 + usize::from(keys) / 60) {
                let bytes = path(key, shape);
                let path = Path::from_bytes(bytes);
                let proof = chain.prove(height, &path).unwrap();
                prop_assert_eq!(proof.verify(&root, &path), Ok(model.get(&bytes).copied().map(Digest)));
                prop_assert_eq!(proof, tree.prove(&path));
            }
        }
    }

    #[test]
    fn undone_blocks_leave_no_trace(shape in shape(), batches in histories(300, 200)) {
        let mut chain = Chain::new();
        for batch in &batches {
            chain.block(&to_changes(batch, shape));
        }
        let mut tree = chain.current().clone();
        for height in (1..chain.versions.len()).rev() {
            let before = &chain.versions[height - 1].0;
            tree = tree.apply(chain.undo[height].changes());
            prop_assert_eq!((tree.root(), tree.len()), (before.root(), before.len()));
            // Only what had an effect is undone.
            for (path, value) in chain.undo[height].changes() {
                prop_assert_ne!(chain.versions[height].0.get(path), *value);
            }
        }
    }

    /// Whatever befalls a record: an error, or the right proof.
    #[test]
    fn damaged_records_prove_nothing(
        batches in histories(200, 120),
        height in any::<prop::sample::Index>(),
        probe in 0..220u16,
        at in any::<prop::sample::Index>(),
        by in 0..=255u8,
        cut in any::<bool>(),
    ) {
        let mut chain = Chain::new();
        for batch in &batches {
            chain.block(&to_changes(batch, Shape::Zeros));
        }
        let height = height.index(chain.versions.len());
        let path = Path::from_bytes(path(probe, Shape::Zeros));
        let roots = &chain.roots[height];
        let mut records: Vec<_> = chain.records_after(height, roots.chunk_of(&path)).map(<[u8]>::to_vec).collect();
        if records.is_empty() {
            return Ok(());
        }
        let which = at.index(records.len());
        let byte = at.index(records[which].len());
        if cut {
            records[which].truncate(byte);
        } else {
            records[which][byte] ^= by;
        }
        if let Ok(proof) = prove_at(chain.current(), roots, records.iter().map(|record| &record[..]), &path) {
            prop_assert_eq!(proof, chain.versions[height].0.prove(&path));
        }
    }

    #[test]
    fn foreign_records_never_panic(chunk in any::<u8>(), mut bytes in prop::collection::vec(any::<u8>(), 0..400), mark in 0..3u8) {
        if let Some(place) = bytes.get_mut(31) {
            *place = mark;
        }
        if let Ok(changes) = decode_chunk(chunk, &bytes) {
            prop_assert_eq!(encode_chunk(&changes), Ok(bytes.clone()));
        }
        if let Ok(roots) = ChunkRoots::from_bytes(&bytes) {
            prop_assert_eq!(roots.to_bytes(), bytes);
        }
    }

    #[test]
    fn chunk_roots_are_read_as_written(shape in shape(), keys in 0..400u16) {
        let batch = (0..keys).map(|key| (key, Some(1))).collect();
        let tree = Tree::new().apply(&changes(&batch, shape));
        let roots = ChunkRoots::of(&tree);
        let bytes = roots.to_bytes();
        prop_assert_eq!(ChunkRoots::from_bytes(&bytes), Ok(roots.clone()));
        prop_assert_eq!(roots.root(), tree.root());
        for end in 0..bytes.len() {
            prop_assert!(ChunkRoots::from_bytes(&bytes[..end]).is_err());
        }
    }
}

#[test]
fn what_is_not_canonical_is_refused() {
    let change = |last: u8, value: Option<u8>| {
        let mut path = [7; 32];
        path[31] = last;
        (Path::from_bytes(path), value.map(|byte| Digest([byte; 32])))
    };
    let record = |changes: &[Change]| encode_chunk(changes).unwrap();
    let good = record(&[change(1, None), change(2, Some(3))]);
    assert_eq!(good.len(), 32 + 64);
    assert!(decode_chunk(7, &good).is_ok());
    assert_eq!(decode_chunk(7, &[]), Err(HistoryError::Cut(7)));
    assert_eq!(decode_chunk(7, &good[..95]), Err(HistoryError::Cut(7)));
    for wrong in [
        [change(2, None), change(1, None)],
        [change(1, None), change(1, Some(1))],
    ] {
        assert_eq!(decode_chunk(7, &record(&wrong)), Err(HistoryError::Order(wrong[1].0)));
    }
    let mut marked = good;
    marked[31] = 2;
    assert_eq!(decode_chunk(7, &marked), Err(HistoryError::Mark(2)));
    // A chunk that has keys cannot have the root of none, and a root needs its bit.
    let mut roots = [0; 32];
    roots[0] = 0x80;
    assert!(ChunkRoots::from_bytes(&[&roots[..], &[0; 32]].concat()).is_err());
    assert!(ChunkRoots::from_bytes(&[&roots[..], &[1; 32]].concat()).is_ok());
    assert!(ChunkRoots::from_bytes(&[&roots[..], &[1; 64]].concat()).is_err());
}

#[test]
fn a_chunk_rolled_back_proves_its_own_paths_only() {
    let batch = (0..3_000).map(|key| (key, Some(1))).collect();
    let (tree, undo) = Tree::new().apply_undoable(&changes(&batch, Shape::Random));
    assert_eq!(undo.changes().len(), 3_000);
    let roots = ChunkRoots::of(&tree);
    let at = ChunkAt::roll_back(&tree, Folded::new(9), roots.clone()).unwrap();
    for key in 0..3_000 {
        let path = Path::from_bytes(crate::reference::path(key, Shape::Random));
        match at.prove(&path) {
            Ok(proof) => assert_eq!((path.as_bytes()[0], proof), (9, tree.prove(&path))),
            Err(error) => assert_eq!(error, HistoryError::Elsewhere(path)),
        }
    }
    // The records of another height do not give the roots of this one.
    let next = tree.apply(&[(Path::from_bytes([9; 32]), Some(Digest([2; 32])))]);
    let stale = ChunkAt::roll_back(&next, Folded::new(9), roots);
    assert_eq!(stale.err(), Some(HistoryError::Root(9)));
}
