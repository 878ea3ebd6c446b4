//! The way into the pool: form, validity on the final state, a place in the pool, signatures. Transactions from clients
//! and from members go the same way; what a member says it has verified counts for nothing.

use crate::{
    desk::Desk,
    executor::{Executor, Urgency, next},
    gossip::{self, Gossip},
    ledger::Ledger,
    metrics::SharedMetrics,
    pool::{Mempool, Pool, PoolError},
    regime::Regime,
};
use bytes::Bytes;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};
use yulian_engine::{Runtime, Task};
use yulian_exec::{Failure, Speculation, SpeculationError};
use yulian_store::Kv;
use yulian_types::{Digest, KnownTransactions, SealedTransaction, TransactionError};

/// Most submissions that wait to be looked at.
pub const SUBMISSIONS_MAX: usize = 4_096;
/// Most messages of members that wait to be looked at; more are dropped and come again.
pub const MESSAGES_MAX: usize = 1_024;
/// Most bytes that wait to be looked at, of clients and of members each.
pub const WAITING_BYTES_MAX: usize = 64 << 20;
/// Transactions looked at together.
const TOGETHER_MAX: usize = 512;
/// Under load so many are waited for, but no longer than [`GATHER_TIME`]: signatures that are verified together cost half
/// of what they cost alone, and every step between the tasks is paid once.
const TOGETHER_MIN: usize = 256;
const GATHER_TIME: Duration = Duration::from_millis(4);
/// A round of so many transactions means load: a lone client's never waits.
const BUSY_FROM: usize = 48;

/// Why a transaction was not taken. It had no effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The bytes are not a transaction.
    #[error(transparent)]
    Form(#[from] TransactionError),
    /// It breaks a rule of validity on the final state.
    #[error("{0}")]
    Invalid(Failure),
    /// A signature is wrong.
    #[error("a signature is wrong")]
    Signature,
    /// There is no place for it now.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// Too many submissions wait to be looked at.
    #[error("too many submissions wait to be looked at")]
    Busy,
    /// The state cannot be read.
    #[error("the state cannot be read: {0}")]
    State(String),
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopping,
}

/// A transaction that waits in the pool now.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// The transaction.
    pub transaction: Arc<SealedTransaction>,
    /// It was not there before.
    pub new: bool,
}

/// The answer to each transaction: its id if it has one, and whether it was taken.
pub type Answer = (Option<Digest>, Result<Admitted, Refusal>);

enum Work {
    Submission {
        transactions: Vec<Bytes>,
        reply: oneshot::Sender<Vec<Answer>>,
    },
    Message(Bytes),
}

type Line = mpsc::Receiver<(usize, Work)>;
type Budgets = [Arc<AtomicUsize>; 2];

/// What came and is looked at together, as it came.
#[derive(Default)]
struct Round {
    own: Vec<(Vec<Bytes>, oneshot::Sender<Vec<Answer>>)>,
    foreign: Vec<Bytes>,
    count: usize,
}

/// The way to the admitting task. Clones share it.
#[derive(Debug, Clone)]
pub struct Admission {
    submissions: Queue,
    messages: Queue,
    metrics: SharedMetrics,
}

#[derive(Debug, Clone)]
struct Queue {
    sender: mpsc::Sender<(usize, Work)>,
    bytes: Arc<AtomicUsize>,
}

impl Queue {
    fn new(capacity: usize) -> (Self, Line) {
        let (sender, receiver) = mpsc::channel(capacity);
        let bytes = Arc::default();
        (Self { sender, bytes }, receiver)
    }

    /// Puts work in line, unless the line is full.
    fn offer(&self, bytes: usize, work: Work) -> Result<(), Refusal> {
        if self.bytes.fetch_add(bytes, Relaxed) + bytes > WAITING_BYTES_MAX {
            self.bytes.fetch_sub(bytes, Relaxed);
            return Err(Refusal::Busy);
        }
        self.sender.try_send((bytes, work)).map_err(|error| {
            self.bytes.fetch_sub(bytes, Relaxed);
            match error {
                mpsc::error::TrySendError::Full(_) => Refusal::Busy,
                mpsc::error::TrySendError::Closed(_) => Refusal::Stopping,
            }
        })
    }
}

/// What the admitting task works with.
pub struct Parts<R, K: Kv> {
    /// Clock and tasks.
    pub runtime: R,
    /// Judges validity.
    pub executor: Executor<K>,
    /// Verifies signatures.
    pub desk: Desk,
    /// Holds what was admitted.
    pub pool: Mempool,
    /// Spreads what was submitted here.
    pub gossip: Gossip,
    /// Counters.
    pub metrics: SharedMetrics,
    /// What the platform lets the chain take.
    pub regime: Regime,
    /// One of many chains of its node: no thread of its own.
    pub modest: bool,
}

impl<R, K: Kv> std::fmt::Debug for Parts<R, K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parts")
    }
}

