//! Judges what several chains came to. Knows their blocks, receipts and state records as bytes and `docs/cross-chain.md`, and calls
//! nothing of the code that made them.

mod books;
mod told;
mod ways;

pub(crate) use told::Told;
pub(super) use told::open;

use self::{
    books::Books,
    told::{Happened, Key, LINK, Moved},
    ways::Ways,
};
use crate::check::Broken;
use bytes::Bytes;
use prost::Message as _;
use std::collections::{BTreeMap, BTreeSet};
use yulian_crypto::sm3;
use yulian_types::{
    Digest,
    proto::{Deposit, Inquiry, InquiryAnswer, LinkClient, OutCursor, Packet, PacketEnd, PacketResult, PendingCount},
    tags,
};

/// Tables of `link`, docs/cross-chain.md section 3; the last one is the module's own count.
const TABLE_SENT: u8 = 1;
const TABLE_ENDED: u8 = 2;
const TABLE_RESULT: u8 = 3;
const TABLE_CLIENT: u8 = 6;
const TABLE_CURSOR: u8 = 7;
const TABLE_PENDING: u8 = 17;
/// How a packet ended.
const DONE: u32 = 1;
const FAILED: u32 = 2;
const TIMED_OUT: u32 = 3;
const GIVEN_UP: u32 = 4;
/// Status of a light client whose link was ended by vote.
const LINK_ENDED: u32 = 3;
const EVIDENCE: u32 = 1;

/// What the packets of a simulation came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Packets that chains sent.
    pub packets: usize,
    /// Those that were done.
    pub done: usize,
    /// Those that their destination refused.
    pub failed: usize,
    /// Those that were refunded because they came too late.
    pub timed_out: usize,
    /// Those that a vote ended.
    pub given_up: usize,
    /// Packets that liars made up for their own chains and that were taken: claims that a home chain released, vouchers of their own.
    pub released: usize,
    /// Those that were refused.
    pub refused: usize,
    /// Vouchers for which their destination had no room.
    pub full: usize,
    /// Packets that were refunded because their way was frozen, or late for another reason on such a way.
    pub stopped: usize,
    /// Packets that were relayed on a way that had been frozen before.
    pub resumed: usize,
    /// Questions whose answer was compared with what the chain asked had.
    pub answers: usize,
}

/// What is known of one packet.
#[derive(Default)]
struct Life {
    sent: usize,
    relayed: bool,
    received: Option<(Moved, PacketResult)>,
    ended: Vec<Bytes>,
    /// For a question: whether its subject was there when it was received.
    found: Option<bool>,
}

struct Judge<'a> {
    chains: BTreeMap<Digest, &'a Told>,
    hub: Digest,
    /// Chains whose validators' keys are in wrong hands.
    liars: &'a BTreeSet<Digest>,
    ways: Ways,
    lives: BTreeMap<Key, Life>,
    tally: Tally,
}

/// Judges everything. The first chain is the relay chain; whoever is among the liars may say of itself what it likes.
pub(crate) fn judge(chains: &[Told], liars: &BTreeSet<Digest>, series: &[Digest]) -> Result<Tally, Broken> {
    let mut judge = Judge {
        chains: chains.iter().map(|told| (told.id, told)).collect(),
        hub: chains.first().ok_or("there is no chain")?.id,
        liars,
        ways: Ways::default(),
        lives: BTreeMap::new(),
        tally: Tally::default(),
    };
    for told in chains {
        judge.gather(told)?;
    }
    judge.packets()?;
    for told in chains {
        judge.leftovers(told)?;
    }
    let mut books = Vec::new();
    for told in chains {
        let result = |key: &Key| judge.lives.get(key).and_then(|life| life.received.as_ref());
        let done = |key: &Key| result(key).is_some_and(|(_, result)| result.status == DONE);
        let end = |key: &Key| told.end(key).map(|end| end.status);
        books.push(Books::follow(told, done, end)?);
    }
    for (book, told) in books.iter().zip(chains) {
        book.compare(told)?;
    }
    judge.conserve(chains, &books, series)?;
    Ok(judge.tally)
}

