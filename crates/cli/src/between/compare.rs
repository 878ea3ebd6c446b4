//! `yulian link compare`: whether the nodes of a chain call the same blocks final, and what shows it where they do not.

use super::{agree, say};
use crate::{
    connect::Connect,
    files, out,
    problem::{Exit, Result},
    refusal::sdk,
    text::problem,
};
use clap::Args;
use futures::future::join_all;
use prost::Message;
use serde::Serialize;
use std::path::PathBuf;
use yulian_sdk::{BlockRef, Chain};
use yulian_types::Digest;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    of: String,
    #[arg(long)]
    of_url: Vec<String>,
    #[arg(long)]
    height: Option<u64>,
    #[arg(short, long)]
    out: Option<PathBuf>,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

/// What a node says.
#[derive(Debug, Serialize)]
struct Said {
    url: String,
    /// Digest of its final block; none where it did not answer or is not that far.
    digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What came of it, as a program reads it.
#[derive(Debug, Serialize)]
struct Compared {
    chain: String,
    id: String,
    height: u64,
    nodes: Vec<Said>,
    same: bool,
    /// The file for `link conflict`.
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<String>,
}

pub(super) async fn run(arguments: &Arguments) -> Result<Exit> {
    let at = arguments.connect.chain().await?;
    let of = agree::chain_of(&arguments.connect, &at, &arguments.of, &arguments.of_url).await?;
    let nodes: Vec<(String, Chain)> = of
        .client()
        .urls()
        .enumerate()
        .map(|(node, url)| (url.to_string(), of.only(node)))
        .collect();
    if nodes.len() < 2 {
        return Err(problem::nobody_to_compare(out::one_line(of.name())));
    }
    let height = match arguments.height {
        Some(height) => height,
        None => lowest_tip(&nodes).await?,
    };
    let asked = nodes.iter().map(|(_, chain)| chain.header(BlockRef::Height(height)));
    let answers = join_all(asked).await;
    let digests: Vec<Option<Digest>> = answers
        .iter()
        .map(|answer| answer.as_ref().ok().map(|header| header.digest.0))
        .collect();
    let known: Vec<(usize, Digest)> = digests
        .iter()
        .enumerate()
        .filter_map(|(node, digest)| Some((node, (*digest)?)))
        .collect();
    if known.len() < 2 {
        return Err(problem::nobody_to_compare(out::one_line(of.name())));
    }
    let other = known.iter().find(|(_, digest)| *digest != known[0].1);
    let mut compared = Compared {
        chain: of.name().into(),
        id: of.id().to_string(),
        height,
        same: other.is_none(),
        proof: None,
        nodes: nodes
            .iter()
            .zip(answers)
            .map(|((url, _), answer)| Said {
                url: url.clone(),
                digest: answer.as_ref().ok().map(|header| header.digest.to_string()),
                error: answer.err().map(|error| error.to_string()),
            })
            .collect(),
    };
    if let Some((other, _)) = other {
        let pair = (&nodes[known[0].0].1, &nodes[*other].1);
        compared.proof = proof(arguments, &at, &of, pair, height).await?;
    }
    Ok(show(arguments, &compared))
}

/// The highest block that all nodes have which answer.
async fn lowest_tip(nodes: &[(String, Chain)]) -> Result<u64> {
    let tips = join_all(nodes.iter().map(|(_, chain)| chain.header(BlockRef::Latest))).await;
    let mut heights = Vec::new();
    let mut failed = None;
    for tip in tips {
        match tip {
            Ok(header) => heights.push(header.height),
            Err(error) => failed = Some(error),
        }
    }
    match (heights.into_iter().min(), failed) {
        (Some(height), _) => Ok(height),
        (None, Some(error)) => Err(sdk(error)),
        (None, None) => Ok(0),
    }
}

/// Writes what freezes this chain's light client, if it has one.
async fn proof(
    arguments: &Arguments,
    at: &Chain,
    of: &Chain,
    (one, two): (&Chain, &Chain),
    height: u64,
) -> Result<Option<String>> {
    let (Some(path), Some(known)) = (&arguments.out, at.link_client(&of.id()).await.map_err(sdk)?) else {
        return Ok(None);
    };
    let Some(conflict) = one.conflict_with(two, &known, height).await.map_err(sdk)? else {
        return Ok(None);
    };
    files::write(path, &conflict.encode_to_vec(), false)?;
    Ok(Some(path.display().to_string()))
}

fn show(arguments: &Arguments, compared: &Compared) -> Exit {
    if arguments.json {
        out::json(compared);
    } else {
        for node in &compared.nodes {
            let said = node.digest.as_deref().or(node.error.as_deref()).unwrap_or_default();
            out::line(format!("  {}  {}", node.url, out::one_line(said)));
        }
        let name = out::one_line(&compared.chain);
        out::line(match compared.same {
            true => say::nodes_agree(&name, compared.height),
            false => say::nodes_disagree(&name, compared.height),
        });
        if let Some(file) = &compared.proof {
            out::note_line(say::conflict_written(file));
        }
    }
    match compared.same {
        true => Exit::Done,
        false => Exit::No,
    }
}
