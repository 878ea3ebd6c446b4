//! Proofs: finality, inclusion, state.

use super::ChainApi;
use crate::ledger::{Cover, Ledger, PastProof};
use bytes::Bytes;
use yulian_api::{ApiError, Code, DigestText, Hex, views::*};
use yulian_crypto::{Digest, merkle};
use yulian_engine::Runtime;
use yulian_exec::{Module, Snapshot, StateError, path_of};
use yulian_state::value_hash;
use yulian_store::Kv;
use yulian_types::{FinalityProof, SealedBlock, StateKey};

/// Place of a transaction and its receipt under their roots.
pub(super) struct Inclusion {
    pub(super) transaction: merkle::Proof,
    pub(super) receipt: Option<merkle::Proof>,
}

/// Proves one transaction of a block.
pub(super) fn inclusion(block: &SealedBlock, receipts: Option<&[Bytes]>, index: usize) -> Option<Inclusion> {
    let leaves = block.transactions.iter().map(|transaction| transaction.leaf).collect();
    let receipts = receipts.map(|list| list.iter().map(|bytes| merkle::leaf(bytes)).collect());
    Some(Inclusion {
        transaction: merkle::Tree::new(leaves).prove(index as u64)?,
        receipt: receipts.and_then(|leaves| merkle::Tree::new(leaves).prove(index as u64)),
    })
}

/// Proves a key in a state that is in memory.
fn kept<K: Kv>(state: &Snapshot<Ledger<K>>, key: &StateKey) -> Result<PastProof, StateError> {
    let (value, proof) = state.prove(key)?;
    Ok(PastProof {
        value_hash: value.as_deref().map(value_hash),
        value,
        proof,
        root: state.tree().root(),
    })
}

impl<R: Runtime, K: Kv> ChainApi<R, K> {
    /// The view of a proof and the headers down to a height.
    fn finality_view(&self, height: u64, cover: &Cover) -> Result<FinalityView, ApiError> {
        let last = height + cover.headers.len() as u64 - 1;
        let digest = self.node.ledger().set_at(last).digest;
        let missing = || ApiError::detailed(Code::Storage, "a validator set is missing");
        let set = self.node.set(&digest)?.ok_or_else(missing)?;
        let proof = FinalityProof::decode(&cover.proof, set.len());
        let proof = proof.map_err(|error| ApiError::detailed(Code::Storage, error))?;
        Ok(FinalityView {
            height,
            headers: cover.headers.iter().cloned().map(Hex).collect(),
            proof: FinalityProofView::new(&proof, &set),
        })
    }

    fn cover(&self, height: u64) -> Result<Option<Cover>, ApiError> {
        Ok(self.node.ledger().cover(height)?)
    }

    pub(super) fn prove_final(&self, height: u64) -> Result<FinalityView, ApiError> {
        if height > self.node.ledger().tip().height {
            return Err(Code::UnknownBlock.into());
        }
        let cover = self.cover(height)?.ok_or(Code::NotProvable)?;
        self.finality_view(height, &cover)
    }

    /// The cover of a height and of its child, so that the results of the height are provable too.
    pub(super) fn cover_with_child(&self, height: u64) -> Result<Option<Cover>, ApiError> {
        let Some(mut cover) = self.cover(height + 1)? else {
            return Ok(None);
        };
        cover.headers.insert(0, self.header_bytes(height)?);
        Ok(Some(cover))
    }

    pub(super) fn prove_transaction(&self, id: Digest) -> Result<TransactionProofView, ApiError> {
        let found = self.find_final(&id)?;
        let block = &found.data.block;
        let with_child = self.cover_with_child(block.height())?;
        let receipts = found.data.receipts.as_deref().filter(|_| with_child.is_some());
        let cover = match with_child {
            Some(cover) => cover,
            None => self.cover(block.height())?.ok_or(Code::NotProvable)?,
        };
        let transaction = &block.transactions[found.index];
        let inclusion = inclusion(block, receipts, found.index).ok_or(Code::Internal)?;
        let receipt = match &inclusion.receipt {
            None => None,
            Some(proof) => Some(ReceiptProofView {
                bytes: Hex(found.receipt()?.clone()),
                inclusion: proof.into(),
            }),
        };
        Ok(TransactionProofView {
            id: DigestText(id),
            transaction: Hex(transaction.bytes.clone()),
            leaf: DigestText(transaction.leaf),
            inclusion: (&inclusion.transaction).into(),
            receipt,
            finality: self.finality_view(block.height(), &cover)?,
        })
    }

