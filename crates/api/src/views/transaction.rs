//! Transactions, their results and receipts.

use crate::{
    text::{Decimal, DigestText, Hex, KeyText},
    views::{BlockPlace, FinalityView, MerkleView},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use yulian_types::{
    CodecError, KIND_NATIVE, SCHEME_SM2, SealedTransaction, decode_canonical, limits::RECEIPT_BYTES_MAX, proto,
};

/// What the execution of a transaction came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExecutionResult {
    /// Whether the method succeeded; a transaction that failed changed nothing but is on the chain.
    pub success: bool,
    /// The module's stable error code, empty on success.
    pub code: String,
    /// What failed, English, as on the chain; empty on success.
    pub detail: String,
    /// What failed, Chinese, where the node knows the code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Metering units used.
    pub metering: Decimal,
    /// The method's answer message.
    pub output: Hex,
}

impl ExecutionResult {
    /// The result in a receipt.
    pub fn new(receipt: &proto::Receipt) -> Self {
        Self {
            success: receipt.status == 0,
            code: receipt.code.clone(),
            detail: receipt.detail.clone(),
            message: None,
            metering: Decimal(receipt.metering),
            output: Hex(receipt.output.clone()),
        }
    }
}

/// A transaction within a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransactionSummary {
    /// Transaction id.
    pub id: DigestText,
    /// Position in the block, from 0.
    pub index: u32,
    /// Account that sent it.
    pub sender: DigestText,
    /// Account on whose behalf it acts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<DigestText>,
    /// Module that is called.
    pub module: String,
    /// Method that is called.
    pub method: String,
    /// The method's argument message.
    pub arguments: Hex,
    /// What it came to; absent while this node has not executed the block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<ExecutionResult>,
}

impl TransactionSummary {
    /// The summary of the transaction at a position of its block.
    pub fn new(index: usize, transaction: &SealedTransaction, receipt: Option<&proto::Receipt>) -> Self {
        Self {
            id: DigestText(transaction.id),
            index: index as u32,
            sender: DigestText(transaction.sender),
            on_behalf_of: DigestText::of_optional(&transaction.payload.on_behalf_of),
            module: transaction.payload.module.clone(),
            method: transaction.payload.method.clone(),
            arguments: Hex(transaction.payload.arguments.clone()),
            result: receipt.map(ExecutionResult::new),
        }
    }
}

/// A signature of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignatureView {
    /// Scheme; 1 is SM2 over the transaction id.
    pub scheme: u32,
    /// Key that signed.
    pub signer: KeyText,
    /// The signature, 64 bytes r‖s.
    pub signature: Hex,
}

/// Whether a transaction is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransactionState {
    /// Waits on this node; that is no promise.
    Queued,
    /// Stands in a final block.
    Final,
}

/// A transaction with all its fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransactionView {
    /// Transaction id.
    pub id: DigestText,
    /// Whether it is final.
    pub state: TransactionState,
    /// The final block that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block: Option<BlockPlace>,
    /// Position in that block, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// Kind; 1 is the platform's own.
    pub kind: u32,
    /// Account that sent it.
    pub sender: DigestText,
    /// Account on whose behalf it acts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<DigestText>,
    /// 16 random bytes.
    pub nonce: Hex,
    /// Last block time at which it may enter a block, ms since 1970-01-01 UTC.
    pub valid_until_ms: Decimal,
    /// Most metering units its execution may use.
    pub metering_limit: Decimal,
    /// Module that is called.
    pub module: String,
    /// Method that is called.
    pub method: String,
    /// The method's argument message.
    pub arguments: Hex,
    /// Declared state keys (module id ‖ key).
    pub declared_keys: Vec<Hex>,
    /// The signatures; the first is the sender's.
    pub signatures: Vec<SignatureView>,
    /// What it came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<ExecutionResult>,
    /// The transaction as it was sent.
    pub bytes: Hex,
}

