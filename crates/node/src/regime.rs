//! What the platform lets a chain do on this node: whether it is paused, and how much it may use.
//!
//! None of this is part of consensus: a pause is kept by every node that admits and proposes, and a block that was made
//! before a node heard of it is valid all the same.

use prost::Message;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use yulian_exec::Failure;
use yulian_modules::chain::codes;
use yulian_types::{
    SealedTransaction,
    packet::{CARRY_RECEIVE, CARRY_RELAY, CARRY_SKIP},
    proto::{Carry, CarryItem, TransactionPayload},
    state_keys::{GOVERNANCE_MODULE, LINK_MODULE},
};

/// What a chain takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// Everything.
    #[default]
    Open,
    /// What the consortium and other chains need to go on: `governance`, and what of `link` brings packets to their end.
    Paused,
    /// Nothing: it is starting, or has ended.
    Closed,
}

/// How much a chain may use; 0 = as much as there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quotas {
    /// Transactions per second, counted over those that reach this node, of clients and of members.
    pub transactions_per_second: u32,
    /// MiB on this node's disk.
    pub storage_mib: u32,
}

#[derive(Debug, Default)]
struct State {
    standing: Standing,
    quotas: Quotas,
    /// What may still come, in thousandths of a transaction; at most one second's worth.
    tokens: u64,
    filled_ms: u64,
    storage_bytes: u64,
    refused: u64,
    counted: Counted,
}

/// How much of its quotas a chain uses on this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// What it may use.
    pub quotas: Quotas,
    /// Transactions that reached this node in the last whole second.
    pub transactions_last_second: u32,
    /// Bytes on the disk, as last measured.
    pub storage_bytes: u64,
    /// Transactions that a quota refused since the start.
    pub refused: u64,
}

/// Transactions by the second.
#[derive(Debug, Default)]
struct Counted {
    second: u64,
    this: u32,
    last: u32,
}

impl Counted {
    fn one(&mut self, now_ms: u64) {
        let second = now_ms / 1_000;
        // A clock that goes back goes on counting where it was.
        if second > self.second {
            self.last = self.in_last_second(now_ms);
            (self.second, self.this) = (second, 0);
        }
        self.this = self.this.saturating_add(1);
    }

    fn in_last_second(&self, now_ms: u64) -> u32 {
        match (now_ms / 1_000).saturating_sub(self.second) {
            0 => self.last,
            1 => self.this,
            _ => 0,
        }
    }
}

/// The regime of one chain. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Regime {
    state: Arc<Mutex<State>>,
    /// Counts changes of the standing.
    changes: Arc<watch::Sender<u64>>,
}

/// Thousandths of a transaction that one costs.
const TOKEN: u64 = 1_000;

