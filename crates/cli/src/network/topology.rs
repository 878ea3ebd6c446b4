//! What a network is to be: its organisations, their accounts, its nodes. Written by people, in TOML.

use crate::{
    files,
    problem::{Cause, Result},
    text::problem,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};
use yulian_exec::rules::{ROLE_ADMIN, ROLE_WRITER, is_organisation_id};

/// Longest topology file, bytes.
const TOPOLOGY_BYTES_MAX: usize = 1 << 20;
/// Blocks in an epoch unless the topology names another number. A change of validators on an idle chain takes an epoch of
/// empty blocks at most, a few seconds; a node that was off for a day of full load passes about 3,000 epochs, each a
/// fraction of a second.
pub(crate) const EPOCH_LENGTH_DEFAULT: u64 = 256;
/// Port of the API unless the topology names another.
pub(crate) const API_PORT_DEFAULT: u16 = 18000;
/// Port of the peer network unless the topology names another.
pub(crate) const PEER_PORT_DEFAULT: u16 = 18100;

/// A network before it has keys.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Topology {
    /// Name of the chain.
    pub(crate) name: String,
    #[serde(default = "epoch_length_default")]
    pub(crate) epoch_length: u64,
    /// Values of chain parameters other than the defaults.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) parameters: BTreeMap<String, u64>,
    /// Why validators may stand in fewer clouds than it takes to lose any one of them. Without it that is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) accept_risk: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) charter: Option<Charter>,
    /// What every node offers to host beside the network's own chain; without it each owner says so later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) offer: Option<Capacity>,
    #[serde(rename = "organisation")]
    pub(crate) organisations: Vec<Organisation>,
    #[serde(rename = "node")]
    pub(crate) nodes: Vec<Node>,
}

/// How much a node hosts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Capacity {
    /// Most chains.
    pub(crate) chains: u32,
    /// Disk space that their quotas may add up to, MiB.
    pub(crate) storage_mib: u32,
}

/// Rules of the consortium, where they differ from the defaults.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Charter {
    /// More than this share must approve changes of validators: `[2, 3]`.
    #[serde(default = "two_thirds")]
    pub(crate) validators: [u32; 2],
    #[serde(default = "two_thirds")]
    pub(crate) parameters: [u32; 2],
    #[serde(default = "two_thirds")]
    pub(crate) charter: [u32; 2],
    /// Hours in which votes are taken.
    #[serde(default = "voting_hours_default")]
    pub(crate) voting_hours: u64,
    /// File with the charter's text, beside the topology: its SM3 digest goes into the genesis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<std::path::PathBuf>,
}

/// An organisation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Organisation {
    pub(crate) id: String,
    pub(crate) name: String,
    /// A member votes.
    #[serde(default = "yes")]
    pub(crate) member: bool,
    /// An administrator if none is named.
    #[serde(default, rename = "account")]
    pub(crate) accounts: Vec<Account>,
}

/// An account of an organisation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    /// Name within the organisation: `[a-z0-9-]`, also the name of the key's file.
    pub(crate) name: String,
    /// What people read; `ORGANISATION NAME` if it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<String>,
    pub(crate) roles: Vec<String>,
    /// Key made elsewhere, 66 hexadecimal digits: then no key file is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) public_key: Option<String>,
}

/// A node.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Node {
    /// Name of the node; the name of its folder unless the network chooses another.
    pub(crate) name: String,
    /// Fault domain.
    pub(crate) cloud: String,
    pub(crate) organisation: String,
    /// Name or address at which the others reach it.
    pub(crate) host: String,
    #[serde(default = "peer_port_default")]
    pub(crate) peer_port: u16,
    #[serde(default = "api_port_default")]
    pub(crate) api_port: u16,
    /// Whether it is a validator; else it observes.
    #[serde(default = "yes")]
    pub(crate) validator: bool,
    /// Key made elsewhere, 66 hexadecimal digits: then no key file is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) public_key: Option<String>,
}

fn yes() -> bool {
    true
}

fn two_thirds() -> [u32; 2] {
    [2, 3]
}

