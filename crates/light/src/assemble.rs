//! Makes a pack from its parts.

use crate::{
    deposit::deposit,
    error::PackError,
    history::SetChange,
    pack::{EvidencePack, LaterHeader, PACK_FORMAT, PACK_VERSION, PackRelay, PackRow, PackSetChange, StateEntry},
    trust::Trust,
    verify::verify_pack,
};
use bytes::Bytes;
use yulian_crypto::{
    Digest, merkle,
    sm2::{PublicKey, Verifier},
};
use yulian_state::Proof;
use yulian_types::{
    SealedGenesis, SealedTransaction, StateKey, decode_canonical, encode, limits::STATE_VALUE_BYTES_MAX,
    proto::EvidenceRecord, state_keys::PARAMETER_CLOCK_DRIFT_MS,
};

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
            relay: None,
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

/// What the relay part of a pack is made of. See [`PackRelay`] for the meaning of each part.
#[derive(Debug, Clone)]
pub struct RelayParts {
    /// Genesis bytes of the relay chain.
    pub genesis: Bytes,
    /// Changes of its validators up to the last of `headers`, ascending.
    pub set_changes: Vec<SetChange>,
    /// Its headers, of which the first carries the state of both records and the last has a finality proof.
    pub headers: Vec<Bytes>,
    /// That proof.
    pub finality: Bytes,
    /// Its light client of the pack's chain.
    pub client: Proven,
    /// What it keeps of the pack's last header.
    pub kept: Proven,
}

/// What states the record of a pack anew.
#[derive(Debug, Clone)]
pub struct StatusParts {
    /// Changes of the validator set up to the header, ascending.
    pub set_changes: Vec<SetChange>,
    /// The header.
    pub header: Bytes,
    /// Its own finality proof.
    pub finality: Bytes,
    /// Values of [`EvidencePack::state_keys`] under it, in their order.
    pub entries: Vec<Proven>,
}

impl From<RelayParts> for PackRelay {
    fn from(parts: RelayParts) -> Self {
        Self {
            genesis: parts.genesis.into(),
            set_changes: parts.set_changes.into_iter().map(PackSetChange::from).collect(),
            headers: parts.headers.into_iter().map(Into::into).collect(),
            finality: parts.finality.into(),
            client: parts.client.into(),
            kept: parts.kept.into(),
        }
    }
}

impl EvidencePack {
    /// The file of the same pack with the word of a relay chain, in place of another if it has one.
    ///
    /// # Errors
    /// If the parts do not hold, are of another chain or of another header than the pack's last.
    pub fn with_relay(&self, parts: RelayParts, verifier: &dyn Verifier) -> Result<Vec<u8>, PackError> {
        let relay = Some(parts.into());
        checked(&Self { relay, ..self.clone() }, verifier)
    }

    /// What of the state the pack proves: the keys of `record`, of those of `account`, `organisation` and `key_owner` that it has, and
    /// of the parameter `drift`, in this order.
    ///
    /// # Errors
    /// If the pack does not hold together.
    pub fn state_keys(&self) -> Result<Vec<StateKey>, PackError> {
        let (deposit, record, signer) = self.subject_of()?;
        let depositor = Digest::from_slice(&record.depositor).ok_or(PackError::RecordField("depositor"))?;
        let optional = [
            self.account.as_ref().map(|_| StateKey::account(&depositor)),
            self.organisation
                .as_ref()
                .map(|_| StateKey::organisation(&record.organisation)),
            self.key_owner.as_ref().map(|_| StateKey::key_owner(&signer)),
        ];
        let mut keys = vec![StateKey::evidence(&deposit, &record.organisation)];
        keys.extend(optional.into_iter().flatten());
        keys.push(StateKey::parameter(PARAMETER_CLOCK_DRIFT_MS));
        Ok(keys)
    }

    /// Digest of the deposit, the record, and the key that signed.
    fn subject_of(&self) -> Result<(Digest, EvidenceRecord, PublicKey), PackError> {
        let transaction = SealedTransaction::decode(self.transaction.0.clone()).map_err(PackError::Transaction)?;
        let record = decode_canonical(&self.record.value.0, STATE_VALUE_BYTES_MAX).map_err(PackError::Record)?;
        let signer = transaction.signers.first().ok_or(PackError::SignerUnproven)?.key;
        Ok((deposit(&transaction.payload)?.digest, record, signer))
    }

    /// The file of the same pack with the status under another header, which must be later than `headers`.
    ///
    /// # Errors
    /// If a part does not hold or an entry is missing.
    pub fn restated(&self, parts: StatusParts, verifier: &dyn Verifier) -> Result<Vec<u8>, PackError> {
        let genesis = SealedGenesis::decode(&self.genesis.0).map_err(PackError::Genesis)?;
        let mut entries = parts.entries.into_iter();
        let mut next = |needed: bool| match needed {
            true => entries.next().ok_or(PackError::Field("entries")).map(Some),
            false => Ok(None),
        };
        let record = next(true)?.ok_or(PackError::Field("entries"))?;
        let (account, organisation) = (next(self.account.is_some())?, next(self.organisation.is_some())?);
        let (key_owner, drift) = (next(self.key_owner.is_some())?, next(true)?);
        // Genesis proves the parameter as long as no vote changed it.
        let first = genesis.message.parameters.iter();
        let first = first
            .filter(|first| first.name == PARAMETER_CLOCK_DRIFT_MS)
            .map(encode)
            .next();
        let drift = drift.filter(|drift| Some(&drift.value) != first.as_ref());
        let pack = Self {
            set_changes: parts.set_changes.into_iter().map(PackSetChange::from).collect(),
            later: Some(LaterHeader {
                header: parts.header.into(),
                finality: parts.finality.into(),
            }),
            record: record.into(),
            account: account.map(Into::into),
            organisation: organisation.map(Into::into),
            key_owner: key_owner.map(Into::into),
            drift: drift.map(Into::into),
            relay: None,
            ..self.clone()
        };
        checked(&pack, verifier)
    }

    /// The header under whose state the record is proven, with its own finality proof: what a relay chain must know.
    pub fn last_header(&self) -> Option<(&Bytes, &Bytes)> {
        match &self.later {
            Some(later) => Some((&later.header.0, &later.finality.0)),
            None => self.headers.last().map(|header| (&header.0, &self.finality.0)),
        }
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
