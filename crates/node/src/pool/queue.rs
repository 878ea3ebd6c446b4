//! The pool itself: who holds how much of it, and who has to give way.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};
use yulian_types::{Digest, SealedTransaction};

/// What a transaction occupies beside its bytes, as the pool counts it: parsed fields and the pool's own indexes.
pub const TRANSACTION_OVERHEAD_BYTES: usize = 768;

/// How much a pool holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLimits {
    /// Most transactions.
    pub transactions_max: usize,
    /// Most bytes, as counted with [`TRANSACTION_OVERHEAD_BYTES`] for each transaction.
    pub bytes_max: usize,
    /// Most transactions of one sender.
    pub sender_transactions_max: usize,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self {
            transactions_max: 50_000,
            bytes_max: 64 << 20,
            sender_transactions_max: 25_000,
        }
    }
}

/// Why a transaction has no place. All of it passes: the same transaction may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// The pool is full, and no sender holds more of it than this one.
    #[error("the pool is full; send again when blocks have been made")]
    Full,
    /// The sender has as many transactions waiting as one sender may have.
    #[error("{0} transactions of this sender are waiting, which is the most allowed; send again when some are final")]
    SenderQuota(usize),
}

/// How full a pool is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolCounts {
    /// Transactions.
    pub transactions: usize,
    /// Bytes as the limits count them.
    pub bytes: usize,
    /// Senders.
    pub senders: usize,
    /// Transactions that had to give way to those of lighter senders, since the start.
    pub evicted: u64,
    /// Transactions that expired here, since the start.
    pub expired: u64,
}

/// Waiting transactions by sender, each sender's in order of arrival. Holds verified transactions only.
#[derive(Debug)]
pub struct Pool {
    limits: PoolLimits,
    /// Id → transaction and its place in the sender's queue. For look-ups only.
    entries: HashMap<Digest, Entry>,
    /// The transaction whose bytes end so, to find one by its bytes without hashing them.
    tails: HashMap<Tail, Digest>,
    pub(super) senders: BTreeMap<Digest, Sender>,
    /// Senders by bytes held, lightest first.
    weights: BTreeSet<(usize, Digest)>,
    /// By time of expiry, then arrival.
    expiry: BTreeMap<(u64, u64), Digest>,
    /// The sender whose turn comes first in the next block.
    pub(super) turn: Digest,
    arrivals: u64,
    bytes: usize,
    evicted: u64,
    expired: u64,
}

#[derive(Debug)]
struct Entry {
    transaction: Arc<SealedTransaction>,
    arrival: u64,
}

#[derive(Debug, Default)]
pub(super) struct Sender {
    pub(super) queue: BTreeMap<u64, Arc<SealedTransaction>>,
    bytes: usize,
}

/// The last bytes of a transaction: half of its last signature.
type Tail = [u8; 32];

fn tail(transaction: &SealedTransaction) -> Tail {
    // The form of a transaction has at least one signature of 64 bytes at its end.
    transaction.bytes.last_chunk().copied().unwrap_or_default()
}

fn cost(transaction: &SealedTransaction) -> usize {
    transaction.bytes.len() + TRANSACTION_OVERHEAD_BYTES
}

impl Pool {
    /// An empty pool.
    pub fn new(limits: PoolLimits) -> Self {
        Self {
            limits,
            entries: HashMap::new(),
            tails: HashMap::new(),
            senders: BTreeMap::new(),
            weights: BTreeSet::new(),
            expiry: BTreeMap::new(),
            turn: Digest::ZERO,
            arrivals: 0,
            bytes: 0,
            evicted: 0,
            expired: 0,
        }
    }

    /// The transaction of an id, if it waits here.
    pub fn get(&self, id: &Digest) -> Option<&Arc<SealedTransaction>> {
        self.entries.get(id).map(|entry| &entry.transaction)
    }

    /// The transaction of exactly these bytes.
    pub fn find(&self, bytes: &[u8]) -> Option<&Arc<SealedTransaction>> {
        let held = self.get(self.tails.get(bytes.last_chunk()?)?)?;
        (held.bytes == *bytes).then_some(held)
    }

    /// Whether exactly this transaction, signatures included, waits here and so was verified.
    pub fn is_verified(&self, transaction: &SealedTransaction) -> bool {
        self.get(&transaction.id)
            .is_some_and(|held| held.leaf == transaction.leaf)
    }

    /// How full the pool is.
    pub fn counts(&self) -> PoolCounts {
        PoolCounts {
            transactions: self.entries.len(),
            bytes: self.bytes,
            senders: self.senders.len(),
            evicted: self.evicted,
            expired: self.expired,
        }
    }

