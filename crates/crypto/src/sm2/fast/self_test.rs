//! The lanes are trusted only after they answered as the scalars do, once in each process.
//!
//! GM/T 0028-2014 asks cryptographic modules for such self-tests. This one also guards against processors, hypervisors
//! and emulators whose vector instructions are not what they say.

use super::batch::{Job, judge_by_scalars};
use super::cache::{Known, Tabled};
use super::claim::Claim;
use super::hot::Hot;
#[cfg(target_arch = "x86_64")]
use crate::simd::Ifma;
use crate::sm2::{PublicKey, SecretKey, Signer, identity_digest, message_digest};
use std::sync::Arc;
#[cfg(target_arch = "x86_64")]
use std::sync::LazyLock;

/// Claims that are compared: each of the three kinds of keys fills more than one vector.
const CLAIMS: u8 = 60;

/// The processor's lanes, if it has them and they passed; asked for the first time where it has them, that takes some
/// milliseconds.
#[cfg(target_arch = "x86_64")]
pub(super) fn trusted() -> Option<Ifma> {
    static TRUSTED: LazyLock<Option<Ifma>> =
        LazyLock::new(|| Ifma::detect().filter(|lanes| agrees(|jobs| lanes.judge(jobs))));
    *TRUSTED
}

/// Whether `judge` finds what the scalars find of right and wrong signatures.
fn agrees(judge: impl Fn(&[Job<'_>]) -> Vec<bool>) -> bool {
    let signers: Vec<_> = (1..=3).filter_map(|n| SecretKey::from_bytes(&[n; 32]).ok()).collect();
    let keys: Vec<_> = signers.iter().map(|signer| signer.public_key()).collect();
    let known: Vec<_> = keys.iter().enumerate().map(|(kind, key)| known(kind, key)).collect();
    let job = |number: u8| {
        let at = usize::from(number) % keys.len();
        // Every fourth was signed for another message.
        let signed = if number % 4 == 3 { number + 1 } else { number };
        let signature = signers[at].sign(&[signed]).ok()?;
        let e = message_digest(&identity_digest(&keys[at]), &[number]);
        Some(Job {
            key: &keys[at],
            known: &known[at],
            claim: Claim::new(&e, &signature)?,
        })
    };
    let jobs: Vec<_> = (0..CLAIMS).filter_map(job).collect();
    judge(&jobs) == judge_by_scalars(&jobs)
}

fn known(kind: usize, key: &PublicKey) -> Known {
    let (identity, point) = (identity_digest(key), super::point_of(key));
    match kind {
        0 => Known::New,
        1 => Known::Tabled(Arc::new(Tabled::new(identity, &point))),
        _ => Known::Hot(Arc::new(Hot::new(identity, &point, 0))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::lanes;
    use super::*;

    #[test]
    fn right_lanes_pass_and_wrong_ones_do_not() {
        assert!(agrees(lanes::judge::<lanes::Portable>));
        for wrong in [true, false] {
            assert!(!agrees(|jobs| vec![wrong; jobs.len()]));
        }
        let one_off = |jobs: &[Job<'_>]| {
            let mut answers = judge_by_scalars(jobs);
            answers[17] ^= true;
            answers
        };
        assert!(!agrees(one_off));
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn this_processor_passes() {
        assert_eq!(trusted().is_some(), Ifma::detect().is_some());
    }
}
