//! `yulian bench chains`: several chains of one network loaded together, against one of them alone.

use super::{
    Arguments as Closed,
    figures::{ms, percent, rounded, thousandths},
    network::OwnNetwork,
    reading::{Cpu, Reading},
    say,
    session::{Measured, Session},
    target::Target,
    usage::Process,
};
use crate::{
    chain,
    connect::{Connect, block_on},
    out,
    problem::{Cause, Exit, Result},
    refusal::sdk,
    text::problem,
};
use clap::Args;
use futures::future::try_join_all;
use serde_json::{Value, json};
use std::{env, path::PathBuf};
use tokio::signal::unix::{SignalKind, signal};
use yulian_sdk::Account;

/// Template of the chains.
const TEMPLATE: &str = "evidence";
/// Transactions per second that are signed for all chains together: more than two cores commit.
const SIGNED_TPS: u64 = 16_000;
/// Least share of the single chain's speed that all together must reach.
const TARGET: f64 = 0.8;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(2..=32))]
    chains: u64,
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=120))]
    seconds: u64,
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=64))]
    clients: u64,
    #[arg(long, default_value_t = 4)]
    nodes: usize,
    #[arg(long)]
    work_dir: Option<PathBuf>,
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit> {
    block_on(async {
        let parent = arguments.work_dir.clone().unwrap_or_else(env::temp_dir);
        out::note_line(say::bench_starting(arguments.nodes, parent.display()));
        let mut interrupt = signal(SignalKind::interrupt()).or_problem(problem::no_runtime)?;
        let mut terminate = signal(SignalKind::terminate()).or_problem(problem::no_runtime)?;
        let mut network = OwnNetwork::start(&parent, arguments.nodes, arguments.clients as usize).await?;
        let answer = tokio::select! {
            answer = measure(arguments, &mut network) => answer,
            _ = interrupt.recv() => Err(problem::interrupted()),
            _ = terminate.recv() => Err(problem::interrupted()),
        };
        // Whatever the reason, no process and no folder stays behind.
        network.stop().await;
        answer
    })
}

/// One load of some chains.
struct Load {
    chains: usize,
    tps: f64,
    committed: u64,
    failed: u64,
    p50_ms: f64,
    p99_ms: f64,
    blocks: u64,
    cpu_ms_per_tx: f64,
}

async fn measure(arguments: &Arguments, network: &mut OwnNetwork) -> Result<Exit> {
    let targets = targets(arguments, network).await?;
    let processes = network.processes();
    // One chain before and after, so that whatever the machine does meanwhile is in both.
    let before = load(arguments, &targets[..1], &processes).await?;
    let all = load(arguments, &targets, &processes).await?;
    let after = load(arguments, &targets[..1], &processes).await?;
    let one = before.tps.midpoint(after.tps);
    let ratio = all.tps / one.max(1.0);
    match arguments.json {
        true => out::json(&json!({
            "one_tps": rounded(one), "all_tps": rounded(all.tps), "ratio": thousandths(ratio), "target": TARGET,
            "before": before.json(), "all": all.json(), "after": after.json(),
        })),
        false => {
            out::line(say::bench_chains_head(arguments.chains, arguments.clients));
            let mut rows: Vec<_> = [&before, &all, &after].map(Load::row).into();
            rows.push((say::bench_chains_ratio(), format!("{} %", percent(ratio))));
            out::fields(&rows);
        }
    }
    Ok(match ratio >= TARGET {
        true => Exit::Done,
        false => Exit::No,
    })
}

/// New chains of the network; all clients of one, and a share of them for each when all are loaded, write on them.
async fn targets(arguments: &Arguments, network: &mut OwnNetwork) -> Result<Vec<Target>> {
    let connect = Connect::of_folder(&network.dir);
    let system = connect.chain().await?;
    let keys = std::mem::take(&mut network.keys.writers);
    let accounts: Vec<Account> = keys.into_iter().map(Account::of_first_key).collect();
    let mut targets = Vec::new();
    let mut founder = chain::Founder::new(&connect, &system).await?;
    for number in 1..=arguments.chains {
        let name = format!("bench-{number}");
        founder.ask_for(&name, TEMPLATE).await?;
        let record = chain::running(&system, &name).await?;
        let chain = connect.client()?.chain(&record.id.to_string()).await.map_err(sdk)?;
        targets.push(Target {
            chain,
            accounts: accounts.clone(),
            registered: 0,
            admins: Vec::new(),
            processes: Vec::new(),
            nodes: arguments.nodes,
            dir: None,
        });
    }
    Ok(targets)
}

/// Loads chains together: each with its share of the clients, all with transactions that are signed before.
async fn load(arguments: &Arguments, targets: &[Target], processes: &[Process]) -> Result<Load> {
    let chains = targets.len() as u64;
    let count = SIGNED_TPS * arguments.seconds / chains;
    let closed = Closed::closed(arguments.seconds, (arguments.clients / chains).max(1), count);
    let plan = closed.plan();
    let mut ready = Vec::new();
    for target in targets {
        let mut session = Session::new(&closed, target).await?;
        let supply = session.prepare(&plan).await?;
        ready.push((session, supply));
    }
    let start = Reading::of_processes(processes);
    let runs = ready
        .into_iter()
        .map(|(session, supply)| async move { session.loaded(plan, supply).await });
    let measured = try_join_all(runs).await?;
    let end = Reading::of_processes(processes);
    Ok(Load::new(&measured, &Cpu::between(&start, &end)))
}

impl Load {
    fn new(measured: &[Measured], cpu: &Cpu) -> Self {
        let outcomes = || measured.iter().map(|measured| &measured.outcome);
        let committed: u64 = outcomes().map(|outcome| outcome.committed).sum();
        let longest = outcomes().map(|outcome| outcome.elapsed).max().unwrap_or_default();
        let mut latencies = super::histogram::Histogram::default();
        outcomes().for_each(|outcome| latencies.merge(&outcome.latencies));
        let spent = cpu.nodes() + cpu.loader;
        Self {
            chains: measured.len(),
            tps: committed as f64 / longest.as_secs_f64().max(0.001),
            committed,
            failed: outcomes().map(|outcome| outcome.failed + outcome.unresolved).sum(),
            p50_ms: latencies.ms(0.5),
            p99_ms: latencies.ms(0.99),
            blocks: outcomes().map(|outcome| outcome.blocks).sum(),
            cpu_ms_per_tx: spent.as_secs_f64() * 1_000.0 / committed.max(1) as f64,
        }
    }

    fn json(&self) -> Value {
        json!({
            "chains": self.chains, "tps": rounded(self.tps), "committed": self.committed, "failed": self.failed,
            "p50_ms": self.p50_ms, "p99_ms": self.p99_ms, "blocks": self.blocks,
            "cpu_ms_per_tx": thousandths(self.cpu_ms_per_tx),
        })
    }

    fn row(&self) -> (String, String) {
        let value = say::bench_chains_value(
            format!("{:.0}", self.tps),
            self.committed,
            self.failed,
            self.blocks,
            ms(self.p50_ms),
            ms(self.p99_ms),
            ms(self.cpu_ms_per_tx),
        );
        (say::bench_chains_label(self.chains), value)
    }
}
