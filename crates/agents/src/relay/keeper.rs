//! Opens light clients on the relay chain's word and keeps them within their trust period.

use super::{Place, RelayError, Shared, flight::call, now_ms};
use bytes::Bytes;
use prost::Message;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};
use tokio::task::JoinSet;
use yulian_api::BlockRef;
use yulian_crypto::Digest;
use yulian_sdk::SdkError;
use yulian_types::{
    StateKey,
    proto::{Carry, IntroduceLink, LinkClient, LinkList, LinkUpdate},
    state_keys::{LINK_ACTIVE, LINK_ENDED},
};

/// How often it looks what is missing at chains that moved since it looked last.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often it looks at chains that stand still, ms: a light client grows old by itself.
const IDLE_LOOK_EVERY_MS: u64 = 600_000;
/// How long the result of one transaction is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Clients are brought up to date when this part of their trust period has passed.
const REFRESH_AFTER: u64 = 3;

pub(super) async fn run(shared: Arc<Shared>) -> Result<(), RelayError> {
    let mut seen: BTreeMap<Digest, Seen> = BTreeMap::new();
    loop {
        let hub = shared.places[&shared.hub].height.load(Relaxed);
        let mut looks = JoinSet::new();
        for (id, place) in shared.places.iter().filter(|(_, place)| place.is_own()) {
            let now = Seen {
                own: place.height.load(Relaxed),
                hub,
                time_ms: now_ms(),
            };
            if seen.get(id).is_some_and(|last| last.covers(&now)) {
                continue;
            }
            seen.insert(*id, now);
            let (shared, id) = (shared.clone(), *id);
            looks.spawn(async move { keep(&shared, &id, &shared.places[&id]).await });
        }
        // A look that panicked left its chain as it was; the next one tries again.
        while looks.join_next().await.is_some() {}
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// What a look at a chain saw: while neither it nor the relay chain moves, there is nothing new.
#[derive(Debug, Clone, Copy)]
struct Seen {
    own: u64,
    hub: u64,
    time_ms: u64,
}

impl Seen {
    fn covers(&self, now: &Self) -> bool {
        let same = (self.own, self.hub) == (now.own, now.hub);
        same && now.time_ms < self.time_ms.saturating_add(IDLE_LOOK_EVERY_MS)
    }
}

/// Each light client by itself: one that cannot be helped holds no other up.
async fn keep(shared: &Shared, id: &Digest, place: &Place) {
    let note = |result: Result<(), String>| {
        if let Err(text) = result {
            shared.counters.error(place.chain().name(), text);
        }
    };
    let clients = match clients(place).await {
        Ok(clients) => clients,
        Err(error) => return note(Err(error.to_string())),
    };
    let ended = clients.iter().filter(|(_, client)| client.status == LINK_ENDED);
    let left = shared.board().set_left(id, ended.map(|(other, _)| *other).collect());
    if left {
        // No block may come that would wake the lane.
        shared.wake.notify_waiters();
    }
    for (other, client) in &clients {
        if shared.places.contains_key(other) && is_old(client, now_ms()) {
            note(refresh(shared, place, other, client).await);
        }
    }
    if *id == shared.hub || !clients.contains_key(&shared.hub) {
        return;
    }
    let known = match linked(&shared.places[&shared.hub]).await {
        Ok(known) => known,
        Err(error) => return note(Err(error.to_string())),
    };
    let now = now_ms();
    for other in known {
        let wanted = clients.get(&other).is_none_or(|client| is_lost(client, now));
        if other != *id && wanted && shared.places.contains_key(&other) {
            note(introduce(shared, place, &other).await);
        }
    }
}

/// The chains whose light clients a chain has.
pub(super) async fn linked(place: &Place) -> Result<BTreeSet<Digest>, SdkError> {
    let list: LinkList = place.chain().record(&StateKey::link_list()).await?.unwrap_or_default();
    Ok(list
        .chains
        .iter()
        .filter_map(|chain| Digest::from_slice(chain))
        .collect())
}

async fn clients(place: &Place) -> Result<BTreeMap<Digest, LinkClient>, SdkError> {
    let mut clients = BTreeMap::new();
    for other in linked(place).await? {
        if let Some(client) = place.chain().link_client(&other).await? {
            clients.insert(other, client);
        }
    }
    Ok(clients)
}

fn age_ms(client: &LinkClient, now_ms: u64) -> u64 {
    now_ms.saturating_sub(client.time_ms)
}

/// Its last header is old, and may still be followed.
fn is_old(client: &LinkClient, now_ms: u64) -> bool {
    let fresh_ms = client.trust_period_ms / REFRESH_AFTER;
    client.status == LINK_ACTIVE && (fresh_ms..=client.trust_period_ms).contains(&age_ms(client, now_ms))
}

/// Its trust period is over, and the relay chain's word opens it again.
fn is_lost(client: &LinkClient, now_ms: u64) -> bool {
    client.introduced && client.status == LINK_ACTIVE && age_ms(client, now_ms) > client.trust_period_ms
}

/// Brings a newer header, if there is one.
async fn refresh(shared: &Shared, place: &Place, other: &Digest, known: &LinkClient) -> Result<(), String> {
    match latest(shared, known, other).await.map_err(|error| error.to_string())? {
        Some(update) => bring(shared, place, update).await,
        None => Ok(()),
    }
}

/// The last header of a chain for a light client of it, unless it knows that one.
async fn latest(shared: &Shared, known: &LinkClient, of: &Digest) -> Result<Option<LinkUpdate>, SdkError> {
    let chain = shared.places[of].chain();
    let view = chain.state(&StateKey::link_client(of), None).await?;
    if view.height < known.height {
        return Ok(None);
    }
    chain.link_update(known, &view.finality).await.map(Some)
}

async fn bring(shared: &Shared, place: &Place, update: LinkUpdate) -> Result<(), String> {
    let carry = Carry {
        updates: vec![update],
        items: Vec::new(),
    };
    call(shared, place, PATIENCE, "carry", &carry).await.map(|_| ())
}

/// Opens a chain's light client of another, which the relay chain knows.
async fn introduce(shared: &Shared, place: &Place, other: &Digest) -> Result<(), String> {
    let text = |error: SdkError| error.to_string();
    let hub = shared.places[&shared.hub].chain();
    let word = hub.state(&StateKey::link_client(other), None).await.map_err(text)?;
    let Some(bytes) = word.value.clone().map(|value| value.0) else {
        return Ok(());
    };
    let vouched = LinkClient::decode(bytes.clone()).map_err(|error| error.to_string())?;
    if vouched.status != LINK_ACTIVE {
        return Ok(());
    }
    let known = place.chain().link_client(&shared.hub).await.map_err(text)?;
    let known = known.unwrap_or_default();
    if !known.heights.contains(&(word.height + 1)) {
        let update = hub.link_update(&known, &word.finality).await.map_err(text)?;
        bring(shared, place, update).await?;
    }
    let chain = shared.places[other].chain();
    let genesis = chain.genesis().await.map_err(text)?;
    let (header, validators) = if vouched.height == 0 {
        (Bytes::new(), Bytes::new())
    } else {
        let header = chain.header(BlockRef::Height(vouched.height)).await.map_err(text)?;
        (header.bytes.0, set_at(shared, other, &vouched).await?)
    };
    let introduction = IntroduceLink {
        height: word.height + 1,
        client: bytes,
        proof: word.proof.0,
        genesis: genesis.bytes,
        header,
        validators,
    };
    call(shared, place, PATIENCE, "introduce", &introduction)
        .await
        .map(|_| ())
}

/// The set in force at the height that a light client names.
async fn set_at(shared: &Shared, of: &Digest, known: &LinkClient) -> Result<Bytes, String> {
    let since = known.ranges.last().map_or(0, |range| range.first_height);
    let set = shared.places[of].chain().validators_since(since).await;
    let set = set.map_err(|error| error.to_string())?;
    set.ok_or_else(|| format!("the validators since height {since} are not known"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 10_000_000;

    fn aged(age_ms: u64) -> LinkClient {
        LinkClient {
            status: LINK_ACTIVE,
            introduced: true,
            trust_period_ms: 900_000,
            time_ms: NOW - age_ms,
            ..Default::default()
        }
    }

    #[test]
    fn a_client_is_refreshed_within_its_trust_period_and_introduced_again_after_it() {
        let of = |age| (is_old(&aged(age), NOW), is_lost(&aged(age), NOW));
        assert_eq!(of(299_999), (false, false));
        assert_eq!(of(300_000), (true, false));
        assert_eq!(of(900_000), (true, false));
        assert_eq!(of(900_001), (false, true));
        let voted = LinkClient {
            introduced: false,
            ..aged(900_001)
        };
        let ended = LinkClient {
            status: LINK_ENDED,
            ..aged(900_001)
        };
        assert!(!is_lost(&voted, NOW) && !is_lost(&ended, NOW));
    }
}
