//! What a durable block costs beside its execution:
//! `cargo run --release -p yulian-node --example commit_bench -- FOLDER [keys] [blocks] [heights kept] [with|without] [per cent]`.
//!
//! Loads `keys` keys with values of 128 bytes into a ledger on the disk, then makes blocks of 4,000 updates durable, 80 %
//! overwrites and 20 % new keys: hashes, tree, the one batch with its history, journal, sync, and what the store does in the
//! background meanwhile. Prints CPU time of the whole process per update and the parts of it, the dearest single block, times
//! of commits, disk and memory, what proofs at former heights take, and how long opening the ledger again does. `without`
//! leaves the history out. With `per cent` the state tree may take only that part of what it takes after loading; what an
//! update needs of the rest is brought from the store.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "measuring and printing is what the program is for"
)]

use bytes::Bytes;
use futures::executor::block_on;
use std::{collections::BTreeMap, fs, path::Path as Folder, sync::Arc, time::Instant};
use yulian_crypto::{
    sm2::{SecretKey, Signer},
    sm3,
};
use yulian_exec::{Base, Executed, bootstrap, default_charter, default_parameters};
use yulian_node::ledger::{HISTORY_HEIGHTS, Ledger, Tip};
use yulian_state::{
    BUCKET_LEAVES_MAX, Change, Found, Path, Tree,
    history::Undo,
    write_set::{self, Write},
};
use yulian_store::{FjallKv, Kv, Options};
use yulian_types::{SealedBlock, SealedGenesis, ValidatorSet, account_id, proto};

// As in the node.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What a leaf takes with its share of the nodes, as [`Tree::bytes`] counts.
const LEAF_BYTES: u64 = 101;
const UPDATES: u64 = 4_000;
const VALUE_BYTES: usize = 128;
const LOADED_AT_ONCE: u64 = 20_000;
const MODULE: u32 = 900;
const PROOFS: u64 = 20;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "commit-bench".into());
    let mut number = |or: u64| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(or);
    let (keys, blocks, kept) = (number(1_000_000), number(1_000), number(HISTORY_HEIGHTS));
    let history = arguments.next().is_none_or(|text| text != "without");
    let part = arguments.next().and_then(|text| text.parse::<u64>().ok());
    let limit = part.map(|part| (keys * LEAF_BYTES * part / 100) as usize);
    let mut chain = Chain::open(Folder::new(&folder), history, limit);
    chain.ledger.keep_history(kept);
    for first in (0..keys).step_by(LOADED_AT_ONCE as usize) {
        let last = (first + LOADED_AT_ONCE).min(keys);
        chain.block((first..last).map(|key| (key, 0)));
    }
    let limited = part.map_or("no limit".into(), |part| format!("{part} % of its memory"));
    println!("keys {keys}, blocks {blocks} of {UPDATES}, history {history}, of {kept} heights, tree with {limited}");
    chain.tree = chain.tree.within(limit);
    chain.parts = Parts::default();
    let all = process_cpu();
    for block in 0..blocks {
        chain.block((0..UPDATES).map(|number| update(block, number, keys)));
    }
    chain.report(process_cpu() - all, blocks);
    if history {
        for back in [100, blocks - 1].map(|back| back.min(kept)) {
            chain.prove(back);
        }
    }
    chain.open_again(Folder::new(&folder));
}

/// Key and number of an update: every fifth makes a new key.
fn update(block: u64, number: u64, keys: u64) -> (u64, u64) {
    let seed = block * UPDATES + number;
    let old = mix(seed) % (keys + block * UPDATES / 5);
    let key = if number.is_multiple_of(5) { keys + seed / 5 } else { old };
    (key, seed)
}

/// CPU seconds of the thread that executes and begins commits, for each block; and the wall time until it was durable.
#[derive(Default)]
struct Parts {
    hashes: Vec<f64>,
    brought: Vec<f64>,
    prefixes: usize,
    tree: Vec<f64>,
    batch: Vec<f64>,
    durable: Vec<f64>,
    making: f64,
}

struct Chain {
    genesis: Arc<SealedGenesis>,
    ledger: Ledger<FjallKv>,
    tree: Tree,
    tip: Tip,
    history: bool,
    limit: Option<usize>,
    parts: Parts,
}

impl Chain {
    fn open(folder: &Folder, history: bool, limit: Option<usize>) -> Self {
        let genesis = Arc::new(genesis());
        let kv = FjallKv::open(folder, Options::default()).expect("a folder for the ledger");
        let opened = block_on(Ledger::open(kv, genesis.clone())).expect("a new ledger");
        let tip = opened.ledger.tip();
        assert_eq!(tip.height, 0, "the folder holds a ledger already");
        Self {
            tree: opened.anchor.tree,
            ledger: opened.ledger,
            tip,
            genesis,
            history,
            limit,
            parts: Parts::default(),
        }
    }

