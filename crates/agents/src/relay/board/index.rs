//! Where each packet waits, so that nothing has to look at all of them.

use super::Stage;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use yulian_crypto::Digest;

/// What takes its turn at a chain: the chain on the other side and, where packets go in order, their module.
pub(super) type Queue = (Digest, String);

/// All that decides where a packet waits.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The chain at which something is to be done.
    pub(super) at: Digest,
    /// What.
    pub(super) stage: Stage,
    /// One of its chains is not followed.
    pub(super) parked: bool,
    pub(super) queue: Queue,
    /// Its number within the queue.
    pub(super) order: u64,
    /// It is no one's turn: it is parked, or somebody works on it.
    pub(super) idle: bool,
    /// Not before this time, ms; 0 for at once.
    pub(super) until_ms: u64,
    /// It waits for the block after this one.
    pub(super) unproven: Option<(Digest, u64)>,
    /// Its destination and time-out, while a block there may show that it is late.
    pub(super) timeout: Option<(Digest, u64)>,
    /// Its source, and from where on that is followed to meet it again.
    pub(super) since: (Digest, u64),
}

#[derive(Debug, Default, Clone)]
struct Turns {
    queues: BTreeMap<Queue, BTreeSet<(u64, u64)>>,
    /// The one that was served last.
    last: Option<Queue>,
}

#[derive(Debug, Default, Clone)]
pub(super) struct Index {
    places: HashMap<u64, Place>,
    ready: BTreeMap<Digest, BTreeMap<Stage, Turns>>,
    /// Sequences of a chain whose next packets are under way.
    closed: BTreeSet<(Digest, Queue)>,
    waiting: BTreeMap<Digest, BTreeSet<(u64, u64)>>,
    blocked: BTreeMap<Digest, BTreeSet<(u64, u64)>>,
    timeouts: BTreeMap<Digest, BTreeSet<(u64, u64)>>,
    since: BTreeSet<(Digest, u64, u64)>,
    counts: BTreeMap<&'static str, usize>,
}

/// Removes a number from the set of a key, and the set when it is empty.
fn take<K: Ord>(sets: &mut BTreeMap<K, BTreeSet<(u64, u64)>>, key: &K, item: (u64, u64)) {
    if let Some(set) = sets.get_mut(key) {
        set.remove(&item);
        if set.is_empty() {
            sets.remove(key);
        }
    }
}

/// Takes all numbers below a bound out of the set of a chain.
fn below(sets: &mut BTreeMap<Digest, BTreeSet<(u64, u64)>>, chain: &Digest, bound: u64) -> Vec<u64> {
    let Some(set) = sets.get_mut(chain) else {
        return Vec::new();
    };
    let rest = set.split_off(&(bound, 0));
    let found = std::mem::replace(set, rest);
    found.into_iter().map(|(_, number)| number).collect()
}

impl Place {
    fn name(&self) -> &'static str {
        match self.stage {
            Stage::GiveUp => "give_up",
            _ if self.parked => "parked",
            Stage::Relay => "relay",
            Stage::Receive => "receive",
            Stage::Acknowledge => "acknowledge",
            Stage::TimeOut => "time_out",
        }
    }
}

impl Index {
    /// Puts a packet where it belongs, wherever it was.
    pub(super) fn put(&mut self, number: u64, place: Place) {
        self.remove(number);
        *self.counts.entry(place.name()).or_default() += 1;
        self.since.insert((place.since.0, place.since.1, number));
        if let Some((chain, timeout)) = place.timeout {
            self.timeouts.entry(chain).or_default().insert((timeout, number));
        }
        match place.unproven {
            _ if place.idle => {}
            Some((chain, height)) => {
                self.blocked.entry(chain).or_default().insert((height, number));
            }
            None if place.until_ms > 0 => {
                let waiting = self.waiting.entry(place.at).or_default();
                waiting.insert((place.until_ms, number));
            }
            None => self.make_ready(number, &place),
        }
        self.places.insert(number, place);
    }

    fn make_ready(&mut self, number: u64, place: &Place) {
        let turns = self.ready.entry(place.at).or_default().entry(place.stage).or_default();
        let queue = turns.queues.entry(place.queue.clone()).or_default();
        queue.insert((place.order, number));
    }

    /// The packet is no more.
    pub(super) fn remove(&mut self, number: u64) {
        let Some(place) = self.places.remove(&number) else {
            return;
        };
        if let Some(count) = self.counts.get_mut(place.name()) {
            *count -= 1;
        }
        self.since.remove(&(place.since.0, place.since.1, number));
        if let Some((chain, timeout)) = place.timeout {
            take(&mut self.timeouts, &chain, (timeout, number));
        }
        if let Some((chain, height)) = place.unproven {
            take(&mut self.blocked, &chain, (height, number));
        }
        take(&mut self.waiting, &place.at, (place.until_ms, number));
        let turns = self
            .ready
            .get_mut(&place.at)
            .and_then(|stages| stages.get_mut(&place.stage));
        if let Some(turns) = turns {
            take(&mut turns.queues, &place.queue, (place.order, number));
        }
    }

    /// What was to be done with a packet when it was put here last.
    pub(super) fn stage(&self, number: u64) -> Option<Stage> {
        self.places.get(&number).map(|place| place.stage)
    }

