//! Who sends: account and organisation, decoded once for each state.

use crate::{
    Failure, StateError, codes,
    hashing::DigestMap,
    limits::{ORGANISATIONS_CACHED_MAX, SENDERS_CACHED_MAX},
    module::Method,
    snapshot::{ReadPath, read_record},
};
use std::{collections::BTreeMap, sync::Arc};
use yulian_crypto::Digest;
use yulian_state::write_set::Write;
use yulian_types::{
    SealedTransaction, StateKey, proto,
    state_keys::{ACCOUNT_ID, TABLE_ACCOUNT, TABLE_KEY_OWNER},
};

/// An account with its organisation.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) account: proto::Account,
    pub(crate) organisation: Arc<proto::Organisation>,
}

impl Sender {
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
///
/// A child takes over what its parent knows: a clone shares the parts, and a part is copied only when it changes.
#[derive(Debug, Clone)]
pub(crate) struct Senders {
    parts: Vec<Arc<DigestMap<Arc<Sender>>>>,
    organisations: Arc<BTreeMap<String, Arc<proto::Organisation>>>,
}

const PARTS: usize = 128;
const PART_MAX: usize = SENDERS_CACHED_MAX / PARTS;

impl Default for Senders {
    fn default() -> Self {
        Self {
            parts: vec![Arc::default(); PARTS],
            organisations: Arc::default(),
        }
    }
}

/// The part of an account: by other bytes of its id than those that are its hash.
fn part_of(id: &Digest) -> usize {
    usize::from(id.0[31]) % PARTS
}

impl Senders {
    /// The sender, or `None` if there is no such account.
    pub(crate) fn load(&mut self, state: &mut dyn ReadPath, id: &Digest) -> Result<Option<Arc<Sender>>, StateError> {
        if let Some(sender) = self.parts[part_of(id)].get(id) {
            return Ok(Some(sender.clone()));
        }
        let Some(account) = read_record::<proto::Account>(state, &StateKey::account(id), "account")? else {
            return Ok(None);
        };
        let organisation = self.organisation(state, &account.organisation)?;
        let sender = Arc::new(Sender { account, organisation });
        let part = Arc::make_mut(&mut self.parts[part_of(id)]);
        if part.len() >= PART_MAX {
            part.clear();
        }
        part.insert(*id, sender.clone());
        Ok(Some(sender))
    }

    fn organisation(&mut self, state: &mut dyn ReadPath, id: &str) -> Result<Arc<proto::Organisation>, StateError> {
        if let Some(organisation) = self.organisations.get(id) {
            return Ok(organisation.clone());
        }
        let missing = || StateError::Record {
            table: "organisation",
            reason: format!("{id} is missing"),
        };
        let organisation = read_record(state, &StateKey::organisation(id), "organisation")?.ok_or_else(missing)?;
        let organisation: Arc<proto::Organisation> = Arc::new(organisation);
        let known = Arc::make_mut(&mut self.organisations);
        if known.len() >= ORGANISATIONS_CACHED_MAX {
            known.clear();
        }
        known.insert(id.to_owned(), organisation.clone());
        Ok(organisation)
    }

    /// Forgets what a write of the module `account` may have changed: the account itself, or all of them where the
    /// write is no account's.
    pub(crate) fn forget(&mut self, write: &Write) {
        if write.module_id != ACCOUNT_ID {
            return;
        }
        let (table, key) = write.key.split_first().unwrap_or((&0, &[]));
        match (*table, Digest::from_slice(key)) {
            (TABLE_ACCOUNT, Some(id)) => {
                let part = &mut self.parts[part_of(&id)];
                if part.contains_key(&id) {
                    Arc::make_mut(part).remove(&id);
                }
            }
            // Whose key it is or was is not among what is kept.
            (TABLE_KEY_OWNER, _) => {}
            _ => *self = Self::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::path_of;
    use bytes::Bytes;
    use prost::Message;
    use std::collections::HashMap;
    use yulian_state::Path;

    /// A state of records that counts how often it is read.
    #[derive(Default)]
    struct Records {
        values: HashMap<Path, Bytes>,
        reads: usize,
    }

    impl Records {
        fn put(&mut self, key: &StateKey, record: &impl Message) -> Write {
            let value = Bytes::from(record.encode_to_vec());
            self.values.insert(path_of(key), value.clone());
            Write {
                module_id: key.module_id,
                key: key.key.clone(),
                value: Some(value),
            }
        }
    }

    impl ReadPath for Records {
        fn read_path(&mut self, path: &Path) -> Result<Option<Bytes>, StateError> {
            self.reads += 1;
            Ok(self.values.get(path).cloned())
        }
    }

    fn id(number: u16, part: u8) -> Digest {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        bytes[31] = part;
        Digest(bytes)
    }

    fn account(frozen: bool) -> proto::Account {
        proto::Account {
            organisation: "dept".into(),
            frozen,
            ..Default::default()
        }
    }

    fn organisation(frozen: bool) -> proto::Organisation {
        proto::Organisation {
            id: "dept".into(),
            frozen,
            ..Default::default()
        }
    }

    fn world(accounts: u16, part: u8) -> Records {
        let mut records = Records::default();
        records.put(&StateKey::organisation("dept"), &organisation(false));
        for number in 0..accounts {
            records.put(&StateKey::account(&id(number, part)), &account(false));
        }
        records
    }

    #[test]
    fn each_record_is_read_once_and_children_know_what_their_parent_knew() {
        let mut records = world(3, 9);
        let mut parent = Senders::default();
        for number in [0, 1, 2, 1, 0] {
            assert!(parent.load(&mut records, &id(number, 9)).unwrap().is_some());
        }
        assert_eq!(records.reads, 3 + 1, "three accounts, one organisation");
        let mut child = parent.clone();
        child.load(&mut records, &id(2, 9)).unwrap();
        assert_eq!(records.reads, 4);
        assert!(child.load(&mut records, &id(7, 9)).unwrap().is_none());
        records.put(&StateKey::account(&id(7, 9)), &account(false));
        assert!(
            child.load(&mut records, &id(7, 9)).unwrap().is_some(),
            "absence is not kept"
        );
    }

    #[test]
    fn a_write_is_seen_by_the_child_and_not_by_the_parent() {
        let mut records = world(2, 1);
        let mut parent = Senders::default();
        let frozen = |senders: &mut Senders, records: &mut Records, number| {
            let sender = senders.load(records, &id(number, 1)).unwrap().unwrap();
            (sender.account.frozen, sender.organisation.frozen)
        };
        for number in 0..2 {
            assert_eq!(frozen(&mut parent, &mut records, number), (false, false));
        }
        let mut child = parent.clone();
        let write = records.put(&StateKey::account(&id(1, 1)), &account(true));
        child.forget(&write);
        let reads = records.reads;
        assert_eq!(frozen(&mut child, &mut records, 0), (false, false));
        assert_eq!(records.reads, reads, "the other account is still known");
        assert_eq!(frozen(&mut child, &mut records, 1), (true, false));
        assert_eq!(frozen(&mut parent, &mut records, 1), (false, false));
        let write = records.put(&StateKey::organisation("dept"), &organisation(true));
        child.forget(&write);
        assert_eq!(frozen(&mut child, &mut records, 0), (false, true));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let accounts = PART_MAX as u16 + 10;
        let mut records = world(accounts, 5);
        let mut senders = Senders::default();
        for number in 0..accounts {
            senders.load(&mut records, &id(number, 5)).unwrap();
        }
        assert_eq!(senders.parts[part_of(&id(0, 5))].len(), 10);
    }
}
