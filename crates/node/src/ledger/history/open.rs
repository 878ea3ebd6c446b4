//! Finding the history of a store.

use super::{BLOCK, GROUP_BYTES_MAX, GROUP_END, Group, HISTORY_HEIGHTS, Past, ROOTS, key, record, record::BlockRecord};
use crate::ledger::{LedgerError, Tip, keys};
use bytes::Bytes;
use std::{collections::BTreeMap, ops::Bound};
use yulian_state::{Tree, history::ChunkRoots};
use yulian_store::{Batch, Entry, Kv, StoreError, UNDO};

/// Most groups, or blocks after the last group, that are read at a time.
const READ_MAX: usize = 1_024;

impl Past {
    /// The history of a store whose last final block left `tree`. Where there is none, or it does not lead there because a
    /// program without history wrote blocks, it begins anew with that block; also where it is damaged, since nothing but proofs
    /// of the past comes of it.
    pub(in crate::ledger) async fn open<K: Kv>(kv: &K, tip: &Tip, tree: &Tree) -> Result<Self, LedgerError> {
        match Self::find(kv, tip) {
            Ok(Some(past)) => return Ok(past),
            Ok(None) => {}
            Err(LedgerError::Damaged(what)) => {
                tracing::error!(%what, "the history of the state is damaged and is left");
            }
            Err(error) => return Err(error),
        }
        let mut batch = Batch::new();
        batch.delete_range(UNDO, &[BLOCK], &[GROUP_END + 1]);
        let past = Self::begin(&mut batch, tip.height, tree);
        if tree.root() != tip.state_root {
            // The ledger will not open: nothing is to be written to it.
            return Ok(past);
        }
        kv.commit(batch).await?;
        tracing::info!(height = tip.height, "the history of the state begins here");
        Ok(past)
    }

    fn find<K: Kv>(kv: &K, tip: &Tip) -> Result<Option<Self>, LedgerError> {
        let (Some(first), Some(last)) = (edge(kv, false)?, edge(kv, true)?) else {
            return Ok(None);
        };
        let roots = ChunkRoots::from_bytes(&last.1).map_err(LedgerError::damaged)?;
        if height_of(&last.0)? != tip.height || roots.root() != tip.state_root {
            return Ok(None);
        }
        let blocks = table(kv, BLOCK)?.into_iter();
        let parse = |(height, bytes)| {
            Ok((
                height,
                BlockRecord::parse(bytes).ok_or_else(|| record::damaged(height))?,
            ))
        };
        let past = Self {
            keep: HISTORY_HEIGHTS,
            group_bytes: GROUP_BYTES_MAX,
            first: height_of(&first.0)?,
            durable: tip.height,
            blocks: blocks.map(parse).collect::<Result<_, LedgerError>>()?,
            groups: groups(kv)?,
        };
        past.check()?;
        Ok(Some(past))
    }

    /// Groups follow on each other from where the history begins, blocks on groups, and nothing on the last block.
    fn check(&self) -> Result<(), LedgerError> {
        let mut end = self.first;
        for (first, group) in &self.groups {
            if *first != end + 1 || !(*first..=self.durable).contains(&group.last) {
                return Err(LedgerError::damaged(format_args!(
                    "the group of undo records from {first}"
                )));
            }
            end = group.last;
        }
        match self
            .blocks
            .keys()
            .find(|height| !(end + 1..=self.durable).contains(*height))
        {
            Some(height) => Err(record::damaged(*height)),
            None => Ok(()),
        }
    }
}

/// The first chunk roots, or the last ones.
fn edge<K: Kv>(kv: &K, last: bool) -> Result<Option<Entry>, StoreError> {
    let (from, to) = (Bound::Included(&[ROOTS][..]), Bound::Excluded(&[ROOTS + 1][..]));
    Ok(kv.range(UNDO, from, to, 1, last)?.pop())
}

fn height_of(key: &[u8]) -> Result<u64, LedgerError> {
    let height = key.get(1..).filter(|rest| rest.len() == keys::HEIGHT_BYTES);
    let height = height.and_then(keys::parse_height);
    // The highest has no successor, and no chain reaches it.
    let height = height.filter(|height| *height < u64::MAX);
    height.ok_or_else(|| LedgerError::damaged("a key of the undo records"))
}

fn groups<K: Kv>(kv: &K) -> Result<BTreeMap<u64, Group>, LedgerError> {
    let group = |(first, value): (u64, Bytes)| {
        let last = height_of(&[&[GROUP_END], &value[..]].concat())?;
        let group = Group {
            last,
            whole_with: last,
            removed_with: None,
        };
        Ok((first, group))
    };
    table(kv, GROUP_END)?.into_iter().map(group).collect()
}

/// All of a table by height.
fn table<K: Kv>(kv: &K, number: u8) -> Result<BTreeMap<u64, Bytes>, LedgerError> {
    let end = [number + 1];
    let mut from = Bytes::from(key(number, 0));
    let mut found = BTreeMap::new();
    loop {
        let list = kv.range(UNDO, Bound::Included(&from), Bound::Excluded(&end), READ_MAX, false)?;
        let full = list.len() == READ_MAX;
        for (key, value) in list {
            found.insert(height_of(&key)?, value);
        }
        match found.last_key_value() {
            Some((last, _)) if full => from = key(number, last + 1).into(),
            _ => return Ok(found),
        }
    }
}
