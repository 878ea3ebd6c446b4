//! Submissions.

use super::{ChainApi, errors};
use crate::{
    admission::{Answer, Refusal},
    waiters::Outcome,
};
use bytes::Bytes;
use futures::{FutureExt, StreamExt, pin_mut, select_biased, stream::FuturesUnordered};
use prost::Message;
use std::time::Duration;
use yulian_api::{DigestText, views::*};
use yulian_crypto::Digest;
use yulian_engine::Runtime;
use yulian_exec::{Failure, codes};
use yulian_store::Kv;
use yulian_types::proto;

impl<R: Runtime, K: Kv> ChainApi<R, K> {
    pub(super) async fn submit_all(&self, transactions: Vec<Bytes>, wait: Option<Duration>) -> Vec<Submitted> {
        if let Some(error) = self.closed() {
            let refused = Submitted::Refused { id: None, error };
            return vec![refused; transactions.len()];
        }
        let began = self.node.runtime.now_ms();
        let answers = self.node.submit(transactions).await;
        let mut results: Vec<Submitted> = answers.into_iter().map(|answer| self.first_answer(answer)).collect();
        if let Some(wait) = wait {
            self.wait_for_all(&mut results, wait).await;
            self.node
                .metrics()
                .wait_ms
                .observe_ms(self.node.runtime.now_ms().saturating_sub(began));
        }
        results
    }

    fn first_answer(&self, (id, answer): Answer) -> Submitted {
        match (id, answer) {
            (Some(id), Ok(_)) => Submitted::Queued(id),
            (Some(id), Err(refusal)) if is_replay(&refusal) => match self.node.outcome(&id) {
                Ok(Some(outcome)) => self.result(id, outcome),
                _ => refused(Some(id), &refusal),
            },
            (id, Err(refusal)) => refused(id, &refusal),
            (None, Ok(_)) => refused(None, &Refusal::Stopping),
        }
    }

    /// Replaces each "queued" by what becomes of it within the time.
    async fn wait_for_all(&self, results: &mut [Submitted], wait: Duration) {
        let queued = results.iter().enumerate().filter_map(|(at, result)| match result {
            Submitted::Queued(id) => Some((at, *id)),
            _ => None,
        });
        let mut waits: FuturesUnordered<_> = queued
            .map(|(at, id)| async move { (at, id, self.node.wait_for(id).await) })
            .collect();
        let over = self.node.runtime.pause(wait).fuse();
        pin_mut!(over);
        loop {
            select_biased! {
                next = waits.next() => match next {
                    Some((at, id, Ok(outcome))) => results[at] = self.result(id, outcome),
                    // Nobody can say what became of it: it waits, as far as this node knows.
                    Some((_, _, Err(_))) => {}
                    None => return,
                },
                () = over => return,
            }
        }
    }

    fn result(&self, id: Digest, outcome: Outcome) -> Submitted {
        match outcome {
            Outcome::Final {
                height,
                digest,
                time_ms,
                index,
                receipt,
            } => match proto::Receipt::decode(receipt) {
                Ok(receipt) if !receipt.transaction_id.is_empty() => Submitted::Final(Box::new(FinalResult {
                    id: DigestText(id),
                    block: BlockPlace::new(height, digest, time_ms),
                    index,
                    result: self.execution(&receipt),
                })),
                // The receipt was pruned: all that can be said is that it is on the chain.
                _ => refused(Some(id), &Refusal::Invalid(Failure::from(&codes::REPLAYED))),
            },
            Outcome::Refused(failure) => refused(Some(id), &Refusal::Invalid(failure)),
        }
    }

    /// The result in a receipt, with the text of its code.
    pub(super) fn execution(&self, receipt: &proto::Receipt) -> ExecutionResult {
        let mut result = ExecutionResult::new(receipt);
        if !result.code.is_empty() {
            let known = self.node.registry.codes().find(|code| code.code == result.code);
            result.message = known.map(|code| code.zh.into());
        }
        result
    }
}

fn refused(id: Option<Digest>, refusal: &Refusal) -> Submitted {
    let error = errors::refusal(refusal);
    Submitted::Refused { id, error }
}

/// Whether a transaction was refused because it is on the chain already.
fn is_replay(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Invalid(Failure { code, .. }) if *code == &codes::REPLAYED)
}
