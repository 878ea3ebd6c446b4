//! The one task that executes: it owns the stack of unfinalised blocks, and everyone else sends it work.
//!
//! Execution computes for long, so it runs on a thread of its own where there are threads and never holds up the
//! tasks that serve the network. Work of consensus goes before all other.

use crate::ledger::Ledger;
use futures::{FutureExt, select_biased};
use std::fmt;
use tokio::sync::{
    mpsc::{self, error::TryRecvError},
    oneshot,
};
use yulian_engine::{Runtime, Task};
use yulian_exec::Speculation;
use yulian_store::Kv;

/// Most jobs that wait, of each urgency; whoever brings one more waits itself.
pub const JOBS_MAX: usize = 256;

type Job<K> = Box<dyn FnOnce(&mut Speculation<Ledger<K>>) + Send>;

/// Which work goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Consensus waits for it.
    Consensus,
    /// A client waits for it.
    Ordinary,
}

/// The executing task has ended: the node stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the node is stopping")]
pub struct Stopping;

/// The way to the executing task. Clones share it.
pub struct Executor<K: Kv> {
    urgent: mpsc::Sender<Job<K>>,
    ordinary: mpsc::Sender<Job<K>>,
}

impl<K: Kv> Clone for Executor<K> {
    fn clone(&self) -> Self {
        Self {
            urgent: self.urgent.clone(),
            ordinary: self.ordinary.clone(),
        }
    }
}

impl<K: Kv> fmt::Debug for Executor<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Executor")
    }
}

impl<K: Kv> Executor<K> {
    /// Starts the task; a modest one has no thread of its own.
    pub fn start<R: Runtime>(runtime: &R, modest: bool, speculation: Speculation<Ledger<K>>) -> (Self, Task) {
        let (urgent, urgent_jobs) = mpsc::channel(JOBS_MAX);
        let (ordinary, ordinary_jobs) = mpsc::channel(JOBS_MAX);
        let work = work(speculation, urgent_jobs, ordinary_jobs);
        let task = match modest {
            true => runtime.start("executor", work),
            false => runtime.start_dedicated("executor", work),
        };
        (Self { urgent, ordinary }, task)
    }

    fn queue(&self, urgency: Urgency) -> &mpsc::Sender<Job<K>> {
        match urgency {
            Urgency::Consensus => &self.urgent,
            Urgency::Ordinary => &self.ordinary,
        }
    }

    /// Runs work in the task and waits for its answer. Nothing happens if the caller has gone away before its turn.
    pub async fn run<T, F>(&self, urgency: Urgency, work: F) -> Result<T, Stopping>
    where
        T: Send + 'static,
        F: FnOnce(&mut Speculation<Ledger<K>>) -> T + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Job<K> = Box::new(move |speculation| {
            if !reply.is_closed() {
                let _ = reply.send(work(speculation));
            }
        });
        self.queue(urgency).send(job).await.map_err(|_| Stopping)?;
        answer.await.map_err(|_| Stopping)
    }

    /// Leaves work of consensus to the task without waiting for it. Dropped if too much waits: it is only ever work ahead.
    pub fn post(&self, work: impl FnOnce(&mut Speculation<Ledger<K>>) + Send + 'static) {
        let _ = self.urgent.try_send(Box::new(work));
    }
}

async fn work<K: Kv>(
    mut speculation: Speculation<Ledger<K>>,
    mut urgent: mpsc::Receiver<Job<K>>,
    mut ordinary: mpsc::Receiver<Job<K>>,
) {
    while let Some(job) = next(&mut urgent, &mut ordinary).await {
        job(&mut speculation);
    }
}

/// The next piece of work, urgent ones first; `None` when nobody can bring any more.
pub(crate) async fn next<T>(urgent: &mut mpsc::Receiver<T>, ordinary: &mut mpsc::Receiver<T>) -> Option<T> {
    match urgent.try_recv() {
        Ok(job) => return Some(job),
        Err(TryRecvError::Disconnected) => return None,
        Err(TryRecvError::Empty) => {}
    }
    let (urgent, ordinary) = (urgent.recv().fuse(), ordinary.recv().fuse());
    futures::pin_mut!(urgent, ordinary);
    select_biased! {
        job = urgent => job,
        job = ordinary => job,
    }
}
