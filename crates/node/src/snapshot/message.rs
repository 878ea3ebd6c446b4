//! Messages of the snapshot channel. Numbers are big-endian; `list` is for each item its length (4) ‖ the item.
//!
//! A request is version (1) ‖ kind (1) ‖ number (4) ‖ what follows for its kind; the answer is version ‖ kind + 128 ‖
//! number ‖ status (1) ‖ body, which is there only if the status is 0.
//!
//! | kind | request | body |
//! |---|---|---|
//! | 1 offer | | snapshot (8) ‖ height (8) ‖ keys (8) ‖ transactions (8) ‖ changes of the set (4) ‖ list of header of height + 1, its proof |
//! | 2 sets | snapshot (8) ‖ first change (4) | list: for each change header, proof, new set |
//! | 3 headers | snapshot (8) ‖ last height (8) | list of headers, descending |
//! | 4 state | snapshot (8) ‖ bits (1) ‖ prefix (32) | list of proof, then records: module id (4) ‖ length of the key (2) ‖ key ‖ value |
//! | 5 blocks | snapshot (8) ‖ height (8) ‖ offset (4) | bytes of the list of block, receipts, next block, … from that height and offset on |

use bytes::{Buf, BufMut, Bytes, BytesMut};
use yulian_engine::EXCHANGE_BYTES_MAX;
use yulian_state::{Path, Prefix};
use yulian_types::limits::{FINALITY_PROOF_BYTES_MAX, HEADER_BYTES_MAX, VALIDATOR_SET_BYTES_MAX};

/// Most bytes of an answer's body.
pub(crate) const BODY_BYTES_MAX: usize = 1 << 20;

const VERSION: u8 = 1;
const ANSWER: u8 = 0x80;
const HEAD_BYTES: usize = 6;
const LENGTH_BYTES: usize = 4;

const _: () = assert!(HEAD_BYTES + 1 + BODY_BYTES_MAX <= EXCHANGE_BYTES_MAX);
// One change of the set, or one header, always fits.
const _: () = assert!(HEADER_BYTES_MAX + FINALITY_PROOF_BYTES_MAX + VALIDATOR_SET_BYTES_MAX + 64 < BODY_BYTES_MAX);

/// What a joining node asks a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    /// Which snapshot is there?
    Offer,
    /// Changes of the validator set, from one on.
    Sets { snapshot: u64, first: u32 },
    /// Headers from a height downwards.
    Headers { snapshot: u64, last: u64 },
    /// The state under a prefix.
    State { snapshot: u64, prefix: Prefix },
    /// Blocks and receipts from a height on, without their first bytes.
    Blocks { snapshot: u64, height: u64, offset: u32 },
}

/// Why a member gives nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Refusal {
    /// It has no blocks yet.
    Nothing = 1,
    /// What it has is not proven yet, or it serves others: ask again.
    Later = 2,
    /// The snapshot is let go of.
    Gone = 3,
    /// More than fits into an answer: ask for halves.
    TooMuch = 4,
}

/// What a member gives.
pub(crate) type Answer = Result<Bytes, Refusal>;

/// What a member offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    /// Number by which it is asked for.
    pub(crate) snapshot: u64,
    /// The block after which the state stands.
    pub(crate) height: u64,
    /// Keys of the state: to show progress, not to be relied on.
    pub(crate) keys: u64,
    /// Transactions of the chain up to the height: shown, not proven.
    pub(crate) transactions: u64,
    /// Changes of the validator set.
    pub(crate) sets: u32,
    /// Header of the next height.
    pub(crate) header: Bytes,
    /// Finality proof of that header.
    pub(crate) proof: Bytes,
}

impl Request {
    fn kind(&self) -> u8 {
        match self {
            Self::Offer => 1,
            Self::Sets { .. } => 2,
            Self::Headers { .. } => 3,
            Self::State { .. } => 4,
            Self::Blocks { .. } => 5,
        }
    }

    pub(crate) fn encode(&self, number: u32) -> Bytes {
        let mut out = head(self.kind(), number);
        match self {
            Self::Offer => {}
            Self::Sets { snapshot, first } => {
                out.put_u64(*snapshot);
                out.put_u32(*first);
            }
            Self::Headers { snapshot, last } => {
                out.put_u64(*snapshot);
                out.put_u64(*last);
            }
            Self::State { snapshot, prefix } => {
                out.put_u64(*snapshot);
                out.put_u8(prefix.bits());
                out.put_slice(prefix.first().as_bytes());
            }
            Self::Blocks {
                snapshot,
                height,
                offset,
            } => {
                out.put_u64(*snapshot);
                out.put_u64(*height);
                out.put_u32(*offset);
            }
        }
        out.freeze()
    }

