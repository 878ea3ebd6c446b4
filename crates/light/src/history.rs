//! Validator sets from genesis on: one link per change of the set.
//!
//! A change takes effect at an epoch's first height. The header of the last height before it names the digest of the
//! new set, and the old set made that header final: so each set vouches for the next. The proof must be the
//! boundary block's own, because all its descendants are signed by the new set already.
//!
//! **Long range.** Keys of a retired set could be stolen and sign another history that omits later changes.
//! Signatures cannot tell. Whoever holds a recent header of the chain that it trusts compares, see [`crate::Trust`].

use crate::header::{HeaderError, verify_headers};
use bytes::Bytes;
use std::sync::Arc;
use yulian_crypto::sm2::Verifier;
use yulian_types::{Digest, SealedGenesis, SetError, ValidatorSet, proto::BlockHeader};

/// Most changes of the set that a foreign history may hold. Each costs a proof of at most 64 signatures.
pub const SET_CHANGES_MAX: usize = 1_024;

/// One change of the validator set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetChange {
    /// Header of the last block of the old set's last epoch.
    pub header: Bytes,
    /// Finality proof of that header, by the old set.
    pub finality: Bytes,
    /// The whole new set, encoded.
    pub validators: Bytes,
}

/// A set and the first epoch and height in which it is in force.
#[derive(Debug, Clone, PartialEq)]
pub struct SetRange {
    /// First epoch.
    pub first_epoch: u64,
    /// First height of that epoch.
    pub first_height: u64,
    /// The set.
    pub validators: Arc<ValidatorSet>,
}

/// Why a change of the set is not proven.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// More than [`SET_CHANGES_MAX`] changes.
    #[error("{0} changes of the validator set, at most {SET_CHANGES_MAX} are allowed")]
    TooMany(usize),
    /// The header is not final under the set in force.
    #[error("header of the change: {0}")]
    Header(#[from] HeaderError),
    /// The header is not that of an epoch's last block.
    #[error("height {0} is not the last of an epoch")]
    NotABoundary(u64),
    /// The change is not later than the one before it.
    #[error("the change at height {0} is not later than the one before")]
    Order(u64),
    /// The new set is malformed.
    #[error("the new set: {0}")]
    Set(#[from] SetError),
    /// The header names another set.
    #[error("the header at height {0} names another set as the next")]
    OtherSet(u64),
    /// The set is the one in force already.
    #[error("the set does not change at height {0}")]
    NoChange(u64),
}

/// The validator sets of a chain as far as they are proven: the last one holds until a further change is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidatorHistory {
    chain_id: Digest,
    epoch_length: u64,
    /// Ascending; never empty, the first is that of genesis.
    ranges: Vec<SetRange>,
}

impl ValidatorHistory {
    /// The history that genesis alone proves.
    pub fn new(genesis: &SealedGenesis) -> Self {
        let first = SetRange {
            first_epoch: 0,
            first_height: 0,
            validators: Arc::new(genesis.validators.clone()),
        };
        Self {
            chain_id: genesis.chain_id,
            epoch_length: genesis.message.epoch_length.max(1),
            ranges: vec![first],
        }
    }

    /// The history that somebody vouches for who has verified it before, such as a chain that keeps a light client. Nothing
    /// below the first range can be verified with it.
    ///
    /// # Panics
    /// If there is no range, or their heights do not strictly ascend: the caller's own record is broken.
    pub fn vouched(chain_id: Digest, epoch_length: u64, ranges: Vec<SetRange>) -> Self {
        assert!(!ranges.is_empty(), "a history has a set");
        assert!(
            ranges.is_sorted_by(|a, b| a.first_height < b.first_height),
            "ranges ascend"
        );
        Self {
            chain_id,
            epoch_length: epoch_length.max(1),
            ranges,
        }
    }

    /// Genesis digest of the chain.
    pub fn chain_id(&self) -> Digest {
        self.chain_id
    }

    /// The sets in ascending order, that of genesis first.
    pub fn ranges(&self) -> &[SetRange] {
        &self.ranges
    }

    /// Epoch of a height.
    pub fn epoch_of(&self, height: u64) -> u64 {
        height / self.epoch_length
    }

    /// Whether a height is the last of its epoch.
    pub fn is_boundary(&self, height: u64) -> bool {
        height % self.epoch_length == self.epoch_length - 1
    }

    /// The range that a height falls into.
    pub fn range_of(&self, height: u64) -> &SetRange {
        let after = self.ranges.partition_point(|range| range.first_height <= height);
        &self.ranges[after.saturating_sub(1)]
    }

    /// Proves one more change, which must be later than all before it.
    ///
    /// # Errors
    /// If the change is not final under the set in force before it; the history stays as it was.
    pub fn apply(&mut self, change: &SetChange, verifier: &dyn Verifier) -> Result<(), HistoryError> {
        if self.ranges.len() > SET_CHANGES_MAX {
            return Err(HistoryError::TooMany(self.ranges.len()));
        }
        let headers = verify_headers(self, std::slice::from_ref(&change.header), &change.finality, verifier)?;
        let header = headers.last().header();
        let first_height = header.height.checked_add(1).filter(|_| self.is_boundary(header.height));
        let first_height = first_height.ok_or(HistoryError::NotABoundary(header.height))?;
        let current = &self.ranges[self.ranges.len() - 1];
        if first_height <= current.first_height {
            return Err(HistoryError::Order(header.height));
        }
        let validators = ValidatorSet::decode(&change.validators)?;
        if validators.digest().0 != header.next_validators[..] {
            return Err(HistoryError::OtherSet(header.height));
        }
        if validators.digest() == current.validators.digest() {
            return Err(HistoryError::NoChange(header.height));
        }
        self.ranges.push(SetRange {
            first_epoch: self.epoch_of(first_height),
            first_height,
            validators: Arc::new(validators),
        });
        Ok(())
    }

    /// Whether a header of this chain names the set that this history has for its height, and since when.
    pub(crate) fn agrees(&self, header: &BlockHeader) -> Result<(), HeaderError> {
        let range = self.range_of(header.height);
        if header.height < range.first_height {
            return Err(HeaderError::BelowHistory(header.height));
        }
        if header.validators[..] != range.validators.digest().0 {
            return Err(HeaderError::Validators(header.height));
        }
        if header.validators_since != range.first_height {
            return Err(HeaderError::ValidatorsSince {
                height: header.height,
                found: header.validators_since,
                proven: range.first_height,
            });
        }
        Ok(())
    }
}