impl Regime {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resolves once the chain takes anything at all. The first block of a new chain waits for this: by then every validator
    /// has said that it runs, and none of them misses the proposal.
    pub async fn open(&self) {
        let mut changes = self.changes.subscribe();
        while self.standing() == Standing::Closed {
            // The sender lives as long as this.
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Changes it; the answer is whether the standing is another.
    pub fn set(&self, standing: Standing, quotas: Quotas) -> bool {
        let mut state = self.state();
        state.quotas = quotas;
        let changed = std::mem::replace(&mut state.standing, standing) != standing;
        drop(state);
        if changed {
            self.changes.send_modify(|changes| *changes += 1);
        }
        changed
    }

    /// What the chain takes.
    pub fn standing(&self) -> Standing {
        self.state().standing
    }

    /// How much it may use, and how much it does.
    pub fn usage(&self, now_ms: u64) -> Usage {
        let state = self.state();
        Usage {
            quotas: state.quotas,
            transactions_last_second: state.counted.in_last_second(now_ms),
            storage_bytes: state.storage_bytes,
            refused: state.refused,
        }
    }

    /// Notes what the chain has on the disk.
    pub fn measured(&self, bytes: u64) {
        self.state().storage_bytes = bytes;
    }

    /// Whether the chain takes a transaction of that module at all.
    pub fn takes(&self, transaction: &SealedTransaction) -> Result<(), Failure> {
        takes(self.state().standing, &transaction.payload)
    }

    /// Judges a transaction that would enter the pool. One that a member sent was counted where it was submitted, too: it uses
    /// up the quota and is never refused for it.
    pub fn admit(&self, transaction: &SealedTransaction, own: bool, now_ms: u64) -> Result<(), Failure> {
        let mut state = self.state();
        let module = transaction.payload.module.as_str();
        takes(state.standing, &transaction.payload)?;
        // The consortium must be able to act whatever is used up.
        if module == GOVERNANCE_MODULE {
            state.counted.one(now_ms);
            return Ok(());
        }
        let full = u64::from(state.quotas.storage_mib) << 20;
        // Others wait for what it shows, and its own people for what comes back to them.
        let owed = module == LINK_MODULE && ends_packets(&transaction.payload);
        if own && !owed && full > 0 && state.storage_bytes >= full {
            state.refused += 1;
            let detail = format!("{} of {} MiB", state.storage_bytes >> 20, state.quotas.storage_mib);
            return Err(Failure::new(&codes::STORAGE_QUOTA, detail));
        }
        state.draw(own, now_ms)?;
        state.counted.one(now_ms);
        Ok(())
    }
}

fn takes(standing: Standing, payload: &TransactionPayload) -> Result<(), Failure> {
    let goes_on = || payload.module == GOVERNANCE_MODULE || payload.module == LINK_MODULE && ends_packets(payload);
    match standing {
        Standing::Open => Ok(()),
        Standing::Paused if goes_on() => Ok(()),
        Standing::Paused | Standing::Closed => Err(Failure::from(&codes::PAUSED)),
    }
}

/// What a chain that is paused or full owes others: it shows its time, and packets that it sent come to their end. It takes and relays
/// none.
fn ends_packets(payload: &TransactionPayload) -> bool {
    match payload.method.as_str() {
        "tick" | "report_conflict" => true,
        "carry" => Carry::decode(payload.arguments.clone()).is_ok_and(|carry| {
            let takes = |item: &CarryItem| matches!(item.kind, CARRY_RELAY | CARRY_RECEIVE | CARRY_SKIP);
            !carry.items.iter().any(takes)
        }),
        _ => false,
    }
}

impl State {
    /// Takes one transaction's worth out of the bucket.
    fn draw(&mut self, own: bool, now_ms: u64) -> Result<(), Failure> {
        let rate = u64::from(self.quotas.transactions_per_second);
        if rate == 0 {
            return Ok(());
        }
        // Thousandths per millisecond are transactions per second.
        let new = now_ms.saturating_sub(self.filled_ms).saturating_mul(rate);
        self.tokens = self.tokens.saturating_add(new).min(rate * TOKEN);
        self.filled_ms = self.filled_ms.max(now_ms);
        if own && self.tokens < TOKEN {
            self.refused += 1;
            return Err(Failure::new(&codes::RATE_QUOTA, format!("{rate} per second")));
        }
        self.tokens = self.tokens.saturating_sub(TOKEN);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{sender_key, transaction};
    use yulian_types::{encode, packet::CARRY_TIME_OUT};

    #[test]
    fn the_bucket_holds_one_second_and_refuses_own_transactions_alone() {
        let regime = Regime::default();
        let one = transaction(&sender_key(1), 0);
        assert!(regime.admit(&one, true, 0).is_ok(), "no quota");
        let quotas = Quotas {
            transactions_per_second: 2,
            storage_mib: 0,
        };
        assert!(!regime.set(Standing::Open, quotas));
        let now = 1_000_000;
        assert!(regime.admit(&one, true, now).is_ok());
        assert!(regime.admit(&one, true, now).is_ok());
        assert_eq!(regime.admit(&one, true, now).unwrap_err().code, &codes::RATE_QUOTA);
        assert!(regime.admit(&one, false, now).is_ok(), "a member's");
        assert!(regime.admit(&one, true, now + 499).is_err());
        assert!(regime.admit(&one, true, now + 500).is_ok());
        let last_second = |at: u64| regime.usage(at).transactions_last_second;
        assert_eq!(
            [now + 999, now + 1_000, now + 1_999, now + 2_000].map(last_second),
            [0, 4, 4, 0]
        );
        assert_eq!(regime.usage(now).refused, 2);
    }

    #[test]
    fn a_pause_and_a_full_disk_refuse() {
        let regime = Regime::default();
        let one = transaction(&sender_key(1), 0);
        assert!(regime.set(Standing::Paused, Quotas::default()));
        assert_eq!(regime.takes(&one).unwrap_err().code, &codes::PAUSED);
        let call = |module: &str, method: &str, kinds: &[u32]| TransactionPayload {
            module: module.into(),
            method: method.into(),
            arguments: encode(&Carry {
                items: kinds
                    .iter()
                    .map(|kind| CarryItem {
                        kind: *kind,
                        ..Default::default()
                    })
                    .collect(),
                ..Default::default()
            }),
            ..Default::default()
        };
        let paused = |module, method, kinds: &[u32]| takes(Standing::Paused, &call(module, method, kinds)).is_ok();
        assert!(paused("governance", "vote", &[]) && paused("link", "tick", &[]));
        assert!(
            paused("link", "carry", &[CARRY_TIME_OUT]) && !paused("link", "carry", &[CARRY_TIME_OUT, CARRY_RECEIVE])
        );
        assert!(!paused("link", "introduce", &[]) && !paused("evidence", "deposit", &[]));
        assert!(takes(Standing::Closed, &call("governance", "vote", &[])).is_err());
        let quotas = Quotas {
            transactions_per_second: 0,
            storage_mib: 1,
        };
        regime.set(Standing::Open, quotas);
        regime.measured((1 << 20) - 1);
        assert!(regime.admit(&one, true, 0).is_ok());
        regime.measured(1 << 20);
        assert_eq!(regime.admit(&one, true, 0).unwrap_err().code, &codes::STORAGE_QUOTA);
        assert!(regime.admit(&one, false, 0).is_ok());
        let own = |payload: TransactionPayload| {
            let mut transaction = one.as_ref().clone();
            transaction.payload = payload;
            regime.admit(&transaction, true, 0).map_err(|failure| failure.code)
        };
        assert_eq!(own(call("link", "carry", &[CARRY_TIME_OUT])), Ok(()));
        assert_eq!(own(call("link", "tick", &[])), Ok(()));
        let both = call("link", "carry", &[CARRY_TIME_OUT, CARRY_RECEIVE]);
        assert_eq!(own(both), Err(&codes::STORAGE_QUOTA));
    }
}
