//! What became of each packet, and what can be done next. Knows no network and no clock.

use std::collections::BTreeMap;
use yulian_crypto::Digest;

/// Most packets that are remembered at a time. Beyond it, new ones are left to a later round or another agent.
pub(crate) const PACKETS_MAX: usize = 100_000;
/// First wait after a step that failed; each further failure doubles it.
const BACKOFF_MS: u64 = 250;
/// Longest wait after a step that failed.
const BACKOFF_MS_MAX: u64 = 60_000;
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

/// Where a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// To be relayed.
    Relay,
    /// To be received.
    Receive,
    /// To be acknowledged.
    Acknowledge,
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
    sent: Option<u64>,
    relayed: Option<u64>,
    received: Option<u64>,
    /// Time-out, once the packet has been read.
    timeout_ms: Option<u64>,
    not_before_ms: u64,
    failures: u32,
}

/// The packets that have not ended.
#[derive(Debug)]
pub struct Board {
    hub: Digest,
    entries: BTreeMap<PacketKey, Entry>,
}

impl Board {
    /// A board of a network with this relay chain.
    pub fn new(hub: Digest) -> Self {
        Self {
            hub,
            entries: BTreeMap::new(),
        }
    }

    /// Takes note of what a chain said at a height.
    pub fn note(&mut self, event: Event, key: PacketKey, height: u64) {
        if event == Event::Ended {
            self.entries.remove(&key);
            return;
        }
        if self.entries.len() >= PACKETS_MAX && !self.entries.contains_key(&key) {
            return;
        }
        let entry = self.entries.entry(key).or_default();
        let place = match event {
            Event::Sent => &mut entry.sent,
            Event::Relayed => &mut entry.relayed,
            _ => &mut entry.received,
        };
        *place = Some(height);
        entry.not_before_ms = 0;
        entry.failures = 0;
    }

    /// The packet has ended, or is none.
    pub fn forget(&mut self, key: &PacketKey) {
        self.entries.remove(key);
    }

