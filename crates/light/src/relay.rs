//! The relay part of a pack: a reader who trusts the relay chain alone learns which header of the pack's chain it vouches for.
//!
//! The relay chain's state names the pack's chain by its genesis digest and the pack's last header by its own digest. A history
//! made with old keys of that chain ends in another header, so that it does not pass.

use crate::{
    blob::Blob,
    error::PackError,
    header::{FinalHeader, FinalHeaders, HeaderError, verify_headers},
    history::{HistoryError, SET_CHANGES_MAX, SetChange, ValidatorHistory},
    inclusion::{InclusionError, verify_state},
    names::finality,
    pack::{PackRelay, PackSetChange, StateEntry},
    paths::state_proof,
    report::{RelayPath, Root},
    trust::Trust,
};
use bytes::Bytes;
use prost::Message;
use yulian_crypto::{Digest, sm2::Verifier};
use yulian_types::{
    CodecError, GenesisError, SealedGenesis, StateKey, decode_canonical,
    limits::STATE_VALUE_BYTES_MAX,
    proto::{LinkClient, LinkHeader},
    state_keys::{LINK_ACTIVE, LINK_ENDED, LINK_FROZEN},
};

/// Why the relay part of a pack does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelayError {
    /// The relay chain's genesis is malformed.
    #[error("{0}")]
    Genesis(#[source] GenesisError),
    /// A change of its validators is not proven.
    #[error("change {index} of the validators: {source}")]
    SetChange {
        /// Position in the relay part.
        index: usize,
        /// What is wrong with it.
        source: HistoryError,
    },
    /// A change of its validators that none of its headers presupposes.
    #[error("change {0} of the validators is later than every header")]
    NeedlessSetChange(usize),
    /// Its headers are not final.
    #[error("{0}")]
    Headers(#[source] HeaderError),
    /// It contradicts the header that the verifier trusts.
    #[error("against the trusted header: {0}")]
    Fork(#[source] HeaderError),
    /// A record is malformed.
    #[error("{record}: {source}")]
    Record {
        /// Field of the relay part.
        record: &'static str,
        /// What is wrong with it.
        source: CodecError,
    },
    /// A record is not in its state.
    #[error("{record}: {source}")]
    State {
        /// Field of the relay part.
        record: &'static str,
        /// Why not.
        source: InclusionError,
    },
    /// Its light client is of another chain.
    #[error("the light client is not that of the pack's chain")]
    OtherChain,
    /// Its light client has a status that does not exist.
    #[error("the light client has the status {0}")]
    Status(u32),
    /// Its light client is frozen: two final headers of one height were shown to it.
    #[error("the light client is frozen")]
    Frozen,
    /// Its members have ended the link.
    #[error("the link was ended by vote")]
    Ended,
    /// It knows another header of the pack's chain at this height.
    #[error("at height {height} it knows the header {known}, the pack has {found}")]
    OtherHeader {
        /// Height of the pack's last header.
        height: u64,
        /// Digest that the relay chain keeps, hexadecimal.
        known: String,
        /// Digest of the pack's header, hexadecimal.
        found: String,
    },
}

/// Changes of a validator set as a pack brings them, applied from genesis on; else the position of the one that does not hold.
pub(crate) fn follow(
    genesis: &SealedGenesis,
    changes: &[PackSetChange],
    verifier: &dyn Verifier,
) -> Result<ValidatorHistory, (usize, HistoryError)> {
    let mut history = ValidatorHistory::new(genesis);
    if changes.len() > SET_CHANGES_MAX {
        return Err((changes.len(), HistoryError::TooMany(changes.len())));
    }
    for (index, change) in changes.iter().enumerate() {
        let change = SetChange {
            header: change.header.0.clone(),
            finality: change.finality.0.clone(),
            validators: change.validators.0.clone(),
        };
        history.apply(&change, verifier).map_err(|source| (index, source))?;
    }
    Ok(history)
}

/// The position of a change that is in force only after a height.
pub(crate) fn needless(history: &ValidatorHistory, last: u64) -> Option<usize> {
    let ranges = history.ranges();
    let later = ranges[ranges.len() - 1].first_height > last;
    later.then(|| ranges.len().saturating_sub(2))
}

pub(crate) fn bytes_of(blobs: &[Blob]) -> Vec<Bytes> {
    blobs.iter().map(|blob| blob.0.clone()).collect()
}

/// Checks the relay part of a pack of the chain `of`, whose last header is `last`.
pub(crate) fn check_relay(
    part: &PackRelay,
    of: &Digest,
    last: &FinalHeader,
    trust: &Trust,
    verifier: &dyn Verifier,
) -> Result<RelayPath, PackError> {
    let genesis = SealedGenesis::decode(&part.genesis.0).map_err(RelayError::Genesis)?;
    let (history, headers) = headers(part, &genesis, trust, verifier)?;
    let client: LinkClient = record(headers.first(), "client", &part.client, &StateKey::link_client(of))?;
    if client.chain_id[..] != of.0 {
        return Err(RelayError::OtherChain.into());
    }
    match client.status {
        LINK_ACTIVE => {}
        LINK_FROZEN => return Err(RelayError::Frozen.into()),
        LINK_ENDED => return Err(RelayError::Ended.into()),
        other => return Err(RelayError::Status(other).into()),
    }
    let key = StateKey::link_header(of, last.height());
    let kept: LinkHeader = record(headers.first(), "kept", &part.kept, &key)?;
    check_kept(&kept, last)?;
    let first = headers.first();
    Ok(RelayPath {
        chain_id: genesis.chain_id,
        chain_name: genesis.message.name.clone(),
        rests_on: rests_on(trust, of, &genesis.chain_id),
        known_as: client.name,
        vouched_height: last.height(),
        vouched_block: last.digest(),
        // A header of height 0 carries no state.
        as_of_height: first.height().saturating_sub(1),
        as_of_time_ms: first.header().time_ms,
        finality: finality(&headers),
        set_changes: history.ranges().len() - 1,
    })
}

fn headers(
    part: &PackRelay,
    genesis: &SealedGenesis,
    trust: &Trust,
    verifier: &dyn Verifier,
) -> Result<(ValidatorHistory, FinalHeaders), RelayError> {
    let wrap = |(index, source)| RelayError::SetChange { index, source };
    let history = follow(genesis, &part.set_changes, verifier).map_err(wrap)?;
    let headers = verify_headers(&history, &bytes_of(&part.headers), &part.finality.0, verifier);
    let headers = headers.map_err(RelayError::Headers)?;
    let last = headers.last().height();
    if let Some(index) = needless(&history, last) {
        return Err(RelayError::NeedlessSetChange(index));
    }
    let shown: Vec<(Digest, u64)> = headers.all().iter().map(|it| (it.digest(), it.height())).collect();
    trust.agrees(&history, &shown, last).map_err(RelayError::Fork)?;
    Ok((history, headers))
}

/// A record of the relay chain's state.
fn record<M: Message + Default>(
    header: &FinalHeader,
    name: &'static str,
    entry: &StateEntry,
    key: &StateKey,
) -> Result<M, RelayError> {
    let wrap = |source| RelayError::State { record: name, source };
    let proof = state_proof(entry, key).map_err(|error| wrap(error.into()))?;
    verify_state(header, key, Some(&entry.value.0), &proof).map_err(wrap)?;
    let decoded = decode_canonical(&entry.value.0, STATE_VALUE_BYTES_MAX);
    decoded.map_err(|source| RelayError::Record { record: name, source })
}

/// That what the relay chain keeps is the pack's header, by its digest, and so by everything that it says.
fn check_kept(kept: &LinkHeader, last: &FinalHeader) -> Result<(), RelayError> {
    let header = last.header();
    let same = kept.digest[..] == last.digest().0
        && kept.time_ms == header.time_ms
        && kept.state_root == header.parent_state_root;
    same.then_some(()).ok_or_else(|| RelayError::OtherHeader {
        height: last.height(),
        known: Digest::from_slice(&kept.digest).unwrap_or(Digest::ZERO).to_string(),
        found: last.digest().to_string(),
    })
}

fn rests_on(trust: &Trust, chain: &Digest, relay: &Digest) -> Option<Root> {
    match (trust.knows(chain), trust.knows(relay)) {
        (true, _) => Some(Root::Chain),
        (false, true) => Some(Root::Relay),
        (false, false) => None,
    }
}
