//! Starting a chain on a node.

use super::{ChainNode, Core, Latest, Network};
use crate::{
    admission::{self, Admission},
    crew,
    desk::Desk,
    executor::Executor,
    gossip::{Broadcast, Gossip},
    ledger::{Ledger, LedgerError},
    metrics::SharedMetrics,
    options::ChainOptions,
    pool::Mempool,
    prover::Prover,
    regime::Regime,
    snapshot::Pins,
    waiters::Waiters,
};
use bytes::Bytes;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, OnceLock},
};
use tokio::sync::watch;
use yulian_crypto::sm2::{FastVerifier, Signer, Verifier};
use yulian_engine::Runtime;
use yulian_exec::{Registry, Speculation, SpeculationError, modules_of};
use yulian_store::Kv;
use yulian_types::SealedGenesis;

/// Why a chain cannot be started.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OpenError {
    /// The ledger cannot be opened.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Execution cannot resume from the ledger.
    #[error(transparent)]
    Execution(#[from] SpeculationError),
}

/// The engine's network once there is one; before that, what is sent is lost and comes again.
struct Late(Arc<OnceLock<Arc<dyn Network>>>);

impl Broadcast for Late {
    fn broadcast(&self, message: Bytes) {
        if let Some(network) = self.0.get() {
            network.broadcast(message);
        }
    }
}

impl<R: Runtime, K: Kv> ChainNode<R, K> {
    /// Opens a chain with the modules of this program.
    pub async fn open(
        runtime: R,
        kv: K,
        genesis: Arc<SealedGenesis>,
        signer: Arc<dyn Signer>,
        options: ChainOptions,
    ) -> Result<Self, OpenError> {
        Self::open_with(runtime, kv, genesis, signer, options, yulian_modules::registry()).await
    }

    /// Opens a chain with other modules.
    pub async fn open_with(
        runtime: R,
        kv: K,
        genesis: Arc<SealedGenesis>,
        signer: Arc<dyn Signer>,
        options: ChainOptions,
        registry: Registry,
    ) -> Result<Self, OpenError> {
        Self::open_parts(runtime, kv, genesis, signer, options, registry, None).await
    }

    /// Opens one more chain on a node: it verifies and proves in the tasks of this one, executes on its threads, and has none of its own.
    pub async fn open_beside(
        &self,
        runtime: R,
        kv: K,
        genesis: Arc<SealedGenesis>,
        options: ChainOptions,
    ) -> Result<Self, OpenError> {
        let registry = yulian_modules::registry();
        let signer = self.signer.clone();
        Self::open_parts(runtime, kv, genesis, signer, options, registry, Some(self)).await
    }

    async fn open_parts(
        runtime: R,
        kv: K,
        genesis: Arc<SealedGenesis>,
        signer: Arc<dyn Signer>,
        options: ChainOptions,
        registry: Registry,
        beside: Option<&Self>,
    ) -> Result<Self, OpenError> {
        let verifier: Arc<dyn Verifier> = FastVerifier::shared();
        let opened = Ledger::open_within(kv, genesis.clone(), options.state_memory).await?;
        let ledger = opened.ledger;
        ledger.keep_history(options.history_heights);
        let base = ledger.clone();
        let workers = match beside {
            Some(other) => other.workers.clone(),
            None => crew::workers(options.execution_threads),
        };
        let threads = workers.threads();
        let registry = modules_of(&registry, &genesis.message).map_err(SpeculationError::from)?;
        let speculation = Speculation::resume(&genesis, registry.clone(), verifier.clone(), base, opened.anchor)?;
        let speculation = speculation.with_workers(workers.clone());
        let latest = Latest {
            tip: ledger.tip(),
            executed: speculation.last_final().clone(),
        };
        let metrics = SharedMetrics::default();
        metrics.height.set(latest.tip.height);
        metrics.final_time_ms.set(latest.tip.time_ms);
        metrics.execution_threads.set(threads as u64);
        metrics.state(&latest.executed.tree);

        let pool = Mempool::new(options.pool);
        let network = Arc::new(OnceLock::new());
        let regime = Regime::default();
        let modest = beside.is_some();
        let (executor, executing) = Executor::start(&runtime, modest, speculation);
        let (desk, prover, mut tasks) = match beside {
            Some(other) => (
                other.desk.beside(pool.clone(), metrics.clone()),
                other.prover.clone(),
                Vec::new(),
            ),
            None => {
                let (prover, proving) = Prover::start(&runtime);
                let count = options.signature_tasks;
                let (desk, mut tasks) = Desk::start(&runtime, count, verifier.clone(), pool.clone(), metrics.clone());
                tasks.push(proving);
                (desk, prover, tasks)
            }
        };
        let late = Arc::new(Late(network.clone()));
        let (gossip, sending) = Gossip::start(runtime.clone(), pool.clone(), late, metrics.clone());
        let (admission, admitting) = Admission::start(admission::Parts {
            runtime: runtime.clone(),
            executor: executor.clone(),
            desk: desk.clone(),
            pool: pool.clone(),
            gossip,
            metrics: metrics.clone(),
            regime: regime.clone(),
            modest,
        });
        tasks.extend([executing, sending, admitting]);
        Ok(Self(Arc::new(Core {
            runtime,
            ledger,
            registry,
            verifier,
            signer,
            options,
            executor,
            prover,
            desk,
            pool,
            admission,
            waiters: Waiters::default(),
            metrics,
            latest: watch::Sender::new(latest),
            network,
            recent: Mutex::new(VecDeque::new()),
            sets: Mutex::new(BTreeMap::new()),
            stopped: watch::Sender::new(None),
            cause: OnceLock::new(),
            pruning: Mutex::new(false),
            faults: Mutex::new(VecDeque::new()),
            pins: Pins::default(),
            regime,
            workers,
            register: watch::Sender::new(0),
            tasks,
        })))
    }
}
