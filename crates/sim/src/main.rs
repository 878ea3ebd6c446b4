//! `yulian-sim`: plays seeds, prints the one-line replay of a failing one.

use anyhow::{Result, bail};
use clap::Parser;
use std::{io::Write, time::Instant};
use yulian_sim::{
    Plan,
    fusion::{self, FusionPlan},
    play,
};

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
    /// Several linked chains instead of one.
    #[arg(long)]
    fusion: bool,
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
        // Wall time is only shown; the simulation has a clock of its own.
        let begun = Instant::now();
        let shown = arguments.seed.is_some();
        let told = match arguments.fusion {
            true => several(&mut out, *seed, shown)?,
            false => one(&mut out, *seed, shown)?,
        };
        let seconds = begun.elapsed().as_secs_f64();
        match told {
            Ok(told) => writeln!(out, "seed {seed}: ok, {told}, {seconds:.1} s")?,
            Err(broken) => {
                failed += 1;
                let kind = if arguments.fusion { "--fusion " } else { "" };
                writeln!(out, "seed {seed}: {broken}\n  replay: yulian-sim {kind}--seed {seed}")?;
            }
        }
    }
    if failed > 0 {
        bail!("{failed} of {} seeds failed", seeds.len());
    }
    Ok(())
}

/// What a seed of one chain came to, or the rule that it broke.
fn one(out: &mut impl Write, seed: u64, shown: bool) -> Result<Result<String, String>> {
    let plan = Plan::of_seed(seed);
    if shown {
        write!(out, "{plan}")?;
    }
    Ok(play(&plan).map(|outcome| {
        format!(
            "height {}, {} transactions, {} answered, {} changes, {} joined, fingerprint {}",
            outcome.height,
            outcome.transactions,
            outcome.answered,
            outcome.changes,
            outcome.joined,
            outcome.fingerprint
        )
    }))
}

/// The same of several chains.
fn several(out: &mut impl Write, seed: u64, shown: bool) -> Result<Result<String, String>> {
    let plan = FusionPlan::of_seed(seed);
    if shown {
        write!(out, "{plan}")?;
    }
    Ok(fusion::play(&plan).map(|outcome| {
        format!(
            "heights {:?}, {:?}, {} carried, {} claims, {} lies, {} rotated, fingerprint {}",
            outcome.heights,
            outcome.tally,
            outcome.carried,
            outcome.claims,
            outcome.lies,
            outcome.rotated,
            outcome.fingerprint
        )
    }))
}
