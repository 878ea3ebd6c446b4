//! What the tree costs: `cargo run --release -p yulian-state --example tree_bench -- [keys] [versions kept]`.
//!
//! Loads `keys` random keys, then applies 1,000 blocks of 4,000 changes, 80 % overwrites and 20 % new keys, while the
//! last versions are kept. Prints CPU time of this thread per update, memory per key, proof sizes and what a proof at
//! a former height takes. The figure for updates includes what undoes them and dropping the versions that are no
//! longer kept, but neither hashing values and paths, nor encoding undo records and the chunks' roots.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "measuring and printing is what the program is for"
)]

use std::{
    collections::{BTreeMap, VecDeque},
    fs,
    time::Instant,
};
use yulian_crypto::Digest;
use yulian_state::{
    Change, Path, Tree,
    history::{ChunkRoots, Undo, encode_chunk, prove_at},
    value_hash,
};

// As in the node: its size classes are part of what a key takes.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const BLOCKS: u64 = 1_000;
const UPDATES: u64 = 4_000;
const PROOFS: u64 = 20_000;
/// Proofs at a former height are measured in this many chunks.
const CHUNKS: u8 = 4;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let keys = arguments.next().and_then(Result::ok).unwrap_or(1_000_000);
    let kept = arguments.next().and_then(Result::ok).unwrap_or(1) as usize;

    let mut leaves: Vec<_> = (0..keys).map(|key| (path(key), value_hash(b"0"))).collect();
    leaves.sort_unstable();
    let (before, start) = (resident_bytes(), cpu_seconds());
    let tree = Tree::from_sorted(leaves.drain(..));
    let (loading, memory) = (cpu_seconds() - start, resident_bytes() - before);
    drop(leaves);
    println!("keys {keys}");
    println!("loading, s CPU                {loading:.2}");
    println!("memory per key, bytes         {:.0}", memory / keys as f64);
    let mut history = History::default();
    let tree = updates(tree, keys, kept, &mut history);
    proofs(&tree);
    for back in [100, BLOCKS as usize] {
        history.prove(&tree, back);
    }
}

/// What a node keeps to prove what was: of a few chunks, since all would be the tree's size many times over.
#[derive(Default)]
struct History {
    roots: Vec<ChunkRoots>,
    records: Vec<Vec<(u8, Vec<u8>)>>,
    cpu: f64,
    bytes: usize,
}

impl History {
    fn block(&mut self, before: &Tree, undo: &Undo) {
        let start = cpu_seconds();
        let roots = ChunkRoots::of(before);
        let encode = |(chunk, changes)| (chunk, encode_chunk(changes).unwrap_or_default());
        let mut records: Vec<_> = undo.chunks().map(encode).collect();
        self.cpu += cpu_seconds() - start;
        self.bytes += records.iter().map(|record| record.1.len()).sum::<usize>();
        records.retain(|record| record.0 < CHUNKS);
        self.roots.push(roots);
        self.records.push(records);
    }

    fn prove(&self, current: &Tree, back: usize) {
        let from = self.roots.len() - back;
        let start = cpu_seconds();
        for chunk in 0..CHUNKS {
            let probe = Path::from_bytes([chunk; 32]);
            let of_chunk = |block: &'_ Vec<(u8, Vec<u8>)>| block.iter().position(|record| record.0 == chunk);
            let records = self.records[from..].iter().rev();
            let records = records.filter_map(|block| Some(&block[of_chunk(block)?].1[..]));
            let proof = prove_at(current, &self.roots[from], records, &probe);
            let right = proof.is_ok_and(|proof| proof.verify(&self.roots[from].root(), &probe).is_ok());
            assert!(right, "chunk {chunk}");
        }
        let each = (cpu_seconds() - start) / f64::from(CHUNKS) * 1e3;
        println!("proof {back} blocks back, ms CPU   {each:.2}");
    }
}

