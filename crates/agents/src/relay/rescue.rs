//! What a chain has sent and is still open, read from its state: for a chain whose blocks are no longer there.

use super::{Event, PacketKey, Place, Shared, keeper::linked};
use bytes::Bytes;
use prost::Message;
use std::sync::{Arc, atomic::Ordering::Relaxed};
use yulian_api::{BlockRef, limits::STATE_KEYS_MAX};
use yulian_crypto::Digest;
use yulian_sdk::SdkError;
use yulian_types::{SealedPacket, StateKey, proto::OutCursor, state_keys::LINK_ID};

/// Modules that send packets.
const MODULES: [&str; 3] = ["notice", "verification", "voucher"];
/// Most numbers of a sequence that are looked at, from the last one down.
const NUMBERS_MAX: u64 = 1 << 18;

/// Packets of one module to one chain.
struct Sequence {
    destination: Digest,
    module: &'static str,
    cursor: OutCursor,
}

/// Notes every open packet of a chain on the board. The height from which on the chain can be followed again, and the sequences of
/// which not all were found.
///
/// # Errors
/// If the chain's state cannot be read.
pub(super) async fn rescue(shared: &Shared, id: &Digest) -> Result<u64, SdkError> {
    let place = &shared.places[id];
    let destinations: Vec<Digest> = linked(place).await?.into_iter().collect();
    let (height, sequences) = sequences(place, &destinations).await?;
    for sequence in &sequences {
        let found = open(shared, id, sequence, height).await?;
        if found < sequence.cursor.pending {
            let missing = sequence.cursor.pending - found;
            let module = sequence.module;
            let text = format!(
                "{missing} 条较早的 {module} 消息未能找回 / {missing} older packets of {module} were not found"
            );
            shared.error(id, text);
        }
    }
    place.rescued.store(height, Relaxed);
    Ok(height)
}

/// The sequences with open packets, and the height after which they were read.
async fn sequences(place: &Place, destinations: &[Digest]) -> Result<(u64, Vec<Sequence>), SdkError> {
    let of = |destination: &Digest| MODULES.map(|module| (*destination, module));
    let all: Vec<(Digest, &'static str)> = destinations.iter().flat_map(of).collect();
    let mut height = None;
    let mut found = Vec::new();
    for some in all.chunks(STATE_KEYS_MAX) {
        let keys = some
            .iter()
            .map(|(destination, module)| StateKey::out_cursor(destination, module).key);
        let view = place.chain().states(LINK_ID, keys, None).await?;
        // What is sent after the first answer is followed.
        height.get_or_insert(view.height);
        for ((destination, module), item) in some.iter().zip(view.items) {
            let cursor = item.value.and_then(|value| OutCursor::decode(value.0).ok());
            let Some(cursor) = cursor.filter(|cursor| cursor.pending > 0) else {
                continue;
            };
            let (destination, module) = (*destination, *module);
            found.push(Sequence {
                destination,
                module,
                cursor,
            });
        }
    }
    let height = match height {
        Some(height) => height,
        None => place.chain().header(BlockRef::Latest).await?.height,
    };
    Ok((height, found))
}

/// Notes the open packets of a sequence, from the last number down until all are found; how many there are.
async fn open(shared: &Shared, id: &Digest, sequence: &Sequence, height: u64) -> Result<u64, SdkError> {
    let chain = shared.places[id].chain();
    let last = sequence.cursor.next;
    let lowest = last.saturating_sub(NUMBERS_MAX).max(1);
    let (mut until, mut found) = (last, 0);
    while until > lowest && found < sequence.cursor.pending {
        let from = until.saturating_sub(STATE_KEYS_MAX as u64).max(lowest);
        let key = |number| StateKey::packet_sent(&sequence.destination, sequence.module, number).key;
        let keys: Vec<Bytes> = (from..until).map(key).collect();
        let view = chain.states(LINK_ID, keys, None).await?;
        let packets = view
            .items
            .into_iter()
            .filter_map(|item| SealedPacket::decode(item.value?.0).ok());
        for packet in packets {
            note(shared, packet, height);
            found += 1;
        }
        until = from;
    }
    Ok(found)
}

fn note(shared: &Shared, packet: SealedPacket, height: u64) {
    let key = PacketKey {
        source: packet.source,
        destination: packet.destination,
        module: packet.message.module.clone(),
        sequence: packet.message.sequence,
    };
    let mut board = shared.board();
    board.note(Event::Sent, key.clone(), height, true);
    board.set_read(&key, &Arc::new(packet));
}
