//! One node process: started, watched, started again when it dies, stopped in order.

use super::{
    hold,
    log::{Log, last_words, pump},
};
use crate::{
    network::record::NodeEntry,
    out,
    problem::{Cause, Result},
    text::{problem, say},
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    env,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{
    process::{Child, ChildStdin, Command},
    sync::{mpsc, watch},
    time::{sleep, timeout},
};

/// A node that died is started again after this time, twice it after the next death, and so on.
const RESTART_MIN: Duration = Duration::from_secs(3);
/// The longest of these pauses.
const RESTART_MAX: Duration = Duration::from_secs(60);
/// A node that ran for this long has proven that it can: the pauses begin anew.
const SETTLED: Duration = Duration::from_secs(60);
/// A node that is asked to stop may take this long; then it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(15);
/// Between two looks for a file that holds a node.
const LOOK: Duration = Duration::from_millis(100);
/// Name of the log in a node's folder.
pub(crate) const LOG_FILE: &str = "node.log";
/// Name of the configuration in a node's folder.
pub(crate) const CONFIG_FILE: &str = "node.toml";

/// What happened to a node.
#[derive(Debug)]
pub(super) enum Event {
    /// It runs, as this process.
    Started(usize, u32),
    /// It does not run any more, though nobody asked it to stop.
    Died(usize, ExitStatus),
}

/// Keeps one node running until `stop` says otherwise.
pub(super) struct Keeper {
    pub(super) index: usize,
    pub(super) node: NodeEntry,
    pub(super) folder: PathBuf,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) stop: watch::Receiver<bool>,
}

impl Keeper {
    /// Runs until all is to stop; only a node that cannot be started at all is an error.
    pub(super) async fn run(mut self) -> Result<()> {
        let mut pause = RESTART_MIN;
        loop {
            if self.wait_while_held().await {
                return Ok(());
            }
            let started = Instant::now();
            let (mut child, _alive) = spawn(&self.folder)?;
            self.tell(Event::Started(self.index, child.id().unwrap_or_default()))
                .await;
            let status = tokio::select! {
                status = child.wait() => status,
                () = stopping(&mut self.stop) => {
                    end(&mut child).await;
                    return Ok(());
                }
            };
            let status = status.or_problem(|| problem::cannot_start_node(&self.node.name))?;
            self.tell(Event::Died(self.index, status)).await;
            if started.elapsed() >= SETTLED {
                pause = RESTART_MIN;
            }
            if self.held() {
                continue;
            }
            out::note_line(say::node_died(&self.node.name, status, pause.as_secs()));
            // One that ended by itself has said why; a killed one has not.
            if status.code().is_some() {
                let words = last_words(&self.folder.join(LOG_FILE));
                words.iter().for_each(|line| out::note_line(format!("  {line}")));
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = stopping(&mut self.stop) => return Ok(()),
            }
            pause = (pause * 2).min(RESTART_MAX);
        }
    }

    async fn tell(&self, event: Event) {
        // Nobody listens any more only when all is about to end.
        let _ = self.events.send(event).await;
    }

    fn held(&self) -> bool {
        hold::is_set(&self.folder)
    }

    /// Returns whether all is to stop.
    async fn wait_while_held(&mut self) -> bool {
        while self.held() {
            tokio::select! {
                () = sleep(LOOK) => {}
                () = stopping(&mut self.stop) => return true,
            }
        }
        *self.stop.borrow()
    }
}

/// Resolves when all is to stop.
async fn stopping(stop: &mut watch::Receiver<bool>) {
    // The sender lives as long as the supervisor; without it, stopping is right too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Starts the process of a node. It has a process group of its own, so that Ctrl-C at the terminal reaches `up` alone,
/// and ends by itself when the other end of its standard input closes: also when `up` is killed. Keep that end.
fn spawn(folder: &Path) -> Result<(Child, Option<ChildStdin>)> {
    let cannot = || problem::cannot_start_node(folder.display());
    let log = Log::open(&folder.join(LOG_FILE)).or_problem(|| problem::cannot_write(folder.display()))?;
    let log = Arc::new(Mutex::new(log));
    let program = env::current_exe().or_problem(cannot)?;
    let mut child = Command::new(program)
        .args(["node", "run", "--exit-on-stdin-close", "--config"])
        .arg(folder.join(CONFIG_FILE))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
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
    let alive = child.stdin.take();
    Ok((child, alive))
}

/// Asks a process to stop, and kills it if it does not.
async fn end(child: &mut Child) {
    if let Some(pid) = child.id().and_then(|id| Pid::from_raw(id as i32)) {
        // If the process is gone already there is nobody to ask.
        let _ = kill_process(pid, Signal::TERM);
    }
    if timeout(STOP_WITHIN, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}
