//! `yulian bench relay`: questions from chain to chain over the relay chain at a rate, and how each of them ended at its source.

mod load;
mod report;
mod source;
mod stage;

use crate::{
    bench::{network::OwnNetwork, say},
    connect::{Connect, block_on},
    out,
    problem::{Cause, Exit, Result},
    text::problem,
};
use clap::Args;
use report::Report;
use stage::Stage;
use std::{
    env,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::signal::unix::{SignalKind, signal};

/// Names of the chains of a network of its own, as many as are asked for.
const NAMES: [&str; 8] = ["郑州", "开封", "洛阳", "许昌", "南阳", "商丘", "信阳", "周口"];
/// Longest load, s: questions are given an hour at most.
const SECONDS_MAX: u64 = 3_000;
/// Most questions per second.
const RATE_MAX: u64 = 20_000;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=RATE_MAX))]
    rate: u64,
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=SECONDS_MAX))]
    seconds: u64,
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(2..=NAMES.len() as u64))]
    chains: u64,
    #[arg(long, default_value_t = 4)]
    nodes: usize,
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    drain_s: u64,
    #[arg(long)]
    network: Option<PathBuf>,
    #[arg(long, conflicts_with = "network")]
    work_dir: Option<PathBuf>,
    #[arg(long)]
    json: bool,
}

impl Arguments {
    fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_s)
    }

    /// How long each question is given, ms: whatever is slow shows as backlog and not as a time-out.
    fn timeout_ms(&self) -> u64 {
        (self.seconds + self.drain_s)
            .saturating_mul(1_000)
            .clamp(60_000, 3_600_000)
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit> {
    block_on(async {
        match &arguments.network {
            Some(dir) => measure(arguments, dir).await,
            None => on_own_network(arguments).await,
        }
    })
}

async fn on_own_network(arguments: &Arguments) -> Result<Exit> {
    let parent = arguments.work_dir.clone().unwrap_or_else(env::temp_dir);
    out::note_line(say::bench_starting(arguments.nodes, parent.display()));
    let mut interrupt = signal(SignalKind::interrupt()).or_problem(problem::no_runtime)?;
    let mut terminate = signal(SignalKind::terminate()).or_problem(problem::no_runtime)?;
    let network = OwnNetwork::start(&parent, arguments.nodes, 0).await?;
    let dir = network.dir.clone();
    let work = async {
        let members: Vec<String> = NAMES
            .iter()
            .take(arguments.chains as usize)
            .map(|name| (*name).into())
            .collect();
        let layout = crate::fusion::Layout::new(None, &members)?;
        crate::fusion::build(&Connect::of_folder(&dir), &layout).await?;
        measure(arguments, &dir).await
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

async fn measure(arguments: &Arguments, dir: &Path) -> Result<Exit> {
    let stage = Stage::new(dir, arguments.chains as usize, arguments.timeout_ms()).await?;
    let measured = load::run(arguments, &stage).await?;
    let report = Report::new(arguments, &stage, &measured);
    match arguments.json {
        true => out::json(&report.json()),
        false => report.print(),
    }
    Ok(match report.holds() {
        true => Exit::Done,
        false => Exit::No,
    })
}