    /// Reads a request and its number.
    pub(crate) fn decode(mut bytes: Bytes) -> Option<(Self, u32)> {
        let (kind, number) = take_head(&mut bytes)?;
        let request = match kind {
            1 => Self::Offer,
            2 => Self::Sets {
                snapshot: bytes.try_get_u64().ok()?,
                first: bytes.try_get_u32().ok()?,
            },
            3 => Self::Headers {
                snapshot: bytes.try_get_u64().ok()?,
                last: bytes.try_get_u64().ok()?,
            },
            4 => Self::State {
                snapshot: bytes.try_get_u64().ok()?,
                prefix: {
                    let bits = bytes.try_get_u8().ok()?;
                    let first = Path::from_slice(bytes.get(..32)?)?;
                    bytes.advance(32);
                    Prefix::new(first, bits)?
                },
            },
            5 => Self::Blocks {
                snapshot: bytes.try_get_u64().ok()?,
                height: bytes.try_get_u64().ok()?,
                offset: bytes.try_get_u32().ok()?,
            },
            _ => return None,
        };
        bytes.is_empty().then_some((request, number))
    }

    /// The answer to this request.
    pub(crate) fn answer(&self, number: u32, answer: &Answer) -> Bytes {
        let mut out = head(self.kind() | ANSWER, number);
        match answer {
            Ok(body) => {
                out.put_u8(0);
                out.put_slice(body);
            }
            Err(refusal) => out.put_u8(*refusal as u8),
        }
        out.freeze()
    }
}

/// Reads an answer and the number of its request; `None` for other bytes and bodies that are too long.
pub(crate) fn decode_answer(mut bytes: Bytes) -> Option<(u32, Answer)> {
    let (kind, number) = take_head(&mut bytes)?;
    let status = bytes.try_get_u8().ok()?;
    if kind & ANSWER == 0 || bytes.len() > BODY_BYTES_MAX || (status != 0 && !bytes.is_empty()) {
        return None;
    }
    let refused = [Refusal::Nothing, Refusal::Later, Refusal::Gone, Refusal::TooMuch];
    let answer = match status {
        0 => Ok(bytes),
        status => Err(refused.into_iter().find(|refusal| *refusal as u8 == status)?),
    };
    Some((number, answer))
}

impl Offer {
    pub(crate) fn encode(&self) -> Bytes {
        let mut out = BytesMut::new();
        out.put_u64(self.snapshot);
        out.put_u64(self.height);
        out.put_u64(self.keys);
        out.put_u64(self.transactions);
        out.put_u32(self.sets);
        put_item(&mut out, &self.header);
        put_item(&mut out, &self.proof);
        out.freeze()
    }

    pub(crate) fn decode(mut bytes: Bytes) -> Option<Self> {
        Some(Self {
            snapshot: bytes.try_get_u64().ok()?,
            height: bytes.try_get_u64().ok()?,
            keys: bytes.try_get_u64().ok()?,
            transactions: bytes.try_get_u64().ok()?,
            sets: bytes.try_get_u32().ok()?,
            header: take_item(&mut bytes)?,
            proof: take_item(&mut bytes).filter(|_| bytes.is_empty())?,
        })
    }
}

fn head(kind: u8, number: u32) -> BytesMut {
    let mut out = BytesMut::new();
    out.put_u8(VERSION);
    out.put_u8(kind);
    out.put_u32(number);
    out
}

fn take_head(bytes: &mut Bytes) -> Option<(u8, u32)> {
    if bytes.len() < HEAD_BYTES || bytes.get_u8() != VERSION {
        return None;
    }
    Some((bytes.get_u8(), bytes.get_u32()))
}

/// Adds an item to a list.
pub(crate) fn put_item(out: &mut BytesMut, item: &[u8]) {
    out.put_u32(item.len() as u32);
    out.put_slice(item);
}

/// Bytes that an item takes in a list.
pub(crate) fn item_bytes(item: &[u8]) -> usize {
    LENGTH_BYTES + item.len()
}

/// The next item of a list, without copying; `None` where it is not whole.
pub(crate) fn take_item(bytes: &mut Bytes) -> Option<Bytes> {
    let length = u32::from_be_bytes(*bytes.first_chunk()?) as usize;
    if bytes.len() - LENGTH_BYTES < length {
        return None;
    }
    bytes.advance(LENGTH_BYTES);
    Some(bytes.split_to(length))
}

