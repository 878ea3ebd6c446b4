//! One chain on one node: the application behind consensus.
//!
//! Blocks are executed ahead of their finality, in one task. What is final is made durable in one batch before the engine
//! hears of it; only then do waiting clients, followers and the pool.

mod finalize;
mod open;
mod pace;
mod propose;
mod submit;
mod verify;
mod walk;

#[cfg(test)]
mod tests;

pub use open::OpenError;
pub use submit::WaitError;

use crate::{
    admission::Admission,
    desk::Desk,
    executor::{Executor, Stopping},
    gossip::Broadcast,
    ledger::{Ledger, LedgerError, Tip},
    metrics::SharedMetrics,
    options::ChainOptions,
    pool::Mempool,
    prover::Prover,
    regime::{Quotas, Regime, Standing},
    snapshot::Pins,
    waiters::{Outcome, Waiters},
};
use bytes::Bytes;
use prost::Message;
use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};
use tokio::sync::watch;
use yulian_crypto::sm2::{PublicKey, Signer, Verifier};
use yulian_engine::{Application, ChainConfig, ChainHandle, ChainStatus, Fatal, Peer, Runtime, SetRange, Task};
use yulian_exec::{Base, Executed, Failure, Registry, SpeculationError, path_of, tables};
use yulian_state::workers::Workers;
use yulian_store::{Kv, StoreError};
use yulian_types::{BlockLimits, Digest, SealedBlock, ValidatorSet, proto};

/// Final blocks that are kept decoded for followers at the tip.
const RECENT_MAX: usize = 4;
/// Faults of validators that are remembered for status.
const FAULTS_MAX: usize = 64;

/// What a running chain of the engine offers its node.
pub trait Network: Broadcast {
    /// Replaces the nodes that take part besides the validators, and everyone's addresses.
    fn set_peers(&self, peers: Vec<Peer>);

    /// Counters of consensus. Cheap.
    fn status(&self) -> ChainStatus;

    /// Other members that this node is connected to. Not cheap.
    fn connected(&self) -> Vec<PublicKey>;
}

impl Network for ChainHandle {
    fn set_peers(&self, peers: Vec<Peer>) {
        ChainHandle::set_peers(self, peers);
    }

    fn status(&self) -> ChainStatus {
        ChainHandle::status(self)
    }

    fn connected(&self) -> Vec<PublicKey> {
        ChainHandle::connected(self)
    }
}

/// The last durable final block.
#[derive(Debug, Clone)]
pub struct Latest {
    /// Where the chain stands.
    pub tip: Tip,
    /// What the block yielded.
    pub executed: Arc<Executed>,
}

/// A final block with its receipts.
#[derive(Debug, Clone)]
pub struct FinalBlockData {
    /// The block.
    pub block: Arc<SealedBlock>,
    /// Its receipts in order; `None` where they were pruned.
    pub receipts: Option<Vec<Bytes>>,
}

/// A chain on this node. Clones are handles to it.
pub struct ChainNode<R: Runtime, K: Kv>(Arc<Core<R, K>>);

/// What the handles to a chain share; its parts are the crate's own.
pub struct Core<R: Runtime, K: Kv> {
    pub(crate) runtime: R,
    pub(crate) ledger: Ledger<K>,
    pub(crate) registry: Registry,
    pub(crate) verifier: Arc<dyn Verifier>,
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) options: ChainOptions,
    pub(crate) executor: Executor<K>,
    pub(crate) prover: Prover,
    pub(crate) desk: Desk,
    pub(crate) pool: Mempool,
    pub(crate) admission: Admission,
    pub(crate) waiters: Waiters,
    pub(crate) metrics: SharedMetrics,
    pub(crate) latest: watch::Sender<Latest>,
    network: Arc<OnceLock<Arc<dyn Network>>>,
    recent: Mutex<VecDeque<Recent>>,
    sets: Mutex<BTreeMap<Digest, Arc<ValidatorSet>>>,
    stopped: watch::Sender<Option<String>>,
    cause: OnceLock<StopCause>,
    pruning: Mutex<bool>,
    faults: Mutex<VecDeque<(PublicKey, &'static str)>>,
    pub(crate) pins: Pins,
    pub(crate) regime: Regime,
    /// Threads that execute blocks: one crew for all chains of a node.
    workers: Arc<dyn Workers>,
    /// Final blocks that wrote to the register of chains.
    register: watch::Sender<u64>,
    tasks: Vec<Task>,
}

