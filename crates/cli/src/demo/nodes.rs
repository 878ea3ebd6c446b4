//! What nodes go through: one is killed and comes back, one gives its seat to another and takes it again.

use super::{
    say,
    scene::{Scene, not_held},
};
use crate::{
    clock,
    governance::{self, nodes::at_candidate, validator},
    network::record::{NodeEntry, Record},
    node::{
        control,
        new::{self, NewNode},
    },
    out,
    problem::Result,
    progress::Progress,
    refusal::sdk,
    text::problem,
    up::hold,
};
use futures::future::try_join_all;
use rustix::process::Signal;
use std::time::{Duration, Instant};
use tokio::time::sleep;
use yulian_node::config::SyncMode;
use yulian_sdk::{
    BlockRef, Chain, Client, Options,
    views::{ProposalStatus, ValidatorView},
};

/// Deposits while a node is away.
const MEANWHILE: usize = 2_000;
/// Most time from the death of one node to the next final deposit.
const NEXT_WITHIN: Duration = Duration::from_secs(3);
/// Most time for a node to come back.
const BACK_WITHIN: Duration = Duration::from_secs(120);
/// Most time for a change of validators, from the candidate's start to its seat.
const CHANGE_WITHIN: Duration = Duration::from_secs(180);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);
/// Place of the node that is killed among the validators: the last of four.
const KILLED: usize = 3;
/// Place of the validator that is replaced.
const REPLACED: usize = 1;
/// End of the name of the node that replaces it.
const SPARE: &str = "-spare";

/// Kills a node and goes on. Returns its name for the next step. Whatever happens, the node is let go again.
pub(super) async fn kill(scene: &Scene) -> Result<(String, String)> {
    let node = scene.record.nodes.get(KILLED).ok_or_else(|| not_held("4"))?;
    let started = Instant::now();
    let killed = control::stop(&scene.dir, &node.name, Signal::KILL).await;
    let figure = match killed {
        Ok(_) => go_on(scene, &node.name, started).await,
        Err(problem) => Err(problem),
    };
    if figure.is_err() {
        // The problem that is told is the first one.
        let _ = control::start(&scene.dir, &node.name, BACK_WITHIN).await;
    }
    Ok((node.name.clone(), figure?))
}

async fn go_on(scene: &Scene, name: &str, started: Instant) -> Result<String> {
    scene.deposit_marker().await?;
    let first = started.elapsed();
    if first > NEXT_WITHIN {
        return Err(not_held(&format!("{} > {}", span(first), span(NEXT_WITHIN))));
    }
    let started = Instant::now();
    scene.deposit_markers(MEANWHILE).await?;
    let tps = format!("{:.0}", MEANWHILE as f64 / started.elapsed().as_secs_f64());
    Ok(say::demo_kill_figure(name, span(first), MEANWHILE, tps))
}

fn span(time: Duration) -> String {
    clock::span(time.as_millis() as u64)
}

/// Starts the node again, and compares what all nodes have.
pub(super) async fn restart(scene: &Scene, name: &str) -> Result<String> {
    let started = Instant::now();
    control::start(&scene.dir, name, BACK_WITHIN).await?;
    let ready = span(started.elapsed());
    let (nodes, height, root) = compare(scene).await?;
    let root: String = root.chars().take(16).collect();
    Ok(say::demo_restart_figure(name, ready, nodes, height, format!("{root}…")))
}

/// The state root that all validators of the genesis have after the highest block that all have.
async fn compare(scene: &Scene) -> Result<(usize, u64, String)> {
    let nodes = scene.running.nodes.iter().filter(|node| !node.name.ends_with(SPARE));
    let client = Client::new(nodes.map(|node| node.api.as_str()), Options::default()).map_err(sdk)?;
    let count = client.urls().count();
    let mut chains = Vec::new();
    for at in 0..count {
        chains.push(client.only(at).chain(&scene.genesis.to_string()).await.map_err(sdk)?);
    }
    let heights = try_join_all(chains.iter().map(Chain::info)).await.map_err(sdk)?;
    let height = heights.iter().map(|info| info.height).min().unwrap_or_default();
    let headers = chains.iter().map(|chain| chain.header(BlockRef::Height(height)));
    let headers = try_join_all(headers).await.map_err(sdk)?;
    let roots: Vec<String> = headers
        .iter()
        .map(|header| header.parent_state_root.to_string())
        .collect();
    let same = headers.windows(2).all(|pair| pair[0].digest == pair[1].digest);
    match (same, roots.first()) {
        // A header carries the root after its parent.
        (true, Some(root)) => Ok((count, height.saturating_sub(1), root.clone())),
        _ => Err(not_held(&roots.join(" "))),
    }
}