fn updates(tree: Tree, keys: u64, kept: usize, history: &mut History) -> Tree {
    let mut versions = VecDeque::from([tree]);
    let (mut cpu, mut wall) = (0.0, 0.0);
    let before = resident_bytes();
    for block in 0..BLOCKS {
        let changes = changes(block, keys);
        let old = versions.back().cloned().unwrap_or_default();
        let (start, clock) = (cpu_seconds(), Instant::now());
        let (next, undo) = old.apply_undoable(&changes);
        let time = (cpu_seconds() - start, clock.elapsed().as_secs_f64());
        history.block(&old, &undo);
        drop(old);
        versions.push_back(next);
        let (start, clock) = (cpu_seconds(), Instant::now());
        while versions.len() > kept {
            versions.pop_front();
        }
        cpu += time.0 + cpu_seconds() - start;
        wall += time.1 + clock.elapsed().as_secs_f64();
    }
    let count = (BLOCKS * UPDATES) as f64;
    println!("per update, µs CPU            {:.2}", cpu / count * 1e6);
    println!("per update, µs wall           {:.2}", wall / count * 1e6);
    println!("undo encoded, roots, µs CPU   {:.2}", history.cpu / count * 1e6);
    println!("undo, bytes                   {:.1}", history.bytes as f64 / count);
    let grown = resident_bytes() - before;
    println!(
        "versions kept {kept}, memory grown by {:.0} MB for {} new keys",
        grown / 1e6,
        BLOCKS * UPDATES / 5
    );
    versions.pop_back().unwrap_or_default()
}

fn changes(block: u64, keys: u64) -> Vec<Change> {
    let change = |number: u64| {
        let seed = block * UPDATES + number;
        let old = mix(seed) % (keys + block * UPDATES / 5);
        let new = keys + seed / 5;
        let key = if number.is_multiple_of(5) { new } else { old };
        (path(key), Some(value_hash(&seed.to_be_bytes())))
    };
    let sorted: BTreeMap<Path, Option<Digest>> = (0..UPDATES).map(change).collect();
    sorted.into_iter().collect()
}

fn proofs(tree: &Tree) {
    let root = tree.root();
    let probes: Vec<Path> = (0..PROOFS).map(path).collect();
    let start = cpu_seconds();
    let proofs: Vec<_> = probes.iter().map(|path| tree.prove(path)).collect();
    let made = cpu_seconds() - start;
    let start = cpu_seconds();
    let right = probes.iter().zip(&proofs);
    let good = right.filter(|(path, proof)| proof.verify(&root, path).is_ok_and(|found| found.is_some()));
    assert_eq!(good.count() as u64, PROOFS.min(tree.len() as u64));
    let checked = cpu_seconds() - start;
    let mut sizes: Vec<usize> = proofs.iter().map(|proof| proof.to_bytes().len()).collect();
    sizes.sort_unstable();
    let average = sizes.iter().sum::<usize>() / sizes.len();
    let [p99, p999, max] = [990, 999, 1000].map(|share| sizes[(sizes.len() * share / 1000).min(sizes.len() - 1)]);
    println!("proof, bytes avg/p99/p99.9/max {average} / {p99} / {p999} / {max}");
    println!(
        "proof made / checked, µs CPU  {:.1} / {:.1}",
        made / PROOFS as f64 * 1e6,
        checked / PROOFS as f64 * 1e6
    );
}

fn path(key: u64) -> Path {
    Path::of(1, &key.to_be_bytes())
}

fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// CPU time of this thread: time on a processor in nanoseconds, the first number of Linux's `schedstat`.
fn cpu_seconds() -> f64 {
    first_number("/proc/thread-self/schedstat", 0) / 1e9
}

/// Memory in use by this process: the second number of Linux's `statm`, in pages of 4 KB.
fn resident_bytes() -> f64 {
    first_number("/proc/self/statm", 1) * 4096.0
}

fn first_number(file: &str, at: usize) -> f64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let number = text.split_whitespace().nth(at).and_then(|text| text.parse().ok());
    number.unwrap_or(f64::NAN)
}
