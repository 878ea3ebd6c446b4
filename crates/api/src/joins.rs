//! Requests to join that wait for the operators: bounded, in memory. Who asks repeats the request until there is an answer, so that
//! nothing is lost when a node stops.

use crate::{ApiError, Code, views::JoinView};
use bytes::Bytes;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use yulian_crypto::{Digest, sm2::Verifier};
use yulian_types::SealedJoin;

/// Most requests that wait at a node. Where there are more the oldest one goes: whoever still waits asks again.
pub const JOINS_MAX: usize = 64;
/// A request that was signed longer ago than this, or further ahead, is refused, ms.
pub const JOIN_AGE_MS_MAX: u64 = 24 * 3_600_000;

/// The requests at a node, by relay chain and chain that asks.
#[derive(Debug, Clone, Default)]
pub struct Joins(Arc<Mutex<BTreeMap<(Digest, Digest), Waiting>>>);

#[derive(Debug)]
struct Waiting {
    join: SealedJoin,
    received_ms: u64,
}

impl Joins {
    /// Takes a request to a chain; what it says. `may_speak` judges the roles of the account that signed.
    ///
    /// # Errors
    /// [`Code::BadJoin`] if it is not well formed, signed, for this chain, of today and by an account that may speak for its chain.
    pub fn take(
        &self,
        chain: &Digest,
        request: Bytes,
        now_ms: u64,
        may_speak: impl Fn(&[String]) -> bool,
        verifier: &dyn Verifier,
    ) -> Result<JoinView, ApiError> {
        let refused = |why: &str| ApiError::detailed(Code::BadJoin, why);
        let join = SealedJoin::decode(request, verifier).map_err(|error| ApiError::detailed(Code::BadJoin, error))?;
        if join.relay != *chain {
            return Err(refused("relay: another chain"));
        }
        if join.time_ms.abs_diff(now_ms) > JOIN_AGE_MS_MAX {
            return Err(refused("time_ms: not of today"));
        }
        if !may_speak(&join.account.roles) {
            return Err(refused("public_key: not an administrator's"));
        }
        let mut waiting = self.waiting();
        let key = (join.relay, join.genesis.chain_id);
        if waiting.get(&key).is_some_and(|known| known.join.time_ms > join.time_ms) {
            return Err(refused("time_ms: a later request of the chain is here"));
        }
        let view = JoinView::new(&join, now_ms);
        waiting.insert(
            key,
            Waiting {
                join,
                received_ms: now_ms,
            },
        );
        if waiting.len() > JOINS_MAX {
            let oldest = waiting
                .iter()
                .min_by_key(|(_, one)| one.received_ms)
                .map(|(key, _)| *key);
            oldest.map(|key| waiting.remove(&key));
        }
        Ok(view)
    }

    /// The requests to a chain.
    pub fn list(&self, chain: &Digest) -> Vec<JoinView> {
        let waiting = self.waiting();
        let of_chain = waiting.values().filter(|one| one.join.relay == *chain);
        of_chain.map(|one| JoinView::new(&one.join, one.received_ms)).collect()
    }

    /// The bytes of a request.
    ///
    /// # Errors
    /// [`Code::UnknownJoin`].
    pub fn bytes(&self, chain: &Digest, joining: &Digest) -> Result<Bytes, ApiError> {
        let waiting = self.waiting();
        let found = waiting.get(&(*chain, *joining)).map(|one| one.join.bytes.clone());
        found.ok_or_else(|| Code::UnknownJoin.into())
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<(Digest, Digest), Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