impl TransactionView {
    /// A transaction that waits.
    pub fn queued(transaction: &SealedTransaction) -> Self {
        let payload = &transaction.payload;
        let signature = |entry: &yulian_types::SignerEntry| SignatureView {
            scheme: SCHEME_SM2,
            signer: KeyText(entry.key),
            signature: Hex(entry.signature.as_bytes().to_vec().into()),
        };
        Self {
            id: DigestText(transaction.id),
            state: TransactionState::Queued,
            block: None,
            index: None,
            kind: KIND_NATIVE,
            sender: DigestText(transaction.sender),
            on_behalf_of: DigestText::of_optional(&payload.on_behalf_of),
            nonce: Hex(payload.nonce.clone()),
            valid_until_ms: Decimal(payload.valid_until_ms),
            metering_limit: Decimal(payload.metering_limit),
            module: payload.module.clone(),
            method: payload.method.clone(),
            arguments: Hex(payload.arguments.clone()),
            declared_keys: payload.declared_keys.iter().cloned().map(Hex).collect(),
            signatures: transaction.signers.iter().map(signature).collect(),
            result: None,
            bytes: Hex(transaction.bytes.clone()),
        }
    }

    /// A transaction in a final block.
    pub fn included(
        transaction: &SealedTransaction,
        block: BlockPlace,
        index: usize,
        receipt: Option<&proto::Receipt>,
    ) -> Self {
        Self {
            state: TransactionState::Final,
            block: Some(block),
            index: Some(index as u32),
            result: receipt.map(ExecutionResult::new),
            ..Self::queued(transaction)
        }
    }
}

/// Something that a transaction reports to followers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventView {
    /// Module that reports.
    pub module: String,
    /// Name of the event.
    pub name: String,
    /// Its message.
    pub data: Hex,
}

/// The receipt of a final transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptView {
    /// Transaction id.
    pub transaction_id: DigestText,
    /// The block that holds the transaction.
    pub block: BlockPlace,
    /// Position in that block, from 0.
    pub index: u32,
    /// What the transaction came to.
    pub result: ExecutionResult,
    /// What it reports.
    pub events: Vec<EventView>,
    /// The receipt as it stands under the receipt root.
    pub bytes: Hex,
}

impl ReceiptView {
    /// The view of an encoded receipt.
    pub fn decode(bytes: &Bytes, block: BlockPlace, index: usize) -> Result<Self, CodecError> {
        let receipt: proto::Receipt = decode_canonical(bytes, RECEIPT_BYTES_MAX)?;
        let event = |event: &proto::Event| EventView {
            module: event.module.clone(),
            name: event.name.clone(),
            data: Hex(event.data.clone()),
        };
        Ok(Self {
            transaction_id: DigestText::of_field(&receipt.transaction_id),
            block,
            index: index as u32,
            result: ExecutionResult::new(&receipt),
            events: receipt.events.iter().map(event).collect(),
            bytes: Hex(bytes.clone()),
        })
    }
}

/// A receipt with its place under the receipt root that the next header carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptProofView {
    /// The receipt; its leaf is SM3("ylMkLeaf" ‖ bytes).
    pub bytes: Hex,
    /// Its place under `parent_receipt_root` of the second header of `finality`.
    pub inclusion: MerkleView,
}

/// That a transaction stands in a final block, and what it came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransactionProofView {
    /// Transaction id.
    pub id: DigestText,
    /// The transaction as it was sent.
    pub transaction: Hex,
    /// Its leaf: SM3("ylTxLeaf" ‖ id ‖ SM3("ylTxSigs" ‖ signature list)).
    pub leaf: DigestText,
    /// The leaf's place under `transaction_root` of the first header of `finality`.
    pub inclusion: MerkleView,
    /// The receipt; absent until the next block is final.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<ReceiptProofView>,
    /// That the block is final.
    pub finality: FinalityView,
}