    fn block(&mut self, updates: impl Iterator<Item = (u64, u64)>) {
        let making = thread_cpu();
        let writes: Vec<Write> = updates.map(write).collect();
        // What an execution yields beside the writes stays as the genesis left it.
        let mut executed = bootstrap(&self.genesis).expect("a genesis");
        let block = self.next_block();
        let start = thread_cpu();
        self.parts.making += start - making;

        let by_path: BTreeMap<Path, Write> = writes.into_iter().map(|write| (write.path(), write)).collect();
        let values = by_path.iter().map(|(path, write)| (*path, write.value.as_deref()));
        let changes = write_set::changes_at(values);
        let write_set_root = write_set::root(&changes);
        let hashed = thread_cpu();
        let filled = self.bring(&changes);
        let brought = thread_cpu();
        let (tree, undo) = filled.as_ref().unwrap_or(&self.tree).apply_undoable(&changes);
        let applied = thread_cpu();
        self.parts.hashes.push(hashed - start);
        self.parts.brought.push(brought - hashed);
        self.parts.tree.push(applied - brought);

        executed.digest = block.digest;
        executed.header = block.header.clone();
        executed.parent = block.parent;
        executed.results.state_root = tree.root();
        executed.results.write_set_root = write_set_root;
        executed.writes = by_path.into_values().collect();
        executed.changes = changes;
        executed.undo = if self.history { undo } else { Undo::default() };
        executed.tree = tree;
        self.commit(&block, executed);
    }

    /// The tree with what the changes need of it, if that is not all in memory; as an execution does.
    fn bring(&mut self, changes: &[Change]) -> Option<Tree> {
        let missing = self.tree.missing(changes.iter().map(|(path, _)| path));
        self.parts.prefixes += missing.len();
        let mut tree = (!missing.is_empty()).then(|| self.tree.clone())?;
        for some in missing.chunks(128) {
            let values = some.iter().map(|prefix| self.ledger.values(prefix, BUCKET_LEAVES_MAX));
            let values: Vec<_> = values.map(|values| values.expect("a disk that works")).collect();
            let all = values.iter().flatten().map(|(path, value)| (*path, Some(&value[..])));
            let hashes = write_set::changes_at(all).into_iter();
            let mut leaves = hashes.map(|(path, hash)| (path, hash.expect("a value")));
            let found = some.iter().zip(&values).map(|(prefix, values)| Found {
                prefix: *prefix,
                leaves: leaves.by_ref().take(values.len()).collect(),
            });
            tree = tree.fill(&found.collect::<Vec<_>>()).expect("what was given up");
        }
        Some(tree)
    }

    fn next_block(&self) -> SealedBlock {
        let mut header = self.genesis.block().header;
        header.height = self.tip.height + 1;
        header.parent = self.tip.digest.to_vec().into();
        header.time_ms = self.tip.time_ms + 200;
        header.parent_state_root = self.tip.state_root.to_vec().into();
        SealedBlock::build(header, vec![])
    }

    fn commit(&mut self, block: &SealedBlock, executed: Executed) {
        let (clock, start) = (Instant::now(), thread_cpu());
        let commit = self
            .ledger
            .begin_final(&self.tip, block, None, &executed)
            .expect("the next block");
        self.parts.batch.push(thread_cpu() - start);
        block_on(commit.durable()).expect("a disk that works");
        self.parts.durable.push(clock.elapsed().as_secs_f64());
        self.tip = self.ledger.tip();
        self.tree = executed.tree;
    }

    fn report(&mut self, all: f64, blocks: u64) {
        let parts = &mut self.parts;
        let each = |seconds: f64| seconds / (blocks * UPDATES) as f64 * 1e6;
        let all = each(all - parts.making);
        let parts_of = [&parts.hashes, &parts.brought, &parts.tree, &parts.batch];
        let [hashes, brought, tree, batch] = parts_of.map(|part| each(part.iter().sum()));
        println!("per update, µs CPU            {all:.2}");
        println!("  hashes of paths, values, write set {hashes:.2}");
        println!("  bringing what is not in memory     {brought:.2}");
        println!("  tree with what undoes it           {tree:.2}");
        println!("  making the batch                   {batch:.2}");
        println!(
            "  store, its threads                 {:.2}",
            all - hashes - brought - tree - batch
        );
        let [median, highest] = spread(&mut parts.batch, [50, 100]).map(|seconds| seconds * 1e3);
        println!("making a batch, ms CPU p50 / max     {median:.2} / {highest:.2}");
        let [p50, p99, max] = spread(&mut parts.durable, [50, 99, 100]).map(|seconds| seconds * 1e3);
        println!("until durable, ms p50 / p99 / max    {p50:.1} / {p99:.1} / {max:.1}");
        let prefixes = parts.prefixes as f64 / (blocks * UPDATES) as f64;
        println!("buckets brought for an update        {prefixes:.2}");
        let disk = self.ledger.store().disk_bytes().unwrap_or(0);
        println!(
            "disk {} MB, tree {} MB, memory {} MB",
            disk / 1_000_000,
            self.tree.bytes() / 1_000_000,
            resident_bytes() / 1_000_000
        );
    }

