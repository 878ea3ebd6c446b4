//! `yulian fusion show`: the chains, whom they believe, and what the relay agent is doing.

use crate::{
    agent, chain, clock,
    connect::Connect,
    out,
    problem::{Exit, Result},
    refusal::sdk,
    text::say,
};
use clap::Args;
use serde::Serialize;
use yulian_agents::relay::{Cursors, RelayStatus};
use yulian_types::state_keys::{LINK_ACTIVE, LINK_FROZEN};

/// An agent writes its status every second: one that is older than this is told of, ms.
const STATUS_AGE_MS_MAX: u64 = 10_000;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Serialize)]
struct Shown {
    relay: String,
    members: Vec<Member>,
    agent: Option<RelayStatus>,
}

#[derive(Debug, Serialize)]
struct Member {
    name: String,
    id: String,
    /// What the relay chain thinks of it: active, frozen, ended, none.
    at_relay: &'static str,
    /// The last header of it that the relay chain knows.
    height_at_relay: u64,
    /// What it thinks of the relay chain.
    of_relay: &'static str,
}

/// What a chain thinks of another, in a word for programs.
pub(crate) fn standing(status: Option<u32>) -> &'static str {
    match status {
        Some(LINK_ACTIVE) => "active",
        Some(LINK_FROZEN) => "frozen",
        Some(_) => "ended",
        None => "none",
    }
}

pub(super) async fn run(arguments: &Arguments) -> Result<Exit> {
    let connect = &arguments.connect;
    let system = connect.chain().await?;
    let chains: Vec<_> = chain::all(&system)
        .await?
        .into_iter()
        .filter(agent::is_linked)
        .collect();
    let Some(hub) = super::hub(&chains) else {
        out::note_line(say::no_fusion());
        return Ok(Exit::No);
    };
    let relay = connect.client()?.chain(&hub.id.to_string()).await.map_err(sdk)?;
    let mut members = Vec::new();
    for record in chains.iter().filter(|chain| chain.id != hub.id) {
        let chain = connect.client()?.chain(&record.id.to_string()).await.map_err(sdk)?;
        let here = relay.link_client(&chain.id()).await.map_err(sdk)?;
        let there = chain.link_client(&relay.id()).await.map_err(sdk)?;
        members.push(Member {
            name: record.name.clone(),
            id: record.id.to_string(),
            at_relay: standing(here.as_ref().map(|client| client.status)),
            height_at_relay: here.map_or(0, |client| client.height),
            of_relay: standing(there.map(|client| client.status)),
        });
    }
    let shown = Shown {
        relay: hub.name.clone(),
        members,
        agent: Cursors::read_status(&agent::folder(&connect.dir)).ok(),
    };
    match arguments.json {
        true => out::json(&shown),
        false => print(&shown),
    }
    Ok(Exit::Done)
}

fn print(shown: &Shown) {
    out::line(say::fusion_relay(out::one_line(&shown.relay), shown.members.len()));
    for member in &shown.members {
        let height = member.height_at_relay;
        out::line(say::fusion_member(
            out::one_line(&member.name),
            member.at_relay,
            height,
            member.of_relay,
        ));
    }
    let Some(agent) = &shown.agent else {
        out::line(say::fusion_no_agent());
        return;
    };
    let backlog: usize = agent.backlog.values().sum();
    out::line(say::fusion_agent(agent.carried, agent.refused, agent.headers, backlog));
    let age_ms = clock::now_ms().saturating_sub(agent.time_ms);
    if age_ms > STATUS_AGE_MS_MAX {
        out::line(say::fusion_agent_old(age_ms / 1_000));
    }
    if let Some(error) = &agent.last_error {
        out::line(say::fusion_agent_error(
            out::one_line(&error.chain),
            out::one_line(&error.text),
        ));
    }
}
