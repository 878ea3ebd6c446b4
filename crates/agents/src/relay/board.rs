//! What became of each packet, and what can be done next. Knows no network and no clock.

use std::collections::{BTreeMap, BTreeSet};
use yulian_crypto::Digest;

/// Most packets that are remembered at a time. Beyond it, their chain is followed once more when there is room.
pub(crate) const PACKETS_MAX: usize = 100_000;
/// First wait after a step that failed; each further failure doubles it.
const BACKOFF_MS: u64 = 250;
/// Longest wait after a step that failed.
const BACKOFF_MS_MAX: u64 = 60_000;
/// First wait for a step that cannot be taken yet; it doubles.
const WAIT_MS: u64 = 100;
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

/// Something to be done at a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
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
}

#[derive(Debug, Clone, Default)]
struct Entry {
    sent: u64,
    relayed: Option<u64>,
    received: Option<u64>,
    /// Time-out, once the packet has been read.
    timeout_ms: Option<u64>,
    ordered: bool,
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
#[derive(Debug)]
pub struct Board {
    hub: Digest,
    /// The chains that the agent follows.
    followed: BTreeSet<Digest>,
    known: BTreeMap<Digest, Known>,
    /// Source and destination, where the source has ended the link.
    left: BTreeSet<(Digest, Digest)>,
    /// Lowest height of a chain at which a packet was sent for which there was no room.
    missed: BTreeMap<Digest, u64>,
    entries: BTreeMap<PacketKey, Entry>,
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
            entries: BTreeMap::new(),
        }
    }

    /// Takes note of what a chain said at a height. Only a packet that was sent is remembered: what became of it before is read from
    /// the chains when its turn comes.
    pub fn note(&mut self, event: Event, key: PacketKey, height: u64) {
        if event == Event::Ended {
            self.entries.remove(&key);
            return;
        }
        if event == Event::Sent && !self.entries.contains_key(&key) {
            if self.entries.len() >= PACKETS_MAX {
                let lowest = self.missed.entry(key.source).or_insert(height);
                *lowest = height.min(*lowest);
                return;
            }
            self.entries.insert(key.clone(), Entry::default());
        }
        let Some(entry) = self.entries.get_mut(&key) else {
            return;
        };
        match event {
            Event::Sent => entry.sent = height,
            Event::Relayed => entry.relayed = Some(height),
            _ => entry.received = Some(height),
        }
        entry.not_before_ms = 0;
        entry.failures = 0;
        entry.waits = 0;
    }

    /// A chain has a final block of this height and time (ms since 1970-01-01 UTC; 0 if only the height is known).
    pub fn advanced(&mut self, chain: &Digest, height: u64, time_ms: u64) {
        let known = self.known.entry(*chain).or_default();
        known.height = known.height.max(height);
        known.time_ms = known.time_ms.max(time_ms);
    }

    /// Where a chain must be followed from once more, now that there is room for what was left out.
    pub fn again_from(&mut self, chain: &Digest) -> Option<u64> {
        if self.entries.len() > PACKETS_MAX / 2 {
            return None;
        }
        self.missed.remove(chain)
    }

    /// The chains to which a source has ended its links.
    pub fn set_left(&mut self, source: &Digest, destinations: BTreeSet<Digest>) {
        self.left.retain(|(from, _)| from != source);
        self.left
            .extend(destinations.into_iter().map(|destination| (*source, destination)));
    }

    /// The packet has ended, or is none.
    pub fn forget(&mut self, key: &PacketKey) {
        self.entries.remove(key);
    }

    /// When the packet times out, by its destination's clock, and whether it goes in order.
    pub fn set_read(&mut self, key: &PacketKey, timeout_ms: u64, ordered: bool) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.timeout_ms = Some(timeout_ms);
            entry.ordered = ordered;
        }
    }

    /// The entry, if it is still where a step found it: its event may have come before the step's own result.
    fn still(&mut self, key: &PacketKey, stage: Stage) -> Option<&mut Entry> {
        let found = self.stage(key, self.entries.get(key)?);
        (found == stage).then(|| self.entries.get_mut(key)).flatten()
    }

    /// A step was submitted: its event follows.
    pub fn submitted(&mut self, key: &PacketKey, stage: Stage, now_ms: u64) {
        if let Some(entry) = self.still(key, stage) {
            entry.not_before_ms = now_ms + SUBMITTED_MS;
        }
    }

    /// A step was not taken: later again.
    pub fn failed(&mut self, key: &PacketKey, stage: Stage, now_ms: u64) {
        if let Some(entry) = self.still(key, stage) {
            entry.not_before_ms = now_ms + backoff(BACKOFF_MS, entry.failures, BACKOFF_MS_MAX);
            entry.failures += 1;
        }
    }

    /// A step cannot be taken yet, and nothing is wrong: soon again, so that others come first meanwhile.
    pub fn waited(&mut self, key: &PacketKey, stage: Stage, now_ms: u64) {
        if let Some(entry) = self.still(key, stage) {
            entry.not_before_ms = now_ms + backoff(WAIT_MS, entry.waits, WAIT_MS_MAX);
            entry.waits += 1;
        }
    }

    /// What can be done at a chain now, at most `most`, in the order of [`Stage`].
    pub fn steps(&self, at: &Digest, now_ms: u64, most: usize) -> Vec<Step> {
        let ready = |(key, entry): (&PacketKey, &Entry)| {
            let stage = self.stage(key, entry);
            let there = match stage {
                Stage::Relay => self.hub,
                Stage::Receive => key.destination,
                Stage::Acknowledge | Stage::GiveUp | Stage::TimeOut => key.source,
            };
            let is_ready = there == *at && entry.not_before_ms <= now_ms && self.is_provable(key, entry, stage);
            is_ready.then(|| Step {
                packet: key.clone(),
                stage,
                sent: entry.sent,
                relayed: entry.relayed.unwrap_or_default(),
                received: entry.received.unwrap_or_default(),
            })
        };
        let mut steps: Vec<Step> = self.entries.iter().filter_map(ready).collect();
        steps.sort_by_key(|step| step.stage);
        steps.truncate(most);
        steps
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
        let time_ms = self.time_ms(&key.destination);
        entry.timeout_ms.is_some_and(|timeout| timeout <= time_ms)
    }

    fn time_ms(&self, chain: &Digest) -> u64 {
        self.known.get(chain).map_or(0, |known| known.time_ms)
    }

    /// Whether there may be a proof already: the state after a block is proven by the next one. What concerns a chain that is not
    /// followed is parked.
    fn is_provable(&self, key: &PacketKey, entry: &Entry, stage: Stage) -> bool {
        let beyond = |chain: &Digest, height: u64| self.known.get(chain).is_some_and(|known| known.height > height);
        if stage == Stage::GiveUp {
            return true;
        }
        let followed = self.followed.contains(&key.source) && self.followed.contains(&key.destination);
        followed
            && match stage {
                Stage::Acknowledge => beyond(&key.destination, entry.received.unwrap_or_default()),
                Stage::Receive => {
                    let relayed = entry.relayed.filter(|_| self.passes_hub(key));
                    beyond(&key.source, entry.sent) && relayed.is_none_or(|height| beyond(&self.hub, height))
                }
                _ => beyond(&key.source, entry.sent),
            }
    }

    /// Chains whose next block may show that a packet is late: they stand still, and it is by this clock.
    pub fn to_tick(&self, now_ms: u64) -> BTreeSet<Digest> {
        let stands = |(key, entry): (&PacketKey, &Entry)| {
            let late = entry.timeout_ms?.saturating_add(CLOCKS_MS) <= now_ms;
            let open = entry.received.is_none() && !self.is_late(key, entry);
            let wanted = late && open && self.followed.contains(&key.destination);
            wanted.then_some(key.destination)
        };
        self.entries.iter().filter_map(stands).collect()
    }

    /// The height of a chain up to which nothing is left to do: where to follow from after a restart. Only packets that it sent
    /// count: what others did with them is read from their state.
    pub fn done_up_to(&self, chain: &Digest, followed: u64) -> u64 {
        let sent = self.entries.iter().filter(|(key, _)| key.source == *chain);
        let open = sent.map(|(_, entry)| entry.sent).chain(self.missed.get(chain).copied());
        open.min()
            .map_or(followed, |height| followed.min(height.saturating_sub(1)))
    }

    /// How many packets wait for each stage, and how many for a chain that is not followed.
    pub fn backlog(&self) -> BTreeMap<&'static str, usize> {
        let names = ["relay", "receive", "acknowledge", "give_up", "time_out", "parked"];
        let mut backlog = BTreeMap::from(names.map(|name| (name, 0)));
        for (key, entry) in &self.entries {
            let name = match self.stage(key, entry) {
                Stage::GiveUp => "give_up",
                _ if !self.followed.contains(&key.destination) => "parked",
                Stage::Relay => "relay",
                Stage::Receive => "receive",
                Stage::Acknowledge => "acknowledge",
                Stage::TimeOut => "time_out",
            };
            *backlog.entry(name).or_default() += 1;
        }
        backlog
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

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> Digest {
        Digest([number; 32])
    }

    fn key(sequence: u64) -> PacketKey {
        PacketKey {
            source: id(1),
            destination: id(2),
            module: "notice".into(),
            sequence,
        }
    }

    const NOW: u64 = 1_000_000;

    /// Follows chains 0, 1 and 2, all of them at height 1000.
    fn board(hub: u8) -> Board {
        let mut board = Board::new(id(hub), (0..3).map(id).collect());
        (0..3).for_each(|chain| board.advanced(&id(chain), 1_000, 1));
        board
    }

    fn sent(hub: u8) -> Board {
        let mut board = board(hub);
        board.note(Event::Sent, key(1), 5);
        board
    }

    fn stages(board: &Board, at: u8) -> Vec<(u64, Stage)> {
        let steps = board.steps(&id(at), NOW, 10);
        steps
            .into_iter()
            .map(|step| (step.packet.sequence, step.stage))
            .collect()
    }

    #[test]
    fn a_packet_goes_from_chain_to_chain() {
        let mut board = sent(0);
        assert_eq!(
            (stages(&board, 0), stages(&board, 2)),
            (vec![(1, Stage::Relay)], vec![])
        );
        board.note(Event::Relayed, key(1), 9);
        assert_eq!(
            (stages(&board, 0), stages(&board, 2)),
            (vec![], vec![(1, Stage::Receive)])
        );
        board.note(Event::Received, key(1), 3);
        assert_eq!(stages(&board, 1), [(1, Stage::Acknowledge)]);
        board.note(Event::Ended, key(1), 6);
        assert_eq!(stages(&board, 1), []);
    }

    #[test]
    fn the_relay_chain_is_no_detour_for_its_own() {
        assert_eq!(stages(&sent(1), 2), [(1, Stage::Receive)]);
    }

    #[test]
    fn what_nobody_sent_is_not_remembered() {
        let mut board = board(0);
        board.note(Event::Relayed, key(1), 9);
        board.note(Event::Received, key(1), 9);
        assert!(board.entries.is_empty());
        assert_eq!((board.done_up_to(&id(0), 90), board.done_up_to(&id(2), 90)), (90, 90));
    }

    #[test]
    fn what_is_for_a_chain_that_is_not_followed_is_parked_and_holds_the_cursor() {
        let mut board = Board::new(id(0), [id(0), id(1)].into());
        board.advanced(&id(1), 1_000, 1);
        board.note(Event::Sent, key(1), 50);
        assert_eq!((stages(&board, 0), stages(&board, 2)), (vec![], vec![]));
        assert_eq!((board.done_up_to(&id(1), 90), board.backlog()["parked"]), (49, 1));
    }

    #[test]
    fn a_step_waits_for_the_block_that_proves_it() {
        let mut board = Board::new(id(0), (0..3).map(id).collect());
        board.note(Event::Sent, key(1), 5);
        board.advanced(&id(1), 5, 1);
        assert_eq!(stages(&board, 0), []);
        board.advanced(&id(1), 6, 1);
        assert_eq!(stages(&board, 0), [(1, Stage::Relay)]);
        board.note(Event::Relayed, key(1), 7);
        board.advanced(&id(0), 7, 1);
        assert_eq!(stages(&board, 2), []);
        board.advanced(&id(0), 8, 1);
        assert_eq!(stages(&board, 2), [(1, Stage::Receive)]);
    }

    #[test]
    fn late_is_what_the_destination_says() {
        let mut board = sent(0);
        board.set_read(&key(1), NOW - 2_000, false);
        assert_eq!(stages(&board, 0), [(1, Stage::Relay)]);
        assert_eq!(board.to_tick(NOW - 1), BTreeSet::new());
        assert_eq!(board.to_tick(NOW), [id(2)].into());
        board.advanced(&id(2), 1_001, NOW - 2_001);
        assert_eq!(stages(&board, 0), [(1, Stage::Relay)]);
        board.advanced(&id(2), 1_002, NOW - 2_000);
        assert_eq!(
            (stages(&board, 1), board.to_tick(NOW)),
            (vec![(1, Stage::TimeOut)], BTreeSet::new())
        );
        board.note(Event::Received, key(1), 7);
        assert_eq!(stages(&board, 1), [(1, Stage::Acknowledge)]);
    }

    #[test]
    fn a_late_one_of_a_sequence_is_brought_if_it_can_be() {
        let mut board = sent(0);
        board.set_read(&key(1), NOW, true);
        board.advanced(&id(2), 1_001, NOW);
        assert_eq!(stages(&board, 1), [(1, Stage::TimeOut)]);
        board.note(Event::Relayed, key(1), 9);
        assert_eq!(stages(&board, 2), [(1, Stage::Receive)]);
        (0..4).for_each(|_| board.failed(&key(1), Stage::Receive, 0));
        assert_eq!(
            (stages(&board, 1), stages(&board, 2)),
            (vec![(1, Stage::TimeOut)], vec![])
        );
        (0..4).for_each(|_| board.failed(&key(1), Stage::TimeOut, 0));
        assert_eq!(
            (stages(&board, 1), stages(&board, 2)),
            (vec![], vec![(1, Stage::Receive)])
        );
    }

    #[test]
    fn what_goes_to_a_chain_that_was_left_is_given_up() {
        let mut board = Board::new(id(0), [id(0), id(1)].into());
        board.note(Event::Sent, key(1), 5);
        board.set_left(&id(1), [id(2)].into());
        assert_eq!(stages(&board, 1), [(1, Stage::GiveUp)]);
        board.set_left(&id(1), BTreeSet::new());
        assert_eq!(stages(&board, 1), []);
    }

    #[test]
    fn what_ends_a_packet_comes_first() {
        let mut board = Board::new(id(1), (0..3).map(id).collect());
        (0..3).for_each(|chain| board.advanced(&id(chain), 1_000, NOW));
        let to_one = |sequence, source| PacketKey {
            source: id(source),
            destination: id(1),
            ..key(sequence)
        };
        let between = PacketKey {
            source: id(0),
            ..key(2)
        };
        let all = [to_one(1, 0), between.clone(), key(3), key(4)];
        all.iter().for_each(|key| board.note(Event::Sent, key.clone(), 5));
        board.note(Event::Received, key(4), 6);
        board.set_read(&key(3), NOW, false);
        let order = [
            (4, Stage::Acknowledge),
            (1, Stage::Receive),
            (2, Stage::Relay),
            (3, Stage::TimeOut),
        ];
        assert_eq!(stages(&board, 1), order);
    }

    #[test]
    fn failures_wait_longer_and_longer() {
        let mut board = sent(0);
        let waits: Vec<u64> = (0..12)
            .map(|_| {
                board.failed(&key(1), Stage::Relay, NOW);
                board.entries[&key(1)].not_before_ms - NOW
            })
            .collect();
        assert_eq!(waits[..3], [250, 500, 1_000]);
        assert_eq!(waits[11], 60_000);
        board.note(Event::Relayed, key(1), 6);
        assert_eq!(stages(&board, 2), [(1, Stage::Receive)]);
    }

    #[test]
    fn one_that_cannot_be_done_yet_makes_way() {
        let mut board = sent(0);
        board.note(Event::Sent, key(2), 5);
        board.waited(&key(1), Stage::Relay, NOW);
        assert_eq!(stages(&board, 0), [(2, Stage::Relay)]);
        assert_eq!(board.steps(&id(0), NOW + 100, 10).len(), 2);
        (0..12).for_each(|_| board.waited(&key(1), Stage::Relay, NOW));
        assert_eq!(board.entries[&key(1)].not_before_ms - NOW, 2_000);
    }

    #[test]
    fn a_result_after_its_event_holds_nothing_up() {
        let mut board = sent(0);
        board.note(Event::Relayed, key(1), 6);
        board.submitted(&key(1), Stage::Relay, NOW);
        assert_eq!(stages(&board, 2), [(1, Stage::Receive)]);
        board.submitted(&key(1), Stage::Receive, NOW);
        assert_eq!(stages(&board, 2), []);
    }

    #[test]
    fn a_cursor_stays_behind_what_is_not_finished() {
        let mut board = board(0);
        board.note(Event::Sent, key(1), 50);
        board.note(Event::Sent, key(2), 60);
        board.note(Event::Relayed, key(1), 7);
        assert_eq!((board.done_up_to(&id(1), 90), board.done_up_to(&id(0), 90)), (49, 90));
        board.note(Event::Ended, key(1), 91);
        assert_eq!(board.done_up_to(&id(1), 91), 59);
    }

    #[test]
    fn what_found_no_room_is_followed_once_more() {
        let mut board = board(0);
        let most = PACKETS_MAX as u64;
        (1..=most + 2).for_each(|sequence| board.note(Event::Sent, key(sequence), 10 + sequence));
        assert_eq!(board.entries.len(), PACKETS_MAX);
        (1..=most / 2 - 1).for_each(|sequence| board.forget(&key(sequence)));
        assert_eq!(board.again_from(&id(1)), None);
        (most / 2..=most).for_each(|sequence| board.forget(&key(sequence)));
        assert_eq!(board.done_up_to(&id(1), u64::MAX), most + 10);
        assert_eq!(board.again_from(&id(1)), Some(most + 11));
        assert_eq!(board.again_from(&id(1)), None);
    }

    #[test]
    fn an_event_is_read_as_it_was_written() {
        let mut data = [[1u8; 32], [2; 32]].concat();
        data.extend_from_slice(&7u64.to_be_bytes());
        data.extend_from_slice(b"notice");
        assert_eq!(PacketKey::parse(&data), Some(key(7)));
        assert_eq!(PacketKey::parse(&data[..71]), None);
    }
}
