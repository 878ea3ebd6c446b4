//! Parts of a pack, taken from the chain.

use super::TestChain;
use crate::{PackParts, Proven, batch_leaf};
use yulian_crypto::{Digest, merkle};
use yulian_state::{Path, Proof};
use yulian_types::{SealedTransaction, StateKey};

impl TestChain {
    /// Parts for the deposit at `index` of the block at `height`, final by the header at `last` (above `height`) and
    /// with the status under that header or, if given, under the one at `later`.
    pub fn parts(&self, height: u64, index: usize, last: u64, later: Option<u64>) -> PackParts {
        let block = self.block(height);
        let transaction = &block.sealed.transactions[index];
        let leaves = block.sealed.transactions.iter().map(|t| t.leaf).collect();
        let receipts = block.receipts.iter().map(|receipt| merkle::leaf(receipt)).collect();
        let prove = |leaves: Vec<Digest>| merkle::Tree::new(leaves).prove(index as u64).expect("index");
        let top = later.unwrap_or(last);
        PackParts {
            genesis: self.genesis.bytes.clone(),
            set_changes: self.set_changes(top),
            headers: (height..=last).map(|at| self.header(at)).collect(),
            finality: self.finality(last),
            later: later.map(|at| (self.header(at), self.finality(at))),
            transaction: transaction.bytes.clone(),
            transaction_proof: prove(leaves),
            receipt: block.receipts[index].clone(),
            receipt_proof: prove(receipts),
            record: self.proven(top, &self.record_key(transaction)),
            account: None,
            organisation: None,
            key_owner: None,
            drift: None,
            row: None,
        }
    }

    /// The key of the record that a deposit made.
    pub fn record_key(&self, transaction: &SealedTransaction) -> StateKey {
        let records = self.latest().values.iter();
        let of_transaction = |key: &StateKey, value: &[u8]| {
            key.module_id == yulian_types::state_keys::EVIDENCE_ID && value.windows(32).any(|at| at == transaction.id.0)
        };
        let found = records.clone().find(|(key, value)| of_transaction(key, value));
        found.expect("a record of the transaction").0.clone()
    }

    /// A value of the state that the header at `height` carries (after its parent), with its proof.
    pub fn proven(&self, height: u64, key: &StateKey) -> Proven {
        Proven {
            value: self.block(height - 1).values[key].clone(),
            proof: self.proof(height, key),
        }
    }

    /// The proof of presence or absence under the state root that the header at `height` carries.
    pub fn proof(&self, height: u64, key: &StateKey) -> Proof {
        self.block(height - 1).tree.prove(&Path::of(key.module_id, &key.key))
    }
}

/// The tree over a batch's digests.
pub fn batch(digests: &[Digest]) -> merkle::Tree {
    merkle::Tree::new(digests.iter().map(batch_leaf).collect())
}
