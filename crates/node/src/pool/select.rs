//! Choosing what goes into a block: one transaction of each sender in turn.

use super::Pool;
use std::{collections::VecDeque, sync::Arc};
use yulian_types::{Digest, SealedBlock, SealedTransaction};

/// How much a block takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Take {
    /// Most bytes of the body, framing included.
    pub body_bytes_max: usize,
    /// Most transactions.
    pub transactions_max: usize,
}

impl Pool {
    /// Candidates for a block, oldest first within a sender, senders in turn. `skip` leaves a transaction where it
    /// is (it stands in an ancestor that is not final yet). What is chosen stays in the pool until it is final.
    ///
    /// The next call begins with the sender after the last one served here, so that no sender's place in the order
    /// of ids gives it a better share.
    pub fn candidates(&mut self, take: &Take, skip: impl Fn(&Digest) -> bool) -> Vec<Arc<SealedTransaction>> {
        let mut chosen = Chosen::new(take);
        let mut last = None;
        {
            let from_turn = self.senders.range(self.turn..);
            let before_turn = self.senders.range(..self.turn);
            // A queue leaves the ring when it is used up; a chain of many small senders touches each only once.
            let mut fresh = from_turn
                .chain(before_turn)
                .map(|(id, sender)| (id, sender.queue.values()));
            let mut ring = VecDeque::new();
            while let Some((id, mut queue)) = fresh.next().or_else(|| ring.pop_front()) {
                let Some(transaction) = queue.find(|t| !skip(&t.id)) else {
                    continue;
                };
                if !chosen.add(transaction) {
                    break;
                }
                last = Some(*id);
                ring.push_back((id, queue));
            }
        }
        if let Some(last) = last {
            self.turn = self.sender_after(&last);
        }
        chosen.transactions
    }

    fn sender_after(&self, sender: &Digest) -> Digest {
        use std::ops::Bound::{Excluded, Unbounded};
        let next = self.senders.range((Excluded(*sender), Unbounded)).next();
        next.map_or(Digest::ZERO, |(id, _)| *id)
    }
}

struct Chosen<'a> {
    take: &'a Take,
    bytes: usize,
    transactions: Vec<Arc<SealedTransaction>>,
}

impl<'a> Chosen<'a> {
    fn new(take: &'a Take) -> Self {
        Self {
            take,
            bytes: 0,
            transactions: Vec::new(),
        }
    }

    /// False when the block is full: the first transaction that does not fit ends it, so that a large one is not
    /// passed over for ever.
    fn add(&mut self, transaction: &Arc<SealedTransaction>) -> bool {
        let bytes = self.bytes + SealedBlock::body_cost(transaction);
        if bytes > self.take.body_bytes_max || self.transactions.len() >= self.take.transactions_max {
            return false;
        }
        self.bytes = bytes;
        self.transactions.push(transaction.clone());
        true
    }
}
