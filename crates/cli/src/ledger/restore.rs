//! `yulian restore`: a backup into the empty data folder of a node. Every block is executed and verified again.

use super::{node_of, verifier};
use crate::{
    connect::block_on,
    out,
    problem::{Cause, Exit, Result},
    progress::Progress,
    text::{problem, say},
    verify::trust::genesis_digest,
};
use clap::Args;
use serde_json::json;
use std::{fs::File, io::BufReader, path::PathBuf};
use yulian_modules::registry;
use yulian_node::{host, ledger::import_within};
use yulian_store::Kv;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    file: PathBuf,
    #[arg(long)]
    node_dir: PathBuf,
    #[arg(long)]
    genesis: Option<String>,
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let (config, genesis) = node_of(&arguments.node_dir)?;
    if let Some(text) = &arguments.genesis {
        let (expected, _) = genesis_digest(text)?;
        if expected != genesis.chain_id {
            return Err(problem::other_chain(genesis.chain_id, expected));
        }
    }
    let file = File::open(&arguments.file).or_problem(|| problem::cannot_read(arguments.file.display()))?;
    let mut input = BufReader::new(file);
    let mut progress = Progress::new(say::restoring(), None);
    let cannot = || problem::cannot_restore(arguments.file.display());
    let report = block_on(async {
        let store = host::open_store(&config).or_problem(|| problem::cannot_open_ledger(config.data_dir.display()))?;
        let chain_id = Some(genesis.chain_id);
        let memory = config.state_memory();
        let progress = |height| progress.set(height);
        let restored = import_within(
            store.clone(),
            &mut input,
            chain_id,
            registry(),
            verifier(),
            memory,
            progress,
        );
        let restored = restored.await.or_problem(cannot);
        store.close();
        Ok(restored?.1)
    });
    drop(progress);
    let report = report?;
    if arguments.json {
        out::json(&json!({
            "height": report.height, "state_root": report.state_root.to_string(), "transactions": report.transactions,
            "signatures": report.signatures, "proofs": report.proofs, "keys": report.keys,
        }));
        return Ok(Exit::Done);
    }
    out::line(say::restored(
        report.height,
        report.transactions,
        report.signatures,
        report.proofs,
    ));
    out::line(say::root_is(report.state_root));
    out::note_line(say::restored_validator());
    Ok(Exit::Done)
}
