//! What happens when a block is final.

use super::{ChainNode, Latest, RECENT_MAX, Recent, Stop, lock};
use crate::{
    executor::Urgency,
    ledger::{Ledger, LedgerError, Tip},
    waiters::Outcome,
};
use std::sync::Arc;
use yulian_engine::{FinalBlock, Runtime};
use yulian_exec::{Executed, Failure, Speculation, SpeculationError, codes, epoch};
use yulian_store::Kv;
use yulian_types::{SealedBlock, state_keys::CHAIN_ID};

/// Blocks between two looks at how much is on the disk.
const MEASURE_INTERVAL: u64 = 64;
/// Blocks between two looks at what can be pruned.
const PRUNE_INTERVAL: u64 = 256;

impl<R: Runtime, K: Kv> ChainNode<R, K> {
    /// Executes a block if that has not been done, makes it durable with all that follows from it, and tells everyone.
    pub(super) async fn finalize_block(&self, FinalBlock { block, proof }: FinalBlock) -> Result<(), Stop> {
        if let Some(reason) = self.stop_reason() {
            let cause = self.stop_cause();
            return Err(Stop { cause, reason });
        }
        let before = self.ledger.tip();
        if block.height() <= before.height {
            return Ok(self.check_again(&block)?);
        }
        let began = self.runtime.now_ms();
        let again = block.clone();
        let executed = self
            .executor
            .run(Urgency::Consensus, move |s| finalize(s, &again))
            .await??;
        let executed_ms = self.runtime.now_ms();
        self.metrics.execute_ms.observe_ms(executed_ms.saturating_sub(began));
        self.ledger
            .begin_final(&before, &block, proof.as_ref(), &executed)?
            .durable()
            .await?;
        let now = self.runtime.now_ms();
        self.metrics.commit_ms.observe_ms(now.saturating_sub(executed_ms));
        self.metrics
            .finality_ms
            .observe_ms(now.saturating_sub(block.header.time_ms));
        let height = block.height();
        self.executor.post(move |speculation| speculation.committed(height));
        let transactions = block.transactions.len();
        tracing::debug!(height, transactions, digest = %block.digest, "block final and durable");
        if executed.announced.digest() != executed.validators.digest() && self.is_epoch_end(height) {
            let (from, validators) = (height + 1, executed.announced.len());
            tracing::info!(from, validators, digest = %executed.announced.digest(), "another validator set takes over");
        }
        self.publish(block, executed)?;
        self.let_go(now);
        self.prune_sometimes(height);
        Ok(())
    }

    fn is_epoch_end(&self, height: u64) -> bool {
        epoch::is_last(height, self.ledger.epoch_length())
    }

    /// The engine delivers each block at least once.
    fn check_again(&self, block: &SealedBlock) -> Result<(), LedgerError> {
        let height = block.height();
        let header = self.ledger.header(height)?;
        let held = header.map(|bytes| yulian_types::block_digest(&bytes));
        match held.filter(|held| *held != block.digest) {
            None => Ok(()),
            Some(held) => Err(LedgerError::Fork {
                height,
                held,
                offered: block.digest,
            }),
        }
    }

    fn publish(&self, block: Arc<SealedBlock>, executed: Arc<Executed>) -> Result<(), LedgerError> {
        let tip = self.ledger.tip();
        self.count(&tip, &executed);
        let expired = {
            let mut pool = self.pool.lock();
            for id in &executed.ids {
                pool.remove(id);
            }
            pool.expire(executed.time_ms())
        };
        {
            let mut recent = lock(&self.recent);
            recent.push_back(Recent {
                block: block.clone(),
                executed: executed.clone(),
            });
            while recent.len() > RECENT_MAX {
                recent.pop_front();
            }
        }
        let latest = Latest {
            tip,
            executed: executed.clone(),
        };
        self.latest.send_replace(latest);
        self.waiters.wake(executed.ids.iter().enumerate(), |at| Outcome::Final {
            height: tip.height,
            digest: tip.digest,
            time_ms: tip.time_ms,
            index: at as u32,
            receipt: executed.receipts[at].clone(),
        });
        self.waiters.wake(expired.iter().enumerate(), |_| {
            Outcome::Refused(Failure::from(&codes::EXPIRED))
        });
        if executed.writes.iter().any(|write| write.module_id == CHAIN_ID) {
            self.register.send_modify(|blocks| *blocks += 1);
        }
        if tip.height.is_multiple_of(MEASURE_INTERVAL) {
            self.measure();
        }
        if executed.nodes_changed
            && let Some(network) = self.network()
        {
            network.set_peers(self.peers()?);
        }
        Ok(())
    }

    /// Notes what the chain has on the disk.
    pub(crate) fn measure(&self) {
        if let Ok(bytes) = self.ledger.store().disk_bytes() {
            self.regime.measured(bytes);
        }
    }

    fn count(&self, tip: &Tip, executed: &Executed) {
        let metrics = &self.metrics;
        metrics.height.set(tip.height);
        metrics.final_time_ms.set(tip.time_ms);
        metrics.transactions_final.add(executed.ids.len() as u64);
        metrics
            .transactions_failed
            .add(executed.receipts.iter().filter(|receipt| is_failed(receipt)).count() as u64);
        metrics.state(&executed.tree);
    }

    /// States that were pinned for others are let go of beside the work of consensus.
    fn let_go(&self, now_ms: u64) {
        let expired = self.pins.expired(now_ms);
        if !expired.is_empty() {
            self.runtime.start_dedicated("unpin", async move { drop(expired) });
        }
    }

    fn prune_sometimes(&self, height: u64) {
        let Some(retain) = self
            .options
            .retain_blocks
            .filter(|_| height.is_multiple_of(PRUNE_INTERVAL))
        else {
            return;
        };
        if std::mem::replace(&mut *lock(&self.pruning), true) {
            return;
        }
        let node = self.clone();
        self.runtime.start("prune", async move {
            loop {
                match node.ledger.prune(retain).await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        node.fail(error);
                        break;
                    }
                }
            }
            *lock(&node.pruning) = false;
        });
    }
}

/// The status is the second field of a receipt and left out when it is 0, so it follows the id or is not there.
fn is_failed(receipt: &[u8]) -> bool {
    const STATUS_TAG: u8 = 2 << 3;
    const AFTER_ID: usize = 2 + 32;
    receipt.get(AFTER_ID) == Some(&STATUS_TAG)
}

fn finalize<K: Kv>(
    speculation: &mut Speculation<Ledger<K>>,
    block: &SealedBlock,
) -> Result<Arc<Executed>, SpeculationError> {
    let last = speculation.last_final();
    if last.digest == block.digest {
        // It was made final before, and the one who asked went away before it was durable.
        return Ok(last.clone());
    }
    speculation.execute(block)?;
    Ok(speculation.finalize(&block.digest)?.executed)
}
