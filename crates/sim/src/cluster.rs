//! The machines of a simulation: started, crashed and linked as the plan says.

use crate::{
    byzantine::Byzantine,
    clock::Clock,
    disk::SimLog,
    end::{End, Ended, end},
    keys::{MACHINES, node_id, node_key},
    plan::{Fault, Plan},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};
use yulian_engine::{
    Fatal, NodeSigner, Task,
    simulated::{SimContext, SimHost, World},
};
use yulian_node::{ChainNode, ChainOptions, snapshot};
use yulian_store::{CHAIN_SPACES, LogKv};
use yulian_types::SealedGenesis;

/// A node's core as the simulation runs it: production code over the simulated disk.
pub(crate) type Node = ChainNode<Clock, LogKv<SimLog>>;

/// Time that a stopped node's tasks get to let go of their files, ms.
const LET_GO_MS: u64 = 400;

/// A running node; `crashed` tells those who wait for an answer that none will come.
#[derive(Clone)]
pub(crate) struct Running {
    /// The node.
    pub(crate) node: Node,
    /// Comes when the node stops.
    pub(crate) crashed: Ended,
}

struct Life {
    task: Task,
    crash: End,
    slot: Arc<Mutex<Option<Running>>>,
}

/// All machines.
pub(crate) struct Cluster {
    /// Clock and network.
    pub(crate) world: World,
    genesis: Arc<SealedGenesis>,
    plan: Plan,
    lives: BTreeMap<usize, Life>,
    started: u64,
}

impl Cluster {
    /// Lays every link; no machine runs yet. `started` is the number of lives that earlier phases used up.
    pub(crate) async fn new(
        world: World,
        genesis: Arc<SealedGenesis>,
        plan: Plan,
        started: u64,
    ) -> Result<Self, Fatal> {
        world.know(&(0..MACHINES).map(node_id).collect::<Vec<_>>());
        let cluster = Self {
            world,
            genesis,
            plan,
            lives: BTreeMap::new(),
            started,
        };
        cluster.heal().await?;
        Ok(cluster)
    }

    /// Machines that run.
    pub(crate) fn up(&self) -> BTreeSet<usize> {
        self.lives.keys().copied().collect()
    }

    /// Lives used up so far.
    pub(crate) fn started(&self) -> u64 {
        self.started
    }

    /// Starts a machine that does not run.
    pub(crate) async fn start(&mut self, machine: usize) -> Result<(), Fatal> {
        if self.lives.contains_key(&machine) {
            return Ok(());
        }
        self.started += 1;
        let (crash, crashed) = end();
        let slot = Arc::new(Mutex::new(None));
        let signer = NodeSigner(Arc::new(node_key(machine)));
        let fault = self
            .plan
            .byzantine
            .filter(|(node, _)| *node == machine)
            .map(|(_, fault)| fault);
        let main = Main {
            machine,
            fault,
            late: self.plan.late.contains(&machine),
            genesis: self.genesis.clone(),
            signer: signer.clone(),
            crashed,
        };
        let into = slot.clone();
        let task = self.world.node(signer, self.started, move |context, host| async move {
            if let Err(error) = main.run(context, host, into).await {
                panic!("machine {machine} could not start: {error}");
            }
        });
        self.lives.insert(
            machine,
            Life {
                task: task.await?,
                crash,
                slot,
            },
        );
        Ok(())
    }

    /// Stops a machine at once.
    pub(crate) async fn crash(&mut self, machine: usize) {
        if let Some(life) = self.lives.remove(&machine) {
            life.task.stop();
            life.slot.lock().expect("slot").take();
            let _ = life.crash.send(());
            self.world.pause(Duration::from_millis(LET_GO_MS)).await;
        }
    }

    /// A machine's node once it is open.
    pub(crate) fn node(&self, machine: usize) -> Option<Running> {
        self.lives.get(&machine)?.slot.lock().expect("slot").clone()
    }

    /// All open nodes but a Byzantine one, whose answers bind nobody.
    pub(crate) fn honest(&self) -> BTreeMap<usize, Running> {
        let liar = self.plan.byzantine.map(|(node, _)| node);
        let open = self
            .lives
            .keys()
            .filter(|n| Some(**n) != liar)
            .map(|n| (*n, self.node(*n)));
        open.filter_map(|(n, node)| Some((n, node?))).collect()
    }

    /// Cuts the links between these machines and all others.
    pub(crate) async fn split(&self, side: &BTreeSet<usize>) {
        for (a, b) in pairs().filter(|(a, b)| side.contains(a) != side.contains(b)) {
            self.world.unlink(&node_id(a), &node_id(b)).await;
        }
    }

    /// Lays every link anew.
    pub(crate) async fn heal(&self) -> Result<(), Fatal> {
        for (a, b) in pairs() {
            self.world.link(&node_id(a), &node_id(b), self.plan.link).await?;
        }
        Ok(())
    }
}

fn pairs() -> impl Iterator<Item = (usize, usize)> {
    (0..MACHINES)
        .flat_map(|a| (0..MACHINES).map(move |b| (a, b)))
        .filter(|(a, b)| a != b)
}

struct Main {
    machine: usize,
    fault: Option<Fault>,
    late: bool,
    genesis: Arc<SealedGenesis>,
    signer: NodeSigner,
    crashed: Ended,
}

impl Main {
    async fn run(
        self,
        context: SimContext,
        host: SimHost,
        slot: Arc<Mutex<Option<Running>>>,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if self.fault == Some(Fault::TwoFaced) {
            // It plays no node at all: it only contradicts.
            let (chain, set) = (self.genesis.chain_id, self.genesis.validators.clone());
            host.contradict(&context, chain, &set, &self.signer).await;
            return Ok(());
        }
        let log = SimLog::open(&context, &format!("n{}", self.machine)).await?;
        let kv = LogKv::open(log, CHAIN_SPACES).await?;
        let options = ChainOptions::default();
        if self.late && snapshot::is_wanted(&kv)? {
            let known = snapshot::Acquainted::new(&self.genesis, &options.peers, &self.signer.0.public_key());
            let exchange = host
                .exchange(self.genesis.chain_id, known.validators, known.peers)
                .await?;
            let clock = Clock::new(context.clone(), 0);
            snapshot::join(&clock, &kv, &self.genesis, exchange, known.others).await?;
        }
        let clock = Clock::new(context, 0);
        let node = ChainNode::open(clock, kv, self.genesis, self.signer.0.clone(), options).await?;
        let mut config = node.chain_config()?;
        config.prefix = format!("n{}-{}", self.machine, config.prefix);
        let application = Byzantine::new(node.clone(), self.fault);
        let handle = host.start_chain(config, application, node.ledger().clone()).await?;
        node.attach(Arc::new(handle));
        *slot.lock().expect("slot") = Some(Running {
            node,
            crashed: self.crashed,
        });
        // The host carries the chain.
        futures::future::pending().await
    }
}
