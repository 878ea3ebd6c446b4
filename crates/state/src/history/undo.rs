//! What stood where a block wrote.

use super::HistoryError;
use crate::{Change, Path};
use yulian_crypto::Digest;

/// The longest undo record of one chunk and block, bytes: at least 262,144 changes, far more than a block can have.
pub const UNDO_BYTES_MAX: usize = 1 << 24;

const TAIL_BYTES: usize = 31;
const HAD_NONE: u8 = 0;
const HAD_ONE: u8 = 1;

/// What undoes a block: each path that it changed, in ascending order, with the value hash it had before, if any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Undo(Vec<Change>);

impl Undo {
    pub(crate) fn new(changes: Vec<Change>) -> Self {
        Self(changes)
    }

    /// The changes that lead from the state after the block to the one before it.
    pub fn changes(&self) -> &[Change] {
        &self.0
    }

    /// The changes by chunk (first byte of their paths), in ascending order; chunks without changes do not appear.
    pub fn chunks(&self) -> impl Iterator<Item = (u8, &[Change])> {
        let same = |one: &Change, other: &Change| one.0.as_bytes()[0] == other.0.as_bytes()[0];
        self.0.chunk_by(same).map(|part| (part[0].0.as_bytes()[0], part))
    }
}

/// The record of one chunk's changes in one block, for each: path without its first byte (31) ‖ 01 ‖ value hash (32), or
/// path without its first byte ‖ 00 if there was none. Paths strictly ascend and are of one chunk.
///
/// # Errors
/// [`HistoryError::TooLong`].
pub fn encode_chunk(changes: &[Change]) -> Result<Vec<u8>, HistoryError> {
    let mut out = Vec::with_capacity(changes.len() * (TAIL_BYTES + 33));
    for (path, value) in changes {
        out.extend_from_slice(&path.as_bytes()[1..]);
        match value {
            Some(value) => {
                out.push(HAD_ONE);
                out.extend_from_slice(&value.0);
            }
            None => out.push(HAD_NONE),
        }
    }
    match out.len() {
        0..=UNDO_BYTES_MAX => Ok(out),
        long => Err(HistoryError::TooLong(long)),
    }
}

/// Reads what [`encode_chunk`] wrote for `chunk`. What is read re-encodes to the same bytes; memory is at most 2.1 times theirs.
///
/// # Errors
/// [`HistoryError::TooLong`], [`HistoryError::Cut`], [`HistoryError::Mark`] and [`HistoryError::Order`].
pub fn decode_chunk(chunk: u8, mut bytes: &[u8]) -> Result<Vec<Change>, HistoryError> {
    if bytes.len() > UNDO_BYTES_MAX {
        return Err(HistoryError::TooLong(bytes.len()));
    }
    if bytes.is_empty() {
        return Err(HistoryError::Cut(chunk));
    }
    let mut changes: Vec<Change> = Vec::with_capacity(bytes.len() / (TAIL_BYTES + 1));
    while !bytes.is_empty() {
        let (change, rest) = decode_change(chunk, bytes)?;
        if changes.last().is_some_and(|last| last.0 >= change.0) {
            return Err(HistoryError::Order(change.0));
        }
        changes.push(change);
        bytes = rest;
    }
    Ok(changes)
}

fn decode_change(chunk: u8, bytes: &[u8]) -> Result<(Change, &[u8]), HistoryError> {
    let cut = || HistoryError::Cut(chunk);
    let (tail, rest) = bytes.split_first_chunk::<TAIL_BYTES>().ok_or_else(cut)?;
    let (mark, rest) = rest.split_first().ok_or_else(cut)?;
    let mut path = [chunk; 32];
    path[1..].copy_from_slice(tail);
    let path = Path::from_bytes(path);
    match *mark {
        HAD_NONE => Ok(((path, None), rest)),
        HAD_ONE => {
            let (value, rest) = rest.split_first_chunk().ok_or_else(cut)?;
            Ok(((path, Some(Digest(*value))), rest))
        }
        other => Err(HistoryError::Mark(other)),
    }
}
