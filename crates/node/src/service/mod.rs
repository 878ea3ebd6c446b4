//! The node as its HTTP interface sees it: every answer is about final blocks that are durable here.

mod blocks;
mod candidate;
mod errors;
mod evidence;
mod joins;
mod pack;
mod page;
mod pending;
mod proofs;
mod records;
mod register;
mod snapshots;
mod status;
mod stream;
mod submit;

#[cfg(test)]
mod tests;

pub use status::READY_LAG_MAX;

use crate::{ChainNode, metrics, metrics::SharedMetrics};
use bytes::Bytes;
use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use yulian_api::{
    AccountRef, ApiError, BlockRef, BlockStream, ChainRef, ChainService, DigestText, EvidenceFilter, Joins,
    PageRequest, Service, views::*,
};
use yulian_crypto::{Digest, sm2::PublicKey};
use yulian_engine::Runtime;
use yulian_store::Kv;

/// Who this node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Name.
    pub name: String,
    /// Cloud, its fault domain.
    pub cloud: String,
    /// Organisation id.
    pub organisation: String,
    /// "host:port" under which other nodes reach it.
    pub address: String,
    /// Public key.
    pub public_key: PublicKey,
}

/// A chain that this node should host and cannot start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// Genesis digest.
    pub chain_id: Digest,
    /// Name.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// A node with its chains. Clones are handles to it.
pub struct NodeService<R: Runtime, K: Kv>(Arc<Inner<R, K>>);

struct Inner<R: Runtime, K: Kv> {
    identity: Arc<Identity>,
    runtime: R,
    chains: RwLock<Vec<ChainNode<R, K>>>,
    failed: Mutex<BTreeMap<Digest, Failed>>,
    started_ms: u64,
    /// Differs from run to run, so that request ids do too.
    run: u32,
    requests: AtomicU64,
    joins: Joins,
}

impl<R: Runtime, K: Kv> Clone for NodeService<R, K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<R: Runtime, K: Kv> fmt::Debug for NodeService<R, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NodeService").field(&self.0.identity).finish()
    }
}

impl<R: Runtime, K: Kv> NodeService<R, K> {
    /// A node with the chains it hosts; the first is the default one.
    pub fn new(runtime: R, identity: Identity, chains: Vec<ChainNode<R, K>>) -> Self {
        let mut run = [0; 4];
        runtime.random(&mut run);
        Self(Arc::new(Inner {
            identity: Arc::new(identity),
            started_ms: runtime.now_ms(),
            run: u32::from_be_bytes(run),
            requests: AtomicU64::new(0),
            joins: Joins::default(),
            runtime,
            chains: RwLock::new(chains),
            failed: Mutex::default(),
        }))
    }

    fn of(&self, node: &ChainNode<R, K>) -> ChainApi<R, K> {
        ChainApi {
            node: node.clone(),
            identity: self.0.identity.clone(),
            joins: self.0.joins.clone(),
        }
    }

    fn hosted(&self) -> RwLockReadGuard<'_, Vec<ChainNode<R, K>>> {
        self.0.chains.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn chains(&self) -> Vec<ChainApi<R, K>> {
        self.hosted().iter().map(|node| self.of(node)).collect()
    }

    fn failures(&self) -> MutexGuard<'_, BTreeMap<Digest, Failed>> {
        self.0.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves one more chain.
    pub fn host(&self, chain: ChainNode<R, K>) {
        let id = chain.ledger().chain_id();
        self.withdraw(&id);
        self.0
            .chains
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(chain);
    }

    /// Serves a chain no more.
    pub fn withdraw(&self, id: &Digest) {
        self.failures().remove(id);
        let mut chains = self.0.chains.write().unwrap_or_else(PoisonError::into_inner);
        chains.retain(|chain| chain.ledger().chain_id() != *id);
    }

    /// Notes a chain that should be served and cannot be.
    pub fn failed(&self, failed: Failed) {
        self.failures().insert(failed.chain_id, failed);
    }
}