impl Judge<'_> {
    /// Reads what a chain did, in its order.
    fn gather(&mut self, told: &Told) -> Result<(), Broken> {
        let mut deposits: BTreeSet<(Bytes, String)> = BTreeSet::new();
        let mut turns: BTreeMap<(Digest, String), u64> = BTreeMap::new();
        for happened in &told.happened {
            match happened {
                Happened::Sent(key) => self.lives.entry(key.clone()).or_default().sent += 1,
                Happened::Ended(moved) => {
                    let life = self.lives.entry(moved.key.clone()).or_default();
                    life.ended.push(moved.bytes.clone());
                }
                Happened::Received(moved) => {
                    if moved.packet.ordered {
                        let turn = turns.entry((moved.key.source, moved.key.module.clone())).or_default();
                        if *turn >= moved.key.sequence {
                            return Err(format!("ORDER: {} after {turn} at {}", moved.key, told.id));
                        }
                        *turn = moved.key.sequence;
                    }
                    let found = asked(&moved.packet).map(|subject| deposits.contains(&subject));
                    self.receive(told, moved, found)?;
                }
                Happened::Relayed(moved) => self.relay(moved)?,
                Happened::Called {
                    method,
                    arguments,
                    organisation,
                    ..
                } if method == "evidence.deposit" => {
                    let deposit = Deposit::decode(arguments.clone()).map_err(|e| e.to_string())?;
                    deposits.insert((deposit.digest, organisation.clone()));
                }
                Happened::Called {
                    method,
                    arguments,
                    output,
                    events,
                    ..
                } if told.id == self.hub => {
                    let carried = events.iter().any(|event| event == "carried");
                    self.ways.called(method, (arguments, output), carried)?;
                }
                Happened::Called { .. } | Happened::Voucher { .. } => {}
            }
        }
        Ok(())
    }

    fn relay(&mut self, moved: &Moved) -> Result<(), Broken> {
        self.ways.check(moved)?;
        if self.ways.was_frozen(&moved.key.source, &moved.key.destination) {
            self.tally.resumed += 1;
        }
        let life = self.lives.entry(moved.key.clone()).or_default();
        match std::mem::replace(&mut life.relayed, true) {
            false => Ok(()),
            true => Err(format!("TWICE: {} was relayed again", moved.key)),
        }
    }

    fn receive(&mut self, told: &Told, moved: &Moved, found: Option<bool>) -> Result<(), Broken> {
        let key = &moved.key;
        let result: PacketResult = told
            .record(LINK, TABLE_RESULT, &key.at_destination())
            .ok_or_else(|| format!("RESULT: {} was received and has none", moved.key))?;
        if (result.height, result.time_ms) != (moved.height, moved.time_ms) || result.packet[..] != digest(&moved.bytes)
        {
            return Err(format!("RESULT: that of {key} is not of the block or the packet"));
        }
        if result.status != TIMED_OUT && moved.time_ms >= moved.packet.timeout_ms {
            return Err(format!("LATE: {key} was taken at {}", moved.time_ms));
        }
        if result.code == "voucher.bad_amount" {
            self.tally.full += 1;
        }
        let life = self.lives.entry(key.clone()).or_default();
        if life.received.is_some() {
            return Err(format!("TWICE: {key} was received again at {}", moved.height));
        }
        life.found = found;
        life.received = Some((moved.clone(), result));
        Ok(())
    }

    /// Each packet was sent once and ended once, and both ends tell the same story.
    fn packets(&mut self) -> Result<(), Broken> {
        for (key, life) in &self.lives {
            self.passed(key, life)?;
            let own = self.chains.get(&key.source);
            let Some(source) = own.filter(|_| life.sent > 0 || !self.liars.contains(&key.source)) else {
                // Made up by liars: nobody owes them anything.
                match &life.received {
                    Some((_, result)) if result.status == DONE => self.tally.released += 1,
                    Some(_) => self.tally.refused += 1,
                    None => {}
                }
                continue;
            };
            if life.sent != 1 || life.ended.len() != 1 {
                let received = life.received.is_some();
                return Err(format!(
                    "ONCE: {key} was sent {} times, received {received}, ended {} times",
                    life.sent,
                    life.ended.len()
                ));
            }
            let end = source.end(key).ok_or_else(|| format!("END: {key} has none"))?;
            self.tally.packets += 1;
            match end.status {
                DONE => self.tally.done += 1,
                FAILED => self.tally.failed += 1,
                TIMED_OUT => {
                    let stopped = !life.relayed && self.ways.was_frozen(&key.source, &key.destination);
                    self.tally.stopped += usize::from(stopped);
                    self.tally.timed_out += 1;
                }
                GIVEN_UP => self.tally.given_up += 1,
                other => return Err(format!("END: {key} ended as {other}")),
            }
            agree(key, life, &end, source, self.liars.contains(&key.destination))?;
            let honest = !self.liars.contains(&key.destination);
            if let (Some(found), true) = (life.found, honest && end.status == DONE) {
                let answer = InquiryAnswer::decode(end.output.clone()).map_err(|e| e.to_string())?;
                if answer.found != found {
                    return Err(format!("ANSWER: {key} says {}, the chain had {found}", answer.found));
                }
                self.tally.answers += 1;
            }
        }
        Ok(())
    }

    /// What a city took from another had passed the relay chain, unless others had that chain's keys.
    fn passed(&self, key: &Key, life: &Life) -> Result<(), Broken> {
        let direct = key.source == self.hub || key.destination == self.hub;
        match life.received.is_some() && !life.relayed && !direct && !self.liars.contains(&self.hub) {
            false => Ok(()),
            true => Err(format!("UNRELAYED: {key} was received")),
        }
    }

    /// Nothing of a packet that has ended is left, and the counts are those of what was sent.
    fn leftovers(&self, told: &Told) -> Result<(), Broken> {
        if let Some((key, _)) = told.table(LINK, TABLE_SENT).next() {
            return Err(format!("LEFT: a packet stands at {} under {key:?}", told.id));
        }
        let mut sent: BTreeMap<(Digest, &str), u64> = BTreeMap::new();
        let own = self
            .lives
            .iter()
            .filter(|(key, life)| key.source == told.id && life.sent > 0);
        for (key, _) in own {
            *sent.entry((key.destination, &key.module)).or_default() += 1;
        }
        if told.table(LINK, TABLE_ENDED).count() as u64 != sent.values().sum::<u64>() {
            return Err(format!("LEFT: {} has ended others than it sent", told.id));
        }
        for ((to, module), count) in &sent {
            let key = [&to.0[..], module.as_bytes()].concat();
            let cursor: OutCursor = told.record(LINK, TABLE_CURSOR, &key).unwrap_or_default();
            if (cursor.next, cursor.pending) != (count + 1, 0) {
                return Err(format!("COUNT: {count} to {to} {module}, {cursor:?}"));
            }
        }
        for (_, value) in told.table(LINK, TABLE_PENDING) {
            let pending = PendingCount::decode(value.clone()).map_err(|e| e.to_string())?.pending;
            if pending != 0 {
                return Err(format!(
                    "COUNT: {pending} of an organisation are pending at {}",
                    told.id
                ));
            }
        }
        Ok(())
    }

    /// What was issued is redeemed, held somewhere, outside with liars, or unclaimed; only what a vote gave up may be held twice. A home
    /// that lies harms its own vouchers alone.
    fn conserve(&self, chains: &[Told], books: &[Books], series: &[Digest]) -> Result<(), Broken> {
        for id in series {
            let home = chains.iter().position(|told| books::is_home(told, id));
            let home = home.ok_or_else(|| format!("HOME: no chain is that of {id}"))?;
            if self.liars.contains(&chains[home].id) {
                continue;
            }
            let mut total = 0;
            let honest = |(_, told): &(usize, &Told)| !self.liars.contains(&told.id);
            for (at, told) in chains.iter().enumerate().filter(honest) {
                let held = books[at].held(id);
                total += held;
                if at == home {
                    continue;
                }
                let doubled = self.doubled(id, &told.id, &chains[home].id);
                let outside = books[home].outside(id, &told.id);
                if held != outside + doubled {
                    return Err(format!(
                        "OUTSIDE: {} holds {held} of {id}, its home knows {outside}, a vote doubled {doubled}",
                        told.id
                    ));
                }
                total -= doubled;
            }
            let (issued, rest) = books[home].rest(id, self.liars);
            if issued != total + rest {
                return Err(format!(
                    "SUM: {issued} of {id} were issued, {total} are held and {rest} gone"
                ));
            }
        }
        Ok(())
    }

    /// What two chains both count because a vote gave packets up that had arrived.
    fn doubled(&self, series: &Digest, one: &Digest, other: &Digest) -> u64 {
        let between = |key: &&Key| {
            (key.source, key.destination) == (*one, *other) || (key.source, key.destination) == (*other, *one)
        };
        let keys = self.lives.keys().filter(between);
        let amount = |key: &Key| {
            let life = &self.lives[key];
            let (moved, result) = life.received.as_ref().filter(|(_, result)| result.status == DONE)?;
            let end = self.chains.get(&key.source)?.end(key)?;
            let movement = books::movement(&moved.packet).filter(|(id, _)| id == series)?.1;
            debug_assert_eq!(result.status, DONE);
            (end.status == GIVEN_UP).then_some(movement.amount)
        };
        keys.filter_map(amount).sum()
    }
}

