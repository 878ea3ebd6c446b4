//! Signature schemes by epoch: one entry for each range of epochs with an unchanged validator set.

use crate::{api::SetRange, keys::NodeSigner, scheme::Sm2Scheme};
use commonware_consensus::types::Epoch;
use commonware_cryptography::certificate::{Provider, Scoped};
use std::{
    collections::BTreeMap,
    sync::{Arc, RwLock},
};
use yulian_types::{Digest, ValidatorSet};

#[derive(Debug)]
struct Entry {
    scheme: Arc<Sm2Scheme>,
    range: SetRange,
}

#[derive(Debug)]
struct Table {
    by_first_epoch: BTreeMap<u64, Entry>,
    /// Last epoch whose set is known; later ones may have another set.
    known_until: u64,
}

/// Answers for every epoch from genesis to the last known one, for ever: peers ask for old ones while they sync.
#[derive(Clone, Debug)]
pub(crate) struct Schemes {
    chain_id: Digest,
    signer: NodeSigner,
    table: Arc<RwLock<Table>>,
}

impl Schemes {
    pub(crate) fn new(chain_id: Digest, signer: NodeSigner, history: Vec<SetRange>) -> Self {
        let table = Arc::new(RwLock::new(Table {
            by_first_epoch: BTreeMap::new(),
            known_until: 0,
        }));
        let schemes = Self {
            chain_id,
            signer,
            table,
        };
        for range in history {
            schemes.enter(range.first_epoch, range.first_height, range.validators);
        }
        schemes
    }

    /// The set of `epoch` is `validators`; a range begins only where the set differs from the one before.
    pub(crate) fn enter(&self, epoch: u64, first_height: u64, validators: Arc<ValidatorSet>) {
        let mut table = self.table.write().expect("schemes");
        table.known_until = table.known_until.max(epoch);
        let current = table.by_first_epoch.range(..=epoch).next_back();
        if current.is_some_and(|(_, entry)| entry.range.validators.digest() == validators.digest()) {
            return;
        }
        let scheme = Arc::new(Sm2Scheme::new(&self.chain_id, &validators, &self.signer));
        let range = SetRange {
            first_epoch: epoch,
            first_height,
            validators,
        };
        table.by_first_epoch.insert(epoch, Entry { scheme, range });
    }

    /// Raises the last known epoch without a change of the set.
    pub(crate) fn known_until(&self, epoch: u64) {
        let mut table = self.table.write().expect("schemes");
        table.known_until = table.known_until.max(epoch);
    }

    fn lookup<T>(&self, epoch: u64, pick: impl Fn(&Entry) -> T) -> Option<T> {
        let table = self.table.read().expect("schemes");
        if epoch > table.known_until {
            return None;
        }
        table
            .by_first_epoch
            .range(..=epoch)
            .next_back()
            .map(|(_, entry)| pick(entry))
    }

    /// Scheme of an epoch.
    pub(crate) fn scheme(&self, epoch: u64) -> Option<Arc<Sm2Scheme>> {
        self.lookup(epoch, |entry| entry.scheme.clone())
    }

    /// Set of an epoch and since when it holds.
    pub(crate) fn range(&self, epoch: u64) -> Option<SetRange> {
        self.lookup(epoch, |entry| entry.range.clone())
    }
}

impl Provider for Schemes {
    type Scope = Epoch;
    type Scheme = Sm2Scheme;

    fn scoped(&self, epoch: Epoch) -> Option<Scoped<Sm2Scheme>> {
        self.scheme(epoch.get()).map(Scoped::scheme)
    }
}
