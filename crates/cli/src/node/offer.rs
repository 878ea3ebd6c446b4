//! What a node offers to host: `yulian node add`, `node drain` and `node offers`.

use crate::{
    chain::{MODULE, offer_of, offers},
    connect::{Connect, Sign, block_on},
    governance::nodes,
    out,
    problem::{Cause, Exit, Result},
    text::{problem, say},
    transaction,
};
use bytes::Bytes;
use clap::Args;
use serde_json::json;
use yulian_exec::rules::ROLE_ADMIN;
use yulian_sdk::{Chain, views::OfferView};
use yulian_types::proto::{NodeOffer, OfferNode};

#[derive(Debug, Args)]
pub(crate) struct Add {
    node: String,
    #[arg(long, default_value_t = 64)]
    chains: u32,
    #[arg(long, default_value_t = 102_400)]
    storage_mib: u32,
    #[arg(long)]
    organisation: Vec<String>,
    #[arg(long)]
    template: Vec<String>,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    sign: Sign,
}

#[derive(Debug, Args)]
pub(crate) struct Drain {
    node: String,
    #[arg(long)]
    undo: bool,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    sign: Sign,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

pub(super) fn add(arguments: &Add) -> Result<Exit> {
    block_on(async {
        let system = arguments.connect.chain().await?;
        let node = nodes::find(&nodes::all(&system).await?, &arguments.node)?;
        let sorted = |list: &[String]| {
            let mut list = list.to_vec();
            list.sort();
            list.dedup();
            list
        };
        let offer = NodeOffer {
            node: Bytes::copy_from_slice(node.public_key.0.as_bytes()),
            chains_max: arguments.chains,
            storage_mib_max: arguments.storage_mib,
            organisations: sorted(&arguments.organisation),
            templates: sorted(&arguments.template),
            ..Default::default()
        };
        let (name, owner) = (node.name.as_str(), node.organisation.as_str());
        let (connect, sign) = (&arguments.connect, &arguments.sign);
        send(
            &system,
            connect,
            sign,
            owner,
            offer,
            say::node_offered(name),
            arguments.json,
        )
        .await
    })
}

pub(super) fn drain(arguments: &Drain) -> Result<Exit> {
    block_on(async {
        let system = arguments.connect.chain().await?;
        let offers = offers(&system).await?;
        let node = offer_of(&offers, &arguments.node)?;
        let offer = NodeOffer {
            node: Bytes::copy_from_slice(node.node.0.as_bytes()),
            chains_max: node.chains_max,
            storage_mib_max: node.storage_mib_max,
            organisations: node.organisations.clone(),
            templates: node.templates.clone(),
            draining: !arguments.undo,
            ..Default::default()
        };
        let done = match arguments.undo {
            false => say::node_draining(&node.name),
            true => say::node_offered(&node.name),
        };
        let (connect, sign) = (&arguments.connect, &arguments.sign);
        send(&system, connect, sign, &node.organisation, offer, done, arguments.json).await
    })
}

async fn send(
    system: &Chain,
    connect: &Connect,
    sign: &Sign,
    owner: &str,
    offer: NodeOffer,
    done: String,
    as_json: bool,
) -> Result<Exit> {
    let sign = crate::chain::sign_for(sign, owner);
    let actor = sign.actor(connect, system, ROLE_ADMIN).await?;
    let message = OfferNode { offer: Some(offer) };
    let signed = actor.account.call(system.terms(), MODULE, "offer", &message);
    transaction::finish(system, &signed.or_problem(problem::cannot_sign)?, done, as_json).await
}

pub(super) fn list(arguments: &List) -> Result<Exit> {
    block_on(async {
        let offers = offers(&arguments.connect.chain().await?).await?;
        if arguments.json {
            out::json(&json!({ "offers": offers }));
            return Ok(Exit::Done);
        }
        let row = |offer: &OfferView| {
            vec![
                out::one_line(&offer.name),
                out::one_line(&offer.cloud),
                offer.organisation.clone(),
                format!("{} / {}", offer.chains, offer.chains_max),
                format!("{} / {}", offer.storage_mib, offer.storage_mib_max),
                match offer.draining {
                    true => say::draining(),
                    false => String::new(),
                },
            ]
        };
        let rows: Vec<_> = offers.iter().map(row).collect();
        let head = [
            say::head_node(),
            say::head_cloud(),
            say::label_organisation(),
            say::head_chains(),
            say::head_storage(),
            String::new(),
        ];
        out::table(&head, &rows);
        Ok(Exit::Done)
    })
}
