//! Which chains there are and what they are called: those of the platform, and those that a chain keeps light clients of.

use crate::{
    chain,
    connect::Connect,
    out,
    platform::{Platforms, at},
    problem::Result,
    refusal::sdk,
    text::problem,
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};
use yulian_sdk::{Chain, Client, SdkError, views::ChainRecordView};
use yulian_types::{Digest, proto::LinkClient};

/// Digits of a digest that stand for a chain without a name.
const SHORT: usize = 12;

/// Chains by name and digest, opened as they are needed.
pub(super) struct Places {
    client: Client,
    names: BTreeMap<Digest, String>,
    /// Where chains of other platforms are reached.
    elsewhere: BTreeMap<Digest, Vec<String>>,
    open: Mutex<BTreeMap<Digest, Option<Chain>>>,
}

/// A chain that another one knows.
pub(super) struct Peer {
    pub(super) id: Digest,
    pub(super) name: String,
    /// Only if nodes that host it are known and answer.
    pub(super) chain: Option<Chain>,
}

/// Addresses of the chains of platforms that have joined, and of the relay chain of the one that is joined.
fn elsewhere(platforms: &Platforms) -> BTreeMap<Digest, Vec<String>> {
    let joined = platforms.joined.iter();
    let joined = joined.map(|joined| (joined.chain.0, joined.urls.clone()));
    let upstream = platforms.upstream.iter();
    let upstream = upstream.filter_map(|upstream| Some((upstream.relay?.0, upstream.urls.clone())));
    joined.chain(upstream).collect()
}

impl Places {
    /// The chains of the platform, if the nodes' first chain is a system chain.
    pub(super) async fn of_platform(connect: &Connect) -> Result<(Self, Vec<ChainRecordView>)> {
        let system = connect.to_system().chain().await?;
        let mut places = Self {
            client: system.client().clone(),
            names: BTreeMap::from([(system.id(), system.name().to_owned())]),
            elsewhere: elsewhere(&Platforms::read(&connect.dir)?),
            open: Mutex::default(),
        };
        let records = match chain::register(&system).await {
            Ok(records) => records,
            // It has no register.
            Err(SdkError::Refused { .. }) => Vec::new(),
            Err(error) => return Err(sdk(error)),
        };
        for record in &records {
            places.names.insert(record.id.0, record.name.clone());
        }
        places.keep(system);
        Ok((places, records))
    }

    /// The same, and those that a chain keeps light clients of.
    pub(super) async fn around(connect: &Connect, chain: &Chain) -> Result<(Self, Vec<LinkClient>)> {
        let (mut places, _) = Self::of_platform(connect).await?;
        let clients = chain.link_clients().await.map_err(sdk)?;
        places.add(chain, &clients);
        Ok((places, clients))
    }

    /// Adds a chain and what it calls others.
    pub(super) fn add(&mut self, chain: &Chain, clients: &[LinkClient]) {
        self.names.entry(chain.id()).or_insert_with(|| chain.name().to_owned());
        self.keep(chain.clone());
        for client in clients {
            if let Some(id) = Digest::from_slice(&client.chain_id) {
                self.names.entry(id).or_insert_with(|| client.name.clone());
            }
        }
    }

    fn keep(&self, chain: Chain) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(chain.id(), Some(chain));
    }

    /// What a chain is called, on one line; where it has no name, the beginning of its digest.
    pub(super) fn name(&self, id: &Digest) -> String {
        match self.names.get(id) {
            Some(name) => out::one_line(name),
            None => id.to_string().chars().take(SHORT).chain(['.', '.']).collect(),
        }
    }

    /// A chain, if the nodes host it, or its own platform's do and answer.
    pub(super) async fn chain(&self, id: &Digest) -> Result<Option<Chain>> {
        let known = self
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let opened = match self.client.chain(&id.to_string()).await {
            Ok(chain) => Some(chain),
            Err(error) if error.is_not_found() => self.of_other_platform(id).await,
            Err(error) => return Err(sdk(error)),
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(open.entry(*id).or_insert(opened).clone())
    }

    /// Whether a platform answers is its own affair: then its chains are not at hand.
    async fn of_other_platform(&self, id: &Digest) -> Option<Chain> {
        let client = at(self.elsewhere.get(id)?).ok()?;
        client.chain(&id.to_string()).await.ok()
    }

    /// The digest of a chain by name or digest.
    pub(super) fn find(&self, named: &str) -> Result<Digest> {
        if let Ok(id) = named.parse() {
            return Ok(id);
        }
        let found = self.names.iter().find(|(_, name)| *name == named);
        found.map(|(id, _)| *id).ok_or_else(|| {
            let known: Vec<String> = self.names.values().map(|name| out::one_line(name)).collect();
            problem::unknown_chain(named, known.join(", "))
        })
    }

    /// A chain by name or digest.
    pub(super) async fn peer(&self, named: &str) -> Result<Peer> {
        let id = self.find(named)?;
        Ok(Peer {
            id,
            name: self.name(&id),
            chain: self.chain(&id).await?,
        })
    }

    /// A chain by name or digest that must be at hand.
    pub(super) async fn hosted(&self, named: &str) -> Result<Chain> {
        let peer = self.peer(named).await?;
        peer.chain.ok_or_else(|| problem::chain_not_hosted(peer.name))
    }
}
