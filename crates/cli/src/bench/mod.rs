//! `yulian bench`: what a network of this machine commits, through its public interface, with every signature real.

mod disk;
mod flight;
mod load;
pub(crate) mod network;
mod report;
pub(crate) mod say;
mod supply;
mod target;
mod usage;

use crate::{
    connect::{DIR_DEFAULT, block_on},
    key::{self, passphrase},
    out,
    problem::{Cause, Exit, Result},
    progress::Progress,
    text::problem,
};
use clap::Args;
use disk::Disk;
use flight::Outcome;
use load::Plan;
use network::OwnNetwork;
use report::{Cpu, Leg, Reading, Report};
use std::{
    env,
    path::{Path, PathBuf},
    time::Duration,
};
use supply::{Cost, Maker, Supply};
use target::Target;
use tokio::{
    signal::unix::{SignalKind, signal},
    task::spawn_blocking,
};

/// Transactions per second and client that wait for their results: more than any node can answer.
const WAITED_TPS: u64 = 200;
/// Transactions per second that are signed for a run in advance: twice what two cores commit.
const SIGNED_TPS: u64 = 12_000;
/// Most transactions that are in memory at a time, about 350 bytes each.
const SIGNED_MAX: u64 = 400_000;
/// Transactions of a leg of a long run.
const LEG: u64 = 100_000;
/// Transactions of a request: more gain little, and make latencies longer.
const BATCH_DEFAULT: u64 = 25;
/// Batches that a client has under way unless a window is named.
const WINDOW_BATCHES: usize = 2;
/// Most clients: each has an account in the genesis and a connection.
const CLIENTS_MAX: u64 = 4096;
/// Longest run in which all transactions are signed before: they are valid for 300 s.
const SECONDS_MAX: u64 = 180;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long, default_value_t = 4)]
    nodes: usize,
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=SECONDS_MAX))]
    seconds: u64,
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=CLIENTS_MAX))]
    clients: u64,
    #[arg(long, default_value_t = 200)]
    size: usize,
    #[arg(long)]
    wait: bool,
    #[arg(long, default_value_t = BATCH_DEFAULT, value_parser = clap::value_parser!(u64).range(1..=2000))]
    batch: u64,
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    window: Option<u64>,
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=SIGNED_MAX))]
    count: Option<u64>,
    #[arg(long, conflicts_with_all = ["count", "wait", "seconds"], value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    total: Option<u64>,
    #[arg(long)]
    work_dir: Option<PathBuf>,
    #[arg(long)]
    json: bool,
    #[arg(long)]
    url: Vec<String>,
    #[arg(long, default_value = DIR_DEFAULT)]
    dir: PathBuf,
    #[arg(long, default_value = "default")]
    chain: String,
    #[arg(long)]
    key: Vec<PathBuf>,
    #[command(flatten)]
    passphrase: passphrase::Source,
}

impl Arguments {
    fn plan(&self) -> Plan {
        let batch = self.batch as usize;
        Plan {
            clients: self.clients as usize,
            batch,
            window: self
                .window
                .map_or(batch * WINDOW_BATCHES, |window| window as usize)
                .max(batch),
            wait: self.wait,
            time: self.total.is_none().then(|| Duration::from_secs(self.seconds)),
        }
    }

