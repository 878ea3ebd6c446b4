//! `yulian drill lose-cloud`: all nodes of a cloud are killed at once, stay away for a while, and come back.

use super::{
    load::Load,
    paper,
    report::{Moments, Report, Returned},
    say,
    scope::Scope,
};
use crate::{
    clock,
    connect::DIR_DEFAULT,
    files,
    node::control,
    out,
    problem::{Cause, Exit, Result},
    progress::Progress,
    text::problem,
    up::hold,
};
use clap::Args;
use futures::future::{join_all, try_join_all};
use rustix::process::Signal;
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};
use tokio::{signal, time::sleep};

/// A chain that made no block for this long after the loss stands still.
const STILL_AFTER: Duration = Duration::from_secs(40);
/// Longest time for a node to come back and catch up.
const BACK_WITHIN: Duration = Duration::from_secs(180);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// Folder of reports within that of the network.
const REPORT_FOLDER: &str = "drills";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    cloud: String,
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(5..=3600))]
    seconds: u64,
    #[arg(long)]
    report: Option<PathBuf>,
    #[arg(long)]
    json: bool,
    #[arg(long, default_value = DIR_DEFAULT)]
    dir: PathBuf,
}

pub(super) async fn run(arguments: &Arguments) -> Result<Exit> {
    let scope = Scope::find(&arguments.dir, &arguments.cloud).await?;
    let names: Vec<String> = scope.leaving.iter().map(|node| out::one_line(&node.name)).collect();
    out::note_line(say::drill_head(&scope.cloud, names.join(", "), scope.subjects.len()));
    let load = Load::start(&scope.subjects);
    let played = tokio::select! {
        played = play(&scope, &load, Duration::from_secs(arguments.seconds)) => played,
        stopped = signal::ctrl_c() => stopped.or_problem(problem::no_runtime).and(Err(problem::drill_interrupted())),
    };
    // Whatever happened, no node stays held.
    for node in &scope.leaving {
        hold::lift(&scope.dir.join(&node.folder))?;
    }
    let (moments, returned) = played?;
    let logs = load.end().await;
    let report = Report::new(&scope, arguments.seconds, &logs, &moments, returned).await?;
    let path = path(arguments, &report);
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        files::create_dir(folder)?;
    }
    files::write(&path, paper::text(&report).as_bytes(), false)?;
    match arguments.json {
        true => out::json(&report),
        false => report.print(),
    }
    out::note_line(say::drill_written(path.display()));
    Ok(match report.held {
        true => Exit::Done,
        false => Exit::No,
    })
}

async fn play(scope: &Scope, load: &Load, seconds: Duration) -> Result<(Moments, Vec<Returned>)> {
    let mut progress = Progress::new(say::drill_before(), None);
    let began = Instant::now();
    before(scope, load, began, seconds).await?;
    progress.label(say::drill_lost(&scope.cloud));
    let lost = Instant::now();
    let kill = |node| control::stop_while(&scope.dir, node, Signal::KILL, Some(std::process::id()));
    try_join_all(scope.leaving.iter().map(|node| kill(&node.name))).await?;
    let gone = Instant::now();
    load.hurry();
    while gone.elapsed() < seconds || (waits(scope, load, gone) && gone.elapsed() < STILL_AFTER) {
        sleep(PAUSE).await;
    }
    progress.label(say::drill_returning());
    let returning = Instant::now();
    let returned = join_all(scope.leaving.iter().map(|node| back(scope, &node.name))).await;
    let returned = returned.into_iter().collect::<Result<Vec<_>>>()?;
    progress.label(say::drill_after());
    let back = Instant::now();
    sleep(seconds).await;
    let moments = Moments {
        began,
        lost,
        gone,
        returning,
        back,
        ended: Instant::now(),
    };
    Ok((moments, returned))
}

/// Load on the whole network. A chain that makes no block then would prove nothing later, and nothing has been stopped yet.
async fn before(scope: &Scope, load: &Load, began: Instant, seconds: Duration) -> Result<()> {
    let silent = || {
        let chains = scope.subjects.iter().zip(load.logs());
        let silent = chains.filter(|(subject, log)| subject.driven() && log.first_after(began).is_none());
        silent
            .map(|(subject, _)| out::one_line(subject.chain.name()))
            .collect::<Vec<_>>()
    };
    while began.elapsed() < seconds || (!silent().is_empty() && began.elapsed() < STILL_AFTER) {
        sleep(PAUSE).await;
    }
    let silent = silent();
    match silent.is_empty() {
        true => Ok(()),
        false => Err(problem::drill_silent_before(silent.join(", "))),
    }
}

/// Whether a chain that must go on has not shown yet that it does.
fn waits(scope: &Scope, load: &Load, gone: Instant) -> bool {
    let mut chains = scope.subjects.iter().zip(load.logs());
    chains.any(|(subject, log)| subject.survives() && subject.driven() && log.first_after(gone).is_none())
}

async fn back(scope: &Scope, name: &str) -> Result<Returned> {
    let started = Instant::now();
    control::start(&scope.dir, name, BACK_WITHIN).await?;
    Ok(Returned {
        node: name.into(),
        caught_up_ms: started.elapsed().as_millis() as u64,
    })
}

fn path(arguments: &Arguments, report: &Report) -> PathBuf {
    let stamp: String = clock::beijing(report.started_ms)
        .chars()
        .take(19)
        .map(|c| if c.is_ascii_digit() { c } else { '-' })
        .collect();
    let name = format!("lose-cloud-{stamp}.md");
    let standard = || arguments.dir.join(REPORT_FOLDER).join(name);
    arguments.report.clone().unwrap_or_else(standard)
}
