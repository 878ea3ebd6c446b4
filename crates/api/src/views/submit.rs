//! Answers to submissions.

use crate::{
    error::{ApiError, ErrorBody},
    text::DigestText,
    views::{BlockPlace, ExecutionResult},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use yulian_crypto::Digest;

/// The final result of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FinalResult {
    /// Transaction id.
    pub id: DigestText,
    /// The final block that holds it.
    pub block: BlockPlace,
    /// Position in that block, from 0.
    pub index: u32,
    /// What its execution came to.
    pub result: ExecutionResult,
}

/// Answer to the submission of one transaction.
///
/// `queued` is no acknowledgement: the transaction waits on this node and may still be lost or expire.
/// `final` will not change any more, whether the execution succeeded or not. `refused` had no effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum SubmitAnswer {
    /// Waits on this node; also the answer when a wait ends without a result.
    Queued {
        /// Transaction id.
        id: DigestText,
    },
    /// Stands in a final block.
    Final(FinalResult),
    /// Was not taken and had no effect. A submission of one transaction answers with the error itself.
    Refused {
        /// Transaction id, if the bytes are a transaction.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<DigestText>,
        /// Why.
        error: ErrorBody,
    },
}

/// Answer to a batch: one for each transaction, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BatchAnswer {
    /// The answers.
    pub items: Vec<SubmitAnswer>,
}

/// What a [`crate::ChainService`] says to a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submitted {
    /// Waits on this node.
    Queued(Digest),
    /// Stands in a final block.
    Final(Box<FinalResult>),
    /// Was not taken.
    Refused {
        /// Transaction id, if the bytes are a transaction.
        id: Option<Digest>,
        /// Why.
        error: ApiError,
    },
}

impl Submitted {
    /// The answer to one request.
    pub fn answer(self, request_id: &str) -> SubmitAnswer {
        match self {
            Self::Queued(id) => SubmitAnswer::Queued { id: DigestText(id) },
            Self::Final(result) => SubmitAnswer::Final(*result),
            Self::Refused { id, error } => SubmitAnswer::Refused {
                id: id.map(DigestText),
                error: error.body(request_id),
            },
        }
    }
}
