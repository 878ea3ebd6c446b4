//! One transaction from the steps that it takes to the answer of its chain.

use super::{
    Place, Shared, Stage, Step,
    items::{Prepared, Sources, Turns},
    now_ms,
    reads::Reads,
    updates::{self, Header},
};
use bytes::Bytes;
use prost::Message;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};
use yulian_crypto::Digest;
use yulian_sdk::Patience;
use yulian_types::{
    packet::CARRY_SKIP,
    proto::{Carry, CarryAnswer, CarryItem, LinkUpdate},
};

/// Most items of one transaction; the same as `link` takes.
pub(super) const ITEMS_MAX: usize = 32;
/// Most new headers of one transaction; the same as `link` takes.
const HEADERS_MAX: usize = 8;
/// Most bytes of a `Carry`, its headers included.
const CARRY_BYTES_MAX: usize = 56 * 1024;
/// Metering of a transaction: the chain's default limit.
const METERING: u64 = 10_000_000;
/// How long the result of a transaction is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A packet is done elsewhere: nothing is wrong.
const DONE_ELSEWHERE: [&str; 3] = ["link.already_relayed", "link.already_received", "link.not_pending"];

/// The chain takes nothing new: what was new to it was refused, and all beside it.
const NOTHING_NEW: [&str; 2] = ["chain.paused", "chain.storage_quota"];

/// Brings the steps, as far as they find room in one transaction, and tells the board what became of each.
pub(super) async fn fly(shared: Arc<Shared>, at: Digest, steps: Vec<Step>) {
    let _sequences = Sequences::of(&shared, at, &steps);
    let reads = Reads::of(&shared, &at, &steps).await;
    let others: BTreeSet<Digest> = steps.iter().flat_map(|step| others(&shared.hub, &at, step)).collect();
    let read = |chain: Digest| reads.get(&chain).ok().map(|read| (chain, read));
    let read = others.into_iter().filter_map(read).collect();
    let headers = updates::headers(&shared, &at, &read).await;
    let sources = Sources {
        shared: &shared,
        at,
        reads: &reads,
        headers: &headers,
    };
    let cargo = load(&sources, steps).await;
    if !cargo.is_empty() {
        submit(&shared, &shared.places[&at], cargo).await;
    }
}

/// The ordered sequences of a transaction: closed on the board as long as this is there.
struct Sequences<'a> {
    shared: &'a Shared,
    at: Digest,
    all: BTreeSet<(Digest, String)>,
}

impl<'a> Sequences<'a> {
    fn of(shared: &'a Shared, at: Digest, steps: &[Step]) -> Self {
        let all = steps.iter().filter_map(Step::sequence).collect();
        Self { shared, at, all }
    }
}

impl Drop for Sequences<'_> {
    fn drop(&mut self) {
        let mut board = self.shared.board();
        self.all.iter().for_each(|sequence| board.open(&self.at, sequence));
    }
}

/// The chains whose headers a step needs.
fn others(hub: &Digest, at: &Digest, step: &Step) -> Vec<Digest> {
    let key = &step.packet;
    let needed = match step.stage {
        Stage::Relay => vec![key.source],
        Stage::Receive if step.relayed > 0 => vec![key.source, *hub],
        Stage::Receive => vec![key.source],
        Stage::Acknowledge | Stage::TimeOut => vec![key.destination],
        Stage::GiveUp => Vec::new(),
    };
    needed.into_iter().filter(|chain| chain != at).collect()
}

/// What a transaction carries.
#[derive(Default)]
struct Cargo {
    items: Vec<(Step, CarryItem)>,
    updates: BTreeMap<Digest, LinkUpdate>,
    bytes: usize,
}

/// What became of a step that was to be loaded.
enum Loaded {
    Yes,
    /// There is no room for it beside the others.
    Later,
    /// There is none for it at all.
    Never,
}

impl Cargo {
    fn is_empty(&self) -> bool {
        self.items.is_empty() && self.updates.is_empty()
    }

