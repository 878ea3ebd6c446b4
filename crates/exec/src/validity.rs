//! The validity rule: which transactions may stand in a block. Judged on the state after the block's parent, alike at
//! admission, when building a block and when verifying one.

use crate::{Failure, Parameters, Registry, StateError, codes, senders::Senders, snapshot::ReadPath};
use std::sync::Arc;
use yulian_crypto::{
    Digest,
    sm2::{Item, Verifier},
};
use yulian_types::SealedTransaction;

/// Why validity was not confirmed.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The transaction breaks the rule.
    Invalid(Failure),
    /// The state cannot be read: nothing is known.
    State(StateError),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Invalid(failure)
    }
}

impl From<StateError> for Refusal {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

/// The block that a transaction is judged for.
pub(crate) struct Terms<'a> {
    pub(crate) chain_id: &'a Digest,
    pub(crate) time_ms: u64,
    /// After the parent.
    pub(crate) parameters: &'a Parameters,
    pub(crate) registry: &'a Registry,
}

impl Terms<'_> {
    /// Judges a transaction; `seen` knows the ids of the replay window and of all blocks since. Its signatures are not looked at.
    pub(crate) fn judge(
        &self,
        transaction: &SealedTransaction,
        seen: impl Fn(&Digest) -> bool,
        senders: &mut Senders,
        state: &mut dyn ReadPath,
    ) -> Result<(), Refusal> {
        self.check_form(transaction)?;
        self.check_time(transaction)?;
        // After the time: what is older than the window is refused as expired, so the window may hold more than it must.
        if seen(&transaction.id) {
            return Err(Failure::from(&codes::REPLAYED).into());
        }
        let (_, method) = self
            .registry
            .find(&transaction.payload.module, &transaction.payload.method)?;
        let sender = senders.load(state, &transaction.sender)?;
        let sender = sender.ok_or_else(|| unknown_sender(transaction))?;
        sender.check_standing(transaction)?;
        Ok(sender.check_role(method)?)
    }

    fn check_form(&self, transaction: &SealedTransaction) -> Result<(), Failure> {
        let payload = &transaction.payload;
        if payload.chain_id[..] != self.chain_id.0 {
            return Err(Failure::from(&codes::WRONG_CHAIN));
        }
        let (found, limit) = (transaction.bytes.len() as u64, self.parameters.transaction_bytes_max);
        if found > limit {
            return Err(Failure::new(
                &codes::TRANSACTION_TOO_LARGE,
                format!("{found} bytes, the limit is {limit}"),
            ));
        }
        let limit = self.parameters.metering_limit_max;
        if payload.metering_limit > limit {
            return Err(Failure::new(
                &codes::METERING_LIMIT_TOO_HIGH,
                format!("the limit is {limit} units"),
            ));
        }
        // Signatures are outside the id: anyone could append his own to a transaction that he saw, and every validator
        // would verify it. No method calls for more than the sender's.
        if transaction.signers.len() != 1 {
            return Err(Failure::new(
                &codes::EXTRA_SIGNATURES,
                format!("{} signatures", transaction.signers.len()),
            ));
        }
        if !payload.on_behalf_of.is_empty() {
            return Err(Failure::from(&codes::ON_BEHALF_UNSUPPORTED));
        }
        Ok(())
    }

    fn check_time(&self, transaction: &SealedTransaction) -> Result<(), Failure> {
        let until = transaction.payload.valid_until_ms;
        let detail = || format!("valid until {until}, block time {}", self.time_ms);
        if until < self.time_ms {
            return Err(Failure::new(&codes::EXPIRED, detail()));
        }
        if until > self.time_ms.saturating_add(self.parameters.replay_window_ms) {
            return Err(Failure::new(&codes::VALID_UNTIL_TOO_FAR, detail()));
        }
        Ok(())
    }
}

pub(crate) fn unknown_sender(transaction: &SealedTransaction) -> Failure {
    Failure::new(&codes::UNKNOWN_SENDER, transaction.sender.to_string())
}

/// For each transaction, whether all its signatures are right. A step of its own: a node verifies at admission and
/// remembers the ids.
pub fn verify_signatures(transactions: &[Arc<SealedTransaction>], verifier: &dyn Verifier) -> Vec<bool> {
    let items: Vec<Item<'_>> = transactions
        .iter()
        .flat_map(|transaction| {
            let message = &transaction.id.0[..];
            transaction.signers.iter().map(move |entry| Item {
                key: &entry.key,
                message,
                signature: &entry.signature,
            })
        })
        .collect();
    let mut answers = verifier.verify_many(&items).into_iter();
    // Every answer of a transaction is taken before they are judged: `all` alone would stop at the first wrong one.
    transactions
        .iter()
        .map(|transaction| {
            let own: Vec<bool> = answers.by_ref().take(transaction.signers.len()).collect();
            own.len() == transaction.signers.len() && !own.is_empty() && own.into_iter().all(|ok| ok)
        })
        .collect()
}
