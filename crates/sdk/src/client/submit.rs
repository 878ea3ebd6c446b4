//! Submission with honest semantics.
//!
//! A transaction has one effect however often and to however many nodes it is sent, because the chain judges
//! replays by its id. So whatever fails on the way is simply sent again until there is a final result, the chain
//! refuses it, or the caller's patience ends: then the outcome is *unknown*, and is said to be.

use super::{Chain, chain::now_ms, decode};
use crate::{
    account::SignedTransaction,
    error::{SdkError, SubmitError},
    http::Request,
    limits::backoff,
};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};
use yulian_api::{
    CHAIN_EXPIRED, CHAIN_REPLAYED, Code, ErrorBody, encode_batch,
    limits::{BATCH_BYTES_MAX, BATCH_LENGTH_BYTES, BATCH_TRANSACTIONS_MAX, WAIT_MAX},
    views::{BatchAnswer, FinalResult, SubmitAnswer, TransactionState, TransactionView},
};
use yulian_crypto::Digest;

/// Time beyond a transaction's valid-until in which its fate must have shown: clocks differ, and the network may
/// need to recover first.
const SETTLE_MARGIN: Duration = Duration::from_secs(30);

/// How long to go on for a final result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Until the transaction's valid-until has passed and 30 s more.
    UntilExpiry,
    /// This long.
    For(Duration),
}

/// A result whose execution failed is an error of this kind to those who need the effect.
///
/// # Errors
/// The result itself, if its execution failed.
pub fn succeeded(result: FinalResult) -> Result<FinalResult, Box<FinalResult>> {
    if result.result.success {
        Ok(result)
    } else {
        Err(Box::new(result))
    }
}

/// What is known of a transaction that is being submitted.
enum Known {
    /// Nothing is settled; why the last attempt brought no result.
    Open(String),
    Settled(Result<FinalResult, SubmitError>),
}

impl Chain {
    /// Hands transactions to a node without waiting for their results: `queued` is no acknowledgement. One
    /// transaction goes by itself, several as a batch; an answer for each, in their order.
    ///
    /// # Errors
    /// As for every request; [`SdkError::Batch`] for none, more than
    /// [`BATCH_TRANSACTIONS_MAX`] or more than [`BATCH_BYTES_MAX`]. After an error nothing is known of them.
    pub async fn submit_batch(&self, transactions: &[SignedTransaction]) -> Result<Vec<SubmitAnswer>, SdkError> {
        let all: Vec<_> = transactions.iter().collect();
        self.send(&all, None).await
    }

    /// Hands one transaction to a node without waiting for its result: `queued` is no acknowledgement.
    ///
    /// # Errors
    /// As for every request. After [`SdkError::Node`] it is not known whether the node took it.
    pub async fn submit(&self, transaction: &SignedTransaction) -> Result<SubmitAnswer, SdkError> {
        let answers = self.send(&[transaction], None).await?;
        answers
            .into_iter()
            .next()
            .ok_or_else(|| self.miscounted("/transactions", 0))
    }

    /// Submits a transaction and waits for its final result, sending it again (to other nodes too) whenever an
    /// attempt brings none. A result may well be that the execution failed, see [`succeeded`].
    ///
    /// # Errors
    /// [`SubmitError::Refused`]: no effect. [`SubmitError::Unknown`]: may or may not have one. [`SubmitError::Client`]: never sent.
    pub async fn submit_and_wait(&self, transaction: &SignedTransaction) -> Result<FinalResult, SubmitError> {
        self.submit_and_wait_for(transaction, Patience::UntilExpiry).await
    }

    /// As [`Chain::submit_and_wait`], with the caller's patience.
    ///
    /// # Errors
    /// As there.
    pub async fn submit_and_wait_for(
        &self,
        transaction: &SignedTransaction,
        patience: Patience,
    ) -> Result<FinalResult, SubmitError> {
        let mut settled = self.settle(&[transaction], patience).await;
        settled.pop().unwrap_or_else(|| {
            let (id, reason) = (transaction.id, String::new());
            Err(SubmitError::Unknown { id, reason })
        })
    }

    /// As [`Chain::submit_and_wait_for`] for any number of transactions, which go in batches one after the other. A result
    /// for each, in their order. For more speed run several of these at a time.
    pub async fn submit_all_and_wait(
        &self,
        transactions: &[SignedTransaction],
        patience: Patience,
    ) -> Vec<Result<FinalResult, SubmitError>> {
        let mut out = Vec::with_capacity(transactions.len());
        for batch in batches(transactions) {
            out.extend(self.settle(&batch, patience).await);
        }
        out
    }

