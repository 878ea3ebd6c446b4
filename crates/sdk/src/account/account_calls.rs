//! Calls of the module `account`.

use super::{Account, SignedTransaction, Terms};
use bytes::Bytes;
use yulian_crypto::{
    Digest,
    sm2::{SignError, Signer},
    sm3,
};
use yulian_types::{account_id, proto, tags};

const MODULE: &str = "account";

/// A new key's signature that it is held: over SM3("ylKeyOwn" ‖ chain id ‖ account id).
///
/// # Errors
/// If the key cannot sign.
pub fn key_possession(chain_id: &Digest, account: &Digest, key: &dyn Signer) -> Result<Bytes, SignError> {
    let message = sm3::tagged(&tags::KEY_POSSESSION, &[&chain_id.0, &account.0]);
    signature(key, &message)
}

pub(super) fn signature(key: &dyn Signer, message: &Digest) -> Result<Bytes, SignError> {
    let signature = key.sign(&message.0)?;
    Ok(Bytes::copy_from_slice(signature.as_bytes()))
}

/// All fail only if a key cannot sign.
impl Account {
    /// Opens an account of the sender's organisation for a new key. Its id is that of [`account_id`].
    pub fn register_account(
        &self,
        terms: &Terms,
        new_key: &dyn Signer,
        roles: &[&str],
        label: &str,
    ) -> Result<SignedTransaction, SignError> {
        let public_key = new_key.public_key();
        let id = account_id(&public_key);
        let arguments = proto::RegisterAccount {
            public_key: Bytes::copy_from_slice(public_key.as_bytes()),
            roles: sorted(roles),
            label: label.into(),
            possession: key_possession(&terms.chain_id(), &id, new_key)?,
        };
        self.call(terms, MODULE, "register", &arguments)
    }

    /// Sets the roles of an account of the sender's organisation.
    pub fn set_roles(&self, terms: &Terms, account: &Digest, roles: &[&str]) -> Result<SignedTransaction, SignError> {
        let arguments = proto::SetRoles {
            account: account.to_vec().into(),
            roles: sorted(roles),
        };
        self.call(terms, MODULE, "set_roles", &arguments)
    }

    /// Gives the sender's account, or for an admin one of its organisation, a new key.
    pub fn rotate_key(
        &self,
        terms: &Terms,
        account: &Digest,
        new_key: &dyn Signer,
    ) -> Result<SignedTransaction, SignError> {
        let arguments = proto::RotateKey {
            account: account.to_vec().into(),
            public_key: Bytes::copy_from_slice(new_key.public_key().as_bytes()),
            possession: key_possession(&terms.chain_id(), account, new_key)?,
        };
        self.call(terms, MODULE, "rotate_key", &arguments)
    }

    /// Freezes an account of the sender's organisation.
    pub fn freeze_account(
        &self,
        terms: &Terms,
        account: &Digest,
        reason: &str,
    ) -> Result<SignedTransaction, SignError> {
        let arguments = proto::FreezeAccount {
            account: account.to_vec().into(),
            reason: reason.into(),
        };
        self.call(terms, MODULE, "freeze", &arguments)
    }

    /// Ends the freeze of an account of the sender's organisation.
    pub fn unfreeze_account(&self, terms: &Terms, account: &Digest) -> Result<SignedTransaction, SignError> {
        let account = account.to_vec().into();
        self.call(terms, MODULE, "unfreeze", &proto::UnfreezeAccount { account })
    }
}

/// Roles as the chain asks for them: ascending, none twice.
fn sorted(roles: &[&str]) -> Vec<String> {
    let mut roles: Vec<String> = roles.iter().map(|role| (*role).into()).collect();
    roles.sort();
    roles.dedup();
    roles
}