    /// When the packet times out, by its destination's clock.
    pub fn set_timeout(&mut self, key: &PacketKey, timeout_ms: u64) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.timeout_ms = Some(timeout_ms);
        }
    }

    /// A step was submitted: its event follows.
    pub fn submitted(&mut self, key: &PacketKey, now_ms: u64) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.not_before_ms = now_ms + SUBMITTED_MS;
        }
    }

    /// A step was not taken: later again.
    pub fn failed(&mut self, key: &PacketKey, now_ms: u64) {
        if let Some(entry) = self.entries.get_mut(key) {
            let wait = BACKOFF_MS.saturating_mul(1 << entry.failures.min(16));
            entry.not_before_ms = now_ms + wait.min(BACKOFF_MS_MAX);
            entry.failures += 1;
        }
    }

    /// What can be done at a chain now, at most `most`, acknowledgements first: they make room for what comes.
    pub fn steps(&self, at: &Digest, now_ms: u64, most: usize) -> Vec<Step> {
        let ready = |(key, entry): (&PacketKey, &Entry)| {
            let sent = entry.sent?;
            let stage = self.stage(key, entry, now_ms);
            let there = match stage {
                Stage::Relay => self.hub,
                Stage::Receive => key.destination,
                Stage::Acknowledge | Stage::TimeOut => key.source,
            };
            let step = Step {
                packet: key.clone(),
                stage,
                sent,
                relayed: entry.relayed.unwrap_or_default(),
                received: entry.received.unwrap_or_default(),
            };
            (there == *at && entry.not_before_ms <= now_ms).then_some(step)
        };
        let mut steps: Vec<Step> = self.entries.iter().filter_map(ready).collect();
        steps.sort_by_key(|step| std::cmp::Reverse(step.stage));
        steps.truncate(most);
        steps
    }

    fn stage(&self, key: &PacketKey, entry: &Entry, now_ms: u64) -> Stage {
        let passes_hub = key.source != self.hub && key.destination != self.hub;
        if entry.received.is_some() {
            Stage::Acknowledge
        } else if entry.timeout_ms.is_some_and(|timeout| timeout <= now_ms) {
            Stage::TimeOut
        } else if passes_hub && entry.relayed.is_none() {
            Stage::Relay
        } else {
            Stage::Receive
        }
    }

    /// The height of a chain up to which nothing is left to do: where to follow from after a restart.
    pub fn done_up_to(&self, chain: &Digest, followed: u64) -> u64 {
        let needed = |(key, entry): (&PacketKey, &Entry)| {
            let of = [
                (key.source, entry.sent),
                (self.hub, entry.relayed),
                (key.destination, entry.received),
            ];
            of.into_iter()
                .filter(|(id, _)| id == chain)
                .filter_map(|(_, height)| height)
                .min()
        };
        let lowest = self.entries.iter().filter_map(needed).min();
        lowest.map_or(followed, |height| followed.min(height.saturating_sub(1)))
    }

    /// How many packets wait for each stage.
    pub fn backlog(&self, now_ms: u64) -> BTreeMap<&'static str, usize> {
        let mut backlog = BTreeMap::from([("relay", 0), ("receive", 0), ("acknowledge", 0), ("time_out", 0)]);
        for (key, entry) in self.entries.iter().filter(|(_, entry)| entry.sent.is_some()) {
            let name = match self.stage(key, entry, now_ms) {
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

    fn stages(board: &Board, at: u8) -> Vec<(u64, Stage)> {
        let steps = board.steps(&id(at), NOW, 10);
        steps
            .into_iter()
            .map(|step| (step.packet.sequence, step.stage))
            .collect()
    }

    #[test]
    fn a_packet_goes_from_chain_to_chain() {
        let mut board = Board::new(id(0));
        board.note(Event::Sent, key(1), 5);
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
        let mut board = Board::new(id(1));
        board.note(Event::Sent, key(1), 5);
        assert_eq!(stages(&board, 2), [(1, Stage::Receive)]);
    }

    #[test]
    fn what_is_late_is_timed_out_unless_it_was_received() {
        let mut board = Board::new(id(0));
        board.note(Event::Sent, key(1), 5);
        board.set_timeout(&key(1), NOW + 1);
        assert_eq!(stages(&board, 0), [(1, Stage::Relay)]);
        board.set_timeout(&key(1), NOW);
        assert_eq!(stages(&board, 1), [(1, Stage::TimeOut)]);
        board.note(Event::Received, key(1), 7);
        assert_eq!(stages(&board, 1), [(1, Stage::Acknowledge)]);
    }

    #[test]
    fn failures_wait_longer_and_longer() {
        let mut board = Board::new(id(0));
        board.note(Event::Sent, key(1), 5);
        let waits: Vec<u64> = (0..12)
            .map(|_| {
                board.failed(&key(1), NOW);
                board.entries[&key(1)].not_before_ms - NOW
            })
            .collect();
        assert_eq!(waits[..3], [250, 500, 1_000]);
        assert_eq!(waits[11], BACKOFF_MS_MAX);
        board.note(Event::Relayed, key(1), 6);
        assert_eq!(stages(&board, 2), [(1, Stage::Receive)]);
    }

    #[test]
    fn a_cursor_stays_behind_what_is_not_finished() {
        let mut board = Board::new(id(0));
        board.note(Event::Sent, key(1), 50);
        board.note(Event::Sent, key(2), 60);
        board.note(Event::Relayed, key(1), 7);
        assert_eq!((board.done_up_to(&id(1), 90), board.done_up_to(&id(0), 90)), (49, 6));
        assert_eq!(board.done_up_to(&id(2), 90), 90);
        board.note(Event::Ended, key(1), 91);
        assert_eq!((board.done_up_to(&id(1), 91), board.done_up_to(&id(0), 90)), (59, 90));
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
