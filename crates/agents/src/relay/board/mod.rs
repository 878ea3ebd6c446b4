//! What became of each packet, and what can be done next. Knows no network and no clock.

mod index;
#[cfg(test)]
mod tests;

use self::index::{Index, Place, Queue};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};
use yulian_crypto::Digest;
use yulian_types::SealedPacket;

/// Most packets that are remembered at a time. Beyond it, their chain is followed once more when there is room.
pub(crate) const PACKETS_MAX: usize = 100_000;
/// Most bytes of packets that are kept, so that the steps after the first need not read them again. One that finds no room is read
/// for each step.
const PACKET_BYTES_KEPT_MAX: usize = 64 << 20;
/// Steps of one queue that are taken together: they share the headers that they need.
const TOGETHER: usize = 16;
/// First wait after a step that failed; each further failure doubles it.
const BACKOFF_MS: u64 = 250;
/// Longest wait after a step that failed.
const BACKOFF_MS_MAX: u64 = 60_000;
/// First wait for a step that cannot be taken yet; it doubles. A block is told some milliseconds before what it proves can be read.
const WAIT_MS: u64 = 10;
/// Longest wait for a step that cannot be taken yet.
const WAIT_MS_MAX: u64 = 2_000;
/// How much later than by this clock a packet must be before its destination is asked for a block.
const CLOCKS_MS: u64 = 2_000;
/// A late packet of an ordered sequence is tried this often at its destination before it is tried at its source.
const ORDERED_TRIES: u32 = 4;
/// A step that was submitted is not tried again for this long: its event is on its way.
const SUBMITTED_MS: u64 = 3_000;

/// A packet by its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketKey {
    /// Chain that sent it.
    pub source: Digest,
    /// Chain that it is for.
    pub destination: Digest,
    /// Module of both.
    pub module: String,
    /// Number.
    pub sequence: u64,
}

impl PacketKey {
    /// What an event of `link` carries: source ‖ destination ‖ sequence (8) ‖ module.
    pub fn parse(data: &[u8]) -> Option<Self> {
        let (source, rest) = data.split_at_checked(32)?;
        let (destination, rest) = rest.split_at_checked(32)?;
        let (sequence, module) = rest.split_at_checked(8)?;
        Some(Self {
            source: Digest::from_slice(source)?,
            destination: Digest::from_slice(destination)?,
            sequence: u64::from_be_bytes(sequence.try_into().ok()?),
            module: std::str::from_utf8(module).ok()?.into(),
        })
    }
}

/// What a chain said of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Its source sent it.
    Sent,
    /// The relay chain noted it.
    Relayed,
    /// Its destination took it, or refused it for good.
    Received,
    /// Its source knows how it ended.
    Ended,
}

impl Event {
    /// By the name of an event of `link`.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "packet_sent" => Self::Sent,
            "packet_relayed" => Self::Relayed,
            "packet_received" => Self::Received,
            "packet_ended" => Self::Ended,
            _ => return None,
        })
    }
}

/// Where a packet is. The order is that in which steps are taken: what ends a packet makes room for what comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// To be acknowledged.
    Acknowledge,
    /// To be received.
    Receive,
    /// To be relayed.
    Relay,
    /// To be given up: its source has ended the link to its destination.
    GiveUp,
    /// To be timed out.
    TimeOut,
}

impl Stage {
    /// The chain at which it is done gets to know a packet that it did not know.
    pub fn is_new(self) -> bool {
        matches!(self, Self::Receive | Self::Relay)
    }
}

/// Something to be done at a chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The packet.
    pub packet: PacketKey,
    /// What.
    pub stage: Stage,
    /// The source's state proves it after this height.
    pub sent: u64,
    /// So does the relay chain's; 0 if it was not relayed.
    pub relayed: u64,
    /// So does the destination's; 0 if it was not received.
    pub received: u64,
    /// What others have done with it is not known from events: the state is to be asked.
    pub look: bool,
    /// It goes in order, as far as is known.
    pub ordered: bool,
    /// What it says, if that was read before.
    pub content: Option<Arc<SealedPacket>>,
}

impl Step {
    /// The sequence that this step takes forward, if it is to be taken alone: two transactions might come in another order.
    pub fn sequence(&self) -> Option<Queue> {
        (self.ordered && self.stage == Stage::Receive).then(|| (self.packet.source, self.packet.module.clone()))
    }
}

