//! Playing a plan of several chains.

use super::{
    captured::Captured,
    carrier::{self, Cursors},
    forge::Keys,
    keys::{CAPTURED, CHAINS, CITIES, HOLDERS, HUB, MACHINES, PHANTOM, genesis, regulator_key},
    load,
    machines::Machines,
    net::{Net, Place},
    oracle,
    plan::{AGENTS, FusionAct, FusionPlan},
    setup, tricks,
    vote::{carry_on, rotate},
    word::Word,
};
use crate::check::{self, Broken, Seen};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use yulian_engine::{
    Runtime as _, Task,
    simulated::{self, SimContext, World},
};
use yulian_modules::governance::{KIND_END_LINK, KIND_LIFT_FREEZE, KIND_SET_ROUTE};
use yulian_types::{
    Digest, StateKey, encode,
    proto::{EndLink, Freeze, LinkClient},
    state_keys::{LINK_ACTIVE, LINK_ENDED, LINK_FROZEN},
};

/// Virtual time after which a simulation has hung.
const LIMIT: Duration = Duration::from_secs(900);
/// Virtual time that the network gets to bring everything to its end, ms.
const SETTLE_MS: u64 = 200_000;
/// So long after healing whoever froze a way, closed a route or gave a chain too little room relents: what vouchers come back in has ten
/// minutes, all else is late by then.
const RELENT_MS: u64 = 60_000;
/// While it settles the agents start anew this often, ms: their waits grow.
const ANEW_MS: u64 = 50_000;
/// Everything must stay at its end for this long, ms.
const STILL_MS: u64 = 2_000;
const STEP_MS: u64 = 20;
/// How long the regulator waits for a freeze, ms.
const FREEZE_PATIENCE_MS: u64 = 6_000;
/// Changes of the validators in a row.
const ROTATIONS: usize = 3;

/// What a simulation of several chains came to.
#[derive(Debug, Clone)]
pub struct FusionOutcome {
    /// Heights of the chains, the relay chain first.
    pub heights: Vec<u64>,
    /// What the packets came to.
    pub tally: oracle::Tally,
    /// Items that the agents were told to be taken.
    pub carried: usize,
    /// Claims of chains whose keys are in wrong hands, and vouchers of their own that they made up.
    pub claims: usize,
    /// Lies of a relay chain about others.
    pub lies: usize,
    /// Validators changed.
    pub rotated: usize,
    /// Equal for two runs only if everything happened alike.
    pub fingerprint: String,
}

/// Plays a plan to its end; `Err` says which rule did not hold.
pub fn play(plan: &FusionPlan) -> Result<FusionOutcome, Broken> {
    let (outcome, _) = simulated::run(plan.seed, None, LIMIT, |world| run(world, plan.clone()));
    outcome
}

struct Agent {
    /// Absent while it is dead.
    task: Option<Task>,
    cursors: Cursors,
}

struct Play {
    machines: Machines,
    net: Arc<Net>,
    runtime: SimContext,
    plan: FusionPlan,
    agents: Vec<Agent>,
    /// Whoever has the keys of a chain.
    liars: BTreeMap<usize, Arc<Captured>>,
    /// Those of the relay chain.
    word: Option<Arc<Word>>,
    series: Vec<Digest>,
    seen: Vec<Seen>,
    random: StdRng,
    carried: Arc<AtomicUsize>,
    rotated: Arc<AtomicUsize>,
    /// Votes, loads and whoever else runs beside the agents.
    others: Vec<Task>,
}

async fn run(world: World, plan: FusionPlan) -> Result<FusionOutcome, Broken> {
    let text = |error: yulian_engine::Fatal| error.to_string();
    let place = |chain: usize| Place {
        genesis: genesis(chain, plan.epoch_length),
        ahead_ms: plan.chains_ahead_ms[chain],
    };
    let runtime = world.runtime();
    let places = (0..CHAINS).map(place).collect();
    let alone = [genesis(CAPTURED, 0), genesis(PHANTOM, 0)];
    let net = Arc::new(Net::new(world.runtime(), places, alone));
    let mut machines = Machines::new(world, net.clone(), plan.clone()).await.map_err(text)?;
    for machine in 0..MACHINES {
        machines.start(machine).await.map_err(text)?;
    }
    let series = setup::build(&net, plan.seed).await?;
    let agent = |_| Agent {
        task: None,
        cursors: Cursors::default(),
    };
    let mut play = Play {
        machines,
        liars: BTreeMap::new(),
        word: None,
        series,
        net,
        runtime,
        agents: (0..AGENTS).map(agent).collect(),
        seen: vec![Seen::default(); CHAINS],
        random: StdRng::seed_from_u64(plan.seed ^ 0x9e37_79b9_7f4a_7c15),
        plan,
        carried: Arc::default(),
        rotated: Arc::default(),
        others: vec![],
    };
    play.begin();
    play.busy().await?;
    play.settle().await?;
    let (heights, tally) = play.judge()?;
    Ok(FusionOutcome {
        heights,
        tally,
        carried: play.carried.load(Relaxed),
        claims: play.liars.values().map(|liar| liar.claims.load(Relaxed)).sum(),
        lies: play.word.as_ref().map_or(0, |word| word.lies.load(Relaxed)),
        rotated: play.rotated.load(Relaxed),
        fingerprint: play.machines.world.fingerprint(),
    })
}

