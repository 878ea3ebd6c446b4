//! `yulian node stop` and `start`: a node of a running `yulian up` is held and let go again.

use crate::{
    connect::{DIR_DEFAULT, block_on},
    network::record::{NodeEntry, Record},
    out,
    problem::{Exit, Result},
    refusal::sdk,
    text::{problem, say},
    up::{
        hold,
        status_file::{self, RunningNode},
    },
};
use clap::Args;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio::time::sleep;
use yulian_crypto::Digest;
use yulian_sdk::{
    Client, Options,
    views::{ChainReadiness, Readiness},
};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a node may take to stop.
const STOP_WITHIN: Duration = Duration::from_secs(20);

#[derive(Debug, Args)]
pub(crate) struct Stop {
    node: String,
    #[arg(long)]
    kill: bool,
    #[arg(long, default_value = DIR_DEFAULT)]
    dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Start {
    node: String,
    #[arg(long, default_value_t = 120)]
    timeout_s: u64,
    #[arg(long, default_value = DIR_DEFAULT)]
    dir: PathBuf,
}

pub(crate) fn run_stop(arguments: &Stop) -> Result<Exit> {
    block_on(async {
        let signal = if arguments.kill { Signal::KILL } else { Signal::TERM };
        let name = stop(&arguments.dir, &arguments.node, signal).await?;
        out::line(say::node_held(name));
        Ok(Exit::Done)
    })
}

pub(crate) fn run_start(arguments: &Start) -> Result<Exit> {
    block_on(async {
        let within = Duration::from_secs(arguments.timeout_s);
        let name = start(&arguments.dir, &arguments.node, within).await?;
        out::line(say::node_let_go(name));
        Ok(Exit::Done)
    })
}

/// The node as `up` sees it now.
fn running(dir: &Path, name: &str) -> Result<Option<RunningNode>> {
    let running = status_file::read(dir).ok_or_else(|| problem::nothing_runs(dir.display()))?;
    Ok(running.nodes.into_iter().find(|node| node.name == name))
}

/// Holds a node and sends its process a signal; returns its name when the process is gone.
pub(crate) async fn stop(dir: &Path, named: &str, signal: Signal) -> Result<String> {
    stop_while(dir, named, signal, None).await
}

/// The same; where a process is named, the node is held no longer than that lives.
pub(crate) async fn stop_while(dir: &Path, named: &str, signal: Signal, process: Option<u32>) -> Result<String> {
    let record = Record::read(dir)?;
    let node = record.node(named)?;
    hold::set(&dir.join(&node.folder), process)?;
    let deadline = Instant::now() + STOP_WITHIN;
    let mut asked = 0;
    while let Some(seen) = running(dir, &node.name)?.filter(|seen| seen.pid != 0) {
        if seen.pid != asked {
            // A process that has just ended by itself is what is wanted.
            if let Some(pid) = Pid::from_raw(seen.pid as i32) {
                let _ = kill_process(pid, signal);
            }
            asked = seen.pid;
        }
        if Instant::now() >= deadline {
            return Err(problem::does_not_stop(&node.name, seen.pid));
        }
        sleep(PAUSE).await;
    }
    Ok(node.name.clone())
}

/// Lets a node go and waits until it takes transactions and stands where the others stood when it was let go.
pub(crate) async fn start(dir: &Path, named: &str, within: Duration) -> Result<String> {
    let record = Record::read(dir)?;
    let node = record.node(named)?;
    hold::lift(&dir.join(&node.folder))?;
    let deadline = Instant::now() + within;
    let client = client(&record.nodes)?;
    let tips = tips(&client, record.nodes.len()).await;
    let at = record
        .nodes
        .iter()
        .position(|other| other.name == node.name)
        .unwrap_or_default();
    let client = client.only(at);
    loop {
        let lives = running(dir, &node.name)?.is_some_and(|seen| seen.pid != 0);
        if lives && client.readiness().await.is_ok_and(|answer| caught_up(&answer, &tips)) {
            return Ok(node.name.clone());
        }
        if Instant::now() >= deadline {
            return Err(problem::not_ready(
                &node.name,
                dir.join(&node.folder).join("node.log").display(),
            ));
        }
        sleep(PAUSE).await;
    }
}

fn client(nodes: &[NodeEntry]) -> Result<Client> {
    let options = Options {
        request_timeout: Duration::from_secs(2),
        ..Options::default()
    };
    Client::new(nodes.iter().map(|node| format!("http://{}", node.api)), options).map_err(sdk)
}

/// The highest block of each chain that any node tells of. A node that has just started knows of no other height than
/// its own until it hears from its peers.
async fn tips(client: &Client, nodes: usize) -> BTreeMap<Digest, u64> {
    let mut tips = BTreeMap::new();
    for at in 0..nodes {
        let Ok(readiness) = client.only(at).readiness().await else {
            continue;
        };
        for chain in readiness.chains {
            let tip = tips.entry(chain.id.0).or_insert(chain.height);
            *tip = chain.height.max(*tip);
        }
    }
    tips
}

fn caught_up(readiness: &Readiness, tips: &BTreeMap<Digest, u64>) -> bool {
    let there = |chain: &ChainReadiness| tips.get(&chain.id.0).is_none_or(|tip| chain.height >= *tip);
    readiness.ready && readiness.chains.iter().all(there)
}
