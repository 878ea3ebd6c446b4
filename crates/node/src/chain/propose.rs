//! Building blocks.

use super::{ChainNode, Core, pace::Situation, walk::WalkError};
use crate::{
    executor::Urgency,
    ledger::Ledger,
    pool::{Mempool, PoolCounts, Take},
    waiters::Outcome,
};
use futures::{FutureExt, pin_mut, select_biased};
use std::{collections::HashSet, sync::Arc, time::Duration};
use yulian_engine::{Ancestors, Round, Runtime};
use yulian_exec::{Executed, RoundFacts, Selection, Speculation, SpeculationError, codes};
use yulian_store::Kv;
use yulian_types::{Digest, SealedBlock, proto::BlockHeader};

impl<R: Runtime, K: Kv> ChainNode<R, K> {
    /// Waits until a block is due and builds it.
    pub(super) async fn propose_block(&self, round: Round, ancestors: Ancestors) -> Option<SealedBlock> {
        let (_, parent) = match self.executed_parent(ancestors).await {
            Ok(parent) => parent,
            Err(WalkError::Failed(error)) => {
                self.fail(error);
                return None;
            }
            Err(error) => {
                tracing::debug!(%error, epoch = round.epoch, view = round.view, "no block to build on");
                return None;
            }
        };
        let facts = RoundFacts {
            epoch: round.epoch,
            validators: round.validators.digest(),
        };
        let block = self.await_block(&parent, facts).await?;
        self.metrics.proposed.one();
        if block.transactions.is_empty() {
            self.metrics.proposed_empty.one();
        }
        // Executed ahead, while the others still look at it.
        let ahead = block.clone();
        self.executor.post(move |speculation| {
            let _ = speculation.execute(&ahead);
        });
        Some(block)
    }

    async fn await_block(&self, parent: &Arc<Executed>, facts: RoundFacts) -> Option<SealedBlock> {
        self.regime.open().await;
        let pace = &self.options.pace;
        let situation = Situation::new(parent, self.runtime.now_ms());
        let empty_due = situation.empty_due_ms(pace);
        let mut entered = self.pool.watch();
        loop {
            entered.borrow_and_update();
            let now = self.runtime.now_ms();
            let counts = self.pool.lock().counts();
            let waiting = counts.transactions > 0;
            let due = if fills_blocks(&counts, parent) {
                situation.began_ms
            } else {
                situation.transactions_due_ms(pace, counts.transactions)
            };
            if now >= empty_due || (waiting && now >= due) {
                let block = self.build(parent, facts, now).await?;
                if now >= empty_due || !block.transactions.is_empty() {
                    return Some(block);
                }
            }
            // What comes before transactions are due does not wake us, so look when they are.
            let next = if now < due { due.min(empty_due) } else { empty_due };
            let pause = self
                .runtime
                .pause(Duration::from_millis(next.saturating_sub(now).max(1)))
                .fuse();
            let changed = async {
                if now < due {
                    std::future::pending::<()>().await;
                }
                let _ = entered.changed().await;
            };
            let changed = changed.fuse();
            pin_mut!(pause, changed);
            select_biased! {
                () = changed => {}
                () = pause => {}
            }
        }
    }

    async fn build(&self, parent: &Arc<Executed>, facts: RoundFacts, now: u64) -> Option<SealedBlock> {
        let time_ms = now.max(parent.time_ms() + 1);
        let (pool, parent) = (self.pool.clone(), parent.digest);
        let work = move |speculation: &mut Speculation<_>| fill(speculation, &pool, &parent, facts, time_ms);
        match self.executor.run(Urgency::Consensus, work).await.ok()? {
            Ok((header, selection)) => {
                self.drop_refused(&selection);
                Some(SealedBlock::build(header, selection.transactions))
            }
            Err(error @ (SpeculationError::State(_) | SpeculationError::Protocol(_))) => {
                self.fail(error);
                None
            }
            Err(error) => {
                tracing::debug!(%error, "the parent was overtaken while a block was built");
                None
            }
        }
    }

    /// What breaks the rule now leaves the pool, and whoever waits for it hears why. One that is valid for too long may
    /// have come from a node whose clock is ahead: it stays, and time mends it.
    fn drop_refused(&self, selection: &Selection) {
        let refused = selection.refused.iter();
        let refused: Vec<_> = refused
            .filter(|(_, failure)| failure.code != &codes::VALID_UNTIL_TOO_FAR)
            .collect();
        if refused.is_empty() {
            return;
        }
        let mut pool = self.pool.lock();
        for (id, _) in &refused {
            pool.remove(id);
        }
        drop(pool);
        // One that is on the chain already has a result; those who wait for it get that one.
        let told: Vec<_> = refused
            .into_iter()
            .filter(|(_, failure)| failure.code != &codes::REPLAYED)
            .collect();
        let ids = told.iter().enumerate().map(|(at, (id, _))| (at, id));
        self.waiters.wake(ids, |at| Outcome::Refused(told[at].1.clone()));
    }
}

/// Whether more waits than two blocks hold: then there is nothing to gain by waiting.
fn fills_blocks(counts: &PoolCounts, parent: &Executed) -> bool {
    let parameters = &parent.parameters;
    counts.bytes as u64 > 3 * parameters.block_bytes_max
        || counts.transactions as u64 > 3 * parameters.block_transactions_max
}

/// Header and transactions of a child of `parent`.
fn fill<K: Kv>(
    speculation: &mut Speculation<Ledger<K>>,
    pool: &Mempool,
    parent: &Digest,
    facts: RoundFacts,
    time_ms: u64,
) -> Result<(BlockHeader, Selection), SpeculationError> {
    let header = speculation.header_for(parent, time_ms, &facts)?;
    let executed = speculation
        .executed(parent)
        .ok_or(SpeculationError::UnknownBlock(*parent))?;
    let take = Take {
        body_bytes_max: executed.parameters.block_bytes_max as usize,
        transactions_max: executed.parameters.block_transactions_max as usize,
    };
    let above = in_flight(speculation, parent);
    let candidates = pool.lock().candidates(&take, |id| above.contains(id));
    let selection = speculation.select(parent, time_ms, candidates)?;
    Ok((header, selection))
}

/// Ids in the blocks from `tip` down to the last final one.
fn in_flight<K: Kv>(speculation: &Speculation<Ledger<K>>, tip: &Digest) -> HashSet<Digest> {
    let last_final = speculation.last_final().digest;
    let mut ids = HashSet::new();
    let mut next = speculation.executed(tip);
    while let Some(executed) = next.filter(|executed| executed.digest != last_final) {
        ids.extend(executed.ids.iter().copied());
        next = speculation.executed(&executed.parent);
    }
    ids
}

impl<R: Runtime, K: Kv> Core<R, K> {
    /// Current figures of the pool, for whoever scrapes them.
    pub(crate) fn note_pool(&self) {
        let counts = self.pool.lock().counts();
        self.metrics.pool_transactions.set(counts.transactions as u64);
        self.metrics.pool_bytes.set(counts.bytes as u64);
        self.metrics.pool_evicted.set(counts.evicted);
        self.metrics.waiters.set(self.waiters.count() as u64);
    }
}