    async fn settle(
        &self,
        transactions: &[&SignedTransaction],
        patience: Patience,
    ) -> Vec<Result<FinalResult, SubmitError>> {
        let deadline = Instant::now() + self.patience(transactions, patience);
        let mut known: Vec<Known> = transactions.iter().map(|_| Known::Open(String::new())).collect();
        let mut failures = 0;
        loop {
            let open: Vec<usize> = (0..known.len())
                .filter(|index| matches!(known[*index], Known::Open(_)))
                .collect();
            let left = deadline.saturating_duration_since(Instant::now());
            if open.is_empty() || left.is_zero() {
                return transactions
                    .iter()
                    .zip(known)
                    .map(|(transaction, known)| close(transaction.id, known))
                    .collect();
            }
            let asked: Vec<_> = open.iter().map(|index| transactions[*index]).collect();
            let progress = match self.send(&asked, Some(self.client.options().wait.min(left))).await {
                Ok(answers) => {
                    let mut progress = false;
                    for (index, answer) in open.into_iter().zip(answers) {
                        known[index] = self.judge(transactions[index].id, answer).await;
                        progress |= matches!(known[index], Known::Settled(_));
                    }
                    progress
                }
                Err(error) => {
                    self.failed(&mut known, &open, error);
                    false
                }
            };
            failures = if progress { 0 } else { failures + 1 };
            let still_open = known.iter().any(|known| matches!(known, Known::Open(_)));
            if still_open && failures > 0 {
                let left = deadline.saturating_duration_since(Instant::now());
                sleep(backoff(failures).min(left)).await;
            }
        }
    }

    fn patience(&self, transactions: &[&SignedTransaction], patience: Patience) -> Duration {
        match patience {
            Patience::For(duration) => duration,
            Patience::UntilExpiry => {
                let last = transactions
                    .iter()
                    .map(|transaction| transaction.valid_until_ms)
                    .max()
                    .unwrap_or_default();
                let left = self.terms().until_ms(last, now_ms());
                Duration::from_millis(left).saturating_add(SETTLE_MARGIN)
            }
        }
    }

    /// What an answer settles.
    async fn judge(&self, id: Digest, answer: SubmitAnswer) -> Known {
        let error = match answer {
            SubmitAnswer::Final(result) if result.id.0 == id => return Known::Settled(Ok(result)),
            SubmitAnswer::Final(result) => return Known::Open(format!("a node answered for {}", result.id)),
            SubmitAnswer::Queued { .. } => {
                // It waited in vain: the node may be cut off, or may have lost it.
                self.client.leave_current();
                return Known::Open("queued".into());
            }
            SubmitAnswer::Refused { error, .. } => error,
        };
        if may_change(&error) {
            if Code::of(&error.code) != Some(Code::SenderLimit) {
                self.client.leave_current();
            }
            return Known::Open(describe(&error));
        }
        // An earlier attempt of ours may have brought it into a block: only the chain's own record tells.
        if matches!(error.code.as_str(), CHAIN_REPLAYED | CHAIN_EXPIRED) {
            return match self.transaction(&id).await {
                Ok(view) => result(view).map_or(Known::Open(describe(&error)), |result| Known::Settled(Ok(result))),
                Err(other) if other.is_not_found() && error.code == CHAIN_EXPIRED => refused(error),
                Err(other) => Known::Open(other.to_string()),
            };
        }
        refused(error)
    }

    /// What an error of a whole request says about the transactions in it.
    fn failed(&self, known: &mut [Known], open: &[usize], error: SdkError) {
        let passes = error.may_pass();
        let shared = Arc::new(error);
        for index in open {
            known[*index] = match &*shared {
                SdkError::Refused { error, .. } if !passes => refused((**error).clone()),
                // Never left this machine.
                SdkError::Batch(_) => Known::Settled(Err(SubmitError::Client(shared.clone()))),
                // May have arrived, whatever came back.
                other => Known::Open(other.to_string()),
            };
        }
    }

