//! The verification of a pack, step by step as `docs/formats.md` has it.

use crate::{
    blob::Blob,
    deposit::{DepositCall, check_subject, deposit, row_in_batch, status},
    error::PackError,
    header::{FinalHeader, FinalHeaders, verify_headers},
    history::ValidatorHistory,
    inclusion::{InclusionError, verify_receipt, verify_state, verify_transaction},
    names::finality,
    pack::{EvidencePack, StateEntry},
    paths::{merkle_proof, state_proof},
    relay::{bytes_of, check_relay, follow, needless},
    report::{BlockTime, Content, Outcome, RelayPath, Report},
    subject::Subject,
    trust::Trust,
};
use yulian_crypto::{
    Digest, merkle,
    sm2::{Item, Verifier},
};
use yulian_types::{
    CodecError, SealedGenesis, SealedTransaction, StateKey, decode_canonical,
    limits::{RECEIPT_BYTES_MAX, STATE_VALUE_BYTES_MAX},
    proto, state_keys as keys,
};

/// Verifies a pack, and that it is of `subject` if one is given.
///
/// # Errors
/// The first thing that does not hold. A pack that holds together but whose chain is not among those trusted is no
/// error: it is [`Outcome::UnknownChain`], which is not a yes either.
pub fn verify_pack(
    json: &[u8],
    subject: Option<&Subject>,
    trust: &Trust,
    verifier: &dyn Verifier,
) -> Result<Outcome, PackError> {
    let pack = EvidencePack::decode(json)?;
    let check = Check::new(&pack, trust, verifier)?;
    let report = check.report(subject, trust)?;
    let by_relay = report.relay.as_ref().is_some_and(|relay| trust.knows(&relay.chain_id));
    Ok(if trust.knows(&report.chain_id) || by_relay {
        Outcome::Proven(report)
    } else {
        Outcome::UnknownChain(report)
    })
}

/// The headers of a pack, final, and its transaction.
pub(crate) struct Check<'a> {
    pub(crate) pack: &'a EvidencePack,
    verifier: &'a dyn Verifier,
    pub(crate) genesis: SealedGenesis,
    history: ValidatorHistory,
    headers: FinalHeaders,
    later: Option<FinalHeaders>,
    pub(crate) transaction: SealedTransaction,
}

impl<'a> Check<'a> {
    fn new(pack: &'a EvidencePack, trust: &Trust, verifier: &'a dyn Verifier) -> Result<Self, PackError> {
        let genesis = SealedGenesis::decode(&pack.genesis.0).map_err(PackError::Genesis)?;
        let transaction = SealedTransaction::decode(pack.transaction.0.clone()).map_err(PackError::Transaction)?;
        let wrap = |(index, source)| PackError::SetChange { index, source };
        let history = follow(&genesis, &pack.set_changes, verifier).map_err(wrap)?;
        let headers = verify_headers(&history, &bytes_of(&pack.headers), &pack.finality.0, verifier);
        let headers = headers.map_err(PackError::Headers)?;
        let later = match &pack.later {
            None => None,
            Some(later) => {
                let header = std::slice::from_ref(&later.header.0);
                let found = verify_headers(&history, header, &later.finality.0, verifier).map_err(PackError::Later)?;
                if found.first().height() <= headers.last().height() {
                    return Err(PackError::HeaderOrder);
                }
                Some(found)
            }
        };
        let check = Self {
            pack,
            verifier,
            genesis,
            history,
            headers,
            later,
            transaction,
        };
        check.check_range(trust)?;
        Ok(check)
    }

    /// The header under whose state the record is proven: the last of the pack.
    fn status_header(&self) -> &FinalHeader {
        self.later.as_ref().unwrap_or(&self.headers).last()
    }

    fn block(&self) -> &FinalHeader {
        self.headers.first()
    }

    fn child(&self) -> Result<&FinalHeader, PackError> {
        self.headers.all().get(1).ok_or(PackError::HeaderOrder)
    }

    /// No set change beyond the last header, and no contradiction to the trusted header.
    fn check_range(&self, trust: &Trust) -> Result<(), PackError> {
        let last = self.status_header().height();
        if let Some(index) = needless(&self.history, last) {
            return Err(PackError::NeedlessSetChange(index));
        }
        let later = self.later.iter().flat_map(|headers| headers.all());
        let shown = self.headers.all().iter().chain(later);
        let shown: Vec<(Digest, u64)> = shown.map(|header| (header.digest(), header.height())).collect();
        trust.agrees(&self.history, &shown, last).map_err(PackError::Fork)
    }

    fn report(&self, subject: Option<&Subject>, trust: &Trust) -> Result<Report, PackError> {
        self.check_transaction()?;
        self.check_receipt()?;
        let deposit = deposit(&self.transaction.payload)?;
        let record = self.record(&deposit)?;
        let status = status(&record)?;
        let (digest, content) = self.content(&deposit)?;
        check_subject(subject, &digest, &content)?;
        let status_header = self.status_header();
        Ok(Report {
            chain_id: self.genesis.chain_id,
            chain_name: self.genesis.message.name.clone(),
            digest,
            subject_matches: subject.map(|_| true),
            content,
            description: record.description.clone(),
            source: record.source.clone(),
            depositor: self.depositor(&record)?,
            transaction_id: self.transaction.id,
            height: self.block().height(),
            block: self.block().digest(),
            time: BlockTime {
                time_ms: self.block().header().time_ms,
                drift: self.drift()?,
            },
            finality: finality(&self.headers),
            status,
            // A header of height 0 has no parent; it cannot follow the transaction's block either.
            as_of_height: status_header.height().saturating_sub(1),
            as_of_time_ms: status_header.header().time_ms,
            status_finality: self.later.as_ref().map(finality),
            set_changes: self.history.ranges().len() - 1,
            relay: self.relay(trust)?,
        })
    }

