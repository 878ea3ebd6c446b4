//! Names that are shown: proven in the state or in genesis, never the pack's own.

use crate::{
    error::PackError,
    header::FinalHeaders,
    report::{Depositor, Drift, Finality, NameSource, SignedBy},
    verify::Check,
};
use yulian_crypto::{Digest, sm2::PublicKey};
use yulian_types::{StateKey, account_id, proto, state_keys as keys};

impl Check<'_> {
    pub(crate) fn depositor(&self, record: &proto::EvidenceRecord) -> Result<Depositor, PackError> {
        let sender = self.transaction.sender;
        let account = Digest::from_slice(&record.depositor).ok_or(PackError::RecordField("depositor"))?;
        let proven: Option<proto::Account> = self.entry("account", &self.pack.account, &StateKey::account(&account))?;
        if proven
            .as_ref()
            .is_some_and(|found| found.id != record.depositor || found.organisation != record.organisation)
        {
            return Err(PackError::EntryField("account"));
        }
        let first = &self.genesis.message;
        let in_genesis = first.accounts.iter().find(|found| found.id == record.depositor);
        let label = named(proven.as_ref().map(|a| &a.label), in_genesis.map(|a| &a.label));
        let key = StateKey::organisation(&record.organisation);
        let organisation: Option<proto::Organisation> = self.entry("organisation", &self.pack.organisation, &key)?;
        if organisation
            .as_ref()
            .is_some_and(|found| found.id != record.organisation)
        {
            return Err(PackError::EntryField("organisation"));
        }
        let in_genesis = first.organisations.iter().find(|found| found.id == record.organisation);
        let organisation_name = named(organisation.as_ref().map(|o| &o.name), in_genesis.map(|o| &o.name));
        Ok(Depositor {
            account,
            label,
            organisation: record.organisation.clone(),
            organisation_name,
            sender,
            key: self.sender_key(&sender)?,
        })
    }

    /// The first signer's key, which must be shown to be the sender's: by the account id, by genesis or by the state.
    fn sender_key(&self, sender: &Digest) -> Result<PublicKey, PackError> {
        // A sealed transaction has at least one signer.
        let key = self.transaction.signers.first().ok_or(PackError::SignerUnproven)?.key;
        let owner: Option<proto::KeyOwner> =
            self.entry("key_owner", &self.pack.key_owner, &StateKey::key_owner(&key))?;
        if owner.as_ref().is_some_and(|owner| owner.account[..] != sender.0) {
            return Err(PackError::EntryField("key_owner"));
        }
        let mut accounts = self.genesis.message.accounts.iter();
        let in_genesis = accounts.any(|a| a.id[..] == sender.0 && a.public_key[..] == key.as_bytes()[..]);
        if owner.is_some() || account_id(&key) == *sender || in_genesis {
            Ok(key)
        } else {
            Err(PackError::SignerUnproven)
        }
    }

    pub(crate) fn drift(&self) -> Result<Option<Drift>, PackError> {
        let name = keys::PARAMETER_CLOCK_DRIFT_MS;
        let now: Option<proto::Parameter> = self.entry("drift", &self.pack.drift, &StateKey::parameter(name))?;
        if now.as_ref().is_some_and(|found| found.name != name) {
            return Err(PackError::EntryField("drift"));
        }
        let mut parameters = self.genesis.message.parameters.iter();
        let first = parameters.find(|parameter| parameter.name == name);
        Ok(first.map(|first| Drift {
            ms: now.as_ref().unwrap_or(first).value,
            proven_by: if now.is_some() {
                NameSource::State
            } else {
                NameSource::Genesis
            },
            limit_ms: first.maximum,
        }))
    }
}

pub(crate) fn finality(headers: &FinalHeaders) -> Finality {
    let (proof, set) = (headers.proof(), headers.validators());
    let signed_by = |index: &u32| {
        let validator = &set.validators()[*index as usize];
        SignedBy {
            name: validator.name.clone(),
            cloud: validator.cloud.clone(),
            organisation: validator.organisation.clone(),
            key: set.keys()[*index as usize],
        }
    };
    Finality {
        height: headers.last().height(),
        epoch: proof.epoch,
        view: proof.view,
        validators: set.len(),
        quorum: set.quorum(),
        signed_by: proof.signers.iter().map(signed_by).collect(),
    }
}

fn named(state: Option<&String>, genesis: Option<&String>) -> Option<(String, NameSource)> {
    let of = |source| move |name: &String| (name.clone(), source);
    state
        .map(of(NameSource::State))
        .or(genesis.map(of(NameSource::Genesis)))
}
