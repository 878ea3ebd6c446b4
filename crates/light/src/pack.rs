//! The evidence pack: one JSON file with everything that proves one deposit.
//!
//! Every field is bound by a digest or a signature, and the file must be byte for byte what its own content encodes
//! to: so no byte of it can change unnoticed. Nothing is believed because the pack says it.

use crate::{blob::Blob, error::PackError};
use serde::{Deserialize, Serialize};

/// Value of the field `format`.
pub const PACK_FORMAT: &str = "yulian-evidence-pack";
/// Value of the field `version`.
pub const PACK_VERSION: u32 = 1;
/// Longest pack, bytes: room for the largest genesis in base64 and a long history of validators.
pub const PACK_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A pack as it stands in its file. Fields that do not apply are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidencePack {
    /// [`PACK_FORMAT`].
    pub format: String,
    /// [`PACK_VERSION`].
    pub version: u32,
    /// Genesis bytes; their digest is the chain id.
    pub genesis: Blob,
    /// Changes of the validator set that the headers below presuppose, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_changes: Vec<PackSetChange>,
    /// Headers from the block of the transaction on, ascending, at least two; the last is finalised by `finality`.
    pub headers: Vec<Blob>,
    /// Finality proof of the last of `headers`.
    pub finality: Blob,
    /// A later final header under whose state the record's status is proven; without it the last of `headers` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later: Option<LaterHeader>,
    /// The transaction.
    pub transaction: Blob,
    /// Its receipt.
    pub receipt: Blob,
    /// Place of the transaction in its block, from 0.
    pub index: u32,
    /// Transactions of the block.
    pub count: u32,
    /// Siblings of the transaction's leaf, from the leaf up, 32 bytes each.
    pub transaction_path: Blob,
    /// Siblings of the receipt's leaf, likewise.
    pub receipt_path: Blob,
    /// The evidence record.
    pub record: StateEntry,
    /// The depositor's account, if it is not one of genesis and its label is to be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<StateEntry>,
    /// The depositor's organisation, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<StateEntry>,
    /// Owner of the key that signed, where the sender's account id does not show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_owner: Option<StateEntry>,
    /// The parameter of the clock drift, where a vote changed it since genesis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<StateEntry>,
    /// One row (or file) of a batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<PackRow>,
    /// The word of another chain, for readers who trust only that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay: Option<PackRelay>,
}

/// A change of the validator set, see [`crate::SetChange`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackSetChange {
    /// Header of the last block of the old set's last epoch.
    pub header: Blob,
    /// Its finality proof by the old set.
    pub finality: Blob,
    /// The new set, encoded.
    pub validators: Blob,
}

/// A final header later than those around the transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaterHeader {
    /// The header.
    pub header: Blob,
    /// Its own finality proof.
    pub finality: Blob,
}

/// A value of the state with the proof that it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateEntry {
    /// The encoded value.
    pub value: Blob,
    /// Siblings from the root down, each depth (1 byte) ‖ hash (32): a state proof without its leaf, which follows from
    /// key and value.
    pub path: Blob,
}

/// How a relay chain vouches for the pack's chain: what its state says of the pack's last header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackRelay {
    /// Genesis bytes of the relay chain.
    pub genesis: Blob,
    /// Changes of its validators up to the last of its headers below, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_changes: Vec<PackSetChange>,
    /// Headers of the relay chain, ascending by one; `client` and `kept` stand under the first, the last is finalised by
    /// `finality`.
    pub headers: Vec<Blob>,
    /// Finality proof of the last of `headers`.
    pub finality: Blob,
    /// The light client that the relay chain keeps of the pack's chain.
    pub client: StateEntry,
    /// What it keeps of the pack's last header.
    pub kept: StateEntry,
}

/// A member of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackRow {
    /// Digest of the row or file, 32 bytes.
    pub digest: Blob,
    /// Its place in the batch, from 0. The batch's count is in the record.
    pub index: u64,
    /// Siblings of its leaf, from the leaf up, 32 bytes each.
    pub path: Blob,
}

impl EvidencePack {
    /// Reads a file. What is read encodes to the same bytes.
    ///
    /// # Errors
    /// Too long, not JSON of a pack, unknown or repeated fields, any other than the canonical form, another format.
    pub fn decode(json: &[u8]) -> Result<Self, PackError> {
        if json.len() > PACK_BYTES_MAX {
            return Err(PackError::TooLong(json.len()));
        }
        let pack: Self = serde_json::from_slice(json).map_err(|error| PackError::Json(error.to_string()))?;
        if pack.encode() != json {
            return Err(PackError::NotCanonical);
        }
        if pack.format != PACK_FORMAT || pack.version != PACK_VERSION {
            return Err(PackError::Format(pack.version));
        }
        Ok(pack)
    }

    /// The bytes of the file: fields in the order of this type, no white space, no line end.
    pub fn encode(&self) -> Vec<u8> {
        // Writing to memory cannot fail, and every field of these types has a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }
}
