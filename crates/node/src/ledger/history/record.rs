//! The bytes of records and groups.

use crate::ledger::LedgerError;
use bytes::{Buf, Bytes};
use yulian_exec::Executed;
use yulian_state::history::encode_chunk;

const LENGTH_BYTES: usize = 4;
/// A change in a record, at most.
const CHANGE_BYTES: usize = 64;

/// A block's record. The parts share its memory.
#[derive(Debug)]
pub(super) struct BlockRecord {
    bytes: Bytes,
    /// Ascending by chunk.
    chunks: Vec<(u8, Bytes)>,
}

impl BlockRecord {
    /// The record of a block; `None` if it changed nothing.
    pub(super) fn of(executed: &Executed) -> Result<Option<Self>, LedgerError> {
        let changes = executed.undo.changes().len();
        if changes == 0 {
            return Ok(None);
        }
        let mut out = Vec::with_capacity(changes * (CHANGE_BYTES + 1));
        for (chunk, changes) in executed.undo.chunks() {
            out.push(chunk);
            put_sized(&mut out, &encode_chunk(changes).map_err(LedgerError::damaged)?);
        }
        let record = Self::parse(out.into()).expect("what was written in this form");
        Ok(Some(record))
    }

    /// Reads the bytes of a record; `None` if nothing writes it like this. What is in the parts is checked where it is used.
    pub(super) fn parse(bytes: Bytes) -> Option<Self> {
        let mut rest = bytes.clone();
        let mut chunks: Vec<(u8, Bytes)> = Vec::new();
        while !rest.is_empty() {
            let chunk = rest.get_u8();
            if chunks.last().is_some_and(|(last, _)| *last >= chunk) {
                return None;
            }
            chunks.push((chunk, take_sized(&mut rest)?));
        }
        (!chunks.is_empty()).then_some(Self { bytes, chunks })
    }

    pub(super) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// What the block changed in a chunk, if anything.
    pub(super) fn chunk(&self, chunk: u8) -> Option<&Bytes> {
        let at = self.chunks.binary_search_by_key(&chunk, |(chunk, _)| *chunk).ok()?;
        Some(&self.chunks[at].1)
    }
}

fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Takes length and bytes off the front.
fn take_sized(from: &mut Bytes) -> Option<Bytes> {
    let length = from.try_get_u32().ok()? as usize;
    (length <= from.len()).then(|| from.split_to(length))
}

/// A chunk's records of the blocks of a group that begins with `first`, which come in ascending order of height.
pub(super) fn of_group<'a>(first: u64, records: impl Iterator<Item = (u64, &'a Bytes)>) -> Vec<u8> {
    let records: Vec<_> = records.collect();
    let bytes = records.iter().map(|(_, record)| 2 * LENGTH_BYTES + record.len()).sum();
    let mut out = Vec::with_capacity(bytes);
    for (height, record) in records {
        out.extend_from_slice(&((height - first) as u32).to_be_bytes());
        put_sized(&mut out, record);
    }
    out
}

/// Reads [`of_group`]: heights, strictly ascending, with their records.
pub(super) fn parse_group(first: u64, last: u64, mut bytes: Bytes) -> Option<Vec<(u64, Bytes)>> {
    let mut records: Vec<(u64, Bytes)> = Vec::new();
    while !bytes.is_empty() {
        let height = first.checked_add(bytes.try_get_u32().ok()?.into())?;
        let after = records.last().map_or(first, |(before, _)| before + 1);
        if !(after..=last).contains(&height) {
            return None;
        }
        records.push((height, take_sized(&mut bytes)?));
    }
    Some(records)
}

/// A record that nothing writes like this.
pub(super) fn damaged(height: u64) -> LedgerError {
    LedgerError::damaged(format_args!("the undo record of height {height}"))
}