    /// Closes the ledger and opens it as a node that starts: the tree from the flat state, checked against the root.
    fn open_again(self, folder: &Folder) {
        let (genesis, tip, limit) = (self.genesis.clone(), self.tip, self.limit);
        drop(self);
        let (clock, cpu) = (Instant::now(), process_cpu());
        let kv = FjallKv::open(folder, Options::default()).expect("the ledger's folder");
        let opened = block_on(Ledger::open_within(kv, genesis, limit)).expect("the same ledger");
        let (wall, cpu) = (clock.elapsed().as_secs_f64(), process_cpu() - cpu);
        assert_eq!(opened.ledger.tip(), tip);
        // Threads that built half of the tree have ended, and their time is not in it.
        println!("opening again, s                     {wall:.1} (CPU of the threads left {cpu:.1})");
        let tree = &opened.anchor.tree;
        println!(
            "tree then, MB                        {} of {} without a limit; memory {} MB",
            tree.bytes() / 1_000_000,
            tree.len() as u64 * LEAF_BYTES / 1_000_000,
            resident_bytes() / 1_000_000
        );
    }

    fn prove(&self, back: u64) {
        let height = self.tip.height - back;
        let start = thread_cpu();
        for key in 0..PROOFS {
            let path = write((key, 0)).path();
            let current = (self.tip.height, &self.tree);
            let found = self.ledger.prove_past(current, height, &path).expect("a proof");
            assert_eq!(found.proof.verify(&found.root, &path), Ok(found.value_hash));
        }
        let each = (thread_cpu() - start) / PROOFS as f64 * 1e3;
        println!("proof {back} blocks back, ms CPU     {each:.2}");
    }
}

fn write((key, number): (u64, u64)) -> Write {
    let mut value = Vec::with_capacity(VALUE_BYTES);
    let mut state = number ^ key << 32;
    while value.len() < VALUE_BYTES {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        value.extend_from_slice(&mix(state).to_le_bytes());
    }
    Write {
        module_id: MODULE,
        key: Bytes::copy_from_slice(&key.to_be_bytes()),
        value: Some(value.into()),
    }
}

fn genesis() -> SealedGenesis {
    let secret = |name: &str| SecretKey::from_bytes(&sm3::hash(&[name.as_bytes()]).0).expect("a digest is a key");
    let clouds = ["联通", "移动", "电信", "浪潮"];
    let validator = |cloud: &str| proto::Validator {
        public_key: Bytes::copy_from_slice(secret(cloud).public_key().as_bytes()),
        name: cloud.into(),
        cloud: cloud.into(),
        organisation: "bench".into(),
    };
    let admin = secret("admin").public_key();
    let set = ValidatorSet::new(clouds.map(validator).to_vec()).expect("a set");
    SealedGenesis::new(proto::Genesis {
        version: 1,
        name: "bench".into(),
        time_ms: 1_700_000_000_000,
        protocol_version: 1,
        epoch_length: 1_000_000,
        validators: Some(set.message().clone()),
        organisations: vec![proto::Organisation {
            id: "bench".into(),
            name: "bench".into(),
            member: true,
            ..Default::default()
        }],
        accounts: vec![proto::Account {
            id: account_id(&admin).to_vec().into(),
            organisation: "bench".into(),
            public_key: Bytes::copy_from_slice(admin.as_bytes()),
            roles: vec!["admin".into()],
            label: "admin".into(),
            ..Default::default()
        }],
        charter: Some(default_charter()),
        parameters: default_parameters(),
        nodes: vec![],
        ..Default::default()
    })
    .expect("a genesis")
}

/// The values at some hundredths.
fn spread<const N: usize>(values: &mut [f64], at: [usize; N]) -> [f64; N] {
    values.sort_unstable_by(f64::total_cmp);
    at.map(|part| values[(values.len() - 1) * part / 100])
}

fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// CPU seconds of this thread.
fn thread_cpu() -> f64 {
    // A yield makes the scheduler bring its account up to date.
    std::thread::yield_now();
    first_number("/proc/thread-self/schedstat", 0) / 1e9
}

/// CPU seconds of all threads of this process, none of which ends meanwhile.
fn process_cpu() -> f64 {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let cpu = |task: fs::DirEntry| first_number(&task.path().join("schedstat").to_string_lossy(), 0);
    tasks.map(cpu).sum::<f64>() / 1e9
}

/// Memory in use by this process: the second number of Linux's `statm`, in pages of 4 KB.
fn resident_bytes() -> u64 {
    first_number("/proc/self/statm", 1) as u64 * 4_096
}

fn first_number(file: &str, at: usize) -> f64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let number = text.split_whitespace().nth(at).and_then(|text| text.parse().ok());
    number.unwrap_or(f64::NAN)
}
