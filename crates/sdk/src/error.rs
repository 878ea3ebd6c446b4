//! Why an operation of the client failed.

use crate::{http::HttpError, proof::ProofFailure, url::UrlError};
use std::sync::Arc;
use yulian_api::{BatchError, Code, ErrorBody};
use yulian_crypto::{Digest, sm2::SignError};

/// Why an operation of the client failed.
#[derive(Debug, thiserror::Error)]
pub enum SdkError {
    /// An address is malformed.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// No node was given, or too many.
    #[error("{0} nodes, 1 to {max} are allowed", max = crate::limits::NODES_MAX)]
    Nodes(usize),
    /// A node could not be reached or did not answer properly; with several nodes, the last one that was tried.
    #[error("{url}: {source}")]
    Node {
        /// Address of the node.
        url: String,
        /// What went wrong.
        source: HttpError,
    },
    /// The node refused the request.
    #[error("{}: {}", .error.code, .error.message_en)]
    Refused {
        /// HTTP status.
        status: u16,
        /// Code, texts, and request id.
        error: Box<ErrorBody>,
    },
    /// The node's answer is not what this interface says.
    #[error("{path}: the answer (status {status}) is not as described: {reason}")]
    Answer {
        /// Path of the request.
        path: String,
        /// HTTP status.
        status: u16,
        /// What is wrong with it.
        reason: String,
    },
    /// The node answered for another chain than the one that was asked for.
    #[error("the node's chain is {found}, not {expected}")]
    OtherChain {
        /// Genesis digest that was expected.
        expected: Digest,
        /// Genesis digest of the node's chain.
        found: Digest,
    },
    /// The transactions do not make a batch.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// A stream broke off more often in a row than it may.
    #[error("the stream failed {failures} times in a row")]
    Stream {
        /// Failures in a row.
        failures: u32,
        /// The last of them.
        #[source]
        last: Box<SdkError>,
    },
    /// A stream skipped a height or went back.
    #[error("the stream brought height {found} where {expected} was due")]
    StreamOrder {
        /// Height that was due.
        expected: u64,
        /// Height that came.
        found: u64,
    },
    /// What was read together changed too fast.
    #[error("the state changed while it was read; ask again")]
    Moving,
    /// A transaction could not be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// An answer of a node does not prove what it claims.
    #[error(transparent)]
    Proof(#[from] ProofFailure),
}

impl SdkError {
    /// The code of a refusal.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { error, .. } => Some(&error.code),
            _ => None,
        }
    }

    /// Whether the node says that there is no such thing.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }

    /// Whether another node may well answer. Not 429: that is the sender's own measure, at whatever node.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Node { source, .. } => !matches!(source, HttpError::TooLarge(_)),
            Self::Refused { status, error } => {
                let time_out = Code::of(&error.code) == Some(Code::RequestTimeout);
                time_out || matches!(status, 500 | 502 | 503 | 504 | 507)
            }
            _ => false,
        }
    }
}

/// Why a transaction has no final result.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The chain refuses the transaction: it had no effect and, as it stands, will have none.
    #[error("{}: {}", .0.code, .0.message_en)]
    Refused(Box<ErrorBody>),
    /// It is not known whether the transaction stands or will stand in a block. Ask for it by its id before making
    /// another one in its place.
    #[error("the outcome of transaction {id} is not known: {reason}")]
    Unknown {
        /// Transaction id.
        id: Digest,
        /// What the last attempt said.
        reason: String,
    },
    /// The transactions could not be sent at all.
    #[error(transparent)]
    Client(Arc<SdkError>),
}

impl SubmitError {
    /// The code of a refusal.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(error) => Some(&error.code),
            Self::Client(error) => error.code(),
            Self::Unknown { .. } => None,
        }
    }
}
