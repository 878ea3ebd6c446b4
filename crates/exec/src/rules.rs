//! Rules of content that genesis and the modules share.

pub use crate::sets::{SetFault, check_set, risk_of};

use crate::limits::{ADDRESS_BYTES_MAX, MEMBERS_MAX, VOTING_PERIOD_MS_MAX, VOTING_PERIOD_MS_MIN};
use std::cmp::Ordering;
use yulian_crypto::sm2::PublicKey;
use yulian_types::{
    ValidatorSet,
    limits::LABEL_BYTES_MAX,
    proto::{Charter, NodeRecord, Quorum, Validator},
};

/// Role: registers accounts, votes, freezes.
pub const ROLE_ADMIN: &str = "admin";
/// Role: reads what auditors may read; calls no method that changes anything.
pub const ROLE_AUDITOR: &str = "auditor";
/// Role: freezes what goes through a relay chain.
pub const ROLE_REGULATOR: &str = "regulator";
/// Role: deposits evidence.
pub const ROLE_WRITER: &str = "writer";
/// All roles, sorted.
pub const ROLES: [&str; 4] = [ROLE_ADMIN, ROLE_AUDITOR, ROLE_REGULATOR, ROLE_WRITER];
/// Most bytes of an organisation id.
pub const ORGANISATION_ID_BYTES_MAX: usize = 32;

/// Whether a text is an organisation id: [a-z0-9-], 1 to 32 characters.
pub fn is_organisation_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=ORGANISATION_ID_BYTES_MAX).contains(&text.len()) && text.bytes().all(allowed)
}

/// Whether a text is a name that people read: 1 to [`LABEL_BYTES_MAX`] bytes, no control characters, no space around.
pub fn is_label(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && is_text(text, LABEL_BYTES_MAX)
}

/// Whether a text has at most `bytes_max` bytes and no control characters other than line feeds.
pub fn is_text(text: &str, bytes_max: usize) -> bool {
    text.len() <= bytes_max && !text.chars().any(|c| c.is_control() && c != '\n')
}

/// Whether a list of roles is not empty, sorted, without repetition, and all are known.
pub fn are_roles(roles: &[String]) -> bool {
    !roles.is_empty() && roles.is_sorted_by(|a, b| a < b) && roles.iter().all(|role| ROLES.contains(&role.as_str()))
}

/// Whether a text is "host:port" with a port other than 0.
pub fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    text.len() <= ADDRESS_BYTES_MAX
        && !host.is_empty()
        && host.chars().all(allowed)
        && port
            .parse::<u16>()
            .is_ok_and(|number| number > 0 && number.to_string() == port)
}

/// Whether a node's record is well formed.
pub fn is_node(node: &NodeRecord) -> bool {
    PublicKey::from_bytes(&node.public_key).is_ok()
        && is_label(&node.name)
        && is_label(&node.cloud)
        && is_organisation_id(&node.organisation)
        && is_address(&node.address)
}

/// Whether a quorum is at least "more than one half" and can be reached at all.
pub fn is_quorum(quorum: &Quorum) -> bool {
    let (numerator, denominator) = (u64::from(quorum.numerator), u64::from(quorum.denominator));
    denominator > 0 && numerator < denominator && 2 * numerator >= denominator
}

/// How many of `members` organisations are more than numerator/denominator of them.
pub fn votes_needed(quorum: &Quorum, members: usize) -> usize {
    let denominator = u64::from(quorum.denominator).max(1);
    (members as u64 * u64::from(quorum.numerator) / denominator) as usize + 1
}

/// Why a charter is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CharterFault {
    /// A quorum is missing, below one half or out of reach.
    #[error("the quorum for {0} must be at least 1/2 and below 1")]
    Quorum(&'static str),
    /// The voting period is out of range.
    #[error("the voting period must be {VOTING_PERIOD_MS_MIN} to {VOTING_PERIOD_MS_MAX} ms")]
    VotingPeriod,
    /// The digest of the text is neither empty nor 32 bytes.
    #[error("the digest of the charter's text must be empty or 32 bytes")]
    TextDigest,
}

/// Judges a charter by itself.
pub fn check_charter(charter: &Charter) -> Result<(), CharterFault> {
    let quorums = [
        ("validators", &charter.validators),
        ("parameters", &charter.parameters),
        ("charter", &charter.charter),
    ];
    for (name, quorum) in quorums {
        if !quorum.as_ref().is_some_and(is_quorum) {
            return Err(CharterFault::Quorum(name));
        }
    }
    if !(VOTING_PERIOD_MS_MIN..=VOTING_PERIOD_MS_MAX).contains(&charter.voting_period_ms) {
        return Err(CharterFault::VotingPeriod);
    }
    if !matches!(charter.text_digest.len(), 0 | 32) {
        return Err(CharterFault::TextDigest);
    }
    Ok(())
}