impl Admission {
    /// Starts the task.
    pub fn start<R: Runtime, K: Kv>(parts: Parts<R, K>) -> (Self, Task) {
        let (submissions, submitted) = Queue::new(SUBMISSIONS_MAX);
        let (messages, received) = Queue::new(MESSAGES_MAX);
        let admission = Self {
            submissions,
            messages,
            metrics: parts.metrics.clone(),
        };
        let budgets = [admission.submissions.bytes.clone(), admission.messages.bytes.clone()];
        let (runtime, modest) = (parts.runtime.clone(), parts.modest);
        let work = parts.run(submitted, received, budgets);
        let task = match modest {
            true => runtime.start("admission", work),
            false => runtime.start_dedicated("admission", work),
        };
        (admission, task)
    }

    /// Looks at transactions of a client; one answer each, in order.
    pub async fn submit(&self, transactions: Vec<Bytes>) -> Vec<Answer> {
        let count = transactions.len();
        self.metrics.submitted.add(count as u64);
        let bytes = transactions.iter().map(Bytes::len).sum();
        let (reply, answers) = oneshot::channel();
        let refusal = match self.submissions.offer(bytes, Work::Submission { transactions, reply }) {
            Ok(()) => match answers.await {
                Ok(answers) => return answers,
                Err(_) => Refusal::Stopping,
            },
            Err(refusal) => refusal,
        };
        self.metrics.admission_busy.one();
        vec![(None, Err(refusal)); count]
    }

    /// Takes a message of a member. Never blocks; drops it under load.
    pub fn receive(&self, message: Bytes) {
        if self.messages.offer(message.len(), Work::Message(message)).is_err() {
            self.metrics.gossip_dropped.one();
        }
    }
}

/// A transaction on its way.
enum Step {
    Done(Answer),
    Open(Arc<SealedTransaction>),
}

/// Transactions looked at together, and to whom the answers go.
#[derive(Default)]
struct Together {
    steps: Vec<Step>,
    replies: Vec<(usize, oneshot::Sender<Vec<Answer>>)>,
    /// How many of `steps`, from the first on, were submitted here.
    own: usize,
}

impl<R: Runtime, K: Kv> Parts<R, K> {
    async fn run(self, mut submitted: Line, mut received: Line, budgets: Budgets) {
        let mut busy = false;
        while let Some(first) = next(&mut submitted, &mut received).await {
            let mut round = Round::default();
            self.take(first, &mut round, &budgets);
            self.take_more(&mut round, &mut submitted, &mut received, &budgets);
            if busy && round.count < TOGETHER_MIN {
                self.runtime.pause(GATHER_TIME).await;
                self.take_more(&mut round, &mut submitted, &mut received, &budgets);
            }
            busy = round.count >= BUSY_FROM;
            self.admit(round).await;
        }
    }

    fn take_more(&self, round: &mut Round, submitted: &mut Line, received: &mut Line, budgets: &Budgets) {
        while round.count < TOGETHER_MAX
            && let Ok(more) = submitted.try_recv().or_else(|_| received.try_recv())
        {
            self.take(more, round, budgets);
        }
    }

    fn take(&self, (bytes, work): (usize, Work), round: &mut Round, budgets: &Budgets) {
        match work {
            Work::Submission { transactions, reply } => {
                budgets[0].fetch_sub(bytes, Relaxed);
                round.count += transactions.len();
                round.own.push((transactions, reply));
            }
            Work::Message(message) => {
                budgets[1].fetch_sub(bytes, Relaxed);
                let list = self.open_message(message);
                round.count += list.len();
                round.foreign.extend(list);
            }
        }
    }

    fn open_message(&self, message: Bytes) -> Vec<Bytes> {
        let list = gossip::decode(message).unwrap_or_else(|error| {
            tracing::debug!(%error, "a member sent a malformed message of transactions");
            self.metrics.gossip_malformed.one();
            Vec::new()
        });
        self.metrics.gossiped.add(list.len() as u64);
        list
    }

    async fn admit(&self, round: Round) {
        let mut together = Together::default();
        let mut list = Vec::with_capacity(round.count);
        for (transactions, reply) in round.own {
            together.replies.push((transactions.len(), reply));
            list.extend(transactions);
        }
        together.own = list.len();
        list.extend(round.foreign);
        together.steps = self.look(list);
        self.judge(&mut together.steps).await;
        self.verify(&mut together.steps).await;
        self.place(&mut together);
        self.reply(together);
    }

    /// What waits in the pool already is done; the others are decoded, together.
    fn look(&self, list: Vec<Bytes>) -> Vec<Step> {
        let mut known = self.pool.find(&list);
        // In memory of its own: bytes of a large request or message must not live as long as one transaction of it.
        let others = list.iter().zip(&known).filter(|(_, known)| known.is_none());
        let others = others.map(|(bytes, _)| Bytes::copy_from_slice(bytes)).collect();
        let mut decoded = SealedTransaction::decode_many(others).into_iter();
        let pool = self.pool.lock();
        let step = |known: &mut Option<Arc<SealedTransaction>>| match known.take() {
            Some(transaction) => already(transaction),
            None => match decoded.next().expect("one for each that was not known") {
                Ok(transaction) => place_for(&pool, transaction),
                Err(error) => Step::Done((None, Err(error.into()))),
            },
        };
        known.iter_mut().map(step).collect()
    }