impl<R: Runtime, K: Kv> Service for NodeService<R, K> {
    type Chain = ChainApi<R, K>;

    fn chain(&self, chain: &ChainRef) -> Option<ChainApi<R, K>> {
        let chains = self.hosted();
        let found = match chain {
            ChainRef::Default => chains.first(),
            ChainRef::Id(id) => chains.iter().find(|node| node.ledger().chain_id() == *id),
            // A chain that takes the name of the node's first one does not take its place.
            ChainRef::Name(name) => chains.iter().find(|node| node.ledger().genesis().message.name == *name),
        };
        found.map(|node| self.of(node))
    }

    fn request_id(&self) -> String {
        let number = self.0.requests.fetch_add(1, Relaxed);
        format!("{:08x}-{number:x}", self.0.run)
    }

    fn pause(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        self.0.runtime.pause(duration)
    }

    async fn status(&self) -> Result<NodeStatus, ApiError> {
        let identity = &self.0.identity;
        Ok(NodeStatus {
            name: identity.name.clone(),
            cloud: identity.cloud.clone(),
            organisation: identity.organisation.clone(),
            public_key: Some(identity.public_key.into()),
            version: env!("CARGO_PKG_VERSION").into(),
            now_ms: self.0.runtime.now_ms(),
            started_ms: self.0.started_ms,
            chains: self
                .chains()
                .iter()
                .map(|chain| chain.status())
                .collect::<Result<_, _>>()?,
            failed: self.failures().values().map(failed_view).collect(),
        })
    }

    async fn metrics(&self) -> Result<String, ApiError> {
        let chains: Vec<(String, SharedMetrics)> = self.chains().iter().map(|chain| chain.measured()).collect();
        Ok(metrics::render(&chains))
    }

    async fn health(&self) -> Health {
        let mut problems: Vec<String> = self.chains().iter().filter_map(|chain| chain.problem()).collect();
        let failures = self.failures();
        problems.extend(
            failures
                .values()
                .map(|failed| format!("{}: {}", failed.name, failed.reason)),
        );
        Health {
            healthy: problems.is_empty(),
            problems,
        }
    }

    async fn readiness(&self) -> Readiness {
        let chains: Vec<_> = self.chains().iter().map(|chain| chain.readiness()).collect();
        Readiness {
            // The node is ready when its first chain is; another chain's trouble is that chain's alone.
            ready: chains.first().is_some_and(|chain| chain.ready),
            chains,
        }
    }
}

fn failed_view(failed: &Failed) -> FailedChain {
    FailedChain {
        id: DigestText(failed.chain_id),
        name: failed.name.clone(),
        reason: failed.reason.clone(),
    }
}

/// One chain of a node behind the interface.
pub struct ChainApi<R: Runtime, K: Kv> {
    node: ChainNode<R, K>,
    identity: Arc<Identity>,
    joins: Joins,
}

impl<R: Runtime, K: Kv> Clone for ChainApi<R, K> {
    fn clone(&self) -> Self {
        Self {
            node: self.node.clone(),
            identity: self.identity.clone(),
            joins: self.joins.clone(),
        }
    }
}

impl<R: Runtime, K: Kv> fmt::Debug for ChainApi<R, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ChainApi").field(&self.node).finish()
    }
}

impl<R: Runtime, K: Kv> ChainService for ChainApi<R, K> {
    async fn info(&self) -> Result<ChainInfo, ApiError> {
        self.chain_info().await
    }

    async fn genesis(&self) -> Result<Bytes, ApiError> {
        Ok(self.node.ledger().genesis().bytes.clone())
    }

    async fn submit(&self, transactions: Vec<Bytes>, wait: Option<Duration>) -> Vec<Submitted> {
        self.submit_all(transactions, wait).await
    }

    async fn transaction(&self, id: Digest) -> Result<TransactionView, ApiError> {
        self.transaction_view(id)
    }

    async fn receipt(&self, id: Digest) -> Result<ReceiptView, ApiError> {
        self.receipt_view(id)
    }

