//! Registration of nodes: who may connect. A node signs, an administrator of its organisation sends.

use crate::{
    connect::{Actor, Connect, Sign, block_on},
    out,
    problem::{Cause, Exit, Result},
    refusal::sdk,
    text::{problem, say},
    transaction,
};
use clap::Args;
use serde_json::json;
use yulian_crypto::sm2::PublicKey;
use yulian_exec::rules::ROLE_ADMIN;
use yulian_sdk::{
    Chain, Client, Options, Page,
    views::{CandidateView, NodeRole, NodeView},
};
use yulian_types::{decode_canonical, limits::STATE_VALUE_BYTES_MAX, proto};

#[derive(Debug, Args)]
pub(crate) struct List {
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct Register {
    #[arg(long)]
    candidate: String,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    sign: Sign,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    node: String,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    sign: Sign,
}

pub(crate) fn list(arguments: &List) -> Result<Exit> {
    block_on(async {
        let chain = arguments.connect.chain().await?;
        let nodes = all(&chain).await?;
        if arguments.json {
            out::json(&json!({ "nodes": nodes }));
            return Ok(Exit::Done);
        }
        let rows: Vec<_> = nodes.iter().map(row).collect();
        let head = [
            say::head_node(),
            say::head_cloud(),
            say::label_organisation(),
            say::head_address(),
            say::head_role(),
            say::label_public_key(),
        ];
        out::table(&head, &rows);
        Ok(Exit::Done)
    })
}

fn row(node: &NodeView) -> Vec<String> {
    let role = match node.role {
        NodeRole::Validator => say::role_validator(),
        NodeRole::Observer => say::role_observer(),
    };
    let key = node.public_key.to_string();
    vec![
        out::one_line(&node.name),
        out::one_line(&node.cloud),
        node.organisation.clone(),
        node.address.clone(),
        role,
        key,
    ]
}

/// Every registered node.
pub(crate) async fn all(chain: &Chain) -> Result<Vec<NodeView>> {
    let mut nodes = Vec::new();
    let mut page = Page::default();
    loop {
        let found = chain.nodes(&page).await.map_err(sdk)?;
        nodes.extend(found.items);
        match found.next {
            Some(next) => page = Page::after(next),
            None => return Ok(nodes),
        }
    }
}

/// The chain as the candidate itself has it.
pub(crate) async fn at_candidate(chain: &Chain, url: &str) -> Result<Chain> {
    let client = Client::new([url], Options::default()).map_err(sdk)?;
    client.chain(&chain.id().to_string()).await.map_err(sdk)
}

/// Puts a node's own registration on the chain, unless the same stands there already.
pub(crate) async fn register(chain: &Chain, admin: &Actor, candidate: &CandidateView) -> Result<bool> {
    let same = |node: &NodeView| {
        node.public_key == candidate.public_key
            && node.address == candidate.address
            && node.cloud == candidate.cloud
            && node.organisation == candidate.organisation
    };
    if all(chain).await?.iter().any(same) {
        return Ok(false);
    }
    let registration: proto::RegisterNode =
        decode_canonical(&candidate.registration.0, STATE_VALUE_BYTES_MAX).or_problem(problem::bad_answer)?;
    let signed = admin
        .account
        .register_node(chain.terms(), &registration)
        .or_problem(problem::cannot_sign)?;
    transaction::result(chain, &signed).await?;
    Ok(true)
}

pub(crate) fn run_register(arguments: &Register) -> Result<Exit> {
    block_on(async {
        let chain = arguments.connect.chain().await?;
        let candidate = at_candidate(&chain, &arguments.candidate).await?;
        let candidate = candidate.candidate_proof().await.map_err(sdk)?;
        let sign = match (&arguments.sign.key, &arguments.sign.actor) {
            (None, None) => Sign {
                actor: Some(candidate.organisation.clone()),
                ..arguments.sign.clone()
            },
            _ => arguments.sign.clone(),
        };
        let admin = sign.actor(&arguments.connect, &chain, ROLE_ADMIN).await?;
        let new = register(&chain, &admin, &candidate).await?;
        if arguments.json {
            out::json(&json!({ "registered": new, "public_key": candidate.public_key, "address": candidate.address }));
        } else {
            let name = out::one_line(&candidate.name);
            out::line(if new {
                say::node_registered(name)
            } else {
                say::node_registered_before(name)
            });
        }
        Ok(Exit::Done)
    })
}

pub(crate) fn run_remove(arguments: &Remove) -> Result<Exit> {
    block_on(async {
        let chain = arguments.connect.chain().await?;
        let node = find(&all(&chain).await?, &arguments.node)?;
        let sign = match (&arguments.sign.key, &arguments.sign.actor) {
            (None, None) => Sign {
                actor: Some(node.organisation.clone()),
                ..arguments.sign.clone()
            },
            _ => arguments.sign.clone(),
        };
        let admin = sign.actor(&arguments.connect, &chain, ROLE_ADMIN).await?;
        let signed = admin
            .account
            .remove_node(chain.terms(), &node.public_key.0)
            .or_problem(problem::cannot_sign)?;
        transaction::finish(
            &chain,
            &signed,
            say::node_removed(out::one_line(&node.name)),
            arguments.json,
        )
        .await
    })
}

/// A node by name or public key.
pub(crate) fn find(nodes: &[NodeView], named: &str) -> Result<NodeView> {
    let key: Option<PublicKey> = named.parse().ok();
    let mut fitting = nodes
        .iter()
        .filter(|node| node.name == named || Some(node.public_key.0) == key);
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one.clone()),
        (Some(_), Some(_)) => Err(problem::ambiguous_node(named)),
        (None, _) => {
            let names: Vec<String> = nodes.iter().map(|node| out::one_line(&node.name)).collect();
            Err(problem::unknown_node(named, names.join(", ")))
        }
    }
}
