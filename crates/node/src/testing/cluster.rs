//! Several nodes of one chain without consensus: the test decides who proposes and who hears what.

use super::{START_MS, TestRuntime, finality, validator_key};
use crate::{ChainNode, ChainOptions, Network, gossip::Broadcast};
use bytes::Bytes;
use futures::{StreamExt, stream};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, Weak},
    time::Duration,
};
use yulian_crypto::sm2::{PublicKey, Signer};
use yulian_engine::{Ancestors, Application, ChainStatus, FinalBlock, Peer, Round, Runtime};
use yulian_store::{CHAIN_SPACES, LogKv, MemoryLog};
use yulian_types::{Digest, SealedBlock, SealedGenesis, ValidatorSet};

pub(crate) type TestNode = ChainNode<TestRuntime, LogKv<MemoryLog>>;

/// Where broadcast messages go: to every other node that is up.
#[derive(Default)]
pub(crate) struct Hub {
    nodes: Mutex<BTreeMap<usize, TestNode>>,
    pub(crate) peers: Mutex<BTreeMap<usize, Vec<Peer>>>,
    /// Validators that nobody has a connection with; all others are connected, whether the test runs them or not.
    pub(crate) apart: Mutex<BTreeSet<PublicKey>>,
}

struct Link {
    hub: Weak<Hub>,
    me: usize,
    validators: Vec<PublicKey>,
}

impl Broadcast for Link {
    fn broadcast(&self, message: Bytes) {
        let Some(hub) = self.hub.upgrade() else {
            return;
        };
        let from = validator_key(self.me as u8).public_key();
        for (at, node) in hub.nodes.lock().unwrap().iter() {
            if *at != self.me {
                node.received(from, message.clone());
            }
        }
    }
}

impl Network for Link {
    fn set_peers(&self, peers: Vec<Peer>) {
        if let Some(hub) = self.hub.upgrade() {
            hub.peers.lock().unwrap().insert(self.me, peers);
        }
    }

    fn status(&self) -> ChainStatus {
        ChainStatus::default()
    }

    fn connected(&self) -> Vec<PublicKey> {
        let apart = self.hub.upgrade().map(|hub| hub.apart.lock().unwrap().clone());
        let apart = apart.unwrap_or_default();
        let own = validator_key(self.me as u8).public_key();
        let others = self
            .validators
            .iter()
            .filter(|key| **key != own && !apart.contains(key));
        others.copied().collect()
    }
}

pub(crate) struct Cluster {
    pub(crate) genesis: Arc<SealedGenesis>,
    pub(crate) runtime: TestRuntime,
    pub(crate) logs: Vec<MemoryLog>,
    pub(crate) hub: Arc<Hub>,
    options: ChainOptions,
    /// Every block ever proposed.
    blocks: Mutex<BTreeMap<Digest, Arc<SealedBlock>>>,
    finals: Mutex<Vec<FinalBlock>>,
    view: Mutex<u64>,
}

impl Cluster {
    /// That many nodes, all validators of the genesis and up.
    pub(crate) async fn start(runtime: &TestRuntime, count: usize, genesis: Arc<SealedGenesis>) -> Self {
        Self::start_with(runtime, count, genesis, ChainOptions::default()).await
    }

    pub(crate) async fn start_with(
        runtime: &TestRuntime,
        count: usize,
        genesis: Arc<SealedGenesis>,
        options: ChainOptions,
    ) -> Self {
        let first = Arc::new(genesis.block());
        let cluster = Self {
            genesis,
            runtime: runtime.clone(),
            logs: (0..count).map(|_| MemoryLog::new()).collect(),
            hub: Arc::default(),
            options,
            blocks: Mutex::new(BTreeMap::from([(first.digest, first)])),
            finals: Mutex::default(),
            view: Mutex::new(0),
        };
        for at in 0..count {
            cluster.up(at).await;
        }
        cluster
    }

    /// Starts a node on its disk.
    pub(crate) async fn up(&self, at: usize) -> TestNode {
        let kv = LogKv::open(self.logs[at].clone(), CHAIN_SPACES).await.unwrap();
        let signer = Arc::new(validator_key(at as u8));
        let node = ChainNode::open(
            self.runtime.clone(),
            kv,
            self.genesis.clone(),
            signer,
            self.options.clone(),
        );
        let node = node.await.unwrap();
        node.attach(Arc::new(Link {
            hub: Arc::downgrade(&self.hub),
            me: at,
            validators: self.genesis.validators.keys().to_vec(),
        }));
        self.hub.nodes.lock().unwrap().insert(at, node.clone());
        node
    }

    /// Kills a node: what it had not synced is lost.
    pub(crate) fn kill(&self, at: usize, seed: u64) {
        let node = self.hub.nodes.lock().unwrap().remove(&at).unwrap();
        node.stop();
        self.logs[at].crash(seed);
    }

