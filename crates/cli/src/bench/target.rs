//! What is loaded: a network of this run, or one that runs already.

use super::{
    Arguments,
    network::{OwnNetwork, processes},
    usage::Process,
};
use crate::{
    connect::{Connect, SignMany},
    problem::Result,
    refusal::sdk,
    up::status_file,
};
use std::path::PathBuf;
use yulian_exec::rules::ROLE_WRITER;
use yulian_sdk::{Account, Chain, Client, Options};

/// A chain, writers on it, and the processes behind it as far as they are known.
pub(crate) struct Target {
    pub(crate) chain: Chain,
    pub(crate) accounts: Vec<Account>,
    /// So many of them, the last ones, were registered by transactions.
    pub(crate) registered: usize,
    /// Administrators of a network of this run.
    pub(crate) admins: Vec<Account>,
    pub(crate) processes: Vec<Process>,
    pub(crate) nodes: usize,
    /// Folder of the network, if it is on this machine.
    pub(crate) dir: Option<PathBuf>,
}

impl Target {
    /// A network of this run.
    pub(crate) async fn own(network: &mut OwnNetwork) -> Result<Self> {
        let client = Client::new(network.urls(), Options::default()).map_err(sdk)?;
        let chain = client.chain(&network.running.genesis).await.map_err(sdk)?;
        let of_keys = |keys: &mut Vec<_>| std::mem::take(keys).into_iter().map(Account::of_first_key).collect();
        let accounts = of_keys(&mut network.keys.writers);
        let admins = of_keys(&mut network.keys.admins);
        let processes = network.processes();
        Ok(Self {
            chain,
            accounts,
            registered: 0,
            admins,
            nodes: processes.len(),
            processes,
            dir: Some(network.dir.clone()),
        })
    }

    /// The nodes that the command line names.
    pub(crate) async fn named(arguments: &Arguments) -> Result<Self> {
        let connect = Connect {
            url: arguments.url.clone(),
            dir: arguments.dir.clone(),
            chain: arguments.chain.clone(),
        };
        let chain = connect.chain().await?;
        let sign = SignMany {
            key: arguments.key.clone(),
            passphrase: arguments.passphrase.clone(),
        };
        let actors = sign.actors(&connect, &chain, ROLE_WRITER).await?;
        let accounts = actors.into_iter().map(|actor| actor.account).collect();
        // Processes count only if they are those of the chain that is loaded.
        let running = status_file::read(&arguments.dir).filter(|running| running.genesis == chain.id().to_string());
        let processes = running
            .as_ref()
            .map(|running| processes(&arguments.dir, running))
            .unwrap_or_default();
        let nodes = if processes.is_empty() {
            arguments.url.len()
        } else {
            processes.len()
        };
        Ok(Self {
            chain,
            accounts,
            registered: 0,
            admins: Vec::new(),
            processes,
            nodes,
            dir: running.map(|_| arguments.dir.clone()),
        })
    }
}
