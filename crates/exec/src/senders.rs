//! Who sends: account and organisation, decoded once for each state.

use crate::{
    Failure, StateError, codes,
    hashing::DigestMap,
    limits::SENDERS_CACHED_MAX,
    module::Method,
    snapshot::{ReadPath, read_record},
};
use std::sync::Arc;
use yulian_crypto::Digest;
use yulian_types::{SealedTransaction, StateKey, proto};

/// An account with its organisation.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) account: proto::Account,
    pub(crate) organisation: proto::Organisation,
}

impl Sender {
    fn read(state: &mut dyn ReadPath, id: &Digest) -> Result<Option<Self>, StateError> {
        let Some(account) = read_record::<proto::Account>(state, &StateKey::account(id), "account")? else {
            return Ok(None);
        };
        let key = StateKey::organisation(&account.organisation);
        let missing = || StateError::Record {
            table: "organisation",
            reason: format!("{} is missing", account.organisation),
        };
        let organisation = read_record(state, &key, "organisation")?.ok_or_else(missing)?;
        Ok(Some(Self { account, organisation }))
    }

    /// Whether the account may act with the key that signed.
    pub(crate) fn check_standing(&self, transaction: &SealedTransaction) -> Result<(), Failure> {
        let signer = transaction.signers.first().map(|entry| &entry.key.as_bytes()[..]);
        if signer != Some(&self.account.public_key[..]) {
            return Err(Failure::from(&codes::WRONG_KEY));
        }
        if self.account.frozen {
            return Err(Failure::new(&codes::ACCOUNT_FROZEN, self.account.frozen_reason.clone()));
        }
        if self.organisation.removed {
            return Err(Failure::new(&codes::ORGANISATION_REMOVED, self.organisation.id.clone()));
        }
        if self.organisation.frozen {
            return Err(Failure::new(&codes::ORGANISATION_FROZEN, self.organisation.id.clone()));
        }
        Ok(())
    }

    /// Whether the account has a role that the method asks for.
    pub(crate) fn check_role(&self, method: &Method) -> Result<(), Failure> {
        let held = |role: &&str| self.account.roles.iter().any(|own| own == role);
        if method.roles.is_empty() || method.roles.iter().any(held) {
            return Ok(());
        }
        Err(Failure::new(
            &codes::ROLE_MISSING,
            format!("{} asks for {}", method.name, method.roles.join(" or ")),
        ))
    }
}

/// Senders of one state, decoded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Senders(DigestMap<Arc<Sender>>);

impl Senders {
    /// The sender, or `None` if there is no such account.
    pub(crate) fn load(&mut self, state: &mut dyn ReadPath, id: &Digest) -> Result<Option<Arc<Sender>>, StateError> {
        if let Some(sender) = self.0.get(id) {
            return Ok(Some(sender.clone()));
        }
        let Some(sender) = Sender::read(state, id)?.map(Arc::new) else {
            return Ok(None);
        };
        if self.0.len() >= SENDERS_CACHED_MAX {
            self.0.clear();
        }
        self.0.insert(*id, sender.clone());
        Ok(Some(sender))
    }

    /// Forgets everything: accounts or organisations have changed.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