    async fn transaction_proof(&self, id: Digest) -> Result<TransactionProofView, ApiError> {
        self.prove_transaction(id)
    }

    async fn block(&self, block: BlockRef) -> Result<BlockView, ApiError> {
        self.block_view(block)
    }

    async fn block_bytes(&self, block: BlockRef) -> Result<Bytes, ApiError> {
        let height = self.height_of(block)?;
        self.block_of(height).map(|data| data.block.bytes.clone())
    }

    async fn header(&self, block: BlockRef) -> Result<HeaderView, ApiError> {
        self.header_view(self.height_of(block)?)
    }

    async fn headers(&self, from: u64, limit: usize) -> Result<Vec<HeaderView>, ApiError> {
        let tip = self.node.ledger().tip().height;
        (from..=tip)
            .take(limit)
            .map(|height| self.header_view(height))
            .collect()
    }

    async fn finality(&self, height: u64) -> Result<FinalityView, ApiError> {
        self.prove_final(height)
    }

    async fn state(&self, module: &str, key: Bytes, height: Option<u64>) -> Result<StateView, ApiError> {
        self.prove_state(module, key, height).await
    }

    async fn states(&self, module: &str, keys: Vec<Bytes>, height: Option<u64>) -> Result<StatesView, ApiError> {
        self.prove_states(module, keys, height).await
    }

    async fn evidence(&self, filter: EvidenceFilter, page: PageRequest) -> Result<EvidencePage, ApiError> {
        self.find_evidence(filter, page).await
    }

    async fn evidence_pack(&self, digest: Digest, organisation: Option<&str>) -> Result<Bytes, ApiError> {
        self.pack(digest, organisation).await
    }

    async fn validators(&self) -> Result<ValidatorsView, ApiError> {
        self.current_validators()
    }

    async fn validator_history(&self, page: PageRequest) -> Result<ValidatorHistory, ApiError> {
        self.history(page)
    }

    async fn organisations(&self, page: PageRequest) -> Result<OrganisationPage, ApiError> {
        self.list_organisations(page).await
    }

    async fn accounts(&self, organisation: &str, page: PageRequest) -> Result<AccountPage, ApiError> {
        self.list_accounts(organisation, page).await
    }

    async fn account(&self, account: AccountRef) -> Result<AccountView, ApiError> {
        self.find_account(account).await
    }

    async fn nodes(&self, page: PageRequest) -> Result<NodePage, ApiError> {
        self.list_nodes(page).await
    }

    async fn register(&self, page: PageRequest) -> Result<ChainRecordPage, ApiError> {
        self.list_chains(page).await
    }

    async fn templates(&self) -> Result<TemplateList, ApiError> {
        self.list_templates().await
    }

    async fn offers(&self, page: PageRequest) -> Result<OfferPage, ApiError> {
        self.list_offers(page).await
    }

    async fn ask_to_join(&self, request: Bytes) -> Result<JoinView, ApiError> {
        self.take_join(request)
    }

    async fn joins(&self) -> Result<Vec<JoinView>, ApiError> {
        Ok(self.joins.list(&self.node.ledger().chain_id()))
    }

    async fn join_request(&self, joining: Digest) -> Result<Bytes, ApiError> {
        self.joins.bytes(&self.node.ledger().chain_id(), &joining)
    }

    async fn pending(&self) -> Result<PendingView, ApiError> {
        self.list_pending().await
    }

    async fn proposals(&self, page: PageRequest) -> Result<ProposalPage, ApiError> {
        self.list_proposals(page).await
    }

    async fn proposal(&self, id: u64) -> Result<ProposalView, ApiError> {
        self.find_proposal(id).await
    }

    async fn candidate(&self) -> Result<CandidateView, ApiError> {
        self.sign_candidate()
    }

    async fn stream(&self, from: u64, detail: StreamDetail) -> Result<BlockStream, ApiError> {
        self.follow(from, detail)
    }
}
