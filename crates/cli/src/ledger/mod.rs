//! Work on the ledger of a node: backup, restore, replay.

mod backup;
mod online;
mod replay;
mod restore;

pub(crate) use backup::{Arguments as Backup, run as backup};
pub(crate) use replay::{Arguments as Replay, run as replay};
pub(crate) use restore::{Arguments as Restore, run as restore};

use crate::{
    problem::{Cause, Result},
    text::problem,
    up::CONFIG_FILE,
};
use std::{path::Path, sync::Arc};
use yulian_crypto::sm2::{FastVerifier, KEY_CACHE_BYTES, Verifier};
use yulian_node::{config::NodeConfig, host, ledger::Ledger};
use yulian_store::FjallKv;
use yulian_types::SealedGenesis;

/// The configuration and the genesis of a node's folder.
fn node_of(dir: &Path) -> Result<(NodeConfig, SealedGenesis)> {
    let path = dir.join(CONFIG_FILE);
    let config = NodeConfig::read(&path).or_problem(|| problem::bad_config(path.display()))?;
    let genesis = host::read_genesis(&config.genesis_file).or_problem(|| problem::bad_config(path.display()))?;
    Ok((config, genesis))
}

/// The ledger of a node that does not run.
async fn open(dir: &Path) -> Result<Ledger<FjallKv>> {
    let (config, genesis) = node_of(dir)?;
    let cannot = || problem::cannot_open_ledger(dir.display());
    let store = host::open_store(&config).or_problem(cannot)?;
    let opened = Ledger::open_within(store, Arc::new(genesis), config.state_memory()).await;
    Ok(opened.or_problem(cannot)?.ledger)
}

/// What checks signatures: nothing is believed because a file or a node says it.
fn verifier() -> Arc<dyn Verifier> {
    Arc::new(FastVerifier::new(KEY_CACHE_BYTES))
}