    /// Takes the items of a step and the headers that are not there yet, if there is room for all of it. Where headers leave no room
    /// for the first step they go ahead, and it follows when they are known.
    fn load(&mut self, step: &Step, items: Vec<CarryItem>, of: &BTreeMap<Digest, &LinkUpdate>) -> Loaded {
        let new: Vec<_> = of
            .iter()
            .filter(|(chain, _)| !self.updates.contains_key(chain))
            .collect();
        let header_bytes: usize = new.iter().map(|(_, update)| update.encoded_len()).sum();
        let item_bytes: usize = items.iter().map(Message::encoded_len).sum();
        let fits = self.bytes + header_bytes + item_bytes <= CARRY_BYTES_MAX;
        let few = self.items.len() + items.len() <= ITEMS_MAX && self.updates.len() + new.len() <= HEADERS_MAX;
        match (fits && few, self.items.is_empty()) {
            (true, _) => {}
            (false, false) => return Loaded::Later,
            (false, true) if header_bytes == 0 || item_bytes > CARRY_BYTES_MAX => return Loaded::Never,
            (false, true) => {
                self.add_headers(&new);
                return Loaded::Later;
            }
        }
        self.add_headers(&new);
        self.bytes += item_bytes;
        self.items.extend(items.into_iter().map(|item| (step.clone(), item)));
        Loaded::Yes
    }

    fn add_headers(&mut self, new: &[(&Digest, &&LinkUpdate)]) {
        for (chain, update) in new {
            self.bytes += update.encoded_len();
            self.updates.insert(**chain, (**update).clone());
        }
    }
}

/// Prepares the steps, each by itself: what cannot be done now is tried later.
async fn load(sources: &Sources<'_>, steps: Vec<Step>) -> Cargo {
    let shared = sources.shared;
    let mut turns = Turns::new();
    let mut cargo = Cargo::default();
    let mut full = false;
    for step in steps {
        let (key, stage) = (&step.packet, step.stage);
        if full {
            shared.board().released(key, stage);
            continue;
        }
        let prepared = match sources.prepare(&mut turns, &step).await {
            Ok(prepared) => prepared,
            Err(text) => {
                shared.board().failed(key, stage, now_ms());
                shared.error(&sources.at, text);
                continue;
            }
        };
        match prepared {
            Prepared::Items(items, of) => {
                let updates = of.iter().filter_map(|chain| Some((*chain, sources.update(chain)?)));
                match cargo.load(&step, items, &updates.collect()) {
                    Loaded::Yes => {}
                    Loaded::Later => {
                        shared.board().released(key, stage);
                        full = true;
                    }
                    Loaded::Never => too_large(shared, &sources.at, &step),
                }
            }
            Prepared::Wait => shared.board().waited(key, stage, now_ms()),
            Prepared::Moved(event, height) => {
                shared.board().note(event, key.clone(), height, false);
                shared.wake.notify_waiters();
            }
            Prepared::Ended => shared.board().forget(key),
        }
    }
    catch_up(sources.headers, &mut cargo);
    cargo
}

impl Sources<'_> {
    fn update(&self, chain: &Digest) -> Option<&LinkUpdate> {
        let header = self.headers.get(chain)?.as_ref().ok()?;
        Some(&header.update)
    }
}

/// A light client that slept for long follows by itself, before anything is proven to it.
fn catch_up(headers: &BTreeMap<Digest, Result<Header, String>>, cargo: &mut Cargo) {
    let ok = headers
        .iter()
        .filter_map(|(chain, header)| Some((chain, header.as_ref().ok()?)));
    for (chain, header) in ok.filter(|(_, header)| header.behind) {
        let bytes = header.update.encoded_len();
        let room = cargo.updates.len() < HEADERS_MAX && cargo.bytes + bytes <= CARRY_BYTES_MAX;
        if room && !cargo.updates.contains_key(chain) {
            cargo.add_headers(&[(chain, &&header.update)]);
        }
    }
}

