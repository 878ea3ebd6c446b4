//! Opens light clients on the relay chain's word and keeps them within their trust period.

use super::{
    Place, RelayError, Shared, client,
    lane::call,
    now_ms,
    proofs::{changes_after, update},
};
use bytes::Bytes;
use prost::Message;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use yulian_api::BlockRef;
use yulian_crypto::Digest;
use yulian_sdk::SdkError;
use yulian_types::{
    StateKey,
    proto::{Carry, IntroduceLink, LinkClient, LinkList, LinkUpdate},
    state_keys::{LINK_ACTIVE, LINK_ID, TABLE_LINK_LIST},
};

/// How often it looks what is missing.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Clients are brought up to date when this part of their trust period has passed.
const REFRESH_AFTER: u64 = 3;

pub(super) async fn run(shared: Arc<Shared>) -> Result<(), RelayError> {
    loop {
        for (id, place) in &shared.places {
            if let Err(text) = keep(&shared, id, place).await {
                shared.counters.error(place.chain().name(), text);
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The chains whose light clients a chain has.
async fn linked(place: &Place) -> Result<BTreeSet<Digest>, SdkError> {
    let key = StateKey::new(LINK_ID, TABLE_LINK_LIST, &[]);
    let value = place.chain().state(&key, None).await?.value;
    let list = value
        .and_then(|value| LinkList::decode(value.0).ok())
        .unwrap_or_default();
    Ok(list
        .chains
        .iter()
        .filter_map(|chain| Digest::from_slice(chain))
        .collect())
}

async fn keep(shared: &Shared, id: &Digest, place: &Place) -> Result<(), String> {
    let text = |error: SdkError| error.to_string();
    let linked = linked(place).await.map_err(text)?;
    for other in linked.iter().filter(|other| shared.places.contains_key(other)) {
        refresh(shared, place, other).await?;
    }
    if *id == shared.hub || !linked.contains(&shared.hub) {
        return Ok(());
    }
    let known = self::linked(&shared.places[&shared.hub]).await.map_err(text)?;
    let missing = |other: &&Digest| *other != id && !linked.contains(other) && shared.places.contains_key(*other);
    for other in known.iter().filter(missing) {
        introduce(shared, place, other).await?;
    }
    Ok(())
}

/// Brings a header where the last one is old.
async fn refresh(shared: &Shared, place: &Place, other: &Digest) -> Result<(), String> {
    let text = |error: SdkError| error.to_string();
    let Some(known) = client::read(place.chain(), other).await.map_err(text)? else {
        return Ok(());
    };
    let age = now_ms().saturating_sub(known.time_ms);
    if known.status != LINK_ACTIVE || age < known.trust_period_ms / REFRESH_AFTER {
        return Ok(());
    }
    let update = latest(shared, &known, other).await.map_err(text)?;
    bring(shared, place, update).await
}

/// The last header of a chain for a light client of it.
async fn latest(shared: &Shared, known: &LinkClient, of: &Digest) -> Result<LinkUpdate, SdkError> {
    let chain = shared.places[of].chain();
    let view = chain.state(&StateKey::link_client(of), None).await?;
    update(chain, known, &view).await
}

async fn bring(shared: &Shared, place: &Place, update: LinkUpdate) -> Result<(), String> {
    let carry = Carry {
        updates: vec![update],
        items: Vec::new(),
    };
    call(shared, place, "carry", &carry).await.map(|_| ())
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
    let known = client::read(place.chain(), &shared.hub)
        .await
        .map_err(text)?
        .unwrap_or_default();
    if !known.heights.contains(&(word.height + 1)) {
        let update = update(hub, &known, &word).await.map_err(text)?;
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
    call(shared, place, "introduce", &introduction).await.map(|_| ())
}

/// The set in force at the height that a light client names.
async fn set_at(shared: &Shared, of: &Digest, known: &LinkClient) -> Result<Bytes, String> {
    let chain = shared.places[of].chain();
    let since = known.ranges.last().map_or(0, |range| range.first_height);
    if since == 0 {
        let genesis = chain.genesis().await.map_err(|error| error.to_string())?;
        return Ok(genesis.validators.encode());
    }
    let changes = changes_after(chain, since - 1, since)
        .await
        .map_err(|error| error.to_string())?;
    let set = changes.into_iter().next().map(|change| change.set.bytes.0);
    set.ok_or_else(|| format!("the validators since height {since} are not known"))
}