    pub(crate) fn node(&self, at: usize) -> TestNode {
        self.hub.nodes.lock().unwrap()[&at].clone()
    }

    fn nodes(&self) -> Vec<TestNode> {
        self.hub.nodes.lock().unwrap().values().cloned().collect()
    }

    /// A block and its ancestors down to genesis.
    pub(crate) fn ancestors(&self, from: &Digest) -> Ancestors {
        let blocks = self.blocks.lock().unwrap();
        let mut list = Vec::new();
        let mut next = blocks.get(from).cloned();
        while let Some(block) = next {
            next = blocks.get(&block.parent).filter(|_| block.height() > 0).cloned();
            list.push(block);
        }
        stream::iter(list).boxed()
    }

    /// The round of a child of a block.
    pub(crate) fn round(&self, parent: &SealedBlock) -> Round {
        let length = self.genesis.message.epoch_length;
        let epoch = (parent.height() + 1) / length;
        let same = epoch == parent.header.epoch;
        let digest = if same {
            &parent.header.validators
        } else {
            &parent.header.next_validators
        };
        let digest = Digest::from_slice(digest).unwrap();
        let validators = self.nodes()[0].validator_set(&digest).unwrap();
        *self.view.lock().unwrap() += 1;
        Round {
            epoch,
            view: *self.view.lock().unwrap(),
            last_height: (epoch + 1) * length - 1,
            validators,
            validators_since: 0,
            leader_timeout: Duration::from_secs(1),
        }
    }

    /// The last final block of the test.
    pub(crate) fn last(&self) -> Arc<SealedBlock> {
        let finals = self.finals.lock().unwrap();
        finals
            .last()
            .map_or_else(|| Arc::new(self.genesis.block()), |last| last.block.clone())
    }

    pub(crate) fn remember(&self, block: SealedBlock) -> Arc<SealedBlock> {
        let block = Arc::new(block);
        self.blocks.lock().unwrap().insert(block.digest, block.clone());
        block
    }

    /// A proposal of a node on a parent, if one comes within a time.
    pub(crate) async fn propose(
        &self,
        at: usize,
        parent: &Arc<SealedBlock>,
        within: Duration,
    ) -> Option<Arc<SealedBlock>> {
        let node = self.node(at);
        let proposal = node.propose(self.round(parent), self.ancestors(&parent.digest));
        let block = tokio::time::timeout(within, proposal).await.ok()??;
        Some(self.remember(block))
    }

    pub(crate) async fn verify(&self, at: usize, block: &Arc<SealedBlock>) -> bool {
        let parent = self.blocks.lock().unwrap()[&block.parent].clone();
        let node = self.node(at);
        node.verify(self.round(&parent), block.clone(), self.ancestors(&parent.digest))
            .await
    }

    /// Makes a block final at every node that is up.
    pub(crate) async fn finalize(&self, block: &Arc<SealedBlock>, set: &ValidatorSet) {
        let proof = Some(finality(&self.genesis, set, block));
        let block = FinalBlock {
            block: block.clone(),
            proof,
        };
        self.finals.lock().unwrap().push(block.clone());
        for node in self.nodes() {
            node.finalized(block.clone()).await.unwrap();
        }
    }

    /// One whole round: a proposal by a node on the last final block, verified by all others, made final.
    pub(crate) async fn step(&self, leader: usize, within: Duration) -> Option<Arc<SealedBlock>> {
        let parent = self.last();
        let set = self.round(&parent).validators;
        let block = self.propose(leader, &parent, within).await?;
        let others: Vec<usize> = self
            .hub
            .nodes
            .lock()
            .unwrap()
            .keys()
            .copied()
            .filter(|at| *at != leader)
            .collect();
        for at in others {
            assert!(
                self.verify(at, &block).await,
                "node {at} refuses block {}",
                block.height()
            );
        }
        self.finalize(&block, &set).await;
        Some(block)
    }

    /// Delivers what a node missed, as the engine would: from the height after its own.
    pub(crate) async fn catch_up(&self, at: usize) {
        let node = self.node(at);
        let height = node.ledger().tip().height;
        let missed: Vec<FinalBlock> = self.finals.lock().unwrap()[height as usize..].to_vec();
        for block in missed {
            node.finalized(block).await.unwrap();
        }
    }

    /// All nodes that are up stand at the same block with the same state.
    pub(crate) fn assert_same(&self) {
        let tips: Vec<_> = self.nodes().iter().map(|node| node.ledger().tip()).collect();
        assert!(tips.windows(2).all(|pair| pair[0] == pair[1]), "{tips:?}");
    }

    /// Virtual time since the start, ms.
    pub(crate) fn elapsed_ms(&self) -> u64 {
        self.runtime.now_ms() - START_MS
    }
}
