//! A network for one run: its folder, its process tree under `yulian up`, and its end, whatever happens.

use super::{signers, usage::Process};
use crate::{
    clock,
    network::{
        plan::{Holder, Plan},
        topology::Account,
        write,
    },
    problem::{Cause, Problem, Result},
    text::{self, problem},
    up::{
        Owner, PEER_PORT_OFFSET,
        status_file::{self, Running},
        topology,
    },
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    env,
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};
use yulian_crypto::sm2::{SecretKey, Signer};
use yulian_exec::rules::{ROLE_ADMIN, ROLE_WRITER};

/// Ports that are tried: below those that systems hand out to connections.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
/// Between two tries.
const PORT_STEP: usize = 250;
/// Time for all nodes to end.
const STOP_WITHIN: Duration = Duration::from_secs(30);
/// Bytes of a log that a problem shows.
const LOG_BYTES_SHOWN: usize = 4096;
/// Where `yulian up` writes what it says.
const LOG_FILE: &str = "up.log";

/// A network that ends with this value.
pub(crate) struct OwnNetwork {
    pub(crate) dir: PathBuf,
    pub(crate) running: Running,
    pub(crate) keys: Keys,
    child: Child,
    /// Removed at the end.
    folder: Folder,
}

/// Keys of accounts that are in the genesis.
pub(crate) struct Keys {
    /// Those that were made for the run.
    pub(crate) writers: Vec<SecretKey>,
    /// One of each organisation.
    pub(crate) admins: Vec<SecretKey>,
}

/// A folder that is removed when this value goes.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays of a temporary folder is the system's to clear.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl OwnNetwork {
    /// Makes a network with `writers` accounts in a new folder within `parent`, and waits until it takes transactions.
    pub(crate) async fn start(parent: &Path, nodes: usize, writers: usize) -> Result<Self> {
        let folder = Folder(parent.join(format!("yulian-bench-{}", std::process::id())));
        let dir = folder.0.join("network");
        write::private_dir(&folder.0)?;
        let keys = create(&dir, nodes, writers)?;
        let log = folder.0.join(LOG_FILE);
        let cannot = || problem::bench_no_network(log.display());
        let mut child = Command::new(env::current_exe().or_problem(cannot)?)
            .args(["--lang", text::language().code(), "up", "--dir"])
            .arg(&dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).or_problem(cannot)?)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .or_problem(cannot)?;
        let ready = ready(&mut child).await;
        match status_file::read(&dir).filter(|_| ready) {
            Some(running) => Ok(Self {
                dir,
                running,
                keys,
                child,
                folder,
            }),
            None => {
                end(&mut child).await;
                Err(said(&log, cannot()))
            }
        }
    }

    /// Addresses of the nodes.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.running.nodes.iter().map(|node| node.api.clone()).collect()
    }

    /// Processes of the nodes.
    pub(crate) fn processes(&self) -> Vec<Process> {
        processes(&self.dir, &self.running)
    }

    /// Stops all processes and removes the folder.
    pub(crate) async fn stop(mut self) {
        end(&mut self.child).await;
        drop(self.folder);
    }
}

/// Processes of the nodes of a network that runs in a folder; nodes that are held have none.
pub(crate) fn processes(dir: &Path, running: &Running) -> Vec<Process> {
    let process = |node: &status_file::RunningNode| Process {
        name: node.name.clone(),
        pid: node.pid,
        folder: Some(dir.join(&node.folder)),
    };
    running.nodes.iter().filter(|node| node.pid != 0).map(process).collect()
}

/// Writes the folder of a network on free ports and returns the keys of its writers.
fn create(dir: &Path, nodes: usize, writers: usize) -> Result<Keys> {
    let mut topology = topology(nodes, free_ports(nodes)?, &Owner::default())?;
    let organisations = topology.organisations.len();
    let writers = signers::keys(writers);
    for (at, key) in writers.iter().enumerate() {
        let mut account = Account::new(&format!("bench-{}", at + 1), &[ROLE_WRITER]);
        // Thousands of key files would only slow the start: these keys stay in memory.
        account.public_key = Some(key.public_key().to_string());
        topology.organisations[at % organisations].accounts.push(account);
    }
    let plan = Plan::new(&topology, clock::now_ms())?;
    let folders: Vec<String> = (1..=nodes).map(|number| format!("node{number}")).collect();
    write::network(&plan, dir, &folders)?;
    let is_admin = |account: &Account| account.roles.iter().any(|role| role == ROLE_ADMIN);
    let mut admins = Vec::new();
    for (organisation, planned) in topology.organisations.iter().zip(plan.organisations) {
        let held = organisation.accounts.iter().zip(planned.accounts);
        admins.extend(held.filter_map(|(account, (_, holder))| match holder {
            Holder::Here(secret) if is_admin(account) => Some(secret),
            _ => None,
        }));
    }
    Ok(Keys { writers, admins })
}

/// The first API port of a row of free ports, and of free peer ports behind it.
fn free_ports(nodes: usize) -> Result<u16> {
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let fits = |base: &u16| (0..nodes as u16).all(|at| free(base + at) && free(base + PEER_PORT_OFFSET + at));
    // Two runs at a time begin at different places.
    let shift = (std::process::id() as usize % PORTS.len().div_ceil(PORT_STEP)) * PORT_STEP;
    let (from, all) = (PORTS.start, PORTS.len());
    (0..all)
        .step_by(PORT_STEP)
        .map(|at| from + ((at + shift) % all) as u16)
        .find(fits)
        .ok_or_else(problem::no_free_ports)
}

/// Waits for the line that begins with "ready"; false when the process ends before.
async fn ready(child: &mut Child) -> bool {
    let Some(from) = child.stdout.take() else {
        return false;
    };
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if line.starts_with("ready") {
            return true;
        }
    }
    false
}

/// The problem with the last words of a log.
fn said(log: &Path, problem: Problem) -> Problem {
    let bytes = fs::read(log).unwrap_or_default();
    let end = &bytes[bytes.len().saturating_sub(LOG_BYTES_SHOWN)..];
    problem.because(String::from_utf8_lossy(end).trim())
}

async fn end(child: &mut Child) {
    if let Some(pid) = child.id().and_then(|id| Pid::from_raw(id as i32)) {
        // If the process is gone already there is nobody to ask.
        let _ = kill_process(pid, Signal::TERM);
    }
    if timeout(STOP_WITHIN, child.wait()).await.is_err() {
        // Its nodes end by themselves when it is gone.
        let _ = child.kill().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_a_run_has_its_writers_in_the_genesis() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("network");
        let keys = create(&dir, 4, 7).unwrap();
        assert_eq!((keys.writers.len(), keys.admins.len()), (7, 5));
        let record = crate::network::record::Record::read(&dir).unwrap();
        for key in &keys.writers {
            let id = yulian_types::account_id(&key.public_key()).to_string();
            let account = record.accounts.iter().find(|account| account.id == id).unwrap();
            assert_eq!(account.roles, [ROLE_WRITER]);
        }
    }
}