/// Both ends of a packet agree.
fn agree(key: &Key, life: &Life, end: &PacketEnd, source: &Told, to_liars: bool) -> Result<(), Broken> {
    let bytes = &life.ended[0];
    if end.packet[..] != digest(bytes) {
        return Err(format!("END: that of {key} is of another packet"));
    }
    if end.status == GIVEN_UP {
        let client: Option<LinkClient> = source.record(LINK, TABLE_CLIENT, &key.destination.0);
        return match client.is_some_and(|client| client.status == LINK_ENDED) {
            true => Ok(()),
            false => Err(format!("GIVEN UP: {key}, and its link was not ended")),
        };
    }
    if to_liars {
        return Ok(());
    }
    let told = life.received.as_ref().map(|(_, result)| result);
    let same = match (end.status, told) {
        (TIMED_OUT, None) => true,
        (TIMED_OUT, Some(result)) => result.status == TIMED_OUT,
        (status, Some(result)) => (status, &end.code, &end.output) == (result.status, &result.code, &result.output),
        (_, None) => false,
    };
    let same_bytes = life.received.as_ref().is_none_or(|(moved, _)| moved.bytes == *bytes);
    match same && same_bytes {
        true => Ok(()),
        false => Err(format!(
            "STORY: {key} ended as {}, its destination says {told:?}",
            end.status
        )),
    }
}

/// What a question asks for, if a packet is one about evidence.
fn asked(packet: &Packet) -> Option<(Bytes, String)> {
    if packet.module != "verification" {
        return None;
    }
    let inquiry = Inquiry::decode(packet.payload.clone()).ok()?;
    (inquiry.kind == EVIDENCE).then_some((inquiry.digest, inquiry.organisation))
}

fn digest(packet: &[u8]) -> [u8; 32] {
    sm3::tagged(&tags::PACKET, &[packet]).0
}
