//! Takes what can be done at one chain and has several transactions under way there.

use super::{RelayError, Shared, flight, now_ms};
use std::{future::pending, sync::Arc, time::Duration};
use tokio::{task::JoinSet, time::sleep};
use yulian_crypto::Digest;

/// Most transactions of one chain that are under way at a time.
const FLIGHTS_MAX: usize = 16;
/// While one is under way the next leaves when it is full, or so much later, ms: fewer and fuller ones cost the chain less. The first
/// never waits.
const GATHER_MS: u64 = 60;
/// Longest time between two looks while something waits for its time, ms: this machine's clock may be set.
const LOOK_MS_MAX: u64 = 2_000;

/// Works for one chain until the agent ends.
pub(super) async fn run(shared: Arc<Shared>, at: Digest) -> Result<(), RelayError> {
    let mut flights = JoinSet::new();
    let mut gathering_since = None;
    loop {
        // Before the look, so that nothing that comes after it is missed.
        let news = shared.wake.notified();
        let now = now_ms();
        let ready = shared.board().ready(&at, now);
        let since = match ready {
            0 => None,
            _ => Some(gathering_since.unwrap_or(now)),
        };
        gathering_since = since;
        let gathered = since.is_some_and(|since| since.saturating_add(GATHER_MS) <= now);
        let full = ready >= flight::ITEMS_MAX;
        if ready > 0 && flights.len() < FLIGHTS_MAX && (flights.is_empty() || full || gathered) {
            let steps = shared.board().take(&at, now, flight::ITEMS_MAX);
            shared.counters.under_way(1);
            flights.spawn(flight::fly(shared.clone(), at, steps));
            gathering_since = None;
            continue;
        }
        let due = match since {
            Some(since) if flights.len() < FLIGHTS_MAX => Some(since.saturating_add(GATHER_MS)),
            _ => shared.board().next_due(&at),
        };
        let pause = due.map(|due| Duration::from_millis(due.saturating_sub(now).clamp(1, LOOK_MS_MAX)));
        let pause = async move {
            match pause {
                Some(pause) => sleep(pause).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = news => {}
            () = pause => {}
            Some(ended) = flights.join_next() => {
                shared.counters.under_way(-1);
                ended.map_err(RelayError::Task)?;
            }
        }
    }
}
