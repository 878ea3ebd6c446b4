//! Light clients that chains keep of each other: what one knows of another, and what brings it further.

use crate::{
    client::{Chain, Page},
    error::SdkError,
    limits::{HISTORY_PAGES_MAX, UPDATE_CHANGE_BYTES_MAX, UPDATE_CHANGES_MAX},
};
use bytes::Bytes;
use prost::Message;
use yulian_api::views::{FinalityView, ValidatorChangeView};
use yulian_types::{
    Digest, StateKey, decode_header,
    proto::{LinkClient, LinkSetChange, LinkUpdate},
};

impl Chain {
    /// The light client that this chain keeps of another, as the node says.
    ///
    /// # Errors
    /// As for every request.
    pub async fn link_client(&self, of: &Digest) -> Result<Option<LinkClient>, SdkError> {
        self.record(&StateKey::link_client(of)).await
    }

    /// The changes of this chain's validators after one height and up to another, ascending, at most `most` of them. The set of
    /// genesis is no change.
    ///
    /// # Errors
    /// As for every request.
    pub async fn changes_after(&self, after: u64, to: u64, most: usize) -> Result<Vec<ValidatorChangeView>, SdkError> {
        let mut found = Vec::new();
        let mut page = Page::default();
        for _ in 0..HISTORY_PAGES_MAX {
            let history = self.validator_history(&page).await?;
            let wanted = |change: &ValidatorChangeView| change.first_height > after && change.first_height <= to;
            found.extend(history.items.into_iter().filter(wanted));
            match history.next {
                Some(next) if found.len() < most => page = Page::after(next),
                _ => {
                    found.truncate(most);
                    return Ok(found);
                }
            }
        }
        Err(SdkError::Answer {
            path: format!("{}/validator-history", self.base()),
            status: 200,
            reason: format!("more than {HISTORY_PAGES_MAX} pages"),
        })
    }

    /// The encoded set of this chain's validators that came into force at a height, 0 for that of genesis; `None` if none did.
    ///
    /// # Errors
    /// As for every request.
    pub async fn validators_since(&self, height: u64) -> Result<Option<Bytes>, SdkError> {
        match height.checked_sub(1) {
            None => Ok(Some(self.genesis().await?.validators.encode())),
            Some(before) => {
                let change = self.changes_after(before, height, 1).await?.pop();
                Ok(change.map(|change| change.set.bytes.0))
            }
        }
    }

    /// What brings a final header of this chain to a light client that knows what `known` says. A client that slept for long
    /// follows in several updates: then the first header is that of a change of the validators, not that of `to`.
    ///
    /// # Errors
    /// As for every request.
    pub async fn link_update(&self, known: &LinkClient, to: &FinalityView) -> Result<LinkUpdate, SdkError> {
        let headers = to.headers.iter().map(|header| header.0.clone()).collect();
        self.link_update_to(known, to.height, headers, to.proof.bytes.0.clone())
            .await
    }

    /// The same for headers from `height` on, the last of which is finalised by `finality`.
    pub(crate) async fn link_update_to(
        &self,
        known: &LinkClient,
        height: u64,
        headers: Vec<Bytes>,
        finality: Bytes,
    ) -> Result<LinkUpdate, SdkError> {
        let last = known.ranges.last().map_or(0, |range| range.first_height);
        // The header names the validators that are in force: where the client knows them, nothing has changed.
        let first = headers.first().and_then(|header| decode_header(header).ok());
        let changes = match first.is_some_and(|header| header.validators_since <= last) {
            true => Vec::new(),
            false => self.changes_after(last, height, UPDATE_CHANGES_MAX).await?,
        };
        let mut set_changes: Vec<LinkSetChange> = changes.into_iter().filter_map(set_change).collect();
        let mut bytes = 0;
        let fits = |change: &&LinkSetChange| {
            bytes += change.encoded_len();
            bytes <= UPDATE_CHANGE_BYTES_MAX
        };
        // One is brought at least: without it nothing follows.
        let few = set_changes.iter().take_while(fits).count().max(1);
        let full = set_changes.len() == UPDATE_CHANGES_MAX || set_changes.len() > few;
        set_changes.truncate(few);
        if full && let Some(last) = set_changes.pop() {
            return Ok(LinkUpdate {
                chain_id: self.id().to_vec().into(),
                set_changes,
                headers: vec![last.header],
                finality: last.finality,
            });
        }
        Ok(LinkUpdate {
            chain_id: self.id().to_vec().into(),
            set_changes,
            headers,
            finality,
        })
    }
}

/// A change as it travels; `None` for the set of genesis.
fn set_change(change: ValidatorChangeView) -> Option<LinkSetChange> {
    let finality = change.finality?;
    Some(LinkSetChange {
        header: finality.headers.first()?.0.clone(),
        finality: finality.proof.bytes.0,
        validators: change.set.bytes.0,
    })
}
