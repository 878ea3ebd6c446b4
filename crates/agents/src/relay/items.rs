//! Makes the items of a step: reads the packet, looks where it stands, gets the proofs.

use super::{
    Event, Shared, Stage, Step,
    proofs::{Proven, Session},
};
use bytes::Bytes;
use prost::Message;
use std::collections::BTreeMap;
use yulian_crypto::Digest;
use yulian_sdk::SdkError;
use yulian_types::{
    SealedPacket, StateKey, encode,
    packet::{CARRY_ACKNOWLEDGE, CARRY_GIVE_UP, CARRY_RECEIVE, CARRY_RELAY, CARRY_SKIP, CARRY_TIME_OUT},
    proto::{CarryItem, InCursor, PacketRef},
};

/// Most numbers of an ordered sequence that are skipped in one step.
const SKIPS_MAX: u64 = 8;

/// For each ordered sequence (source, module): the number that is next after the items of the transaction so far.
pub(super) type Turns = BTreeMap<(Digest, String), u64>;

/// What came of a step.
pub(super) enum Prepared {
    /// To be brought, in this order.
    Items(Vec<CarryItem>),
    /// It cannot be proven yet, or it is not its turn.
    Wait,
    /// Somebody has done it: the state after this height says so.
    Moved(Event, u64),
    /// The packet has ended.
    Ended,
}

pub(super) async fn prepare(
    shared: &Shared,
    session: &mut Session<'_>,
    turns: &mut Turns,
    step: &Step,
) -> Result<Prepared, SdkError> {
    let packet = match read(shared, step).await? {
        Read::Sent(packet) => packet,
        Read::NotYet => return Ok(Prepared::Wait),
        Read::Ended => return Ok(Prepared::Ended),
    };
    let (timeout_ms, ordered) = (packet.message.timeout_ms, packet.message.ordered);
    shared.board().set_read(&step.packet, timeout_ms, ordered);
    let item = match step.stage {
        Stage::Relay => {
            if let Some(height) = stands(shared, &shared.hub, &packet.relayed_key()).await? {
                return Ok(Prepared::Moved(Event::Relayed, height));
            }
            let sent = session.prove(&packet.source, &packet.sent_key(), step.sent).await?;
            present(sent).map(|(_, proven)| item(CARRY_RELAY, &packet, proven))
        }
        Stage::Receive => return receive(shared, session, turns, step, &packet).await,
        Stage::Acknowledge => {
            let key = packet.result_key();
            let result = session.prove(&packet.destination, &key, step.received).await?;
            present(result).map(|(record, proven)| CarryItem {
                record,
                ..item(CARRY_ACKNOWLEDGE, &packet, proven)
            })
        }
        Stage::GiveUp => Some(CarryItem {
            kind: CARRY_GIVE_UP,
            packet: packet.bytes.clone(),
            ..Default::default()
        }),
        Stage::TimeOut => {
            let key = packet.result_key();
            if let Some(height) = stands(shared, &packet.destination, &key).await? {
                return Ok(Prepared::Moved(Event::Received, height));
            }
            let nothing = session.prove(&packet.destination, &key, 0).await?;
            let is_late = session.time_ms(&packet.destination) >= timeout_ms;
            nothing
                .filter(|proven| is_late && proven.value.is_none())
                .map(|proven| item(CARRY_TIME_OUT, &packet, proven))
        }
    };
    Ok(item.map_or(Prepared::Wait, |item| Prepared::Items(vec![item])))
}

fn item(kind: u32, packet: &SealedPacket, proven: Proven) -> CarryItem {
    CarryItem {
        kind,
        packet: packet.bytes.clone(),
        proof: Some(proven.proof),
        ..Default::default()
    }
}

