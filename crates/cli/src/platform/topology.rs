//! `yulian topology show`: this platform's nodes and chains, the relay chain, and the platforms around it.

use super::{
    file::Platforms,
    heartbeat::Heartbeat,
    leave::{LEAVE_KIND, LEAVE_TEXT},
    peers::{heartbeat_of, linked, relay_at},
    relay_among,
};
use crate::{
    chain::all,
    clock,
    connect::{Connect, block_on},
    fusion::standing,
    network::record::Record,
    out,
    problem::{Exit, Result},
    refusal::sdk,
    status,
    text::say,
    transaction,
};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::collections::BTreeSet;
use yulian_crypto::Digest;
use yulian_modules::notice::KINDS;
use yulian_sdk::{Chain, views::ChainRecordView};
use yulian_types::proto::NoticeRecord;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Show(Show),
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

pub(crate) fn run(command: Command) -> Result<Exit> {
    let Command::Show(arguments) = command;
    block_on(async {
        let shown = Shown::read(&arguments.connect).await?;
        match arguments.json {
            true => out::json(&shown),
            false => shown.print(),
        }
        Ok(Exit::Done)
    })
}

#[derive(Debug, Serialize)]
struct Shown {
    platform: String,
    genesis: String,
    nodes: Vec<NodeShown>,
    chains: Vec<ChainShown>,
    relay: Option<RelayShown>,
    members: Vec<MemberShown>,
    upstream: Option<UpstreamShown>,
}

#[derive(Debug, Serialize)]
struct NodeShown {
    name: String,
    cloud: String,
    url: String,
    up: bool,
}

#[derive(Debug, Serialize)]
struct ChainShown {
    name: String,
    id: String,
    template: String,
    life: serde_json::Value,
    validators: usize,
}

#[derive(Debug, Serialize)]
struct RelayShown {
    name: String,
    id: String,
}

/// A chain that this platform's relay chain links.
#[derive(Debug, Serialize)]
struct MemberShown {
    name: String,
    id: String,
    /// Whether its nodes are this platform's.
    here: bool,
    /// What the relay chain knows of it.
    at_relay: &'static str,
    height_at_relay: u64,
    /// Of another platform: what it told last, and how long ago.
    heartbeat: Option<Heartbeat>,
    heartbeat_age_ms: Option<u64>,
    /// It told that it leaves.
    leaving: bool,
}

/// The platform that this one joins.
#[derive(Debug, Serialize)]
struct UpstreamShown {
    urls: Vec<String>,
    chain: String,
    relay: Option<String>,
    reachable: bool,
    /// What its relay chain thinks of this platform's chain, and this platform's chain of it.
    at_relay: &'static str,
    of_relay: &'static str,
    /// Other chains of which this platform's chain has light clients, on the relay chain's word.
    knows: Vec<String>,
    told: Vec<ToldShown>,
}

#[derive(Debug, Serialize)]
struct ToldShown {
    kind: &'static str,
    text: String,
    document: String,
    time_ms: u64,
}

impl Shown {
    async fn read(connect: &Connect) -> Result<Self> {
        let system = connect.chain().await?;
        let records = all(&system).await?;
        let platforms = Platforms::read(&connect.dir)?;
        let own: BTreeSet<Digest> = records.iter().map(|record| record.id.0).collect();
        let (relay, members) = match relay_among(connect, &records).await? {
            Some(relay) => {
                // A new chain's state can be proven after its first block.
                transaction::begun(&relay).await?;
                let shown = RelayShown {
                    name: relay.name().to_owned(),
                    id: relay.id().to_string(),
                };
                (Some(shown), members(&relay, &own).await?)
            }
            None => (None, Vec::new()),
        };
        Ok(Self {
            platform: system.name().to_owned(),
            genesis: system.id().to_string(),
            nodes: nodes(connect).await?,
            chains: records.iter().map(chain_shown).collect(),
            relay,
            members,
            upstream: upstream(connect, &platforms, &records).await?,
        })
    }

    fn print(&self) {
        let up = self.nodes.iter().filter(|node| node.up).count();
        out::line(say::topology_platform(
            out::one_line(&self.platform),
            up,
            self.nodes.len(),
        ));
        for node in &self.nodes {
            let state = if node.up { say::node_up() } else { say::node_down() };
            let (name, cloud) = (out::pad(&out::one_line(&node.name), 14), out::pad(&node.cloud, 6));
            out::line(format!("  {name}{cloud}{}  {state}", node.url));
        }
        out::line(say::topology_chains(self.chains.len()));
        for chain in &self.chains {
            let life = chain.life.as_str().unwrap_or_default();
            let (name, template) = (out::pad(&out::one_line(&chain.name), 16), out::pad(&chain.template, 10));
            let validators = say::topology_validators(chain.validators);
            out::line(format!("  {name}{template}{life}  {validators}  {}", &chain.id));
        }
        if let Some(relay) = &self.relay {
            out::line(say::topology_relay(
                out::one_line(&relay.name),
                self.members.len(),
                &relay.id,
            ));
            self.members.iter().for_each(print_member);
        }
        if let Some(upstream) = &self.upstream {
            print_upstream(upstream);
        }
    }
}

