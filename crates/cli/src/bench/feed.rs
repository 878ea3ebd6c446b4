//! Signed transactions in their order: all there beforehand, or signed in parts ahead of need, so that memory stays bounded.

use super::supply::Maker;
use std::{ops::Range, thread, time::Duration, vec};
use tokio::{
    sync::mpsc::{self, error::TryRecvError},
    time::{sleep, timeout},
};
use yulian_sdk::SignedTransaction;

/// Parts that are ahead of need, about a second's transactions each. What is signed is valid for minutes.
const PARTS_AHEAD: usize = 10;
/// Fewest transactions of a part.
const PART_MIN: u64 = 50;
/// Parts that are there before the clock starts.
const PARTS_FIRST: usize = 3;
/// Time for these.
const FIRST_WITHIN: Duration = Duration::from_secs(60);

/// What comes next.
#[derive(Debug)]
pub(crate) enum Next {
    Transaction(SignedTransaction),
    /// It is not signed yet.
    Late,
    /// All are taken.
    End,
}

/// Transactions that one taker takes.
#[derive(Debug)]
pub(crate) struct Feed {
    part: vec::IntoIter<SignedTransaction>,
    more: Option<mpsc::Receiver<Vec<SignedTransaction>>>,
}

impl Feed {
    /// Transactions that are there.
    pub(crate) fn ready(transactions: Vec<SignedTransaction>) -> Self {
        Self {
            part: transactions.into_iter(),
            more: None,
        }
    }

    /// Transactions that a thread signs while they are sent. It ends with this value.
    pub(crate) fn ahead(maker: Maker, range: Range<u64>, per_second: f64) -> Self {
        let (parts, more) = mpsc::channel(PARTS_AHEAD);
        let size = (per_second as u64).max(PART_MIN);
        thread::spawn(move || {
            let mut from = range.start;
            while from < range.end {
                let to = (from + size).min(range.end);
                // A key in memory does not fail; if one did, the run would say that its transactions were used up.
                let Ok(part) = (from..to).map(|number| maker.sign(number)).collect() else {
                    return;
                };
                if parts.blocking_send(part).is_err() {
                    return;
                }
                from = to;
            }
        });
        Self {
            part: Vec::new().into_iter(),
            more: Some(more),
        }
    }

    /// Waits until the first parts are there.
    pub(crate) async fn prime(&mut self) {
        let Some(more) = &self.more else {
            return;
        };
        let filled = async {
            while more.len() < PARTS_FIRST && !more.is_closed() {
                sleep(Duration::from_millis(5)).await;
            }
        };
        // If even this is too slow, the run reports what was not signed in time.
        let _ = timeout(FIRST_WITHIN, filled).await;
    }

    pub(crate) fn next(&mut self) -> Next {
        loop {
            if let Some(transaction) = self.part.next() {
                return Next::Transaction(transaction);
            }
            let Some(more) = &mut self.more else {
                return Next::End;
            };
            match more.try_recv() {
                Ok(part) => self.part = part.into_iter(),
                Err(TryRecvError::Empty) => return Next::Late,
                Err(TryRecvError::Disconnected) => return Next::End,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use yulian_crypto::{Digest, sm2::SecretKey};
    use yulian_sdk::{Account, Terms};

    #[tokio::test]
    async fn what_is_signed_ahead_comes_whole_and_in_order() {
        let account = Account::of_first_key(SecretKey::from_bytes(&[7; 32]).unwrap());
        let maker = Maker::new(vec![account], Terms::new(Digest::ZERO), [7; 16], 1, 0).unwrap();
        // More than fits ahead, so that the signer has to wait for the taker.
        let count = PART_MIN * (PARTS_AHEAD as u64 + 3) + 7;
        let mut feed = Feed::ahead(maker, 0..count, 1.0);
        feed.prime().await;
        let mut ids = BTreeSet::new();
        loop {
            match feed.next() {
                Next::Transaction(transaction) => assert!(ids.insert(transaction.id)),
                Next::Late => sleep(Duration::from_millis(1)).await,
                Next::End => break,
            }
        }
        assert_eq!(ids.len() as u64, count);
        assert!(matches!(Feed::ready(vec![]).next(), Next::End));
    }
}
