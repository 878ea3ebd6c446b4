//! `yulian replay`: executes a chain again from genesis and compares every root with what the node holds.

use super::{open, verifier};
use crate::{
    connect::block_on,
    network::record::Record,
    out,
    problem::{Cause, Exit, Result},
    progress::Progress,
    text::{problem, say},
};
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use yulian_modules::registry;
use yulian_node::ledger::{self, ReplayOptions, Replayed};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    dir: PathBuf,
    #[arg(long)]
    roots_only: bool,
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let checks = !arguments.roots_only;
    let options = ReplayOptions {
        signatures: checks,
        proofs: checks,
    };
    let mut reports = Vec::new();
    for dir in folders(&arguments.dir)? {
        let report = block_on(replay(&dir, options))?;
        if !arguments.json {
            out::line(say::replayed(
                dir.display(),
                report.height,
                report.transactions,
                report.signatures,
                report.proofs,
            ));
            out::line(say::root_is(report.state_root));
        }
        reports.push(value(&dir, &report));
    }
    if arguments.json {
        out::json(&json!({ "nodes": reports }));
    }
    Ok(Exit::Done)
}

/// The node's own folder, or those of all nodes of a network.
fn folders(dir: &Path) -> Result<Vec<PathBuf>> {
    if !Record::is_in(dir) {
        return Ok(vec![dir.to_owned()]);
    }
    Ok(Record::read(dir)?
        .nodes
        .iter()
        .map(|node| dir.join(&node.folder))
        .collect())
}

async fn replay(dir: &Path, options: ReplayOptions) -> Result<Replayed> {
    let opened = open(dir).await?;
    let mut progress = Progress::new(say::replaying(), Some(opened.tip().height));
    let report = ledger::replay(&opened, registry(), verifier(), options, |height| progress.set(height));
    drop(progress);
    report.or_problem(|| problem::replay_differs(dir.display()))
}

fn value(dir: &Path, report: &Replayed) -> Value {
    json!({
        "dir": dir, "height": report.height, "digest": report.digest.to_string(),
        "state_root": report.state_root.to_string(), "transactions": report.transactions,
        "signatures": report.signatures, "proofs": report.proofs, "keys": report.keys,
    })
}