impl Play {
    fn fork(&mut self) -> StdRng {
        StdRng::seed_from_u64(self.random.random())
    }

    /// Agents, load and liars.
    fn begin(&mut self) {
        (0..AGENTS).for_each(|agent| self.restart(agent, 0));
        for who in (1..=CITIES).flat_map(|city| (0..HOLDERS).map(move |holder| (city, holder))) {
            let load = load::run(self.net.clone(), who, self.series.clone(), self.fork());
            self.others.push(self.runtime.start("load", load));
        }
        let tricks = tricks::run(self.net.clone(), self.fork());
        self.others.push(self.runtime.start("tricks", tricks));
        let hurry = tricks::hurry(self.net.clone(), self.fork());
        self.others.push(self.runtime.start("hurry", hurry));
        self.steal(CAPTURED, Keys::All);
    }

    /// From now on others sign for a chain, or try to.
    fn steal(&mut self, chain: usize, keys: Keys) {
        let liar = Arc::new(Captured::new(self.net.clone(), (chain, keys), &self.series));
        self.liars.insert(chain, liar.clone());
        let random = self.fork();
        if chain == HUB {
            let word = Arc::new(Word::new(self.net.clone(), liar.clone(), &self.series));
            self.word = Some(word.clone());
            let random = self.fork();
            let lies = async move { word.run(random).await };
            self.others.push(self.runtime.start("word", lies));
        }
        let lies = async move { liar.run(random).await };
        self.others.push(self.runtime.start("captured", lies));
    }

    /// An agent starts from the cursor that it wrote `stale` writes ago.
    fn restart(&mut self, agent: usize, stale: usize) {
        let seed = self.random.random();
        let Agent { task, cursors } = &mut self.agents[agent];
        if task.is_some() {
            return;
        }
        let from = {
            let written = cursors.lock().expect("cursors");
            let at = written.len().checked_sub(1 + stale);
            at.map_or(vec![0; CHAINS], |at| written[at].clone())
        };
        let run = carrier::run(
            self.net.clone(),
            (agent, seed),
            from,
            cursors.clone(),
            self.carried.clone(),
        );
        *task = Some(self.runtime.start("agent", run));
    }

    fn kill(&mut self, agent: usize) {
        if let Some(task) = self.agents[agent].task.take() {
            task.stop();
        }
    }

    async fn busy(&mut self) -> Result<(), Broken> {
        let base = self.runtime.now_ms();
        let acts = self.plan.acts.clone();
        let mut acts = acts.into_iter().peekable();
        while self.runtime.now_ms() - base < self.plan.quiet_from_ms {
            let now = self.runtime.now_ms() - base;
            while let Some((_, act)) = acts.next_if(|(at, _)| *at <= now) {
                self.act(act).await?;
            }
            self.net.pause(STEP_MS).await;
        }
        Ok(())
    }

    async fn act(&mut self, act: FusionAct) -> Result<(), Broken> {
        let text = |error: yulian_engine::Fatal| error.to_string();
        match act {
            FusionAct::Crash(machines) => {
                self.look()?;
                self.machines.crash(&machines).await;
            }
            FusionAct::Start(machines) => {
                for machine in machines {
                    self.machines.start(machine).await.map_err(text)?;
                }
            }
            FusionAct::Split(side) => self.machines.split(&side).await,
            FusionAct::Heal => self.machines.heal().await.map_err(text)?,
            FusionAct::Pause(chain) => self.machines.pause(chain, true),
            FusionAct::Resume(chain) => self.machines.pause(chain, false),
            FusionAct::Kill(agent) => self.kill(agent),
            FusionAct::Restart { agent, stale } => self.restart(agent, stale),
            FusionAct::Rotate(chain) => self.rotate(chain),
            FusionAct::Close { from, to } => self.close(from, to),
            FusionAct::End { at, other } => self.end(at, other),
            FusionAct::Fork { by, at } => {
                if let Some(liar) = self.liars.get(&by).cloned() {
                    let seed = self.random.random();
                    let fork = async move { liar.fork(at, seed).await };
                    self.others.push(self.runtime.start("fork", fork));
                }
            }
            FusionAct::Steal(chain) => self.steal(chain, Keys::All),
            FusionAct::StealFew(chain) => self.steal(chain, Keys::Few),
            FusionAct::Freeze { from, to, lasts_ms } => self.freeze(from, to, lasts_ms),
            FusionAct::Fill(chain) => self.machines.fill(chain, true),
            FusionAct::Widen(chain) => self.machines.fill(chain, false),
        }
        Ok(())
    }

