//! A node's settings: one TOML file, every field documented, unknown fields refused.

use crate::{crew::execution_threads_chosen, ledger::HISTORY_HEIGHTS, options::ChainOptions, pool::PoolLimits};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};
use yulian_crypto::sm2::PublicKey;
use yulian_engine::Peer;

/// Largest configuration file, bytes.
const CONFIG_BYTES_MAX: u64 = 1 << 20;

/// Why a configuration cannot be used. The texts say what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("配置文件 {path} 无法读取：{source}。请检查路径与权限 / cannot read {path}: check path and permissions")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not the expected TOML.
    #[error("配置文件 {path} 有误：{source} / the configuration {path} is wrong")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: Box<toml::de::Error>,
    },
    /// The API would be open to other machines.
    #[error(
        "接口地址 {0} 不是本机地址：接口请求尚无签名，默认只监听 127.0.0.1。确要开放请设置 api_open_to_network = true / \
         the API address {0} is not loopback: requests carry no signature yet; set api_open_to_network = true to open it all the same"
    )]
    OpenApi(SocketAddr),
    /// A peer's key is not a public key.
    #[error("节点公钥 {0} 无效：应为 66 位十六进制 / {0} is not a public key: 66 hexadecimal digits are expected")]
    PeerKey(String),
}

/// A node of the peer network whose address differs from, or is missing in, the chain's register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerConfig {
    /// Public key, 66 hexadecimal digits.
    pub key: String,
    /// "host:port".
    pub address: String,
}

/// How a new node comes to the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SyncMode {
    /// It fetches and executes every block since genesis, and can show all of them later.
    #[default]
    Blocks,
    /// It takes the state after a recent block from a member and verifies it; older blocks stay elsewhere.
    Snapshot,
}

impl SyncMode {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Settings of one node. Relative paths are relative to the file's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// Name of the node, for status and logs.
    pub name: String,
    /// Cloud that the node runs in, for status.
    pub cloud: String,
    /// Organisation that runs the node, for status.
    pub organisation: String,
    /// Private key of the node, PKCS#8 PEM, mode 0600.
    pub key_file: PathBuf,
    /// Genesis of the chain.
    pub genesis_file: PathBuf,
    /// Folder of the ledger and the engine's journals.
    pub data_dir: PathBuf,
    /// Address of the HTTP API.
    pub api_address: SocketAddr,
    /// Lets the API listen on an address that other machines reach, although requests carry no signature yet.
    #[serde(default)]
    pub api_open_to_network: bool,
    /// Address of the peer network.
    pub peer_address: SocketAddr,
    /// "host:port" under which other nodes reach this one; the peer address where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_address: Option<String>,
    /// Threads of the runtime, 1 to 64.
    #[serde(default = "worker_threads")]
    pub worker_threads: usize,
    /// Tasks that verify signatures, 1 to 16.
    #[serde(default = "signature_tasks")]
    pub signature_tasks: usize,
    /// Threads that execute a block, 1 to 16; results are the same with any number. Absent: one for each four cores of the
    /// machine, at most 4. Where several nodes share a machine, 1 is best.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_threads: Option<usize>,
    /// Bodies of blocks older than this many are removed; absent keeps all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain_blocks: Option<u64>,
    /// Heights behind the last one at which the state stays provable; what it takes is the undo records of their blocks.
    #[serde(default = "history_heights")]
    pub history_heights: u64,
    /// Memory for the state tree, MiB. Absent keeps all of it in memory, about 115 MiB for a million keys, which is what the
    /// published figures are for. With a limit the state may be larger than memory: what is beyond is read from disk when it is
    /// needed and checked against the tree, and an update there costs about five times as much. About 8 MiB for a million keys
    /// always stay. The process takes more: the last versions, the pool, the caches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_memory_mib: Option<u64>,
    /// How a node without a ledger comes to the chain: "blocks", which is the default and what nodes that keep all blocks
    /// need, or "snapshot".
    #[serde(default, skip_serializing_if = "SyncMode::is_default")]
    pub sync: SyncMode,
    /// Memory for blocks read from disk, MiB.
    #[serde(default = "cache_mib")]
    pub cache_mib: u64,
    /// Addresses that take the place of registered ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<PeerConfig>,
}

fn worker_threads() -> usize {
    2
}

fn signature_tasks() -> usize {
    1
}

fn history_heights() -> u64 {
    HISTORY_HEIGHTS
}

fn cache_mib() -> u64 {
    32
}

