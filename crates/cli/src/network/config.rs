//! The configuration of a node, as its folder holds it.

use super::{
    plan::PlannedNode,
    write::{GENESIS_FILE, NODE_KEY_FILE},
};
use crate::{
    problem::{Cause, Result},
    text::problem,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use yulian_node::{config::NodeConfig, ledger::HISTORY_HEIGHTS};

/// Folder of a node's data beside its configuration.
const DATA_FOLDER: &str = "data";
/// What a configuration begins with.
const HEAD: &str = "# 节点配置；路径相对于本文件。Settings of a node; paths are relative to this file.\n\n";

/// The text of `node.toml`.
pub(super) fn text(planned: &PlannedNode) -> Result<String> {
    let node = &planned.node;
    let config = NodeConfig {
        name: node.name.clone(),
        cloud: node.cloud.clone(),
        organisation: node.organisation.clone(),
        key_file: NODE_KEY_FILE.into(),
        genesis_file: GENESIS_FILE.into(),
        data_dir: DATA_FOLDER.into(),
        // Only programs of this machine reach the API, unless the topology names others: then the packet filter lets these in.
        api_address: SocketAddr::new(api_listens(planned), node.api_port),
        api_open_to_network: !api_listens(planned).is_loopback(),
        peer_address: SocketAddr::new(listen(&node.host), node.peer_port),
        public_address: Some(node.peer_address()),
        worker_threads: 2,
        signature_tasks: 1,
        // Nodes that only this machine reaches share it.
        execution_threads: listen(&node.host).is_loopback().then_some(1),
        retain_blocks: None,
        history_heights: HISTORY_HEIGHTS,
        state_memory_mib: None,
        sync: planned.sync,
        cache_mib: 32,
        peers: Vec::new(),
    };
    let text = config.to_toml().or_problem(problem::bad_network)?;
    Ok(format!("{HEAD}{text}"))
}

fn api_listens(planned: &PlannedNode) -> IpAddr {
    match planned.api_clients.is_empty() {
        true => Ipv4Addr::LOCALHOST.into(),
        false => listen(&planned.node.host),
    }
}

/// A node of this machine alone listens on it alone; another one on every address, since its name may be resolved to
/// one that the machine itself does not have.
fn listen(host: &str) -> IpAddr {
    match host.parse::<IpAddr>() {
        Ok(address) if address.is_loopback() => address,
        Ok(IpAddr::V6(_)) => Ipv6Addr::UNSPECIFIED.into(),
        _ if host == "localhost" => Ipv4Addr::LOCALHOST.into(),
        _ => Ipv4Addr::UNSPECIFIED.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_of_this_machine_is_not_reached_from_others() {
        assert!(
            ["127.0.0.1", "localhost", "::1"]
                .map(listen)
                .iter()
                .all(IpAddr::is_loopback)
        );
        assert!(
            ["10.0.0.1", "node.example", "fd00::1"]
                .map(listen)
                .iter()
                .all(IpAddr::is_unspecified)
        );
    }
}
