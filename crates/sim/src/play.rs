//! Playing a plan.

use crate::{
    check::{self, Broken, Seen},
    client::{Book, Maker, Received, Sent, ask},
    cluster::Cluster,
    keys::{CLIENTS, MACHINES, genesis},
    plan::{Act, CLIENT_PAUSE_MS, Plan},
};
use futures::{StreamExt, stream::FuturesUnordered};
use prost::Message as _;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{collections::BTreeSet, future::Future, pin::Pin, sync::Arc, time::Duration};
use yulian_engine::{
    Runtime as _,
    simulated::{self, Disks, World},
};
use yulian_types::{Digest, SealedGenesis, proto};

/// A client asks another node when no answer came for this long, ms.
const ASK_AGAIN_MS: u64 = 2_500;
/// Virtual time that the cluster gets to answer everything after the plan has ended, ms.
const SETTLE_MS: u64 = 60_000;
/// Virtual time after which a simulation has hung.
const LIMIT: Duration = Duration::from_secs(600);
const STEP_MS: u64 = 20;

/// What a simulation came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Height that every live node reached.
    pub height: u64,
    /// Transactions in the chain.
    pub transactions: usize,
    /// Final results that clients received.
    pub answered: usize,
    /// Validator changes that votes carried.
    pub changes: usize,
    /// Nodes that came by a snapshot.
    pub joined: usize,
    /// Equal for two runs only if everything happened alike.
    pub fingerprint: String,
}

/// What the harness keeps over a loss of power.
struct Carry {
    up: BTreeSet<usize>,
    lives: u64,
    maker: Maker,
    book: Book,
    seen: Seen,
    changes: usize,
    random: StdRng,
}

/// Plays a plan to its end; `Err` says which rule did not hold.
pub fn play(plan: &Plan) -> Result<Outcome, Broken> {
    let genesis = genesis(plan.validators, plan.epoch_length);
    let mut carry = Carry {
        up: (0..MACHINES).filter(|machine| !plan.late.contains(machine)).collect(),
        lives: 0,
        maker: Maker::new(genesis.chain_id),
        book: Book::new(),
        seen: Seen::default(),
        changes: 0,
        random: StdRng::seed_from_u64(plan.seed ^ 0x9e37_79b9_7f4a_7c15),
    };
    let mut disks: Option<Disks> = None;
    let mut begin = 0;
    let losses = plan
        .acts
        .iter()
        .filter(|(_, act)| *act == Act::PowerLoss)
        .map(|(at, _)| *at);
    let ends: Vec<Option<u64>> = losses.map(Some).chain([None]).collect();
    let mut outcome = None;
    for end in ends {
        let phase = |world| phase(world, plan.clone(), genesis.clone(), carry, begin, end);
        let (result, after) = simulated::run(plan.seed, disks, LIMIT, phase);
        (carry, outcome) = result?;
        disks = Some(after);
        begin = end.unwrap_or(begin);
    }
    outcome.ok_or_else(|| "the last phase has an outcome".into())
}

type Answers<'a> = FuturesUnordered<Pin<Box<dyn Future<Output = (Digest, Option<Received>)> + Send + 'a>>>;

/// One phase: from the start or a loss of power to the next loss of power or the end.
struct Phase {
    cluster: Cluster,
    carry: Carry,
    plan: Plan,
    answers: Answers<'static>,
    /// Transactions on their way to a client's answer.
    asked: BTreeSet<Digest>,
    /// What each client waits for before it sends the next, and when it may.
    clients: Vec<(Option<Digest>, u64)>,
    /// Votes under way: the validators to change, the open step.
    change: Option<Change>,
}

/// A vote under way.
struct Change {
    old: usize,
    new: usize,
    proposal: Option<u64>,
    /// Organisation that acts next.
    next: usize,
    waiting: Option<Digest>,
}

async fn phase(
    world: World,
    plan: Plan,
    genesis: Arc<SealedGenesis>,
    carry: Carry,
    begin: u64,
    end: Option<u64>,
) -> Result<(Carry, Option<Outcome>), Broken> {
    let base = world.now_ms() - begin;
    let mut cluster = Cluster::new(world, genesis, plan.clone(), carry.lives)
        .await
        .map_err(|e| e.to_string())?;
    for machine in carry.up.clone() {
        cluster.start(machine).await.map_err(|e| e.to_string())?;
    }
    let clients = vec![(None, 0); CLIENTS];
    let mut phase = Phase {
        cluster,
        carry,
        plan,
        answers: Answers::new(),
        asked: BTreeSet::new(),
        clients,
        change: None,
    };
    phase.run(base, begin, end).await?;
    if end.is_some() {
        // The power fails here: nothing is told to the nodes.
        phase.look()?;
        phase.carry.up = phase.cluster.up();
        phase.carry.lives = phase.cluster.started();
        return Ok((phase.carry, None));
    }
    let outcome = phase.settle(base).await?;
    Ok((phase.carry, Some(outcome)))
}