    fn rotate(&mut self, chain: usize) {
        let (net, mut random, rotated) = (self.net.clone(), self.fork(), self.rotated.clone());
        let keeps = self.plan.byzantine.map(|(machine, ..)| machine);
        let votes = async move {
            for _ in 0..ROTATIONS {
                if rotate(&net, &mut random, chain, keeps).await {
                    rotated.fetch_add(1, Relaxed);
                }
            }
        };
        self.others.push(self.runtime.start("rotate", votes));
    }

    fn close(&mut self, from: usize, to: usize) {
        let (net, mut random) = (self.net.clone(), self.fork());
        let vote = async move {
            let closed = setup::route(&net, Some(from), Some(to), true);
            carry_on(&net, &mut random, HUB, KIND_SET_ROUTE, &closed).await;
        };
        self.others.push(self.runtime.start("close", vote));
    }

    fn freeze(&mut self, from: Option<usize>, to: Option<usize>, lasts_ms: Option<u64>) {
        let (net, mut random) = (self.net.clone(), self.fork());
        let freeze = async move {
            let way = frozen(&net, from, to);
            let (key, arguments) = (regulator_key(), encode(&way));
            let call = net.call(&mut random, (HUB, &key), "link.freeze", arguments, FREEZE_PATIENCE_MS);
            call.await;
            if let Some(ms) = lasts_ms {
                net.pause(ms).await;
                carry_on(&net, &mut random, HUB, KIND_LIFT_FREEZE, &way).await;
            }
        };
        self.others.push(self.runtime.start("freeze", freeze));
    }

    fn end(&mut self, at: usize, other: usize) {
        let (net, mut random) = (self.net.clone(), self.fork());
        let vote = async move {
            let chain_id = net.id_bytes(other);
            carry_on(&net, &mut random, at, KIND_END_LINK, &EndLink { chain_id }).await;
        };
        self.others.push(self.runtime.start("end", vote));
    }

    /// Compares the ledgers of all honest nodes with everything seen so far.
    fn look(&mut self) -> Result<(), Broken> {
        for chain in 0..CHAINS {
            for running in self.net.nodes(chain) {
                if let Some(reason) = running.node.watch_stopped().borrow().clone() {
                    return Err(format!(
                        "STOPPED: chain {chain} on machine {}: {reason}",
                        running.machine
                    ));
                }
                let seen = self.seen[chain].compare(running.machine, &running.node);
                seen.map_err(|broken| format!("chain {chain}: {broken}"))?;
            }
        }
        Ok(())
    }

    /// After the plan: links healed, every machine up, no chain paused, agents at work until nothing is left.
    async fn settle(&mut self) -> Result<(), Broken> {
        self.net.quiet.store(true, Relaxed);
        self.machines.heal().await.map_err(|error| error.to_string())?;
        for machine in 0..MACHINES {
            self.machines.start(machine).await.map_err(|error| error.to_string())?;
        }
        (0..CHAINS).for_each(|chain| self.machines.pause(chain, false));
        let base = self.runtime.now_ms();
        let (mut anew, mut still, mut relented) = (base, None, false);
        while self.runtime.now_ms() < base + SETTLE_MS {
            let now = self.runtime.now_ms();
            if now >= anew {
                for agent in 0..AGENTS {
                    self.kill(agent);
                    self.restart(agent, 0);
                }
                self.leave().await;
                anew = now + ANEW_MS;
            }
            if !relented && now >= base + RELENT_MS {
                relented = true;
                self.relent();
            }
            self.net.pause(200).await;
            match (self.open().is_empty() && self.level(), still) {
                (true, None) => still = Some(now),
                (true, Some(since)) if now >= since + STILL_MS => return self.look(),
                (true, Some(_)) => {}
                (false, _) => still = None,
            }
        }
        self.look()?;
        Err(format!(
            "NO PROGRESS: {SETTLE_MS} ms after healing, at {}, these are open: {:?}; {}",
            self.net.now_ms(HUB),
            self.open(),
            self.heights()
        ))
    }

