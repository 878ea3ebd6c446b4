//! What another chain proves under one of its headers.

use super::{PROOF_BYTE_COST, client, codes};
use yulian_crypto::Digest;
use yulian_exec::{Call, Failure, path_of};
use yulian_state::{Proof, value_hash};
use yulian_types::{
    SealedPacket, StateKey,
    proto::{LinkHeader, LinkProof},
};

/// That the destination of a packet has no result of it, under a header whose time is not before the time-out: the header carries
/// the state after its parent and times strictly ascend, so that all blocks before the time-out are in that state.
pub(super) fn verify_late(
    call: &mut Call<'_>,
    packet: &SealedPacket,
    proof: Option<&LinkProof>,
) -> Result<(), Failure> {
    let header = verify(call, &packet.destination, proof, &packet.result_key(), None)?;
    let (time, timeout) = (header.time_ms, packet.message.timeout_ms);
    if time < timeout {
        let detail = format!("the header's time is {time}, the time-out {timeout}");
        return Err(Failure::new(&codes::NOT_TIMED_OUT, detail));
    }
    Ok(())
}

/// That the state of `chain` under the header that the proof names has `value` at `key`, or none. The header must be kept here
/// and within the trust period.
pub(super) fn verify(
    call: &mut Call<'_>,
    chain: &Digest,
    proof: Option<&LinkProof>,
    key: &StateKey,
    value: Option<&[u8]>,
) -> Result<LinkHeader, Failure> {
    let proof = proof.ok_or_else(|| Failure::new(&codes::PROOF_MISSING, format!("of chain {chain}")))?;
    let client = client::active(call, chain)?;
    let not_kept = || {
        Failure::new(
            &codes::HEADER_NOT_FOUND,
            format!("height {} of chain {chain}", proof.height),
        )
    };
    let header: Option<LinkHeader> = call.record(&StateKey::link_header(chain, proof.height), "kept header")?;
    let header = header.ok_or_else(not_kept)?;
    client::check_age(call, &client, header.time_ms)?;
    call.charge(PROOF_BYTE_COST.saturating_mul(proof.proof.len() as u64))?;
    let refused = |reason: String| Failure::new(&codes::PROOF_FAILS, format!("chain {chain}: {reason}"));
    let read = Proof::from_bytes(&proof.proof).map_err(|error| refused(error.to_string()))?;
    let root = Digest::from_slice(&header.state_root).ok_or_else(not_kept)?;
    let found = read
        .verify(&root, &path_of(key))
        .map_err(|error| refused(error.to_string()))?;
    if found != value.map(value_hash) {
        return Err(refused("the state has another value at this key, or none".into()));
    }
    Ok(header)
}
