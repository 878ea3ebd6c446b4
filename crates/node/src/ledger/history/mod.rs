//! What stood in the state before each of the last blocks, so that proofs can be made at former heights.
//!
//! | space | key | value |
//! |---|---|---|
//! | undo | 0 ‖ height (8) | a block's record: for each chunk that it changed, ascending: chunk (1) ‖ length (4) ‖ undo record |
//! | undo | 1 ‖ first height of a group (8) ‖ chunk (1) | the chunk's records of the group's blocks, ascending: height less first height (4) ‖ length (4) ‖ undo record |
//! | undo | 2 ‖ height (8) | chunk roots after the block |
//! | undo | 3 ‖ first height of a group (8) | last height of the group (8) |
//!
//! Chunk roots and undo records are those of [`yulian_state::history`]. One item costs the store microseconds, so a block's
//! commit brings its roots and one record (none if it changed nothing). A proof far back would read thousands of those, so
//! records are put together by chunk: *groups* of up to [`GROUP_HEIGHTS`] heights follow on each other without a gap. A group is
//! not made at once, which would hold up one block in 64: each block after its last one brings some of its
//! chunks, and the one that brings the last of them ends it and removes its blocks' records ([`Past::regroup`]). What is
//! older than is to be kept goes a group at a time.
//!
//! All of this is part of the blocks' own commits, and follows from the records alone: a crash leaves a history that is whole,
//! and what is then written is what would have been written without it.

mod open;
mod prove;
mod record;
mod regroup;

#[cfg(test)]
mod tests;

pub use prove::{PastError, PastProof};

use self::record::BlockRecord;
use super::{LedgerError, keys};
use std::collections::BTreeMap;
use yulian_exec::Executed;
use yulian_state::{
    Tree,
    history::{ChunkRoots, UNDO_BYTES_MAX},
};
use yulian_store::{Batch, UNDO, VALUE_BYTES_MAX};

/// Heights behind the last one at which state can be proven, unless a node is told otherwise.
pub const HISTORY_HEIGHTS: u64 = 10_000;
/// A group ends where a height is the last of this many.
///
/// This and [`GROUP_BYTES_MAX`] say which block brings which part of a group: with another value a group that was
/// half made would not be whole, so that a change goes with another number of the tables.
pub const GROUP_HEIGHTS: u64 = 64;
/// A group ends before its time with the record that takes it beyond this many bytes. Twice as many are in memory at most,
/// and two records.
const GROUP_BYTES_MAX: usize = 16 << 20;

// Also if all of it lies in one chunk, with eight bytes for each height.
const _: () = assert!(GROUP_BYTES_MAX + UNDO_BYTES_MAX + 8 * (GROUP_HEIGHTS as usize) < VALUE_BYTES_MAX);

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
///
/// Commits are begun before earlier ones are durable, and one that was given up is begun again: what a block
/// adds is a function of what blocks before it added, and is forgotten when that height comes again.
#[derive(Debug)]
pub(super) struct Past {
    /// Heights to keep.
    keep: u64,
    /// [`GROUP_BYTES_MAX`]; less in tests.
    group_bytes: usize,
    /// Where the durable history begins: its roots are the first ones on the disk.
    first: u64,
    /// Everything up to this height is durable.
    durable: u64,
    /// Records of the blocks that are in no durable group.
    blocks: BTreeMap<u64, BlockRecord>,
    /// By first height.
    groups: BTreeMap<u64, Group>,
}

/// A group whose last part is durable or on its way.
#[derive(Debug, Clone, Copy)]
struct Group {
    last: u64,
    /// The block that brings its last part.
    whole_with: u64,
    /// The block that removes it.
    removed_with: Option<u64>,
}

impl Past {
    /// A history that begins after a block, whose roots it puts into a batch.
    pub(super) fn begin(batch: &mut Batch, height: u64, tree: &Tree) -> Self {
        batch.put(UNDO, &key(ROOTS, height), ChunkRoots::of(tree).to_bytes());
        Self {
            keep: HISTORY_HEIGHTS,
            group_bytes: GROUP_BYTES_MAX,
            first: height,
            durable: height,
            blocks: BTreeMap::new(),
            groups: BTreeMap::new(),
        }
    }

    pub(super) fn set_keep(&mut self, heights: u64) {
        self.keep = heights;
    }

    /// The lowest height that can be proven.
    pub(super) fn first(&self) -> u64 {
        let mut removed = self.groups.values().filter(|group| group.removed_with.is_some());
        removed.next_back().map_or(self.first, |group| group.last)
    }

    /// Adds the next block's part of the history to its batch.
    pub(super) fn put(&mut self, batch: &mut Batch, executed: &Executed) -> Result<(), LedgerError> {
        let height = executed.height();
        self.forget_from(height);
        let roots = ChunkRoots::of(&executed.tree).to_bytes();
        batch.put(UNDO, &key(ROOTS, height), roots);
        if let Some(record) = BlockRecord::of(executed)? {
            batch.put(UNDO, &key(BLOCK, height), record.bytes().clone());
            self.blocks.insert(height, record);
        }
        self.regroup(batch, height);
        self.expire(batch, height);
        Ok(())
    }

    /// Takes back what a commit added that was given up, and all after it.
    fn forget_from(&mut self, height: u64) {
        self.blocks.split_off(&height);
        self.groups.retain(|_, group| group.whole_with < height);
        for group in self.groups.values_mut() {
            group.removed_with = group.removed_with.filter(|with| *with < height);
        }
    }

    /// Removes the oldest group if no proof at a height that is to be kept needs it. One for each block, so that a node that is
    /// told to keep less does not remove thousands at once.
    fn expire(&mut self, batch: &mut Batch, height: u64) {
        let from = self.first();
        let oldest = self.groups.iter_mut().find(|(_, group)| group.removed_with.is_none());
        if let Some((first, group)) = oldest
            && group.last <= height.saturating_sub(self.keep)
        {
            batch.delete_range(UNDO, &key(GROUP, *first), &key(GROUP, first + 1));
            batch.delete(UNDO, &key(GROUP_END, *first));
            batch.delete_range(UNDO, &key(ROOTS, from), &key(ROOTS, group.last));
            group.removed_with = Some(height);
        }
    }

    /// Everything up to a height is durable.
    pub(super) fn durable(&mut self, height: u64) {
        self.durable = self.durable.max(height);
        let whole = self.groups.values().rfind(|group| group.whole_with <= height);
        if let Some(last) = whole.map(|group| group.last) {
            self.blocks = self.blocks.split_off(&(last + 1));
        }
        while let Some(oldest) = self.groups.first_entry()
            && oldest.get().removed_with.is_some_and(|with| with <= height)
        {
            self.first = oldest.remove().last;
        }
    }
}
