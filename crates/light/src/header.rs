//! Final headers: a finalised header and its ancestors.

use crate::history::ValidatorHistory;
use bytes::Bytes;
use std::sync::Arc;
use yulian_crypto::sm2::Verifier;
use yulian_types::{
    BlockError, Digest, FinalityError, FinalityProof, ValidatorSet, block_digest, decode_header, proto::BlockHeader,
};

/// Most headers from a block to its finalised descendant.
pub const HEADERS_MAX: usize = 1_024;

/// Why headers are not final.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// No header, or more than [`HEADERS_MAX`].
    #[error("{0} headers, 1 to {HEADERS_MAX} are allowed")]
    Count(usize),
    /// Bytes are not a header.
    #[error("header {index}: {source}")]
    Form {
        /// Position among the headers.
        index: usize,
        /// What is wrong with it.
        source: BlockError,
    },
    /// The header belongs to another chain.
    #[error("the header at height {0} belongs to another chain")]
    OtherChain(u64),
    /// The epoch is not the one of the height.
    #[error("the header at height {0} names a wrong epoch")]
    Epoch(u64),
    /// The set is not the one that the history proves for the height.
    #[error("the header at height {0} names other validators than the history proves")]
    Validators(u64),
    /// The height since which the set holds is not the one that the history proves.
    #[error("the header at height {height} has its validators since {found}, the history since {proven}")]
    ValidatorsSince {
        /// Height of the header.
        height: u64,
        /// What the header says.
        found: u64,
        /// What the history proves.
        proven: u64,
    },
    /// The validators of the height are not known: it is below the history's first range.
    #[error("the header at height {0} is older than the validator sets that are known")]
    BelowHistory(u64),
    /// A header is not the child of the one before it: height, parent digest or time.
    #[error("the header at height {0} is not the child of the one before it")]
    NotAChild(u64),
    /// The proof is malformed or its signatures do not hold.
    #[error("{0}")]
    Finality(#[from] FinalityError),
    /// The proof is of another block or of another epoch than the last header's.
    #[error("the finality proof is not that of the header at height {0}")]
    OtherBlock(u64),
}

/// A header that is final. Only [`verify_headers`] makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct FinalHeader {
    digest: Digest,
    header: BlockHeader,
}

impl FinalHeader {
    /// Digest of the block.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The header's fields.
    pub fn header(&self) -> &BlockHeader {
        &self.header
    }

    /// Height of the block.
    pub fn height(&self) -> u64 {
        self.header.height
    }
}

/// Headers in a row, the last of which was finalised by a proof of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct FinalHeaders {
    headers: Vec<FinalHeader>,
    proof: FinalityProof,
    validators: Arc<ValidatorSet>,
}

impl FinalHeaders {
    /// All headers, ascending by one; never empty.
    pub fn all(&self) -> &[FinalHeader] {
        &self.headers
    }

    /// The lowest header.
    pub fn first(&self) -> &FinalHeader {
        &self.headers[0]
    }

    /// The header that was finalised by the proof.
    pub fn last(&self) -> &FinalHeader {
        &self.headers[self.headers.len() - 1]
    }

    /// The proof of the last header.
    pub fn proof(&self) -> &FinalityProof {
        &self.proof
    }

    /// The set that signed it.
    pub fn validators(&self) -> &Arc<ValidatorSet> {
        &self.validators
    }
}

/// Checks headers in ascending order, the first being of interest and the last finalised by `proof`.
///
/// A header by itself is a slice of one. Work: one hash per header and one signature per signer.
///
/// # Errors
/// If any header or the proof does not hold.
pub fn verify_headers(
    history: &ValidatorHistory,
    headers: &[Bytes],
    proof: &Bytes,
    verifier: &dyn Verifier,
) -> Result<FinalHeaders, HeaderError> {
    if headers.is_empty() || headers.len() > HEADERS_MAX {
        return Err(HeaderError::Count(headers.len()));
    }
    let mut checked: Vec<FinalHeader> = Vec::with_capacity(headers.len());
    for (index, bytes) in headers.iter().enumerate() {
        let header = decode_header(bytes).map_err(|source| HeaderError::Form { index, source })?;
        check_place(history, &header)?;
        if checked.last().is_some_and(|parent| !is_child(parent, &header)) {
            return Err(HeaderError::NotAChild(header.height));
        }
        checked.push(FinalHeader {
            digest: block_digest(bytes),
            header,
        });
    }
    let last = &checked[checked.len() - 1];
    let validators = history.range_of(last.height()).validators.clone();
    let proof = FinalityProof::decode(proof, validators.len())?;
    if proof.digest != last.digest || proof.epoch != last.header.epoch {
        return Err(HeaderError::OtherBlock(last.height()));
    }
    proof.verify(&history.chain_id(), &validators, verifier)?;
    Ok(FinalHeaders {
        headers: checked,
        proof,
        validators,
    })
}

fn check_place(history: &ValidatorHistory, header: &BlockHeader) -> Result<(), HeaderError> {
    if header.chain_id[..] != history.chain_id().0 {
        return Err(HeaderError::OtherChain(header.height));
    }
    if header.epoch != history.epoch_of(header.height) {
        return Err(HeaderError::Epoch(header.height));
    }
    history.agrees(header)
}

fn is_child(parent: &FinalHeader, header: &BlockHeader) -> bool {
    parent.header.height.checked_add(1) == Some(header.height)
        && header.parent[..] == parent.digest.0
        && header.time_ms > parent.header.time_ms
}