#[derive(Debug, Clone, Default)]
struct Entry {
    /// Its source's state proves it after this height.
    sent: u64,
    /// From this height on its source is followed to meet it again.
    since: u64,
    relayed: Option<u64>,
    received: Option<u64>,
    /// Time-out, once the packet has been read.
    timeout_ms: Option<u64>,
    ordered: bool,
    content: Option<Arc<SealedPacket>>,
    look: bool,
    /// Somebody works on this step of it.
    taken: Option<Stage>,
    not_before_ms: u64,
    failures: u32,
    waits: u32,
}

/// How far a chain is known.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    height: u64,
    time_ms: u64,
}

/// The packets that have not ended.
#[derive(Debug, Clone)]
pub struct Board {
    hub: Digest,
    /// The chains that the agent follows.
    followed: BTreeSet<Digest>,
    known: BTreeMap<Digest, Known>,
    /// Source and destination, where the source has ended the link.
    left: BTreeSet<(Digest, Digest)>,
    /// Lowest height of a chain from which on it is followed to meet packets for which there was no room.
    missed: BTreeMap<Digest, u64>,
    /// Chains that take nothing new for now.
    apart: BTreeSet<Digest>,
    numbers: HashMap<PacketKey, u64>,
    entries: HashMap<u64, (PacketKey, Entry)>,
    next: u64,
    kept_bytes: usize,
    index: Index,
}

impl Board {
    /// A board of a network with this relay chain, for an agent that follows these chains.
    pub fn new(hub: Digest, followed: BTreeSet<Digest>) -> Self {
        Self {
            hub,
            followed,
            known: BTreeMap::new(),
            left: BTreeSet::new(),
            missed: BTreeMap::new(),
            apart: BTreeSet::new(),
            numbers: HashMap::new(),
            entries: HashMap::new(),
            next: 0,
            kept_bytes: 0,
            index: Index::default(),
        }
    }

    /// Takes note of what a chain said at a height. Only a packet that was sent is remembered: what became of it before is read from
    /// the chains when its turn comes, which `look` asks for.
    pub fn note(&mut self, event: Event, key: PacketKey, height: u64, look: bool) {
        if event == Event::Ended {
            self.forget(&key);
            return;
        }
        let number = match (self.numbers.get(&key), event) {
            (Some(number), _) => Some(*number),
            (None, Event::Sent) => self.admit(key, height, look),
            (None, _) => None,
        };
        let Some(number) = number else {
            return;
        };
        self.change(number, |entry| {
            match event {
                Event::Sent => (entry.sent, entry.since) = (height, height),
                Event::Relayed => entry.relayed = Some(height),
                _ => entry.received = Some(height),
            }
            (entry.not_before_ms, entry.failures, entry.waits) = (0, 0, 0);
            entry.look &= event == Event::Sent;
            entry.taken = None;
        });
    }

    /// Takes note of a packet that its source's state shows after a height, and that has not ended. The blocks from `since` on are
    /// where it was sent, and are no longer there: whoever follows its source from there learns that, and reads the state again.
    pub fn found(&mut self, packet: SealedPacket, since: u64, height: u64) {
        let key = PacketKey {
            source: packet.source,
            destination: packet.destination,
            module: packet.message.module.clone(),
            sequence: packet.message.sequence,
        };
        if self.numbers.contains_key(&key) {
            return;
        }
        let Some(number) = self.admit(key.clone(), since, true) else {
            return;
        };
        self.change(number, |entry| (entry.sent, entry.since) = (height, since));
        self.set_read(&key, &Arc::new(packet));
    }

    /// Makes an entry for a packet that was sent. Where there is no room its source is followed once more, from `since` on.
    fn admit(&mut self, key: PacketKey, since: u64, look: bool) -> Option<u64> {
        if self.entries.len() >= PACKETS_MAX {
            let lowest = self.missed.entry(key.source).or_insert(since);
            *lowest = since.min(*lowest);
            return None;
        }
        let number = self.next;
        self.next += 1;
        self.numbers.insert(key.clone(), number);
        let entry = Entry {
            look,
            ..Entry::default()
        };
        self.entries.insert(number, (key, entry));
        Some(number)
    }

