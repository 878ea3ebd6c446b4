//! Verification of a node's answers, from the genesis digest on: nothing is believed because a node says it.

use crate::{
    client::{Chain, Page},
    error::SdkError,
};
use bytes::Bytes;
use yulian_api::{
    DigestText, Hex,
    views::{FinalityView, StateItem, StateView, StatesView, TransactionProofView, ValidatorChangeView},
};
use yulian_crypto::{
    Digest, merkle,
    sm2::{FastVerifier, KEY_CACHE_BYTES},
};
use yulian_light::{
    FinalHeader, FinalHeaders, HeaderError, HistoryError, InclusionError, SetChange, ValidatorHistory, verify_headers,
    verify_receipt, verify_state, verify_state_hash, verify_transaction,
};
use yulian_state::{Proof, ProofError};
use yulian_types::{
    BlockError, BlockLimits, CodecError, SealedBlock, SealedGenesis, SealedTransaction, StateKey, TransactionError,
    decode_canonical, limits::RECEIPT_BYTES_MAX, proto,
};

/// Why an answer does not prove what it claims.
#[derive(Debug, thiserror::Error)]
pub enum ProofFailure {
    /// A change of the validators is not proven.
    #[error("change {index} of the validators: {source}")]
    History {
        /// Position in the history.
        index: usize,
        /// What is wrong.
        source: HistoryError,
    },
    /// A change of the validators does not come with exactly its own header.
    #[error("change {0} of the validators does not come with the header that decided it")]
    HistoryForm(usize),
    /// Headers or their finality proof do not hold.
    #[error(transparent)]
    Headers(#[from] HeaderError),
    /// The answer is about another height, transaction or key than it claims.
    #[error("the answer is about another {0} than the one asked for")]
    OtherSubject(&'static str),
    /// The transaction is malformed.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// The receipt is malformed.
    #[error("receipt: {0}")]
    Receipt(#[source] CodecError),
    /// Something is not where the answer says it is.
    #[error(transparent)]
    Inclusion(#[from] InclusionError),
    /// The state proof is malformed.
    #[error(transparent)]
    State(#[from] ProofError),
    /// The key had a value, whose hash is proven, but the node no longer holds it.
    #[error("the node no longer holds the value; proven is its hash {0}")]
    ValueGone(Digest),
    /// The block is malformed.
    #[error(transparent)]
    Block(#[from] BlockError),
}

/// A transaction that is proven to stand in a final block.
#[derive(Debug, Clone)]
pub struct ProvenTransaction {
    /// The transaction. Its signatures were checked by the validators that finalised the block.
    pub transaction: SealedTransaction,
    /// Its receipt, where the answer proves it.
    pub receipt: Option<proto::Receipt>,
    /// The header of its block.
    pub header: FinalHeader,
}

/// What answers are checked against: a chain's validators as far as they are proven.
pub struct Proofs {
    history: ValidatorHistory,
    verifier: FastVerifier,
}

impl Proofs {
    /// From genesis alone.
    pub fn new(genesis: &SealedGenesis) -> Self {
        Self {
            history: ValidatorHistory::new(genesis),
            verifier: FastVerifier::new(KEY_CACHE_BYTES),
        }
    }

    /// The validators as far as they are proven.
    pub fn history(&self) -> &ValidatorHistory {
        &self.history
    }

    /// Proves further changes of the validators, in ascending order; those that are known already are passed over.
    ///
    /// # Errors
    /// [`ProofFailure::History`], [`ProofFailure::HistoryForm`]; what was proven before stays.
    pub fn extend(&mut self, changes: &[ValidatorChangeView]) -> Result<(), ProofFailure> {
        for (index, change) in changes.iter().enumerate() {
            let known = self
                .history
                .ranges()
                .last()
                .is_some_and(|last| change.first_height <= last.first_height);
            if known {
                continue;
            }
            let (Some(finality), 1) = (
                &change.finality,
                change.finality.as_ref().map_or(0, |it| it.headers.len()),
            ) else {
                return Err(ProofFailure::HistoryForm(index));
            };
            let change = SetChange {
                header: finality.headers[0].0.clone(),
                finality: finality.proof.bytes.0.clone(),
                validators: change.set.bytes.0.clone(),
            };
            self.history
                .apply(&change, &self.verifier)
                .map_err(|source| ProofFailure::History { index, source })?;
        }
        Ok(())
    }

    /// The headers of an answer, final; the first is that of the height it is about.
    ///
    /// # Errors
    /// [`ProofFailure::Headers`], [`ProofFailure::OtherSubject`].
    pub fn finality(&self, view: &FinalityView) -> Result<FinalHeaders, ProofFailure> {
        let headers: Vec<Bytes> = view.headers.iter().map(|header| header.0.clone()).collect();
        let headers = verify_headers(&self.history, &headers, &view.proof.bytes.0, &self.verifier)?;
        if headers.first().height() != view.height {
            return Err(ProofFailure::OtherSubject("height"));
        }
        Ok(headers)
    }

    /// A block of which `view` proves that it is final.
    ///
    /// # Errors
    /// If either does not hold or they do not belong together.
    pub fn block(&self, bytes: Bytes, view: &FinalityView) -> Result<SealedBlock, ProofFailure> {
        let headers = self.finality(view)?;
        let block = SealedBlock::decode(bytes, &BlockLimits::default())?;
        if block.digest != headers.first().digest() {
            return Err(ProofFailure::OtherSubject("block"));
        }
        Ok(block)
    }

    /// The transaction and, if it is proven, the receipt of an answer.
    ///
    /// # Errors
    /// If any part does not hold.
    pub fn transaction(&self, view: &TransactionProofView) -> Result<ProvenTransaction, ProofFailure> {
        let headers = self.finality(&view.finality)?;
        let transaction = SealedTransaction::decode(view.transaction.0.clone())?;
        if transaction.id != view.id.0 {
            return Err(ProofFailure::OtherSubject("transaction"));
        }
        let path = merkle::Proof::from(&view.inclusion);
        verify_transaction(headers.first(), &transaction, &path)?;
        let receipt = match &view.receipt {
            None => None,
            Some(proven) => {
                let child = headers.all().get(1).ok_or(ProofFailure::OtherSubject("height"))?;
                let place = merkle::Proof::from(&proven.inclusion);
                verify_receipt(headers.first(), child, &proven.bytes.0, &place)?;
                let receipt: proto::Receipt =
                    decode_canonical(&proven.bytes.0, RECEIPT_BYTES_MAX).map_err(ProofFailure::Receipt)?;
                if receipt.transaction_id[..] != transaction.id.0 {
                    return Err(ProofFailure::OtherSubject("transaction"));
                }
                Some(receipt)
            }
        };
        Ok(ProvenTransaction {
            transaction,
            receipt,
            header: headers.first().clone(),
        })
    }

    /// The value of a key, or its absence, after the block of `view.height`.
    ///
    /// # Errors
    /// If any part does not hold or the answer is about another key; [`ProofFailure::ValueGone`] if all holds, and the node no
    /// longer has the value.
    pub fn state(&self, key: &StateKey, view: &StateView) -> Result<Option<Bytes>, ProofFailure> {
        if view.module_id != key.module_id || view.key.0 != key.key {
            return Err(ProofFailure::OtherSubject("key"));
        }
        let headers = self.finality(&view.finality)?;
        if view.height.checked_add(1) != Some(headers.first().height()) {
            return Err(ProofFailure::OtherSubject("height"));
        }
        value(headers.first(), key, (&view.value, view.value_hash, &view.proof))
    }

    /// The values of several keys, or their absence, after the block of `view.height`: as [`Proofs::state`] for each.
    ///
    /// # Errors
    /// As there, for the first one that does not hold; [`ProofFailure::OtherSubject`] where there is not an item for each key.
    pub fn states(&self, keys: &[StateKey], view: &StatesView) -> Result<Vec<Option<Bytes>>, ProofFailure> {
        let of_module = keys.iter().all(|key| key.module_id == view.module_id);
        if !of_module || keys.len() != view.items.len() {
            return Err(ProofFailure::OtherSubject("key"));
        }
        let headers = self.finality(&view.finality)?;
        if view.height.checked_add(1) != Some(headers.first().height()) {
            return Err(ProofFailure::OtherSubject("height"));
        }
        let of = |(key, item): (&StateKey, &StateItem)| {
            value(headers.first(), key, (&item.value, item.value_hash, &item.proof))
        };
        keys.iter().zip(&view.items).map(of).collect()
    }
}

/// The value that an answer names, proven under a header.
fn value(
    header: &FinalHeader,
    key: &StateKey,
    (value, hash, proof): (&Option<Hex>, Option<DigestText>, &Hex),
) -> Result<Option<Bytes>, ProofFailure> {
    let proof = Proof::from_bytes(&proof.0)?;
    let value = value.as_ref().map(|value| value.0.clone());
    if let (None, Some(hash)) = (&value, hash) {
        verify_state_hash(header, key, Some(hash.0), &proof)?;
        return Err(ProofFailure::ValueGone(hash.0));
    }
    verify_state(header, key, value.as_deref(), &proof)?;
    Ok(value)
}

impl std::fmt::Debug for Proofs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proofs")
            .field("history", &self.history)
            .finish_non_exhaustive()
    }
}

impl Chain {
    /// What this chain's answers are checked against. The chain's genesis digest is where trust begins: open the chain
    /// by a digest that you got from elsewhere.
    ///
    /// # Errors
    /// As for every request, and [`SdkError::Proof`].
    pub async fn proofs(&self) -> Result<Proofs, SdkError> {
        let mut proofs = Proofs::new(&self.genesis().await?);
        self.extend_proofs(&mut proofs).await?;
        Ok(proofs)
    }

    /// Brings the validators up to date.
    ///
    /// # Errors
    /// As for every request, and [`SdkError::Proof`].
    pub async fn extend_proofs(&self, proofs: &mut Proofs) -> Result<(), SdkError> {
        let mut page = Page::default();
        loop {
            let history = self.validator_history(&page).await?;
            proofs.extend(&history.items)?;
            let Some(next) = history.next.filter(|_| !history.items.is_empty()) else {
                return Ok(());
            };
            page = Page::after(next);
        }
    }
}
