//! Headers that a transaction brings to the light clients of its chain.

use super::{Place, Shared, reads::Read};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::timeout;
use yulian_crypto::Digest;
use yulian_types::proto::{LinkClient, LinkUpdate};

/// How long the headers of one chain are waited for: its nodes may be another platform's, and hold up no more than what needs them.
const PATIENCE: Duration = Duration::from_secs(5);

/// A header of another chain for a transaction.
pub(super) struct Header {
    pub(super) update: LinkUpdate,
    /// The update does not reach the header: the light client slept for long and follows in several.
    pub(super) behind: bool,
}

/// The light client that a chain keeps of another, from memory unless the other's validators have changed.
pub(super) async fn known(place: &Place, of: &Digest, since: u64) -> Result<LinkClient, String> {
    let kept = place.clients().get(of).cloned();
    let covers = |client: &LinkClient| client.ranges.last().is_some_and(|range| range.first_height >= since);
    if let Some(client) = kept.filter(covers) {
        return Ok(client);
    }
    let read = place.chain().link_client(of).await.map_err(|error| error.to_string())?;
    let client = read.ok_or_else(|| format!("link.unknown_chain: {of}"))?;
    place.clients().insert(*of, client.clone());
    Ok(client)
}

/// The headers under which other chains were read, one for each.
pub(super) async fn headers(
    shared: &Shared,
    at: &Digest,
    reads: &BTreeMap<Digest, &Read>,
) -> BTreeMap<Digest, Result<Header, String>> {
    let mut headers = BTreeMap::new();
    for (of, read) in reads {
        let header = timeout(PATIENCE, header(shared, &shared.places[at], of, read)).await;
        let late = |_| Err(format!("{}: no headers in time", shared.places[of].chain().name()));
        headers.insert(*of, header.unwrap_or_else(late));
    }
    headers
}

async fn header(shared: &Shared, place: &Place, of: &Digest, read: &Read) -> Result<Header, String> {
    let known = known(place, of, read.since).await?;
    let update = shared.places[of].chain().link_update(&known, &read.finality).await;
    let update = update.map_err(|error| error.to_string())?;
    let wanted = read.finality.headers.first().map(|header| &header.0);
    Ok(Header {
        behind: update.headers.first() != wanted,
        update,
    })
}
