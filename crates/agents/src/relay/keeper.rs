//! Opens light clients on the relay chain's word and keeps them within their trust period.

use super::{Place, RelayError, Shared, flight::call, now_ms};
use bytes::Bytes;
use prost::Message;
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};
use tokio::task::JoinSet;
use yulian_api::BlockRef;
use yulian_crypto::Digest;
use yulian_sdk::SdkError;
use yulian_types::{
    StateKey,
    proto::{Carry, IntroduceLink, LinkClient, LinkUpdate},
    state_keys::{LINK_ACTIVE, LINK_ENDED},
};

/// How often it looks what is missing at chains that moved since it looked last.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often it looks at chains that stand still, ms: a light client grows old by itself.
const IDLE_LOOK_EVERY_MS: u64 = 600_000;
/// How soon it looks again at a chain that stands still and where something went wrong, ms.
const FAILED_LOOK_EVERY_MS: u64 = 10_000;
/// How long the result of one transaction is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Clients are brought up to date when this part of their trust period has passed.
const REFRESH_AFTER: u64 = 3;

pub(super) async fn run(shared: Arc<Shared>) -> Result<(), RelayError> {
    let mut seen: BTreeMap<Digest, Seen> = BTreeMap::new();
    loop {
        let now = now_ms();
        let hub = shared.places[&shared.hub].height.load(Relaxed);
        let mut looks = JoinSet::new();
        for (id, place) in shared.places.iter().filter(|(_, place)| place.is_own()) {
            let heights = (place.height.load(Relaxed), hub);
            if seen.get(id).is_some_and(|last| last.covers(heights, now)) {
                continue;
            }
            let (shared, id) = (shared.clone(), *id);
            looks.spawn(async move { (id, heights, keep(&shared, &id, &shared.places[&id]).await) });
        }
        while let Some(look) = looks.join_next().await {
            // One that panicked left its chain as it was; the next one tries again.
            if let Ok((id, heights, went_well)) = look {
                let look = Seen::new(seen.get(&id), heights, went_well, now);
                seen.insert(id, look);
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// What a look at a chain saw: while neither it nor the relay chain moves, there is nothing new for a while.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// Heights of the chain and of the relay chain.
    heights: (u64, u64),
    until_ms: u64,
}

impl Seen {
    fn new(last: Option<&Self>, heights: (u64, u64), went_well: bool, now_ms: u64) -> Self {
        let stands_still = last.is_some_and(|last| last.heights == heights);
        let for_ms = match (went_well, stands_still) {
            (false, _) => FAILED_LOOK_EVERY_MS,
            (true, true) => IDLE_LOOK_EVERY_MS,
            // A block is told some milliseconds before what it proves can be read: what it brought is seen by the next look.
            (true, false) => 0,
        };
        Self {
            heights,
            until_ms: now_ms.saturating_add(for_ms),
        }
    }

    fn covers(&self, heights: (u64, u64), now_ms: u64) -> bool {
        self.heights == heights && now_ms < self.until_ms
    }
}

/// Each light client by itself: one that cannot be helped holds no other up. Whether nothing went wrong.
async fn keep(shared: &Shared, id: &Digest, place: &Place) -> bool {
    let note = |result: Result<(), String>| match result {
        Ok(()) => true,
        Err(text) => {
            shared.counters.error(place.chain().name(), text);
            false
        }
    };
    let clients = match clients(place).await {
        Ok(clients) => clients,
        Err(error) => return note(Err(error.to_string())),
    };
    look_for_left(shared, id, &clients);
    let mut went_well = true;
    for (other, client) in &clients {
        if shared.places.contains_key(other) && is_old(client, now_ms()) {
            went_well &= note(refresh(shared, place, other, client).await);
        }
    }
    if *id == shared.hub || !clients.contains_key(&shared.hub) {
        return went_well;
    }
    let wanted = match wanted(shared, id, &clients).await {
        Ok(wanted) => wanted,
        Err(error) => return note(Err(error.to_string())),
    };
    for other in wanted {
        went_well &= note(introduce(shared, place, &other).await);
    }
    went_well
}

/// Tells the board to which chains there are no links any more.
fn look_for_left(shared: &Shared, id: &Digest, clients: &BTreeMap<Digest, LinkClient>) {
    let ended = clients.iter().filter(|(_, client)| client.status == LINK_ENDED);
    let left = shared.board().set_left(id, ended.map(|(other, _)| *other).collect());
    if left {
        // No block may come that would wake the lane.
        shared.wake.notify_waiters();
    }
}

/// The chains that the relay chain knows and that are to be introduced to this one.
async fn wanted(shared: &Shared, id: &Digest, clients: &BTreeMap<Digest, LinkClient>) -> Result<Vec<Digest>, SdkError> {
    let known = shared.places[&shared.hub].chain().linked_chains().await?;
    let now = now_ms();
    let is_wanted = |other: &Digest| {
        let lacks = clients.get(other).is_none_or(|client| is_lost(client, now));
        other != id && lacks && shared.places.contains_key(other)
    };
    Ok(known.into_iter().filter(is_wanted).collect())
}

async fn clients(place: &Place) -> Result<BTreeMap<Digest, LinkClient>, SdkError> {
    let clients = place.chain().link_clients().await?.into_iter();
    Ok(clients
        .filter_map(|client| Some((Digest::from_slice(&client.chain_id)?, client)))
        .collect())
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

    #[test]
    fn a_chain_that_stands_still_is_looked_at_twice_and_where_something_failed_soon_again() {
        let (before, after) = ((7, 3), (8, 3));
        let first = Seen::new(None, before, true, NOW);
        assert!(
            !first.covers(before, NOW),
            "what the last block brought may not have been readable"
        );
        let second = Seen::new(Some(&first), before, true, NOW + 2_000);
        let idle = NOW + 2_000 + 600_000;
        assert!(second.covers(before, idle - 1) && !second.covers(before, idle));
        assert!(!second.covers(after, NOW + 2_001) && !second.covers((7, 4), NOW + 2_001));
        let failed = Seen::new(Some(&first), before, false, NOW);
        assert!(failed.covers(before, NOW + 9_999) && !failed.covers(before, NOW + 10_000));
    }

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
