//! The node and its chains.

use crate::{
    text::{DigestText, KeyText},
    views::{CharterView, ParameterView, RiskView, ValidatorView},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Transactions that wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MempoolView {
    /// Transactions.
    pub transactions: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Most transactions.
    pub transactions_max: u64,
    /// Most bytes.
    pub bytes_max: u64,
}

/// A verified fault of a validator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FaultView {
    /// Public key of the validator.
    pub validator: KeyText,
    /// What it did.
    pub kind: String,
}

/// What a platform lets a chain do on a node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChainStanding {
    /// It takes every transaction.
    #[default]
    Open,
    /// It takes those of `governance` and `link` alone.
    Paused,
    /// It takes none: it is starting, or archived.
    Closed,
}

/// What a platform lets a chain do on a node, and how much of it is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RegimeView {
    /// What it takes.
    pub standing: ChainStanding,
    /// Quota of transactions per second; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transactions_per_second: Option<u32>,
    /// Quota of disk space, MiB; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_mib: Option<u32>,
    /// Transactions that reached this node in the last whole second.
    #[serde(default)]
    pub transactions_last_second: u32,
    /// Disk space as last measured, MiB.
    pub storage_used_mib: u64,
    /// The same in bytes.
    #[serde(default)]
    pub storage_used_bytes: u64,
    /// Transactions that a quota refused since the start.
    pub quota_refusals: u64,
}

/// A chain that the node should host and cannot start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FailedChain {
    /// Genesis digest.
    pub id: DigestText,
    /// Name.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// A chain as this node sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChainStatus {
    /// Genesis digest.
    pub id: DigestText,
    /// Name.
    pub name: String,
    /// Height of the last final block that this node has executed.
    pub height: u64,
    /// Digest of that block.
    pub digest: DigestText,
    /// State root after that block.
    pub state_root: DigestText,
    /// Its block time, ms since 1970-01-01 UTC.
    pub time_ms: u64,
    /// Highest height known to be final in the network.
    pub network_height: u64,
    /// Lowest height whose block this node keeps.
    pub kept_from_height: u64,
    /// Epoch in force.
    pub epoch: u64,
    /// Last view of the epoch that this node saw.
    pub view: u64,
    /// Protocol version in force.
    pub protocol_version: u32,
    /// Whether this node is a validator of the epoch.
    pub validating: bool,
    /// Whether it keeps up with the network and takes transactions.
    pub ready: bool,
    /// Why it does not, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Validators in force.
    pub validators: Vec<ValidatorView>,
    /// The risk that members accepted with them, where one cloud can stop the chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<RiskView>,
    /// Transactions that wait on this node.
    pub mempool: MempoolView,
    /// Other members of the chain that this node is connected to.
    pub connected: Vec<KeyText>,
    /// Verified faults, newest last.
    pub faults: Vec<FaultView>,
    /// Why the chain stopped on this node, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// What the platform lets it do here.
    #[serde(default)]
    pub regime: RegimeView,
}

/// The node with its chains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeStatus {
    /// Name.
    pub name: String,
    /// Cloud, its fault domain.
    pub cloud: String,
    /// Organisation id.
    pub organisation: String,
    /// Public key; absent for a node without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<KeyText>,
    /// Version of the software.
    pub version: String,
    /// The node's clock, ms since 1970-01-01 UTC.
    pub now_ms: u64,
    /// When the process started, ms since 1970-01-01 UTC.
    pub started_ms: u64,
    /// Chains that it hosts.
    pub chains: Vec<ChainStatus>,
    /// Chains that it should host and cannot start; tried again every few seconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<FailedChain>,
}

/// A protocol version and the first height at which it is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProtocolView {
    /// Version.
    pub version: u32,
    /// First height.
    pub height: u64,
}

/// The rules of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChainInfo {
    /// Genesis digest.
    pub id: DigestText,
    /// Name.
    pub name: String,
    /// Block time of genesis, ms since 1970-01-01 UTC.
    pub genesis_time_ms: u64,
    /// Blocks in an epoch.
    pub epoch_length: u64,
    /// Height of the state that the rest is of.
    pub height: u64,
    /// Parameters in force, ascending by name.
    pub parameters: Vec<ParameterView>,
    /// Charter in force.
    pub charter: CharterView,
    /// Protocol versions by height, ascending.
    pub protocols: Vec<ProtocolView>,
}

/// Whether the process is alive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// Whether every part that must run does.
    pub healthy: bool,
    /// What does not, in words.
    pub problems: Vec<String>,
}

/// Whether a chain takes transactions here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChainReadiness {
    /// Genesis digest.
    pub id: DigestText,
    /// Whether it does.
    pub ready: bool,
    /// Height of this node.
    pub height: u64,
    /// Highest height known to be final in the network.
    pub network_height: u64,
    /// Why not, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whether the node takes transactions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// Whether every chain does.
    pub ready: bool,
    /// Each chain.
    pub chains: Vec<ChainReadiness>,
}