impl NodeConfig {
    /// Reads and checks a file; relative paths become relative to its folder.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let failed = |source| ConfigError::Read {
            path: path.into(),
            source,
        };
        if fs::metadata(path).map_err(failed)?.len() > CONFIG_BYTES_MAX {
            return Err(failed(io::Error::other("more than 1 MiB")));
        }
        let text = fs::read_to_string(path).map_err(failed)?;
        let parsed: Result<Self, _> = toml::from_str(&text);
        let mut config = parsed.map_err(|source| ConfigError::Parse {
            path: path.into(),
            source: Box::new(source),
        })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        for file in [&mut config.key_file, &mut config.genesis_file, &mut config.data_dir] {
            *file = folder.join(&*file);
        }
        config.check()?;
        Ok(config)
    }

    /// The file's text.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string_pretty(self)
    }

    fn check(&self) -> Result<(), ConfigError> {
        if !self.api_address.ip().is_loopback() && !self.api_open_to_network {
            return Err(ConfigError::OpenApi(self.api_address));
        }
        self.peers().map(|_| ())
    }

    /// The addresses that take the place of registered ones.
    pub fn peers(&self) -> Result<Vec<Peer>, ConfigError> {
        let peer = |peer: &PeerConfig| {
            let key: PublicKey = peer.key.parse().map_err(|_| ConfigError::PeerKey(peer.key.clone()))?;
            Ok(Peer {
                key,
                address: peer.address.clone(),
            })
        };
        self.peers.iter().map(peer).collect()
    }

    /// Bytes that the state tree may take.
    pub fn state_memory(&self) -> Option<usize> {
        let bytes = self.state_memory_mib?.saturating_mul(1 << 20);
        Some(usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    /// The settings of the chain.
    pub(crate) fn options(&self) -> Result<ChainOptions, ConfigError> {
        Ok(ChainOptions {
            pool: PoolLimits::default(),
            signature_tasks: self.signature_tasks,
            execution_threads: self.execution_threads.unwrap_or_else(execution_threads_chosen),
            retain_blocks: self.retain_blocks,
            history_heights: self.history_heights,
            state_memory: self.state_memory(),
            peers: self.peers()?,
            ..ChainOptions::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = "name = 'a'\ncloud = '联通'\norganisation = 'o'\nkey_file = 'node.pem'\n\
        genesis_file = 'genesis.bin'\ndata_dir = 'data'\napi_address = '127.0.0.1:1'\npeer_address = '0.0.0.0:2'\n";

    fn read(text: &str) -> Result<NodeConfig, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.toml");
        fs::write(&path, text).unwrap();
        NodeConfig::read(&path)
    }

    #[test]
    fn what_is_written_reads_back() {
        let config = read(MINIMAL).unwrap();
        assert!(config.key_file.ends_with("node.pem") && config.key_file.is_absolute());
        assert_eq!(read(&config.to_toml().unwrap()).unwrap(), config);
    }

    #[test]
    fn unknown_fields_are_refused() {
        assert!(matches!(
            read(&format!("{MINIMAL}colour = 'red'\n")),
            Err(ConfigError::Parse { .. })
        ));
    }

    #[test]
    fn a_new_node_takes_blocks_unless_told_otherwise() {
        assert_eq!(read(MINIMAL).unwrap().sync, SyncMode::Blocks);
        let config = read(&format!("{MINIMAL}sync = 'snapshot'\n")).unwrap();
        assert_eq!(config.sync, SyncMode::Snapshot);
        assert_eq!(read(&config.to_toml().unwrap()).unwrap(), config);
        assert!(matches!(
            read(&format!("{MINIMAL}sync = 'fast'\n")),
            Err(ConfigError::Parse { .. })
        ));
    }

    #[test]
    fn threads_of_execution_are_chosen_unless_told() {
        let chosen = read(MINIMAL).unwrap();
        assert!((1..=4).contains(&chosen.options().unwrap().execution_threads));
        assert!(!chosen.to_toml().unwrap().contains("execution_threads"));
        let told = read(&format!("{MINIMAL}execution_threads = 3\n")).unwrap();
        assert_eq!(told.options().unwrap().execution_threads, 3);
    }

    #[test]
    fn the_state_is_in_memory_unless_a_limit_is_given() {
        let config = read(MINIMAL).unwrap();
        assert_eq!((config.state_memory_mib, config.state_memory()), (None, None));
        assert_eq!(config.options().unwrap().state_memory, None);
        let config = read(&format!("{MINIMAL}state_memory_mib = 3\n")).unwrap();
        assert_eq!(config.options().unwrap().state_memory, Some(3 << 20));
        assert_eq!(read(&config.to_toml().unwrap()).unwrap(), config);
    }

    #[test]
    fn an_open_api_needs_its_flag() {
        let open = MINIMAL.replace("127.0.0.1:1", "0.0.0.0:1");
        assert!(matches!(read(&open), Err(ConfigError::OpenApi(_))));
        assert!(read(&format!("{open}api_open_to_network = true\n")).is_ok());
    }
}