    /// Changes an entry and puts it where it belongs then.
    fn change(&mut self, number: u64, change: impl FnOnce(&mut Entry)) {
        let Some((_, entry)) = self.entries.get_mut(&number) else {
            return;
        };
        change(entry);
        self.place(number);
    }

    /// Puts an entry where it belongs. A wait was for the step before: what now ends a packet does not wait for that. An ordered one
    /// that is late goes to and fro between two steps, so there the wait stays.
    fn place(&mut self, number: u64) {
        let Some((key, entry)) = self.entries.get(&number) else {
            return;
        };
        let mut place = self.place_of(key, entry, number);
        let ends = |stage| stage == Stage::GiveUp || (stage == Stage::TimeOut && !entry.ordered);
        if ends(place.stage) && !self.index.stage(number).is_some_and(ends) {
            place.until_ms = 0;
        }
        let until_ms = place.until_ms;
        self.index.put(number, place);
        if let Some((_, entry)) = self.entries.get_mut(&number) {
            entry.not_before_ms = until_ms;
        }
    }

    fn place_of(&self, key: &PacketKey, entry: &Entry, number: u64) -> Place {
        let stage = self.stage(key, entry);
        let at = match stage {
            Stage::Relay => self.hub,
            Stage::Receive => key.destination,
            Stage::Acknowledge | Stage::GiveUp | Stage::TimeOut => key.source,
        };
        let followed = self.followed.contains(&key.source) && self.followed.contains(&key.destination);
        let parked = stage != Stage::GiveUp && !followed;
        let in_order = entry.ordered && stage == Stage::Receive;
        let other = match at == key.source {
            true => key.destination,
            false => key.source,
        };
        let open = entry.received.is_none() && !self.is_late(key, entry);
        Place {
            at,
            stage,
            parked,
            queue: (other, if in_order { key.module.clone() } else { String::new() }),
            order: if in_order { key.sequence } else { number },
            idle: entry.taken.is_some() || parked,
            until_ms: entry.not_before_ms,
            unproven: self.unproven(key, entry, stage),
            timeout: entry
                .timeout_ms
                .filter(|_| open && followed)
                .map(|timeout| (key.destination, timeout)),
            since: (key.source, entry.since),
        }
    }

    /// A chain has a final block of this height and time (ms since 1970-01-01 UTC; 0 if only the height is known).
    pub fn advanced(&mut self, chain: &Digest, height: u64, time_ms: u64) {
        let known = self.known.entry(*chain).or_default();
        known.height = known.height.max(height);
        known.time_ms = known.time_ms.max(time_ms);
        let known = *known;
        for number in self.index.reached(chain, known.height, known.time_ms) {
            self.place(number);
        }
    }

    fn has_room(&self) -> bool {
        self.entries.len() <= PACKETS_MAX / 2
    }

    /// Chains that must be followed once more, now that there is room for what was left out.
    pub fn to_follow_again(&self) -> Vec<Digest> {
        let missed = self.missed.keys().copied();
        missed.filter(|_| self.has_room()).collect()
    }

    /// Where a chain must be followed from once more, if it is one of those.
    pub fn again_from(&mut self, chain: &Digest) -> Option<u64> {
        match self.has_room() {
            true => self.missed.remove(chain),
            false => None,
        }
    }

    /// The chains to which a source has ended its links. Returns whether that is new: then there may be something to do.
    pub fn set_left(&mut self, source: &Digest, destinations: BTreeSet<Digest>) -> bool {
        let before: BTreeSet<Digest> = self
            .left
            .iter()
            .filter(|(from, _)| from == source)
            .map(|(_, to)| *to)
            .collect();
        let changed: BTreeSet<Digest> = before.symmetric_difference(&destinations).copied().collect();
        if changed.is_empty() {
            return false;
        }
        self.left.retain(|(from, _)| from != source);
        self.left
            .extend(destinations.into_iter().map(|destination| (*source, destination)));
        let of = |key: &PacketKey| key.source == *source && changed.contains(&key.destination);
        let all = self.entries.iter().filter(|(_, (key, _))| of(key));
        let all: Vec<u64> = all.map(|(number, _)| *number).collect();
        all.into_iter().for_each(|number| self.place(number));
        true
    }

