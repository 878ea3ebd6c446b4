//! Submits what can be done at one chain.

use super::{
    PacketKey, Place, RelayError, Shared, Stage, Step,
    items::{Prepared, prepare},
    now_ms,
    proofs::Session,
};
use bytes::Bytes;
use prost::Message;
use std::{collections::BTreeMap, sync::Arc, sync::atomic::Ordering::Relaxed, time::Duration};
use tokio::time::timeout;
use yulian_crypto::Digest;
use yulian_sdk::Patience;
use yulian_types::{
    packet::CARRY_SKIP,
    proto::{Carry, CarryAnswer, CarryItem, LinkUpdate},
};

/// Most steps of one transaction: with their proofs at ten million keys they fit into a transaction's 64 KiB.
const ITEMS_MAX: usize = 16;
/// Most new headers of one transaction.
const HEADERS_MAX: usize = 6;
/// Most bytes of a `Carry`, its headers included.
const CARRY_BYTES_MAX: usize = 48 * 1024;
/// Metering of a transaction: the chain's default limit.
const METERING: u64 = 10_000_000;
/// How long to wait for news at most: time-outs and waits come without any.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long a lane waits for the result of what it carries.
const CARRY_PATIENCE: Duration = Duration::from_secs(30);

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
        let batch = batch(&shared, &at, steps).await;
        if batch.is_worth_it() {
            submit(&shared, &shared.places[&at], batch).await;
        }
    }
}

#[derive(Default)]
struct Batch {
    items: Vec<(PacketKey, Stage, CarryItem)>,
    updates: Vec<LinkUpdate>,
    /// The updates are of use by themselves: a light client that slept for long has caught up a part, or they left no room.
    updates_alone: bool,
}

impl Batch {
    fn is_worth_it(&self) -> bool {
        !self.items.is_empty() || (self.updates_alone && !self.updates.is_empty())
    }
}

/// Prepares the steps, each by itself: what cannot be done now is tried later.
async fn batch(shared: &Shared, at: &Digest, steps: Vec<Step>) -> Batch {
    let mut session = Session::new(shared, *at);
    let mut turns = BTreeMap::new();
    let mut batch = Batch::default();
    for step in steps {
        let (key, stage) = (&step.packet, step.stage);
        let new = others(shared, at, &step);
        let new = new.iter().filter(|chain| session.is_new(chain)).count();
        if session.headers() + new > HEADERS_MAX {
            continue;
        }
        let prepared = match prepare(shared, &mut session, &mut turns, &step).await {
            Ok(prepared) => prepared,
            Err(error) => {
                shared.board().failed(key, stage, now_ms());
                let name = shared.places[at].chain().name();
                shared.counters.error(name, error.to_string());
                continue;
            }
        };
        let items = match prepared {
            Prepared::Items(items) => items,
            Prepared::Wait => {
                shared.board().waited(key, stage, now_ms());
                continue;
            }
            Prepared::Moved(event, height) => {
                shared.board().note(event, key.clone(), height);
                shared.wake.notify_waiters();
                continue;
            }
            Prepared::Ended => {
                shared.board().forget(key);
                continue;
            }
        };
        let bytes: usize = items.iter().map(Message::encoded_len).sum();
        let before: usize = batch.items.iter().map(|(_, _, item)| item.encoded_len()).sum();
        if before + bytes + session.update_bytes() > CARRY_BYTES_MAX {
            no_room(shared, at, &step, &mut session, &mut batch);
            break;
        }
        session.settle();
        batch
            .items
            .extend(items.into_iter().map(|item| (key.clone(), stage, item)));
    }
    batch.updates_alone |= session.is_behind();
    batch.updates = session.into_updates();
    batch
}

/// A step does not fit any more: it comes with the next transaction. Where it is the first, its headers go ahead, and it follows when
/// they are known.
fn no_room(shared: &Shared, at: &Digest, step: &Step, session: &mut Session<'_>, batch: &mut Batch) {
    if !batch.items.is_empty() {
        session.drop_new();
    } else if session.update_bytes() > 0 {
        batch.updates_alone = true;
        shared.board().waited(&step.packet, step.stage, now_ms());
    } else {
        shared.board().failed(&step.packet, step.stage, now_ms());
        let text =
            format!("一笔交易最多 {CARRY_BYTES_MAX} 字节 / a transaction carries {CARRY_BYTES_MAX} bytes at most");
        shared.counters.error(shared.places[at].chain().name(), text);
    }
}

/// The chains whose headers a step needs.
fn others(shared: &Shared, at: &Digest, step: &Step) -> Vec<Digest> {
    let key = &step.packet;
    let needed = match step.stage {
        Stage::Relay => vec![key.source],
        Stage::Receive => vec![key.source, shared.hub],
        Stage::Acknowledge | Stage::TimeOut => vec![key.destination],
        Stage::GiveUp => Vec::new(),
    };
    needed.into_iter().filter(|chain| chain != at).collect()
}

/// Submits a call of `link` and waits so long for its result: the answer, or the code or text of what went wrong.
pub(super) async fn call(
    shared: &Shared,
    place: &Place,
    patience: Duration,
    method: &str,
    arguments: &impl Message,
) -> Result<Bytes, String> {
    let chain = place.chain();
    let terms = chain.terms().metering_limit(METERING);
    let account = place.member.account.as_ref();
    let account =
        account.ok_or_else(|| "代理在这条链上没有账户 / the agent has no account on this chain".to_owned())?;
    let signed = account.call(&terms, "link", method, arguments);
    let signed = signed.map_err(|error| error.to_string())?;
    shared.counters.transactions.fetch_add(1, Relaxed);
    let result = chain
        .submit_and_wait_for(&signed, Patience::For(patience))
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
    let mut places = Vec::with_capacity(batch.items.len());
    let mut items = Vec::with_capacity(batch.items.len());
    for (key, stage, item) in batch.items {
        places.push((key, stage, item.kind));
        items.push(item);
    }
    let headers = batch.updates.len() as u64;
    let carry = Carry {
        updates: batch.updates,
        items,
    };
    let answer = call(shared, place, CARRY_PATIENCE, "carry", &carry).await;
    let codes: Vec<String> = match &answer {
        Ok(output) => {
            shared.counters.headers.fetch_add(headers, Relaxed);
            CarryAnswer::decode(output.clone())
                .map(|answer| answer.items)
                .unwrap_or_default()
        }
        Err(text) => vec![text.clone(); places.len()],
    };
    let mut wrong = answer.err().filter(|_| places.is_empty());
    let now = now_ms();
    {
        let mut board = shared.board();
        for ((key, stage, kind), code) in places.iter().zip(&codes) {
            let elsewhere = DONE_ELSEWHERE.iter().any(|done| code.starts_with(done));
            match (code.is_empty() || elsewhere, *kind) {
                // What was skipped is no event of the packet that waits behind it.
                (true, CARRY_SKIP) => board.waited(key, *stage, now),
                (true, _) => board.submitted(key, *stage, now),
                (false, _) => {
                    board.failed(key, *stage, now);
                    wrong = Some(code.clone());
                }
            }
        }
    }
    let done = codes.iter().filter(|code| code.is_empty()).count() as u64;
    shared.counters.carried.fetch_add(done, Relaxed);
    shared
        .counters
        .refused
        .fetch_add((places.len() as u64).saturating_sub(done), Relaxed);
    if let Some(code) = wrong {
        shared.counters.error(place.chain().name(), code);
    }
}
