//! Judging the proposals of others.

use super::{ChainNode, walk::WalkError};
use crate::executor::{Stopping, Urgency};
use std::{future::pending, sync::Arc, time::Duration};
use yulian_engine::{Ancestors, Round, Runtime};
use yulian_exec::{RoundFacts, SpeculationError};
use yulian_store::Kv;
use yulian_types::SealedBlock;

/// What is known about a block.
enum Verdict {
    Valid,
    /// It can never become valid.
    Invalid(String),
    /// This node cannot tell; it must not answer.
    Unknown,
}

impl<R: Runtime, K: Kv> ChainNode<R, K> {
    /// Answers when it is certain; whatever time or data may mend is waited for.
    pub(super) async fn verify_block(&self, round: Round, block: Arc<SealedBlock>, ancestors: Ancestors) -> bool {
        match self.judge(&round, &block, ancestors).await {
            Verdict::Valid => {
                self.metrics.verified.one();
                let ahead = block.clone();
                // Execution goes on behind the vote, so that it is done when the next block is asked for.
                self.executor.post(move |speculation| {
                    let _ = speculation.execute(&ahead);
                });
                true
            }
            Verdict::Invalid(reason) => {
                self.metrics.invalid.one();
                let (height, epoch, view) = (block.height(), round.epoch, round.view);
                tracing::warn!(height, epoch, view, digest = %block.digest, %reason, "a proposal is invalid");
                false
            }
            Verdict::Unknown => pending().await,
        }
    }

    async fn judge(&self, round: &Round, block: &Arc<SealedBlock>, ancestors: Ancestors) -> Verdict {
        let parent = match self.executed_parent(ancestors).await {
            Ok((_, parent)) => parent,
            Err(WalkError::Overtaken) => return self.judge_overtaken(block).await,
            Err(WalkError::Wrong(error)) => return Verdict::Invalid(error.to_string()),
            Err(WalkError::Failed(error)) => return self.cannot_tell(error),
            Err(WalkError::Abandoned | WalkError::Stopping(_)) => return Verdict::Unknown,
        };
        self.wait_for_clock(block.header.time_ms, parent.parameters.clock_drift_ms)
            .await;
        let facts = RoundFacts {
            epoch: round.epoch,
            validators: round.validators.digest(),
        };
        let checked = block.clone();
        let rules = self
            .executor
            .run(Urgency::Consensus, move |s| s.check_block(&checked, &facts));
        let signatures = self.desk.check(Urgency::Consensus, &block.transactions);
        let (rules, signatures) = futures::join!(rules, signatures);
        match (rules, signatures) {
            (Ok(Ok(())), Ok(signatures)) => match signatures.iter().position(|ok| !ok) {
                None => Verdict::Valid,
                Some(index) => Verdict::Invalid(format!("the signature of transaction {index} is wrong")),
            },
            (Ok(Err(error @ SpeculationError::Fault(_))), _) => Verdict::Invalid(error.to_string()),
            // Final blocks went by meanwhile: either this one is among them, or the view is over.
            (Ok(Err(SpeculationError::UnknownBlock(_))), _) => {
                match self.is_final(block.digest, block.height()).await {
                    Ok(Some(true)) => Verdict::Valid,
                    Ok(_) | Err(_) => Verdict::Unknown,
                }
            }
            (Ok(Err(error)), _) => self.cannot_tell(error),
            (Err(Stopping), _) | (_, Err(Stopping)) => Verdict::Unknown,
        }
    }

    fn cannot_tell(&self, error: SpeculationError) -> Verdict {
        self.fail(error);
        Verdict::Unknown
    }

    /// The parent is below the last final block, or another block at its height: this one is final itself, or can never
    /// become so.
    async fn judge_overtaken(&self, block: &SealedBlock) -> Verdict {
        match self.is_final(block.digest, block.height()).await {
            Ok(Some(true)) => Verdict::Valid,
            Ok(Some(false)) => Verdict::Invalid("another block is final at its height".into()),
            Ok(None) => Verdict::Invalid("another block is final in place of its parent".into()),
            Err(WalkError::Failed(error)) => self.cannot_tell(error),
            Err(_) => Verdict::Unknown,
        }
    }

    /// Waits while a block is from a future further away than clocks may differ. Time itself is never a reason to refuse.
    async fn wait_for_clock(&self, time_ms: u64, drift_ms: u64) {
        loop {
            let early = time_ms.saturating_sub(self.runtime.now_ms().saturating_add(drift_ms));
            if early == 0 {
                return;
            }
            self.runtime.pause(Duration::from_millis(early)).await;
        }
    }
}