    /// The packet has ended, or is none.
    pub fn forget(&mut self, key: &PacketKey) {
        let Some(number) = self.numbers.remove(key) else {
            return;
        };
        self.index.remove(number);
        if let Some((_, entry)) = self.entries.remove(&number) {
            self.kept_bytes -= entry.content.map_or(0, |packet| packet.bytes.len());
        }
    }

    /// What a packet says: when it times out, by its destination's clock, and whether it goes in order. It is kept while there is
    /// room.
    pub fn set_read(&mut self, key: &PacketKey, packet: &Arc<SealedPacket>) {
        let Some(number) = self.numbers.get(key).copied() else {
            return;
        };
        let bytes = packet.bytes.len();
        let fits = self.kept_bytes + bytes <= PACKET_BYTES_KEPT_MAX;
        let mut kept = 0;
        self.change(number, |entry| {
            entry.timeout_ms = Some(packet.message.timeout_ms);
            entry.ordered = packet.message.ordered;
            if entry.content.is_none() && fits {
                entry.content = Some(packet.clone());
                kept = bytes;
            }
        });
        self.kept_bytes += kept;
    }

    /// Changes an entry if it is still where a step found it: its event may have come before the step's own result.
    fn settle(&mut self, key: &PacketKey, stage: Stage, change: impl FnOnce(&mut Entry)) {
        let Some(number) = self.numbers.get(key).copied() else {
            return;
        };
        let found = self.entries.get(&number).map(|(key, entry)| self.stage(key, entry));
        self.change(number, |entry| {
            // Whoever works on a later step goes on.
            entry.taken = entry.taken.filter(|taken| *taken != stage);
            if found == Some(stage) {
                change(entry);
            }
        });
    }

    /// A step was submitted: its event follows. If it does not, the state is asked.
    pub fn submitted(&mut self, key: &PacketKey, stage: Stage, now_ms: u64) {
        self.settle(key, stage, |entry| {
            entry.not_before_ms = now_ms + SUBMITTED_MS;
            entry.look = true;
        });
    }

    /// A step was not taken: later again.
    pub fn failed(&mut self, key: &PacketKey, stage: Stage, now_ms: u64) {
        self.settle(key, stage, |entry| {
            entry.not_before_ms = now_ms + backoff(BACKOFF_MS, entry.failures, BACKOFF_MS_MAX);
            entry.failures += 1;
            entry.look = true;
        });
    }

    /// A step cannot be taken yet, and nothing is wrong: soon again, so that others come first meanwhile.
    pub fn waited(&mut self, key: &PacketKey, stage: Stage, now_ms: u64) {
        self.settle(key, stage, |entry| {
            entry.not_before_ms = now_ms + backoff(WAIT_MS, entry.waits, WAIT_MS_MAX);
            entry.waits += 1;
        });
    }

    /// Somebody else has taken the step: its event follows, or the state tells.
    pub fn overtaken(&mut self, key: &PacketKey, stage: Stage, now_ms: u64) {
        self.waited(key, stage, now_ms);
        self.settle(key, stage, |entry| entry.look = true);
    }

    /// A step found no room in its transaction: it comes with the next.
    pub fn released(&mut self, key: &PacketKey, stage: Stage) {
        self.settle(key, stage, |_| ());
    }

    /// How many steps can be taken at a chain now.
    pub fn ready(&mut self, at: &Digest, now_ms: u64) -> usize {
        self.index.awake(at, now_ms);
        self.index.ready(at)
    }

    /// When the next step that waits at a chain may be taken, ms since 1970-01-01 UTC.
    pub fn next_due(&self, at: &Digest) -> Option<u64> {
        self.index.next_due(at)
    }

    /// What can be done at a chain now, at most `most`, in the order of [`Stage`], the chains that it comes from in turn. Nothing of it
    /// is given out again before its result is told; an ordered sequence is closed until [`Board::open`].
    pub fn take(&mut self, at: &Digest, now_ms: u64, most: usize) -> Vec<Step> {
        self.index.awake(at, now_ms);
        let numbers = self.index.choose(at, most, TOGETHER, self.apart.contains(at));
        let steps: Vec<Step> = numbers.iter().filter_map(|number| self.step(*number)).collect();
        for (number, step) in numbers.into_iter().zip(&steps) {
            self.change(number, |entry| entry.taken = Some(step.stage));
        }
        for sequence in steps.iter().filter_map(Step::sequence) {
            self.index.close(at, sequence);
        }
        steps
    }

