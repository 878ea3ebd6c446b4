//! Accounts that sign: in the genesis of a network of this run as far as it holds them, the others by transactions.

use super::{say, spread::over_cores, target::Target};
use crate::{
    key,
    problem::{Cause, Result},
    progress::Progress,
    text::problem,
};
use std::time::Duration;
use tokio::task::{JoinSet, spawn_blocking};
use yulian_crypto::sm2::{PublicKey, SecretKey, SignError, Signature, Signer};
use yulian_exec::{limits::GENESIS_ACCOUNTS_MAX, rules::ROLE_WRITER};
use yulian_sdk::{Account, Chain, Patience, SignedTransaction};

/// Accounts that a network has besides.
const OTHERS_MAX: usize = 64;
/// Most signers that go into a genesis.
pub(super) const IN_GENESIS_MAX: usize = GENESIS_ACCOUNTS_MAX - OTHERS_MAX;
/// Registrations that one task hands over.
const PART: usize = 250;
/// Tasks at a time.
const TASKS: usize = 16;
/// Time for a registration.
const REGISTERED_WITHIN: Duration = Duration::from_secs(120);
/// Registrations that are signed together: they must not grow old before their turn.
const SIGNED_TOGETHER: usize = 20_000;
/// Label of the accounts.
const LABEL: &str = "bench";

/// New accounts, made on all cores.
pub(super) fn make(count: usize) -> Vec<Account> {
    keys(count).into_iter().map(Account::of_first_key).collect()
}

/// New keys, made on all cores.
pub(super) fn keys(count: usize) -> Vec<SecretKey> {
    let parts = over_cores(0..count as u64, |part| {
        part.map(|_| SecretKey::generate(&mut key::random()))
            .collect::<Vec<_>>()
    });
    // A key cannot fail to be made; a thread that ended would leave the caller with fewer accounts.
    parts.into_iter().filter_map(Result::ok).flatten().collect()
}

/// Brings the accounts of a network of this run to `count`, through its administrators.
pub(super) async fn register(target: &mut Target, count: usize) -> Result<()> {
    let mut missing = count.saturating_sub(target.accounts.len());
    let mut progress = Progress::new(say::bench_registering(missing), Some(missing as u64));
    while missing > 0 {
        let part = missing.min(SIGNED_TOGETHER);
        let (admins, terms) = (target.admins.clone(), target.chain.terms().to_owned());
        let signed = spawn_blocking(move || {
            let keys = keys(part);
            let sign = |(at, key): (usize, &SecretKey)| {
                admins[at % admins.len()].register_account(&terms, key, &[ROLE_WRITER], LABEL)
            };
            let signed: Result<Vec<_>, SignError> = keys.iter().enumerate().map(sign).collect();
            signed.map(|signed| (keys, signed))
        });
        let (keys, signed) = signed
            .await
            .or_problem(problem::no_runtime)?
            .or_problem(problem::cannot_sign)?;
        submit(&target.chain, signed, &mut progress).await?;
        target.accounts.extend(keys.into_iter().map(Account::of_first_key));
        target.registered += part;
        missing -= part;
    }
    Ok(())
}

/// Submits registrations and waits until all have succeeded.
async fn submit(chain: &Chain, signed: Vec<SignedTransaction>, progress: &mut Progress) -> Result<()> {
    let mut parts = signed.chunks(PART).map(<[_]>::to_vec).enumerate();
    let mut tasks = JoinSet::new();
    loop {
        while tasks.len() < TASKS
            && let Some((at, part)) = parts.next()
        {
            let chain = chain.beginning_with(at);
            tasks.spawn(async move {
                let patience = Patience::For(REGISTERED_WITHIN);
                chain.submit_all_and_wait(&part, patience).await
            });
        }
        let Some(done) = tasks.join_next().await else {
            return Ok(());
        };
        for result in done.or_problem(problem::no_runtime)? {
            let result = result.or_problem(|| problem::bench_no_account(REGISTERED_WITHIN.as_secs()))?;
            if !result.result.success {
                let problem = problem::bench_no_account(REGISTERED_WITHIN.as_secs());
                return Err(problem.because(&result.result.code));
            }
            progress.add(1);
        }
    }
}

/// Signs in the name of an account without its key.
struct Forger {
    key: PublicKey,
}

impl Signer for Forger {
    fn public_key(&self) -> PublicKey {
        self.key
    }

    /// A signature whose form is right: only the equation tells that it is not.
    fn sign(&self, _: &[u8]) -> Result<Signature, SignError> {
        let mut rng = key::random();
        loop {
            let mut bytes = [0; 64];
            rand_core::Rng::fill_bytes(&mut rng, &mut bytes);
            if let Ok(signature) = Signature::from_bytes(&bytes) {
                return Ok(signature);
            }
        }
    }
}

/// One who pretends to be an account.
pub(super) fn forger(account: &Account) -> Account {
    let key = account.signer().public_key();
    Account::new(account.id(), Forger { key })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use yulian_crypto::sm2::{FastVerifier, Verifier};

    #[test]
    fn accounts_are_as_many_as_asked_and_all_different() {
        for count in [0, 1, 7] {
            let ids: BTreeSet<_> = make(count).iter().map(Account::id).collect();
            assert_eq!(ids.len(), count);
        }
    }

    #[test]
    fn a_forged_signature_has_the_form_and_does_not_verify() {
        let account = make(1).pop().unwrap();
        let forged = forger(&account);
        assert_eq!(forged.id(), account.id());
        let key = account.signer().public_key();
        assert_eq!(forged.signer().public_key(), key);
        let verifier = FastVerifier::new(0);
        let honest = account.signer().sign(b"x").unwrap();
        assert!(verifier.verify(&key, b"x", &honest));
        assert!(!verifier.verify(&key, b"x", &forged.signer().sign(b"x").unwrap()));
    }
}
