//! Verifying the signatures of transactions: each once, on tasks of their own, those of proposals first.

use crate::{
    executor::{Stopping, Urgency, next},
    metrics::SharedMetrics,
    options::SIGNATURE_TASKS_MAX,
    pool::{Mempool, Verified},
};
use futures::future::try_join_all;
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering::Relaxed},
};
use tokio::sync::{mpsc, oneshot};
use yulian_crypto::sm2::Verifier;
use yulian_engine::{Runtime, Task};
use yulian_exec::verify_signatures;
use yulian_types::SealedTransaction;

/// Most pieces of work that wait at one task, of each urgency.
const WORK_MAX: usize = 64;
/// A list is not cut into smaller parts than this.
const PART_MIN: usize = 64;
/// Leaves of verified transactions that are remembered at least: more than a pool and the blocks on their way hold.
const REMEMBERED: usize = 65_536;

struct Work {
    transactions: Vec<Arc<SealedTransaction>>,
    reply: oneshot::Sender<Vec<bool>>,
}

#[derive(Clone)]
struct Queues {
    urgent: mpsc::Sender<Work>,
    ordinary: mpsc::Sender<Work>,
}

/// The way to the verifying tasks. Clones share it.
#[derive(Clone)]
pub struct Desk {
    tasks: Arc<[Queues]>,
    turn: Arc<AtomicUsize>,
    pool: Mempool,
    verified: Arc<Mutex<Verified>>,
    metrics: SharedMetrics,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Desk")
    }
}

impl Desk {
    /// Starts `count` tasks, at least one and at most [`SIGNATURE_TASKS_MAX`].
    pub fn start<R: Runtime>(
        runtime: &R,
        count: usize,
        verifier: Arc<dyn Verifier>,
        pool: Mempool,
        metrics: SharedMetrics,
    ) -> (Self, Vec<Task>) {
        let mut running = Vec::new();
        let tasks = (0..count.clamp(1, SIGNATURE_TASKS_MAX)).map(|_| {
            let (urgent, urgent_work) = mpsc::channel(WORK_MAX);
            let (ordinary, ordinary_work) = mpsc::channel(WORK_MAX);
            let task = verify_all(verifier.clone(), urgent_work, ordinary_work);
            running.push(runtime.start_dedicated("signatures", task));
            Queues { urgent, ordinary }
        });
        let desk = Self {
            tasks: tasks.collect(),
            turn: Arc::default(),
            pool,
            verified: Arc::new(Mutex::new(Verified::new(REMEMBERED))),
            metrics,
        };
        (desk, running)
    }

    /// The same tasks for another chain.
    pub fn beside(&self, pool: Mempool, metrics: SharedMetrics) -> Self {
        Self {
            tasks: self.tasks.clone(),
            turn: self.turn.clone(),
            pool,
            verified: Arc::new(Mutex::new(Verified::new(REMEMBERED))),
            metrics,
        }
    }

    fn verified(&self) -> MutexGuard<'_, Verified> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For each transaction, whether all its signatures are right. Those that this node verified before are not
    /// verified again; nobody else's word counts.
    pub async fn check(
        &self,
        urgency: Urgency,
        transactions: &[Arc<SealedTransaction>],
    ) -> Result<Vec<bool>, Stopping> {
        let mut answers = self.known(transactions);
        let unknown: Vec<usize> = (0..answers.len()).filter(|at| !answers[*at]).collect();
        self.metrics
            .signatures_spared
            .add((answers.len() - unknown.len()) as u64);
        if unknown.is_empty() {
            return Ok(answers);
        }
        let list: Vec<_> = unknown.iter().map(|at| transactions[*at].clone()).collect();
        let found = self.verify(urgency, list).await?;
        let mut verified = self.verified();
        for (at, ok) in unknown.into_iter().zip(found) {
            answers[at] = ok;
            if ok {
                verified.insert(transactions[at].leaf);
            }
        }
        Ok(answers)
    }

    fn known(&self, transactions: &[Arc<SealedTransaction>]) -> Vec<bool> {
        let mut known: Vec<bool> = {
            let verified = self.verified();
            transactions.iter().map(|t| verified.contains(&t.leaf)).collect()
        };
        if known.contains(&false) {
            let pool = self.pool.lock();
            for (known, transaction) in known.iter_mut().zip(transactions) {
                *known = *known || pool.is_verified(transaction);
            }
        }
        known
    }

    async fn verify(&self, urgency: Urgency, list: Vec<Arc<SealedTransaction>>) -> Result<Vec<bool>, Stopping> {
        let count: usize = list.iter().map(|t| t.signers.len()).sum();
        self.metrics.signatures.add(count as u64);
        let size = list.len().div_ceil(self.tasks.len()).max(PART_MIN);
        let parts = list.chunks(size).map(|part| self.hand_over(urgency, part.to_vec()));
        Ok(try_join_all(parts).await?.concat())
    }

    async fn hand_over(
        &self,
        urgency: Urgency,
        transactions: Vec<Arc<SealedTransaction>>,
    ) -> Result<Vec<bool>, Stopping> {
        let turn = self.turn.fetch_add(1, Relaxed) % self.tasks.len();
        let queues = &self.tasks[turn];
        let queue = match urgency {
            Urgency::Consensus => &queues.urgent,
            Urgency::Ordinary => &queues.ordinary,
        };
        let (reply, answer) = oneshot::channel();
        queue.send(Work { transactions, reply }).await.map_err(|_| Stopping)?;
        answer.await.map_err(|_| Stopping)
    }
}

async fn verify_all(verifier: Arc<dyn Verifier>, mut urgent: mpsc::Receiver<Work>, mut ordinary: mpsc::Receiver<Work>) {
    while let Some(work) = next(&mut urgent, &mut ordinary).await {
        if !work.reply.is_closed() {
            let _ = work.reply.send(verify_signatures(&work.transactions, &*verifier));
        }
    }
}