/// The charter of a new chain unless its founders write another: more than 2/3 of the members, seven days.
pub fn default_charter() -> Charter {
    let two_thirds = || {
        Some(Quorum {
            numerator: 2,
            denominator: 3,
        })
    };
    Charter {
        validators: two_thirds(),
        parameters: two_thirds(),
        charter: two_thirds(),
        voting_period_ms: 7 * 24 * 3_600_000,
        text_digest: Default::default(),
    }
}

/// The largest share that a charter asks for, in votes of `members` organisations.
pub fn votes_needed_at_most(charter: &Charter, members: usize) -> usize {
    let quorums = [&charter.validators, &charter.parameters, &charter.charter];
    quorums
        .into_iter()
        .flatten()
        .map(|quorum| votes_needed(quorum, members))
        .max()
        .unwrap_or(usize::MAX)
}

const _: () = assert!(MEMBERS_MAX < u32::MAX as usize);

/// Seats that differ between two sets: the larger of the numbers of validators that leave and that join, so that a
/// replacement is one seat. A validator whose record differs counts as another one.
pub fn seats_moved(from: &ValidatorSet, to: &ValidatorSet) -> usize {
    let missing = |a: &ValidatorSet, b: &ValidatorSet| a.validators().iter().filter(|v| !holds(b, v)).count();
    missing(from, to).max(missing(to, from))
}

fn holds(set: &ValidatorSet, validator: &Validator) -> bool {
    let by_key = |other: &Validator| -> Ordering { other.public_key.cmp(&validator.public_key) };
    set.validators()
        .binary_search_by(by_key)
        .is_ok_and(|at| set.validators()[at] == *validator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organisation_ids_are_short_lower_case_ascii() {
        assert!(is_organisation_id("zz-1") && is_organisation_id(&"a".repeat(32)));
        for text in ["", "Zz", "a_b", "郑州", "a b", &"a".repeat(33)] {
            assert!(!is_organisation_id(text), "{text}");
        }
    }

    #[test]
    fn labels_and_texts_hold_no_control_characters() {
        assert!(is_label("联通 1") && is_text("a\nb", 3) && is_text("", 0));
        for text in [
            "",
            " a",
            "a ",
            "a\nb\u{7}",
            "a\u{9b}b",
            &"a".repeat(LABEL_BYTES_MAX + 1),
        ] {
            assert!(!is_label(text), "{text:?}");
        }
        assert!(!is_text("ab", 1) && !is_text("a\tb", 9));
    }

    #[test]
    fn addresses_are_host_and_port() {
        for text in ["a:1", "node-1.example:18000", "[::1]:65535", "10.0.0.1:80"] {
            assert!(is_address(text), "{text}");
        }
        for text in ["", "a", "a:", ":1", "a:0", "a:65536", "a:01", "a b:1", "a:+1", "a/b:1"] {
            assert!(!is_address(text), "{text}");
        }
    }

    #[test]
    fn roles_are_sorted_known_and_once() {
        let roles = |list: &[&str]| list.iter().map(|role| role.to_string()).collect::<Vec<_>>();
        assert!(are_roles(&roles(&ROLES)) && are_roles(&roles(&["writer"])));
        for list in [&[][..], &["writer", "admin"], &["admin", "admin"], &["root"]] {
            assert!(!are_roles(&roles(list)), "{list:?}");
        }
    }

    #[test]
    fn a_quorum_is_a_true_majority() {
        let quorum = |numerator, denominator| Quorum { numerator, denominator };
        assert!(is_quorum(&quorum(1, 2)) && is_quorum(&quorum(2, 3)) && is_quorum(&quorum(u32::MAX - 1, u32::MAX)));
        for bad in [quorum(0, 0), quorum(1, 3), quorum(1, 1), quorum(3, 2), quorum(0, 1)] {
            assert!(!is_quorum(&bad), "{bad:?}");
        }
    }

    #[test]
    fn more_than_the_share_is_needed() {
        // Counted by hand: more than 2/3 of 3 is 3, of 4 is 3, of 6 is 5, of 7 is 5.
        let two_thirds = Quorum {
            numerator: 2,
            denominator: 3,
        };
        assert_eq!(
            [1, 3, 4, 6, 7].map(|members| votes_needed(&two_thirds, members)),
            [1, 3, 3, 5, 5]
        );
        let half = Quorum {
            numerator: 1,
            denominator: 2,
        };
        assert_eq!([1, 2, 3, 4].map(|members| votes_needed(&half, members)), [1, 2, 2, 3]);
    }
}