/// A validator and the node that takes its seat for a while.
pub(super) struct Pair {
    old: NodeEntry,
    spare: NodeEntry,
}

impl Pair {
    /// Makes the fifth node if no earlier run has, and starts it.
    pub(super) async fn prepare(scene: &Scene) -> Result<Self> {
        let old = scene.record.nodes.get(REPLACED).cloned().ok_or_else(|| not_held("4"))?;
        let name = format!("{}{SPARE}", old.name);
        let known = Record::read(&scene.dir)?
            .nodes
            .into_iter()
            .find(|node| node.name == name);
        let spare = match known {
            Some(node) => node,
            None => new::add(
                &scene.dir,
                &NewNode {
                    name,
                    cloud: old.cloud.clone(),
                    organisation: old.organisation.clone(),
                    api_port: None,
                    peer_port: None,
                    sync: SyncMode::default(),
                },
            )?,
        };
        hold::lift(&scene.dir.join(&spare.folder))?;
        answers(scene, &spare).await?;
        Ok(Self { old, spare })
    }

    /// The fifth node takes the seat. If an earlier run was interrupted before it gave it back, it does so first.
    pub(super) async fn replace(&self, scene: &Scene) -> Result<String> {
        if seat(scene, &self.spare).await?.is_some() {
            change(scene, &self.spare, &self.old).await?;
        }
        change(scene, &self.old, &self.spare).await
    }

    /// The validator takes its seat again, and the fifth node stops.
    pub(super) async fn back(&self, scene: &Scene) -> Result<String> {
        let figure = change(scene, &self.spare, &self.old).await?;
        control::stop(&scene.dir, &self.spare.name, Signal::TERM).await?;
        Ok(figure)
    }
}

fn url(node: &NodeEntry) -> String {
    format!("http://{}", node.api)
}

/// Waits until a node that was just started answers.
async fn answers(scene: &Scene, node: &NodeEntry) -> Result<()> {
    let deadline = Instant::now() + BACK_WITHIN;
    loop {
        let asked = async {
            at_candidate(&scene.chain, &url(node))
                .await?
                .candidate_proof()
                .await
                .map_err(sdk)
        };
        match asked.await {
            Ok(_) => return Ok(()),
            Err(problem) if Instant::now() >= deadline => return Err(problem),
            Err(_) => sleep(PAUSE).await,
        }
    }
}

/// The validator that a node is in the set that was decided last.
async fn seat(scene: &Scene, node: &NodeEntry) -> Result<Option<ValidatorView>> {
    let view = scene.chain.validators().await.map_err(sdk)?;
    let set = view.next.unwrap_or(view.current);
    Ok(set
        .validators
        .into_iter()
        .find(|validator| validator.public_key.to_string() == node.public_key))
}

/// One vote: `new` gets the seat of `old`. Waits until the new set is in force.
async fn change(scene: &Scene, old: &NodeEntry, new: &NodeEntry) -> Result<String> {
    let started = Instant::now();
    let deadline = started + CHANGE_WITHIN;
    let mut progress = Progress::new(say::demo_replace_progress(), None);
    let leaving = seat(scene, old)
        .await?
        .ok_or_else(|| problem::unknown_node(&old.name, ""))?;
    let joining = validator::ready(&scene.chain, &scene.voters, &url(new), deadline, &mut progress).await?;
    let (action, reason) = validator::action(Some(&leaving), Some(&joining), None)?;
    let id = governance::propose(&scene.chain, &scene.voters, &action, &reason).await?;
    let proposal = governance::vote(&scene.chain, &scene.voters, id, true).await?;
    if proposal.status != ProposalStatus::Carried {
        return Err(not_held(&governance::standing(&proposal)));
    }
    let votes = proposal.ballots.iter().filter(|ballot| ballot.approve).count();
    let (joined, left) = (Some(joining.public_key.0), Some(leaving.public_key.0));
    let set = validator::in_force(&scene.chain, joined, left, deadline, &mut progress).await?;
    drop(progress);
    let cloud = out::one_line(&joining.cloud);
    if joining.cloud != leaving.cloud {
        return Err(not_held(&cloud));
    }
    let took = span(started.elapsed());
    Ok(say::demo_replace_figure(
        &old.name,
        &new.name,
        cloud,
        took,
        votes,
        set.epoch,
        set.since_height,
    ))
}
