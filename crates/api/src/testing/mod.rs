//! A node without consensus over a chain made by hand, for tests of this and other crates: what is submitted is
//! final at once (or when the test says so), and every proof is real.
//!
//! It panics freely: it only ever sees what a test gives it.

mod chain;
mod ledger;
mod platform;
mod pool;

pub use chain::FakeChain;

use crate::{ApiError, ChainRef, Service, views::*};
use futures::future::BoxFuture;
use std::{
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use yulian_light::testing::TestChain;

/// Blocks in an epoch of the fake chain.
const EPOCH_LENGTH: u64 = 1_000;
/// Validators of the fake chain.
const VALIDATORS: u32 = 4;

/// How a fake node waits.
pub type Pause = Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>;

/// A node with one chain.
#[derive(Clone)]
pub struct FakeNode {
    /// Its chain.
    pub chain: FakeChain,
    pause: Pause,
    requests: Arc<AtomicU64>,
    ready: Arc<AtomicBool>,
}

impl fmt::Debug for FakeNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeNode")
    }
}

impl FakeNode {
    /// A node whose waits never end by themselves.
    pub fn without_clock() -> Self {
        Self::new(Arc::new(|_| Box::pin(futures::future::pending())))
    }

    /// A node for which any time is over at once.
    pub fn impatient() -> Self {
        Self::new(Arc::new(|_| Box::pin(futures::future::ready(()))))
    }

    /// A node that waits with `pause`.
    pub fn new(pause: Pause) -> Self {
        Self::over(TestChain::new("henan-test", VALIDATORS, EPOCH_LENGTH), pause)
    }

    /// A node over a chain that the test has made.
    pub fn over(chain: TestChain, pause: Pause) -> Self {
        Self {
            chain: FakeChain::over(chain, pause.clone()),
            pause,
            requests: Arc::default(),
            ready: Arc::new(AtomicBool::new(true)),
        }
    }

    /// Another listener of the same chain, as if a second node held it.
    pub fn twin(&self) -> Self {
        Self {
            requests: Arc::default(),
            ready: Arc::new(AtomicBool::new(true)),
            ..self.clone()
        }
    }

    /// Whether it says that it is ready and healthy.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
    }

    /// Requests that it has numbered.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Acquire)
    }

    fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }
}

impl Service for FakeNode {
    type Chain = FakeChain;

    fn chain(&self, chain: &ChainRef) -> Option<FakeChain> {
        let known = match chain {
            ChainRef::Default => true,
            ChainRef::Id(id) => *id == self.chain.id(),
            ChainRef::Name(name) => *name == self.chain.name(),
        };
        known.then(|| self.chain.clone())
    }

    fn request_id(&self) -> String {
        format!("fake-{}", self.requests.fetch_add(1, Ordering::AcqRel) + 1)
    }

    fn pause(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        (self.pause)(duration)
    }

    async fn status(&self) -> Result<NodeStatus, ApiError> {
        let chain = self.chain.status(self.is_ready());
        let own = chain.validators[0].clone();
        Ok(NodeStatus {
            name: own.name,
            cloud: own.cloud,
            organisation: own.organisation,
            public_key: Some(own.public_key),
            version: env!("CARGO_PKG_VERSION").into(),
            now_ms: chain.time_ms,
            started_ms: chain.time_ms,
            chains: vec![chain],
            failed: vec![],
        })
    }

    async fn metrics(&self) -> Result<String, ApiError> {
        Ok(format!(
            "# TYPE yulian_height gauge\nyulian_height {}\n",
            self.chain.height()
        ))
    }

    async fn health(&self) -> Health {
        let healthy = self.is_ready();
        let problems = if healthy {
            vec![]
        } else {
            vec!["磁盘空间不足 · disk full".into()]
        };
        Health { healthy, problems }
    }

    async fn readiness(&self) -> Readiness {
        let status = self.chain.status(self.is_ready());
        let chain = ChainReadiness {
            id: status.id,
            ready: status.ready,
            height: status.height,
            network_height: status.network_height,
            reason: (!status.ready).then(|| "追赶中 · catching up".into()),
        };
        Readiness {
            ready: status.ready,
            chains: vec![chain],
        }
    }
}
