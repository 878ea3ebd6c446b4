//! Validator sets and their arithmetic.

use crate::{
    codec::{CodecError, decode_canonical, encode},
    limits::*,
    proto, tags,
};
use bytes::Bytes;
use std::collections::BTreeMap;
use yulian_crypto::{Digest, sm2::PublicKey, sm3};

/// Most Byzantine validators that a set of `n` tolerates: ⌊(n−1)/3⌋.
pub const fn faults_max(n: usize) -> usize {
    n.saturating_sub(1) / 3
}

/// Signatures that finalise a block in a set of `n`: n − ⌊(n−1)/3⌋.
pub const fn quorum(n: usize) -> usize {
    n - faults_max(n)
}

/// Why bytes or a list are not a validator set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// Not canonical protobuf.
    #[error("validator set: {0}")]
    Codec(#[from] CodecError),
    /// Empty, or more than [`VALIDATORS_MAX`].
    #[error("{0} validators, 1 to {VALIDATORS_MAX} are allowed")]
    Count(usize),
    /// A key is no SM2 public key.
    #[error("validator {0} has no valid SM2 public key")]
    Key(usize),
    /// Keys are not strictly ascending.
    #[error("validators are not strictly ascending by public key")]
    Order,
    /// A name, cloud or organisation is empty or too long.
    #[error("validator {0}: name, cloud and organisation have 1 to {LABEL_BYTES_MAX} bytes")]
    Label(usize),
}

/// A checked validator set: sorted by public key, no key twice.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidatorSet {
    message: proto::ValidatorSet,
    keys: Vec<PublicKey>,
    digest: Digest,
}

impl ValidatorSet {
    /// Sorts and checks a list.
    pub fn new(mut validators: Vec<proto::Validator>) -> Result<Self, SetError> {
        validators.sort_by(|a, b| a.public_key.cmp(&b.public_key));
        Self::from_message(proto::ValidatorSet { validators })
    }

    /// Checks a message that must be sorted already.
    pub fn from_message(message: proto::ValidatorSet) -> Result<Self, SetError> {
        let count = message.validators.len();
        if count == 0 || count > VALIDATORS_MAX {
            return Err(SetError::Count(count));
        }
        let mut keys = Vec::with_capacity(count);
        for (index, validator) in message.validators.iter().enumerate() {
            let label = |text: &str| !text.is_empty() && text.len() <= LABEL_BYTES_MAX;
            if !(label(&validator.name) && label(&validator.cloud) && label(&validator.organisation)) {
                return Err(SetError::Label(index));
            }
            let key = PublicKey::from_bytes(&validator.public_key).map_err(|_| SetError::Key(index))?;
            if keys.last().is_some_and(|last| *last >= key) {
                return Err(SetError::Order);
            }
            keys.push(key);
        }
        let digest = sm3::tagged(&tags::VALIDATOR_SET, &[&encode(&message)]);
        Ok(Self { message, keys, digest })
    }

    /// Decodes canonical bytes.
    pub fn decode(bytes: &Bytes) -> Result<Self, SetError> {
        Self::from_message(decode_canonical(bytes, VALIDATOR_SET_BYTES_MAX)?)
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Bytes {
        encode(&self.message)
    }

    /// The message.
    pub fn message(&self) -> &proto::ValidatorSet {
        &self.message
    }

    /// SM3("ylValSet" ‖ bytes).
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The validators in the order of their index.
    pub fn validators(&self) -> &[proto::Validator] {
        &self.message.validators
    }

    /// The public keys in the order of their index.
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// Number of validators.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Signatures that finalise a block.
    pub fn quorum(&self) -> usize {
        quorum(self.len())
    }

    /// Whether a key belongs to the set.
    pub fn contains(&self, key: &PublicKey) -> bool {
        self.index_of(key).is_some()
    }

    /// The index of a key.
    pub fn index_of(&self, key: &PublicKey) -> Option<usize> {
        self.keys.binary_search(key).ok()
    }

    /// Every cloud that holds more than ⌊(n−1)/3⌋ validators, by name, with its count: losing one of them stops the chain.
    pub fn overweight_clouds(&self) -> Vec<(String, usize)> {
        let limit = faults_max(self.len());
        let clouds = self.clouds().into_iter().filter(|(_, count)| *count > limit);
        clouds.map(|(cloud, count)| (cloud.into(), count)).collect()
    }

    /// How many validators each cloud holds.
    pub fn clouds(&self) -> BTreeMap<&str, usize> {
        let mut clouds: BTreeMap<&str, usize> = BTreeMap::new();
        for validator in &self.message.validators {
            *clouds.entry(&validator.cloud).or_default() += 1;
        }
        clouds
    }
}
