//! Agents that carry between the chains: the decisions are those of the relay agent's [`Board`], the rest is the simulation's own.
//!
//! An agent is one task and may be dropped between any two steps. What it had written of its cursor is all that is left then.

use super::{
    keys::{CAPTURED, CHAINS, HUB, carrier_key},
    net::Net,
    proof::{Proven, Session, answer},
};
use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _, join_all};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};
use yulian_agents::relay::{Board, Event, PacketKey, Stage, Step};
use yulian_types::{
    Digest, SealedPacket, StateKey, encode,
    packet::{CARRY_ACKNOWLEDGE, CARRY_GIVE_UP, CARRY_RECEIVE, CARRY_RELAY, CARRY_SKIP, CARRY_TIME_OUT},
    proto::{Carry, CarryItem, InCursor, LinkClient, PacketRef},
    state_keys::LINK_ENDED,
};

/// Most steps of one transaction.
const STEPS_MAX: usize = 6;
/// Most numbers of an ordered sequence that are skipped at a time.
const SKIPS_MAX: u64 = 8;
/// How long the result of a transaction is waited for, ms.
const PATIENCE_MS: u64 = 6_000;
/// How often an agent looks for something new, ms.
const LOOK_EVERY_MS: u64 = 60;
/// How often it writes its cursor, ms.
const WRITE_EVERY_MS: u64 = 700;
/// How often it looks for late packets of chains that stand still, ms.
const TICK_EVERY_MS: u64 = 1_500;
/// How often it looks which links were ended, ms.
const KEEP_EVERY_MS: u64 = 2_500;

/// What an agent wrote to its disk, one entry for each time: the height of each chain up to which all is done.
pub(crate) type Cursors = Arc<Mutex<Vec<Vec<u64>>>>;

struct Carrier {
    net: Arc<Net>,
    number: usize,
    board: Mutex<Board>,
    followed: Mutex<Vec<u64>>,
    cursors: Cursors,
    carried: Arc<AtomicUsize>,
}

/// Carries until it is dropped, from cursors on. `carried` counts what was taken.
pub(crate) async fn run(
    net: Arc<Net>,
    (number, seed): (usize, u64),
    from: Vec<u64>,
    cursors: Cursors,
    carried: Arc<AtomicUsize>,
) {
    let ids: BTreeSet<Digest> = (0..CHAINS).map(|chain| net.id(chain)).collect();
    let carrier = Carrier {
        board: Mutex::new(Board::new(net.id(HUB), ids)),
        net,
        number,
        followed: Mutex::new(from),
        cursors,
        carried,
    };
    let mut random = StdRng::seed_from_u64(seed);
    let mut fork = || StdRng::seed_from_u64(random.random());
    let mut parts: Vec<BoxFuture<'_, ()>> = vec![
        carrier.write().boxed(),
        carrier.tick(fork()).boxed(),
        carrier.keep(fork()).boxed(),
    ];
    for chain in 0..CHAINS {
        parts.push(carrier.follow(fork(), chain).boxed());
        parts.push(carrier.lane(fork(), chain).boxed());
    }
    join_all(parts).await;
}

/// What came of a step.
enum Prepared {
    Items(Vec<CarryItem>),
    /// It cannot be proven yet, or it is not its turn.
    Wait,
    /// Somebody has done it: the state after this height says so.
    Moved(Event, u64),
    /// The packet has ended.
    Ended,
}

/// For each ordered sequence: the number that is next after the items so far.
type Turns = BTreeMap<(Digest, String), u64>;

