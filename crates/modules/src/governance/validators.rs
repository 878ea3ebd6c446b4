//! Changes of the validator set.

use super::{
    action::{Moment, Occasion},
    codes,
    members::Members,
};
use crate::{effect::Effect, risk};
use bytes::Bytes;
use yulian_crypto::{Digest, sm2::PublicKey, sm3};
use yulian_exec::{
    Call, Failure,
    rules::{self, SetFault},
    tables,
};
use yulian_types::{
    SetError, ValidatorSet, faults_max,
    proto::{self, AcceptedRisk, AddValidator, CandidateProof, RemoveValidator, ReplaceValidator, Validator},
    tags,
};

pub(super) fn add(call: &mut Call<'_>, action: &AddValidator, occasion: Occasion<'_>) -> Result<Effect, Failure> {
    let mut list = decided(call)?.validators().to_vec();
    list.push(candidate(call, &action.validator, &action.proof, occasion.moment)?);
    change(call, list, action.accept_risk.as_ref(), occasion)
}

pub(super) fn remove(call: &mut Call<'_>, action: &RemoveValidator, occasion: Occasion<'_>) -> Result<Effect, Failure> {
    let list = without(call, &action.public_key)?;
    change(call, list, action.accept_risk.as_ref(), occasion)
}

pub(super) fn replace(
    call: &mut Call<'_>,
    action: &ReplaceValidator,
    occasion: Occasion<'_>,
) -> Result<Effect, Failure> {
    let mut list = without(call, &action.public_key)?;
    list.push(candidate(call, &action.validator, &action.proof, occasion.moment)?);
    change(call, list, action.accept_risk.as_ref(), occasion)
}

/// The effect of an organisation's validators leaving the decided set; none if it has none there.
pub(super) fn without_organisation(call: &mut Call<'_>, id: &str) -> Result<Effect, Failure> {
    let set = decided(call)?;
    let rest: Vec<Validator> = set
        .validators()
        .iter()
        .filter(|v| v.organisation != id)
        .cloned()
        .collect();
    if rest.len() == set.len() {
        return Ok(Effect::default());
    }
    let occasion = Occasion {
        moment: Moment::Carried,
        ..Occasion::PROPOSED
    };
    change(call, rest, None, occasion).map_err(|failure| match failure.code == &codes::TOO_MANY_SEATS {
        true => failure,
        false => Failure::new(&codes::LEAVE_BREAKS_SET, failure.detail),
    })
}

/// The set decided so far for the next epoch that is open.
pub(super) fn decided(call: &mut Call<'_>) -> Result<ValidatorSet, Failure> {
    let digest = call.get(&tables::decided_set())?;
    let digest = digest.as_deref().and_then(Digest::from_slice);
    let digest = digest.ok_or_else(|| call.broken("decided set", "missing"))?;
    let message: Option<proto::ValidatorSet> = call.record(&tables::validator_set(&digest), "validator set")?;
    let set = message.map(ValidatorSet::from_message);
    match set {
        Some(Ok(set)) => Ok(set),
        Some(Err(error)) => Err(call.broken("validator set", error.to_string())),
        None => Err(call.broken("validator set", "missing")),
    }
}

fn without(call: &mut Call<'_>, public_key: &Bytes) -> Result<Vec<Validator>, Failure> {
    let set = decided(call)?;
    let rest: Vec<Validator> = set
        .validators()
        .iter()
        .filter(|v| v.public_key != public_key)
        .cloned()
        .collect();
    if rest.len() == set.len() {
        return Err(Failure::from(&codes::VALIDATOR_NOT_FOUND));
    }
    Ok(rest)
}

/// A candidate that may join: well formed, of a member, registered as a node, not in the set.
fn candidate(
    call: &mut Call<'_>,
    validator: &Option<Validator>,
    proof: &Option<CandidateProof>,
    moment: Moment,
) -> Result<Validator, Failure> {
    let validator = validator
        .clone()
        .ok_or_else(|| Failure::new(&codes::BAD_VALIDATOR, "no record"))?;
    let key = PublicKey::from_bytes(&validator.public_key)
        .map_err(|error| Failure::new(&codes::BAD_VALIDATOR, error.to_string()))?;
    if !rules::is_label(&validator.name) || !rules::is_label(&validator.cloud) {
        return Err(Failure::new(&codes::BAD_VALIDATOR, "name or cloud"));
    }
    if !Members::load(call)?.contains(&validator.organisation) {
        return Err(Failure::new(
            &codes::BAD_VALIDATOR,
            format!("{} is no member", validator.organisation),
        ));
    }
    if decided(call)?.contains(&key) {
        return Err(Failure::new(&codes::VALIDATOR_PRESENT, key.to_string()));
    }
    check_registered(call, &validator)?;
    if moment == Moment::Proposed {
        check_proof(call, &key, proof)?;
    }
    Ok(validator)
}

