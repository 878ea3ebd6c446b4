//! What nodes and the chain refuse, as problems with the code and the words that came with the refusal.

use crate::{
    problem::{Exit, Problem, Result},
    text::{either, problem},
};
use std::borrow::Borrow;
use yulian_modules::registry;
use yulian_sdk::{
    PackFailure, SdkError, SubmitError,
    views::{ExecutionResult, FinalResult},
};

/// Statuses of a refusal that is about the node at this moment, not about what was asked.
const TRY_AGAIN: [u16; 2] = [408, 429];

/// A failed request.
pub(crate) fn sdk(error: impl Borrow<SdkError>) -> Problem {
    match error.borrow() {
        SdkError::Refused { status, error } => {
            let exit = if *status < 500 && !TRY_AGAIN.contains(status) {
                Exit::No
            } else {
                Exit::CannotRun
            };
            let message = either(&error.message, &error.message_en).to_owned();
            let hint = either(&error.hint, &error.hint_en).to_owned();
            Problem::new(exit, error.code.clone(), message, hint)
        }
        SdkError::Url(error) => problem::bad_url().caused_by(error),
        SdkError::Node { url, source } => problem::node_unreachable(url).caused_by(source),
        SdkError::OtherChain { expected, found } => problem::other_chain(found, expected),
        other => problem::bad_answer().caused_by(other),
    }
}

/// A transaction without a result.
pub(crate) fn submission(error: SubmitError) -> Problem {
    match error {
        SubmitError::Refused(error) => {
            let message = either(&error.message, &error.message_en).to_owned();
            let hint = either(&error.hint, &error.hint_en).to_owned();
            Problem::new(Exit::No, error.code.clone(), message, hint)
        }
        SubmitError::Unknown { id, reason } => problem::outcome_unknown(id).because(reason),
        SubmitError::Client(error) => sdk(&*error),
    }
}

/// A pack that was not made.
pub(crate) fn pack(error: PackFailure) -> Problem {
    match error {
        PackFailure::Client(error) => sdk(error),
        PackFailure::Pack(error) => crate::verify::pack_problem(&error),
        PackFailure::NotLinked { relay, chain } => problem::not_linked(relay, chain),
        other => problem::bad_answer().caused_by(&other),
    }
}

/// The result of a transaction that succeeded; one that failed is on the chain, but without effect.
pub(crate) fn effective(result: FinalResult) -> Result<FinalResult> {
    match result.result.success {
        true => Ok(result),
        false => Err(failed(&result.result)),
    }
}

/// A transaction that failed, in the words of the module's own catalogue.
pub(crate) fn failed(result: &ExecutionResult) -> Problem {
    let known = registry().codes().find(|known| known.code == result.code);
    let (what, hint) = match known {
        Some(known) => (
            either(known.zh, known.en).to_owned(),
            either(known.zh_hint, known.en_hint).to_owned(),
        ),
        None => (
            result.message.clone().unwrap_or_else(|| result.detail.clone()),
            String::new(),
        ),
    };
    let problem = Problem::new(Exit::No, result.code.clone(), what, hint);
    match known.is_some() && !result.detail.is_empty() {
        true => problem.because(&result.detail),
        false => problem,
    }
}