fn too_large(shared: &Shared, at: &Digest, step: &Step) {
    shared.board().failed(&step.packet, step.stage, now_ms());
    let text = format!("一笔交易最多 {CARRY_BYTES_MAX} 字节 / a transaction carries {CARRY_BYTES_MAX} bytes at most");
    shared.error(at, text);
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

async fn submit(shared: &Shared, place: &Place, cargo: Cargo) {
    let (places, items): (Vec<(Step, u32)>, Vec<CarryItem>) = cargo
        .items
        .into_iter()
        .map(|(step, item)| ((step, item.kind), item))
        .unzip();
    let headers = cargo.updates.len() as u64;
    let carry = Carry {
        updates: cargo.updates.into_values().collect(),
        items,
    };
    let answer = call(shared, place, PATIENCE, "carry", &carry).await;
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
        let at = place.chain().id();
        if codes
            .iter()
            .any(|code| NOTHING_NEW.iter().any(|refusal| code.starts_with(refusal)))
        {
            board.set_apart(&at, true);
        } else if places
            .iter()
            .zip(&codes)
            .any(|((step, _), code)| step.stage.is_new() && code.is_empty())
        {
            board.set_apart(&at, false);
        }
        for ((step, kind), code) in places.iter().zip(&codes) {
            let (key, stage) = (&step.packet, step.stage);
            match (code.as_str(), *kind) {
                // What was skipped is no event of the packet that waits behind it.
                ("", CARRY_SKIP) => board.waited(key, stage, now),
                ("", _) => board.submitted(key, stage, now),
                (code, _) if DONE_ELSEWHERE.iter().any(|done| code.starts_with(done)) => {
                    board.overtaken(key, stage, now);
                }
                (code, _) => {
                    board.failed(key, stage, now);
                    wrong = Some(code.to_owned());
                }
            }
        }
        // An answer that names fewer than were brought leaves nothing taken.
        for (step, _) in places.iter().skip(codes.len()) {
            board.failed(&step.packet, step.stage, now);
        }
    }
    let done = codes.iter().filter(|code| code.is_empty()).count() as u64;
    shared.counters.carried.fetch_add(done, Relaxed);
    shared
        .counters
        .refused
        .fetch_add((places.len() as u64).saturating_sub(done), Relaxed);
    if let Some(code) = wrong {
        // What is remembered of the light clients may be why.
        place.clients().clear();
        shared.error(&place.chain().id(), code);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::PacketKey;

    fn step() -> Step {
        Step {
            packet: PacketKey {
                source: Digest([1; 32]),
                destination: Digest([2; 32]),
                module: "notice".into(),
                sequence: 1,
            },
            stage: Stage::Relay,
            sent: 1,
            relayed: 0,
            received: 0,
            look: false,
            ordered: false,
            content: None,
        }
    }

    fn item(bytes: usize) -> CarryItem {
        CarryItem {
            packet: vec![0; bytes].into(),
            ..Default::default()
        }
    }

    fn header(bytes: usize) -> LinkUpdate {
        LinkUpdate {
            headers: vec![vec![0; bytes].into()],
            ..Default::default()
        }
    }

    #[test]
    fn one_header_serves_all_items_and_what_finds_no_room_comes_later() {
        let mut cargo = Cargo::default();
        let update = header(500);
        let of = BTreeMap::from([(Digest([1; 32]), &update)]);
        for _ in 0..ITEMS_MAX {
            assert!(matches!(cargo.load(&step(), vec![item(900)], &of), Loaded::Yes));
        }
        assert!(matches!(cargo.load(&step(), vec![item(900)], &of), Loaded::Later));
        assert_eq!((cargo.items.len(), cargo.updates.len()), (ITEMS_MAX, 1));
        let carried: usize = cargo.items.iter().map(|(_, item)| item.encoded_len()).sum();
        assert_eq!(cargo.bytes, carried + update.encoded_len());
    }

    #[test]
    fn bytes_are_bounded_and_headers_go_ahead_of_what_they_leave_no_room_for() {
        let update = header(CARRY_BYTES_MAX - 1_000);
        let of = BTreeMap::from([(Digest([1; 32]), &update)]);
        let mut cargo = Cargo::default();
        assert!(matches!(cargo.load(&step(), vec![item(2_000)], &of), Loaded::Later));
        assert_eq!((cargo.items.len(), cargo.updates.len()), (0, 1));
        let mut cargo = Cargo::default();
        let all = vec![item(CARRY_BYTES_MAX)];
        assert!(matches!(cargo.load(&step(), all, &of), Loaded::Never));
        assert!(cargo.is_empty());
    }

    #[test]
    fn headers_are_few() {
        let update = header(10);
        let mut cargo = Cargo::default();
        for number in 0..HEADERS_MAX as u8 {
            let of = BTreeMap::from([(Digest([number; 32]), &update)]);
            assert!(matches!(cargo.load(&step(), vec![item(10)], &of), Loaded::Yes));
        }
        let of = BTreeMap::from([(Digest([99; 32]), &update)]);
        assert!(matches!(cargo.load(&step(), vec![item(10)], &of), Loaded::Later));
    }
}