    fn relay(&self, trust: &Trust) -> Result<Option<RelayPath>, PackError> {
        let check = |part| check_relay(part, &self.genesis.chain_id, self.status_header(), trust, self.verifier);
        self.pack.relay.as_ref().map(check).transpose()
    }

    fn check_transaction(&self) -> Result<(), PackError> {
        let transaction = &self.transaction;
        if transaction.payload.chain_id[..] != self.genesis.chain_id.0 {
            return Err(PackError::TransactionChain);
        }
        let proof = self.place(&self.pack.transaction_path, "transaction_path")?;
        verify_transaction(self.block(), transaction, &proof).map_err(PackError::TransactionInclusion)?;
        let items: Vec<Item<'_>> = transaction
            .signers
            .iter()
            .map(|entry| Item {
                key: &entry.key,
                message: &transaction.id.0,
                signature: &entry.signature,
            })
            .collect();
        match self.verifier.verify_many(&items).iter().position(|ok| !ok) {
            None => Ok(()),
            Some(index) => Err(PackError::TransactionSignature(index)),
        }
    }

    fn check_receipt(&self) -> Result<(), PackError> {
        let bytes = &self.pack.receipt.0;
        let receipt: proto::Receipt = decode_canonical(bytes, RECEIPT_BYTES_MAX).map_err(PackError::Receipt)?;
        let proof = self.place(&self.pack.receipt_path, "receipt_path")?;
        verify_receipt(self.block(), self.child()?, bytes, &proof).map_err(PackError::ReceiptInclusion)?;
        if receipt.transaction_id[..] != self.transaction.id.0 {
            return Err(PackError::ReceiptTransaction);
        }
        match receipt.status {
            0 => Ok(()),
            _ => Err(PackError::Failed(receipt.code)),
        }
    }

    /// The Merkle proof of the transaction's place in its block.
    fn place(&self, path: &Blob, name: &'static str) -> Result<merkle::Proof, PackError> {
        merkle_proof(u64::from(self.pack.index), u64::from(self.pack.count), path, name)
    }

    /// The record, which must be in the state and agree with the transaction that made it.
    fn record(&self, deposit: &DepositCall) -> Result<proto::EvidenceRecord, PackError> {
        let entry = &self.pack.record;
        let record: proto::EvidenceRecord =
            decode_canonical(&entry.value.0, STATE_VALUE_BYTES_MAX).map_err(PackError::Record)?;
        let key = StateKey::evidence(&deposit.digest, &record.organisation);
        self.check_entry(entry, &key).map_err(PackError::RecordState)?;
        let payload = &self.transaction.payload;
        let header = self.block().header();
        let acting = [&payload.sender, &payload.on_behalf_of];
        for (name, holds) in [
            ("digest", record.digest[..] == deposit.digest.0),
            ("kind", record.kind == deposit.kind),
            ("count", record.count == deposit.count),
            ("description", record.description == deposit.description),
            ("source", record.source == deposit.source),
            (
                "depositor",
                acting.contains(&&record.depositor) && record.depositor.len() == 32,
            ),
            ("height", record.height == header.height),
            ("time", record.time_ms == header.time_ms),
            ("transaction id", record.transaction_id[..] == self.transaction.id.0),
        ] {
            if !holds {
                return Err(PackError::RecordField(name));
            }
        }
        Ok(record)
    }

    fn check_entry(&self, entry: &StateEntry, key: &StateKey) -> Result<(), InclusionError> {
        let proof = state_proof(entry, key)?;
        verify_state(self.status_header(), key, Some(&entry.value.0), &proof)
    }

    /// An optional entry, decoded and proven under the key that belongs here.
    pub(crate) fn entry<M: prost::Message + Default>(
        &self,
        name: &'static str,
        entry: &Option<StateEntry>,
        key: &StateKey,
    ) -> Result<Option<M>, PackError> {
        let Some(entry) = entry else {
            return Ok(None);
        };
        let wrap = |source| PackError::EntryState { entry: name, source };
        self.check_entry(entry, key).map_err(wrap)?;
        let message: Result<M, CodecError> = decode_canonical(&entry.value.0, STATE_VALUE_BYTES_MAX);
        let wrap = |source| PackError::Entry { entry: name, source };
        message.map(Some).map_err(wrap)
    }

    /// The digest that the pack proves.
    fn content(&self, deposit: &DepositCall) -> Result<(Digest, Content), PackError> {
        let batch = |index| Content::Batch {
            root: deposit.digest,
            count: deposit.count,
            index,
        };
        match (&self.pack.row, deposit.kind) {
            (None, keys::KIND_BATCH) => Ok((deposit.digest, batch(None))),
            (None, _) => Ok((deposit.digest, Content::Single)),
            (Some(row), keys::KIND_BATCH) => Ok((row_in_batch(row, deposit)?, batch(Some(row.index)))),
            (Some(_), _) => Err(PackError::Row),
        }
    }
}
