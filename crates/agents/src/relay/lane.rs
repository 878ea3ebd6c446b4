//! Submits what can be done at one chain.

use super::{
    PacketKey, Place, RelayError, Shared, Stage, Step, now_ms,
    proofs::{Proven, Session},
};
use bytes::Bytes;
use prost::Message;
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};
use tokio::time::timeout;
use yulian_crypto::Digest;
use yulian_sdk::SdkError;
use yulian_types::{
    SealedPacket, StateKey,
    packet::{CARRY_ACKNOWLEDGE, CARRY_RECEIVE, CARRY_RELAY, CARRY_TIME_OUT},
    proto::{Carry, CarryAnswer, CarryItem, LinkUpdate},
};

/// Most items of one transaction: with their proofs at ten million keys they fit into a transaction's 64 KiB.
const ITEMS_MAX: usize = 16;
/// Most new headers of one transaction.
const HEADERS_MAX: usize = 6;
/// Most bytes of a transaction's items.
const ITEM_BYTES_MAX: usize = 40 * 1024;
/// Metering of a transaction: the chain's default limit.
const METERING: u64 = 10_000_000;
/// How long to wait for news at most: time-outs and waits come without any.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A chain that stands still is asked for a block at most this often, ms.
const TICK_EVERY_MS: u64 = 2_000;

/// A packet is done elsewhere: nothing is wrong.
const DONE_ELSEWHERE: [&str; 3] = ["link.already_relayed", "link.already_received", "link.not_pending"];

