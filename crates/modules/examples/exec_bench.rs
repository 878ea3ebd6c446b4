//! CPU of executing deposits: blocks of 1,000 over a state of 1,000,000 keys in memory.
//!
//! `cargo run --release -p yulian-modules --example exec_bench [-- --threads 1,2,4 [--block 1000] [--blocks 50]]`
//! prints CPU µs per deposit of the one thread (Linux). The tree's share is measured by applying the
//! same changes again; what is left holds the check of absence in a cold tree, about as dear as all of the executor, and
//! the hashes of values, receipts and write set.
//!
//! With `--threads` it compares execution by one thread after the other with execution on those numbers of threads instead:
//! every block is executed by each in turn, in another order each time, so that all see the same machine. Printed are wall time and CPU
//! time of all threads. "computed" is not measured so: one thread does all pieces, and their CPU times are dealt to that many
//! threads; it says what the busiest thread of an idle machine would take, without waking it and without shared caches. In the blocks without conflicts all digests differ, in those full of conflicts all are the same.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "measuring and printing is what the program is for"
)]

use bytes::Bytes;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use yulian_crypto::{
    Digest,
    sm2::{FastVerifier, SecretKey, Signer},
    sm3,
};
use yulian_exec::{
    Anchor, MemoryBase, RoundFacts, Speculation, bootstrap, default_charter, default_parameters, verify_signatures,
};
use yulian_state::{
    workers::Workers,
    write_set::{self, Write},
};
use yulian_types::{
    SealedBlock, SealedGenesis, SealedTransaction, StateKey, TransactionBuilder, ValidatorSet, account_id, encode,
    proto,
};

const KEYS: u64 = 1_000_000;
const BLOCKS: u64 = 50;
const DEPOSITS: u64 = 1_000;
const SENDERS: usize = 64;

fn secret(name: &str) -> SecretKey {
    SecretKey::from_bytes(&sm3::hash(&[name.as_bytes()]).0).expect("a digest is a key")
}

fn genesis(senders: &[SecretKey]) -> SealedGenesis {
    let clouds = ["联通", "移动", "电信", "浪潮"];
    let validator = |cloud: &str| proto::Validator {
        public_key: Bytes::copy_from_slice(secret(cloud).public_key().as_bytes()),
        name: cloud.into(),
        cloud: cloud.into(),
        organisation: "bench".into(),
    };
    let account = |(at, key): (usize, &SecretKey)| proto::Account {
        id: account_id(&key.public_key()).to_vec().into(),
        organisation: "bench".into(),
        public_key: Bytes::copy_from_slice(key.public_key().as_bytes()),
        roles: vec!["admin".into(), "writer".into()],
        label: format!("sender {at}"),
        ..Default::default()
    };
    let set = ValidatorSet::new(clouds.map(validator).to_vec()).expect("a set");
    let message = proto::Genesis {
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
        accounts: senders.iter().enumerate().map(account).collect(),
        charter: Some(default_charter()),
        parameters: default_parameters(),
        nodes: vec![],
        ..Default::default()
    };
    SealedGenesis::new(message).expect("a genesis")
}

fn digest(number: u64) -> Digest {
    sm3::hash(&[b"row", &number.to_be_bytes()])
}

/// Fills base and tree with evidence of another organisation.
fn fill(base: &MemoryBase, anchor: &mut Anchor) {
    let mut number = 0;
    while number < KEYS {
        let last = (number + 50_000).min(KEYS);
        let writes: Vec<Write> = (number..last).map(old_record).collect();
        anchor.tree = anchor.tree.apply(&write_set::changes(&writes));
        base.commit(&writes);
        number = last;
    }
}