/// All items of a list; `None` if it does not end with one.
pub(crate) fn items(mut bytes: Bytes) -> Option<Vec<Bytes>> {
    let mut out = Vec::new();
    while !bytes.is_empty() {
        out.push(take_item(&mut bytes)?);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests() -> Vec<Request> {
        let [_, prefix] = Prefix::ALL.halves().unwrap();
        let snapshot = 7;
        vec![
            Request::Offer,
            Request::Sets { snapshot, first: 3 },
            Request::Headers { snapshot, last: 9 },
            Request::State { snapshot, prefix },
            Request::Blocks {
                snapshot,
                height: 4,
                offset: 5,
            },
        ]
    }

    #[test]
    fn requests_survive_and_every_cut_and_addition_is_refused() {
        for request in requests() {
            let bytes = request.encode(77);
            assert_eq!(Request::decode(bytes.clone()), Some((request, 77)));
            for cut in 0..bytes.len() {
                assert_eq!(Request::decode(bytes.slice(..cut)), None);
            }
            assert_eq!(Request::decode([&bytes[..], &[0]].concat().into()), None);
            assert!(decode_answer(bytes).is_none(), "a request is no answer");
        }
        assert_eq!(Request::decode(Bytes::from_static(&[1, 9, 0, 0, 0, 0])), None);
        assert_eq!(Request::decode(Bytes::from_static(&[2, 1, 0, 0, 0, 0])), None);
    }

    #[test]
    fn bytes_are_those_of_the_format() {
        assert_eq!(Request::Offer.encode(77)[..], [1, 1, 0, 0, 0, 77]);
        let [.., state, blocks] = &requests()[..] else {
            unreachable!("five kinds")
        };
        let head = [1, 4, 0, 0, 0, 77, 0, 0, 0, 0, 0, 0, 0, 7, 1, 0x80];
        assert_eq!(state.encode(77)[..], [&head[..], &[0; 31]].concat());
        let tail = [0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 5];
        assert_eq!(blocks.encode(1)[..], [&[1, 5, 0, 0, 0, 1][..], &tail].concat());
        let given = state.answer(2, &Ok(Bytes::from_static(b"xy")));
        assert_eq!(given[..], [1, 0x84, 0, 0, 0, 2, 0, b'x', b'y']);
        assert_eq!(state.answer(2, &Err(Refusal::TooMuch))[..], [1, 0x84, 0, 0, 0, 2, 4]);
        let mut list = BytesMut::new();
        put_item(&mut list, b"ab");
        assert_eq!(list[..], [0, 0, 0, 2, b'a', b'b']);
    }

    #[test]
    fn answers_survive() {
        for request in requests() {
            for answer in [Ok(Bytes::from_static(b"body")), Ok(Bytes::new()), Err(Refusal::TooMuch)] {
                let bytes = request.answer(5, &answer);
                assert_eq!(decode_answer(bytes.clone()), Some((5, answer)));
                assert!(Request::decode(bytes).is_none(), "an answer is no request");
            }
        }
        let long = Request::Offer.answer(1, &Ok(Bytes::from(vec![0; BODY_BYTES_MAX + 1])));
        assert_eq!(decode_answer(long), None);
        assert_eq!(decode_answer(Bytes::from_static(&[1, 0x81, 0, 0, 0, 1, 9])), None);
        assert_eq!(decode_answer(Bytes::from_static(&[1, 0x81, 0, 0, 0, 1, 2, 0])), None);
    }

    #[test]
    fn offers_and_lists_survive_and_cuts_are_refused() {
        let offer = Offer {
            snapshot: 1,
            height: 2,
            keys: 3,
            transactions: 4,
            sets: 5,
            header: Bytes::from_static(b"header"),
            proof: Bytes::from_static(b"proof"),
        };
        let bytes = offer.encode();
        assert_eq!(Offer::decode(bytes.clone()), Some(offer));
        assert!((0..bytes.len()).all(|cut| Offer::decode(bytes.slice(..cut)).is_none()));
        let mut list = BytesMut::new();
        put_item(&mut list, b"one");
        put_item(&mut list, b"");
        assert_eq!(list.len(), item_bytes(b"one") + item_bytes(b""));
        let list = list.freeze();
        assert_eq!(items(list.clone()).unwrap(), [&b"one"[..], b""]);
        assert_eq!(items(list.slice(..5)), None);
        assert_eq!(items(Bytes::from_static(&[255; 5])), None);
    }
}