    /// What waited for a chain to come this far; each is put anew.
    pub(super) fn reached(&mut self, chain: &Digest, height: u64, time_ms: u64) -> Vec<u64> {
        let mut found = below(&mut self.blocked, chain, height);
        found.extend(below(&mut self.timeouts, chain, time_ms.saturating_add(1)));
        found
    }

    /// Makes ready what has waited long enough at a chain.
    pub(super) fn awake(&mut self, at: &Digest, now_ms: u64) {
        for number in below(&mut self.waiting, at, now_ms.saturating_add(1)) {
            if let Some(place) = self.places.get(&number).cloned() {
                self.make_ready(number, &place);
            }
        }
    }

    pub(super) fn next_due(&self, at: &Digest) -> Option<u64> {
        let waiting = self.waiting.get(at)?;
        waiting.first().map(|(until_ms, _)| *until_ms)
    }

    fn is_closed(&self, at: &Digest, queue: &Queue) -> bool {
        !queue.1.is_empty() && self.closed.contains(&(*at, queue.clone()))
    }

    pub(super) fn close(&mut self, at: &Digest, queue: Queue) {
        self.closed.insert((*at, queue));
    }

    pub(super) fn open(&mut self, at: &Digest, queue: &Queue) {
        self.closed.remove(&(*at, queue.clone()));
    }

    /// How many are ready at a chain, those of closed sequences aside.
    pub(super) fn ready(&self, at: &Digest) -> usize {
        let stages = self.ready.get(at).into_iter().flat_map(BTreeMap::values);
        let queues = stages.flat_map(|turns| &turns.queues);
        let open = queues.filter(|(queue, _)| !self.is_closed(at, queue));
        open.map(|(_, numbers)| numbers.len()).sum()
    }

    /// Chooses at most `most` that are ready at a chain: stage by stage, and within one each queue in turn, `together` of it at a time.
    /// Where what is new to the chain goes apart it comes after all else and not beside it.
    pub(super) fn choose(&mut self, at: &Digest, most: usize, together: usize, apart: bool) -> Vec<u64> {
        let mut chosen = Vec::new();
        let mut stages: Vec<Stage> = self
            .ready
            .get(at)
            .into_iter()
            .flat_map(BTreeMap::keys)
            .copied()
            .collect();
        if apart {
            stages.sort_by_key(|stage| stage.is_new());
        }
        for stage in stages {
            if apart && stage.is_new() && chosen.iter().any(|number| !self.is_new(*number)) {
                break;
            }
            let last = self.choose_of(at, stage, most, together, &mut chosen);
            let turns = self.ready.get_mut(at).and_then(|stages| stages.get_mut(&stage));
            if let (Some(last), Some(turns)) = (last, turns) {
                turns.last = Some(last);
            }
        }
        chosen
    }

    fn is_new(&self, number: u64) -> bool {
        self.places.get(&number).is_some_and(|place| place.stage.is_new())
    }

    /// Adds those of one stage; the queue that was served last.
    fn choose_of(
        &self,
        at: &Digest,
        stage: Stage,
        most: usize,
        together: usize,
        chosen: &mut Vec<u64>,
    ) -> Option<Queue> {
        let turns = self.ready.get(at)?.get(&stage)?;
        let is_after = |queue: &&Queue| turns.last.as_ref().is_none_or(|last| *queue > last);
        let (after, before): (Vec<&Queue>, Vec<&Queue>) = turns.queues.keys().partition(is_after);
        let mut ring: VecDeque<_> = after
            .into_iter()
            .chain(before)
            .filter(|queue| !self.is_closed(at, queue))
            .map(|queue| (queue, turns.queues[queue].iter()))
            .collect();
        let mut last = None;
        while let Some((queue, mut numbers)) = ring.pop_front() {
            let room = together.min(most.saturating_sub(chosen.len()));
            if room == 0 {
                break;
            }
            let before = chosen.len();
            chosen.extend(numbers.by_ref().take(room).map(|(_, number)| *number));
            if chosen.len() > before {
                last = Some(queue);
                ring.push_back((queue, numbers));
            }
        }
        last.cloned()
    }

    /// Chains for which something is late that was due at this time.
    pub(super) fn late_by(&self, time_ms: u64) -> BTreeSet<Digest> {
        let late = |set: &BTreeSet<(u64, u64)>| set.first().is_some_and(|(timeout, _)| *timeout <= time_ms);
        let chains = self.timeouts.iter().filter(|(_, set)| late(set));
        chains.map(|(chain, _)| *chain).collect()
    }

    /// The lowest height from which on a chain is followed to meet all that it sent.
    pub(super) fn lowest_since(&self, chain: &Digest) -> Option<u64> {
        let from = self.since.range((*chain, 0, 0)..=(*chain, u64::MAX, u64::MAX)).next();
        from.map(|(_, height, _)| *height)
    }

    /// How many wait for what.
    pub(super) fn counts(&self) -> BTreeMap<&'static str, usize> {
        let names = ["relay", "receive", "acknowledge", "give_up", "time_out", "parked"];
        let mut counts = BTreeMap::from(names.map(|name| (name, 0)));
        counts.extend(self.counts.iter().map(|(name, count)| (*name, *count)));
        counts
    }
}
