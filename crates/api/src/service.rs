//! What a node implements to be served: one method for each operation of the interface.

use crate::{error::ApiError, text::DigestText, views::*};
use bytes::Bytes;
use futures::stream::BoxStream;
use std::{fmt, future::Future, str::FromStr, time::Duration};
use yulian_crypto::{Digest, sm2::PublicKey};

/// How a caller names a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainRef {
    /// By genesis digest.
    Id(Digest),
    /// By name; where several chains have it, the one that was hosted first.
    Name(String),
    /// "default": the first chain that the node hosts.
    Default,
}

impl FromStr for ChainRef {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.parse() {
            _ if text == "default" => Self::Default,
            Ok(id) => Self::Id(id),
            Err(_) => Self::Name(text.into()),
        })
    }
}

impl fmt::Display for ChainRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => f.write_str(name),
            Self::Default => f.write_str("default"),
        }
    }
}

/// How a caller names a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockRef {
    /// By height.
    Height(u64),
    /// By digest.
    Digest(Digest),
    /// "latest": the last final block that the node has executed.
    Latest,
}

impl FromStr for BlockRef {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "latest" {
            return Ok(Self::Latest);
        }
        let height = text.parse().map(Self::Height).ok();
        height
            .or_else(|| text.parse().map(Self::Digest).ok())
            .ok_or("a height, a digest or latest")
    }
}

impl fmt::Display for BlockRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Height(height) => height.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
            Self::Latest => f.write_str("latest"),
        }
    }
}

/// How a caller names an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountRef {
    /// By account id.
    Id(Digest),
    /// By a public key that belongs or belonged to it.
    Key(PublicKey),
}

impl FromStr for AccountRef {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let id = text.parse().map(Self::Id).ok();
        id.or_else(|| text.parse().map(Self::Key).ok())
            .ok_or("an account id or a public key in hexadecimal")
    }
}

impl fmt::Display for AccountRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Key(key) => key.fmt(f),
        }
    }
}

/// Which evidence records are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceFilter {
    /// All organisations' records of a digest.
    Digest(Digest),
    /// Deposits of an account, newest first.
    Depositor(Digest),
    /// Deposits whose block time is in `from_ms..to_ms`, oldest first.
    Time {
        /// First block time, ms since 1970-01-01 UTC.
        from_ms: u64,
        /// First block time that is too late.
        to_ms: u64,
    },
}

/// Which part of a long answer is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// `next` of the page before, as the service made it; foreign text, answer `bad_cursor` where it is not valid.
    pub cursor: Option<String>,
    /// Most items, 1 to [`crate::limits::PAGE_ITEMS_MAX`].
    pub limit: usize,
}

/// A stream of final blocks; ends after its first error.
pub type BlockStream = BoxStream<'static, Result<StreamBlock, ApiError>>;

/// The node behind the interface.
pub trait Service: Clone + Send + Sync + 'static {
    /// One chain of it.
    type Chain: ChainService;

    /// The chain of that reference, if the node hosts it.
    fn chain(&self, chain: &ChainRef) -> Option<Self::Chain>;

    /// A number for a request, unique among the node's runs; at most [`crate::limits::REQUEST_ID_CHARS_MAX`]
    /// characters of `[A-Za-z0-9_-]`.
    fn request_id(&self) -> String;

    /// Resolves after `duration`: the interface itself has no clock.
    fn pause(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static;

    /// The node and its chains.
    fn status(&self) -> impl Future<Output = Result<NodeStatus, ApiError>> + Send;

    /// Prometheus text, format 0.0.4.
    fn metrics(&self) -> impl Future<Output = Result<String, ApiError>> + Send;

    /// Whether the process is alive.
    fn health(&self) -> impl Future<Output = Health> + Send;

    /// Whether the node takes transactions.
    fn readiness(&self) -> impl Future<Output = Readiness> + Send;
}

/// The chain type of a service.
pub type ServiceChain<S> = <S as Service>::Chain;

