//! The machines of a simulated fusion network: each hosts every chain.

use super::{
    keys::{CHAINS, MACHINES},
    net::{Net, Running},
    plan::FusionPlan,
};
use crate::{
    byzantine::Byzantine,
    clock::Clock,
    cluster::Node,
    disk::SimLog,
    end::{End, Ended, end},
    keys::{node_id, node_key, validator},
    plan::Fault,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};
use yulian_api::{ChainRef, Service as _};
use yulian_engine::{
    Fatal, NodeSigner, Task,
    simulated::{SimContext, SimHost, World},
};
use yulian_node::{
    ChainNode, ChainOptions, Identity, NodeService,
    regime::{Quotas, Standing},
};
use yulian_store::{CHAIN_SPACES, LogKv};

/// What a chain that is full has on the disk, bytes; it may have one MiB.
const FULL_BYTES: u64 = 2 << 20;
/// Time that a stopped node's tasks get to let go of their files, ms.
const LET_GO_MS: u64 = 400;

struct Life {
    task: Task,
    crash: End,
}

/// All machines.
pub(crate) struct Machines {
    pub(crate) world: World,
    net: Arc<Net>,
    plan: FusionPlan,
    lives: BTreeMap<usize, Life>,
    started: u64,
    limits: Arc<Mutex<Limits>>,
}

/// What the platform says of chains.
#[derive(Default)]
struct Limits {
    paused: BTreeSet<usize>,
    full: BTreeSet<usize>,
}

impl Limits {
    /// Tells a node of a chain.
    fn regulate(&self, chain: usize, node: &Node) {
        let standing = match self.paused.contains(&chain) {
            true => Standing::Paused,
            false => Standing::Open,
        };
        let full = self.full.contains(&chain);
        let quotas = Quotas {
            storage_mib: u32::from(full),
            ..Quotas::default()
        };
        node.regulate(standing, quotas);
        if full {
            node.regime().measured(FULL_BYTES);
        }
    }
}

impl Machines {
    /// Lays every link; no machine runs yet.
    pub(crate) async fn new(world: World, net: Arc<Net>, plan: FusionPlan) -> Result<Self, Fatal> {
        world.know(&(0..MACHINES).map(node_id).collect::<Vec<_>>());
        let machines = Self {
            world,
            net,
            plan,
            lives: BTreeMap::new(),
            started: 0,
            limits: Arc::default(),
        };
        machines.heal().await?;
        Ok(machines)
    }

    /// Starts a machine that does not run.
    pub(crate) async fn start(&mut self, machine: usize) -> Result<(), Fatal> {
        if self.lives.contains_key(&machine) {
            return Ok(());
        }
        self.started += 1;
        let (crash, crashed) = end();
        let signer = NodeSigner(Arc::new(node_key(machine)));
        let main = Main {
            machine,
            net: self.net.clone(),
            plan: self.plan.clone(),
            signer: signer.clone(),
            crashed,
            limits: self.limits.clone(),
        };
        let task = self.world.node(signer, self.started, move |context, host| async move {
            if let Err(error) = main.run(context, host).await {
                panic!("machine {machine} could not start: {error}");
            }
        });
        let task = task.await?;
        self.lives.insert(machine, Life { task, crash });
        Ok(())
    }

    /// Stops machines at once: what they had not synced is lost.
    pub(crate) async fn crash(&mut self, machines: &BTreeSet<usize>) {
        for machine in machines {
            if let Some(life) = self.lives.remove(machine) {
                life.task.stop();
                self.net.down(*machine);
                let _ = life.crash.send(());
            }
        }
        self.world.pause(Duration::from_millis(LET_GO_MS)).await;
    }

    /// Pauses a chain on every machine, or lets it go on.
    pub(crate) fn pause(&self, chain: usize, paused: bool) {
        self.limit(chain, paused, |limits| &mut limits.paused);
    }

    /// A chain has no room left on any machine, or is given some.
    pub(crate) fn fill(&self, chain: usize, full: bool) {
        self.limit(chain, full, |limits| &mut limits.full);
    }

    fn limit(&self, chain: usize, on: bool, of: fn(&mut Limits) -> &mut BTreeSet<usize>) {
        let mut limits = self.limits.lock().expect("limits");
        match on {
            true => of(&mut limits).insert(chain),
            false => of(&mut limits).remove(&chain),
        };
        for running in self.net.nodes(chain) {
            limits.regulate(chain, &running.node);
        }
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

type Started = Result<(), Box<dyn std::error::Error + Send + Sync>>;

struct Main {
    machine: usize,
    net: Arc<Net>,
    plan: FusionPlan,
    signer: NodeSigner,
    crashed: Ended,
    limits: Arc<Mutex<Limits>>,
}

impl Main {
    async fn run(self, context: SimContext, host: SimHost) -> Started {
        let mut first = None;
        for chain in 0..CHAINS {
            let fault = self.plan.fault(self.machine, chain);
            if fault != Some(Fault::TwoFaced) {
                self.open(&context, &host, chain, fault, &mut first).await?;
            }
        }
        if let Some(chain) = (0..CHAINS).find(|c| self.plan.fault(self.machine, *c) == Some(Fault::TwoFaced)) {
            // It plays no node of this chain at all: it only contradicts.
            let genesis = &self.net.places[chain].genesis;
            host.contradict(&context, genesis.chain_id, &genesis.validators, &self.signer)
                .await;
        }
        // The host carries the chains.
        futures::future::pending().await
    }

    async fn open(
        &self,
        context: &SimContext,
        host: &SimHost,
        chain: usize,
        fault: Option<Fault>,
        first: &mut Option<Node>,
    ) -> Started {
        let place = &self.net.places[chain];
        let log = SimLog::open(context, &format!("n{}-c{chain}", self.machine)).await?;
        let kv = LogKv::open(log, CHAIN_SPACES).await?;
        let clock = Clock::new(context.clone(), place.ahead_ms + self.plan.ahead_ms[self.machine]);
        let (genesis, options) = (place.genesis.clone(), ChainOptions::default());
        let node = match first {
            None => {
                let signer = self.signer.0.clone();
                let node = ChainNode::open(clock.clone(), kv.clone(), genesis, signer, options).await?;
                first.insert(node).clone()
            }
            Some(first) => first.open_beside(clock.clone(), kv.clone(), genesis, options).await?,
        };
        self.limits.lock().expect("limits").regulate(chain, &node);
        let mut config = node.chain_config()?;
        config.prefix = format!("n{}-{}", self.machine, config.prefix);
        let application = Byzantine::new(node.clone(), fault);
        let handle = host.start_chain(config, application, node.ledger().clone()).await?;
        node.attach(Arc::new(handle));
        let service = NodeService::new(clock, self.identity(), vec![node.clone()]);
        let api = service.chain(&ChainRef::Id(place.genesis.chain_id));
        // The answers of one that is not honest bind nobody.
        if fault.is_none() {
            self.net.up(
                chain,
                Running {
                    machine: self.machine,
                    node,
                    api: api.ok_or("the node does not have the chain it hosts")?,
                    kv,
                    crashed: self.crashed.clone(),
                },
            );
        }
        Ok(())
    }

    fn identity(&self) -> Identity {
        let validator = validator(self.machine);
        Identity {
            name: validator.name,
            cloud: validator.cloud,
            organisation: validator.organisation,
            address: format!("10.0.0.{}:1", self.machine + 1),
            public_key: node_id(self.machine),
        }
    }
}
