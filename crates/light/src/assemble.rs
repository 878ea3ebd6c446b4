//! Makes a pack from its parts.

use crate::{
    error::PackError,
    history::SetChange,
    pack::{EvidencePack, LaterHeader, PACK_FORMAT, PACK_VERSION, PackRow, PackSetChange, StateEntry},
    trust::Trust,
    verify::verify_pack,
};
use bytes::Bytes;
use yulian_crypto::{Digest, merkle, sm2::Verifier};
use yulian_state::Proof;

/// Bytes of a proof before the first sibling: kind, path, value hash.
const LEAF_BYTES: usize = 65;

/// A value of the state with its proof of presence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The encoded value.
    pub value: Bytes,
    /// The proof under the `parent_state_root` of the pack's last header.
    pub proof: Proof,
}

impl From<Proven> for StateEntry {
    fn from(proven: Proven) -> Self {
        let bytes = proven.proof.to_bytes();
        Self {
            value: proven.value.into(),
            path: bytes.get(LEAF_BYTES..).unwrap_or_default().to_vec().into(),
        }
    }
}

/// What a pack is made of. See [`EvidencePack`] for the meaning of each part.
#[derive(Debug, Clone)]
pub struct PackParts {
    /// Genesis bytes.
    pub genesis: Bytes,
    /// Changes of the validator set up to the last header, ascending.
    pub set_changes: Vec<SetChange>,
    /// Headers from the transaction's block on; the last has a finality proof, and at least its child is there.
    pub headers: Vec<Bytes>,
    /// That proof.
    pub finality: Bytes,
    /// A later header with its own finality proof, if the status is to be newer.
    pub later: Option<(Bytes, Bytes)>,
    /// The transaction.
    pub transaction: Bytes,
    /// Its proof under the transaction root.
    pub transaction_proof: merkle::Proof,
    /// The receipt.
    pub receipt: Bytes,
    /// Its proof under the receipt root.
    pub receipt_proof: merkle::Proof,
    /// The evidence record.
    pub record: Proven,
    /// The depositor's account, if its label is to be shown and it is not one of genesis.
    pub account: Option<Proven>,
    /// The depositor's organisation, likewise.
    pub organisation: Option<Proven>,
    /// Owner of the signing key, needed if the sender's account id is not that of the key.
    pub key_owner: Option<Proven>,
    /// The drift parameter, if it was changed since genesis.
    pub drift: Option<Proven>,
    /// The row of a batch: its digest and the proof of its leaf.
    pub row: Option<(Digest, merkle::Proof)>,
}

impl PackParts {
    fn pack(self) -> Result<EvidencePack, PackError> {
        let place = |number: u64| u32::try_from(number).map_err(|_| PackError::Field("index"));
        Ok(EvidencePack {
            format: PACK_FORMAT.into(),
            version: PACK_VERSION,
            genesis: self.genesis.into(),
            set_changes: self.set_changes.into_iter().map(PackSetChange::from).collect(),
            headers: self.headers.into_iter().map(Into::into).collect(),
            finality: self.finality.into(),
            later: self.later.map(|(header, finality)| LaterHeader {
                header: header.into(),
                finality: finality.into(),
            }),
            transaction: self.transaction.into(),
            receipt: self.receipt.into(),
            index: place(self.transaction_proof.index)?,
            count: place(self.transaction_proof.count)?,
            transaction_path: siblings(&self.transaction_proof).into(),
            receipt_path: siblings(&self.receipt_proof).into(),
            record: self.record.into(),
            account: self.account.map(Into::into),
            organisation: self.organisation.map(Into::into),
            key_owner: self.key_owner.map(Into::into),
            drift: self.drift.map(Into::into),
            row: self.row.map(|(digest, proof)| PackRow::new(&digest, &proof)),
        })
    }
}

impl From<SetChange> for PackSetChange {
    fn from(change: SetChange) -> Self {
        Self {
            header: change.header.into(),
            finality: change.finality.into(),
            validators: change.validators.into(),
        }
    }
}

impl PackRow {
    /// A member of a batch with the proof of its [`crate::batch_leaf`].
    pub fn new(digest: &Digest, proof: &merkle::Proof) -> Self {
        Self {
            digest: digest.to_vec().into(),
            index: proof.index,
            path: siblings(proof).into(),
        }
    }
}

/// The file of a pack. A pack that does not verify is not made.
///
/// # Errors
/// What is wrong with the parts, as [`verify_pack`] says it.
pub fn assemble(parts: PackParts, verifier: &dyn Verifier) -> Result<Vec<u8>, PackError> {
    checked(&parts.pack()?, verifier)
}

impl EvidencePack {
    /// The file of a pack of a whole batch, narrowed to one of its rows.
    ///
    /// # Errors
    /// If the row is not in the batch or the pack does not verify.
    pub fn for_row(
        &self,
        digest: &Digest,
        proof: &merkle::Proof,
        verifier: &dyn Verifier,
    ) -> Result<Vec<u8>, PackError> {
        let row = Some(PackRow::new(digest, proof));
        checked(&Self { row, ..self.clone() }, verifier)
    }
}

fn checked(pack: &EvidencePack, verifier: &dyn Verifier) -> Result<Vec<u8>, PackError> {
    let json = pack.encode();
    // Whether the chain is trusted is the reader's question, not the maker's.
    match verify_pack(&json, None, &Trust::nobody(), verifier) {
        Ok(_) => Ok(json),
        Err(error) => Err(error),
    }
}

fn siblings(proof: &merkle::Proof) -> Vec<u8> {
    proof.siblings.iter().flat_map(|digest| digest.0).collect()
}
