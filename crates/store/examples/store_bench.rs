//! What the disk costs: `cargo run --release -p yulian-store --example store_bench -- FOLDER [blocks]`.
//!
//! Commits blocks as an evidence chain makes them: 1,000 transactions each, with three state records, two look-ups and an
//! entry by id per transaction, and the block and its receipts. Prints CPU time, commit times, memory and disk; then prunes
//! nine tenths of the blocks, and opens the folder again.
#![allow(clippy::print_stdout, reason = "it is what the program is for")]

use futures::executor::block_on;
use std::{fs, path::Path, time::Instant};
use yulian_store::{BLOCK, Batch, FjallKv, INDEX, Kv, META, Options, RECEIPT, STATE, StoreError, TX};

const TRANSACTIONS: u64 = 1_000;
const BLOCK_BYTES: usize = 400_000;
const RECEIPTS_BYTES: usize = 60_000;

fn main() -> Result<(), StoreError> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "store-bench".into());
    let blocks = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(200);
    let kv = FjallKv::open(Path::new(&folder), Options::default())?;
    fill(&kv, blocks)?;
    prune(&kv, blocks)?;
    kv.close();
    let start = Instant::now();
    let kv = FjallKv::open(Path::new(&folder), Options::default())?;
    println!("opened again, s               {:.2}", start.elapsed().as_secs_f64());
    report(&kv)
}

fn fill(kv: &FjallKv, blocks: u64) -> Result<(), StoreError> {
    let (mut random, mut times, mut making) = (Random(1), Vec::new(), 0.0);
    let start = cpu_seconds();
    for height in 0..blocks {
        let before = cpu_seconds();
        let batch = block(height, &mut random);
        making += cpu_seconds() - before;
        let clock = Instant::now();
        block_on(kv.commit(batch))?;
        times.push(clock.elapsed().as_secs_f64() * 1e3);
    }
    let cpu = (cpu_seconds() - start - making) / (blocks * TRANSACTIONS) as f64;
    times.sort_unstable_by(f64::total_cmp);
    let at = |part: usize| times[(times.len() - 1) * part / 100];
    println!("per transaction, µs CPU       {:.1}", cpu * 1e6);
    println!(
        "commit, ms p50 / p99 / max    {:.1} / {:.1} / {:.1}",
        at(50),
        at(99),
        at(100)
    );
    report(kv)
}

fn prune(kv: &FjallKv, blocks: u64) -> Result<(), StoreError> {
    let start = Instant::now();
    let end = (blocks * 9 / 10).to_be_bytes();
    let mut batch = Batch::new();
    for space in [BLOCK, RECEIPT] {
        batch.delete_range(space, &0u64.to_be_bytes(), &end);
    }
    block_on(kv.commit(batch))?;
    for space in [BLOCK, RECEIPT] {
        block_on(kv.reclaim(space))?;
    }
    println!("pruned and reclaimed, s       {:.2}", start.elapsed().as_secs_f64());
    report(kv)
}

fn report(kv: &FjallKv) -> Result<(), StoreError> {
    println!("  memory {} MB, highest {} MB", status("RssAnon:"), status("VmHWM:"));
    println!(
        "  disk {:.0} MB, syncs {}",
        kv.disk_bytes()? as f64 / 1e6,
        kv.sync_count()
    );
    Ok(())
}

fn block(height: u64, random: &mut Random) -> Batch {
    let mut batch = Batch::new();
    for index in 0..TRANSACTIONS {
        let number = height * TRANSACTIONS + index;
        for _ in 0..3 {
            batch.put(STATE, &random.bytes(32), random.bytes(160));
        }
        batch.put(TX, &random.bytes(32), number.to_be_bytes().to_vec());
        batch.put(INDEX, &random.bytes(48), vec![]);
        batch.put(
            INDEX,
            &[b"t".to_vec(), number.to_be_bytes().to_vec()].concat(),
            random.bytes(32),
        );
    }
    batch.put(BLOCK, &height.to_be_bytes(), random.bytes(BLOCK_BYTES));
    batch.put(RECEIPT, &height.to_be_bytes(), random.bytes(RECEIPTS_BYTES));
    batch.put(META, b"tip", height.to_be_bytes().to_vec());
    batch
}

struct Random(u64);

impl Random {
    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(count + 8);
        while out.len() < count {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            out.extend_from_slice(&(x ^ (x >> 31)).to_le_bytes());
        }
        out.truncate(count);
        out
    }
}

/// A line of Linux's `status` of this process, in megabytes.
fn status(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1024
}

/// CPU time of all threads of this process.
fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
