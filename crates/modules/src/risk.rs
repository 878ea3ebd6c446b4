//! The record of a risk that members accepted: validators of which one cloud can stop the chain.

use bytes::Bytes;
use yulian_crypto::Digest;
use yulian_exec::Call;
use yulian_types::proto::{AcceptedRisk, RiskRecord};

/// The proposal that accepts it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) proposal: u64,
    /// Organisation that proposed it.
    pub(crate) organisation: &'a str,
}

/// What stands in the state of a risk that is accepted in the current block.
pub(crate) fn record(call: &Call<'_>, set: &Digest, risk: &AcceptedRisk, source: Source<'_>) -> RiskRecord {
    RiskRecord {
        risk: Some(risk.clone()),
        set: Bytes::copy_from_slice(&set.0),
        proposal: source.proposal,
        organisation: source.organisation.into(),
        height: call.block().height,
        time_ms: call.block().time_ms,
    }
}
