//! Headers, blocks and the stream of final blocks.

use crate::{
    text::{DigestText, Hex},
    views::TransactionSummary,
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use yulian_crypto::Digest;
use yulian_types::{block_digest, proto};

/// A block header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeaderView {
    /// Digest of the block: SM3("ylBlockH" ‖ bytes).
    pub digest: DigestText,
    /// Genesis digest of the chain.
    pub chain_id: DigestText,
    /// Format version.
    pub version: u32,
    /// Epoch.
    pub epoch: u64,
    /// Height; genesis is 0.
    pub height: u64,
    /// Digest of the parent.
    pub parent: DigestText,
    /// Block time, ms since 1970-01-01 UTC.
    pub time_ms: u64,
    /// Protocol version in force.
    pub protocol_version: u32,
    /// Root over the block's own transactions.
    pub transaction_root: DigestText,
    /// State root after the parent.
    pub parent_state_root: DigestText,
    /// Root over the parent's receipts.
    pub parent_receipt_root: DigestText,
    /// Root over the parent's writes.
    pub parent_write_set_root: DigestText,
    /// Root over the parent's outgoing messages.
    pub parent_message_root: DigestText,
    /// Digest of the validator set in force.
    pub validators: DigestText,
    /// Digest of the validator set of the next epoch, as decided so far.
    pub next_validators: DigestText,
    /// First height at which the set in force was in force without interruption.
    pub validators_since: u64,
    /// The header as it stands on the chain.
    pub bytes: Hex,
}

impl HeaderView {
    /// The view of a checked header.
    pub fn new(bytes: &Bytes, header: &proto::BlockHeader) -> Self {
        Self {
            digest: DigestText(block_digest(bytes)),
            chain_id: DigestText::of_field(&header.chain_id),
            version: header.version,
            epoch: header.epoch,
            height: header.height,
            parent: DigestText::of_field(&header.parent),
            time_ms: header.time_ms,
            protocol_version: header.protocol_version,
            transaction_root: DigestText::of_field(&header.transaction_root),
            parent_state_root: DigestText::of_field(&header.parent_state_root),
            parent_receipt_root: DigestText::of_field(&header.parent_receipt_root),
            parent_write_set_root: DigestText::of_field(&header.parent_write_set_root),
            parent_message_root: DigestText::of_field(&header.parent_message_root),
            validators: DigestText::of_field(&header.validators),
            next_validators: DigestText::of_field(&header.next_validators),
            validators_since: header.validators_since,
            bytes: Hex(bytes.clone()),
        }
    }
}

/// Headers in ascending order of height.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeaderPage {
    /// The headers.
    pub items: Vec<HeaderView>,
    /// Height to go on from; absent when the tip is reached.
    pub next: Option<u64>,
}

/// A final block with what its transactions did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockView {
    /// The header.
    pub header: HeaderView,
    /// Length of the encoded block.
    pub size_bytes: u64,
    /// The transactions in order.
    pub transactions: Vec<TransactionSummary>,
}

/// Where a block stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockPlace {
    /// Height.
    pub height: u64,
    /// Digest of the block.
    pub digest: DigestText,
    /// Block time, ms since 1970-01-01 UTC.
    pub time_ms: u64,
}

impl BlockPlace {
    /// The place of a block.
    pub fn new(height: u64, digest: Digest, time_ms: u64) -> Self {
        Self {
            height,
            digest: DigestText(digest),
            time_ms,
        }
    }
}

/// How much of each block a stream carries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StreamDetail {
    /// The header and the number of transactions.
    #[default]
    Header,
    /// And the transactions with their results.
    Transactions,
    /// And the bytes of the block and of its receipts.
    Raw,
}

/// One event of the stream of final blocks: each height once, ascending without gaps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StreamBlock {
    /// The header.
    pub header: HeaderView,
    /// Number of transactions.
    pub transaction_count: u64,
    /// The transactions in order, for detail `transactions` and `raw`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transactions: Option<Vec<TransactionSummary>>,
    /// The block as it stands on the chain, for detail `raw`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Hex>,
    /// The receipts in order, for detail `raw`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipts: Option<Vec<Hex>>,
}
