//! What stood in the state before each of the last blocks, so that proofs can be made at former heights.
//!
//! | space | key | value |
//! |---|---|---|
//! | undo | 0 ‖ height (8) | a block's record: length (4) and bytes of the chunk roots after it ‖ for each chunk that it changed, ascending: chunk (1) ‖ length (4) ‖ undo record |
//! | undo | 1 ‖ first height of a group (8) ‖ chunk (1) | the chunk's records of the group's blocks, ascending: height less first height (4) ‖ length (4) ‖ undo record |
//! | undo | 2 ‖ height (8) | chunk roots after the block |
//! | undo | 3 ‖ first height of a group (8) | last height of the group (8) |
//!
//! Chunk roots and undo records are those of [`yulian_state::history`]. A block that changed nothing has no record, and the
//! roots after it are the last ones before it. One item costs the store microseconds, so a block's commit brings one; with
//! every [`GROUP_HEIGHTS`]th the records since the last group are put together by chunk, so that a proof far back reads
//! one item for each group. Groups follow on each other without a gap. What is older than is to be kept goes group by group,
//! in the same commits: each of them leaves a history that is whole.

mod open;
mod prove;
mod record;

#[cfg(test)]
mod tests;

pub use prove::{PastError, PastProof};

use super::{LedgerError, keys};
use bytes::Bytes;
use std::collections::BTreeMap;
use yulian_exec::Executed;
use yulian_state::{Tree, history::ChunkRoots};
use yulian_store::{Batch, UNDO};

/// Heights behind the last one at which state can be proven, unless a node is told otherwise.
pub const HISTORY_HEIGHTS: u64 = 10_000;
/// A group ends where a height is the last of this many.
pub const GROUP_HEIGHTS: u64 = 64;
/// Records of this many bytes make a group before its time: they are in memory until then.
const GROUP_BYTES_MAX: usize = 32 << 20;

const BLOCK: u8 = 0;
const GROUP: u8 = 1;
const ROOTS: u8 = 2;
const GROUP_END: u8 = 3;

/// Key of a table by height.
fn key(table: u8, height: u64) -> Vec<u8> {
    [&[table][..], &keys::height(height)].concat()
}

/// Key of a chunk's records in a group.
fn group_key(first: u64, chunk: u8) -> Vec<u8> {
    [&key(GROUP, first)[..], &[chunk]].concat()
}

/// What of the history is where.
#[derive(Debug)]
pub(super) struct Past {
    /// Heights to keep.
    keep: u64,
    /// The lowest height that can be proven; its roots are the first ones held.
    first: u64,
    /// Records of the blocks after the last group, durable or on their way.
    blocks: BTreeMap<u64, Bytes>,
    /// First and last height of the durable groups.
    groups: BTreeMap<u64, u64>,
    /// The group that is on its way.
    coming: Option<(u64, u64)>,
}

impl Past {
    /// A history that begins after a block, whose roots it puts into a batch.
    pub(super) fn begin(batch: &mut Batch, height: u64, tree: &Tree) -> Self {
        batch.put(UNDO, &key(ROOTS, height), ChunkRoots::of(tree).to_bytes());
        Self {
            keep: HISTORY_HEIGHTS,
            first: height,
            blocks: BTreeMap::new(),
            groups: BTreeMap::new(),
            coming: None,
        }
    }

    pub(super) fn set_keep(&mut self, heights: u64) {
        self.keep = heights;
    }

    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// The last height that is in a durable group, or where the history begins.
    fn grouped(&self) -> u64 {
        self.groups.last_key_value().map_or(self.first, |(_, last)| *last)
    }

    /// Adds the record of the next block to its batch, and the group that it completes. A commit that was given up may be
    /// begun again: the same comes out.
    pub(super) fn put(&mut self, batch: &mut Batch, executed: &Executed) -> Result<(), LedgerError> {
        let height = executed.height();
        if !executed.undo.changes().is_empty() {
            let record = record::of(executed)?;
            batch.put(UNDO, &key(BLOCK, height), record.clone());
            self.blocks.insert(height, record);
        }
        let bytes: usize = self.blocks.values().map(Bytes::len).sum();
        if height % GROUP_HEIGHTS == GROUP_HEIGHTS - 1 || bytes > GROUP_BYTES_MAX {
            self.put_group(batch, height)?;
            self.expire(batch, height.saturating_sub(self.keep));
        }
        Ok(())
    }

    /// All blocks since the last durable group become one: also those of a group that is on its way, which this one then
    /// replaces.
    fn put_group(&mut self, batch: &mut Batch, last: u64) -> Result<(), LedgerError> {
        let first = self.grouped() + 1;
        let mut group = record::Group::new(first);
        let mut roots = Bytes::new();
        for (height, bytes) in self.blocks.range(first..=last) {
            let block = record::parse(bytes).ok_or_else(|| record::damaged(*height))?;
            for (chunk, changes) in &block.chunks {
                group.add(*chunk, *height, changes);
            }
            batch.delete(UNDO, &key(BLOCK, *height));
            batch.put(UNDO, &key(ROOTS, *height), block.roots.clone());
            roots = block.roots;
        }
        if roots.is_empty() {
            return Ok(());
        }
        for (chunk, records) in group.into_chunks() {
            batch.put(UNDO, &group_key(first, chunk), records);
        }
        // The history may begin here one day.
        batch.put(UNDO, &key(ROOTS, last), roots);
        batch.put(UNDO, &key(GROUP_END, first), keys::height(last).to_vec());
        self.coming = Some((first, last));
        Ok(())
    }

    /// Removes the groups that no proof from `height` on needs.
    fn expire(&mut self, batch: &mut Batch, height: u64) {
        let began = self.first;
        while let Some((first, last)) = self.groups.first_key_value().map(|(first, last)| (*first, *last))
            && last <= height
        {
            batch.delete_range(UNDO, &key(GROUP, first), &key(GROUP, first + 1));
            batch.delete(UNDO, &key(GROUP_END, first));
            self.groups.remove(&first);
            self.first = last;
        }
        batch.delete_range(UNDO, &key(ROOTS, began), &key(ROOTS, self.first));
    }

    /// Everything up to a height is durable.
    pub(super) fn durable(&mut self, height: u64) {
        if let Some((first, last)) = self.coming.take_if(|(_, last)| *last <= height) {
            self.groups.insert(first, last);
            self.blocks = self.blocks.split_off(&(last + 1));
        }
    }
}
