//! Asks chains that stand still for a block: it shows that a packet is late.

use super::{RelayError, Shared, flight::call, now_ms};
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};
use tokio::task::JoinSet;
use yulian_crypto::Digest;

/// How often it looks for such packets.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A chain is asked at most this often, ms: not again before the last question is over.
const TICK_EVERY_MS: u64 = 5_000;
/// How long the result of one question is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Each question is a task of its own: a chain that does not answer holds no other up.
pub(super) async fn run(shared: Arc<Shared>) -> Result<(), RelayError> {
    let mut asked = JoinSet::new();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        while let Some(ended) = asked.try_join_next() {
            ended.map_err(RelayError::Task)?;
        }
        let now = now_ms();
        let wanted = shared.board().to_tick(now);
        for chain in wanted {
            let place = &shared.places[&chain];
            if place.is_own() && place.ticked_ms.load(Relaxed) + TICK_EVERY_MS <= now {
                place.ticked_ms.store(now, Relaxed);
                asked.spawn(tick(shared.clone(), chain));
            }
        }
    }
}

async fn tick(shared: Arc<Shared>, chain: Digest) {
    let place = &shared.places[&chain];
    if let Err(text) = call(&shared, place, PATIENCE, "tick", &()).await {
        shared.counters.error(place.chain().name(), text);
    }
}
