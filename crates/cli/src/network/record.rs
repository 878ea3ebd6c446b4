//! The file that says what a folder of a network holds. It is also the mark without which no folder is ever deleted.

use crate::{
    files,
    problem::{Cause, Problem, Result},
    text::problem,
};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use yulian_crypto::Digest;

/// Name of the file.
pub(crate) const RECORD_FILE: &str = "yulian-network.toml";
/// Format that this program writes and reads.
const FORMAT: u32 = 1;
/// Longest record, bytes.
const RECORD_BYTES_MAX: usize = 1 << 20;

/// A network that was written to a folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) format: u32,
    /// Name of the chain.
    pub(crate) chain: String,
    /// Genesis digest.
    pub(crate) genesis: String,
    #[serde(rename = "node")]
    pub(crate) nodes: Vec<NodeEntry>,
    #[serde(rename = "account")]
    pub(crate) accounts: Vec<AccountEntry>,
}

/// A node of the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeEntry {
    pub(crate) name: String,
    pub(crate) cloud: String,
    pub(crate) organisation: String,
    pub(crate) public_key: String,
    /// Folder of the node within that of the network.
    pub(crate) folder: PathBuf,
    /// "host:port" of its API.
    pub(crate) api: String,
    /// "host:port" of the peer network.
    pub(crate) peer: String,
}

/// An account whose key the network's founder made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccountEntry {
    pub(crate) organisation: String,
    /// Name within the organisation.
    pub(crate) name: String,
    /// Account id.
    pub(crate) id: String,
    pub(crate) roles: Vec<String>,
    /// Private key file within the folder; none where the key was made elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<PathBuf>,
}

impl Record {
    /// A record of this program's format.
    pub(crate) fn new(chain: String, genesis: Digest, nodes: Vec<NodeEntry>, accounts: Vec<AccountEntry>) -> Self {
        Self {
            format: FORMAT,
            chain,
            genesis: genesis.to_string(),
            nodes,
            accounts,
        }
    }

    /// Whether a folder carries a record.
    pub(crate) fn is_in(dir: &Path) -> bool {
        dir.join(RECORD_FILE).is_file()
    }

    /// The record of a folder.
    pub(crate) fn read(dir: &Path) -> Result<Self> {
        if !Self::is_in(dir) {
            return Err(problem::no_network(dir.display()));
        }
        let path = dir.join(RECORD_FILE);
        let bad = || problem::bad_record(path.display());
        let text = files::read_text(&path, RECORD_BYTES_MAX)?;
        // A newer format may have other fields: its number is looked at first.
        let head: Head = toml::from_str(&text).or_problem(bad)?;
        if head.format > FORMAT {
            return Err(problem::newer_network(dir.display(), head.format, FORMAT));
        }
        let record: Self = toml::from_str(&text).or_problem(bad)?;
        record.chain_id()?;
        Ok(record)
    }

    /// Writes the record in one step.
    pub(crate) fn write(&self, dir: &Path) -> Result<()> {
        let path = dir.join(RECORD_FILE);
        let text = toml::to_string(self).or_problem(|| problem::cannot_write(path.display()))?;
        files::write(&path, text.as_bytes(), false)
    }

    /// Genesis digest.
    pub(crate) fn chain_id(&self) -> Result<Digest> {
        self.genesis.parse().or_problem(|| problem::bad_record(RECORD_FILE))
    }

    /// A node by its name or by its folder.
    pub(crate) fn node(&self, name: &str) -> Result<&NodeEntry> {
        let named = |node: &&NodeEntry| node.name == name || node.folder == Path::new(name);
        self.nodes.iter().find(named).ok_or_else(|| {
            let names: Vec<&str> = self.nodes.iter().map(|node| node.name.as_str()).collect();
            problem::unknown_node(name, names.join(", "))
        })
    }

    /// The account that acts: `ORGANISATION`, `ORGANISATION/ACCOUNT`, or the first one with the role.
    pub(crate) fn account(&self, named: Option<&str>, role: &str) -> Result<&AccountEntry> {
        let has_key = |account: &&AccountEntry| account.key.is_some();
        let may = |account: &&AccountEntry| account.roles.iter().any(|own| own == role);
        let mut with_key = self.accounts.iter().filter(has_key);
        let found = match named.map(|named| named.split_once('/').unwrap_or((named, ""))) {
            None => {
                // Somebody who can do this and nothing more is the better choice.
                let mut fitting: Vec<&AccountEntry> = with_key.filter(may).collect();
                fitting.sort_by_key(|account| account.roles.len());
                fitting.first().copied()
            }
            Some((organisation, "")) => with_key.find(|account| account.organisation == organisation && may(account)),
            Some((organisation, name)) => {
                with_key.find(|account| account.organisation == organisation && account.name == name)
            }
        };
        found.ok_or_else(|| self.no_account(named.unwrap_or("*"), role))
    }

    fn no_account(&self, named: &str, role: &str) -> Problem {
        let name = |account: &AccountEntry| format!("{}/{}", account.organisation, account.name);
        let known: Vec<String> = self.accounts.iter().map(name).collect();
        problem::no_account_key(named, role, known.join(", "))
    }
}

#[derive(Deserialize)]
struct Head {
    format: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(organisation: &str, name: &str, roles: &[&str]) -> AccountEntry {
        AccountEntry {
            organisation: organisation.into(),
            name: name.into(),
            id: String::new(),
            roles: roles.iter().map(|role| role.to_string()).collect(),
            key: Some("k".into()),
        }
    }

    fn record() -> Record {
        let accounts = vec![
            account("a", "admin", &["admin", "writer"]),
            account("b", "writer", &["writer"]),
        ];
        let node = NodeEntry {
            name: "联通-1".into(),
            cloud: "联通".into(),
            organisation: "a".into(),
            public_key: String::new(),
            folder: "node1".into(),
            api: "127.0.0.1:1".into(),
            peer: "127.0.0.1:2".into(),
        };
        Record::new("链".into(), Digest::ZERO, vec![node], accounts)
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Record::read(folder.path()).unwrap_err().code(), "no_network");
        record().write(folder.path()).unwrap();
        let read = Record::read(folder.path()).unwrap();
        assert_eq!((read.nodes, read.accounts), (record().nodes, record().accounts));
    }

    #[test]
    fn a_newer_format_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(RECORD_FILE), "format = 2\nsomething = \"else\"\n").unwrap();
        assert_eq!(Record::read(folder.path()).unwrap_err().code(), "newer_network");
        std::fs::write(folder.path().join(RECORD_FILE), "format = \"x\"").unwrap();
        assert_eq!(Record::read(folder.path()).unwrap_err().code(), "bad_network_record");
    }

    #[test]
    fn accounts_are_found_by_role_and_by_name() {
        let record = record();
        let name = |named: Option<&str>, role| {
            record
                .account(named, role)
                .map(|a| format!("{}/{}", a.organisation, a.name))
        };
        assert_eq!(name(None, "writer").unwrap(), "b/writer");
        assert_eq!(name(None, "admin").unwrap(), "a/admin");
        assert_eq!(name(Some("a"), "writer").unwrap(), "a/admin");
        assert_eq!(name(Some("a/admin"), "auditor").unwrap(), "a/admin");
        assert_eq!(name(Some("b"), "admin").unwrap_err().code(), "no_account_key");
        assert_eq!(name(Some("c"), "writer").unwrap_err().code(), "no_account_key");
        assert_eq!(record.node("node1").unwrap().name, "联通-1");
        assert_eq!(record.node("x").unwrap_err().code(), "unknown_node");
    }
}
