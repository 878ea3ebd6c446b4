//! What everybody in the simulated network uses: the chains, the nodes that run, and how a transaction is brought to its end.

use super::keys::{CAPTURED, CHAINS};
use crate::{
    client::{Book, Maker, Received},
    clock::Clock,
    cluster::Node,
    disk::SimLog,
    end::Ended,
};
use bytes::Bytes;
use futures::future::{Either, select};
use prost::Message as _;
use rand::{RngExt, rngs::StdRng};
use std::{
    collections::BTreeMap,
    future::Future,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use yulian_api::{ChainService as _, views::StateView};
use yulian_crypto::sm2::SecretKey;
use yulian_engine::{Runtime as _, simulated::SimContext};
use yulian_node::{ChainApi, waiters::Outcome};
use yulian_store::LogKv;
use yulian_types::{Digest, SealedGenesis, SealedPacket, StateKey, decode_header, proto};

/// A node is asked again, or another one, when it has not answered for this long, ms.
const ASK_AGAIN_MS: u64 = 2_500;
/// Between a refusal and the next try, ms.
const REFUSED_MS: u64 = 400;
/// Blocks that are read in one go while following.
const FOLLOW_MAX: u64 = 16;

/// A chain on a machine that runs.
#[derive(Clone)]
pub(crate) struct Running {
    /// The machine.
    pub(crate) machine: usize,
    /// The node.
    pub(crate) node: Node,
    /// The node as its clients see it.
    pub(crate) api: ChainApi<Clock, LogKv<SimLog>>,
    /// The disk, for the oracle.
    pub(crate) kv: LogKv<SimLog>,
    /// Becomes true when the machine stops.
    pub(crate) crashed: Ended,
}

/// A chain that machines host.
#[derive(Debug)]
pub(crate) struct Place {
    /// Its genesis.
    pub(crate) genesis: Arc<SealedGenesis>,
    /// How far the clocks of its nodes are ahead of virtual time, ms.
    pub(crate) ahead_ms: i64,
}

/// A block as those who follow a chain see it.
pub(crate) struct Followed {
    pub(crate) height: u64,
    pub(crate) time_ms: u64,
    pub(crate) events: Vec<proto::Event>,
}

/// The network as the simulator's own actors use it.
pub(crate) struct Net {
    runtime: SimContext,
    /// The relay chain and its members.
    pub(crate) places: Vec<Place>,
    /// Chains that only the simulator plays: the captured one and the one that never was.
    alone: [Arc<SealedGenesis>; 2],
    running: Mutex<BTreeMap<(usize, usize), Running>>,
    makers: Mutex<Vec<Maker>>,
    books: Mutex<Vec<Book>>,
    /// Items that were carried once: for whoever plays tricks with them.
    pub(crate) carried: Mutex<Vec<(usize, proto::Carry)>>,
    /// No new load.
    pub(crate) quiet: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("the simulation has one thread")
}

impl Net {
    pub(crate) fn new(runtime: SimContext, places: Vec<Place>, alone: [Arc<SealedGenesis>; 2]) -> Self {
        let makers = places.iter().map(|place| Maker::new(place.genesis.chain_id)).collect();
        Self {
            runtime,
            books: Mutex::new(vec![Book::new(); places.len()]),
            makers: Mutex::new(makers),
            places,
            alone,
            running: Mutex::default(),
            carried: Mutex::default(),
            quiet: AtomicBool::new(false),
        }
    }

    /// Genesis digest of a chain, also of those that no machine hosts.
    pub(crate) fn id(&self, chain: usize) -> Digest {
        self.genesis(chain).chain_id
    }

    pub(crate) fn genesis(&self, chain: usize) -> &Arc<SealedGenesis> {
        match self.places.get(chain) {
            Some(place) => &place.genesis,
            None => &self.alone[chain - CAPTURED],
        }
    }

    pub(crate) fn id_bytes(&self, chain: usize) -> Bytes {
        self.id(chain).to_vec().into()
    }

    /// Place of a chain; that of the captured one is the last.
    pub(crate) fn place(&self, id: &Digest) -> Option<usize> {
        (0..=CHAINS).find(|chain| self.id(*chain) == *id)
    }

    /// The time of day that a chain's nodes go by, ms.
    pub(crate) fn now_ms(&self, chain: usize) -> u64 {
        let ahead = self.places.get(chain).map_or(0, |place| place.ahead_ms);
        self.runtime.now_ms().saturating_add_signed(ahead)
    }

    pub(crate) async fn pause(&self, ms: u64) {
        self.runtime.pause(Duration::from_millis(ms)).await
    }

    /// A moment: whoever is killed between two steps is killed here.
    pub(crate) async fn moment(&self, random: &mut StdRng) {
        self.pause(random.random_range(1..10)).await
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet.load(Relaxed)
    }

    pub(crate) fn up(&self, chain: usize, running: Running) {
        lock(&self.running).insert((chain, running.machine), running);
    }

    pub(crate) fn down(&self, machine: usize) {
        lock(&self.running).retain(|(_, at), _| *at != machine);
    }

    /// The honest nodes of a chain that run.
    pub(crate) fn nodes(&self, chain: usize) -> Vec<Running> {
        let running = lock(&self.running);
        running
            .range((chain, 0)..(chain + 1, 0))
            .map(|(_, node)| node.clone())
            .collect()
    }

    /// One of them.
    pub(crate) fn node(&self, random: &mut StdRng, chain: usize) -> Option<Running> {
        let mut nodes = self.nodes(chain);
        if nodes.is_empty() {
            return None;
        }
        Some(nodes.swap_remove(random.random_range(0..nodes.len())))
    }

    /// What was submitted to a chain so far.
    pub(crate) fn book(&self, chain: usize) -> Book {
        lock(&self.books)[chain].clone()
    }

    /// Signs a call, asks one node after the other until it is final, and gives its receipt; `None` if nobody said so within
    /// `patience_ms`. It may become final all the same.
    pub(crate) async fn call(
        &self,
        random: &mut StdRng,
        (chain, key): (usize, &SecretKey),
        call: &str,
        arguments: Bytes,
        patience_ms: u64,
    ) -> Option<proto::Receipt> {
        let (module, method) = call.split_once('.').expect("module.method");
        let (id, sent) = lock(&self.makers)[chain].call(self.now_ms(chain), key, module, method, arguments);
        lock(&self.books)[chain].insert(id, sent.clone());
        let end = self.runtime.now_ms() + patience_ms;
        while self.runtime.now_ms() < end {
            let left = (end - self.runtime.now_ms()).min(ASK_AGAIN_MS);
            let Some(node) = self.node(random, chain) else {
                self.pause(left.min(REFUSED_MS)).await;
                continue;
            };
            let asked = self.patient(left, ask(node, sent.bytes.clone())).await;
            match asked {
                Some(Some(received)) => {
                    let receipt = proto::Receipt::decode(received.receipt.clone()).ok();
                    if let Some(sent) = lock(&self.books)[chain].get_mut(&id) {
                        sent.received = Some(received);
                    }
                    return receipt;
                }
                Some(None) => self.pause(REFUSED_MS).await,
                None => {}
            }
        }
        None
    }

    /// What a future yields, if it does within a time.
    async fn patient<T>(&self, ms: u64, future: impl Future<Output = T>) -> Option<T> {
        match select(pin!(future), pin!(self.pause(ms))).await {
            Either::Left((value, _)) => Some(value),
            Either::Right(_) => None,
        }
    }

    /// A key of a chain at one of its nodes, with its proof.
    pub(crate) async fn state(&self, node: &Running, key: &StateKey, height: Option<u64>) -> Option<StateView> {
        let module = key.module_id.to_string();
        let read = node.api.state(&module, key.key.clone(), height);
        self.patient(ASK_AGAIN_MS, read).await?.ok()
    }

    /// A record of a chain as the last header proves it.
    pub(crate) async fn record<M: prost::Message + Default>(
        &self,
        random: &mut StdRng,
        chain: usize,
        key: &StateKey,
    ) -> Option<M> {
        let node = self.node(random, chain)?;
        let value = self.state(&node, key, None).await?.value?;
        M::decode(value.0).ok()
    }

    /// A packet that has not ended.
    pub(crate) async fn sent(
        &self,
        random: &mut StdRng,
        from: usize,
        (to, module, sequence): (&Digest, &str, u64),
    ) -> Option<SealedPacket> {
        let node = self.node(random, from)?;
        let view = self
            .state(&node, &StateKey::packet_sent(to, module, sequence), None)
            .await?;
        SealedPacket::decode(view.value?.0).ok()
    }

    /// The final blocks of a chain after a height, as one of its nodes has them.
    pub(crate) fn blocks(&self, random: &mut StdRng, chain: usize, after: u64) -> Vec<Followed> {
        let Some(node) = self.node(random, chain) else {
            return vec![];
        };
        let ledger = node.node.ledger();
        let last = ledger.tip().height.min(after + FOLLOW_MAX);
        let block = |height: u64| {
            let header = decode_header(&ledger.header(height).ok()??).ok()?;
            let receipts = ledger.receipts(height).ok()??;
            let receipts = receipts
                .into_iter()
                .filter_map(|bytes| proto::Receipt::decode(bytes).ok());
            Some(Followed {
                height,
                time_ms: header.time_ms,
                events: receipts.flat_map(|receipt| receipt.events).collect(),
            })
        };
        (after + 1..=last).map_while(block).collect()
    }
}

/// Submits once to a node and waits until it answers or crashes; `None` if it refuses or crashes.
async fn ask(running: Running, bytes: Bytes) -> Option<Received> {
    let Running { node, crashed, .. } = running;
    let answer = async move {
        match node.submit_and_wait(bytes).await {
            Ok(Outcome::Final {
                height,
                digest,
                receipt,
                ..
            }) => Some(Received {
                height,
                digest,
                receipt,
            }),
            _ => None,
        }
    };
    match select(pin!(answer), crashed).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => None,
    }
}