/// One chain of a node. Every answer is about final blocks that the node has executed.
pub trait ChainService: Clone + Send + Sync + 'static {
    /// The rules of the chain.
    fn info(&self) -> impl Future<Output = Result<ChainInfo, ApiError>> + Send;

    /// The genesis message.
    fn genesis(&self) -> impl Future<Output = Result<Bytes, ApiError>> + Send;

    /// Takes foreign bytes that claim to be transactions; answers as many as it was given, in their order. With
    /// `wait`, answers when each has its final result or that time is over (then [`Submitted::Queued`]); without,
    /// at once. The same id twice is one transaction; one that waits already is waited for again.
    fn submit(&self, transactions: Vec<Bytes>, wait: Option<Duration>) -> impl Future<Output = Vec<Submitted>> + Send;

    /// A transaction that is final or waits here.
    fn transaction(&self, id: Digest) -> impl Future<Output = Result<TransactionView, ApiError>> + Send;

    /// The receipt of a final transaction.
    fn receipt(&self, id: Digest) -> impl Future<Output = Result<ReceiptView, ApiError>> + Send;

    /// Inclusion of a final transaction, with its receipt if that is provable.
    fn transaction_proof(&self, id: Digest) -> impl Future<Output = Result<TransactionProofView, ApiError>> + Send;

    /// A block with its results.
    fn block(&self, block: BlockRef) -> impl Future<Output = Result<BlockView, ApiError>> + Send;

    /// The bytes of a block.
    fn block_bytes(&self, block: BlockRef) -> impl Future<Output = Result<Bytes, ApiError>> + Send;

    /// The header of a block.
    fn header(&self, block: BlockRef) -> impl Future<Output = Result<HeaderView, ApiError>> + Send;

    /// Headers from a height on, at most `limit`; empty beyond the tip.
    fn headers(&self, from: u64, limit: usize) -> impl Future<Output = Result<Vec<HeaderView>, ApiError>> + Send;

    /// That a height is final.
    fn finality(&self, height: u64) -> impl Future<Output = Result<FinalityView, ApiError>> + Send;

    /// A state value with its proof, after the block of `height` or the last one that is provable. `module` is a
    /// module's name or id.
    fn state(
        &self,
        module: &str,
        key: Bytes,
        height: Option<u64>,
    ) -> impl Future<Output = Result<StateView, ApiError>> + Send;

    /// Several values of one state, as [`ChainService::state`]; 1 to [`crate::limits::STATE_KEYS_MAX`] keys, an item for each, in
    /// their order.
    fn states(
        &self,
        module: &str,
        keys: Vec<Bytes>,
        height: Option<u64>,
    ) -> impl Future<Output = Result<StatesView, ApiError>> + Send;

    /// Evidence records.
    fn evidence(
        &self,
        filter: EvidenceFilter,
        page: PageRequest,
    ) -> impl Future<Output = Result<EvidencePage, ApiError>> + Send;

    /// The evidence pack of a record: JSON as described in docs/formats.md.
    fn evidence_pack(
        &self,
        digest: Digest,
        organisation: Option<&str>,
    ) -> impl Future<Output = Result<Bytes, ApiError>> + Send;

    /// Validators in force and next.
    fn validators(&self) -> impl Future<Output = Result<ValidatorsView, ApiError>> + Send;

    /// Every change of the validator set.
    fn validator_history(&self, page: PageRequest) -> impl Future<Output = Result<ValidatorHistory, ApiError>> + Send;

    /// Organisations.
    fn organisations(&self, page: PageRequest) -> impl Future<Output = Result<OrganisationPage, ApiError>> + Send;

    /// Accounts of an organisation, frozen ones too.
    fn accounts(
        &self,
        organisation: &str,
        page: PageRequest,
    ) -> impl Future<Output = Result<AccountPage, ApiError>> + Send;

    /// An account.
    fn account(&self, account: AccountRef) -> impl Future<Output = Result<AccountView, ApiError>> + Send;

    /// Nodes that may connect.
    fn nodes(&self, page: PageRequest) -> impl Future<Output = Result<NodePage, ApiError>> + Send;

    /// The chains of a platform, if this is its system chain.
    fn register(&self, page: PageRequest) -> impl Future<Output = Result<ChainRecordPage, ApiError>> + Send;

    /// The templates of chains that can be created.
    fn templates(&self) -> impl Future<Output = Result<TemplateList, ApiError>> + Send;

    /// What nodes offer to host.
    fn offers(&self, page: PageRequest) -> impl Future<Output = Result<OfferPage, ApiError>> + Send;

    /// Takes a request to be linked with this chain; what it says. Whoever asks repeats it until there is an answer.
    fn ask_to_join(&self, request: Bytes) -> impl Future<Output = Result<JoinView, ApiError>> + Send;

    /// The requests to be linked that wait here.
    fn joins(&self) -> impl Future<Output = Result<Vec<JoinView>, ApiError>> + Send;

    /// The bytes of the request of a chain.
    fn join_request(&self, joining: Digest) -> impl Future<Output = Result<Bytes, ApiError>> + Send;

    /// What waits: invitations, notices, votes.
    fn pending(&self) -> impl Future<Output = Result<PendingView, ApiError>> + Send;

    /// Proposals.
    fn proposals(&self, page: PageRequest) -> impl Future<Output = Result<ProposalPage, ApiError>> + Send;

    /// A proposal.
    fn proposal(&self, id: u64) -> impl Future<Output = Result<ProposalView, ApiError>> + Send;

    /// What this node signs to become a validator or to be registered.
    fn candidate(&self) -> impl Future<Output = Result<CandidateView, ApiError>> + Send;

    /// Final blocks from a height on, waiting at the tip for new ones.
    fn stream(&self, from: u64, detail: StreamDetail) -> impl Future<Output = Result<BlockStream, ApiError>> + Send;
}

impl From<Digest> for AccountRef {
    fn from(id: Digest) -> Self {
        Self::Id(id)
    }
}

impl From<DigestText> for AccountRef {
    fn from(id: DigestText) -> Self {
        Self::Id(id.0)
    }
}