fn print_member(member: &MemberShown) {
    let place = if member.here {
        say::topology_here()
    } else {
        say::topology_joined()
    };
    let name = out::pad(&out::one_line(&member.name), 16);
    let beat = match (&member.heartbeat, member.heartbeat_age_ms) {
        (Some(beat), Some(age)) => say::topology_beat(age / 1_000, beat.up, beat.nodes, beat.height),
        _ if member.here => String::new(),
        _ => say::topology_no_beat(),
    };
    let leaving = if member.leaving {
        say::topology_leaving()
    } else {
        String::new()
    };
    let line = format!(
        "  {name}{place}  {}  #{}  {beat}{leaving}",
        member.at_relay, member.height_at_relay
    );
    out::line(line.trim_end());
}

fn print_upstream(upstream: &UpstreamShown) {
    let relay = upstream.relay.clone().unwrap_or_else(say::topology_unconfirmed);
    out::line(say::topology_upstream(
        out::one_line(&upstream.chain),
        upstream.urls.join("  "),
    ));
    let reachable = if upstream.reachable {
        say::node_up()
    } else {
        say::node_down()
    };
    out::fields(&[
        (say::label_relay(), format!("{relay}  {reachable}")),
        (say::label_at_relay(), upstream.at_relay.into()),
        (say::label_of_relay(), upstream.of_relay.into()),
        (say::label_knows(), out::one_line(&upstream.knows.join("  "))),
    ]);
    for told in &upstream.told {
        let time = clock::beijing(told.time_ms);
        out::line(say::topology_told(told.kind, time, out::one_line(&told.text)));
    }
}

fn chain_shown(record: &ChainRecordView) -> ChainShown {
    ChainShown {
        name: record.name.clone(),
        id: record.id.to_string(),
        template: record.template.clone(),
        life: serde_json::to_value(record.life).unwrap_or_default(),
        validators: record.nodes.iter().filter(|node| node.validator).count(),
    }
}

async fn nodes(connect: &Connect) -> Result<Vec<NodeShown>> {
    let record = Record::read(&connect.dir).ok();
    let seen = status::ask(&connect.client()?).await;
    let shown = seen.into_iter().enumerate().map(|(at, node)| {
        let up = node.answer.is_ok();
        let entry = record.as_ref().and_then(|record| record.nodes.get(at));
        let (name, cloud) = match (node.answer, entry) {
            (Ok(status), _) => (status.name, status.cloud),
            (Err(_), Some(entry)) => (entry.name.clone(), entry.cloud.clone()),
            (Err(_), None) => Default::default(),
        };
        NodeShown {
            name,
            cloud,
            url: node.url,
            up,
        }
    });
    Ok(shown.collect())
}

async fn members(relay: &Chain, own: &BTreeSet<Digest>) -> Result<Vec<MemberShown>> {
    let mut members = Vec::new();
    for (name, id) in linked(relay, &BTreeSet::new()).await? {
        let known = relay.link_client(&id).await.map_err(sdk)?;
        let here = own.contains(&id);
        let beat = if here { None } else { heartbeat_of(relay, &id).await? };
        let now = clock::now_ms();
        let notice = if here {
            None
        } else {
            relay.notice(&id, LEAVE_KIND).await.map_err(sdk)?
        };
        // One that joined again has told how it is since.
        let told_later = |record: &NoticeRecord| beat.as_ref().is_none_or(|(beat, _)| record.sequence > beat.sequence);
        let leaving = notice
            .filter(told_later)
            .and_then(|record| record.notice)
            .is_some_and(|notice| notice.text == LEAVE_TEXT);
        members.push(MemberShown {
            name,
            id: id.to_string(),
            here,
            at_relay: standing(known.as_ref().map(|client| client.status)),
            height_at_relay: known.map_or(0, |client| client.height),
            heartbeat_age_ms: beat.as_ref().map(|(record, _)| now.saturating_sub(record.time_ms)),
            heartbeat: beat.map(|(_, beat)| beat),
            leaving,
        });
    }
    Ok(members)
}

async fn upstream(
    connect: &Connect,
    platforms: &Platforms,
    records: &[ChainRecordView],
) -> Result<Option<UpstreamShown>> {
    let Some(upstream) = &platforms.upstream else {
        return Ok(None);
    };
    let mut shown = UpstreamShown {
        urls: upstream.urls.clone(),
        chain: upstream.chain.clone(),
        relay: upstream.relay.map(|relay| relay.0.to_string()),
        reachable: false,
        at_relay: standing(None),
        of_relay: standing(None),
        knows: Vec::new(),
        told: Vec::new(),
    };
    let record = records.iter().find(|record| record.name == upstream.chain);
    let (Some(relay), Some(record)) = (upstream.relay, record) else {
        return Ok(Some(shown));
    };
    let own = connect.client()?.chain(&record.id.to_string()).await.map_err(sdk)?;
    transaction::begun(&own).await?;
    shown.of_relay = standing(
        own.link_client(&relay.0)
            .await
            .map_err(sdk)?
            .map(|client| client.status),
    );
    let others = linked(&own, &[relay.0].into()).await?;
    shown.knows = others.into_iter().map(|(name, _)| name).collect();
    for kind in KINDS {
        if let Some(record) = own.notice(&relay.0, kind).await.map_err(sdk)? {
            let notice = record.notice.unwrap_or_default();
            shown.told.push(ToldShown {
                kind,
                text: notice.text,
                document: hex::encode(&notice.digest),
                time_ms: record.time_ms,
            });
        }
    }
    // The other platform may be away, or go away now: then this one's own view is what there is.
    if let Ok(hub) = relay_at(upstream).await
        && let Ok(client) = hub.link_client(&own.id()).await
    {
        shown.reachable = true;
        shown.at_relay = standing(client.map(|client| client.status));
    }
    Ok(Some(shown))
}