const fn voting_hours_default() -> u64 {
    7 * 24
}

const fn epoch_length_default() -> u64 {
    EPOCH_LENGTH_DEFAULT
}

const fn api_port_default() -> u16 {
    API_PORT_DEFAULT
}

const fn peer_port_default() -> u16 {
    PEER_PORT_DEFAULT
}

/// An example that `yulian network init` takes as it stands.
pub(crate) const EXAMPLE: &str = include_str!("example.toml");

impl Topology {
    /// Reads and checks a file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bad = || problem::bad_topology(path.display());
        let text = files::read_text(path, TOPOLOGY_BYTES_MAX)?;
        let mut topology: Self = toml::from_str(&text).or_problem(bad)?;
        if let Some(text) = topology.charter.as_mut().and_then(|charter| charter.text.as_mut()) {
            *text = path.parent().unwrap_or(Path::new("")).join(&*text);
        }
        topology.check().map_err(|why| bad().because(why))?;
        Ok(topology)
    }

    /// What genesis does not check: names of files, and that two nodes do not share an address.
    fn check(&mut self) -> std::result::Result<(), String> {
        for organisation in &mut self.organisations {
            if organisation.accounts.is_empty() {
                organisation
                    .accounts
                    .push(Account::new("admin", &[ROLE_ADMIN, ROLE_WRITER]));
            }
            let mut names = BTreeSet::new();
            for account in &mut organisation.accounts {
                account.roles.sort();
                if !is_organisation_id(&account.name) || !names.insert(&account.name) {
                    return Err(format!("account {} of {}", account.name, organisation.id));
                }
            }
            if !is_organisation_id(&organisation.id) {
                return Err(format!("organisation id {}", organisation.id));
            }
        }
        let mut names = BTreeSet::new();
        let mut addresses = BTreeSet::new();
        for node in &self.nodes {
            if !is_file_name(&node.name) || !names.insert(&node.name) {
                return Err(format!("node name {}", node.name));
            }
            for port in [node.peer_port, node.api_port] {
                if port == 0 || !addresses.insert((&node.host, port)) {
                    return Err(format!("{}: {}:{port}", node.name, node.host));
                }
            }
        }
        Ok(())
    }
}

impl Account {
    /// An account whose key is made here.
    pub(crate) fn new(name: &str, roles: &[&str]) -> Self {
        let roles = roles.iter().map(|role| role.to_string()).collect();
        Self {
            name: name.into(),
            label: None,
            roles,
            public_key: None,
        }
    }
}

/// Whether a node's name can be that of a folder on every system.
pub(crate) fn is_file_name(text: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || "-_".contains(c);
    !text.is_empty() && text.chars().count() <= 64 && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Topology> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("topology.toml");
        std::fs::write(&path, text).unwrap();
        Topology::read(&path)
    }

    #[test]
    fn the_example_is_a_topology() {
        let topology = read(EXAMPLE).unwrap();
        assert!(topology.nodes.len() >= 4);
        assert_eq!(topology.epoch_length, EPOCH_LENGTH_DEFAULT);
        // Every organisation has somebody who can act for it.
        for organisation in &topology.organisations {
            assert!(
                organisation.accounts.iter().any(|a| a.roles.contains(&"admin".into())),
                "{}",
                organisation.id
            );
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (from, to, says) in [
            ("name = \"unicom-1\"", "name = \"../unicom\"", "node name ../unicom"),
            ("name = \"mobile-1\"", "name = \"unicom-1\"", "node name unicom-1"),
            ("id = \"henan-unicom\"", "id = \"Henan\"", "organisation id Henan"),
            (
                "host = \"10.0.2.11\"",
                "host = \"10.0.1.11\"",
                "mobile-1: 10.0.1.11:18100",
            ),
            ("member = true", "membre = true", "membre"),
        ] {
            assert!(EXAMPLE.contains(from), "{from}");
            let error = read(&EXAMPLE.replacen(from, to, 1)).unwrap_err();
            assert_eq!(error.code(), "bad_topology");
            assert!(error.summary().contains(says), "{}", error.summary());
        }
    }
}