impl Carrier {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().expect("the board")
    }

    /// The agent's own clock, whatever those of the chains say.
    fn now_ms(&self) -> u64 {
        self.net.now_ms(CAPTURED)
    }

    async fn follow(&self, mut random: StdRng, chain: usize) {
        let (id, hub) = (self.net.id(chain), self.net.id(HUB));
        loop {
            let after = self.followed.lock().expect("heights")[chain];
            for block in self.net.blocks(&mut random, chain, after) {
                let mut board = self.board();
                for event in &block.events {
                    let (Some(event), Some(key)) = (Event::parse(&event.name), PacketKey::parse(&event.data)) else {
                        continue;
                    };
                    let own = match event {
                        Event::Sent | Event::Ended => key.source == id,
                        Event::Received => key.destination == id,
                        Event::Relayed => id == hub,
                    };
                    if own {
                        board.note(event, key, block.height, false);
                    }
                }
                board.advanced(&id, block.height, block.time_ms);
                drop(board);
                self.followed.lock().expect("heights")[chain] = block.height;
            }
            self.net
                .pause(random.random_range(LOOK_EVERY_MS / 2..LOOK_EVERY_MS))
                .await;
        }
    }

    async fn write(&self) {
        loop {
            self.net.pause(WRITE_EVERY_MS).await;
            let followed = self.followed.lock().expect("heights").clone();
            let board = self.board();
            let done = |(chain, height): (usize, &u64)| board.done_up_to(&self.net.id(chain), *height);
            let done = followed.iter().enumerate().map(done).collect();
            self.cursors.lock().expect("cursors").push(done);
        }
    }

    async fn tick(&self, mut random: StdRng) {
        loop {
            self.net.pause(TICK_EVERY_MS).await;
            for chain in 0..CHAINS {
                let wanted = self.board().to_tick(self.now_ms()).contains(&self.net.id(chain));
                if wanted {
                    let key = carrier_key(self.number);
                    let tick = self
                        .net
                        .call(&mut random, (chain, &key), "link.tick", Bytes::new(), PATIENCE_MS);
                    tick.await;
                }
            }
        }
    }

    /// Which links were ended: packets over them are given up.
    async fn keep(&self, mut random: StdRng) {
        loop {
            for chain in 0..CHAINS {
                let mut left = BTreeSet::new();
                for other in (0..=CHAINS).filter(|other| *other != chain) {
                    let id = self.net.id(other);
                    let key = StateKey::link_client(&id);
                    let client: Option<LinkClient> = self.net.record(&mut random, chain, &key).await;
                    if client.is_some_and(|client| client.status == LINK_ENDED) {
                        left.insert(id);
                    }
                }
                self.board().set_left(&self.net.id(chain), left);
            }
            self.net.pause(KEEP_EVERY_MS).await;
        }
    }

    async fn lane(&self, mut random: StdRng, at: usize) {
        loop {
            let most = random.random_range(1..=STEPS_MAX);
            let steps = self.board().take(&self.net.id(at), self.now_ms(), most);
            if steps.is_empty() {
                self.net
                    .pause(random.random_range(LOOK_EVERY_MS / 2..LOOK_EVERY_MS))
                    .await;
                continue;
            }
            let sequences: Vec<_> = steps.iter().filter_map(Step::sequence).collect();
            self.bring(&mut random, at, steps).await;
            let mut board = self.board();
            sequences
                .iter()
                .for_each(|sequence| board.open(&self.net.id(at), sequence));
        }
    }

    async fn bring(&self, random: &mut StdRng, at: usize, steps: Vec<Step>) {
        let now = || self.now_ms();
        let mut session = Session::new(&self.net, at);
        let mut turns = Turns::new();
        let mut places = Vec::new();
        let mut items = Vec::new();
        for step in steps {
            self.net.moment(random).await;
            let prepared = self.prepare(random, &mut session, &mut turns, &step).await;
            let (key, stage) = (&step.packet, step.stage);
            match prepared {
                Prepared::Items(new) => {
                    places.extend(new.iter().map(|item| (key.clone(), stage, item.kind)));
                    items.extend(new);
                }
                Prepared::Wait => self.board().waited(key, stage, now()),
                Prepared::Moved(event, height) => self.board().note(event, key.clone(), height, false),
                Prepared::Ended => self.board().forget(key),
            }
        }
        if items.is_empty() {
            return;
        }
        let updates = session.into_updates();
        let carry = Carry { updates, items };
        self.net.carried.lock().expect("carried").push((at, carry.clone()));
        self.net.moment(random).await;
        let key = carrier_key(self.number);
        let receipt = self
            .net
            .call(random, (at, &key), "link.carry", encode(&carry), PATIENCE_MS)
            .await;
        self.net.moment(random).await;
        if receipt.is_none() || places.iter().any(|(_, stage, _)| stage.is_new()) {
            // Nobody took it: that may be because of what is new in it.
            self.board().set_apart(&self.net.id(at), receipt.is_none());
        }
        let codes = receipt.as_ref().and_then(answer).map(|answer| answer.items);
        let codes = codes.unwrap_or_else(|| vec![receipt.map_or("unknown".into(), |r| r.code); places.len()]);
        let mut board = self.board();
        for ((key, stage, kind), code) in places.iter().zip(&codes) {
            let elsewhere = ["link.already_relayed", "link.already_received", "link.not_pending"];
            match (code.is_empty() || elsewhere.contains(&code.as_str()), *kind) {
                // What was skipped is no event of the packet that waits behind it.
                (true, CARRY_SKIP) => board.waited(key, *stage, now()),
                (true, _) => board.submitted(key, *stage, now()),
                (false, _) => board.failed(key, *stage, now()),
            }
        }
        let taken = codes.iter().filter(|code| code.is_empty()).count();
        self.carried.fetch_add(taken, Relaxed);
    }

    async fn prepare(
        &self,
        random: &mut StdRng,
        session: &mut Session<'_>,
        turns: &mut Turns,
        step: &Step,
    ) -> Prepared {
        let key = &step.packet;
        let Some(source) = self.net.place(&key.source) else {
            return Prepared::Ended;
        };
        let packet = match self.read(random, source, step).await {
            Ok(packet) => packet,
            Err(other) => return other,
        };
        let timeout_ms = packet.message.timeout_ms;
        self.board().set_read(key, &Arc::new(packet.clone()));
        let destination = self.net.place(&key.destination).unwrap_or(CHAINS);
        let made = match step.stage {
            Stage::Relay => {
                if let Some(height) = self.stands(random, HUB, &packet.relayed_key()).await {
                    return Prepared::Moved(Event::Relayed, height);
                }
                let sent = session.prove(random, source, &packet.sent_key(), step.sent).await;
                sent.filter(|sent| sent.value.is_some())
                    .map(|sent| item(CARRY_RELAY, &packet, sent))
            }
            Stage::Receive => {
                return self
                    .receive(random, session, turns, (step, source, destination), &packet)
                    .await;
            }
            Stage::Acknowledge => {
                let result = session
                    .prove(random, destination, &packet.result_key(), step.received)
                    .await;
                result.and_then(|result| {
                    let record = result.value.clone()?;
                    let item = item(CARRY_ACKNOWLEDGE, &packet, result);
                    Some(CarryItem { record, ..item })
                })
            }
            Stage::GiveUp => Some(CarryItem {
                kind: CARRY_GIVE_UP,
                packet: packet.bytes.clone(),
                ..Default::default()
            }),
            Stage::TimeOut => {
                if let Some(height) = self.stands(random, destination, &packet.result_key()).await {
                    return Prepared::Moved(Event::Received, height);
                }
                let nothing = session.prove(random, destination, &packet.result_key(), 0).await;
                nothing
                    .filter(|proven| proven.time_ms >= timeout_ms && proven.value.is_none())
                    .map(|proven| item(CARRY_TIME_OUT, &packet, proven))
            }
        };
        made.map_or(Prepared::Wait, |item| Prepared::Items(vec![item]))
    }

    async fn read(&self, random: &mut StdRng, source: usize, step: &Step) -> Result<SealedPacket, Prepared> {
        let key = &step.packet;
        let sent = StateKey::packet_sent(&key.destination, &key.module, key.sequence);
        let node = self.net.node(random, source).ok_or(Prepared::Wait)?;
        let view = self.net.state(&node, &sent, None).await.ok_or(Prepared::Wait)?;
        self.board().advanced(&key.source, view.height + 1, 0);
        let packet = view.value.and_then(|value| SealedPacket::decode(value.0).ok());
        packet.ok_or(if view.height < step.sent {
            Prepared::Wait
        } else {
            Prepared::Ended
        })
    }

    /// The height after which a chain's state has a record, if it has.
    async fn stands(&self, random: &mut StdRng, at: usize, key: &StateKey) -> Option<u64> {
        self.net.moment(random).await;
        let node = self.net.node(random, at)?;
        let view = self.net.state(&node, key, None).await?;
        // The answer brings the header that proves it.
        self.board().advanced(&self.net.id(at), view.height + 1, 0);
        view.value_hash.map(|_| view.height)
    }

    async fn receive(
        &self,
        random: &mut StdRng,
        session: &mut Session<'_>,
        turns: &mut Turns,
        (step, source, destination): (&Step, usize, usize),
        packet: &SealedPacket,
    ) -> Prepared {
        if let Some(height) = self.stands(random, destination, &packet.result_key()).await {
            return Prepared::Moved(Event::Received, height);
        }
        let mut items = Vec::new();
        let (ordered, sequence) = (packet.message.ordered, packet.message.sequence);
        if ordered
            && self
                .skips(random, session, turns, (source, destination, packet), &mut items)
                .await
                != sequence
        {
            return some(items);
        }
        let sent = session.prove(random, source, &packet.sent_key(), step.sent).await;
        let Some(sent) = sent.filter(|sent| sent.value.is_some()) else {
            return some(items);
        };
        let mut taken = item(CARRY_RECEIVE, packet, sent);
        if step.relayed > 0 {
            let word = session.prove(random, HUB, &packet.relayed_key(), step.relayed).await;
            let Some(Proven {
                value: Some(record),
                proof,
                ..
            }) = word
            else {
                return some(items);
            };
            taken.record = record;
            taken.relay = Some(proof);
        }
        if ordered {
            turns.insert((packet.source, packet.message.module.clone()), sequence + 1);
        }
        items.push(taken);
        Prepared::Items(items)
    }

    /// Adds what makes the destination pass over numbers that have ended at the source. The number that is next then.
    async fn skips(
        &self,
        random: &mut StdRng,
        session: &mut Session<'_>,
        turns: &mut Turns,
        (source, destination, packet): (usize, usize, &SealedPacket),
        items: &mut Vec<CarryItem>,
    ) -> u64 {
        let module = &packet.message.module;
        let turn = (packet.source, module.clone());
        let mut next = match turns.get(&turn) {
            Some(next) => *next,
            None => {
                let key = StateKey::in_cursor(&packet.source, module);
                let cursor: Option<InCursor> = self.net.record(random, destination, &key).await;
                cursor.map_or(1, |cursor| cursor.next)
            }
        };
        let most = next + SKIPS_MAX;
        while next < packet.message.sequence.min(most) {
            let key = StateKey::packet_ended(&packet.destination, module, next);
            let Some(Proven {
                value: Some(record),
                proof,
                ..
            }) = session.prove(random, source, &key, 0).await
            else {
                break;
            };
            let skipped = PacketRef {
                chain: packet.source.to_vec().into(),
                module: module.clone(),
                sequence: next,
            };
            items.push(CarryItem {
                kind: CARRY_SKIP,
                packet: encode(&skipped),
                record,
                proof: Some(proof),
                ..Default::default()
            });
            next += 1;
        }
        if !items.is_empty() {
            turns.insert(turn, next);
        }
        next
    }
}

/// What there is, or nothing yet: numbers that are skipped count without the packet that waits behind them.
fn some(items: Vec<CarryItem>) -> Prepared {
    match items.is_empty() {
        true => Prepared::Wait,
        false => Prepared::Items(items),
    }
}

fn item(kind: u32, packet: &SealedPacket, proven: Proven) -> CarryItem {
    CarryItem {
        kind,
        packet: packet.bytes.clone(),
        proof: Some(proven.proof),
        ..Default::default()
    }
}