    /// A module by name or number.
    fn module(&self, text: &str) -> Result<(u32, String), ApiError> {
        let id = text.parse::<u32>().ok();
        let is = |module: &&std::sync::Arc<dyn Module>| module.name() == text || Some(module.id()) == id;
        let found = self.node.registry.modules().find(is);
        let found = found.map(|module| (module.id(), module.name().to_string()));
        // The state of a module that this program does not have can still be proven by its number.
        found
            .or_else(|| id.map(|id| (id, id.to_string())))
            .ok_or_else(|| Code::UnknownModule.into())
    }

    pub(super) async fn prove_state(
        &self,
        module: &str,
        key: Bytes,
        height: Option<u64>,
    ) -> Result<StateView, ApiError> {
        let (module_id, module) = self.module(module)?;
        let height = self.provable(height)?;
        let cover = self.cover(height + 1)?.ok_or(Code::NotProvable)?;
        let state_key = StateKey {
            module_id,
            key: key.clone(),
        };
        let PastProof {
            value_hash,
            value,
            proof,
            root,
        } = self.prove_at(height, &state_key).await?;
        Ok(StateView {
            module,
            module_id,
            key: Hex(key),
            value: value.map(Hex),
            value_hash: value_hash.map(DigestText),
            height,
            state_root: DigestText(root),
            proof: proof.to_bytes().into(),
            finality: self.finality_view(height + 1, &cover)?,
        })
    }

    pub(super) async fn prove_states(
        &self,
        module: &str,
        keys: Vec<Bytes>,
        height: Option<u64>,
    ) -> Result<StatesView, ApiError> {
        let (module_id, module) = self.module(module)?;
        let height = self.provable(height)?;
        let cover = self.cover(height + 1)?.ok_or(Code::NotProvable)?;
        let keys: Vec<StateKey> = keys.into_iter().map(|key| StateKey { module_id, key }).collect();
        let proven = self.prove_all_at(height, &keys).await?;
        let root = proven.first().map(|proven| proven.root).ok_or(Code::Internal)?;
        let item = |proven: PastProof| StateItem {
            value: proven.value.map(Hex),
            value_hash: proven.value_hash.map(DigestText),
            proof: proven.proof.to_bytes().into(),
        };
        Ok(StatesView {
            module,
            module_id,
            height,
            state_root: DigestText(root),
            items: proven.into_iter().map(item).collect(),
            finality: self.finality_view(height + 1, &cover)?,
        })
    }

    /// Proves a key after a final block: from the states in memory, or else from the undo records.
    async fn prove_at(&self, height: u64, key: &StateKey) -> Result<PastProof, ApiError> {
        if let Some(kept) = self.read_kept(height, |state| kept(state, key)).await? {
            return Ok(kept);
        }
        self.prove_former(height, key).await
    }

    /// Proves several keys after one final block. What is in memory is read from one version of the state; former states are
    /// proven one key after the other, so that other callers have their turn in between.
    async fn prove_all_at(&self, height: u64, keys: &[StateKey]) -> Result<Vec<PastProof>, ApiError> {
        let all = |state: &Snapshot<Ledger<K>>| keys.iter().map(|key| kept(state, key)).collect();
        if let Some(kept) = self.read_kept(height, all).await? {
            return Ok(kept);
        }
        let mut former = Vec::with_capacity(keys.len());
        for key in keys {
            former.push(self.prove_former(height, key).await?);
        }
        Ok(former)
    }

    /// Proves a key after a final block from the undo records.
    async fn prove_former(&self, height: u64, key: &StateKey) -> Result<PastProof, ApiError> {
        let (ledger, path) = (self.node.ledger().clone(), path_of(key));
        // Taken when its turn has come: what waits holds no version of the tree.
        let latest = self.node.latest.subscribe();
        let work = move || {
            let latest = latest.borrow().clone();
            ledger.prove_past((latest.tip.height, &latest.executed.tree), height, &path)
        };
        Ok(self.node.prover.run(work).await??)
    }

    /// The height asked for, or the last one whose state can be proven: its child is final with a proof.
    pub(super) fn provable(&self, height: Option<u64>) -> Result<u64, ApiError> {
        let ledger = self.node.ledger();
        let last = ledger.last_proven().checked_sub(1);
        match height {
            Some(height) if height > ledger.tip().height => Err(Code::UnknownBlock.into()),
            Some(height) if last.is_some_and(|last| height <= last) => Ok(height),
            Some(_) => Err(Code::NotProvable.into()),
            None => last.ok_or_else(|| Code::NotProvable.into()),
        }
    }
}
