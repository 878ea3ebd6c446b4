//! Gets what a transaction must bring: for each chain one header, and proofs under it.

use super::Shared;
use bytes::Bytes;
use prost::Message;
use std::collections::BTreeMap;
use yulian_api::views::StateView;
use yulian_crypto::Digest;
use yulian_sdk::SdkError;
use yulian_types::{
    StateKey,
    proto::{LinkProof, LinkUpdate},
};

/// A value with its proof; `None` if there is none.
pub(super) struct Proven {
    pub(super) value: Option<Bytes>,
    pub(super) proof: LinkProof,
}

/// The headers of one transaction.
pub(super) struct Session<'a> {
    shared: &'a Shared,
    /// The chain that the transaction is for.
    at: Digest,
    /// For each other chain: the height whose state is proven, its time and the update that brings the header, if it is not
    /// there yet.
    headers: BTreeMap<Digest, Header>,
}

struct Header {
    height: u64,
    time_ms: u64,
    update: Option<LinkUpdate>,
    /// The update does not reach the header: the light client slept for long and follows in several.
    behind: bool,
    /// It belongs to a step that may still be left out.
    new: bool,
}

impl<'a> Session<'a> {
    pub(super) fn new(shared: &'a Shared, at: Digest) -> Self {
        Self {
            shared,
            at,
            headers: BTreeMap::new(),
        }
    }

    /// The updates, to be brought before the items.
    pub(super) fn into_updates(self) -> Vec<LinkUpdate> {
        self.headers.into_values().filter_map(|header| header.update).collect()
    }

    /// Bytes of the updates so far.
    pub(super) fn update_bytes(&self) -> usize {
        let updates = self.headers.values().filter_map(|header| header.update.as_ref());
        updates.map(Message::encoded_len).sum()
    }

    /// How many headers there are.
    pub(super) fn headers(&self) -> usize {
        self.headers.len()
    }

    /// Whether a light client must catch up before anything is proven to it.
    pub(super) fn is_behind(&self) -> bool {
        self.headers.values().any(|header| header.behind)
    }

    /// What was added for the last step stays.
    pub(super) fn settle(&mut self) {
        self.headers.values_mut().for_each(|header| header.new = false);
    }

    /// What was added since then is left out.
    pub(super) fn drop_new(&mut self) {
        self.headers.retain(|_, header| !header.new);
    }

    /// Time of the header of a chain that this transaction brings, ms.
    pub(super) fn time_ms(&self, of: &Digest) -> u64 {
        self.headers.get(of).map_or(0, |header| header.time_ms)
    }

    /// Whether the header of a chain would be a new one: a transaction brings few.
    pub(super) fn is_new(&self, of: &Digest) -> bool {
        !self.headers.contains_key(of)
    }

    /// A key of a chain under the header of this transaction; `None` if that does not prove the state after `height` yet.
    pub(super) async fn prove(&mut self, of: &Digest, key: &StateKey, height: u64) -> Result<Option<Proven>, SdkError> {
        let chain = self.shared.places[of].chain();
        let known = self.headers.get(of).map(|header| header.height);
        let view = chain.state(key, known).await?;
        if known.is_none() {
            let header = self.header(of, &view).await?;
            self.headers.insert(*of, header);
        }
        let behind = self.headers.get(of).is_some_and(|header| header.behind);
        if view.height < height || behind {
            return Ok(None);
        }
        Ok(Some(Proven {
            value: view.value.map(|value| value.0),
            proof: LinkProof {
                height: view.height + 1,
                proof: view.proof.0,
            },
        }))
    }

    async fn header(&self, of: &Digest, view: &StateView) -> Result<Header, SdkError> {
        let at = self.shared.places[&self.at].chain();
        let height = view.height + 1;
        let bytes = view
            .finality
            .headers
            .first()
            .map(|header| header.0.clone())
            .unwrap_or_default();
        let time_ms = yulian_types::decode_header(&bytes).map_or(0, |header| header.time_ms);
        let known = at.link_client(of).await?.unwrap_or_default();
        let update = if known.heights.contains(&height) {
            None
        } else {
            let chain = self.shared.places[of].chain();
            Some(chain.link_update(&known, &view.finality).await?)
        };
        let behind = update
            .as_ref()
            .is_some_and(|update| update.headers.first() != Some(&bytes));
        Ok(Header {
            height: view.height,
            time_ms,
            update,
            behind,
            new: true,
        })
    }
}
