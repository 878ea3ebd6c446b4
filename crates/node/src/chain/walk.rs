//! Making sure that a parent has been executed.

use super::Core;
use crate::executor::{Stopping, Urgency};
use futures::StreamExt;
use std::sync::Arc;
use yulian_engine::{Ancestors, Runtime};
use yulian_exec::{Executed, SpeculationError};
use yulian_store::Kv;
use yulian_types::{Digest, SealedBlock};

/// Most blocks above the last final one that are fetched and executed to reach a parent. Further above, this node is
/// behind: it waits until final blocks have brought it closer.
const WALK_MAX: u64 = 128;

const _: () = assert!((WALK_MAX as usize) < yulian_exec::limits::PENDING_BLOCKS_MAX);

/// Why there is no executed parent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum WalkError {
    /// The parent neither is nor descends from the last final block, and never will.
    #[error("the parent was overtaken by a final block")]
    Overtaken,
    /// The proposal was abandoned while its ancestors were fetched, or they were forgotten before they were needed.
    #[error("the proposal was abandoned")]
    Abandoned,
    /// An ancestor is not a valid block.
    #[error("an ancestor is wrong: {0}")]
    Wrong(SpeculationError),
    /// This node cannot execute.
    #[error(transparent)]
    Failed(SpeculationError),
    /// The node stops.
    #[error(transparent)]
    Stopping(#[from] Stopping),
}

impl From<SpeculationError> for WalkError {
    fn from(error: SpeculationError) -> Self {
        match error {
            SpeculationError::Fault(_) => Self::Wrong(error),
            // Forgotten between two steps; whether it was overtaken is asked anew where it matters.
            SpeculationError::UnknownBlock(_) | SpeculationError::NotNext(_) => Self::Abandoned,
            _ => Self::Failed(error),
        }
    }
}

enum Found {
    Executed(Arc<Executed>),
    Above,
    Overtaken,
}

impl<R: Runtime, K: Kv> Core<R, K> {
    /// The results of the first of `ancestors`, after executing those between it and the last final block.
    pub(super) async fn executed_parent(
        &self,
        mut ancestors: Ancestors,
    ) -> Result<(Arc<SealedBlock>, Arc<Executed>), WalkError> {
        let parent = ancestors.next().await.ok_or(WalkError::Abandoned)?;
        self.come_close(parent.height()).await?;
        let mut missing = Vec::new();
        let mut next = parent.clone();
        loop {
            match self.find(next.digest, next.height()).await? {
                Found::Executed(executed) if missing.is_empty() => return Ok((parent, executed)),
                Found::Overtaken if missing.is_empty() => return Err(WalkError::Overtaken),
                // Met what was executed, or what became final from below while we came down.
                Found::Executed(_) | Found::Overtaken => break,
                Found::Above => missing.push(next),
            }
            next = ancestors.next().await.ok_or(WalkError::Abandoned)?;
        }
        for block in missing.into_iter().rev() {
            self.advance(block).await?;
        }
        match self.find(parent.digest, parent.height()).await? {
            Found::Executed(executed) => Ok((parent, executed)),
            Found::Overtaken => Err(WalkError::Overtaken),
            Found::Above => Err(WalkError::Abandoned),
        }
    }

    async fn come_close(&self, height: u64) -> Result<(), WalkError> {
        let mut latest = self.latest.subscribe();
        let close = latest.wait_for(|latest| latest.tip.height + WALK_MAX >= height).await;
        close.map(drop).map_err(|_| Stopping.into())
    }

    async fn find(&self, digest: Digest, height: u64) -> Result<Found, Stopping> {
        let find = move |speculation: &mut yulian_exec::Speculation<crate::ledger::Ledger<K>>| match speculation
            .executed(&digest)
        {
            Some(executed) => Found::Executed(executed.clone()),
            None if height <= speculation.last_final().height() => Found::Overtaken,
            None => Found::Above,
        };
        self.executor.run(Urgency::Consensus, find).await
    }

    /// Executes a block whose parent was executed, unless blocks of its height have become final meanwhile.
    async fn advance(&self, block: Arc<SealedBlock>) -> Result<(), WalkError> {
        let began = self.runtime.now_ms();
        let work = move |speculation: &mut yulian_exec::Speculation<crate::ledger::Ledger<K>>| {
            let overtaken = block.height() <= speculation.last_final().height();
            if overtaken {
                Ok(())
            } else {
                speculation.execute(&block).map(drop)
            }
        };
        self.executor.run(Urgency::Consensus, work).await??;
        self.metrics
            .execute_ms
            .observe_ms(self.runtime.now_ms().saturating_sub(began));
        Ok(())
    }

    /// Whether a block of that digest and height is, or can no longer become, final. `None`: it still can.
    pub(super) async fn is_final(&self, digest: Digest, height: u64) -> Result<Option<bool>, WalkError> {
        let last = self
            .executor
            .run(Urgency::Consensus, |s| s.last_final().clone())
            .await?;
        if height > last.height() {
            return Ok(None);
        }
        if height == last.height() {
            return Ok(Some(digest == last.digest));
        }
        let found = self.ledger.height_of_final(&digest);
        let found = found.map_err(|error| WalkError::Failed(SpeculationError::Anchor(error.to_string())))?;
        // Below the last final block, all but one of them may not be durable yet.
        let known = found.is_some() || height <= self.ledger.tip().height;
        Ok(known.then_some(found.is_some()))
    }
}