fn old_record(number: u64) -> Write {
    let digest = digest(number);
    let key = StateKey::evidence(&digest, "others");
    let record = proto::EvidenceRecord {
        digest: digest.to_vec().into(),
        kind: 1,
        depositor: digest.to_vec().into(),
        organisation: "others".into(),
        description: "a row that has been there for long".into(),
        height: number,
        time_ms: 1_700_000_000_000,
        status: 1,
        transaction_id: digest.to_vec().into(),
        ..Default::default()
    };
    Write {
        module_id: key.module_id,
        key: key.key,
        value: Some(encode(&record)),
    }
}

fn deposit(chain_id: Digest, key: &SecretKey, number: u64, time_ms: u64) -> Arc<SealedTransaction> {
    deposit_as(chain_id, key, number, number, time_ms)
}

fn deposit_as(chain_id: Digest, key: &SecretKey, number: u64, nonce: u64, time_ms: u64) -> Arc<SealedTransaction> {
    let message = proto::Deposit {
        digest: digest(number).to_vec().into(),
        description: "411002 许昌市魏都区 county-level district".into(),
        source: "henan-divisions.csv".into(),
    };
    let sender = account_id(&key.public_key());
    let nonce = u128::from(nonce).to_be_bytes();
    let until = time_ms + 60_000;
    let builder = TransactionBuilder::new(chain_id, sender, nonce, until, "evidence", "deposit", encode(&message));
    let (bytes, _) = builder.sign(key).expect("signs");
    Arc::new(SealedTransaction::decode(bytes).expect("well formed"))
}

/// CPU time of this thread so far.
fn cpu() -> Duration {
    // A yield makes the scheduler bring its account up to date.
    std::thread::yield_now();
    let account = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds = account.split_whitespace().next().and_then(|field| field.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}

/// CPU time of all threads of this process so far.
fn cpu_of_all() -> Duration {
    std::thread::yield_now();
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux").flatten();
    let nanoseconds = tasks.filter_map(|task| {
        let account = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        account.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanoseconds.sum())
}

/// Threads as a node lends them.
struct Crew {
    pool: rayon::ThreadPool,
    threads: usize,
}

impl Crew {
    fn new(threads: usize) -> Self {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.max(2) - 1).build();
        let pool = pool.expect("threads");
        Self { pool, threads }
    }
}

impl Workers for Crew {
    fn threads(&self) -> usize {
        self.threads
    }

    fn run(&self, count: usize, job: &(dyn Fn(usize) + Sync)) {
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(at) = Some(next.fetch_add(1, Relaxed)).filter(|at| *at < count) {
                job(at);
            }
        };
        self.pool.in_place_scope(|scope| {
            for _ in 1..self.threads.min(count) {
                scope.spawn(|_| work());
            }
            work();
        });
    }
}

/// Says that it is several threads and does all by itself, to find what the busiest of them would compute: pieces go to
/// whoever is free first.
struct Model {
    threads: usize,
    /// What several threads would spare, ns.
    spared: AtomicU64,
}

fn cpu_of_thread() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

impl Workers for Model {
    fn threads(&self) -> usize {
        self.threads
    }

    fn run(&self, count: usize, job: &(dyn Fn(usize) + Sync)) {
        let mut busy = vec![Duration::ZERO; self.threads];
        for at in 0..count {
            let from = cpu_of_thread();
            job(at);
            *busy.iter_mut().min().expect("threads") += cpu_of_thread() - from;
        }
        let (all, most) = (busy.iter().sum::<Duration>(), busy.iter().max().copied());
        let spared = all - most.unwrap_or_default();
        self.spared.fetch_add(spared.as_nanos() as u64, Relaxed);
    }
}

/// The number after an option, or several with commas.
fn option(name: &str) -> Option<Vec<u64>> {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|argument| argument == name)?;
    let numbers = arguments.get(at + 1)?.split(',').map(str::parse);
    Some(numbers.collect::<Result<_, _>>().expect("numbers"))
}

struct Contender {
    name: String,
    chain: Speculation<MemoryBase>,
    wall: Duration,
    cpu: Duration,
    /// CPU time of the calling thread.
    own: Duration,
    model: Option<Arc<Model>>,
}