    /// How many transactions are signed for a run of some seconds.
    fn signed(&self) -> u64 {
        let rate = if self.wait {
            SIGNED_TPS.min(WAITED_TPS * self.clients)
        } else {
            SIGNED_TPS
        };
        self.count.unwrap_or(rate * self.seconds).min(SIGNED_MAX)
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    block_on(async {
        match arguments.url.is_empty() {
            true => on_own_network(arguments).await,
            false => measure(arguments, Target::named(arguments).await?).await,
        }
    })
}

async fn on_own_network(arguments: &Arguments) -> Result<Exit> {
    let parent = arguments.work_dir.clone().unwrap_or_else(env::temp_dir);
    out::note_line(say::bench_starting(arguments.nodes, parent.display()));
    let mut interrupt = signal(SignalKind::interrupt()).or_problem(problem::no_runtime)?;
    let mut terminate = signal(SignalKind::terminate()).or_problem(problem::no_runtime)?;
    let mut network = OwnNetwork::start(&parent, arguments.nodes, arguments.clients as usize).await?;
    let work = async {
        let target = Target::own(&mut network).await?;
        measure(arguments, target).await
    };
    let answer = tokio::select! {
        answer = work => answer,
        _ = interrupt.recv() => Err(problem::interrupted()),
        _ = terminate.recv() => Err(problem::interrupted()),
    };
    // Whatever the reason, no process and no folder stays behind.
    network.stop().await;
    answer
}

async fn measure(arguments: &Arguments, target: Target) -> Result<Exit> {
    let disk = match &target.dir {
        Some(dir) => Some(measure_disk(dir).await?),
        None => None,
    };
    let plan = arguments.plan();
    let maker = Maker::new(
        target.accounts.clone(),
        target.chain.terms().to_owned(),
        run_id(),
        if plan.wait { 1 } else { plan.batch },
        arguments.size,
    )?;
    let start = Reading::now(&target.processes);
    let mut report = Report {
        arguments,
        plan,
        nodes: target.nodes,
        processes: &target.processes,
        disk,
        transaction_bytes: 0,
        signing: Cost::default(),
        outcome: Outcome::default(),
        cpu: Cpu::default(),
        end: start.clone(),
        start,
        legs: Vec::new(),
    };
    match arguments.total {
        None => timed(arguments, &target, &maker, &mut report).await?,
        Some(total) => legs(total, &target, &maker, &mut report).await?,
    }
    if arguments.json {
        out::json(&report.json());
    } else {
        report.print();
    }
    Ok(if report.outcome.committed > 0 {
        Exit::Done
    } else {
        Exit::No
    })
}

async fn measure_disk(dir: &Path) -> Result<Disk> {
    let folder = dir.to_owned();
    let disk = spawn_blocking(move || Disk::measure(&folder))
        .await
        .or_problem(problem::no_runtime)?;
    let disk = disk.or_problem(|| problem::cannot_write(dir.display()))?;
    if disk.is_memory() {
        out::note_line(say::bench_memory_disk(disk.path.display()));
    }
    Ok(disk)
}

/// One run of some seconds, or until the signed transactions are used up.
async fn timed(arguments: &Arguments, target: &Target, maker: &Maker, report: &mut Report<'_>) -> Result<()> {
    let count = arguments.signed();
    let (supply, cost) = sign(maker, 0, count).await?;
    report.transaction_bytes = supply.mean_bytes();
    report.signing = cost;
    let mut progress = Progress::new(say::bench_loading(), None);
    report.start = Reading::now(&target.processes);
    report.outcome = load::run(&target.chain, report.plan, supply, |committed| progress.set(committed)).await?;
    report.end = Reading::now(&target.processes);
    report.cpu = Cpu::between(&report.start, &report.end);
    Ok(())
}

/// A run of exactly `total` transactions in legs, each signed before it begins, so that memory stays bounded.
async fn legs(total: u64, target: &Target, maker: &Maker, report: &mut Report<'_>) -> Result<()> {
    report.start = Reading::now(&target.processes);
    for first in (0..total).step_by(LEG as usize) {
        let (supply, cost) = sign(maker, first, LEG.min(total - first)).await?;
        report.transaction_bytes = supply.mean_bytes();
        report.signing.add(cost);
        let mut progress = Progress::new(say::bench_loading(), Some(total));
        let start = Reading::now(&target.processes);
        let outcome = load::run(&target.chain, report.plan, supply, |committed| {
            progress.set(first + committed)
        })
        .await?;
        drop(progress);
        report.end = Reading::now(&target.processes);
        report.cpu.add(Cpu::between(&start, &report.end));
        report.outcome.add(outcome.clone());
        let mut leg = Leg {
            first: first + 1,
            outcome,
            memory_mib: report.end.memory_mib(),
        };
        if !report.arguments.json {
            leg.print();
        }
        report.legs.push(leg);
    }
    Ok(())
}

async fn sign(maker: &Maker, from: u64, count: u64) -> Result<(Supply, Cost)> {
    let _progress = Progress::new(say::bench_signing(count), None);
    let maker = maker.clone();
    spawn_blocking(move || maker.make(from..from + count))
        .await
        .or_problem(problem::no_runtime)?
}

/// Tells the deposits of this run from those of every other.
fn run_id() -> [u8; 16] {
    let mut id = [0; 16];
    rand_core::Rng::fill_bytes(&mut key::random(), &mut id);
    id
}
