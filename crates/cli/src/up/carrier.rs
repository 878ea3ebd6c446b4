//! The relay agent of a network: a process of its own, started when there is something to carry, started again when it dies.

use super::log::{Log, last_words, pump};
use crate::{
    agent,
    connect::Connect,
    out,
    problem::{Cause, Result},
    text::{problem, say},
};
use std::{
    env,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{process::Command, time::sleep};

/// Between two looks whether there is anything to carry.
const LOOK: Duration = Duration::from_secs(1);
/// Pause before an agent that died is started again.
const AGAIN: Duration = Duration::from_secs(2);
/// Its log, beside its cursors.
const LOG_FILE: &str = "agent.log";

/// Runs until the future is dropped, which kills the agent: it loses nothing by that.
pub(super) async fn run(connect: &Connect) {
    // A chain that cannot be asked for a moment is asked again.
    while !agent::is_needed(connect).await.unwrap_or(false) {
        sleep(LOOK).await;
    }
    loop {
        match live(&connect.dir).await {
            Ok(how) => out::note_line(say::agent_died(how, AGAIN.as_secs())),
            Err(problem) => out::note_line(problem.render()),
        }
        sleep(AGAIN).await;
    }
}

/// One life of the agent; how it ended.
async fn live(dir: &Path) -> Result<String> {
    let folder = agent::folder(dir);
    let cannot = || problem::cannot_start_agent(folder.display());
    crate::files::create_dir(&folder)?;
    let path = folder.join(LOG_FILE);
    let log = Log::open(&path).or_problem(|| problem::cannot_write(path.display()))?;
    let log = Arc::new(Mutex::new(log));
    let mut child = Command::new(env::current_exe().or_problem(cannot)?)
        .args(["agent", "relay", "--exit-on-stdin-close", "--dir"])
        .arg(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Ctrl-C at the terminal is for `up` alone.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .or_problem(cannot)?;
    if let Some(from) = child.stdout.take() {
        tokio::spawn(pump(log.clone(), from));
    }
    if let Some(from) = child.stderr.take() {
        tokio::spawn(pump(log, from));
    }
    // The agent ends by itself when this end closes, also when `up` is killed.
    let _alive = child.stdin.take();
    let status = child.wait().await.or_problem(cannot)?;
    if status.code().is_some() {
        last_words(&path)
            .iter()
            .for_each(|line| out::note_line(format!("  {line}")));
    }
    Ok(status.to_string())
}