/// Executes blocks by all contenders in turn.
fn compare(
    contenders: &mut [Contender],
    genesis: &SealedGenesis,
    senders: &[SecretKey],
    base: &MemoryBase,
    number_of: impl Fn(u64, u64) -> u64,
) {
    let size = option("--block").map_or(DEPOSITS, |numbers| numbers[0]);
    let blocks = option("--blocks").map_or(BLOCKS, |numbers| numbers[0]);
    let round = RoundFacts {
        epoch: 0,
        validators: genesis.validators.digest(),
    };
    let mut parent = contenders[0].chain.last_final().clone();
    let mut nonce = 0;
    for block in 0..blocks {
        let time = parent.time_ms() + 200;
        let transactions = (0..size).map(|at| {
            nonce += 1;
            let key = &senders[at as usize % SENDERS];
            deposit_as(genesis.chain_id, key, number_of(block, at), nonce, time)
        });
        let transactions = transactions.collect();
        let header = contenders[0]
            .chain
            .header_for(&parent.digest, time, &round)
            .expect("a header");
        let sealed = SealedBlock::build(header, transactions);
        let count = contenders.len();
        for turn in 0..count {
            let contender = &mut contenders[(turn + block as usize) % count];
            let (cpu, own, wall) = (cpu_of_all(), cpu_of_thread(), Instant::now());
            let executed = contender.chain.execute(&sealed).expect("executes");
            contender.wall += wall.elapsed();
            contender.own += cpu_of_thread() - own;
            contender.cpu += cpu_of_all() - cpu;
            if turn == 0 {
                parent = executed;
            }
            assert_eq!(
                contender.chain.executed(&sealed.digest).map(|own| &own.results),
                Some(&parent.results)
            );
        }
        base.commit(&parent.writes);
        for contender in contenders.iter_mut() {
            contender.chain.finalize(&sealed.digest).expect("final");
            contender.chain.committed(parent.height());
        }
    }
    let each = |time: Duration| time.as_secs_f64() * 1e6 / (blocks * size) as f64;
    let (wall, own) = (contenders[0].wall, contenders[0].own);
    for contender in contenders {
        let name = &contender.name;
        if let Some(model) = &contender.model {
            let longest = contender.own - Duration::from_nanos(model.spared.load(Relaxed));
            let ratio = own.as_secs_f64() / longest.as_secs_f64();
            println!(
                "  {name:<10} computed: {:6.2} µs of the busiest thread, {ratio:.2} ×",
                each(longest)
            );
        } else {
            let ratio = wall.as_secs_f64() / contender.wall.as_secs_f64();
            let (wall, cpu) = (each(contender.wall), each(contender.cpu));
            println!("  {name:<10} wall {wall:6.2} µs, CPU {cpu:6.2} µs per deposit, {ratio:.2} ×");
        }
    }
}

fn per_deposit(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6 / (BLOCKS * DEPOSITS) as f64
}

fn compare_threads(
    threads: &[u64],
    genesis: &SealedGenesis,
    senders: &[SecretKey],
    base: &MemoryBase,
    anchor: &Anchor,
) {
    let chain = || {
        let verifier = Arc::new(FastVerifier::default());
        let (base, anchor) = (base.clone(), anchor.clone());
        Speculation::resume(genesis, yulian_modules::registry(), verifier, base, anchor).expect("resumes")
    };
    let contender = |name: String, workers: Option<Arc<dyn Workers>>, model| Contender {
        name,
        chain: match workers {
            Some(workers) => chain().with_workers(workers),
            None => chain(),
        },
        wall: Duration::ZERO,
        cpu: Duration::ZERO,
        own: Duration::ZERO,
        model,
    };
    let contenders = || -> Vec<Contender> {
        let mut all = vec![contender("serial".into(), None, None)];
        for threads in threads.iter().map(|threads| *threads as usize) {
            let name = format!("{threads} threads");
            all.push(contender(name.clone(), Some(Arc::new(Crew::new(threads))), None));
            let model = Arc::new(Model {
                threads,
                spared: AtomicU64::new(0),
            });
            all.push(contender(name, Some(model.clone()), Some(model)));
        }
        all
    };
    println!("no conflicts:");
    let apart = |block: u64, at: u64| KEYS + (block << 20) + at;
    compare(&mut contenders(), genesis, senders, base, apart);
    println!("all of a block conflict:");
    compare(&mut contenders(), genesis, senders, base, |block, _| {
        2 * KEYS + (block << 20)
    });
}

