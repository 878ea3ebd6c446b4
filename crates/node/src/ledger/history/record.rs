//! The bytes of records and groups.

use crate::ledger::LedgerError;
use bytes::{Buf, Bytes};
use std::collections::BTreeMap;
use yulian_exec::Executed;
use yulian_state::history::{CHUNK_ROOTS_BYTES_MAX, ChunkRoots, encode_chunk};

const LENGTH_BYTES: usize = 4;

/// A block's record, taken apart. The parts share its memory.
pub(super) struct BlockRecord {
    pub(super) roots: Bytes,
    /// Ascending by chunk.
    pub(super) chunks: Vec<(u8, Bytes)>,
}

/// The record of a block.
pub(super) fn of(executed: &Executed) -> Result<Bytes, LedgerError> {
    let roots = ChunkRoots::of(&executed.tree).to_bytes();
    let mut out = Vec::with_capacity(LENGTH_BYTES + roots.len() + executed.undo.changes().len() * 64);
    put_sized(&mut out, &roots);
    for (chunk, changes) in executed.undo.chunks() {
        out.push(chunk);
        put_sized(&mut out, &encode_chunk(changes).map_err(LedgerError::damaged)?);
    }
    Ok(out.into())
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

/// Reads [`of`]. What is in the parts is checked where it is used.
pub(super) fn parse(bytes: &Bytes) -> Option<BlockRecord> {
    let mut rest = bytes.clone();
    let roots = take_sized(&mut rest).filter(|roots| (1..=CHUNK_ROOTS_BYTES_MAX).contains(&roots.len()))?;
    let mut chunks: Vec<(u8, Bytes)> = Vec::new();
    while !rest.is_empty() {
        let chunk = rest.get_u8();
        if chunks.last().is_some_and(|(last, _)| *last >= chunk) {
            return None;
        }
        chunks.push((chunk, take_sized(&mut rest)?));
    }
    Some(BlockRecord { roots, chunks })
}

/// The records of a group's blocks by chunk.
pub(super) struct Group {
    first: u64,
    chunks: BTreeMap<u8, Vec<u8>>,
}

impl Group {
    pub(super) fn new(first: u64) -> Self {
        let chunks = BTreeMap::new();
        Self { first, chunks }
    }

    /// Adds a chunk's record of a block; blocks come in ascending order.
    pub(super) fn add(&mut self, chunk: u8, height: u64, record: &[u8]) {
        let out = self.chunks.entry(chunk).or_default();
        out.extend_from_slice(&((height - self.first) as u32).to_be_bytes());
        put_sized(out, record);
    }

    pub(super) fn into_chunks(self) -> impl Iterator<Item = (u8, Vec<u8>)> {
        self.chunks.into_iter()
    }
}

/// Reads a chunk of a [`Group`]: heights, strictly ascending, with their records.
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
