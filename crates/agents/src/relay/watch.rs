//! Follows a chain and notes what it says of packets.

use super::{Board, Event, PacketKey, Place, RelayError, Shared, now_ms, rescue::rescue};
use prost::Message;
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};
use yulian_api::{
    Code,
    views::{StreamBlock, StreamDetail},
};
use yulian_crypto::Digest;
use yulian_types::proto::Receipt;

/// First wait before a chain that cannot be followed is followed again; it doubles.
const AGAIN: Duration = Duration::from_secs(2);
/// Longest wait.
const AGAIN_MAX: Duration = Duration::from_secs(60);
/// A block is new for so long, ms.
const NEW_MS: u64 = 2_000;

/// Follows from the cursor on. A chain that cannot be reached or refuses to show its blocks is tried again: the others go on.
pub(super) async fn follow(shared: Arc<Shared>, id: Digest) -> Result<(), RelayError> {
    let place = &shared.places[&id];
    let mut wait = AGAIN;
    loop {
        match stretch(&shared, &id, place, &mut wait).await {
            Ended::Anew => continue,
            Ended::Pruned => match rescue(&shared, &id).await {
                Ok(height) => {
                    let before = place.height.swap(height, Relaxed);
                    shared.wake.notify_waiters();
                    // The same once more, and the blocks after it are not there either: not at once again.
                    if before != height {
                        continue;
                    }
                }
                Err(error) => shared.error(&id, error.to_string()),
            },
            Ended::Failed => {}
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(AGAIN_MAX);
    }
}

/// Why a chain is not followed any further.
enum Ended {
    /// It is followed from its cursor on, or at another node.
    Anew,
    /// The blocks are no longer there.
    Pruned,
    Failed,
}

/// Follows until something stands against it.
async fn stretch(shared: &Shared, id: &Digest, place: &Place, wait: &mut Duration) -> Ended {
    let from = place.height.load(Relaxed) + 1;
    let mut follow = place.chain().follow(from, StreamDetail::Raw);
    loop {
        if let Some(height) = shared.board().again_from(id) {
            place.height.fetch_min(height.saturating_sub(1), Relaxed);
            return Ended::Anew;
        }
        let next = tokio::select! {
            next = follow.next() => next,
            () = place.moved.notified() => return Ended::Anew,
        };
        match next {
            Some(Ok(block)) => {
                *wait = AGAIN;
                take(shared, id, &block);
            }
            Some(Err(error)) => {
                shared.error(id, error.to_string());
                return match error.code() == Some(Code::Pruned.entry().code) {
                    true => Ended::Pruned,
                    false => Ended::Failed,
                };
            }
            None => return Ended::Failed,
        }
    }
}

fn take(shared: &Shared, id: &Digest, block: &StreamBlock) {
    let height = block.header.height;
    let receipts = block.receipts.iter().flatten();
    let read: Vec<Receipt> = receipts
        .filter_map(|bytes| Receipt::decode(bytes.0.clone()).ok())
        .collect();
    // What came of packets of a block that is not new may stand in blocks of others that are not followed any more.
    let look = block.header.time_ms.saturating_add(NEW_MS) < now_ms();
    {
        let mut board = shared.board();
        for event in read.iter().flat_map(|receipt| &receipt.events) {
            let key = PacketKey::parse(&event.data);
            if key.is_some_and(|key| shared.concerns(&key.source, &key.destination)) {
                note(&mut board, (&event.name, &event.data), id, &shared.hub, (height, look));
            }
        }
        board.advanced(id, height, block.header.time_ms);
    }
    let place = &shared.places[id];
    place.time_ms.store(block.header.time_ms, Relaxed);
    place.height.store(height, Relaxed);
    shared.wake.notify_waiters();
}

/// Each event counts only from the chain whose business it is.
fn note(board: &mut Board, (name, data): (&str, &[u8]), id: &Digest, hub: &Digest, (height, look): (u64, bool)) {
    let (Some(event), Some(key)) = (Event::parse(name), PacketKey::parse(data)) else {
        return;
    };
    let own = match event {
        Event::Sent | Event::Ended => key.source == *id,
        Event::Received => key.destination == *id,
        Event::Relayed => id == hub,
    };
    if own {
        board.note(event, key, height, look);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::Stage;

    #[test]
    fn the_word_of_a_chain_counts_for_its_own_business_alone() {
        let [hub, source, destination] = [0, 1, 2].map(|number| Digest([number; 32]));
        let mut board = Board::new(hub, [hub, source, destination].into());
        [hub, source, destination]
            .iter()
            .for_each(|chain| board.advanced(chain, 100, 1));
        let data = [&source.0[..], &destination.0, &7u64.to_be_bytes(), b"notice"].concat();
        let mut say = |name: &str, id: &Digest| {
            note(&mut board, (name, &data), id, &hub, (5, false));
            let stage = |chain| board.clone().take(chain, 0, 1).first().map(|step| step.stage);
            [&hub, &source, &destination].into_iter().find_map(stage)
        };
        assert_eq!(say("packet_sent", &destination), None);
        assert_eq!(say("packet_sent", &source), Some(Stage::Relay));
        assert_eq!(say("packet_relayed", &source), Some(Stage::Relay));
        assert_eq!(say("packet_relayed", &hub), Some(Stage::Receive));
        assert_eq!(say("packet_received", &source), Some(Stage::Receive));
        assert_eq!(say("packet_received", &destination), Some(Stage::Acknowledge));
        assert_eq!(say("packet_ended", &destination), Some(Stage::Acknowledge));
        assert_eq!(say("packet_ended", &source), None);
    }
}
