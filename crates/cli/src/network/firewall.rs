//! The packet filter of one node's host, as a file for nftables.

use super::plan::PlannedNode;
use std::{collections::BTreeSet, fmt::Write, net::IpAddr};

/// Who may reach a port: addresses of both families, and names that are resolved when the file is loaded.
#[derive(Default)]
struct Sources {
    v4: BTreeSet<String>,
    v6: BTreeSet<String>,
}

impl Sources {
    fn new<'a>(hosts: impl Iterator<Item = &'a str>) -> Self {
        let mut sources = Self::default();
        for host in hosts {
            match host.parse::<IpAddr>() {
                Ok(IpAddr::V6(_)) => sources.v6.insert(host.to_owned()),
                // A name is resolved to IPv4 addresses.
                _ => sources.v4.insert(host.to_owned()),
            };
        }
        sources
    }

    fn rules(&self, port: u16, what: &str, out: &mut String) {
        for (family, hosts) in [("ip", &self.v4), ("ip6", &self.v6)] {
            if !hosts.is_empty() {
                let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
                // Writing to a string cannot fail.
                let _ = writeln!(
                    out,
                    "        tcp dport {port} {family} saddr {{ {} }} accept comment \"{what}\"",
                    hosts.join(", ")
                );
            }
        }
        let _ = writeln!(out, "        tcp dport {port} drop comment \"{what}\"");
    }
}

/// `firewall.nft` of a node: its peer port is for the other nodes, its API for this machine and those that the topology names. Every
/// other port is left as it is.
pub(super) fn rules(planned: &PlannedNode, all: &[PlannedNode]) -> String {
    let node = &planned.node;
    let others = all.iter().filter(|other| other.node.name != node.name);
    let peers = Sources::new(others.map(|other| other.node.host.as_str()));
    let clients = Sources::new(planned.api_clients.iter().map(String::as_str));
    let table = format!("yulian_{}", node.peer_port);
    let mut out = format!(
        "#!/usr/sbin/nft -f\n\
         # 节点 {name}（{host}）的防火墙；加载：nft -f firewall.nft。增减节点后请更新。\n\
         # Packet filter of the node {name} ({host}); load it by: nft -f firewall.nft. Nodes that come or go change it.\n\
         table inet {table}\n\
         delete table inet {table}\n\
         table inet {table} {{\n\
         \x20   chain input {{\n\
         \x20       type filter hook input priority 0; policy accept;\n\
         \x20       iif lo accept\n",
        name = node.name,
        host = node.host,
    );
    peers.rules(node.peer_port, "peers", &mut out);
    clients.rules(node.api_port, "api", &mut out);
    out.push_str("    }\n}\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{
        plan::Plan,
        topology::{EXAMPLE, Topology},
    };

    #[test]
    fn a_node_is_open_to_its_peers_and_to_named_clients_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("topology.toml");
        let text = format!("api_clients = [\"10.9.0.1\", \"fd00::9\"]\n{EXAMPLE}");
        std::fs::write(&path, text).unwrap();
        let plan = Plan::new(&Topology::read(&path).unwrap(), 1_793_491_200_000).unwrap();
        let text = rules(&plan.nodes[0], &plan.nodes);
        let has = |line: &str| text.lines().any(|known| known.trim() == line);
        let others: BTreeSet<&str> = plan.nodes[1..].iter().map(|other| other.node.host.as_str()).collect();
        let others = others.into_iter().collect::<Vec<_>>().join(", ");
        assert!(
            has(&format!(
                "tcp dport 18100 ip saddr {{ {others} }} accept comment \"peers\""
            )),
            "{text}"
        );
        assert!(!text.contains(&format!("{{ {}", plan.nodes[0].node.host)), "{text}");
        assert!(
            has("tcp dport 18000 ip saddr { 10.9.0.1 } accept comment \"api\""),
            "{text}"
        );
        assert!(
            has("tcp dport 18000 ip6 saddr { fd00::9 } accept comment \"api\""),
            "{text}"
        );
        for port in [18000, 18100] {
            let what = if port == 18000 { "api" } else { "peers" };
            assert!(has(&format!("tcp dport {port} drop comment \"{what}\"")), "{text}");
        }
    }
}