/// The network must know the address of a validator before it counts on it.
fn check_registered(call: &mut Call<'_>, validator: &Validator) -> Result<(), Failure> {
    let node: Option<proto::NodeRecord> = call.record(&tables::node(&validator.public_key), "node")?;
    let same = |node: proto::NodeRecord| node.cloud == validator.cloud && node.organisation == validator.organisation;
    if node.is_some_and(same) {
        return Ok(());
    }
    Err(Failure::new(&codes::NODE_NOT_REGISTERED, validator.name.clone()))
}

/// The candidate runs and follows the chain: it signed a header of the last 256 blocks.
fn check_proof(call: &mut Call<'_>, key: &PublicKey, proof: &Option<CandidateProof>) -> Result<(), Failure> {
    let proof = proof
        .as_ref()
        .ok_or_else(|| Failure::new(&codes::BAD_CANDIDATE_PROOF, "missing"))?;
    let known = call
        .block()
        .ancestor(proof.height)
        .is_some_and(|digest| proof.digest[..] == digest.0);
    if !known {
        return Err(Failure::new(&codes::UNKNOWN_HEADER, format!("height {}", proof.height)));
    }
    let chain_id = call.block().chain_id;
    let message = sm3::tagged(
        &tags::CANDIDATE,
        &[&chain_id.0, &proof.height.to_be_bytes(), &proof.digest],
    );
    if call.verify(key, &message.0, &proof.signature)? {
        return Ok(());
    }
    Err(Failure::from(&codes::BAD_CANDIDATE_PROOF))
}

/// The effect of deciding on another set.
fn change(
    call: &mut Call<'_>,
    list: Vec<Validator>,
    accepted: Option<&AcceptedRisk>,
    occasion: Occasion<'_>,
) -> Result<Effect, Failure> {
    let set = ValidatorSet::new(list).map_err(|error| match error {
        SetError::Count(count) if count > 0 => Failure::new(&codes::TOO_MANY_VALIDATORS, error.to_string()),
        SetError::Count(_) => Failure::new(&codes::TOO_FEW_VALIDATORS, error.to_string()),
        other => Failure::new(&codes::BAD_VALIDATOR, other.to_string()),
    })?;
    rules::check_set(&set, accepted).map_err(refused)?;
    if occasion.moment == Moment::Carried {
        check_seats(call, &set)?;
    }
    let digest = set.digest();
    let mut effect = Effect::default();
    effect.put(tables::decided_set(), Bytes::copy_from_slice(&digest.0));
    effect.put(tables::validator_set(&digest), set.encode());
    if let Some(accepted) = accepted {
        let record = risk::record(call, &digest, accepted, occasion.source);
        effect.record(tables::risk(&digest), &record);
    }
    Ok(effect)
}

fn refused(fault: SetFault) -> Failure {
    let code = match fault {
        SetFault::TooFew(_) => &codes::TOO_FEW_VALIDATORS,
        SetFault::Cloud { .. } => &codes::TOO_MANY_IN_CLOUD,
        SetFault::Risk { .. } => &codes::OTHER_RISK,
        SetFault::Reason => &codes::BAD_REASON,
        SetFault::Name(_) => &codes::NAME_USED,
    };
    Failure::new(code, fault.to_string())
}

/// All changes of one epoch together move at most ⌊(n−1)/3⌋ seats, so that enough of the set in force goes on.
fn check_seats(call: &Call<'_>, set: &ValidatorSet) -> Result<(), Failure> {
    let reference = &call.block().reference;
    let (moved, limit) = (rules::seats_moved(reference, set), faults_max(reference.len()));
    if moved <= limit {
        return Ok(());
    }
    let detail = format!("{moved} of {} seats would move, at most {limit} may", reference.len());
    Err(Failure::new(&codes::TOO_MANY_SEATS, detail))
}
