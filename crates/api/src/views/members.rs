//! Organisations, accounts and nodes.

use crate::text::{DigestText, Hex, KeyText};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use yulian_crypto::sm2::PublicKey;
use yulian_types::{CodecError, decode_canonical, limits::STATE_VALUE_BYTES_MAX, proto};

/// Why a state record cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Not canonical protobuf.
    #[error("state record: {0}")]
    Codec(#[from] CodecError),
    /// A public key is malformed.
    #[error("state record with a malformed public key")]
    Key,
    /// A digest is malformed.
    #[error("state record with a malformed digest")]
    Digest,
}

pub(crate) fn key(bytes: &[u8]) -> Result<KeyText, RecordError> {
    PublicKey::from_bytes(bytes).map(KeyText).map_err(|_| RecordError::Key)
}

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrganisationView {
    /// Id, [a-z0-9-], 1 to 32 characters.
    pub id: String,
    /// Name.
    pub name: String,
    /// A member votes; others only hold accounts.
    pub member: bool,
    /// Its accounts may not act.
    pub frozen: bool,
    /// It has left, or was removed by vote.
    #[serde(default)]
    pub removed: bool,
    /// Height of its admission.
    pub since_height: u64,
    /// The record as it stands in the state.
    pub bytes: Hex,
}

impl OrganisationView {
    /// The view of a record of the state.
    pub fn decode(bytes: &Bytes) -> Result<Self, RecordError> {
        let record: proto::Organisation = decode_canonical(bytes, STATE_VALUE_BYTES_MAX)?;
        Ok(Self {
            id: record.id,
            name: record.name,
            member: record.member,
            frozen: record.frozen,
            removed: record.removed,
            since_height: record.since_height,
            bytes: Hex(bytes.clone()),
        })
    }
}

/// Organisations in ascending order of id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrganisationPage {
    /// The organisations.
    pub items: Vec<OrganisationView>,
    /// Cursor of the next page, absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountView {
    /// SM3("ylAccntI" ‖ first public key).
    pub id: DigestText,
    /// Organisation id.
    pub organisation: String,
    /// Current public key.
    pub public_key: KeyText,
    /// Roles: admin, auditor, writer.
    pub roles: Vec<String>,
    /// The account may not act.
    pub frozen: bool,
    /// Why it was frozen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frozen_reason: Option<String>,
    /// What its organisation calls it.
    pub label: String,
    /// Height of its registration.
    pub since_height: u64,
    /// Height since which the current key holds.
    pub key_since_height: u64,
    /// The record as it stands in the state.
    pub bytes: Hex,
}

impl AccountView {
    /// The view of a record of the state.
    pub fn decode(bytes: &Bytes) -> Result<Self, RecordError> {
        let record: proto::Account = decode_canonical(bytes, STATE_VALUE_BYTES_MAX)?;
        Ok(Self {
            id: DigestText::of_field(&record.id),
            organisation: record.organisation,
            public_key: key(&record.public_key)?,
            roles: record.roles,
            frozen: record.frozen,
            frozen_reason: Some(record.frozen_reason).filter(|reason| !reason.is_empty()),
            label: record.label,
            since_height: record.since_height,
            key_since_height: record.key_since_height,
            bytes: Hex(bytes.clone()),
        })
    }
}

/// Accounts in ascending order of id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountPage {
    /// The accounts.
    pub items: Vec<AccountView>,
    /// Cursor of the next page, absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What part a node has in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeRole {
    /// In the validator set in force.
    Validator,
    /// Registered, not a validator.
    Observer,
}

/// A node that may connect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeView {
    /// Public key.
    pub public_key: KeyText,
    /// Name.
    pub name: String,
    /// Cloud, its fault domain.
    pub cloud: String,
    /// Organisation id.
    pub organisation: String,
    /// "host:port" of the peer network.
    pub address: String,
    /// What part it has.
    pub role: NodeRole,
}

impl NodeView {
    /// The view of a registered node.
    pub fn new(record: &proto::NodeRecord, role: NodeRole) -> Result<Self, RecordError> {
        Ok(Self {
            public_key: key(&record.public_key)?,
            name: record.name.clone(),
            cloud: record.cloud.clone(),
            organisation: record.organisation.clone(),
            address: record.address.clone(),
            role,
        })
    }
}

/// The nodes that may connect, in ascending order of public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodePage {
    /// The nodes.
    pub items: Vec<NodeView>,
    /// Cursor of the next page, absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What this node signs to become a validator or to have its address registered: an admin puts it in a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CandidateView {
    /// This node as a validator.
    pub public_key: KeyText,
    /// Name.
    pub name: String,
    /// Cloud.
    pub cloud: String,
    /// Organisation id.
    pub organisation: String,
    /// "host:port" of the peer network.
    pub address: String,
    /// Height of the recent header that was signed.
    pub height: u64,
    /// Digest of that header.
    pub digest: DigestText,
    /// Message `CandidateProof`.
    pub candidate_proof: Hex,
    /// Message `RegisterNode`.
    pub registration: Hex,
}
