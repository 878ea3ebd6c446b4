//! Taking transactions and making them final.

use super::chain::{FakeChain, State};
use crate::{ApiError, CHAIN_EXPIRED, CHAIN_REPLAYED, Code, DigestText, Texts, views::*};
use bytes::Bytes;
use futures::future::{Either, select};
use std::{pin::pin, time::Duration};
use yulian_crypto::{
    Digest,
    sm2::{FastVerifier, KEY_CACHE_BYTES, Verifier},
};
use yulian_types::{SealedTransaction, StateKey};

/// A sender's own transactions that may wait.
pub(super) const PENDING_MAX: usize = 1_000;

impl FakeChain {
    /// From now on, what is submitted stays queued.
    pub fn hold(&self) {
        self.lock().held = true;
    }

    /// Makes everything queued final, and from now on at once.
    pub fn release(&self) {
        let mut state = self.lock();
        state.held = false;
        self.finalise(&mut state);
    }

    /// Transactions that are queued.
    pub fn pending(&self) -> usize {
        self.lock().pending.len()
    }

    /// Forgets what is queued, as a node that crashed would.
    pub fn forget(&self) {
        self.lock().pending.clear();
    }

    /// Adds an empty block.
    pub fn tick(&self) {
        let mut state = self.lock();
        state.chain.push(vec![]);
        self.wake(&mut state);
    }

    pub(super) async fn take(&self, transactions: Vec<Bytes>, wait: Option<Duration>) -> Vec<Submitted> {
        let taken: Vec<_> = {
            let mut state = self.lock();
            let taken = transactions.into_iter().map(|bytes| admit(&mut state, bytes)).collect();
            if !state.held {
                self.finalise(&mut state);
            }
            taken
        };
        let Some(wait) = wait else {
            return taken;
        };
        let results = async {
            let mut out = Vec::new();
            for item in &taken {
                out.push(match item {
                    Submitted::Queued(id) => Submitted::Final(Box::new(self.result(*id).await)),
                    refused => refused.clone(),
                });
            }
            out
        };
        match select(pin!(results), (self.pause)(wait)).await {
            Either::Left((results, _)) => results,
            Either::Right(_) => taken.clone(),
        }
    }

    async fn result(&self, id: Digest) -> FinalResult {
        loop {
            let changed = {
                let mut state = self.lock();
                if let Some((height, index)) = state.places.get(&id).copied() {
                    return FinalResult {
                        id: DigestText(id),
                        block: state.place(height),
                        index: index as u32,
                        result: ExecutionResult::new(&state.receipt(height, index)),
                    };
                }
                state.changed()
            };
            let _ = changed.await;
        }
    }

    fn finalise(&self, state: &mut State) {
        let pending = std::mem::take(&mut state.pending);
        if pending.is_empty() {
            return;
        }
        let height = state.chain.push(pending.iter().map(|t| t.bytes.clone()).collect());
        for (index, transaction) in pending.iter().enumerate() {
            state.places.insert(transaction.id, (height, index));
        }
        // The closing block: only its header makes the results provable.
        state.chain.push(vec![]);
        self.wake(state);
    }

    fn wake(&self, state: &mut State) {
        for waiter in state.waiters.drain(..) {
            let _ = waiter.send(());
        }
    }
}

fn admit(state: &mut State, bytes: Bytes) -> Submitted {
    let transaction = match SealedTransaction::decode(bytes) {
        Ok(transaction) => transaction,
        Err(error) => {
            let error = ApiError::from(&error);
            return Submitted::Refused { id: None, error };
        }
    };
    let id = transaction.id;
    if state.pending.iter().any(|other| other.id == id) {
        return Submitted::Queued(id);
    }
    match check(state, &transaction) {
        Some(error) => Submitted::Refused { id: Some(id), error },
        None => {
            state.pending.push(transaction);
            Submitted::Queued(id)
        }
    }
}

fn check(state: &State, transaction: &SealedTransaction) -> Option<ApiError> {
    let payload = &transaction.payload;
    if payload.chain_id[..] != state.chain.genesis.chain_id.0 {
        return Some(refusal("exec.wrong_chain"));
    }
    if state.places.contains_key(&transaction.id) {
        return Some(refusal(CHAIN_REPLAYED));
    }
    if payload.valid_until_ms < state.chain.latest().sealed.header.time_ms {
        return Some(refusal(CHAIN_EXPIRED));
    }
    let account = StateKey::account(&transaction.sender);
    if !state.chain.latest().values.contains_key(&account) {
        return Some(refusal("exec.unknown_sender"));
    }
    let verifier = FastVerifier::new(KEY_CACHE_BYTES);
    let right = |entry: &yulian_types::SignerEntry| verifier.verify(&entry.key, &transaction.id.0, &entry.signature);
    if !transaction.signers.iter().all(right) {
        return Some(refusal("exec.wrong_signature"));
    }
    (state.pending.len() >= PENDING_MAX).then(|| Code::MempoolFull.into())
}

/// A refusal by the chain; the texts are of no interest here.
fn refusal(code: &str) -> ApiError {
    let text = || code.to_string();
    let texts = Texts {
        message: text(),
        message_en: text(),
        hint: text(),
        hint_en: text(),
    };
    ApiError::of_chain(code, texts)
}
