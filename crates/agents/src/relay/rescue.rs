//! What a chain has sent and is still open, read from its state: for a chain whose blocks are no longer there.

#[cfg(test)]
mod tests;

use super::Shared;
use std::sync::atomic::Ordering::Relaxed;
use yulian_api::limits::STATE_KEYS_MAX;
use yulian_crypto::Digest;
use yulian_sdk::{Chain, SdkError};
use yulian_types::{
    StateKey,
    proto::{LinkList, OutCursor},
    state_keys::PACKET_MODULES,
};

/// Most numbers of a sequence that are looked at, from the last one down.
const NUMBERS_MAX: u64 = 1 << 18;

/// Packets of one module to one chain.
type Sequence = (Digest, &'static str);

/// Notes every open packet of a chain on the board that is any of this agent's business. The height after which the chain can be
/// followed again.
///
/// # Errors
/// If the chain's state cannot be read.
pub(super) async fn rescue(shared: &Shared, id: &Digest) -> Result<u64, SdkError> {
    let place = &shared.places[id];
    let since = place.height.load(Relaxed) + 1;
    // One node alone: its answers do not go back in height, so what one of them lacks is in the blocks after the first.
    let chain = place.chain();
    let chain = chain.only(chain.client().current());
    let (height, list) = chain.records::<LinkList>(&[StateKey::link_list()]).await?;
    let linked = list.into_iter().flatten().flat_map(|list| list.chains);
    let sequences: Vec<Sequence> = linked
        .filter_map(|chain| Digest::from_slice(&chain))
        .filter(|destination| shared.concerns(id, destination))
        .flat_map(|destination| PACKET_MODULES.map(|module| (destination, module)))
        .collect();
    for some in sequences.chunks(STATE_KEYS_MAX) {
        let key = |(destination, module): &Sequence| StateKey::out_cursor(destination, module);
        let keys: Vec<StateKey> = some.iter().map(key).collect();
        let (_, cursors) = chain.records::<OutCursor>(&keys).await?;
        for (sequence, cursor) in some.iter().zip(cursors) {
            if let Some(cursor) = cursor.filter(|cursor| cursor.pending > 0) {
                let lowest = cursor.next.saturating_sub(NUMBERS_MAX).max(1);
                open(shared, &chain, sequence, &cursor, (lowest, since)).await?;
            }
        }
    }
    Ok(height)
}

/// Notes the open packets of a sequence, from the last number down to the lowest until all are found.
async fn open(
    shared: &Shared,
    chain: &Chain,
    (destination, module): &Sequence,
    cursor: &OutCursor,
    (lowest, since): (u64, u64),
) -> Result<(), SdkError> {
    let (mut until, mut found) = (cursor.next, 0);
    while until > lowest && found < cursor.pending {
        let from = until.saturating_sub(STATE_KEYS_MAX as u64).max(lowest);
        let (height, packets) = chain.packets(destination, module, from..until).await?;
        found += packets.len() as u64;
        let mut board = shared.board();
        packets
            .into_iter()
            .for_each(|packet| board.found(packet, since, height));
        until = from;
    }
    // Where all numbers were looked at, the others have ended meanwhile.
    if lowest > 1 && found < cursor.pending {
        let missing = cursor.pending - found;
        let text = format!(
            "至多 {missing} 条较早的 {module} 消息未能找回 / up to {missing} older packets of {module} were not found"
        );
        shared.error(&chain.id(), text);
    }
    Ok(())
}
