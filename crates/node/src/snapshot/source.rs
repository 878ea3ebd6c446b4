//! Giving a snapshot to nodes that join.
//!
//! What is given is pinned: a view of the store after one block, with the tree of that moment, while the chain goes on. Both
//! keep memory and disk that would be free otherwise, so there are few of them and none for long.

use super::message::{Answer, BODY_BYTES_MAX, Offer, Refusal, Request, item_bytes, put_item};
use crate::{
    ChainNode,
    ledger::{LedgerError, Pinned, SetMark},
};
use bytes::{Bytes, BytesMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use yulian_engine::Runtime;
use yulian_state::{Prefix, Tree};
use yulian_store::Kv;
use yulian_types::{decode_header, empty_root};

/// Most states that are pinned at a time.
const PINS_MAX: usize = 2;
/// Whoever comes within this time shares what is pinned already, ms.
const SHARED_MS: u64 = 60_000;
/// A pin that nobody asks for is let go of after this time, ms.
const IDLE_MS: u64 = 60_000;
/// No pin is held longer, ms: a large state over a slow link takes hours, and what it was replaced by takes disk meanwhile.
const PIN_MS_MAX: u64 = 3 * 3_600_000;

/// A shorter chain is fetched by its blocks.
const HEIGHT_MIN: u64 = 2;

/// What a node has pinned for others.
#[derive(Default)]
pub(crate) struct Pins(Mutex<Vec<Arc<Pin>>>);

struct Pin {
    number: u64,
    made_ms: u64,
    used_ms: Mutex<u64>,
    state: Pinned,
    tree: Tree,
    proven: Mutex<Option<Arc<Proven>>>,
}

/// The block whose header carries the results of the snapshot's height.
struct Proven {
    height: u64,
    header: Bytes,
    proof: Bytes,
    block: Bytes,
    sets: Vec<SetMark>,
}

impl Proven {
    /// The snapshot's height.
    fn of(&self) -> u64 {
        self.height - 1
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pin {
    fn expired(&self, now_ms: u64) -> bool {
        now_ms > self.made_ms + PIN_MS_MAX || now_ms > *lock(&self.used_ms) + IDLE_MS
    }

    fn proven(&self) -> Result<Arc<Proven>, Refusal> {
        lock(&self.proven).clone().ok_or(Refusal::Gone)
    }
}

impl Pins {
    /// Takes out what nobody asks for any more. To drop it takes time: the tree of another moment is large.
    pub(crate) fn expired(&self, now_ms: u64) -> Vec<impl Send + use<>> {
        lock(&self.0).extract_if(.., |pin| pin.expired(now_ms)).collect()
    }

    fn find(&self, number: u64, now_ms: u64) -> Result<Arc<Pin>, Refusal> {
        drop(self.expired(now_ms));
        let pin = lock(&self.0).iter().find(|pin| pin.number == number).cloned();
        let pin = pin.ok_or(Refusal::Gone)?;
        *lock(&pin.used_ms) = now_ms;
        Ok(pin)
    }

    /// The newest pin, if another is not to be made.
    fn shared(&self, now_ms: u64) -> Option<Arc<Pin>> {
        drop(self.expired(now_ms));
        let pins = lock(&self.0);
        let newest = pins.last()?;
        let shared = pins.len() == PINS_MAX || now_ms <= newest.made_ms + SHARED_MS;
        shared.then(|| newest.clone())
    }
}

/// Why there is no answer with a body.
enum No {
    Refusal(Refusal),
    Ledger(LedgerError),
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl From<LedgerError> for No {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl<R: Runtime, K: Kv> ChainNode<R, K> {
    /// Answers a member's request; nothing to what is no request.
    pub(crate) fn snapshot_answer(&self, request: Bytes) -> Option<Bytes> {
        let (request, number) = Request::decode(request)?;
        let answer: Answer = match self.snapshot_body(&request) {
            Ok(body) => Ok(body),
            Err(No::Refusal(refusal)) => Err(refusal),
            Err(No::Ledger(error)) => {
                tracing::warn!(%error, "a snapshot cannot be read");
                Err(Refusal::Gone)
            }
        };
        Some(request.answer(number, &answer))
    }

    fn snapshot_body(&self, request: &Request) -> Result<Bytes, No> {
        let now_ms = self.runtime.now_ms();
        let find = |number: &u64| self.pins.find(*number, now_ms);
        match request {
            Request::Offer => self.offer(now_ms),
            Request::Sets { snapshot, first } => self.sets(&*find(snapshot)?, *first),
            Request::Headers { snapshot, last } => headers(&*find(snapshot)?, *last),
            Request::State { snapshot, prefix } => part(&*find(snapshot)?, prefix),
            Request::Blocks {
                snapshot,
                height,
                offset,
            } => blocks(&*find(snapshot)?, *height, *offset),
        }
    }

    fn offer(&self, now_ms: u64) -> Result<Bytes, No> {
        if self.ledger.tip().height < HEIGHT_MIN {
            return Err(Refusal::Nothing.into());
        }
        let pin = match self.pins.shared(now_ms) {
            Some(pin) => pin,
            None => self.pin(now_ms)?,
        };
        *lock(&pin.used_ms) = now_ms;
        let proven = self.prove(&pin)?;
        let offer = Offer {
            snapshot: pin.number,
            height: proven.of(),
            keys: pin.tree.len() as u64,
            transactions: pin.state.tip().transactions,
            sets: proven.sets.len() as u32,
            header: proven.header.clone(),
            proof: proven.proof.clone(),
        };
        Ok(offer.encode())
    }

    /// Pins what is there now. The store may be a block ahead of what is known here to be durable: then it is not the moment.
    fn pin(&self, now_ms: u64) -> Result<Arc<Pin>, No> {
        let latest = self.latest.borrow().clone();
        let state = self.ledger.pin()?;
        if state.tip() != latest.tip {
            return Err(Refusal::Later.into());
        }
        let mut number = [0; 8];
        self.runtime.random(&mut number);
        let pin = Arc::new(Pin {
            number: u64::from_be_bytes(number),
            made_ms: now_ms,
            used_ms: Mutex::new(now_ms),
            state,
            tree: latest.executed.tree.clone(),
            proven: Mutex::new(None),
        });
        lock(&self.pins.0).push(pin.clone());
        tracing::info!(
            height = latest.tip.height,
            keys = pin.tree.len(),
            "a state is pinned for nodes that join"
        );
        Ok(pin)
    }

    /// Finds the final header that carries the pinned state's root: that of the next block, or the pinned block's own if
    /// that is empty and so left the state as its parent did. A chain without work makes no next block for minutes.
    fn prove(&self, pin: &Pin) -> Result<Arc<Proven>, No> {
        if let Some(proven) = lock(&pin.proven).clone() {
            return Ok(proven);
        }
        let tip = pin.state.tip();
        for height in [tip.height, tip.height + 1] {
            let (Some(header), Some(proof)) = (self.ledger.header(height)?, self.ledger.own_proof(height)?) else {
                continue;
            };
            let fields = decode_header(&header).map_err(LedgerError::damaged)?;
            let empty = fields.transaction_root[..] == empty_root().0;
            if fields.parent_state_root[..] != pin.tree.root().0 || (height == tip.height && !empty) {
                continue;
            }
            let missing = || LedgerError::damaged(format_args!("block {height} is missing"));
            let sets = self.ledger.sets().into_iter().skip(1);
            let sets: Vec<SetMark> = sets.filter(|mark| mark.first_height <= height).collect();
            // Not every node holds the proof of every boundary; one that does not cannot give a snapshot.
            for mark in &sets {
                self.ledger.own_proof(mark.first_height - 1)?.ok_or(Refusal::Later)?;
            }
            let proven = Arc::new(Proven {
                height,
                header,
                proof,
                block: self.ledger.final_block(height)?.ok_or_else(missing)?,
                sets,
            });
            *lock(&pin.proven) = Some(proven.clone());
            return Ok(proven);
        }
        // The next block has no proof of its own here: another moment may be better.
        if self.ledger.tip().height > tip.height + 1 {
            lock(&self.pins.0).retain(|other| other.number != pin.number);
        }
        Err(Refusal::Later.into())
    }

    fn sets(&self, pin: &Pin, first: u32) -> Result<Bytes, No> {
        let proven = pin.proven()?;
        let mut out = BytesMut::new();
        for mark in proven.sets.iter().skip(first as usize) {
            let boundary = mark.first_height - 1;
            let missing = |what| LedgerError::damaged(format_args!("the {what} of height {boundary} is missing"));
            let header = self.ledger.header(boundary)?.ok_or_else(|| missing("header"))?;
            let proof = self.ledger.own_proof(boundary)?.ok_or_else(|| missing("proof"))?;
            let set = self.set(&mark.digest)?.ok_or_else(|| missing("next set"))?.encode();
            let bytes: usize = [&header, &proof, &set].into_iter().map(|item| item_bytes(item)).sum();
            if out.len() + bytes > BODY_BYTES_MAX {
                break;
            }
            [&header, &proof, &set]
                .into_iter()
                .for_each(|item| put_item(&mut out, item));
        }
        Ok(out.freeze())
    }
}

fn headers(pin: &Pin, last: u64) -> Result<Bytes, No> {
    let last = last.min(pin.proven()?.of());
    let mut out = BytesMut::new();
    for height in (0..=last).rev() {
        let header = pin.state.header(height)?.ok_or(Refusal::Gone)?;
        if out.len() + item_bytes(&header) > BODY_BYTES_MAX {
            break;
        }
        put_item(&mut out, &header);
    }
    Ok(out.freeze())
}

fn part(pin: &Pin, prefix: &Prefix) -> Result<Bytes, No> {
    let proof = pin.state.fill(&pin.tree, prefix)?.prove_part(prefix).to_bytes();
    let room = BODY_BYTES_MAX - item_bytes(&proof);
    let records = pin.state.records(prefix, room, |record| item_bytes(record))?;
    let records = records.ok_or(Refusal::TooMuch)?;
    let mut out = BytesMut::new();
    put_item(&mut out, &proof);
    records.iter().for_each(|record| put_item(&mut out, record));
    Ok(out.freeze())
}

/// Bytes of the list of blocks and their receipts, from a place in it on. It ends with the block after the snapshot, whose
/// receipts are for the one who joins to find.
fn blocks(pin: &Pin, height: u64, offset: u32) -> Result<Bytes, No> {
    let proven = pin.proven()?;
    let mut out = BytesMut::new();
    let mut skip = offset as usize;
    for height in height.max(1)..=proven.height {
        let mut one = BytesMut::new();
        if height == proven.height {
            put_item(&mut one, &proven.block);
            put_item(&mut one, &[]);
        } else {
            put_item(&mut one, &pin.state.block(height)?.ok_or(Refusal::Gone)?);
            put_item(&mut one, &pin.state.receipts(height)?);
        }
        let one = one.get(skip..).ok_or(Refusal::Gone)?;
        let room = BODY_BYTES_MAX - out.len();
        out.extend_from_slice(&one[..one.len().min(room)]);
        if out.len() == BODY_BYTES_MAX {
            break;
        }
        skip = 0;
    }
    Ok(out.freeze())
}
