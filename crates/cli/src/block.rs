//! `yulian block`: final blocks.

use crate::{
    clock,
    connect::{Connect, block_on},
    files, out,
    problem::{Exit, Result},
    refusal::sdk,
    text::{problem, say},
    transaction::outcome,
};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use yulian_sdk::{BlockRef, Chain, views::BlockView};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Show(Show),
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[arg(default_value = "latest")]
    block: String,
    #[arg(long)]
    header_out: Option<PathBuf>,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

pub(crate) fn run(command: &Command) -> Result<Exit> {
    let Command::Show(arguments) = command;
    block_on(show(arguments))
}

async fn show(arguments: &Show) -> Result<Exit> {
    let block: BlockRef = arguments
        .block
        .parse()
        .map_err(|_| problem::bad_block(&arguments.block))?;
    let chain: Chain = arguments.connect.chain().await?;
    let view = chain.block(block).await.map_err(sdk)?;
    if let Some(path) = &arguments.header_out {
        files::write(path, &view.header.bytes.0, false)?;
    }
    if arguments.json {
        out::json(&view);
    } else {
        print(&view);
    }
    Ok(Exit::Done)
}

fn print(view: &BlockView) {
    let header = &view.header;
    out::fields(&[
        (say::label_height(), header.height.to_string()),
        (say::label_digest(), header.digest.to_string()),
        (say::label_time(), clock::beijing(header.time_ms)),
        (say::label_epoch(), header.epoch.to_string()),
        (say::label_parent(), header.parent.to_string()),
        (say::label_parent_state_root(), header.parent_state_root.to_string()),
        (say::label_protocol(), header.protocol_version.to_string()),
        (say::label_validators_since(), header.validators_since.to_string()),
        (say::label_size(), say::bytes(view.size_bytes)),
        (say::label_transactions(), view.transactions.len().to_string()),
    ]);
    let rows: Vec<Vec<String>> = view
        .transactions
        .iter()
        .map(|transaction| {
            vec![
                transaction.index.to_string(),
                transaction.id.to_string(),
                out::one_line(&format!("{}.{}", transaction.module, transaction.method)),
                transaction.result.as_ref().map(outcome).unwrap_or_default(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        out::table(
            &[
                say::head_place(),
                say::label_transaction(),
                say::label_call(),
                say::label_result(),
            ],
            &rows,
        );
    }
}