    /// All ways are open again, and no chain is full.
    fn relent(&mut self) {
        (0..CHAINS).for_each(|chain| self.machines.fill(chain, false));
        for (_, act) in self.plan.acts.clone() {
            let (net, mut random) = (self.net.clone(), self.fork());
            let vote = async move {
                match act {
                    FusionAct::Freeze { from, to, .. } => {
                        let way = frozen(&net, from, to);
                        carry_on(&net, &mut random, HUB, KIND_LIFT_FREEZE, &way).await;
                    }
                    FusionAct::Close { from, to } => {
                        let open = setup::route(&net, Some(from), Some(to), false);
                        carry_on(&net, &mut random, HUB, KIND_SET_ROUTE, &open).await;
                    }
                    _ => {}
                }
            };
            self.others.push(self.runtime.start("relent", vote));
        }
    }

    /// What a chain sent to one whose light client is frozen, or that has left, ends by vote too.
    async fn leave(&mut self) {
        for (at, other) in (0..CHAINS).flat_map(|at| (0..=CHAINS).map(move |other| (at, other))) {
            let frozen = self.status(at, other).await == Some(LINK_FROZEN);
            let left = other < CHAINS && self.status(other, at).await == Some(LINK_ENDED);
            if frozen || left && self.status(at, other).await == Some(LINK_ACTIVE) {
                self.end(at, other);
            }
        }
    }

    /// Status of the light client that a chain keeps of another.
    async fn status(&mut self, at: usize, other: usize) -> Option<u32> {
        let key = StateKey::link_client(&self.net.id(other));
        let mut random = self.fork();
        let client: Option<LinkClient> = self.net.record(&mut random, at, &key).await;
        client.map(|client| client.status)
    }

    /// Packets that have not ended, as one node of each chain has them.
    fn open(&self) -> Vec<String> {
        let of = |chain: usize| match self.net.nodes(chain).first() {
            Some(node) => {
                let open = oracle::open(&node.kv).into_iter();
                open.map(|packet| format!("at chain {chain}: {packet}")).collect()
            }
            None => vec![format!("chain {chain} has no node")],
        };
        (0..CHAINS).flat_map(of).collect()
    }

    /// Whether all nodes of each chain stand at one height.
    fn level(&self) -> bool {
        (0..CHAINS).all(|chain| {
            let nodes = self.net.nodes(chain);
            let tips: BTreeSet<u64> = nodes.iter().map(|node| node.node.ledger().tip().height).collect();
            let faults = (0..MACHINES).filter(|machine| self.plan.fault(*machine, chain).is_some());
            tips.len() == 1 && nodes.len() + faults.count() == MACHINES
        })
    }

    fn heights(&self) -> String {
        let tips = |chain: usize| {
            let nodes = self.net.nodes(chain);
            nodes
                .iter()
                .map(|node| (node.machine, node.node.ledger().tip().height))
                .collect::<Vec<_>>()
        };
        (0..CHAINS)
            .map(|chain| format!("chain {chain}: {:?}; ", tips(chain)))
            .collect()
    }

    /// Who took two final headers of one height, and whose.
    fn forked(&self) -> Vec<(Digest, Digest)> {
        let of = |(by, liar): (&usize, &Arc<Captured>)| {
            let taken = liar.forked.lock().expect("chains").clone();
            let by = self.net.id(*by);
            taken
                .into_iter()
                .map(move |at| (self.net.id(at), by))
                .collect::<Vec<_>>()
        };
        self.liars.iter().flat_map(of).collect()
    }

    /// Asks the oracle.
    fn judge(&self) -> Result<(Vec<u64>, oracle::Tally), Broken> {
        let mut chains = Vec::new();
        for chain in 0..CHAINS {
            let nodes = self.net.nodes(chain);
            for running in &nodes {
                check::transactions(&running.node, &self.net.book(chain))?;
                check::receipts(&running.node)?;
            }
            let first = nodes.first().ok_or("no node is up")?;
            chains.push(oracle::Told::read(self.net.id(chain), first)?);
        }
        let heights = chains.iter().map(oracle::Told::height).collect();
        let alone = [CAPTURED, PHANTOM].into_iter();
        let liars = alone
            .chain(self.plan.stolen())
            .map(|chain| self.net.id(chain))
            .collect();
        oracle::forked(&chains, &self.forked())?;
        let tally = oracle::judge(&chains, &liars, &self.series)?;
        Ok((heights, tally))
    }
}

/// A way that the regulator freezes.
fn frozen(net: &Net, from: Option<usize>, to: Option<usize>) -> Freeze {
    let route = setup::route(net, from, to, true);
    Freeze {
        source: route.source,
        destination: route.destination,
        reason: "监管要求".into(),
    }
}
