//! What goes wrong inside, in the words of the interface.

use super::ChainApi;
use crate::{
    StopCause, WaitError,
    admission::Refusal,
    executor::Stopping,
    ledger::{LedgerError, PastError},
    pool::PoolError,
    prover::ProverError,
};
use yulian_api::{ApiError, Code, Texts, views::RecordError};
use yulian_engine::Runtime;
use yulian_exec::{Failure, StateError, codes};
use yulian_store::{Kv, StoreError};

impl From<LedgerError> for ApiError {
    fn from(error: LedgerError) -> Self {
        match &error {
            LedgerError::Store(StoreError::DiskFull) => Code::DiskFull.into(),
            LedgerError::Store(StoreError::Closed) => Code::ShuttingDown.into(),
            _ => Self::detailed(Code::Storage, error),
        }
    }
}

impl From<PastError> for ApiError {
    fn from(error: PastError) -> Self {
        match error {
            PastError::NotHeld { first } => {
                let (zh, en) = (
                    format!("本节点可证明的最低高度为 {first}，由其 history_heights 决定"),
                    format!("the lowest height that this node can prove is {first}, by its history_heights"),
                );
                Self::new(Code::Pruned).with_detail(&zh, &en)
            }
            error @ PastError::TooMany => Self::detailed(Code::Pruned, error),
            PastError::NotYet => Code::NotProvable.into(),
            PastError::Ledger(error) => error.into(),
        }
    }
}

impl From<ProverError> for ApiError {
    fn from(error: ProverError) -> Self {
        match error {
            ProverError::Busy => Code::Busy.into(),
            ProverError::Stopping => Code::ShuttingDown.into(),
        }
    }
}

impl From<Stopping> for ApiError {
    fn from(_: Stopping) -> Self {
        Code::ShuttingDown.into()
    }
}

impl From<WaitError> for ApiError {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::Busy => Code::Busy.into(),
            WaitError::Ledger(error) => error.into(),
            WaitError::Stopping => Code::ShuttingDown.into(),
        }
    }
}

/// A state that cannot be read.
pub(super) fn state(error: &StateError) -> ApiError {
    ApiError::detailed(Code::Storage, error)
}

/// A record of the state that cannot be shown.
pub(super) fn record(error: &RecordError) -> ApiError {
    ApiError::detailed(Code::Internal, error)
}

/// What the chain's rules say, with the texts of its catalogue.
pub(super) fn failure(failure: &Failure) -> ApiError {
    let code = failure.code;
    let texts = Texts {
        message: code.zh.into(),
        message_en: code.en.into(),
        hint: code.zh_hint.into(),
        hint_en: code.en_hint.into(),
    };
    let error = ApiError::of_chain(code.code, texts);
    match failure.detail.as_str() {
        "" => error,
        detail => error.with_detail(&detail, &detail),
    }
}

/// Why a transaction was not taken.
pub(super) fn refusal(refusal: &Refusal) -> ApiError {
    match refusal {
        Refusal::Form(error) => error.into(),
        Refusal::Invalid(broken) => failure(broken),
        Refusal::Signature => failure(&Failure::from(&codes::WRONG_SIGNATURE)),
        Refusal::Pool(PoolError::Full) => Code::MempoolFull.into(),
        Refusal::Pool(error @ PoolError::SenderQuota(_)) => ApiError::detailed(Code::SenderLimit, error),
        Refusal::Busy => Code::Busy.into(),
        Refusal::State(error) => ApiError::detailed(Code::Storage, error),
        Refusal::Stopping => Code::ShuttingDown.into(),
    }
}

impl<R: Runtime, K: Kv> ChainApi<R, K> {
    /// Why nothing can be submitted here now, if so.
    pub(super) fn closed(&self) -> Option<ApiError> {
        if let Some(reason) = self.node.stop_reason() {
            let code = match self.node.stop_cause() {
                StopCause::Protocol => Code::ProtocolTooNew,
                StopCause::DiskFull => Code::DiskFull,
                StopCause::Other => Code::ChainStopped,
            };
            return Some(ApiError::detailed(code, reason));
        }
        // While it catches up, a node judges by an old state: it would refuse what is valid.
        (self.node.options.candidate || !self.keeps_up()).then(|| Code::NotReady.into())
    }
}
