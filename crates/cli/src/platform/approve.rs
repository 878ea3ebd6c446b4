//! `yulian platform requests` and `approve`: who wants to join, and the vote that lets it in.

use super::{
    file::{Digest32, Joined, Platforms},
    own_relay,
    peers::at,
};
use crate::{
    between::{self, Settings},
    clock,
    connect::Connect,
    out,
    problem::{Cause, Exit, Result},
    refusal::sdk,
    text::{problem, say},
};
use clap::Args;
use serde_json::json;
use std::collections::BTreeMap;
use yulian_crypto::{Digest, sm2::FastVerifier};
use yulian_exec::rules::ROLE_ADMIN;
use yulian_sdk::{Chain, views::JoinView};
use yulian_types::{SealedJoin, state_keys::LINK_ACTIVE};

#[derive(Debug, Args)]
pub(crate) struct Requests {
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct Approve {
    named: String,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

/// A request, and the node that has it.
struct Waiting {
    view: JoinView,
    node: usize,
}

/// The requests at all nodes of the platform, the newest of each chain; without those that are linked already.
async fn waiting(connect: &Connect, relay: &Chain) -> Result<Vec<Waiting>> {
    let mut newest: BTreeMap<Digest, Waiting> = BTreeMap::new();
    for node in 0..connect.urls()?.len() {
        // A node that does not answer holds no request back: each is brought to several.
        for view in relay.only(node).joins().await.unwrap_or_default() {
            let known = newest.get(&view.chain.0).map_or(0, |known| known.view.time_ms);
            if view.time_ms > known {
                newest.insert(view.chain.0, Waiting { view, node });
            }
        }
    }
    let mut open = Vec::new();
    for (chain, request) in newest {
        let linked = relay
            .link_client(&chain)
            .await
            .map_err(sdk)?
            .is_some_and(|client| client.status == LINK_ACTIVE);
        if !linked {
            open.push(request);
        }
    }
    Ok(open)
}

pub(super) async fn requests(arguments: &Requests) -> Result<Exit> {
    let relay = own_relay(&arguments.connect).await?;
    let waiting = waiting(&arguments.connect, &relay).await?;
    if arguments.json {
        let views: Vec<&JoinView> = waiting.iter().map(|one| &one.view).collect();
        out::json(&json!({ "relay": relay.id().to_string(), "requests": views }));
        return Ok(Exit::Done);
    }
    if waiting.is_empty() {
        out::line(say::no_requests());
    }
    for one in &waiting {
        let view = &one.view;
        out::line(say::request_head(
            out::one_line(&view.name),
            clock::beijing(view.received_ms),
        ));
        let organisation = format!(
            "{} ({})",
            out::one_line(&view.organisation_name),
            out::one_line(&view.organisation)
        );
        out::fields(&[
            (say::head_genesis(), view.chain.to_string()),
            (say::label_organisation(), organisation),
            (say::label_addresses(), out::one_line(&view.urls.join("  "))),
        ]);
    }
    if !waiting.is_empty() {
        out::note_line(say::requests_hint());
    }
    Ok(Exit::Done)
}

pub(super) async fn run(arguments: &Approve) -> Result<Exit> {
    let connect = &arguments.connect;
    let relay = own_relay(connect).await?;
    let waiting = waiting(connect, &relay).await?;
    let found = pick(&waiting, &arguments.named)?;
    let bytes = relay
        .only(found.node)
        .join_request(&found.view.chain.0)
        .await
        .map_err(sdk)?;
    // The node's word counts for nothing here: the signature does.
    let join = SealedJoin::decode(bytes, &*FastVerifier::shared()).or_problem(problem::bad_request)?;
    let is_admin = join.account.roles.iter().any(|role| role == ROLE_ADMIN);
    let id = join.genesis.chain_id;
    if join.relay != relay.id() || id != found.view.chain.0 || !is_admin {
        return Err(problem::bad_request());
    }
    out::note_line(say::approve_compare(out::one_line(&join.genesis.message.name), id));
    let chain = at(&join.urls)?.chain(&id.to_string()).await.map_err(sdk)?;
    let voters = between::voters(connect, &relay).await?;
    // Whoever approves a chain that left before wants it again.
    let settings = Settings {
        again: true,
        ..Settings::member()
    };
    between::agree(&relay, &voters, &chain, &settings, &say::reason_fusion()).await?;
    Platforms::change(&connect.dir, |platforms| {
        platforms.joined.retain(|known| known.chain.0 != id);
        platforms.joined.push(Joined {
            name: join.genesis.message.name.clone(),
            chain: Digest32(id),
            urls: join.urls,
        });
    })?;
    match arguments.json {
        true => out::json(&json!({ "name": chain.name(), "chain": id.to_string(), "status": "active" })),
        false => out::line(say::approved(out::one_line(chain.name()))),
    }
    Ok(Exit::Done)
}

/// A request by the name or the digest of its chain. Names are chosen by those who ask: two of one name are told apart by digest.
fn pick<'a>(waiting: &'a [Waiting], named: &str) -> Result<&'a Waiting> {
    let fits = |one: &&Waiting| one.view.name == named || one.view.chain.to_string() == named;
    let fitting: Vec<&Waiting> = waiting.iter().filter(fits).collect();
    match fitting[..] {
        [one] => Ok(one),
        [] => Err(problem::no_request(out::one_line(named))),
        _ => {
            let digests: Vec<String> = fitting.iter().map(|one| one.view.chain.to_string()).collect();
            Err(problem::ambiguous_request(out::one_line(named), digests.join(", ")))
        }
    }
}
