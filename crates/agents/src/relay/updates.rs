//! Headers that a transaction brings to the light clients of its chain.

use super::{Place, Shared, client, reads::Read};
use prost::Message;
use std::collections::BTreeMap;
use yulian_api::views::{FinalityView, ValidatorChangeView};
use yulian_crypto::Digest;
use yulian_sdk::{Chain, Page, SdkError};
use yulian_types::proto::{LinkClient, LinkSetChange, LinkUpdate};

/// Most changes of the validators that one update brings; the same as `link` takes.
const SET_CHANGES_MAX: usize = 16;

/// Most bytes of the changes that one update brings, the first one aside: there must be room for headers and items.
const SET_CHANGE_BYTES_MAX: usize = 16 * 1024;

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
    let read = client::read(place.chain(), of).await.map_err(|error| error.to_string())?;
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
        headers.insert(*of, header(shared, &shared.places[at], of, read).await);
    }
    headers
}

async fn header(shared: &Shared, place: &Place, of: &Digest, read: &Read) -> Result<Header, String> {
    let known = known(place, of, read.since).await?;
    let update = update(shared.places[of].chain(), &known, &read.finality, read.since).await;
    let update = update.map_err(|error| error.to_string())?;
    let wanted = read.finality.headers.first().map(|header| &header.0);
    Ok(Header {
        behind: update.headers.first() != wanted,
        update,
    })
}

/// What brings the header of an answer, whose validators are in force since a height, to a light client that knows what `known`
/// says.
pub(super) async fn update(
    of: &Chain,
    known: &LinkClient,
    finality: &FinalityView,
    since: u64,
) -> Result<LinkUpdate, SdkError> {
    let last = known.ranges.last().map_or(0, |range| range.first_height);
    let changes = match since > last {
        true => changes_after(of, last, finality.height).await?,
        false => Vec::new(),
    };
    let change = |change: ValidatorChangeView| {
        let finality = change.finality?;
        Some(LinkSetChange {
            header: finality.headers.first()?.0.clone(),
            finality: finality.proof.bytes.0,
            validators: change.set.bytes.0,
        })
    };
    let mut set_changes: Vec<LinkSetChange> = changes.into_iter().filter_map(change).collect();
    let mut bytes = 0;
    let fits = |change: &&LinkSetChange| {
        bytes += change.encoded_len();
        bytes <= SET_CHANGE_BYTES_MAX
    };
    // One is brought at least: without it nothing follows.
    let few = set_changes.iter().take_while(fits).count().max(1);
    let full = set_changes.len() == SET_CHANGES_MAX || set_changes.len() > few;
    set_changes.truncate(few);
    if let (true, Some(last)) = (full, set_changes.pop()) {
        // A client that slept for long follows in several updates, each up to the header of a change.
        return Ok(LinkUpdate {
            chain_id: of.id().to_vec().into(),
            set_changes,
            headers: vec![last.header],
            finality: last.finality,
        });
    }
    Ok(LinkUpdate {
        chain_id: of.id().to_vec().into(),
        set_changes,
        headers: finality.headers.iter().map(|header| header.0.clone()).collect(),
        finality: finality.proof.bytes.0.clone(),
    })
}

/// The changes of a chain's validators after one height and up to another, as many as one update brings.
pub(super) async fn changes_after(of: &Chain, after: u64, to: u64) -> Result<Vec<ValidatorChangeView>, SdkError> {
    let mut found = Vec::new();
    let mut page = Page::default();
    loop {
        let history = of.validator_history(&page).await?;
        let wanted = |change: &ValidatorChangeView| (after + 1..=to).contains(&change.first_height);
        found.extend(history.items.into_iter().filter(wanted));
        match history.next {
            Some(next) if found.len() < SET_CHANGES_MAX => page = Page::after(next),
            _ => break,
        }
    }
    found.truncate(SET_CHANGES_MAX);
    Ok(found)
}
