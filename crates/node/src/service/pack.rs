//! Evidence packs: gathering what proves one deposit. Whether it does is judged by `light`, before it leaves.

use super::{ChainApi, proofs::inclusion};
use bytes::Bytes;
use prost::Message;
use yulian_api::{ApiError, Code};
use yulian_crypto::Digest;
use yulian_engine::Runtime;
use yulian_exec::{Snapshot, StateError};
use yulian_light::{HEADERS_MAX, PackParts, Proven, SetChange, assemble};
use yulian_store::Kv;
use yulian_types::{SealedTransaction, StateKey, account_id, encode, proto, state_keys::PARAMETER_CLOCK_DRIFT_MS};

/// The state entries of a pack, all proven under one root.
struct Entries {
    record: Option<Proven>,
    account: Option<Proven>,
    organisation: Option<Proven>,
    key_owner: Option<Proven>,
    drift: Option<Proven>,
}

impl<R: Runtime, K: Kv> ChainApi<R, K> {
    pub(super) async fn pack(&self, digest: Digest, organisation: Option<&str>) -> Result<Bytes, ApiError> {
        let organisation = self.organisation_of(&digest, organisation).await?;
        let parts = self.pack_parts(digest, &organisation).await?;
        let json = assemble(parts, &*self.node.verifier);
        json.map(Bytes::from)
            .map_err(|error| ApiError::detailed(Code::Internal, error))
    }

    async fn pack_parts(&self, digest: Digest, organisation: &str) -> Result<PackParts, ApiError> {
        let record_key = StateKey::evidence(&digest, organisation);
        let (_, mut values) = self.values(std::slice::from_ref(&record_key)).await?;
        let value = values.pop().flatten().ok_or(Code::UnknownEvidence)?;
        let record = proto::EvidenceRecord::decode(value).map_err(|_| Code::Internal)?;
        let id = Digest::from_slice(&record.transaction_id).ok_or(Code::Internal)?;
        if self.node.ledger().is_pruned(record.height) {
            return Err(Code::Pruned.into());
        }
        let found = self.find_final(&id)?;
        let block = &found.data.block;
        let cover = self.cover_with_child(block.height())?.ok_or(Code::NotProvable)?;
        if cover.headers.len() > HEADERS_MAX {
            return Err(Code::NotProvable.into());
        }
        // The status is shown as of the last state that can be proven, which is a later one than the deposit's.
        let covered = block.height() + cover.headers.len() as u64 - 1;
        let last = self.node.ledger().last_proven().max(covered);
        let later = if last > covered {
            Some((self.header_bytes(last)?, self.own_proof(last)?))
        } else {
            None
        };
        let transaction = &block.transactions[found.index];
        let entries = self
            .read_state(last - 1, |state| self.entries(state, &record_key, transaction, &record))
            .await?;
        let inclusion = inclusion(block, found.data.receipts.as_deref(), found.index).ok_or(Code::Internal)?;
        Ok(PackParts {
            genesis: self.node.ledger().genesis().bytes.clone(),
            set_changes: self.set_changes(last)?,
            headers: cover.headers,
            finality: cover.proof,
            later,
            transaction: transaction.bytes.clone(),
            transaction_proof: inclusion.transaction,
            receipt: found.receipt()?.clone(),
            receipt_proof: inclusion.receipt.ok_or(Code::Pruned)?,
            record: entries.record.ok_or(Code::NotProvable)?,
            account: entries.account,
            organisation: entries.organisation,
            key_owner: entries.key_owner,
            drift: entries.drift,
            row: None,
        })
    }

    /// What of the state a reader needs beside genesis: nothing that genesis proves already.
    fn entries(
        &self,
        state: &Snapshot<crate::ledger::Ledger<K>>,
        record_key: &StateKey,
        transaction: &SealedTransaction,
        record: &proto::EvidenceRecord,
    ) -> Result<Entries, StateError> {
        let genesis = &self.node.ledger().genesis().message;
        let account_known = genesis.accounts.iter().any(|account| account.id == record.depositor);
        let organisation_known = genesis
            .organisations
            .iter()
            .any(|known| known.id == record.organisation);
        let drift = genesis
            .parameters
            .iter()
            .find(|parameter| parameter.name == PARAMETER_CLOCK_DRIFT_MS);
        let drift_key = StateKey::parameter(PARAMETER_CLOCK_DRIFT_MS);
        let drift_changed = state.get(&drift_key)? != drift.map(encode);
        let signer = transaction.signers.first().map(|entry| entry.key);
        let other_key = signer.filter(|key| account_id(key) != transaction.sender);
        // Of the depositor, as the verifier has it: that need not be who signed.
        let depositor = Digest::from_slice(&record.depositor);
        let account = StateKey::account(&depositor.unwrap_or(transaction.sender));
        let optional = |needed: bool, key: &StateKey| if needed { proven(state, key) } else { Ok(None) };
        Ok(Entries {
            record: proven(state, record_key)?,
            account: optional(!account_known, &account)?,
            organisation: optional(!organisation_known, &StateKey::organisation(&record.organisation))?,
            key_owner: other_key.map_or(Ok(None), |key| proven(state, &StateKey::key_owner(&key)))?,
            drift: optional(drift_changed, &drift_key)?,
        })
    }

    pub(super) fn own_proof(&self, height: u64) -> Result<Bytes, ApiError> {
        Ok(self.node.ledger().own_proof(height)?.ok_or(Code::NotProvable)?)
    }

    /// The changes of the validator set up to a height, each final under the set before it.
    fn set_changes(&self, height: u64) -> Result<Vec<SetChange>, ApiError> {
        let marks = self.node.ledger().sets();
        let marks = marks.into_iter().skip(1).filter(|mark| mark.first_height <= height);
        marks
            .map(|mark| {
                let boundary = mark.first_height - 1;
                let set = self.node.set(&mark.digest)?.ok_or(Code::Internal)?;
                Ok(SetChange {
                    header: self.header_bytes(boundary)?,
                    finality: self.own_proof(boundary)?,
                    validators: set.encode(),
                })
            })
            .collect()
    }
}

fn proven<B: yulian_exec::Base>(state: &Snapshot<B>, key: &StateKey) -> Result<Option<Proven>, StateError> {
    let (value, proof) = state.prove(key)?;
    Ok(value.map(|value| Proven { value, proof }))
}
