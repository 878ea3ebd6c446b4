//! The register of a platform: its chains, templates and what its nodes offer.

use crate::{
    text::{DigestText, Hex, KeyText},
    views::{
        RiskView,
        members::{RecordError, key},
    },
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use yulian_crypto::Digest;
use yulian_types::{decode_canonical, limits::STATE_VALUE_BYTES_MAX, proto};

/// Where a chain is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChainLife {
    /// An owner of a node has not agreed yet.
    Asked,
    /// Its validators have not all answered for it.
    Starting,
    /// It was refused or withdrawn before it ran.
    Refused,
    /// It takes transactions.
    Running,
    /// It takes those of `governance` and `link` alone.
    Paused,
    /// It makes no more blocks and can be read.
    Archived,
    /// A vote wants it gone; the delay runs.
    Doomed,
    /// Its data are gone.
    Destroyed,
    /// A state that this program does not know.
    Unknown,
}

impl From<u32> for ChainLife {
    fn from(state: u32) -> Self {
        match state {
            1 => Self::Asked,
            2 => Self::Starting,
            3 => Self::Refused,
            4 => Self::Running,
            5 => Self::Paused,
            6 => Self::Archived,
            7 => Self::Doomed,
            8 => Self::Destroyed,
            _ => Self::Unknown,
        }
    }
}

/// A node of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChainNodeView {
    /// Public key.
    pub public_key: KeyText,
    /// Owner.
    pub organisation: String,
    /// Validator, as a quorum of the validators before said last; else an observer.
    pub validator: bool,
    /// Its owner agreed.
    pub agreed: bool,
    /// It answered for the chain.
    pub ready: bool,
}

/// The last block of a chain that is archived, as a quorum of its validators names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckpointView {
    /// Height.
    pub height: u64,
    /// Digest of the block.
    pub digest: DigestText,
}

/// A chain of the platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChainRecordView {
    /// Name, unique on the platform.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// Genesis digest.
    pub id: DigestText,
    /// Template.
    pub template: String,
    /// Organisation that created it.
    pub creator: String,
    /// Members when it began.
    pub organisations: Vec<String>,
    /// Nodes.
    pub nodes: Vec<ChainNodeView>,
    /// Quota of transactions per second.
    pub transactions_per_second: u32,
    /// Quota of disk space on each node, MiB.
    pub storage_mib: u32,
    /// Where it is in its life.
    pub life: ChainLife,
    /// Height of the system chain at which it was asked for.
    pub created_height: u64,
    /// Block time of that, ms since 1970-01-01 UTC.
    pub created_ms: u64,
    /// Block time since which `life` holds, ms since 1970-01-01 UTC.
    pub since_ms: u64,
    /// Why; may be empty.
    pub reason: String,
    /// Its last block, once that is agreed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<CheckpointView>,
    /// Block time from which its data are removed, ms since 1970-01-01 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destroy_after_ms: Option<u64>,
    /// The risk that was accepted when it was created, where one cloud can stop it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk: Option<RiskView>,
    /// First height at which the chain's validators are these; 0 = since it began.
    pub validators_since: u64,
    /// Validators that are no nodes of the register.
    pub validators_elsewhere: u32,
    /// The record as it stands in the state.
    pub bytes: Hex,
}

impl ChainRecordView {
    /// The view of a record of the state.
    pub fn decode(bytes: &Bytes) -> Result<Self, RecordError> {
        let record: proto::ChainRecord = decode_canonical(bytes, STATE_VALUE_BYTES_MAX)?;
        let node = |node: &proto::ChainNode| {
            Ok(ChainNodeView {
                public_key: key(&node.public_key)?,
                organisation: node.organisation.clone(),
                validator: node.validator,
                agreed: node.agreed,
                ready: node.ready,
            })
        };
        let checkpoint = Digest::from_slice(&record.final_digest).map(|digest| CheckpointView {
            height: record.final_height,
            digest: DigestText(digest),
        });
        Ok(Self {
            nodes: record.nodes.iter().map(node).collect::<Result<_, RecordError>>()?,
            id: DigestText::of_field(&record.chain_id),
            name: record.name,
            title: record.title,
            template: record.template,
            creator: record.creator,
            organisations: record.organisations,
            transactions_per_second: record.transactions_per_second,
            storage_mib: record.storage_mib,
            life: record.state.into(),
            created_height: record.created_height,
            created_ms: record.created_ms,
            since_ms: record.state_ms,
            reason: record.reason,
            checkpoint,
            risk: record.risk.as_ref().map(RiskView::from),
            validators_since: record.validators_since,
            validators_elsewhere: record.validators_elsewhere,
            destroy_after_ms: (record.destroy_after_ms > 0).then_some(record.destroy_after_ms),
            bytes: Hex(bytes.clone()),
        })
    }
}

/// Chains in ascending order of name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChainRecordPage {
    /// The chains.
    pub items: Vec<ChainRecordView>,
    /// Cursor of the next page, absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A kind of chain that can be created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TemplateView {
    /// Name.
    pub name: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// Modules.
    pub modules: Vec<String>,
    /// Role of the account that creates one; absent where a vote decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Most chains of this kind that one organisation has.
    pub per_organisation_max: u32,
    /// Highest quota of transactions per second.
    pub transactions_per_second: u32,
    /// Highest quota of disk space, MiB.
    pub storage_mib: u32,
}

impl TemplateView {
    /// The view of a record of the state.
    pub fn decode(bytes: &Bytes) -> Result<Self, RecordError> {
        let record: proto::ChainTemplate = decode_canonical(bytes, STATE_VALUE_BYTES_MAX)?;
        Ok(Self {
            name: record.name,
            title_zh: record.title_zh,
            title_en: record.title_en,
            modules: record.modules,
            role: (!record.role.is_empty()).then_some(record.role),
            per_organisation_max: record.per_organisation_max,
            transactions_per_second: record.transactions_per_second,
            storage_mib: record.storage_mib,
        })
    }
}

/// Templates in ascending order of name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TemplateList {
    /// The templates.
    pub items: Vec<TemplateView>,
}

/// What a node offers and hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OfferView {
    /// Public key of the node.
    pub node: KeyText,
    /// Name of the node.
    pub name: String,
    /// Cloud of the node.
    pub cloud: String,
    /// Owner.
    pub organisation: String,
    /// Chains that it hosts.
    pub chains: u32,
    /// Chains that it hosts at most.
    pub chains_max: u32,
    /// Disk space that their quotas take, MiB.
    pub storage_mib: u32,
    /// Disk space that it offers, MiB.
    pub storage_mib_max: u32,
    /// Organisations whose chains it takes without being asked; empty = every member.
    pub organisations: Vec<String>,
    /// Templates likewise; empty = every one.
    pub templates: Vec<String>,
    /// No further chains come to it.
    pub draining: bool,
}

impl OfferView {
    /// The view of a node's offer.
    pub fn new(node: &proto::NodeRecord, offer: proto::NodeOffer) -> Result<Self, RecordError> {
        Ok(Self {
            node: key(&node.public_key)?,
            name: node.name.clone(),
            cloud: node.cloud.clone(),
            organisation: node.organisation.clone(),
            chains: offer.chains,
            chains_max: offer.chains_max,
            storage_mib: offer.storage_mib,
            storage_mib_max: offer.storage_mib_max,
            organisations: offer.organisations,
            templates: offer.templates,
            draining: offer.draining,
        })
    }
}

/// Offers in ascending order of the nodes' keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OfferPage {
    /// The offers.
    pub items: Vec<OfferView>,
    /// Cursor of the next page, absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
