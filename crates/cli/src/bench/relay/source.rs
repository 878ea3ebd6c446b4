//! A chain that asks: what it sent, and what came of it, from its own final blocks alone.

use crate::{
    bench::histogram::Histogram,
    problem::{Cause, Result},
    refusal::sdk,
    text::problem,
};
use prost::Message;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use yulian_agents::relay::{Event, PacketKey};
use yulian_modules::verification::VERIFICATION_MODULE;
use yulian_sdk::{Account, Chain, SignedTransaction, limits::STATE_KEYS_MAX, views::StreamBlock};
use yulian_types::{
    Digest, StateKey,
    proto::{Ask, PacketEnd, PacketRef, Receipt},
    state_keys::{PACKET_DONE, PACKET_FAILED, PACKET_GIVEN_UP, PACKET_TIMED_OUT},
};

/// A chain that asks another the same question again and again.
pub(super) struct Source {
    pub(super) chain: Chain,
    of: Digest,
    accounts: Vec<Account>,
    ask: Ask,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Handed over, with the moment at which each was due.
    submitted: HashMap<Digest, Instant>,
    /// In a final block, by sequence.
    pending: BTreeMap<u64, Instant>,
    /// First and last sequence of this run.
    range: Option<(u64, u64)>,
    tally: Tally,
}

/// Counts of one source, or of all.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// Signed and handed over.
    pub(super) asked: u64,
    /// Refused by a node or by the chain itself: never a message.
    pub(super) refused: u64,
    /// Why the first of those was.
    pub(super) refusal: Option<String>,
    /// In a final block of the source.
    pub(super) sent: u64,
    /// Ended at the source.
    pub(super) ended: u64,
    pub(super) latencies: Histogram,
}

impl Tally {
    pub(super) fn add(&mut self, other: &Self) {
        self.asked += other.asked;
        self.refused += other.refused;
        self.sent += other.sent;
        self.ended += other.ended;
        self.latencies.merge(&other.latencies);
        if self.refusal.is_none() {
            self.refusal.clone_from(&other.refusal);
        }
    }
}

/// How messages ended, by the records in the state of their source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) done: u64,
    pub(super) failed: u64,
    pub(super) timed_out: u64,
    pub(super) given_up: u64,
    /// Without any end.
    pub(super) open: u64,
}

impl Ends {
    pub(super) fn add(&mut self, other: Self) {
        self.done += other.done;
        self.failed += other.failed;
        self.timed_out += other.timed_out;
        self.given_up += other.given_up;
        self.open += other.open;
    }

    fn count(&mut self, end: Option<PacketEnd>) {
        match end.map(|end| end.status) {
            Some(PACKET_DONE) => self.done += 1,
            Some(PACKET_FAILED) => self.failed += 1,
            Some(PACKET_TIMED_OUT) => self.timed_out += 1,
            Some(PACKET_GIVEN_UP) => self.given_up += 1,
            _ => self.open += 1,
        }
    }
}

impl Source {
    pub(super) fn new(chain: Chain, of: Digest, accounts: Vec<Account>, ask: Ask) -> Self {
        Self {
            chain,
            of,
            accounts,
            ask,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signs question `number`, which was due at a moment; the accounts take turns.
    pub(super) fn sign(&self, number: u64, due: Instant) -> Result<SignedTransaction> {
        let account = &self.accounts[number as usize % self.accounts.len()];
        let signed = account.call(self.chain.terms(), VERIFICATION_MODULE, "ask", &self.ask);
        let signed = signed.or_problem(problem::cannot_sign)?;
        let mut state = self.state();
        state.submitted.insert(signed.id, due);
        state.tally.asked += 1;
        Ok(signed)
    }

    /// A question is refused for good.
    pub(super) fn refused(&self, id: &Digest, why: String) {
        let mut state = self.state();
        if state.submitted.remove(id).is_some() {
            state.refuse(why);
        }
    }

    /// A block of this chain is final.
    pub(super) fn seen(&self, block: &StreamBlock) {
        let now = Instant::now();
        let receipts = block.receipts.iter().flatten();
        let receipts: Vec<Receipt> = receipts
            .filter_map(|bytes| Receipt::decode(bytes.0.clone()).ok())
            .collect();
        let mut state = self.state();
        for receipt in receipts {
            state.note_sent(&receipt);
            for event in &receipt.events {
                let key = PacketKey::parse(&event.data).filter(|key| key.source == self.chain.id());
                if let (Some(Event::Ended), Some(key)) = (Event::parse(&event.name), key) {
                    state.note_ended(&key, &self.of, now);
                }
            }
        }
    }

    /// The counts so far.
    pub(super) fn tally(&self) -> Tally {
        self.state().tally.clone()
    }

    /// Messages that have not ended, those that are not in a block yet included.
    pub(super) fn open(&self) -> u64 {
        let state = self.state();
        (state.submitted.len() + state.pending.len()) as u64
    }

    /// Reads from the state how each message of the run ended: what the events say is not taken for it.
    pub(super) async fn ends(&self) -> Result<Ends> {
        let mut ends = Ends::default();
        let Some((first, last)) = self.state().range else {
            return Ok(ends);
        };
        let all: Vec<u64> = (first..=last).collect();
        for some in all.chunks(STATE_KEYS_MAX) {
            let key = |sequence: &u64| StateKey::packet_ended(&self.of, VERIFICATION_MODULE, *sequence);
            let keys: Vec<StateKey> = some.iter().map(key).collect();
            let (_, found) = self.chain.records(&keys).await.map_err(sdk)?;
            found.into_iter().for_each(|end| ends.count(end));
        }
        Ok(ends)
    }
}

impl State {
    fn refuse(&mut self, why: String) {
        self.tally.refused += 1;
        self.tally.refusal.get_or_insert(why);
    }

    /// A question of this run stands in a final block.
    fn note_sent(&mut self, receipt: &Receipt) {
        let Some(id) = Digest::from_slice(&receipt.transaction_id) else {
            return;
        };
        let Some(due) = self.submitted.remove(&id) else {
            return;
        };
        match PacketRef::decode(receipt.output.clone()) {
            Ok(sent) if receipt.status == 0 => {
                self.tally.sent += 1;
                self.pending.insert(sent.sequence, due);
                let (first, last) = self.range.unwrap_or((sent.sequence, sent.sequence));
                self.range = Some((first.min(sent.sequence), last.max(sent.sequence)));
            }
            _ => self.refuse(receipt.code.clone()),
        }
    }

    fn note_ended(&mut self, key: &PacketKey, of: &Digest, now: Instant) {
        if key.destination != *of || key.module != VERIFICATION_MODULE {
            return;
        }
        if let Some(due) = self.pending.remove(&key.sequence) {
            let us = now.saturating_duration_since(due).as_micros();
            self.tally.ended += 1;
            self.tally.latencies.add(u32::try_from(us).unwrap_or(u32::MAX));
        }
    }
}
