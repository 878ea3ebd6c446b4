//! A planned network on the disk.

use super::{
    config, firewall,
    plan::{Holder, Plan, PlannedNode},
    readme::readme,
    record::{AccountEntry, NodeEntry, Record},
};
use crate::{
    files, key,
    problem::{Cause, Result},
    text::problem,
    up::CONFIG_FILE,
};
use std::{
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};
use yulian_crypto::key_file;
use yulian_types::account_id;

/// The genesis message, in the folder of the network and in that of each node.
pub(crate) const GENESIS_FILE: &str = "genesis.bin";
/// Its digest, for people to compare.
pub(crate) const GENESIS_DIGEST_FILE: &str = "genesis.txt";
/// Packet filter of a node's host.
const FIREWALL_FILE: &str = "firewall.nft";
/// A node's private key.
pub(crate) const NODE_KEY_FILE: &str = "node.pem";

/// Writes the whole network and gives it its name at the end: there is never half of one.
pub(crate) fn network(plan: &Plan, dir: &Path, folders: &[String]) -> Result<()> {
    crate::up::refuse_existing(dir)?;
    let mut name = dir.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = dir.with_file_name(name);
    let written = write(plan, &beside, folders);
    let renamed = written.and_then(|()| fs::rename(&beside, dir).or_problem(|| problem::cannot_write(dir.display())));
    if renamed.is_err() {
        // The first error says why; what is left is of no use, and its keys belong to nobody.
        let _ = fs::remove_dir_all(&beside);
    }
    renamed
}

/// A folder that only its owner enters: it holds keys.
pub(crate) fn private_dir(path: &Path) -> Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.or_problem(|| problem::cannot_write(path.display()))
}

fn write(plan: &Plan, dir: &Path, folders: &[String]) -> Result<()> {
    private_dir(dir)?;
    let genesis = &plan.genesis;
    files::write(&dir.join(GENESIS_FILE), &genesis.bytes, false)?;
    files::write(
        &dir.join(GENESIS_DIGEST_FILE),
        format!("{}\n", genesis.chain_id).as_bytes(),
        false,
    )?;
    files::write(&dir.join("README.md"), readme(plan, folders).as_bytes(), false)?;
    let mut accounts = Vec::new();
    for organisation in &plan.organisations {
        accounts.extend(write_accounts(plan, dir, &organisation.id, &organisation.accounts)?);
    }
    let mut nodes = Vec::new();
    for (planned, folder) in plan.nodes.iter().zip(folders) {
        nodes.push(write_node(&genesis.bytes, dir, planned, folder)?);
        let rules = firewall::rules(planned, &plan.nodes);
        files::write(&dir.join(folder).join(FIREWALL_FILE), rules.as_bytes(), false)?;
    }
    Record::new(genesis.message.name.clone(), genesis.chain_id, nodes, accounts).write(dir)
}

fn write_accounts(
    plan: &Plan,
    dir: &Path,
    organisation: &str,
    accounts: &[(String, Holder)],
) -> Result<Vec<AccountEntry>> {
    let folder = PathBuf::from("organisations").join(organisation);
    private_dir(&dir.join(&folder))?;
    let mut entries = Vec::new();
    for (name, holder) in accounts {
        let id = account_id(&holder.public_key());
        let file = folder.join(format!("{name}.pem"));
        let in_genesis = plan
            .genesis
            .message
            .accounts
            .iter()
            .find(|account| account.id[..] == id.0);
        entries.push(AccountEntry {
            organisation: organisation.to_owned(),
            name: name.clone(),
            id: id.to_string(),
            roles: in_genesis.map(|account| account.roles.clone()).unwrap_or_default(),
            key: write_key(&dir.join(&file), holder)?.then_some(file),
        });
    }
    Ok(entries)
}

/// Whether there is a key to write.
fn write_key(path: &Path, holder: &Holder) -> Result<bool> {
    let Holder::Here(secret) = holder else {
        return Ok(false);
    };
    let written = key_file::write(path, secret, None, &mut key::random());
    written.or_problem(|| problem::cannot_write_key(path.display()))?;
    Ok(true)
}

/// The folder of one node: all that its host needs.
pub(crate) fn write_node(genesis: &[u8], dir: &Path, planned: &PlannedNode, folder: &str) -> Result<NodeEntry> {
    let own = dir.join(folder);
    private_dir(&own)?;
    write_key(&own.join(NODE_KEY_FILE), &planned.key)?;
    files::write(&own.join(GENESIS_FILE), genesis, false)?;
    files::write(&own.join(CONFIG_FILE), config::text(planned)?.as_bytes(), false)?;
    let node = &planned.node;
    Ok(NodeEntry {
        name: node.name.clone(),
        cloud: node.cloud.clone(),
        organisation: node.organisation.clone(),
        public_key: planned.key.public_key().to_string(),
        folder: folder.into(),
        // The API listens on the node's own machine alone.
        api: format!("127.0.0.1:{}", node.api_port),
        peer: node.peer_address(),
    })
}
