//! Validators of which one cloud can stop a chain: what is to be accepted, and how it is shown.

use crate::{clock, out, text::say};
use bytes::Bytes;
use yulian_exec::rules::risk_of;
use yulian_sdk::views::{AcceptedRiskView, CandidateView, RiskView, ValidatorView, ValidatorsView};
use yulian_types::{
    ValidatorSet,
    proto::{AcceptedRisk, Validator},
};

/// The risk of a list of validators; `None` if every cloud may be lost, or if the list is no set: the chain says why.
pub(crate) fn of(validators: Vec<Validator>, reason: &str) -> Option<AcceptedRisk> {
    risk_of(&ValidatorSet::new(validators).ok()?, reason)
}

/// The risk of the set that a change makes of the one decided last.
pub(crate) fn after(
    now: &ValidatorsView,
    leaving: Option<&ValidatorView>,
    joining: Option<&CandidateView>,
    reason: &str,
) -> Option<AcceptedRisk> {
    let set = now.next.as_ref().unwrap_or(&now.current);
    let stays = |validator: &&ValidatorView| leaving.is_none_or(|leaving| leaving.public_key != validator.public_key);
    let one = |validator: &ValidatorView| Validator {
        public_key: Bytes::copy_from_slice(validator.public_key.0.as_bytes()),
        name: validator.name.clone(),
        cloud: validator.cloud.clone(),
        organisation: validator.organisation.clone(),
    };
    let joining = joining.map(|candidate| Validator {
        public_key: Bytes::copy_from_slice(candidate.public_key.0.as_bytes()),
        name: candidate.name.clone(),
        cloud: candidate.cloud.clone(),
        organisation: candidate.organisation.clone(),
    });
    of(
        set.validators.iter().filter(stays).map(one).chain(joining).collect(),
        reason,
    )
}

/// What is accepted, in words.
pub(crate) fn accepted(risk: &AcceptedRiskView) -> String {
    let share = |share: &yulian_sdk::views::CloudShareView| {
        format!(
            "{} {}/{}",
            out::one_line(&share.cloud),
            share.validators,
            risk.validators
        )
    };
    let shares: Vec<String> = risk.clouds.iter().map(share).collect();
    say::risk_accepted(shares.join(", "), risk.faults_max, out::one_line(&risk.reason))
}

/// The same as a line that says what it is about.
pub(crate) fn line(risk: &RiskView) -> String {
    say::risk_line(words(risk))
}

/// What is accepted, by whom and when.
pub(crate) fn words(risk: &RiskView) -> String {
    let source = match (risk.proposal, &risk.organisation) {
        (Some(proposal), Some(organisation)) => say::risk_by_vote(proposal, organisation, risk.height),
        _ => say::risk_by_genesis(),
    };
    say::risk_words(accepted(&risk.accepted), source, clock::beijing(risk.time_ms))
}