fn main() {
    let senders: Vec<SecretKey> = (0..SENDERS).map(|at| secret(&format!("sender {at}"))).collect();
    let genesis = genesis(&senders);
    let first = bootstrap(&genesis).expect("a state");
    let base = MemoryBase::default();
    base.commit(&first.writes);
    let mut anchor = Anchor::genesis(&first);
    fill(&base, &mut anchor);
    let verifier = Arc::new(FastVerifier::default());
    if let Some(threads) = option("--threads") {
        return compare_threads(&threads, &genesis, &senders, &base, &anchor);
    }
    let mut chain = Speculation::resume(
        &genesis,
        yulian_modules::registry(),
        verifier.clone(),
        base.clone(),
        anchor,
    )
    .expect("resumes");
    println!("state: {} keys", chain.last_final().tree.len());
    let round = RoundFacts {
        epoch: 0,
        validators: genesis.validators.digest(),
    };
    let (mut select, mut check, mut execute, mut tree, mut verify) = <(_, _, _, _, _)>::default();
    for block in 0..BLOCKS {
        let tip = chain.last_final().clone();
        let time = tip.time_ms() + 200;
        let numbers = KEYS + block * DEPOSITS..KEYS + (block + 1) * DEPOSITS;
        let candidates: Vec<_> = numbers
            .map(|number| deposit(genesis.chain_id, &senders[number as usize % SENDERS], number, time))
            .collect();
        let timed = |spent: &mut Duration, from: Duration| *spent += cpu() - from;

        let from = cpu();
        assert!(verify_signatures(&candidates, &*verifier).into_iter().all(|ok| ok));
        timed(&mut verify, from);
        let from = cpu();
        let selection = chain.select(&tip.digest, time, candidates).expect("selects");
        timed(&mut select, from);
        assert_eq!(selection.transactions.len() as u64, DEPOSITS);
        let header = chain.header_for(&tip.digest, time, &round).expect("a header");
        let sealed = SealedBlock::build(header, selection.transactions);
        let from = cpu();
        chain.check_block(&sealed, &round).expect("valid");
        timed(&mut check, from);
        let from = cpu();
        let executed = chain.execute(&sealed).expect("executes");
        timed(&mut execute, from);
        let from = cpu();
        let again = tip.tree.apply(&executed.changes);
        timed(&mut tree, from);
        assert_eq!(again.root(), executed.results.state_root);
        assert_eq!(executed.writes.len() as u64, DEPOSITS);
        chain.finalize(&sealed.digest).expect("final");
        base.commit(&executed.writes);
        chain.committed(executed.height());
    }
    println!("blocks of {DEPOSITS}: {BLOCKS}, senders: {SENDERS}");
    println!("verify signatures       {:6.2} µs per deposit", per_deposit(verify));
    println!("select (building)       {:6.2}", per_deposit(select));
    println!("check_block (verifying) {:6.2}", per_deposit(check));
    println!("execute, all of it      {:6.2}", per_deposit(execute));
    println!("  of which the tree     {:6.2}", per_deposit(tree));
    println!(
        "  the rest              {:6.2}",
        per_deposit(execute.saturating_sub(tree))
    );
}
