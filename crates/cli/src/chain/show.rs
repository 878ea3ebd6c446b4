//! Looking at the chains of a platform.

use super::{all, find, offers};
use crate::{
    clock,
    connect::Connect,
    out,
    problem::{Exit, Result},
    refusal::sdk,
    risk,
    status::quota,
    text::say,
};
use clap::Args;
use serde_json::json;
use yulian_sdk::views::{ChainLife, ChainRecordView, OfferView, RegimeView};

/// Columns that the name of a node takes.
const NAME_WIDTH: usize = 12;

#[derive(Debug, Args)]
pub(crate) struct List {
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    name: String,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct Templates {
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

pub(super) async fn list(arguments: &List) -> Result<Exit> {
    let chains = all(&arguments.connect.chain().await?).await?;
    if arguments.json {
        out::json(&json!({ "chains": chains }));
        return Ok(Exit::Done);
    }
    if chains.is_empty() {
        out::line(say::no_platform_chains());
        return Ok(Exit::Done);
    }
    let row = |chain: &ChainRecordView| {
        vec![
            out::one_line(&chain.name),
            out::one_line(&chain.title),
            chain.template.clone(),
            chain.creator.clone(),
            chain.nodes.len().to_string(),
            life(chain.life),
            clock::beijing(chain.since_ms),
        ]
    };
    let rows: Vec<_> = chains.iter().map(row).collect();
    let head = [
        say::head_name(),
        say::head_title(),
        say::head_template(),
        say::head_creator(),
        say::head_nodes(),
        say::label_status(),
        say::head_since(),
    ];
    out::table(&head, &rows);
    Ok(Exit::Done)
}

pub(super) async fn show(arguments: &Show) -> Result<Exit> {
    let system = arguments.connect.chain().await?;
    let chain = find(&system, &arguments.name).await?;
    let in_use = in_use(&arguments.connect, &chain).await?;
    if arguments.json {
        let mut value = serde_json::to_value(&chain).unwrap_or_default();
        let each = in_use
            .iter()
            .map(|(node, regime)| json!({ "node": node, "regime": regime }));
        value["in_use"] = each.collect();
        out::json(&value);
    } else {
        print(&chain, &offers(&system).await?);
        if let Some(line) = quota(in_use.iter().map(|(_, regime)| regime)) {
            out::line(format!("  {line}"));
        }
    }
    Ok(Exit::Done)
}

/// What every node that answers lets the chain do and sees it use.
async fn in_use(connect: &Connect, chain: &ChainRecordView) -> Result<Vec<(String, RegimeView)>> {
    let client = connect.client()?;
    let mut found = Vec::new();
    for at in 0..client.urls().count() {
        // One that does not answer hosts nothing now.
        let Ok(status) = client.only(at).status().await else {
            continue;
        };
        let own = status.chains.iter().find(|hosted| hosted.id == chain.id);
        found.extend(own.map(|hosted| (status.name.clone(), hosted.regime)));
    }
    Ok(found)
}

/// A chain of the register; its nodes by the names under which they offer to host.
pub(super) fn print(chain: &ChainRecordView, offers: &[OfferView]) {
    let node = |node: &yulian_sdk::views::ChainNodeView| {
        let role = match node.validator {
            true => say::role_validator(),
            false => say::role_observer(),
        };
        let stands = match (node.agreed, node.ready) {
            (false, _) => say::node_not_agreed(),
            (true, false) if node.validator => say::node_not_answered(),
            _ => say::node_answered(),
        };
        let offer = offers.iter().find(|offer| offer.node == node.public_key);
        let name = offer.map_or_else(String::new, |offer| out::one_line(&offer.name));
        let (key, organisation) = (&node.public_key, &node.organisation);
        format!(
            "{}  {role}  {stands}  {organisation}  {key}",
            out::pad(&name, NAME_WIDTH)
        )
    };
    let mut rows = vec![
        (say::head_name(), out::one_line(&chain.name)),
        (say::head_title(), out::one_line(&chain.title)),
        (say::head_genesis(), chain.id.to_string()),
        (say::head_template(), chain.template.clone()),
        (say::head_creator(), chain.creator.clone()),
        (say::label_members(), chain.organisations.join(", ")),
        (
            say::label_quota(),
            say::chain_quota(chain.transactions_per_second, chain.storage_mib),
        ),
        (say::label_status(), life(chain.life)),
        (say::head_since(), clock::beijing(chain.since_ms)),
    ];
    if !chain.reason.is_empty() {
        rows.push((say::label_reason(), out::one_line(&chain.reason)));
    }
    if chain.validators_since > 0 {
        let since = say::validators_stated(chain.validators_since, chain.validators_elsewhere);
        rows.push((say::label_validators_stated(), since));
    }
    if let Some(risk) = &chain.risk {
        rows.push((say::label_risk(), risk::words(risk)));
    }
    if let Some(last) = &chain.checkpoint {
        rows.push((say::label_checkpoint(), say::block_place(last.height, last.digest)));
    }
    if let Some(after) = chain.destroy_after_ms {
        rows.push((say::label_destroy_after(), clock::beijing(after)));
    }
    rows.extend(chain.nodes.iter().map(|own| (say::head_node(), node(own))));
    out::fields(&rows);
}

pub(super) async fn templates(arguments: &Templates) -> Result<Exit> {
    let chain = arguments.connect.chain().await?;
    let list = chain.templates().await.map_err(sdk)?;
    if arguments.json {
        out::json(&json!({ "templates": list.items }));
        return Ok(Exit::Done);
    }
    let row = |template: &yulian_sdk::views::TemplateView| {
        let who = template.role.clone().unwrap_or_else(say::by_vote);
        vec![
            template.name.clone(),
            out::one_line(crate::text::either(&template.title_zh, &template.title_en)),
            template.modules.join(", "),
            who,
            say::chain_quota(template.transactions_per_second, template.storage_mib),
        ]
    };
    let rows: Vec<_> = list.items.iter().map(row).collect();
    let head = [
        say::head_template(),
        say::head_title(),
        say::head_modules(),
        say::head_creator(),
        say::label_quota(),
    ];
    out::table(&head, &rows);
    Ok(Exit::Done)
}

/// Where a chain is in its life, in words.
pub(crate) fn life(life: ChainLife) -> String {
    match life {
        ChainLife::Asked => say::life_asked(),
        ChainLife::Starting => say::life_starting(),
        ChainLife::Refused => say::life_refused(),
        ChainLife::Running => say::life_running(),
        ChainLife::Paused => say::life_paused(),
        ChainLife::Archived => say::life_archived(),
        ChainLife::Doomed => say::life_doomed(),
        ChainLife::Destroyed => say::life_destroyed(),
        ChainLife::Unknown => say::life_unknown(),
    }
}
