//! `yulian replay`: executes a node's chain again from genesis and compares every root.

use super::{open, verifier};
use crate::{
    connect::block_on,
    out,
    problem::{Cause, Exit, Result},
    progress::Progress,
    text::{problem, say},
};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use yulian_modules::registry;
use yulian_node::ledger::{self, ReplayOptions};

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
    block_on(async {
        let opened = open(&arguments.dir).await?;
        let checks = !arguments.roots_only;
        let options = ReplayOptions { signatures: checks, proofs: checks };
        let mut progress = Progress::new(say::replaying(), Some(opened.tip().height));
        let report = ledger::replay(&opened, registry(), verifier(), options, |height| progress.set(height));
        drop(progress);
        let report = report.or_problem(|| problem::replay_differs(arguments.dir.display()))?;
        if arguments.json {
            out::json(&json!({
                "height": report.height, "digest": report.digest.to_string(),
                "state_root": report.state_root.to_string(), "transactions": report.transactions,
                "signatures": report.signatures, "proofs": report.proofs, "keys": report.keys,
            }));
        } else {
            out::line(say::replayed(report.height, report.transactions, report.signatures, report.proofs));
            out::line(say::root_is(report.state_root));
        }
        Ok(Exit::Done)
    })
}
