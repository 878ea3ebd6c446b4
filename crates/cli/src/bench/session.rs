//! Runs against one target, one after the other, each with transactions of its own.

use super::{
    Arguments,
    arguments::{SECONDS_SIGNED_MAX, SIGNED_MAX},
    disk::Disk,
    feed::Feed,
    load::{Load, Plan, Work},
    outcome::Outcome,
    reading::{Cpu, Reading},
    report::Leg,
    say,
    schedule::Schedule,
    supply::{Cost, Maker, Supply},
    target::Target,
};
use crate::{
    key, out,
    problem::{Cause, Result},
    progress::Progress,
    text::problem,
};
use std::{path::Path, time::Duration};
use tokio::task::spawn_blocking;

/// Transactions of a leg of a long run.
const LEG: u64 = 100_000;
/// How long the peak is measured where a rate follows from it.
const PEAK_TIME: Duration = Duration::from_secs(5);

/// A target, and what is needed for runs against it.
pub(crate) struct Session<'a> {
    pub(crate) arguments: &'a Arguments,
    pub(crate) target: &'a Target,
    pub(crate) disk: Option<Disk>,
    pub(crate) maker: Maker,
    /// Number of the next transaction that is signed.
    next: u64,
}

/// What a run came to, and what it took.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) plan: Plan,
    /// Of an open loop.
    pub(crate) open: Option<Open>,
    pub(crate) transaction_bytes: u64,
    pub(crate) signing: Cost,
    pub(crate) outcome: Outcome,
    pub(crate) cpu: Cpu,
    pub(crate) start: Reading,
    pub(crate) end: Reading,
    pub(crate) legs: Vec<Leg>,
}

/// How an open loop was run.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    pub(crate) schedule: Schedule,
    pub(crate) under_way_max: usize,
    /// Whether its transactions were signed while it went on.
    pub(crate) signed_meanwhile: bool,
}

impl<'a> Session<'a> {
    pub(crate) async fn new(arguments: &'a Arguments, target: &'a Target) -> Result<Self> {
        let disk = match &target.dir {
            Some(dir) => Some(measure_disk(dir).await?),
            None => None,
        };
        let maker = Maker::new(
            target.accounts.clone(),
            target.chain.terms().to_owned(),
            run_id(),
            arguments.together(),
            arguments.size,
        )?;
        Ok(Self {
            arguments,
            target,
            disk,
            maker,
            next: 0,
        })
    }

    /// A run of some seconds, or until the signed transactions are used up.
    pub(crate) async fn closed(&mut self, plan: Plan) -> Result<Measured> {
        let ready = self.prepare(&plan).await?;
        self.loaded(plan, ready).await
    }

    /// Signs what a closed loop may need.
    pub(crate) async fn prepare(&mut self, plan: &Plan) -> Result<(Supply, Cost)> {
        let count = self.left(self.arguments.signed(plan));
        self.sign(count).await
    }

    /// A closed loop with what was signed for it.
    pub(crate) async fn loaded(&self, plan: Plan, (supply, cost): (Supply, Cost)) -> Result<Measured> {
        let bytes = supply.mean_bytes();
        let mut measured = self.load(plan, Work::Closed(supply), vec![], None).await?;
        measured.transaction_bytes = bytes;
        measured.signing = cost;
        Ok(measured)
    }

    /// An open loop; `cuts` are where each part of it but the first begins.
    pub(crate) async fn open(&mut self, schedule: Schedule, cuts: Vec<Duration>) -> Result<Measured> {
        let plan = Plan {
            wait: false,
            time: Some(schedule.time()),
            ..self.arguments.plan()
        };
        let count = self.left(schedule.count());
        let signed_meanwhile = count > SIGNED_MAX || schedule.time().as_secs() > SECONDS_SIGNED_MAX;
        let (feed, bytes, cost) = match signed_meanwhile {
            true => {
                let first = self.next;
                self.next += count;
                let mut feed = Feed::ahead(self.maker.clone(), first..first + count, schedule.peak());
                feed.prime().await;
                let one = self.maker.sign(first).or_problem(problem::cannot_sign)?;
                (feed, one.bytes.len() as u64, Cost::default())
            }
            false => {
                let (supply, cost) = self.sign(count).await?;
                let bytes = supply.mean_bytes();
                (Feed::ready(supply.into_transactions()), bytes, cost)
            }
        };
        let under_way_max = self.arguments.under_way_max(schedule.peak());
        let open = Open {
            schedule: schedule.clone(),
            under_way_max,
            signed_meanwhile,
        };
        let work = Work::Open(schedule, feed, under_way_max);
        let mut measured = self.load(plan, work, cuts, None).await?;
        measured.transaction_bytes = bytes;
        measured.signing = cost;
        measured.open = Some(open);
        Ok(measured)
    }

