//! Putting records together by chunk, a part with each block.

use super::{BLOCK, GROUP_END, GROUP_HEIGHTS, Group, Past, group_key, key, record};
use crate::ledger::keys;
use yulian_state::history::CHUNKS;
use yulian_store::{Batch, UNDO};

impl Past {
    /// Adds the part that a block brings of the group before it, and ends the group if that is the last one.
    ///
    /// A group of n heights takes as many blocks, so that it is whole when the next group is complete; where records have
    /// become so much larger that this comes sooner, what is left comes at once. So there is never more than one
    /// to be made, and what a block brings is about as much as its own record.
    pub(super) fn regroup(&mut self, batch: &mut Batch, height: u64) {
        let first = self.grouped() + 1;
        let Some(last) = self.end_of(first, height - 1) else {
            return;
        };
        let (from, to) = (self.done(first, last, height - 1), self.done(first, last, height));
        for chunk in from..to {
            let chunk = chunk as u8;
            let records = self.blocks.range(first..=last);
            let records = records.filter_map(|(height, record)| Some((*height, record.chunk(chunk)?)));
            let bytes = record::of_group(first, records);
            if !bytes.is_empty() {
                batch.put(UNDO, &group_key(first, chunk), bytes);
            }
        }
        if to == CHUNKS {
            self.end_group(batch, (first, last), height);
        }
    }

    fn end_group(&mut self, batch: &mut Batch, (first, last): (u64, u64), whole_with: u64) {
        for height in self.blocks.range(first..=last).map(|(height, _)| *height) {
            batch.delete(UNDO, &key(BLOCK, height));
        }
        batch.put(UNDO, &key(GROUP_END, first), keys::height(last).to_vec());
        let removed_with = None;
        self.groups.insert(
            first,
            Group {
                last,
                whole_with,
                removed_with,
            },
        );
    }

    /// The last height that is in a group, or where the history begins.
    fn grouped(&self) -> u64 {
        self.groups.values().next_back().map_or(self.first, |group| group.last)
    }

    /// Chunks of a group that the blocks up to a height have brought.
    fn done(&self, first: u64, last: u64, height: u64) -> usize {
        if height <= last {
            return 0;
        }
        if self.end_of(last + 1, height).is_some() {
            return CHUNKS;
        }
        let part = CHUNKS as u64 * (height - last);
        part.div_ceil(last - first + 1).min(CHUNKS as u64) as usize
    }

    /// The last height of the group that begins with `first`, if it is complete with the blocks up to `height`.
    fn end_of(&self, first: u64, height: u64) -> Option<u64> {
        if height < first {
            return None;
        }
        let due = first | (GROUP_HEIGHTS - 1);
        let mut bytes = 0;
        for (at, record) in self.blocks.range(first..=due.min(height)) {
            bytes += record.bytes().len();
            if bytes > self.group_bytes {
                return Some(*at);
            }
        }
        (due <= height).then_some(due)
    }
}