async fn receive(
    shared: &Shared,
    session: &mut Session<'_>,
    turns: &mut Turns,
    step: &Step,
    packet: &SealedPacket,
) -> Result<Prepared, SdkError> {
    if let Some(height) = stands(shared, &packet.destination, &packet.result_key()).await? {
        return Ok(Prepared::Moved(Event::Received, height));
    }
    let mut items = Vec::new();
    if packet.message.ordered {
        let due = skips(shared, session, turns, packet, &mut items).await?;
        if due != packet.message.sequence {
            return Ok(some(items));
        }
    }
    let sent = session.prove(&packet.source, &packet.sent_key(), step.sent).await?;
    let Some((_, proven)) = present(sent) else {
        return Ok(some(items));
    };
    let mut taken = item(CARRY_RECEIVE, packet, proven);
    if step.relayed > 0 {
        let relayed = session.prove(&shared.hub, &packet.relayed_key(), step.relayed).await?;
        let Some((record, relayed)) = present(relayed) else {
            return Ok(some(items));
        };
        taken.record = record;
        taken.relay = Some(relayed.proof);
    }
    if packet.message.ordered {
        let sequence = (packet.source, packet.message.module.clone());
        turns.insert(sequence, packet.message.sequence + 1);
    }
    items.push(taken);
    Ok(Prepared::Items(items))
}

/// What there is, or nothing yet. Numbers that are skipped count without the packet that waits behind them.
fn some(items: Vec<CarryItem>) -> Prepared {
    match items.is_empty() {
        true => Prepared::Wait,
        false => Prepared::Items(items),
    }
}

/// Adds what makes the destination pass over numbers that have ended at the source. The number that is next then.
async fn skips(
    shared: &Shared,
    session: &mut Session<'_>,
    turns: &mut Turns,
    packet: &SealedPacket,
    items: &mut Vec<CarryItem>,
) -> Result<u64, SdkError> {
    let module = &packet.message.module;
    let sequence = (packet.source, module.clone());
    let mut next = match turns.get(&sequence) {
        Some(next) => *next,
        None => {
            let key = StateKey::in_cursor(&packet.source, module);
            let value = shared.places[&packet.destination]
                .chain()
                .state(&key, None)
                .await?
                .value;
            let cursor = value.and_then(|value| InCursor::decode(value.0).ok());
            cursor.map_or(1, |cursor| cursor.next)
        }
    };
    let most = next.saturating_add(SKIPS_MAX);
    while next < packet.message.sequence.min(most) {
        let key = StateKey::packet_ended(&packet.destination, module, next);
        let Some((record, proven)) = present(session.prove(&packet.source, &key, 0).await?) else {
            break;
        };
        let skipped = PacketRef {
            chain: packet.source.to_vec().into(),
            module: module.clone(),
            sequence: next,
        };
        items.push(CarryItem {
            kind: CARRY_SKIP,
            packet: encode(&skipped),
            record,
            proof: Some(proven.proof),
            ..Default::default()
        });
        next += 1;
    }
    if !items.is_empty() {
        turns.insert(sequence, next);
    }
    Ok(next)
}

fn present(proven: Option<Proven>) -> Option<(Bytes, Proven)> {
    let proven = proven?;
    let value = proven.value.clone()?;
    Some((value, proven))
}

/// The height after which a chain's state has a record, if it has.
async fn stands(shared: &Shared, at: &Digest, key: &StateKey) -> Result<Option<u64>, SdkError> {
    let view = shared.places[at].chain().state(key, None).await?;
    // The answer brings the header that proves it.
    shared.board().advanced(at, view.height + 1, 0);
    Ok(view.value_hash.map(|_| view.height))
}

/// What a packet's source holds.
enum Read {
    Sent(Box<SealedPacket>),
    /// The node's answer is from before it was sent.
    NotYet,
    /// It has ended.
    Ended,
}

async fn read(shared: &Shared, step: &Step) -> Result<Read, SdkError> {
    let key = &step.packet;
    let sent = StateKey::packet_sent(&key.destination, &key.module, key.sequence);
    let view = shared.places[&key.source].chain().state(&sent, None).await?;
    let packet = view.value.and_then(|value| SealedPacket::decode(value.0).ok());
    Ok(match packet {
        Some(packet) => Read::Sent(Box::new(packet)),
        None if view.height < step.sent => Read::NotYet,
        None => Read::Ended,
    })
}