/// Why a chain stops on this node.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    cause: StopCause,
    reason: String,
}

impl From<LedgerError> for Stop {
    fn from(error: LedgerError) -> Self {
        let cause = match &error {
            LedgerError::Store(StoreError::DiskFull) => StopCause::DiskFull,
            _ => StopCause::Other,
        };
        let reason = error.to_string();
        Self { cause, reason }
    }
}

impl From<SpeculationError> for Stop {
    fn from(error: SpeculationError) -> Self {
        let cause = match &error {
            SpeculationError::Protocol(_) => StopCause::Protocol,
            _ => StopCause::Other,
        };
        let reason = error.to_string();
        Self { cause, reason }
    }
}

impl From<Stopping> for Stop {
    fn from(error: Stopping) -> Self {
        let (cause, reason) = (StopCause::Other, error.to_string());
        Self { cause, reason }
    }
}

/// What kind of thing stopped a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopCause {
    /// The chain switched on a protocol version that this program does not know.
    Protocol,
    /// The disk is full.
    DiskFull,
    /// Anything else: the reason says what.
    Other,
}

struct Recent {
    block: Arc<SealedBlock>,
    executed: Arc<Executed>,
}

impl<R: Runtime, K: Kv> Clone for ChainNode<R, K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<R: Runtime, K: Kv> fmt::Debug for ChainNode<R, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ChainNode").field(&self.0.ledger.chain_id()).finish()
    }
}

impl<R: Runtime, K: Kv> fmt::Debug for Core<R, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Core").field(&self.ledger.chain_id()).finish()
    }
}

impl<R: Runtime, K: Kv> std::ops::Deref for ChainNode<R, K> {
    type Target = Core<R, K>;

    fn deref(&self) -> &Core<R, K> {
        &self.0
    }
}

