//! Spreading submitted transactions: each node sends those submitted to it to every member, once, in batches.
//!
//! Nobody forwards what it received, so a transaction crosses each link at most once, whatever the size of the
//! network. Loss is allowed: what is not final after some seconds is sent again.

mod message;
mod resend;

pub use message::{GOSSIP_MESSAGE_BYTES_MAX, GOSSIP_TRANSACTIONS_MAX, GossipError, decode, encode};

use crate::{metrics::SharedMetrics, pool::Mempool};
use bytes::Bytes;
use futures::{FutureExt, pin_mut, select_biased};
use resend::Resend;
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;
use yulian_engine::{ChainHandle, Runtime, Task};
use yulian_types::SealedTransaction;

/// Most transactions that wait to be sent; one more is left to the next repetition.
pub const OUTBOX_MAX: usize = 16_384;
/// After a message, what comes within this time is sent together.
const BATCH_TIME: Duration = Duration::from_millis(5);
/// The same when so many came together last time: every message is work for each member.
const BUSY_BATCH_TIME: Duration = Duration::from_millis(15);
const BUSY_FROM: usize = 16;
/// How often it is looked for what has to be sent again.
const RESEND_INTERVAL: Duration = Duration::from_secs(1);

/// Sends a message to every other member of the chain; may lose it.
pub trait Broadcast: Send + Sync + 'static {
    /// Sends at most [`GOSSIP_MESSAGE_BYTES_MAX`] bytes. Must not block.
    fn broadcast(&self, message: Bytes);
}

impl Broadcast for ChainHandle {
    fn broadcast(&self, message: Bytes) {
        ChainHandle::broadcast(self, message);
    }
}

const _: () = assert!(GOSSIP_MESSAGE_BYTES_MAX <= yulian_engine::MESSAGE_BYTES_MAX);

/// The way to the members for transactions that were submitted here. Clones share it.
#[derive(Debug, Clone)]
pub struct Gossip {
    outbox: mpsc::Sender<Arc<SealedTransaction>>,
}

impl Gossip {
    /// Starts the task that sends.
    pub fn start<R: Runtime>(
        runtime: R,
        pool: Mempool,
        broadcast: Arc<dyn Broadcast>,
        metrics: SharedMetrics,
    ) -> (Self, Task) {
        let (outbox, inbox) = mpsc::channel(OUTBOX_MAX);
        let sender = Sender {
            runtime: runtime.clone(),
            resend: Resend::new(pool),
            broadcast,
            metrics,
        };
        let task = runtime.start("gossip", sender.run(inbox));
        (Self { outbox }, task)
    }

    /// Sends a verified transaction to the members soon.
    pub fn spread(&self, transaction: Arc<SealedTransaction>) {
        // A full outbox means that the network is far slower than the clients: the repetition brings it later.
        let _ = self.outbox.try_send(transaction);
    }
}

struct Sender<R> {
    runtime: R,
    resend: Resend,
    broadcast: Arc<dyn Broadcast>,
    metrics: SharedMetrics,
}

impl<R: Runtime> Sender<R> {
    async fn run(mut self, mut inbox: mpsc::Receiver<Arc<SealedTransaction>>) {
        while let Some(mut batch) = self.next(&mut inbox).await {
            let now = self.runtime.now_ms();
            while let Ok(next) = inbox.try_recv() {
                batch.push(next);
            }
            self.resend.sent(now, &batch);
            batch.extend(self.resend.due(now));
            self.send(&batch);
            // The first transaction after a silence leaves at once; those behind it share a message.
            self.runtime.pause(batch_time(batch.len())).await;
        }
    }

    /// The next transaction to send, or nothing when it is time to look for repetitions; `None` at the end.
    async fn next(&self, inbox: &mut mpsc::Receiver<Arc<SealedTransaction>>) -> Option<Vec<Arc<SealedTransaction>>> {
        let tick = self.runtime.pause(RESEND_INTERVAL).fuse();
        let first = inbox.recv().fuse();
        pin_mut!(tick, first);
        select_biased! {
            first = first => first.map(|first| vec![first]),
            () = tick => Some(Vec::new()),
        }
    }

    fn send(&self, batch: &[Arc<SealedTransaction>]) {
        for message in encode(batch) {
            self.metrics.gossip_sent.one();
            self.broadcast.broadcast(message);
        }
    }
}

fn batch_time(last: usize) -> Duration {
    if last >= BUSY_FROM { BUSY_BATCH_TIME } else { BATCH_TIME }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        pool::PoolLimits,
        testing::{TestRuntime, sender_key, simulate, transaction},
    };
    use std::sync::Mutex;

    #[derive(Default)]
    struct Recorder(Mutex<Vec<(u64, Vec<Bytes>)>>, Mutex<Option<TestRuntime>>);

    impl Broadcast for Recorder {
        fn broadcast(&self, message: Bytes) {
            let now = self.1.lock().unwrap().as_ref().unwrap().now_ms();
            self.0.lock().unwrap().push((now, decode(message).unwrap()));
        }
    }

    #[test]
    fn the_first_leaves_at_once_the_rest_together_and_the_unfinished_again() {
        simulate(async |runtime| {
            let pool = Mempool::new(PoolLimits::default());
            let recorder = Arc::new(Recorder::default());
            *recorder.1.lock().unwrap() = Some(runtime.clone());
            let (gossip, _task) = Gossip::start(
                runtime.clone(),
                pool.clone(),
                recorder.clone(),
                SharedMetrics::default(),
            );
            let list: Vec<_> = (0..4).map(|n| transaction(&sender_key(1), n)).collect();
            pool.insert_all(list.clone());
            let start = runtime.now_ms();
            gossip.spread(list[0].clone());
            runtime.pause(Duration::from_millis(1)).await;
            for t in &list[1..] {
                gossip.spread(t.clone());
            }
            runtime.pause(Duration::from_millis(20)).await;
            let sent: Vec<_> = std::mem::take(&mut *recorder.0.lock().unwrap());
            let sizes: Vec<_> = sent.iter().map(|(at, list)| (at - start, list.len())).collect();
            assert_eq!(sizes, [(0, 1), (5, 3)]);
            // Three become final; the fourth is repeated, a bounded number of times.
            for t in &list[..3] {
                pool.lock().remove(&t.id);
            }
            runtime.pause(Duration::from_secs(600)).await;
            let again: Vec<_> = std::mem::take(&mut *recorder.0.lock().unwrap());
            assert!(again.iter().all(|(_, sent)| *sent == [list[3].bytes.clone()]));
            assert_eq!(again.len(), resend::ROUNDS_MAX as usize);
        });
    }
}
