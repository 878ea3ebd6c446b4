//! `yulian status`: every chain as every node sees it.

use crate::{
    clock,
    connect::{Connect, block_on},
    out,
    problem::{Exit, Problem, Result},
    refusal::sdk,
    risk,
    text::say,
};
use clap::Args;
use futures::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use yulian_sdk::{
    Client,
    views::{ChainStatus, NodeStatus, RegimeView},
};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

/// What one node answered.
pub(crate) struct Seen {
    pub(crate) url: String,
    pub(crate) answer: Result<NodeStatus>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    block_on(async {
        let seen = ask(&arguments.connect.client()?).await;
        if arguments.json {
            out::json(&value(&seen));
        } else {
            print(&seen);
        }
        // No answer at all is not a status.
        Ok(if seen.iter().any(|node| node.answer.is_ok()) {
            Exit::Done
        } else {
            Exit::CannotRun
        })
    })
}

/// Asks every node, in the order of the client.
pub(crate) async fn ask(client: &Client) -> Vec<Seen> {
    let urls: Vec<String> = client.urls().map(ToString::to_string).collect();
    let asked = urls.into_iter().enumerate().map(|(at, url)| {
        let one = client.only(at);
        async move {
            Seen {
                url,
                answer: one.status().await.map_err(sdk),
            }
        }
    });
    join_all(asked).await
}

/// The chains of all answers, each with the nodes that host it.
fn chains(seen: &[Seen]) -> BTreeMap<String, Vec<(&NodeStatus, &ChainStatus)>> {
    let mut chains: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for node in seen.iter().filter_map(|node| node.answer.as_ref().ok()) {
        for chain in &node.chains {
            chains.entry(chain.id.to_string()).or_default().push((node, chain));
        }
    }
    chains
}

/// `{"chains": [{id, name, height, state_root, validators, agree, nodes: [...]}], "nodes": [...]}`. A chain's own
/// fields are those of the node that is furthest; `agree` says whether nodes at one height have one state root.
fn value(seen: &[Seen]) -> Value {
    let chains: Vec<Value> = chains(seen).values().map(|hosts| chain_value(hosts)).collect();
    let nodes: Vec<Value> = seen
        .iter()
        .map(|node| match &node.answer {
            Ok(status) => {
                let mut value = serde_json::to_value(status).unwrap_or_default();
                value["url"] = json!(node.url);
                value["reachable"] = json!(true);
                value
            }
            Err(problem) => json!({ "url": node.url, "reachable": false, "error": problem.json()["error"] }),
        })
        .collect();
    json!({ "chains": chains, "nodes": nodes })
}

fn chain_value(hosts: &[(&NodeStatus, &ChainStatus)]) -> Value {
    let Some((_, furthest)) = hosts.iter().max_by_key(|(_, chain)| chain.height) else {
        return Value::Null;
    };
    let nodes: Vec<Value> = hosts
        .iter()
        .map(|(node, chain)| {
            json!({
                "regime": chain.regime,
                "name": node.name, "cloud": node.cloud, "height": chain.height, "state_root": chain.state_root,
                "ready": chain.ready, "reason": chain.reason, "connected": chain.connected.len(),
                "validating": chain.validating, "stopped": chain.stopped,
            })
        })
        .collect();
    json!({
        "id": furthest.id, "name": furthest.name, "height": furthest.height, "state_root": furthest.state_root,
        "epoch": furthest.epoch, "validators": furthest.validators, "risk": furthest.risk, "agree": agree(hosts),
        "nodes": nodes,
    })
}

/// Whether nodes at the same height have the same state root.
fn agree(hosts: &[(&NodeStatus, &ChainStatus)]) -> bool {
    let mut roots = BTreeMap::new();
    hosts
        .iter()
        .all(|(_, chain)| *roots.entry(chain.height).or_insert(chain.state_root) == chain.state_root)
}

fn print(seen: &[Seen]) {
    for hosts in chains(seen).values() {
        let Some((_, chain)) = hosts.iter().max_by_key(|(_, chain)| chain.height) else {
            continue;
        };
        out::line(say::status_chain(out::one_line(&chain.name), chain.id));
        let line = say::status_place(
            chain.height,
            clock::beijing(chain.time_ms),
            chain.epoch,
            chain.validators.len(),
        );
        out::line(line);
        if let Some(line) = quota(hosts.iter().map(|(_, chain)| &chain.regime)) {
            out::line(line);
        }
        if let Some(accepted) = &chain.risk {
            out::line(risk::line(accepted));
        }
        if !agree(hosts) {
            out::line(say::status_disagree());
        }
        let rows: Vec<Vec<String>> = hosts.iter().map(|(node, chain)| row(node, chain)).collect();
        let head = [
            say::head_node(),
            say::head_cloud(),
            say::label_height(),
            say::head_state_root(),
            say::head_role(),
            say::head_connected(),
            say::label_status(),
        ];
        out::table(&head, &rows);
    }
    for node in seen {
        if let Err(problem) = &node.answer {
            out::line(unreachable(&node.url, problem));
        }
    }
}

/// The quotas of a chain with what is used of them on the node that uses most; none where there is no quota.
pub(crate) fn quota<'a>(regimes: impl Iterator<Item = &'a RegimeView>) -> Option<String> {
    let mut rate = (0, None);
    let mut bytes = (0, None);
    let mut refused = 0;
    for regime in regimes {
        rate = (
            rate.0.max(regime.transactions_last_second),
            rate.1.max(regime.transactions_per_second),
        );
        bytes = (bytes.0.max(regime.storage_used_bytes), bytes.1.max(regime.storage_mib));
        refused += regime.quota_refusals;
    }
    if rate.1.is_none() && bytes.1.is_none() {
        return None;
    }
    let limit = |limit: Option<u32>| limit.map_or_else(|| "-".to_owned(), |limit| limit.to_string());
    let used = format!("{:.1}", bytes.0 as f64 / f64::from(1 << 20));
    Some(say::quota_use(rate.0, limit(rate.1), used, limit(bytes.1), refused))
}

fn unreachable(url: &str, problem: &Problem) -> String {
    say::status_unreachable(url, problem.summary())
}

fn row(node: &NodeStatus, chain: &ChainStatus) -> Vec<String> {
    let role = if chain.validating {
        say::role_validator()
    } else {
        say::role_observer()
    };
    let status = match (&chain.stopped, chain.ready) {
        (Some(reason), _) => say::node_stopped(out::one_line(reason)),
        (None, true) => say::node_ready(),
        (None, false) if chain.network_height > chain.height => say::node_catching_up(chain.network_height),
        (None, false) => say::node_not_ready(out::one_line(chain.reason.as_deref().unwrap_or_default())),
    };
    let root: String = chain.state_root.to_string().chars().take(16).collect();
    vec![
        out::one_line(&node.name),
        out::one_line(&node.cloud),
        chain.height.to_string(),
        root,
        role,
        chain.connected.len().to_string(),
        status,
    ]
}
