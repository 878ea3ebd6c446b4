//! Genesis: what a chain starts from; its digest is the chain's id.

use crate::{
    block::SealedBlock,
    codec::{CodecError, decode_counted, encode},
    limits::*,
    proto, tags,
    validators::{SetError, ValidatorSet},
};
use bytes::Bytes;
use yulian_crypto::{Digest, sm3};

/// Most characters of a chain's name.
pub const CHAIN_NAME_CHARS_MAX: usize = 64;
const VERSION: u32 = 1;
/// Number of the field `validators`.
const VALIDATORS_FIELD: u32 = 6;

/// Why bytes are not a genesis.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// Not canonical protobuf.
    #[error("genesis: {0}")]
    Codec(#[from] CodecError),
    /// The format version is unknown.
    #[error("genesis of unknown version {0}")]
    Version(u32),
    /// The validator set is missing or malformed.
    #[error("genesis validators: {0}")]
    Validators(#[from] SetError),
    /// A required part is missing or out of range.
    #[error("genesis: {0} is missing or out of range")]
    Field(&'static str),
}

/// A checked genesis with its digest.
#[derive(Debug, Clone, PartialEq)]
pub struct SealedGenesis {
    /// The message.
    pub message: proto::Genesis,
    /// The canonical bytes.
    pub bytes: Bytes,
    /// SM3("ylGenesi" ‖ bytes), the chain id.
    pub chain_id: Digest,
    /// The first validators.
    pub validators: ValidatorSet,
}

impl SealedGenesis {
    /// Checks the form of a genesis message. Its content (accounts, parameters, charter) is judged by `exec`.
    pub fn new(message: proto::Genesis) -> Result<Self, GenesisError> {
        Self::decode(&encode(&message))
    }

    /// Decodes canonical bytes.
    pub fn decode(bytes: &Bytes) -> Result<Self, GenesisError> {
        let set = (VALIDATORS_FIELD, VALIDATOR_SET_BYTES_MAX);
        let message: proto::Genesis = decode_counted(bytes, GENESIS_BYTES_MAX, GENESIS_FIELDS_MAX, set)?;
        if message.version != VERSION {
            return Err(GenesisError::Version(message.version));
        }
        if message.name.is_empty() || message.name.chars().count() > CHAIN_NAME_CHARS_MAX {
            return Err(GenesisError::Field("name"));
        }
        if message.epoch_length == 0 {
            return Err(GenesisError::Field("epoch_length"));
        }
        let set = message.validators.clone().ok_or(GenesisError::Field("validators"))?;
        let validators = ValidatorSet::from_message(set)?;
        let chain_id = sm3::tagged(&tags::GENESIS, &[bytes]);
        Ok(Self {
            message,
            bytes: bytes.clone(),
            chain_id,
            validators,
        })
    }

    /// The block of height 0: no transactions, parent zero, both validator digests those of the genesis set.
    pub fn block(&self) -> SealedBlock {
        SealedBlock::genesis(self)
    }
}
