//! Which validator sets a chain may have, and how members accept one that a cloud could stop.

use crate::{
    limits::{RISK_REASON_BYTES_MAX, VALIDATORS_MIN},
    rules::is_text,
};
use std::collections::BTreeSet;
use yulian_types::{
    ValidatorSet, faults_max,
    proto::{AcceptedRisk, CloudShare},
};

/// A set that may lose any cloud, in words.
const NOTHING: &str = "no cloud beyond its share";

/// Why a validator set is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetFault {
    /// Fewer than [`VALIDATORS_MIN`].
    #[error("the set would have {0} validators, at least {VALIDATORS_MIN} are needed")]
    TooFew(usize),
    /// One cloud could stop the chain.
    #[error("{count} of {validators} validators would be in the cloud {cloud}, at most {limit} may be")]
    Cloud {
        /// The cloud; the fullest one.
        cloud: String,
        /// Validators in it.
        count: usize,
        /// Validators of the set.
        validators: usize,
        /// ⌊(n−1)/3⌋.
        limit: usize,
    },
    /// A risk is accepted that the set does not have, or another one than it has.
    #[error("accepted is {accepted}, the set would have {found}")]
    Risk {
        /// What is accepted, in words.
        accepted: String,
        /// What is so, in words.
        found: String,
    },
    /// The reason for accepting a risk is empty, too long or holds control characters.
    #[error("the reason for accepting the risk must have 1 to {RISK_REASON_BYTES_MAX} bytes")]
    Reason,
    /// Two validators have one name, so that people cannot tell them apart.
    #[error("two validators would have the name {0}")]
    Name(String),
}

/// Judges a set by itself. More than ⌊(n−1)/3⌋ validators in one cloud are refused unless exactly that is accepted.
///
/// # Errors
/// The rule that the set breaks.
pub fn check_set(set: &ValidatorSet, accepted: Option<&AcceptedRisk>) -> Result<(), SetFault> {
    if set.len() < VALIDATORS_MIN {
        return Err(SetFault::TooFew(set.len()));
    }
    match accepted {
        None => check_clouds(set)?,
        Some(accepted) => check_accepted(set, accepted)?,
    }
    let mut names = BTreeSet::new();
    match set.validators().iter().find(|validator| !names.insert(&validator.name)) {
        Some(validator) => Err(SetFault::Name(validator.name.clone())),
        None => Ok(()),
    }
}

/// What members would have to accept for a set; `None` if every cloud may be lost.
pub fn risk_of(set: &ValidatorSet, reason: &str) -> Option<AcceptedRisk> {
    let clouds = set.overweight_clouds();
    let share = |(cloud, count): (String, usize)| CloudShare {
        cloud,
        validators: count as u32,
    };
    (!clouds.is_empty()).then(|| AcceptedRisk {
        validators: set.len() as u32,
        clouds: clouds.into_iter().map(share).collect(),
        reason: reason.into(),
    })
}

fn check_clouds(set: &ValidatorSet) -> Result<(), SetFault> {
    let over = set.overweight_clouds();
    match over.into_iter().rev().max_by_key(|(_, count)| *count) {
        None => Ok(()),
        Some((cloud, count)) => Err(SetFault::Cloud {
            cloud,
            count,
            validators: set.len(),
            limit: faults_max(set.len()),
        }),
    }
}

fn check_accepted(set: &ValidatorSet, accepted: &AcceptedRisk) -> Result<(), SetFault> {
    if accepted.reason.is_empty() || !is_text(&accepted.reason, RISK_REASON_BYTES_MAX) {
        return Err(SetFault::Reason);
    }
    let found = risk_of(set, &accepted.reason);
    if found.as_ref() == Some(accepted) {
        return Ok(());
    }
    Err(SetFault::Risk {
        accepted: words(accepted),
        found: found.as_ref().map_or_else(|| NOTHING.into(), words),
    })
}

fn words(risk: &AcceptedRisk) -> String {
    if risk.clouds.is_empty() {
        return NOTHING.into();
    }
    let share = |share: &CloudShare| format!("{} of {} in {}", share.validators, risk.validators, share.cloud);
    let shares: Vec<String> = risk.clouds.iter().map(share).collect();
    shares.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use yulian_crypto::sm2::{SecretKey, Signer};
    use yulian_types::proto::Validator;

    fn set(clouds: &[&str]) -> ValidatorSet {
        let one = |(number, cloud): (usize, &&str)| {
            let key = SecretKey::from_bytes(&[number as u8 + 1; 32]).unwrap().public_key();
            Validator {
                public_key: key.as_bytes().to_vec().into(),
                name: format!("v{number}"),
                cloud: cloud.to_string(),
                organisation: "o".into(),
            }
        };
        ValidatorSet::new(clouds.iter().enumerate().map(one).collect()).unwrap()
    }

    fn accepted(validators: u32, clouds: &[(&str, u32)], reason: &str) -> AcceptedRisk {
        let share = |(cloud, validators): &(&str, u32)| CloudShare {
            cloud: cloud.to_string(),
            validators: *validators,
        };
        AcceptedRisk {
            validators,
            clouds: clouds.iter().map(share).collect(),
            reason: reason.into(),
        }
    }

    #[test]
    fn exactly_the_risk_that_a_set_has_can_be_accepted() {
        let crowded = set(&["a", "a", "b", "b", "c"]);
        let right = accepted(5, &[("a", 2), ("b", 2)], "no third cloud yet");
        assert_eq!(check_set(&crowded, Some(&right)), Ok(()));
        for wrong in [
            accepted(5, &[("a", 2)], "x"),
            accepted(5, &[("a", 3), ("b", 2)], "x"),
            accepted(5, &[("b", 2), ("a", 2)], "x"),
            accepted(4, &[("a", 2), ("b", 2)], "x"),
            accepted(5, &[], "x"),
        ] {
            let fault = check_set(&crowded, Some(&wrong)).unwrap_err();
            assert!(matches!(fault, SetFault::Risk { .. }), "{fault}");
        }
        for reason in ["", "a\u{7}", &"a".repeat(513)] {
            let wrong = accepted(5, &[("a", 2), ("b", 2)], reason);
            assert_eq!(check_set(&crowded, Some(&wrong)), Err(SetFault::Reason));
        }
    }

    #[test]
    fn nothing_is_accepted_beside_the_rule_of_clouds() {
        let spread = set(&["a", "b", "c", "d"]);
        assert_eq!(check_set(&spread, None), Ok(()));
        let fault = check_set(&spread, Some(&accepted(4, &[], "x"))).unwrap_err();
        assert!(fault.to_string().ends_with("no cloud beyond its share"), "{fault}");
        let three = accepted(3, &[("a", 3)], "x");
        assert_eq!(
            check_set(&set(&["a", "a", "a"]), Some(&three)),
            Err(SetFault::TooFew(3))
        );
    }

    #[test]
    fn the_fullest_cloud_is_named_with_the_sum() {
        let fault = check_set(&set(&["a", "a", "b", "b", "b"]), None).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "3 of 5 validators would be in the cloud b, at most 1 may be"
        );
    }
}
