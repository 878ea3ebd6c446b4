//! Evidence records.

use crate::text::{Decimal, DigestText, Hex};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use yulian_types::{CodecError, decode_canonical, limits::STATE_VALUE_BYTES_MAX, proto};

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// One digest.
    Single,
    /// A batch; the digest is a Merkle root over its rows.
    Batch,
    /// A kind that this software does not know.
    Unknown,
}

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceStatus {
    /// In force.
    Active,
    /// Replaced by another record.
    Superseded,
    /// Withdrawn.
    Revoked,
    /// A status that this software does not know.
    Unknown,
}

/// An evidence record of one organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EvidenceView {
    /// Digest of the file or row, or Merkle root of the batch.
    pub digest: DigestText,
    /// What the digest is.
    pub kind: EvidenceKind,
    /// Account that deposited it.
    pub depositor: DigestText,
    /// Organisation of that account.
    pub organisation: String,
    /// What it is, as the depositor says.
    pub description: String,
    /// Where it is from, as the depositor says.
    pub source: String,
    /// Height of the deposit.
    pub height: u64,
    /// Block time of the deposit, ms since 1970-01-01 UTC.
    pub time_ms: u64,
    /// Rows of a batch; "0" for one digest.
    pub count: Decimal,
    /// Where the record stands.
    pub status: EvidenceStatus,
    /// The record that replaces it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<DigestText>,
    /// Why it was superseded or revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Height at which the status last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_height: Option<u64>,
    /// Block time of that change, ms since 1970-01-01 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_time_ms: Option<u64>,
    /// Transaction that deposited it.
    pub transaction_id: DigestText,
    /// The record as it stands in the state.
    pub bytes: Hex,
}

impl EvidenceView {
    /// The view of a record of the state.
    pub fn decode(bytes: &Bytes) -> Result<Self, CodecError> {
        let record: proto::EvidenceRecord = decode_canonical(bytes, STATE_VALUE_BYTES_MAX)?;
        let changed = record.status != 1;
        Ok(Self {
            digest: DigestText::of_field(&record.digest),
            kind: match record.kind {
                1 => EvidenceKind::Single,
                2 => EvidenceKind::Batch,
                _ => EvidenceKind::Unknown,
            },
            depositor: DigestText::of_field(&record.depositor),
            organisation: record.organisation,
            description: record.description,
            source: record.source,
            height: record.height,
            time_ms: record.time_ms,
            count: Decimal(record.count),
            status: match record.status {
                1 => EvidenceStatus::Active,
                2 => EvidenceStatus::Superseded,
                3 => EvidenceStatus::Revoked,
                _ => EvidenceStatus::Unknown,
            },
            superseded_by: DigestText::of_optional(&record.superseded_by),
            reason: Some(record.reason).filter(|reason| !reason.is_empty()),
            status_height: changed.then_some(record.status_height),
            status_time_ms: changed.then_some(record.status_time_ms),
            transaction_id: DigestText::of_field(&record.transaction_id),
            bytes: Hex(bytes.clone()),
        })
    }
}

/// Evidence records, newest deposit first for a depositor, oldest first for a time range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EvidencePage {
    /// Height of the state that the records are of.
    pub height: u64,
    /// The records.
    pub items: Vec<EvidenceView>,
    /// Cursor of the next page, absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