    /// A run of exactly `total` transactions in legs, each signed before it begins, so that memory stays bounded.
    pub(crate) async fn legs(&mut self, total: u64) -> Result<Measured> {
        let plan = self.arguments.plan();
        let all = self.left(total);
        let mut whole: Option<Measured> = None;
        for first in (0..all).step_by(LEG as usize) {
            let (supply, cost) = self.sign(LEG.min(all - first)).await?;
            let bytes = supply.mean_bytes();
            let done = Some((first, total));
            let mut part = self.load(plan, Work::Closed(supply), vec![], done).await?;
            let leg = Leg {
                first: first + 1,
                outcome: Outcome {
                    samples: vec![],
                    ..part.outcome.clone()
                },
                memory_mib: part.end.memory_mib(),
            };
            if !self.arguments.json {
                leg.print();
            }
            part.signing = cost;
            part.transaction_bytes = bytes;
            let so_far = match whole.take() {
                Some(so_far) => so_far.then(part),
                None => part,
            };
            whole.insert(so_far).legs.push(leg);
        }
        let mut whole = whole.ok_or_else(|| problem::bench_bad_options("--total", "0"))?;
        whole.outcome.used_up |= all < total;
        Ok(whole)
    }

    /// Committed transactions per second of a short closed loop.
    pub(crate) async fn peak(&mut self) -> Result<f64> {
        let plan = Plan {
            wait: false,
            time: Some(PEAK_TIME),
            ..self.arguments.plan()
        };
        let peak = self.closed(plan).await?.outcome.tps();
        out::note_line(say::bench_peak(PEAK_TIME.as_secs(), format!("{peak:.0}")));
        Ok(peak)
    }

    /// How many of so many transactions can be signed: where every signature is by a new account, no more than there are.
    fn left(&self, count: u64) -> u64 {
        match self.arguments.new_signers {
            true => count.min((self.target.accounts.len() as u64).saturating_sub(self.next)),
            false => count,
        }
    }

    async fn sign(&mut self, count: u64) -> Result<(Supply, Cost)> {
        let _progress = Progress::new(say::bench_signing(count), None);
        let range = self.next..self.next + count;
        self.next = range.end;
        let maker = self.maker.clone();
        spawn_blocking(move || maker.make(range))
            .await
            .or_problem(problem::no_runtime)?
    }

    /// `done`: how many transactions of how many came before, for the line that shows how far it is.
    async fn load(&self, plan: Plan, work: Work, cuts: Vec<Duration>, done: Option<(u64, u64)>) -> Result<Measured> {
        let (before, total) = done.unzip();
        let mut progress = Progress::new(say::bench_loading(), total);
        let processes = &self.target.processes;
        let load = Load {
            chain: &self.target.chain,
            processes,
            plan,
            cuts,
        };
        let start = Reading::now(processes);
        let outcome = load
            .run(work, |committed| progress.set(before.unwrap_or_default() + committed))
            .await?;
        let end = Reading::now(processes);
        Ok(Measured {
            plan,
            open: None,
            transaction_bytes: 0,
            signing: Cost::default(),
            outcome,
            cpu: Cpu::between(&start, &end),
            start,
            end,
            legs: Vec::new(),
        })
    }
}

impl Measured {
    /// This run and a later one as one.
    pub(crate) fn then(mut self, later: Self) -> Self {
        self.outcome.add(later.outcome);
        self.cpu.add(later.cpu);
        self.signing.add(later.signing);
        self.legs.extend(later.legs);
        self.end = later.end;
        self
    }
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

/// Tells the deposits of this run from those of every other.
fn run_id() -> [u8; 16] {
    let mut id = [0; 16];
    rand_core::Rng::fill_bytes(&mut key::random(), &mut id);
    id
}
