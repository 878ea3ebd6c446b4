//! Chains of other platforms: where they are reached.

use super::file::{Joined, Platforms, Upstream};
use crate::{chain::all, fusion::hub, problem::Result, refusal::sdk, text::problem};
use std::{collections::BTreeSet, time::Duration};
use yulian_crypto::Digest;
use yulian_sdk::{Chain, Client, Options};
use yulian_types::{proto::NoticeRecord, state_keys::LINK_ACTIVE};

use super::heartbeat::{HEARTBEAT, Heartbeat};

/// Longest wait for an answer of another platform's node.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Most addresses that are tried for one chain.
const URLS_MAX: usize = 16;

/// A chain of another platform that the relay chain links.
#[derive(Debug, Clone)]
pub(crate) struct Foreign {
    pub(crate) id: Digest,
    pub(crate) name: String,
    pub(crate) urls: Vec<String>,
}

impl Foreign {
    /// The chain at its nodes.
    pub(crate) async fn open(&self) -> Result<Chain> {
        at(&self.urls)?.chain(&self.id.to_string()).await.map_err(sdk)
    }
}

/// A client of another platform's nodes.
pub(crate) fn at(urls: &[String]) -> Result<Client> {
    let options = Options {
        request_timeout: REQUEST_TIMEOUT,
        ..Options::default()
    };
    Client::new(urls, options).map_err(sdk)
}

/// The relay chain of the platform that is joined, once its digest was compared.
pub(crate) async fn relay_at(upstream: &Upstream) -> Result<Chain> {
    let relay = upstream.relay.ok_or_else(problem::not_confirmed)?;
    at(&upstream.urls)?.chain(&relay.0.to_string()).await.map_err(sdk)
}

/// What the nodes at these addresses say is their relay chain: to be compared, not to be believed.
pub(crate) async fn claimed_relay(urls: &[String]) -> Result<(String, Digest)> {
    let system = at(urls)?.chain("default").await.map_err(sdk)?;
    let chains = all(&system).await?;
    hub(&chains)
        .map(|chain| (chain.name.clone(), chain.id.0))
        .ok_or_else(problem::no_relay)
}

/// The chains that the relay chain links, without those in `own`, with the addresses that are known: of their own heartbeats, of their
/// requests, and those of the relay chain's platform, which may host them.
pub(crate) async fn foreign(hub: &Chain, own: &BTreeSet<Digest>, platforms: &Platforms) -> Result<Vec<Foreign>> {
    let linked = linked(hub, own).await?;
    let ids: Vec<Digest> = linked.iter().map(|(_, id)| *id).collect();
    let beats = hub.notices(&ids, HEARTBEAT).await.map_err(sdk)?;
    let mut found = Vec::new();
    for ((name, id), beat) in linked.into_iter().zip(beats) {
        let beat = beat.as_ref().and_then(heartbeat);
        let mut urls = beat.map(|beat| beat.urls).unwrap_or_default();
        let of_chain = |joined: &&Joined| joined.chain.0 == id;
        urls.extend(
            platforms
                .joined
                .iter()
                .filter(of_chain)
                .flat_map(|joined| joined.urls.clone()),
        );
        urls.extend(platforms.upstream.iter().flat_map(|upstream| upstream.urls.clone()));
        let mut seen = BTreeSet::new();
        urls.retain(|url| seen.insert(url.clone()));
        urls.truncate(URLS_MAX);
        if !urls.is_empty() {
            found.push(Foreign { id, name, urls });
        }
    }
    Ok(found)
}

/// Name and id of the chains whose light clients are active, without those in `own`.
pub(crate) async fn linked(hub: &Chain, own: &BTreeSet<Digest>) -> Result<Vec<(String, Digest)>> {
    let mut chains = hub.linked_chains().await.map_err(sdk)?;
    chains.retain(|id| !own.contains(id));
    let clients = hub.link_clients_of(&chains).await.map_err(sdk)?.into_iter();
    let active = clients.filter(|client| client.status == LINK_ACTIVE);
    let named = active.filter_map(|client| Some((client.name, Digest::from_slice(&client.chain_id)?)));
    Ok(named.collect())
}

/// The last heartbeat of a chain in a chain's state, with its record.
pub(crate) async fn heartbeat_of(hub: &Chain, of: &Digest) -> Result<Option<(NoticeRecord, Heartbeat)>> {
    let record = hub.notice(of, HEARTBEAT).await.map_err(sdk)?;
    Ok(record.and_then(|record| heartbeat(&record).map(|beat| (record, beat))))
}

fn heartbeat(record: &NoticeRecord) -> Option<Heartbeat> {
    Heartbeat::parse(&record.notice.as_ref()?.text)
}