impl Phase {
    fn now(&self, base: u64) -> u64 {
        self.cluster.world.now_ms() - base
    }

    async fn run(&mut self, base: u64, begin: u64, end: Option<u64>) -> Result<(), Broken> {
        let last = self
            .plan
            .acts
            .last()
            .map_or(0, |(at, _)| *at)
            .max(self.plan.quiet_from_ms);
        let stop = end.unwrap_or(last);
        let mut acts: Vec<(u64, Act)> = self
            .plan
            .acts
            .iter()
            .filter(|(at, _)| *at >= begin && *at < stop)
            .cloned()
            .collect();
        acts.sort_by_key(|(at, _)| *at);
        let mut acts = acts.into_iter().peekable();
        while self.now(base) < stop {
            let now = self.now(base);
            while let Some((_, act)) = acts.next_if(|(at, _)| *at <= now) {
                self.act(act).await?;
            }
            if now < self.plan.quiet_from_ms {
                self.send(now);
            }
            self.step().await;
        }
        Ok(())
    }

    async fn act(&mut self, act: Act) -> Result<(), Broken> {
        match act {
            Act::Crash(machine) => {
                self.look()?;
                self.cluster.crash(machine).await
            }
            Act::Start(machine) => self.cluster.start(machine).await.map_err(|e| e.to_string())?,
            Act::Split(side) => self.cluster.split(&side).await,
            Act::Heal => self.cluster.heal().await.map_err(|e| e.to_string())?,
            Act::Replace { old, new } => {
                if self.change.is_none() {
                    self.change = Some(Change {
                        old,
                        new,
                        proposal: None,
                        next: 0,
                        waiting: None,
                    });
                }
            }
            Act::PowerLoss => {}
        }
        Ok(())
    }

    /// Each client sends its next transaction once it was answered.
    fn send(&mut self, now: u64) {
        for client in 0..self.clients.len() {
            if self.clients[client].0.is_some_and(|id| self.open(&id)) || now < self.clients[client].1 {
                continue;
            }
            let (id, sent) = self.carry.maker.deposit(self.cluster.world.now_ms(), client);
            self.carry.book.insert(id, sent);
            self.clients[client] = (Some(id), now + CLIENT_PAUSE_MS);
        }
    }

    /// Not answered, and not too old to be answered.
    fn open(&self, id: &Digest) -> bool {
        let now = self.cluster.world.now_ms();
        self.carry
            .book
            .get(id)
            .is_some_and(|sent| sent.received.is_none() && now <= sent.valid_until_ms)
    }

    /// Asks for everything that is open, lets a little time pass, and takes what was answered.
    async fn step(&mut self) {
        self.drive_change();
        let open: Vec<(Digest, Sent)> = self
            .carry
            .book
            .iter()
            .filter(|(id, _)| self.open(id) && !self.asked.contains(*id))
            .map(|(id, sent)| (*id, sent.clone()))
            .collect();
        let nodes: Vec<_> = self.cluster.honest().into_values().collect();
        for (id, sent) in open.into_iter().filter(|_| !nodes.is_empty()) {
            let node = nodes[self.carry.random.random_range(0..nodes.len())].clone();
            let late = self.cluster.world.runtime().pause(Duration::from_millis(ASK_AGAIN_MS));
            self.asked.insert(id);
            self.answers.push(Box::pin(async move {
                let (answer, late) = (Box::pin(ask(node, sent.bytes)), Box::pin(late));
                match futures::future::select(answer, late).await {
                    futures::future::Either::Left((answer, late)) => {
                        if answer.is_none() {
                            late.await;
                        }
                        (id, answer)
                    }
                    futures::future::Either::Right(_) => (id, None),
                }
            }));
        }
        let pause = self.cluster.world.pause(Duration::from_millis(STEP_MS));
        futures::pin_mut!(pause);
        loop {
            let next = self.answers.next();
            match futures::future::select(next, &mut pause).await {
                futures::future::Either::Left((Some((id, received)), _)) => {
                    self.asked.remove(&id);
                    if let (Some(sent), Some(received)) = (self.carry.book.get_mut(&id), received) {
                        sent.received = Some(received);
                    }
                }
                futures::future::Either::Left((None, _)) => return (&mut pause).await,
                futures::future::Either::Right(_) => return,
            }
        }
    }