    /// A chain refuses what is new to it, being paused or full, or takes it again. While it refuses, what ends packets comes first and by
    /// itself: one transaction with both would be refused as a whole.
    pub fn set_apart(&mut self, at: &Digest, apart: bool) {
        match apart {
            true => self.apart.insert(*at),
            false => self.apart.remove(at),
        };
    }

    /// The transaction with the next packets of an ordered sequence is over.
    pub fn open(&mut self, at: &Digest, sequence: &Queue) {
        self.index.open(at, sequence);
    }

    fn step(&self, number: u64) -> Option<Step> {
        let (key, entry) = self.entries.get(&number)?;
        Some(Step {
            packet: key.clone(),
            stage: self.stage(key, entry),
            sent: entry.sent,
            relayed: entry.relayed.unwrap_or_default(),
            received: entry.received.unwrap_or_default(),
            look: entry.look,
            ordered: entry.ordered,
            content: entry.content.clone(),
        })
    }

    fn passes_hub(&self, key: &PacketKey) -> bool {
        key.source != self.hub && key.destination != self.hub
    }

    fn stage(&self, key: &PacketKey, entry: &Entry) -> Stage {
        let to_relay = self.passes_hub(key) && entry.relayed.is_none();
        if self.left.contains(&(key.source, key.destination)) {
            Stage::GiveUp
        } else if entry.received.is_some() {
            Stage::Acknowledge
        } else if self.is_late(key, entry) && (!entry.ordered || to_relay || entry.gives_way()) {
            Stage::TimeOut
        } else if to_relay {
            Stage::Relay
        } else {
            Stage::Receive
        }
    }

    /// By a block of the destination: that alone proves it.
    fn is_late(&self, key: &PacketKey, entry: &Entry) -> bool {
        let time_ms = self.known.get(&key.destination).map_or(0, |known| known.time_ms);
        entry.timeout_ms.is_some_and(|timeout| timeout <= time_ms)
    }

    /// The chain and height whose next block a step waits for: the state after a block is proven by the next one.
    fn unproven(&self, key: &PacketKey, entry: &Entry, stage: Stage) -> Option<(Digest, u64)> {
        let beyond =
            |(chain, height): &(Digest, u64)| self.known.get(chain).is_some_and(|known| known.height > *height);
        let needed = match stage {
            Stage::GiveUp => [None, None],
            Stage::Acknowledge => [entry.received.map(|height| (key.destination, height)), None],
            Stage::Receive => {
                let relayed = entry.relayed.filter(|_| self.passes_hub(key));
                [Some((key.source, entry.sent)), relayed.map(|height| (self.hub, height))]
            }
            Stage::Relay | Stage::TimeOut => [Some((key.source, entry.sent)), None],
        };
        needed.into_iter().flatten().find(|needed| !beyond(needed))
    }

    /// Chains whose next block may show that a packet is late: they stand still, and it is by this clock.
    pub fn to_tick(&self, now_ms: u64) -> BTreeSet<Digest> {
        self.index.late_by(now_ms.saturating_sub(CLOCKS_MS))
    }

    /// The height of a chain up to which nothing is left to do: where to follow from after a restart. Only packets that it sent
    /// count: what others did with them is read from their state.
    pub fn done_up_to(&self, chain: &Digest, followed: u64) -> u64 {
        let open = self
            .index
            .lowest_since(chain)
            .into_iter()
            .chain(self.missed.get(chain).copied());
        open.min()
            .map_or(followed, |height| followed.min(height.saturating_sub(1)))
    }

    /// How many packets wait for each stage, and how many for a chain that is not followed.
    pub fn backlog(&self) -> BTreeMap<&'static str, usize> {
        self.index.counts()
    }
}

impl Entry {
    /// A late packet of an ordered sequence is brought to its destination, so that the next ones need not wait for a proof of its
    /// end. Where that fails again and again, the source is tried by turns.
    fn gives_way(&self) -> bool {
        (self.failures / ORDERED_TRIES) % 2 == 1
    }
}

fn backoff(first: u64, times: u32, most: u64) -> u64 {
    first.saturating_mul(1 << times.min(16)).min(most)
}
