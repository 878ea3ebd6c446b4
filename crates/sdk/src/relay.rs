//! A relay chain's word in evidence packs: for readers who know only the relay chain's genesis digest.

use crate::{client::Chain, error::SdkError, pack::PackFailure};
use bytes::Bytes;
use yulian_api::{
    BlockRef,
    views::{StateView, ValidatorChangeView},
};
use yulian_crypto::{
    sm2::{FastVerifier, KEY_CACHE_BYTES},
    sm3,
};
use yulian_light::{EvidencePack, PackError, Proven, RelayError, RelayParts, SET_CHANGES_MAX, SetChange, StatusParts};
use yulian_state::Proof;
use yulian_types::{
    BlockError, CodecError, StateKey, decode_canonical, decode_header,
    limits::STATE_VALUE_BYTES_MAX,
    proto::{LinkClient, LinkUpdate},
    state_keys::{LINK_ACTIVE, LINK_FROZEN},
    tags,
};

/// What a relay chain can say about a pack now.
#[derive(Debug, Clone)]
pub enum Word {
    /// The file of the pack with its word.
    Given(Bytes),
    /// It does not keep the pack's last header.
    Missing {
        /// Brings that header, or leads towards it, in a `link.carry` on the relay chain.
        update: Box<LinkUpdate>,
        /// Headers of the pack's chain that it keeps and that are after the deposit was final, highest first: see
        /// [`Chain::restated_pack`].
        kept: Vec<u64>,
    },
}

impl Chain {
    /// The same pack of this chain with the word of a relay chain, checked; or what the relay chain must learn first.
    ///
    /// # Errors
    /// If the relay chain does not know this chain ([`PackFailure::NotLinked`]), does not trust it any more (a
    /// [`PackError::Relay`]), or a node fails.
    pub async fn relayed_pack(&self, pack: &[u8], relay: &Self) -> Result<Word, PackFailure> {
        let pack = self.own(pack)?;
        let (header, finality) = pack.last_header().ok_or(PackError::HeaderOrder)?;
        let height = height_of(header)?;
        let key = StateKey::link_client(&self.id());
        let view = relay.state(&key, None).await?;
        let client = client_of(&view)?.ok_or_else(|| PackFailure::NotLinked {
            relay: relay.id(),
            chain: self.id(),
        })?;
        check_active(&client)?;
        if client.heights.contains(&height) {
            let parts = self.word(relay, &view, height).await?;
            let json = pack.with_relay(parts, &FastVerifier::new(KEY_CACHE_BYTES))?;
            return Ok(Word::Given(json.into()));
        }
        let headers = vec![header.clone()];
        let update = self.link_update_to(&client, height, headers, finality.clone()).await?;
        let covered = pack.headers.last().map_or(Ok(0), |header| height_of(&header.0))?;
        Ok(Word::Missing {
            update: Box::new(update),
            kept: client
                .heights
                .into_iter()
                .rev()
                .filter(|kept| *kept > covered)
                .collect(),
        })
    }

    /// What the relay chain keeps of a header of this chain, proven under the same state as its light client.
    async fn word(&self, relay: &Self, client: &StateView, height: u64) -> Result<RelayParts, PackFailure> {
        let key = StateKey::link_header(&self.id(), height);
        let kept = relay.state(&key, Some(client.height)).await?;
        let headers: Vec<Bytes> = client.finality.headers.iter().map(|header| header.0.clone()).collect();
        let last = client.height.saturating_add(headers.len() as u64);
        Ok(RelayParts {
            genesis: relay.genesis().await?.bytes,
            set_changes: relay.set_changes(last).await?,
            finality: client.finality.proof.bytes.0.clone(),
            headers,
            client: proven(client, "the light client")?,
            kept: proven(&kept, "the kept header")?,
        })
    }

    /// The same pack of this chain with the status under the header of another height, and without a relay chain's word; `None` if
    /// that header has no finality proof of its own. Nodes prove the states of the last 10,000 heights.
    ///
    /// # Errors
    /// If the height is not after the deposit was final, or a node fails or no longer has the state.
    pub async fn restated_pack(&self, pack: &[u8], height: u64) -> Result<Option<Bytes>, PackFailure> {
        let pack = self.own(pack)?;
        let finality = self.finality(BlockRef::Height(height)).await?;
        let [header] = &finality.headers[..] else {
            return Ok(None);
        };
        let mut entries = Vec::new();
        for key in pack.state_keys()? {
            let view = self.state(&key, Some(height.saturating_sub(1))).await?;
            entries.push(proven(&view, "an entry of the pack")?);
        }
        let parts = StatusParts {
            set_changes: self.set_changes(height).await?,
            header: header.0.clone(),
            finality: finality.proof.bytes.0,
            entries,
        };
        let json = pack.restated(parts, &FastVerifier::new(KEY_CACHE_BYTES))?;
        Ok(Some(json.into()))
    }

    fn own(&self, pack: &[u8]) -> Result<EvidencePack, PackFailure> {
        let pack = EvidencePack::decode(pack)?;
        let found = sm3::tagged(&tags::GENESIS, &[&pack.genesis.0]);
        match found == self.id() {
            true => Ok(pack),
            false => Err(PackFailure::OtherChain(found)),
        }
    }

    /// The changes of this chain's validators up to a height.
    async fn set_changes(&self, to: u64) -> Result<Vec<SetChange>, SdkError> {
        let changes = self.changes_after(0, to, SET_CHANGES_MAX).await?;
        let change = |change: ValidatorChangeView| {
            let finality = change.finality?;
            Some(SetChange {
                header: finality.headers.first()?.0.clone(),
                finality: finality.proof.bytes.0,
                validators: change.set.bytes.0,
            })
        };
        Ok(changes.into_iter().filter_map(change).collect())
    }
}

fn client_of(view: &StateView) -> Result<Option<LinkClient>, PackFailure> {
    let value = view
        .value
        .as_ref()
        .map(|value| decode_canonical(&value.0, STATE_VALUE_BYTES_MAX));
    value
        .transpose()
        .map_err(|_: CodecError| PackFailure::NoProof("the light client"))
}

fn check_active(client: &LinkClient) -> Result<(), PackError> {
    match client.status {
        LINK_ACTIVE => Ok(()),
        LINK_FROZEN => Err(RelayError::Frozen.into()),
        _ => Err(RelayError::Ended.into()),
    }
}

fn height_of(header: &Bytes) -> Result<u64, PackFailure> {
    let header = decode_header(header).map_err(|_: BlockError| PackFailure::NoProof("the last header"))?;
    Ok(header.height)
}

fn proven(view: &StateView, what: &'static str) -> Result<Proven, PackFailure> {
    let missing = || PackFailure::NoProof(what);
    let value = view.value.as_ref().ok_or_else(missing)?.0.clone();
    let proof = Proof::from_bytes(&view.proof.0).map_err(|_| missing())?;
    Ok(Proven { value, proof })
}
