//! Waiting until every node of a network takes transactions and has met the others.

use super::{
    child::LOG_FILE,
    hold,
    log::{TAIL_LINES, tail},
};
use crate::{
    network::record::NodeEntry,
    problem::Result,
    progress::Progress,
    refusal::sdk,
    text::{problem, say},
};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use tokio::time::sleep;
use yulian_sdk::{Client, Options, views::ChainStatus};

/// A network that is not ready after this time does not get ready by itself: it may have much to catch up with.
const READY_WITHIN: Duration = Duration::from_secs(300);
/// Nodes that have not all met by then may be unable to: the network works without, and `status` shows who is behind.
const MET_WITHIN: Duration = Duration::from_secs(15);
/// Between two questions to a node.
const PAUSE: Duration = Duration::from_millis(100);

/// Asks each node until it says yes, then waits until they are connected with each other. One that is held on purpose is
/// passed over.
pub(super) async fn wait(dir: &Path, nodes: &[NodeEntry]) -> Result<()> {
    let urls = nodes.iter().map(|node| format!("http://{}", node.api));
    let options = Options {
        request_timeout: Duration::from_secs(2),
        ..Options::default()
    };
    let client = Client::new(urls, options).map_err(sdk)?;
    let deadline = Instant::now() + READY_WITHIN;
    let mut progress = Progress::new(say::starting(), Some(nodes.len() as u64));
    for (at, node) in nodes.iter().enumerate() {
        let one = client.only(at);
        let folder = dir.join(&node.folder);
        while !hold::is_set(&folder) && !one.readiness().await.is_ok_and(|answer| answer.ready) {
            if Instant::now() >= deadline {
                let log = folder.join(LOG_FILE);
                return Err(problem::not_ready(&node.name, log.display()).because(tail(&log, TAIL_LINES)));
            }
            sleep(PAUSE).await;
        }
        progress.set(at as u64 + 1);
    }
    progress.label(say::connecting());
    let running: Vec<usize> = (0..nodes.len())
        .filter(|at| !hold::is_set(&dir.join(&nodes[*at].folder)))
        .collect();
    let deadline = Instant::now() + MET_WITHIN;
    while !have_met(&client, &running).await && Instant::now() < deadline {
        sleep(PAUSE).await;
    }
    Ok(())
}

/// Whether each of these nodes is connected to all others of them.
async fn have_met(client: &Client, nodes: &[usize]) -> bool {
    for at in nodes {
        let status = client.only(*at).status().await;
        let met = |chain: &ChainStatus| chain.connected.len() + 1 >= nodes.len();
        if !status.is_ok_and(|status| status.chains.iter().all(met)) {
            return false;
        }
    }
    true
}
