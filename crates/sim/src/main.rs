//! `yulian-sim`: plays seeds, prints the one-line replay of a failing one.

use anyhow::{Result, bail};
use clap::Parser;
use std::{io::Write as _, time::Instant};
use yulian_sim::{Plan, play};

/// Simulates whole clusters deterministically and checks what must hold on every seed.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Number of seeds to play.
    #[arg(long, default_value_t = 20)]
    seeds: u64,
    /// First seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Plays this seed alone and prints its plan.
    #[arg(long)]
    seed: Option<u64>,
}

fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .init();
    let arguments = Arguments::parse();
    let mut out = std::io::stdout();
    let seeds: Vec<u64> = match arguments.seed {
        Some(seed) => vec![seed],
        None => (arguments.from..arguments.from + arguments.seeds).collect(),
    };
    let mut failed = 0;
    for seed in &seeds {
        let plan = Plan::of_seed(*seed);
        if arguments.seed.is_some() {
            write!(out, "{plan}")?;
        }
        // Wall time is only shown; the simulation has a clock of its own.
        let begun = Instant::now();
        match play(&plan) {
            Ok(outcome) => writeln!(
                out,
                "seed {seed}: ok, height {}, {} transactions, {} answered, {} changes, {} joined, {:.1} s, fingerprint {}",
                outcome.height,
                outcome.transactions,
                outcome.answered,
                outcome.changes,
                outcome.joined,
                begun.elapsed().as_secs_f64(),
                outcome.fingerprint
            )?,
            Err(broken) => {
                failed += 1;
                writeln!(out, "seed {seed}: {broken}\n  replay: yulian-sim --seed {seed}")?;
            }
        }
    }
    if failed > 0 {
        bail!("{failed} of {} seeds failed", seeds.len());
    }
    Ok(())
}
