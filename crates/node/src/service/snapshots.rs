//! Reading the state after one of the last final blocks.

use super::{ChainApi, errors};
use crate::{executor::Urgency, ledger::Ledger};
use bytes::Bytes;
use yulian_api::{ApiError, Code};
use yulian_engine::Runtime;
use yulian_exec::{Snapshot, StateError};
use yulian_store::Kv;
use yulian_types::StateKey;

/// How often a read is begun anew when blocks become final under it.
const READS_MAX: usize = 3;

impl<R: Runtime, K: Kv> ChainApi<R, K> {
    /// Reads the state after one of the last final blocks.
    pub(super) async fn read_state<T>(
        &self,
        height: u64,
        read: impl Fn(&Snapshot<Ledger<K>>) -> Result<T, StateError>,
    ) -> Result<T, ApiError> {
        Ok(self.read_kept(height, read).await?.ok_or(Code::Pruned)?)
    }

    /// Reads the state after a final block; `None` if it is no longer in memory. A read that blocks overtake is begun anew.
    pub(super) async fn read_kept<T>(
        &self,
        height: u64,
        read: impl Fn(&Snapshot<Ledger<K>>) -> Result<T, StateError>,
    ) -> Result<Option<T>, ApiError> {
        let mut last = ApiError::new(Code::Busy);
        for _ in 0..READS_MAX {
            let state = self
                .node
                .executor
                .run(Urgency::Ordinary, move |s| s.final_state(height))
                .await?;
            let Some(state) = state else {
                return Ok(None);
            };
            match read(&state) {
                Ok(value) => return Ok(Some(value)),
                Err(error @ (StateError::Stale(_) | StateError::StaleUnder(_))) => last = errors::state(&error),
                Err(error) => return Err(errors::state(&error)),
            }
        }
        Err(last)
    }

    /// Reads the state after the last durable final block; the height is that of the state.
    pub(super) async fn read_tip<T>(
        &self,
        read: impl Fn(&Snapshot<Ledger<K>>) -> Result<T, StateError>,
    ) -> Result<(u64, T), ApiError> {
        let height = self.node.ledger().tip().height;
        Ok((height, self.read_state(height, read).await?))
    }

    /// The values of some keys after the last durable final block, in order.
    pub(super) async fn values(&self, keys: &[StateKey]) -> Result<(u64, Vec<Option<Bytes>>), ApiError> {
        self.read_tip(|state| keys.iter().map(|key| state.get(key)).collect())
            .await
    }
}
