//! What a pack proves, in terms a person asks for.

use serde::{Serialize, Serializer};
use yulian_crypto::sm2::PublicKey;
use yulian_types::Digest;

/// The answer about a pack that holds together.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "outcome", content = "report", rename_all = "snake_case")]
#[must_use]
pub enum Outcome {
    /// Proven on a chain that the verifier trusts.
    Proven(Report),
    /// Consistent, but the verifier knows nothing of the chain: the answer is not yes.
    UnknownChain(Report),
}

impl Outcome {
    /// The report, whatever the outcome.
    pub fn report(&self) -> &Report {
        match self {
            Self::Proven(report) | Self::UnknownChain(report) => report,
        }
    }

    /// Whether the answer is yes: proven on a trusted chain, and the record holds as of [`Report::as_of_height`].
    pub fn is_yes(&self) -> bool {
        matches!(self, Self::Proven(report) if report.status == Status::Active)
    }
}

/// What a pack proves, provided that its chain is the one meant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Genesis digest.
    #[serde(serialize_with = "text")]
    pub chain_id: Digest,
    /// Name of the chain, from genesis.
    pub chain_name: String,
    /// Digest that is proven to be deposited: that of the file or row, or a batch's root where the pack names no row.
    #[serde(serialize_with = "text")]
    pub digest: Digest,
    /// Whether a file or row was given; if one was, it matched.
    pub subject_matches: Option<bool>,
    /// One digest or a batch.
    pub content: Content,
    /// Description by the depositor.
    pub description: String,
    /// Source by the depositor.
    pub source: String,
    /// Who deposited.
    pub depositor: Depositor,
    /// Transaction id.
    #[serde(serialize_with = "text")]
    pub transaction_id: Digest,
    /// Height of the block that holds the transaction.
    pub height: u64,
    /// Digest of that block.
    #[serde(serialize_with = "text")]
    pub block: Digest,
    /// When.
    pub time: BlockTime,
    /// Who made it final.
    pub finality: Finality,
    /// State of the record.
    pub status: Status,
    /// The status is that after the block of this height…
    pub as_of_height: u64,
    /// …which still held when the block after it was made, ms since 1970-01-01 UTC.
    pub as_of_time_ms: u64,
    /// Who made the header final that proves the status, where it is a later one.
    pub status_finality: Option<Finality>,
    /// Proven changes of the validator set between genesis and the last header.
    pub set_changes: usize,
    /// The way from a relay chain to this one, where the pack has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relay: Option<RelayPath>,
}

/// Which of the trusted genesis digests an answer rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Root {
    /// That of the pack's chain; the relay chain's word is shown to agree.
    Chain,
    /// That of the relay chain alone: it names the pack's chain and the header under whose state the record is proven.
    Relay,
}

/// How a relay chain vouches for the pack's chain.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RelayPath {
    /// Genesis digest of the relay chain.
    #[serde(serialize_with = "text")]
    pub chain_id: Digest,
    /// Name of the relay chain, from its genesis.
    pub chain_name: String,
    /// What the answer rests on; none if neither chain is trusted.
    pub rests_on: Option<Root>,
    /// What the relay chain's members call the pack's chain.
    pub known_as: String,
    /// Height of the header that it vouches for: the last one of the pack, under whose state the record is proven.
    pub vouched_height: u64,
    /// Digest of that block.
    #[serde(serialize_with = "text")]
    pub vouched_block: Digest,
    /// It vouches as of the state after its own block of this height…
    pub as_of_height: u64,
    /// …which still held when the block after it was made, ms since 1970-01-01 UTC.
    pub as_of_time_ms: u64,
    /// Who made its header final.
    pub finality: Finality,
    /// Proven changes of its validators between its genesis and its header.
    pub set_changes: usize,
}

/// What was deposited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    /// One digest.
    Single,
    /// A Merkle root over digests.
    Batch {
        /// The root.
        #[serde(serialize_with = "text")]
        root: Digest,
        /// Digests in the batch.
        count: u64,
        /// Place of the proven row, from 0; none if the pack is of the whole batch.
        index: Option<u64>,
    },
}

/// Where a shown name comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NameSource {
    /// Genesis; it may have changed since.
    Genesis,
    /// The state as of [`Report::as_of_height`].
    State,
}

/// Who deposited.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Depositor {
    /// Account id.
    #[serde(serialize_with = "text")]
    pub account: Digest,
    /// Label of the account and where it is proven.
    pub label: Option<(String, NameSource)>,
    /// Organisation id.
    pub organisation: String,
    /// Name of the organisation and where it is proven.
    pub organisation_name: Option<(String, NameSource)>,
    /// Account that sent the transaction; differs from `account` where it acted for another.
    #[serde(serialize_with = "text")]
    pub sender: Digest,
    /// Key of the sender that signed the transaction.
    #[serde(serialize_with = "text")]
    pub key: PublicKey,
}

/// Time of a block and how far a clock may be off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BlockTime {
    /// Time of the block, ms since 1970-01-01 UTC.
    pub time_ms: u64,
    /// The chain's drift parameter, if it has one.
    pub drift: Option<Drift>,
}

/// The drift parameter: a validator waits when a block's time is ahead of its own clock by more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// Value, ms.
    pub ms: u64,
    /// Where it is proven.
    pub proven_by: NameSource,
    /// Hard limit set in genesis, ms: no vote can have made the value larger at any time.
    pub limit_ms: u64,
}

/// A quorum that made a header final.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finality {
    /// Height that was signed: that of the deposit's block or of a descendant.
    pub height: u64,
    /// Epoch.
    pub epoch: u64,
    /// View of the epoch.
    pub view: u64,
    /// Size of the validator set.
    pub validators: usize,
    /// Signatures that are needed.
    pub quorum: usize,
    /// Who signed, in the order of the set. Names are those of the proven set.
    pub signed_by: Vec<SignedBy>,
}

/// A validator that signed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SignedBy {
    /// Name.
    pub name: String,
    /// Cloud.
    pub cloud: String,
    /// Organisation id.
    pub organisation: String,
    /// Key.
    #[serde(serialize_with = "text")]
    pub key: PublicKey,
}

/// State of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Status {
    /// It holds.
    Active,
    /// Another record of the same organisation took its place.
    Superseded {
        /// Digest of that record.
        #[serde(serialize_with = "text")]
        by: Digest,
        /// Reason given.
        reason: String,
        /// Height of the change.
        height: u64,
        /// Block time of the change, ms since 1970-01-01 UTC.
        time_ms: u64,
    },
    /// Its organisation withdrew it.
    Revoked {
        /// Reason given.
        reason: String,
        /// Height of the change.
        height: u64,
        /// Block time of the change, ms since 1970-01-01 UTC.
        time_ms: u64,
    },
}

fn text<T: std::fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}