/// What the names of the engine's journals of a chain begin with.
pub(crate) fn engine_prefix(chain_id: &Digest) -> String {
    format!("chain-{}", &chain_id.to_string()[..16])
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<R: Runtime, K: Kv> ChainNode<R, K> {
    /// What the engine starts the chain with.
    pub fn chain_config(&self) -> Result<ChainConfig, LedgerError> {
        let ledger = &self.ledger;
        let range = |mark: crate::ledger::SetMark| {
            let missing = || LedgerError::Damaged(format!("the validator set {} is missing", mark.digest));
            Ok(SetRange {
                first_epoch: mark.first_epoch,
                first_height: mark.first_height,
                validators: self.set(&mark.digest)?.ok_or_else(missing)?,
            })
        };
        let chain_id = ledger.chain_id();
        Ok(ChainConfig {
            chain_id,
            genesis: ledger.genesis_block().clone(),
            epoch_length: ledger.epoch_length(),
            history: ledger
                .sets()
                .into_iter()
                .map(range)
                .collect::<Result<_, LedgerError>>()?,
            known_epoch: (ledger.tip().height + 1) / ledger.epoch_length(),
            floor: ledger.floor(),
            // The widest that any parameter allows: raising one by vote must not need a restart.
            limits: BlockLimits::default(),
            known: Arc::new(self.pool.clone()),
            prefix: engine_prefix(&chain_id),
            timing: self.options.timing,
            peers: self.peers()?,
        })
    }

    /// The engine runs the chain: transactions can be spread from now on.
    pub fn attach(&self, network: Arc<dyn Network>) {
        // A second engine for the same chain would be a mistake of the caller; the first one stays.
        if self.network.set(network).is_err() {
            tracing::error!("the chain is attached to an engine already");
        }
    }

    /// The ledger; it is the engine's archive.
    pub fn ledger(&self) -> &Ledger<K> {
        &self.0.ledger
    }

    /// Follows the last durable final block.
    pub fn watch(&self) -> watch::Receiver<Latest> {
        self.latest.subscribe()
    }

    /// Follows the blocks that wrote to the platform's register of chains.
    pub fn watch_register(&self) -> watch::Receiver<u64> {
        self.register.subscribe()
    }

    /// What the platform lets the chain do here, and how much it uses.
    pub fn regime(&self) -> &Regime {
        &self.0.regime
    }

    /// Sets what the platform lets the chain do here. What waits and is not taken any more leaves the pool.
    pub fn regulate(&self, standing: Standing, quotas: Quotas) {
        if !self.regime.set(standing, quotas) || standing == Standing::Open {
            return;
        }
        let gone = self
            .pool
            .lock()
            .retain(|transaction| self.regime.takes(transaction).is_ok());
        let failure = Failure::from(&yulian_modules::chain::codes::PAUSED);
        let outcome = |_| Outcome::Refused(failure.clone());
        self.waiters.wake(gone.iter().enumerate(), outcome);
    }

    /// Why the chain stopped on this node, once it has.
    pub fn watch_stopped(&self) -> watch::Receiver<Option<String>> {
        self.stopped.subscribe()
    }

    /// The counters.
    pub fn metrics(&self) -> &SharedMetrics {
        &self.0.metrics
    }

    /// Ends the chain's tasks. The ledger stays readable.
    pub fn stop(&self) {
        self.tasks.iter().for_each(Task::stop);
    }
}

impl<R: Runtime, K: Kv> Core<R, K> {
    /// Notes that the chain cannot go on here.
    pub(crate) fn fail(&self, error: impl Into<Stop>) {
        let Stop { cause, reason } = error.into();
        let _ = self.cause.set(cause);
        self.stopped.send_if_modified(|stopped| {
            if stopped.is_some() {
                return false;
            }
            tracing::error!(%reason, "the chain stops on this node");
            *stopped = Some(reason);
            true
        });
    }

    pub(crate) fn stop_reason(&self) -> Option<String> {
        let own = self.stopped.borrow().clone();
        own.or_else(|| self.network_status().and_then(|status| status.stopped))
    }

    /// Verified faults of validators, newest last.
    pub(crate) fn faults(&self) -> Vec<(PublicKey, &'static str)> {
        lock(&self.faults).iter().copied().collect()
    }

    pub(crate) fn stop_cause(&self) -> StopCause {
        self.cause.get().copied().unwrap_or(StopCause::Other)
    }

    pub(crate) fn network(&self) -> Option<&Arc<dyn Network>> {
        self.network.get()
    }

    pub(crate) fn network_status(&self) -> Option<ChainStatus> {
        self.network().map(|network| network.status())
    }

    /// Other members that this node is connected to.
    pub(crate) fn connected(&self) -> Vec<PublicKey> {
        self.network().map_or_else(Vec::new, |network| network.connected())
    }

    /// The validator set of a digest that the chain ever decided.
    pub(crate) fn set(&self, digest: &Digest) -> Result<Option<Arc<ValidatorSet>>, LedgerError> {
        if let Some(set) = lock(&self.sets).get(digest) {
            return Ok(Some(set.clone()));
        }
        let value = self.ledger.value(&path_of(&tables::validator_set(digest)));
        let value = value.map_err(|error| LedgerError::Damaged(error.to_string()))?;
        let damaged = |_| LedgerError::Damaged(format!("the validator set {digest}"));
        let Some(set) = value
            .map(|bytes| ValidatorSet::decode(&bytes).map_err(damaged))
            .transpose()?
        else {
            return Ok(None);
        };
        let set = Arc::new(set);
        lock(&self.sets).insert(*digest, set.clone());
        Ok(Some(set))
    }

    /// The registered nodes with the addresses of the options in place of theirs.
    pub(crate) fn peers(&self) -> Result<Vec<Peer>, LedgerError> {
        let mut peers: BTreeMap<PublicKey, Peer> = BTreeMap::new();
        for node in self.nodes()? {
            if let Ok(key) = PublicKey::from_bytes(&node.public_key) {
                let address = node.address;
                peers.insert(key, Peer { key, address });
            }
        }
        // Of a chain that a platform created, the register names all members: settings only say where they are.
        let others = self.options.peers.iter();
        let others = others.filter(|peer| !self.options.registered_only || peers.contains_key(&peer.key));
        let others: Vec<Peer> = others.cloned().collect();
        peers.extend(others.into_iter().map(|peer| (peer.key, peer)));
        Ok(peers.into_values().collect())
    }

    /// The registered nodes of the durable state.
    pub(crate) fn nodes(&self) -> Result<Vec<proto::NodeRecord>, LedgerError> {
        let list: proto::NodeList = self.record(&tables::nodes())?.unwrap_or_default();
        let node = |key: Bytes| self.record(&tables::node(&key)).transpose();
        list.public_keys.into_iter().filter_map(node).collect()
    }

    /// A record of the durable state.
    pub(crate) fn record<M: Message + Default>(&self, key: &yulian_types::StateKey) -> Result<Option<M>, LedgerError> {
        let value = self.ledger.value(&path_of(key));
        let value = value.map_err(|error| LedgerError::Damaged(error.to_string()))?;
        let decode = |bytes| M::decode(bytes).map_err(|_| LedgerError::Damaged("a record of the state".into()));
        value.map(|bytes: Bytes| decode(bytes)).transpose()
    }

    /// A final block, from memory at the tip, else from the store; `None` beyond the tip, and where it was pruned.
    pub(crate) fn final_data(&self, height: u64) -> Result<Option<FinalBlockData>, LedgerError> {
        if let Some(recent) = lock(&self.recent).iter().find(|recent| recent.block.height() == height) {
            return Ok(Some(FinalBlockData {
                block: recent.block.clone(),
                receipts: Some(recent.executed.receipts.clone()),
            }));
        }
        if height == 0 {
            return Ok(Some(FinalBlockData {
                block: self.ledger.genesis_block().clone(),
                receipts: Some(Vec::new()),
            }));
        }
        let Some(bytes) = self.ledger.final_block(height)? else {
            return Ok(None);
        };
        let block = SealedBlock::decode(bytes, &BlockLimits::default());
        let block = block.map_err(|error| LedgerError::Damaged(format!("block {height}: {error}")))?;
        Ok(Some(FinalBlockData {
            block: Arc::new(block),
            receipts: self.ledger.receipts(height)?,
        }))
    }
}

impl<R: Runtime, K: Kv> Application for ChainNode<R, K> {
    async fn propose(&self, round: yulian_engine::Round, ancestors: yulian_engine::Ancestors) -> Option<SealedBlock> {
        self.propose_block(round, ancestors).await
    }

    async fn verify(
        &self,
        round: yulian_engine::Round,
        block: Arc<SealedBlock>,
        ancestors: yulian_engine::Ancestors,
    ) -> bool {
        self.verify_block(round, block, ancestors).await
    }

    async fn finalized(&self, block: yulian_engine::FinalBlock) -> Result<(), Fatal> {
        self.finalize_block(block).await.map_err(|stop| {
            self.fail(stop.clone());
            Fatal(stop.reason)
        })
    }

    fn validator_set(&self, digest: &Digest) -> Option<Arc<ValidatorSet>> {
        self.set(digest).unwrap_or_else(|error| {
            self.fail(error);
            None
        })
    }

    fn received(&self, _: PublicKey, message: Bytes) {
        self.admission.receive(message);
    }

    async fn asked(&self, _: PublicKey, request: Bytes) -> Option<Bytes> {
        self.snapshot_answer(request)
    }

    fn fault(&self, validator: PublicKey, kind: &'static str) {
        self.metrics.faults.one();
        let mut faults = lock(&self.faults);
        if faults.len() == FAULTS_MAX {
            faults.pop_front();
        }
        faults.push_back((validator, kind));
        drop(faults);
        tracing::warn!(%validator, kind, "a validator broke the protocol");
    }
}