    /// Validity on the final state, for a block of now.
    async fn judge(&self, steps: &mut [Step]) {
        let open = open(steps);
        if open.is_empty() {
            return;
        }
        let list: Vec<_> = open.iter().map(|(_, transaction)| transaction.clone()).collect();
        let now = self.runtime.now_ms();
        let answers = self
            .executor
            .run(Urgency::Ordinary, move |s| judge_all(s, now, &list))
            .await;
        let answers = answers.unwrap_or_else(|_| vec![Err(Refusal::Stopping); open.len()]);
        for ((at, transaction), answer) in open.into_iter().zip(answers) {
            if let Err(refusal) = answer {
                steps[at] = Step::Done((Some(transaction.id), Err(refusal)));
            }
        }
    }

    async fn verify(&self, steps: &mut [Step]) {
        let open = open(steps);
        let list: Vec<_> = open.iter().map(|(_, transaction)| transaction.clone()).collect();
        let answers = self.desk.check(Urgency::Ordinary, &list).await;
        for (number, (at, transaction)) in open.into_iter().enumerate() {
            let refusal = match &answers {
                Ok(answers) if answers[number] => continue,
                Ok(_) => Refusal::Signature,
                Err(_) => Refusal::Stopping,
            };
            steps[at] = Step::Done((Some(transaction.id), Err(refusal)));
        }
    }

    /// The last look before the pool: what a pause has emptied stays empty.
    fn regulate(&self, together: &mut Together) {
        let now_ms = self.runtime.now_ms();
        for (at, transaction) in open(&together.steps) {
            if let Err(failure) = self.regime.admit(&transaction, at < together.own, now_ms) {
                together.steps[at] = Step::Done((Some(transaction.id), Err(Refusal::Invalid(failure))));
            }
        }
    }

    fn place(&self, together: &mut Together) {
        self.regulate(together);
        let open = open(&together.steps);
        let list = open.iter().map(|(_, transaction)| transaction.clone()).collect();
        for ((at, transaction), answer) in open.into_iter().zip(self.pool.insert_all(list)) {
            if at < together.own && matches!(answer, Ok(true)) {
                self.gossip.spread(transaction.clone());
            }
            let id = transaction.id;
            let admitted = answer.map(|new| Admitted { transaction, new });
            together.steps[at] = Step::Done((Some(id), admitted.map_err(Refusal::Pool)));
        }
    }

    fn reply(&self, together: Together) {
        let answers = together.steps.into_iter().map(|step| match step {
            Step::Done(answer) => answer,
            Step::Open(transaction) => (Some(transaction.id), Err(Refusal::Stopping)),
        });
        let mut refused = 0;
        let mut answers = answers.inspect(|(_, answer)| refused += u64::from(answer.is_err()));
        for (count, reply) in together.replies {
            let _ = reply.send(answers.by_ref().take(count).collect());
        }
        answers.for_each(drop);
        self.metrics.refused.add(refused);
    }
}

fn already(transaction: Arc<SealedTransaction>) -> Step {
    let id = transaction.id;
    let new = false;
    Step::Done((Some(id), Ok(Admitted { transaction, new })))
}

/// Whether there is room for a transaction, before anything is spent on judging it.
fn place_for(pool: &Pool, transaction: SealedTransaction) -> Step {
    if let Some(held) = pool.get(&transaction.id) {
        return already(held.clone());
    }
    match pool.has_room(&transaction) {
        Ok(()) => Step::Open(Arc::new(transaction)),
        Err(full) => Step::Done((Some(transaction.id), Err(full.into()))),
    }
}

fn open(steps: &[Step]) -> Vec<(usize, Arc<SealedTransaction>)> {
    let pick = |(at, step): (usize, &Step)| match step {
        Step::Open(transaction) => Some((at, transaction.clone())),
        Step::Done(_) => None,
    };
    steps.iter().enumerate().filter_map(pick).collect()
}

fn judge_all<K: Kv>(
    speculation: &mut Speculation<Ledger<K>>,
    now_ms: u64,
    list: &[Arc<SealedTransaction>],
) -> Vec<Result<(), Refusal>> {
    let last = speculation.last_final().clone();
    let time_ms = now_ms.max(last.time_ms() + 1);
    let judge = |transaction: &Arc<SealedTransaction>| {
        match speculation.judge(&last.digest, transaction, time_ms) {
            Ok(answer) => answer.map_err(Refusal::Invalid),
            Err(SpeculationError::State(error)) => Err(Refusal::State(error.to_string())),
            // The last final block is always there; what remains is an unknown protocol version, which stops the chain.
            Err(_) => Err(Refusal::Stopping),
        }
    };
    list.iter().map(judge).collect()
}