    async fn send(
        &self,
        transactions: &[&SignedTransaction],
        wait: Option<Duration>,
    ) -> Result<Vec<SubmitAnswer>, SdkError> {
        let query = wait.map(|wait| format!("?wait=true&timeout_ms={}", wait.min(WAIT_MAX).as_millis()));
        let query = query.unwrap_or_default();
        let limit = self.client.options().request_timeout + wait.unwrap_or_default();
        match transactions {
            [one] => {
                let path = format!("{}/transactions{query}", self.base);
                let request = Request::post(path, one.bytes.clone());
                let answer = match self.client.fetch(&request, limit).await {
                    Ok(answer) => decode(&request.path, &answer)?,
                    Err(SdkError::Refused { error, .. }) => SubmitAnswer::Refused {
                        id: Some(one.id.into()),
                        error: *error,
                    },
                    Err(other) => return Err(other),
                };
                Ok(vec![answer])
            }
            several => {
                let bodies: Vec<Bytes> = several.iter().map(|transaction| transaction.bytes.clone()).collect();
                let path = format!("{}/transactions/batch{query}", self.base);
                let request = Request::post(path, encode_batch(&bodies)?);
                let answer = self.client.fetch(&request, limit).await?;
                let BatchAnswer { items } = decode(&request.path, &answer)?;
                if items.len() == several.len() {
                    return Ok(items);
                }
                Err(self.miscounted("/transactions/batch", items.len()))
            }
        }
    }

    fn miscounted(&self, path: &str, found: usize) -> SdkError {
        SdkError::Answer {
            path: format!("{}{path}", self.base),
            status: 200,
            reason: format!("{found} items"),
        }
    }
}

/// Refusals that say something about the node at this moment, not about the transaction.
fn may_change(error: &ErrorBody) -> bool {
    Code::of(&error.code).is_some_and(|code| matches!(code.entry().status, 408 | 429 | 500..=599))
        || error.code == "exec.state_unavailable"
}

fn describe(error: &ErrorBody) -> String {
    format!("{}: {}", error.code, error.message_en)
}

fn refused(error: ErrorBody) -> Known {
    Known::Settled(Err(SubmitError::Refused(Box::new(error))))
}

/// The result of a transaction that is final.
fn result(view: TransactionView) -> Option<FinalResult> {
    if view.state != TransactionState::Final {
        return None;
    }
    Some(FinalResult {
        id: view.id,
        block: view.block?,
        index: view.index?,
        result: view.result?,
    })
}

fn close(id: Digest, known: Known) -> Result<FinalResult, SubmitError> {
    match known {
        Known::Settled(result) => result,
        Known::Open(reason) => Err(SubmitError::Unknown { id, reason }),
    }
}

/// Splits transactions into batches that keep to the limits. One that is too long by itself makes a batch of its own, which
/// is then refused by name.
fn batches(transactions: &[SignedTransaction]) -> Vec<Vec<&SignedTransaction>> {
    let mut out: Vec<Vec<&SignedTransaction>> = Vec::new();
    let mut bytes = 0;
    for transaction in transactions {
        let cost = transaction.bytes.len() + BATCH_LENGTH_BYTES;
        let fits = |batch: &Vec<_>| batch.len() < BATCH_TRANSACTIONS_MAX && bytes + cost <= BATCH_BYTES_MAX;
        match out.last_mut().filter(|batch| fits(batch)) {
            Some(batch) => {
                batch.push(transaction);
                bytes += cost;
            }
            None => {
                out.push(vec![transaction]);
                bytes = cost;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transaction(length: usize) -> SignedTransaction {
        SignedTransaction {
            id: Digest::ZERO,
            bytes: vec![0; length].into(),
            valid_until_ms: 0,
        }
    }

    #[test]
    fn batches_keep_to_both_limits_and_to_the_order() {
        let many: Vec<_> = (0..BATCH_TRANSACTIONS_MAX * 2 + 1).map(|_| transaction(1)).collect();
        let counts: Vec<_> = batches(&many).iter().map(Vec::len).collect();
        assert_eq!(counts, [BATCH_TRANSACTIONS_MAX, BATCH_TRANSACTIONS_MAX, 1]);
        let large: Vec<_> = (0..40).map(|_| transaction(120_000)).collect();
        for batch in batches(&large) {
            let bytes: usize = batch
                .iter()
                .map(|transaction| transaction.bytes.len() + BATCH_LENGTH_BYTES)
                .sum();
            assert!(bytes <= BATCH_BYTES_MAX);
        }
        assert_eq!(batches(&large).iter().map(Vec::len).sum::<usize>(), 40);
        assert!(batches(&[]).is_empty());
    }
}