    /// Whether there would be a place for a transaction now: asked before its signatures are worth verifying.
    pub fn has_room(&self, transaction: &SealedTransaction) -> Result<(), PoolError> {
        let cost = cost(transaction);
        let held = self.senders.get(&transaction.sender);
        let (count, bytes) = held.map_or((0, 0), |sender| (sender.queue.len(), sender.bytes));
        if count >= self.limits.sender_transactions_max {
            return Err(PoolError::SenderQuota(count));
        }
        if self.fits(cost) || self.heavier_than(bytes + cost).is_some() {
            return Ok(());
        }
        Err(PoolError::Full)
    }

    /// Adds a verified transaction; `false` if its id waits here already. A full pool makes the heaviest sender give
    /// up its newest transactions, unless that would be the sender of this one.
    pub fn insert(&mut self, transaction: Arc<SealedTransaction>) -> Result<bool, PoolError> {
        if self.entries.contains_key(&transaction.id) {
            return Ok(false);
        }
        self.has_room(&transaction)?;
        let cost = cost(&transaction);
        while !self.fits(cost) {
            let own = self.senders.get(&transaction.sender).map_or(0, |sender| sender.bytes);
            let heaviest = self.heavier_than(own + cost).ok_or(PoolError::Full)?;
            self.evict_newest(&heaviest);
        }
        self.place(transaction, cost);
        Ok(true)
    }

    fn fits(&self, cost: usize) -> bool {
        self.entries.len() < self.limits.transactions_max && self.bytes + cost <= self.limits.bytes_max
    }

    fn heavier_than(&self, bytes: usize) -> Option<Digest> {
        let (heaviest, sender) = self.weights.last()?;
        (*heaviest > bytes).then_some(*sender)
    }

    fn evict_newest(&mut self, sender: &Digest) {
        let newest = self
            .senders
            .get(sender)
            .and_then(|sender| sender.queue.last_key_value());
        if let Some(id) = newest.map(|(_, transaction)| transaction.id) {
            self.remove(&id);
            self.evicted += 1;
        }
    }

    fn place(&mut self, transaction: Arc<SealedTransaction>, cost: usize) {
        self.arrivals += 1;
        self.bytes += cost;
        let owner = transaction.sender;
        let sender = self.senders.entry(owner).or_default();
        self.weights.remove(&(sender.bytes, owner));
        sender.bytes += cost;
        self.weights.insert((sender.bytes, owner));
        sender.queue.insert(self.arrivals, transaction.clone());
        let expires = (transaction.payload.valid_until_ms, self.arrivals);
        self.expiry.insert(expires, transaction.id);
        self.tails.insert(tail(&transaction), transaction.id);
        let entry = Entry {
            arrival: self.arrivals,
            transaction,
        };
        self.entries.insert(entry.transaction.id, entry);
    }

    /// Takes a transaction out: it became final, or can never be valid.
    pub fn remove(&mut self, id: &Digest) -> Option<Arc<SealedTransaction>> {
        let Entry { transaction, arrival } = self.entries.remove(id)?;
        let cost = cost(&transaction);
        let owner = transaction.sender;
        self.bytes -= cost;
        self.expiry.remove(&(transaction.payload.valid_until_ms, arrival));
        self.tails.remove(&tail(&transaction));
        if let Some(sender) = self.senders.get_mut(&owner) {
            self.weights.remove(&(sender.bytes, owner));
            sender.bytes -= cost;
            sender.queue.remove(&arrival);
            if sender.queue.is_empty() {
                self.senders.remove(&owner);
            } else {
                self.weights.insert((sender.bytes, owner));
            }
        }
        Some(transaction)
    }

    /// Takes out all but what is wanted, and says what that was, in order of arrival within a sender.
    pub fn retain(&mut self, wanted: impl Fn(&SealedTransaction) -> bool) -> Vec<Digest> {
        let waiting = self.senders.values().flat_map(|sender| sender.queue.values());
        let gone: Vec<Digest> = waiting.filter(|t| !wanted(t)).map(|t| t.id).collect();
        for id in &gone {
            self.remove(id);
        }
        gone
    }

    /// Takes out what may not enter a block later than this time, and says what that was.
    pub fn expire(&mut self, block_time_ms: u64) -> Vec<Digest> {
        let mut gone = Vec::new();
        while let Some((&(valid_until, _), &id)) = self.expiry.first_key_value() {
            // A later block has a later time.
            if valid_until > block_time_ms {
                break;
            }
            self.remove(&id);
            self.expired += 1;
            gone.push(id);
        }
        gone
    }
}
