//! Transactions that are signed before the clock starts, on all cores.

use super::spread::over_cores;
use crate::{
    problem::{Cause, Result},
    text::problem,
};
use std::{
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};
use yulian_crypto::{Digest, sm2::SignError, sm3};
use yulian_modules::evidence::DESCRIPTION_BYTES_MAX;
use yulian_sdk::{Account, SignedTransaction, Terms};

/// What every description begins with.
const DESCRIPTION: &str = "yulian bench ";
/// What a description is padded with.
const PADDING: &str = ".";

/// Signed transactions that clients take from.
#[derive(Debug)]
pub(crate) struct Supply {
    transactions: Vec<SignedTransaction>,
    next: AtomicUsize,
}

impl Supply {
    pub(crate) fn new(transactions: Vec<SignedTransaction>) -> Self {
        Self {
            transactions,
            next: AtomicUsize::new(0),
        }
    }

    /// The next transactions, at most `limit`; none when all are taken.
    pub(crate) fn take(&self, limit: usize) -> &[SignedTransaction] {
        let from = self
            .next
            .fetch_add(limit, Ordering::Relaxed)
            .min(self.transactions.len());
        &self.transactions[from..(from + limit).min(self.transactions.len())]
    }

    /// Whether all are taken.
    pub(crate) fn is_used_up(&self) -> bool {
        self.next.load(Ordering::Relaxed) >= self.transactions.len()
    }

    /// All of them, for one that takes them in their order.
    pub(crate) fn into_transactions(self) -> Vec<SignedTransaction> {
        self.transactions
    }

    /// Bytes of a transaction on average.
    pub(crate) fn mean_bytes(&self) -> u64 {
        let bytes: usize = self
            .transactions
            .iter()
            .map(|transaction| transaction.bytes.len())
            .sum();
        (bytes / self.transactions.len().max(1)) as u64
    }
}

/// Signs deposits, each of a digest of its own.
#[derive(Debug, Clone)]
pub(crate) struct Maker {
    accounts: Vec<Account>,
    terms: Terms,
    /// Tells the digests of this run from those of every other.
    run: [u8; 16],
    /// Consecutive transactions of one account: what goes to a node together.
    together: usize,
    padding: String,
}

/// What signing cost.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) count: u64,
    pub(crate) elapsed: Duration,
    pub(crate) cpu: Duration,
}

impl Cost {
    pub(crate) fn add(&mut self, other: Self) {
        self.count += other.count;
        self.elapsed += other.elapsed;
        self.cpu += other.cpu;
    }
}

impl Maker {
    /// Deposits of about `size` bytes; a description cannot make them smaller than they are without one, nor longer
    /// than the chain's limit for it.
    pub(crate) fn new(
        accounts: Vec<Account>,
        terms: Terms,
        run: [u8; 16],
        together: usize,
        size: usize,
    ) -> Result<Self> {
        let mut maker = Self {
            accounts,
            terms,
            run,
            together: together.max(1),
            padding: String::new(),
        };
        let bare = maker.sign(0).or_problem(problem::cannot_sign)?.bytes.len();
        let room = DESCRIPTION_BYTES_MAX - maker.description(u64::MAX).len();
        maker.padding = PADDING.repeat(size.saturating_sub(bare).min(room));
        Ok(maker)
    }

    /// The same deposits by others, of a run of their own.
    pub(crate) fn by(mut self, accounts: Vec<Account>) -> Self {
        self.accounts = accounts;
        self.together = 1;
        self.run = self.run.map(|byte| !byte);
        self
    }

    fn description(&self, number: u64) -> String {
        format!("{DESCRIPTION}{number:07}{}", self.padding)
    }

    /// Accounts that sign in turn.
    pub(crate) fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// The deposit of a number.
    pub(crate) fn sign(&self, number: u64) -> Result<SignedTransaction, SignError> {
        let digest: Digest = sm3::hash(&[&self.run, &number.to_be_bytes()]);
        let account = &self.accounts[number as usize / self.together % self.accounts.len()];
        account.deposit(&self.terms, &digest, &self.description(number), "")
    }

    /// Signs a range of transactions on all cores; blocks the thread until all are there.
    pub(crate) fn make(&self, range: Range<u64>) -> Result<(Supply, Cost)> {
        let started = Instant::now();
        let cpu = super::usage::cpu(std::process::id());
        let mut transactions = Vec::with_capacity((range.end - range.start) as usize);
        let parts = over_cores(range, |part| {
            part.map(|number| self.sign(number)).collect::<Result<Vec<_>, _>>()
        });
        for part in parts {
            let part = part.map_err(|_| problem::no_runtime())?;
            transactions.extend(part.or_problem(problem::cannot_sign)?);
        }
        let cost = Cost {
            count: transactions.len() as u64,
            elapsed: started.elapsed(),
            cpu: super::usage::cpu(std::process::id()).saturating_sub(cpu),
        };
        Ok((Supply::new(transactions), cost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use yulian_crypto::sm2::SecretKey;

    fn maker(accounts: u8, size: usize) -> Maker {
        let account = |n: u8| Account::of_first_key(SecretKey::from_bytes(&[n + 1; 32]).unwrap());
        Maker::new(
            (0..accounts).map(account).collect(),
            Terms::new(Digest::ZERO),
            [7; 16],
            10,
            size,
        )
        .unwrap()
    }

    #[test]
    fn every_transaction_is_another_and_taken_once() {
        let (supply, cost) = maker(3, 0).make(5..105).unwrap();
        assert_eq!(cost.count, 100);
        let mut ids = BTreeSet::new();
        while !supply.is_used_up() {
            let part = supply.take(7);
            assert!(!part.is_empty());
            assert!(part.iter().all(|transaction| ids.insert(transaction.id)));
        }
        assert_eq!(ids.len(), 100);
        assert!(supply.take(7).is_empty());
    }

    #[test]
    fn sizes_are_as_asked_within_what_a_deposit_can_be() {
        let bare = maker(1, 0).make(0..4).unwrap().0.mean_bytes();
        for asked in [400, 600, 1_000] {
            let made = maker(1, asked).make(0..4).unwrap().0.mean_bytes();
            // Lengths take a byte more from 128 on.
            assert!(made.abs_diff(asked as u64) <= 6, "{made} {asked}");
        }
        let longest = maker(1, 100_000).make(0..4).unwrap().0.mean_bytes();
        assert!(longest > bare && longest < bare + DESCRIPTION_BYTES_MAX as u64 + 8);
    }
}
