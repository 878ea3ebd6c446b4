//! `yulian bench`: what a network of this machine commits, through its public interface, with every signature real.

mod arguments;
mod chains;
mod crypto;
mod disk;
mod feed;
mod figures;
mod flight;
mod flood;
mod histogram;
mod load;
pub(crate) mod network;
mod open;
mod outcome;
mod plot;
mod reading;
mod relay;
mod report;
mod rounds;
mod samples;
pub(crate) mod say;
mod schedule;
mod session;
mod show;
mod signers;
mod spread;
mod supply;
mod target;
mod usage;

pub(crate) use arguments::Arguments;

use crate::{
    connect::block_on,
    out,
    problem::{Cause, Exit, Result},
    text::problem,
};
use arguments::Other;
use network::OwnNetwork;
use outcome::Outcome;
use report::Report;
use schedule::Schedule;
use session::Session;
use std::env;
use target::Target;
use tokio::signal::unix::{SignalKind, signal};

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    match &arguments.other {
        Some(Other::Crypto(arguments)) => return crypto::run(arguments),
        Some(Other::Relay(arguments)) => return relay::run(arguments),
        Some(Other::Chains(arguments)) => return chains::run(arguments),
        None => {}
    }
    arguments.check()?;
    block_on(async {
        match arguments.url.is_empty() {
            true => on_own_network(arguments).await,
            false => measure(arguments, &Target::named(arguments).await?).await,
        }
    })
}

async fn on_own_network(arguments: &Arguments) -> Result<Exit> {
    let parent = arguments.work_dir.clone().unwrap_or_else(env::temp_dir);
    out::note_line(say::bench_starting(arguments.nodes, parent.display()));
    let mut interrupt = signal(SignalKind::interrupt()).or_problem(problem::no_runtime)?;
    let mut terminate = signal(SignalKind::terminate()).or_problem(problem::no_runtime)?;
    let accounts = arguments.accounts();
    let mut network = OwnNetwork::start(&parent, arguments.nodes, accounts.min(signers::IN_GENESIS_MAX)).await?;
    let work = async {
        let mut target = Target::own(&mut network).await?;
        signers::register(&mut target, accounts).await?;
        measure(arguments, &target).await
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

async fn measure(arguments: &Arguments, target: &Target) -> Result<Exit> {
    let mut session = Session::new(arguments, target).await?;
    if let Some(kind) = arguments.flood {
        return flood::run(&mut session, kind).await;
    }
    if let Some(round) = arguments.round {
        return rounds::run(&mut session, round).await;
    }
    let measured = match (arguments.total, arguments.rate) {
        (Some(total), _) => session.legs(total).await?,
        (None, Some(rate)) => {
            let schedule = Schedule::steady(rate as f64, arguments.time());
            session.open(schedule, vec![]).await?
        }
        (None, None) => session.closed(arguments.plan()).await?,
    };
    let report = Report::new(&session, &measured);
    match arguments.json {
        true => out::json(&report.json()),
        false => report.print(),
    }
    finish(&session, &measured.outcome)
}

/// Draws the run where that is asked for. A run that committed nothing is a failure.
fn finish(session: &Session<'_>, outcome: &Outcome) -> Result<Exit> {
    if let Some(path) = &session.arguments.svg {
        plot::write(path, &outcome.samples, session.arguments.nodes)?;
        out::note_line(say::bench_drawn(path.display()));
    }
    Ok(match outcome.committed {
        0 => Exit::No,
        _ => Exit::Done,
    })
}
