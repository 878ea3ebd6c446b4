//! Follows a chain and notes what it says of packets.

use super::{Board, Event, PacketKey, RelayError, Shared};
use prost::Message;
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};
use yulian_api::views::{StreamBlock, StreamDetail};
use yulian_crypto::Digest;
use yulian_sdk::SdkError;
use yulian_types::proto::Receipt;

/// Wait before a chain that cannot be reached is followed again.
const AGAIN: Duration = Duration::from_secs(2);

/// Follows from the cursor on. A chain that cannot be reached is waited for; one that refuses to show its blocks ends the agent.
pub(super) async fn follow(shared: Arc<Shared>, id: Digest) -> Result<(), RelayError> {
    let place = &shared.places[&id];
    loop {
        let from = place.height.load(Relaxed) + 1;
        let mut follow = place.chain().follow(from, StreamDetail::Raw);
        while let Some(next) = follow.next().await {
            match next {
                Ok(block) => take(&shared, &id, &block),
                Err(source @ SdkError::Refused { .. }) => {
                    let (chain, source) = (place.chain().name().into(), Box::new(source));
                    return Err(RelayError::Follow { chain, source });
                }
                Err(error) => shared.counters.error(place.chain().name(), error.to_string()),
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}

fn take(shared: &Shared, id: &Digest, block: &StreamBlock) {
    let height = block.header.height;
    let receipts = block.receipts.iter().flatten();
    let read: Vec<Receipt> = receipts
        .filter_map(|bytes| Receipt::decode(bytes.0.clone()).ok())
        .collect();
    {
        let mut board = shared.board();
        for event in read.iter().flat_map(|receipt| &receipt.events) {
            note(&mut board, &event.name, &event.data, id, height);
        }
    }
    let place = &shared.places[id];
    place.time_ms.store(block.header.time_ms, Relaxed);
    place.height.store(height, Relaxed);
    shared.wake.notify_waiters();
}

/// Each event counts only from the chain whose business it is.
fn note(board: &mut Board, name: &str, data: &[u8], id: &Digest, height: u64) {
    let (Some(event), Some(key)) = (Event::parse(name), PacketKey::parse(data)) else {
        return;
    };
    let own = match event {
        Event::Sent | Event::Ended => key.source == *id,
        Event::Received => key.destination == *id,
        Event::Relayed => true,
    };
    if own {
        board.note(event, key, height);
    }
}
