//! Accounts that sign, and what they sign.

mod account_calls;
mod evidence_calls;
mod governance_calls;
mod link_calls;
mod voucher_calls;

pub use self::{
    account_calls::key_possession,
    governance_calls::{Action, Candidate, acceptance, candidate_proof, node_registration},
};

use bytes::Bytes;
use prost::Message;
use rand::Rng;
use std::{fmt, sync::Arc, time::Duration};
use yulian_crypto::{
    Digest,
    sm2::{SignError, Signer},
};
use yulian_types::{TransactionBuilder, account_id, encode, limits::NONCE_BYTES};

/// What transactions of one chain are made with. Needs no connection, so transactions may be signed beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    chain_id: Digest,
    clock_offset_ms: i64,
    valid_for: Duration,
    metering_limit: u64,
}

impl Terms {
    /// How long a transaction is valid unless something else is said: half of the chain's default window.
    pub const VALID_FOR_DEFAULT: Duration = Duration::from_secs(300);

    /// Terms of the chain of a genesis digest, by this machine's clock.
    pub fn new(chain_id: Digest) -> Self {
        Self {
            chain_id,
            clock_offset_ms: 0,
            valid_for: Self::VALID_FOR_DEFAULT,
            metering_limit: TransactionBuilder::METERING_LIMIT_DEFAULT,
        }
    }

    /// How much the network's clock is ahead of this machine's, ms.
    #[must_use]
    pub fn clock_offset_ms(self, clock_offset_ms: i64) -> Self {
        Self {
            clock_offset_ms,
            ..self
        }
    }

    /// How long transactions are valid; the chain refuses more than its replay window.
    #[must_use]
    pub fn valid_for(self, valid_for: Duration) -> Self {
        Self { valid_for, ..self }
    }

    /// Most metering units a transaction may use.
    #[must_use]
    pub fn metering_limit(self, metering_limit: u64) -> Self {
        Self { metering_limit, ..self }
    }

    /// Genesis digest of the chain.
    pub fn chain_id(&self) -> Digest {
        self.chain_id
    }

    /// The network's time for a time of this machine, ms since 1970-01-01 UTC.
    fn network_ms(&self, own_ms: u64) -> u64 {
        own_ms.saturating_add_signed(self.clock_offset_ms)
    }

    /// Valid-until of a transaction that is signed at a time of this machine, ms.
    fn valid_until_ms(&self, own_ms: u64) -> u64 {
        let valid_for = u64::try_from(self.valid_for.as_millis()).unwrap_or(u64::MAX);
        self.network_ms(own_ms).saturating_add(valid_for)
    }

    /// From a time of this machine to one of the network, ms; zero when that has passed.
    pub(crate) fn until_ms(&self, network_ms: u64, own_ms: u64) -> u64 {
        network_ms.saturating_sub(self.network_ms(own_ms))
    }
}

/// A transaction that is ready to be submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedTransaction {
    /// Its id.
    pub id: Digest,
    /// The protobuf message.
    pub bytes: Bytes,
    /// Last block time at which it may enter a block, ms since 1970-01-01 UTC.
    pub valid_until_ms: u64,
}

/// An account with what signs for it.
#[derive(Clone)]
pub struct Account {
    id: Digest,
    signer: Arc<dyn Signer>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Account {
    /// An account whose key may have been rotated.
    pub fn new(id: Digest, signer: impl Signer) -> Self {
        let signer = Arc::new(signer);
        Self { id, signer }
    }

    /// The account whose first key this is.
    pub fn of_first_key(signer: impl Signer) -> Self {
        Self::new(account_id(&signer.public_key()), signer)
    }

    /// Account id.
    pub fn id(&self) -> Digest {
        self.id
    }

    /// What signs for the account.
    pub fn signer(&self) -> &dyn Signer {
        &*self.signer
    }

    /// Signs a call of any method, with a random nonce, valid from now on for as long as the terms say.
    ///
    /// # Errors
    /// If the key cannot sign.
    pub fn call(
        &self,
        terms: &Terms,
        module: &str,
        method: &str,
        arguments: &impl Message,
    ) -> Result<SignedTransaction, SignError> {
        let mut nonce = [0; NONCE_BYTES];
        rand::rng().fill_bytes(&mut nonce);
        let valid_until_ms = terms.valid_until_ms(crate::client::now_ms());
        let arguments = encode(arguments);
        let builder = TransactionBuilder::new(
            terms.chain_id,
            self.id,
            nonce,
            valid_until_ms,
            module,
            method,
            arguments,
        );
        let (bytes, id) = builder.metering_limit(terms.metering_limit).sign(&*self.signer)?;
        Ok(SignedTransaction {
            id,
            bytes,
            valid_until_ms,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validity_follows_the_networks_clock() {
        let terms = Terms::new(Digest::ZERO).valid_for(Duration::from_millis(500));
        assert_eq!(terms.valid_until_ms(1_000), 1_500);
        assert_eq!(terms.clock_offset_ms(-200).valid_until_ms(1_000), 1_300);
        assert_eq!(terms.clock_offset_ms(200).until_ms(1_700, 1_000), 500);
        assert_eq!(terms.until_ms(900, 1_000), 0);
        assert_eq!(terms.clock_offset_ms(i64::MIN).valid_until_ms(1_000), 500);
    }
}