    /// Takes the next step of a vote: propose, then one organisation after the other, until it is carried.
    fn drive_change(&mut self) {
        let Some(mut change) = self.change.take() else { return };
        if let Some(id) = change.waiting {
            if self.open(&id) {
                self.change = Some(change);
                return;
            }
            let Some(receipt) = self.receipt(&id) else { return };
            if change.proposal.is_none() {
                // A refused proposal ends the attempt: the set may have moved on.
                let Ok(answer) = proto::ProposalId::decode(receipt.output.clone()) else {
                    return;
                };
                if receipt.status != 0 {
                    return;
                }
                change.proposal = Some(answer.proposal);
            }
            if receipt.events.iter().any(|event| event.name == "carried") {
                self.carry.changes += 1;
                return;
            }
            change.next += 1;
        }
        if change.next >= MACHINES {
            return;
        }
        let now = self.cluster.world.now_ms();
        let made = match change.proposal {
            Some(proposal) => self.carry.maker.vote(now, change.next, proposal),
            None => {
                let Some(recent) = self.recent_header() else { return };
                self.carry
                    .maker
                    .replace(now, change.next, change.old, change.new, recent)
            }
        };
        change.waiting = Some(made.0);
        self.carry.book.insert(made.0, made.1);
        self.change = Some(change);
    }

    fn receipt(&self, id: &Digest) -> Option<proto::Receipt> {
        let received = self.carry.book.get(id)?.received.as_ref()?;
        proto::Receipt::decode(received.receipt.clone()).ok()
    }

    fn recent_header(&self) -> Option<(u64, Digest)> {
        let running = self.cluster.honest().into_values().next()?;
        let tip = running.node.ledger().tip();
        (tip.height > 0).then_some((tip.height, tip.digest))
    }

    /// Compares the ledgers of all honest nodes with everything seen so far.
    fn look(&mut self) -> Result<(), Broken> {
        for (machine, running) in self.cluster.honest() {
            if let Some(reason) = running.node.watch_stopped().borrow().clone() {
                return Err(format!("STOPPED: machine {machine}: {reason}"));
            }
            self.carry.seen.compare(machine, &running.node)?;
        }
        Ok(())
    }

    /// After the plan: links healed, every machine up, everything answered, every node at the tip.
    async fn settle(&mut self, base: u64) -> Result<Outcome, Broken> {
        self.cluster.heal().await.map_err(|e| e.to_string())?;
        for machine in 0..MACHINES {
            self.cluster.start(machine).await.map_err(|e| e.to_string())?;
        }
        let (id, sent) = self.carry.maker.deposit(self.cluster.world.now_ms(), 0);
        self.carry.book.insert(id, sent);
        let deadline = self.now(base) + SETTLE_MS;
        while self.now(base) < deadline && !(self.quiet() && self.level().is_some()) {
            self.step().await;
        }
        self.look()?;
        let Some(height) = self.level() else {
            let tips: Vec<_> = self
                .cluster
                .honest()
                .iter()
                .map(|(n, r)| (*n, r.node.ledger().tip().height))
                .collect();
            return Err(format!("NO PROGRESS: heights {tips:?} {SETTLE_MS} ms after healing"));
        };
        if self.carry.book[&id].received.is_none() {
            return Err("NO PROGRESS: a transaction sent after healing was not answered".into());
        }
        let nodes = self.cluster.honest();
        let mut count = 0;
        for running in nodes.values() {
            count = count.max(check::transactions(&running.node, &self.carry.book)?);
            check::receipts(&running.node)?;
        }
        Ok(Outcome {
            height,
            transactions: count,
            answered: self.carry.book.values().filter(|sent| sent.received.is_some()).count(),
            changes: self.carry.changes,
            joined: nodes
                .values()
                .filter(|node| node.node.ledger().floor().is_some())
                .count(),
            fingerprint: self.cluster.world.fingerprint(),
        })
    }

    fn quiet(&self) -> bool {
        !self.carry.book.keys().any(|id| self.open(id))
    }

    /// The height of all honest nodes, once it is one.
    fn level(&self) -> Option<u64> {
        let tips: BTreeSet<u64> = self
            .cluster
            .honest()
            .values()
            .map(|r| r.node.ledger().tip().height)
            .collect();
        let expected = MACHINES - usize::from(self.plan.byzantine.is_some());
        (tips.len() == 1 && self.cluster.honest().len() == expected).then(|| tips.into_iter().next())?
    }
}
