//! Calls of the module `evidence`.

use super::{Account, SignedTransaction, Terms};
use yulian_crypto::{Digest, sm2::SignError};
use yulian_types::{
    proto,
    state_keys::{EVIDENCE_MODULE, METHOD_DEPOSIT, METHOD_DEPOSIT_BATCH},
};

/// All fail only if the key cannot sign.
impl Account {
    /// Deposits one digest.
    pub fn deposit(
        &self,
        terms: &Terms,
        digest: &Digest,
        description: &str,
        source: &str,
    ) -> Result<SignedTransaction, SignError> {
        let arguments = proto::Deposit {
            digest: digest.to_vec().into(),
            description: description.into(),
            source: source.into(),
        };
        self.call(terms, EVIDENCE_MODULE, METHOD_DEPOSIT, &arguments)
    }

    /// Deposits the root of a batch, see [`crate::RowBatch`].
    pub fn deposit_batch(
        &self,
        terms: &Terms,
        root: &Digest,
        count: u64,
        description: &str,
        source: &str,
    ) -> Result<SignedTransaction, SignError> {
        let arguments = proto::DepositBatch {
            root: root.to_vec().into(),
            count,
            description: description.into(),
            source: source.into(),
        };
        self.call(terms, EVIDENCE_MODULE, METHOD_DEPOSIT_BATCH, &arguments)
    }

    /// Replaces a record of the account's organisation by another of its records, which is active.
    pub fn supersede(
        &self,
        terms: &Terms,
        digest: &Digest,
        by: &Digest,
        reason: &str,
    ) -> Result<SignedTransaction, SignError> {
        let arguments = proto::Supersede {
            digest: digest.to_vec().into(),
            by: by.to_vec().into(),
            reason: reason.into(),
        };
        self.call(terms, EVIDENCE_MODULE, "supersede", &arguments)
    }

    /// Withdraws a record of the account's organisation.
    pub fn revoke(&self, terms: &Terms, digest: &Digest, reason: &str) -> Result<SignedTransaction, SignError> {
        let arguments = proto::Revoke {
            digest: digest.to_vec().into(),
            reason: reason.into(),
        };
        self.call(terms, EVIDENCE_MODULE, "revoke", &arguments)
    }
}