/// Works for one chain until the agent ends.
pub(super) async fn run(shared: Arc<Shared>, at: Digest) -> Result<(), RelayError> {
    loop {
        let news = shared.wake.notified();
        let steps = shared.board().steps(&at, now_ms(), ITEMS_MAX);
        if steps.is_empty() {
            let _ = timeout(LOOK_EVERY, news).await;
            continue;
        }
        let place = &shared.places[&at];
        match batch(&shared, &at, steps).await {
            Ok(Batch { items, updates }) if items.is_empty() => {
                drop(updates);
                let _ = timeout(LOOK_EVERY, news).await;
            }
            Ok(batch) => submit(&shared, place, batch).await,
            Err(error) => {
                shared.counters.error(place.chain().name(), error.to_string());
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

struct Batch {
    items: Vec<(PacketKey, CarryItem)>,
    updates: Vec<LinkUpdate>,
}

async fn batch(shared: &Shared, at: &Digest, steps: Vec<Step>) -> Result<Batch, SdkError> {
    let mut session = Session::new(shared, *at);
    let (mut items, mut bytes, mut headers) = (Vec::new(), 0, 0);
    for step in steps {
        let new = others(shared, at, &step)
            .into_iter()
            .filter(|chain| session.is_new(chain))
            .count();
        if headers + new > HEADERS_MAX {
            continue;
        }
        headers += new;
        let Some(item) = prepare(shared, &mut session, &step).await? else {
            continue;
        };
        bytes += item.encoded_len();
        if bytes > ITEM_BYTES_MAX {
            break;
        }
        items.push((step.packet, item));
    }
    Ok(Batch {
        items,
        updates: session.into_updates(),
    })
}

/// The chains whose headers a step needs.
fn others(shared: &Shared, at: &Digest, step: &Step) -> Vec<Digest> {
    let key = &step.packet;
    let needed = match step.stage {
        Stage::Relay => vec![key.source],
        Stage::Receive => vec![key.source, shared.hub],
        Stage::Acknowledge | Stage::TimeOut => vec![key.destination],
    };
    needed.into_iter().filter(|chain| chain != at).collect()
}

/// The item of a step, or `None` if it cannot be done yet, or not any more.
async fn prepare(shared: &Shared, session: &mut Session<'_>, step: &Step) -> Result<Option<CarryItem>, SdkError> {
    let packet = match read(shared, step).await? {
        Read::Sent(packet) => packet,
        Read::NotYet => return Ok(None),
        Read::Ended => {
            shared.board().forget(&step.packet);
            return Ok(None);
        }
    };
    shared.board().set_timeout(&step.packet, packet.message.timeout_ms);
    let mut item = CarryItem {
        packet: packet.bytes.clone(),
        ..Default::default()
    };
    match step.stage {
        Stage::Relay => {
            item.kind = CARRY_RELAY;
            let sent = session.prove(&packet.source, &packet.sent_key(), step.sent).await?;
            item.proof = present(sent).map(|(_, proven)| proven.proof);
        }
        Stage::Receive => {
            item.kind = CARRY_RECEIVE;
            let sent = session.prove(&packet.source, &packet.sent_key(), step.sent).await?;
            item.proof = present(sent).map(|(_, proven)| proven.proof);
            if step.relayed > 0 {
                let relayed = session.prove(&shared.hub, &packet.relayed_key(), step.relayed).await?;
                let Some((record, relayed)) = present(relayed) else {
                    return Ok(None);
                };
                item.record = record;
                item.relay = Some(relayed.proof);
            }
        }
        Stage::Acknowledge => {
            item.kind = CARRY_ACKNOWLEDGE;
            let result = session
                .prove(&packet.destination, &packet.result_key(), step.received)
                .await?;
            let Some((record, proven)) = present(result) else {
                return Ok(None);
            };
            item.record = record;
            item.proof = Some(proven.proof);
        }
        Stage::TimeOut => {
            item.kind = CARRY_TIME_OUT;
            let nothing = session.prove(&packet.destination, &packet.result_key(), 0).await?;
            if session.time_ms(&packet.destination) < packet.message.timeout_ms {
                tick(shared, &packet.destination).await;
                return Ok(None);
            }
            // Where there is a result after all, its event is on its way.
            item.proof = nothing
                .filter(|proven| proven.value.is_none())
                .map(|proven| proven.proof);
        }
    }
    Ok(item.proof.is_some().then_some(item))
}

fn present(proven: Option<Proven>) -> Option<(Bytes, Proven)> {
    let proven = proven?;
    let value = proven.value.clone()?;
    Some((value, proven))
}

/// What a packet's source holds.
enum Read {
    Sent(SealedPacket),
    /// The node's answer is from before it was sent.
    NotYet,
    /// It has ended, or this agent does not follow one of its ends.
    Ended,
}

async fn read(shared: &Shared, step: &Step) -> Result<Read, SdkError> {
    let key = &step.packet;
    let (Some(place), true) = (
        shared.places.get(&key.source),
        shared.places.contains_key(&key.destination),
    ) else {
        return Ok(Read::Ended);
    };
    let sent = StateKey::packet_sent(&key.destination, &key.module, key.sequence);
    let view = place.chain().state(&sent, None).await?;
    let packet = view.value.and_then(|value| SealedPacket::decode(value.0).ok());
    Ok(match packet {
        Some(packet) => Read::Sent(packet),
        None if view.height < step.sent => Read::NotYet,
        None => Read::Ended,
    })
}

/// Asks a chain that stands still for a block that shows its time.
async fn tick(shared: &Shared, chain: &Digest) {
    let place = &shared.places[chain];
    let now = now_ms();
    if place.ticked_ms.load(Relaxed) + TICK_EVERY_MS > now {
        return;
    }
    place.ticked_ms.store(now, Relaxed);
    if let Err(text) = call(shared, place, "tick", &()).await {
        shared.counters.error(place.chain().name(), text);
    }
}

/// Submits a call of `link` and waits for its result: the answer, or the code or text of what went wrong.
pub(super) async fn call(
    shared: &Shared,
    place: &Place,
    method: &str,
    arguments: &impl Message,
) -> Result<Bytes, String> {
    let chain = place.chain();
    let terms = chain.terms().metering_limit(METERING);
    let signed = place.member.account.call(&terms, "link", method, arguments);
    let signed = signed.map_err(|error| error.to_string())?;
    shared.counters.transactions.fetch_add(1, Relaxed);
    let result = chain
        .submit_and_wait(&signed)
        .await
        .map_err(|error| error.to_string())?
        .result;
    if result.success {
        Ok(result.output.0)
    } else {
        Err(format!("{}: {}", result.code, result.detail))
    }
}

async fn submit(shared: &Shared, place: &Place, batch: Batch) {
    let (keys, items): (Vec<PacketKey>, Vec<CarryItem>) = batch.items.into_iter().unzip();
    let headers = batch.updates.len() as u64;
    let carry = Carry {
        updates: batch.updates,
        items,
    };
    let answer = call(shared, place, "carry", &carry).await;
    let codes: Vec<String> = match &answer {
        Ok(output) => {
            shared.counters.headers.fetch_add(headers, Relaxed);
            CarryAnswer::decode(output.clone())
                .map(|answer| answer.items)
                .unwrap_or_default()
        }
        Err(text) => vec![text.clone(); keys.len()],
    };
    let now = now_ms();
    let mut wrong = None;
    {
        let mut board = shared.board();
        for (key, code) in keys.iter().zip(&codes) {
            if code.is_empty() || DONE_ELSEWHERE.iter().any(|done| code.starts_with(done)) {
                board.submitted(key, now);
            } else {
                board.failed(key, now);
                wrong = Some(code.clone());
            }
        }
    }
    let done = codes.iter().filter(|code| code.is_empty()).count() as u64;
    shared.counters.carried.fetch_add(done, Relaxed);
    shared.counters.refused.fetch_add(keys.len() as u64 - done, Relaxed);
    if let Some(code) = wrong {
        shared.counters.error(place.chain().name(), code);
    }
}
