//! Which heights the store holds: a bit for each, in pages, so that a start reads little and a commit writes little.

use super::keys::{self, HEIGHT_BYTES, Table};
use bytes::Bytes;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};
use yulian_store::{Batch, INDEX, Kv, StoreError};

/// Bytes of a page.
const PAGE_BYTES: usize = 256;
/// Heights of a page.
const PAGE_HEIGHTS: u64 = PAGE_BYTES as u64 * 8;
/// Pages read at a time.
const PAGES_READ_MAX: usize = 256;

/// A set of heights, kept in one table of the index space.
#[derive(Debug)]
pub(crate) struct Held {
    table: Table,
    pages: BTreeMap<u64, [u8; PAGE_BYTES]>,
    /// Pages that differ from the disk.
    dirty: BTreeSet<u64>,
}

fn place(height: u64) -> (u64, usize, u8) {
    let bit = height % PAGE_HEIGHTS;
    (height / PAGE_HEIGHTS, bit as usize / 8, 1 << (bit % 8))
}

impl Held {
    pub(crate) fn read<K: Kv>(kv: &K, table: Table) -> Result<Self, StoreError> {
        let mut held = Self {
            table,
            pages: BTreeMap::new(),
            dirty: BTreeSet::new(),
        };
        let prefix = keys::index(table, &[]);
        let end = keys::prefix_end(&prefix);
        let mut from = Bound::Included(Bytes::from(prefix));
        loop {
            let list = kv.range(
                INDEX,
                from.as_ref().map(|b| &b[..]),
                Bound::Excluded(&end),
                PAGES_READ_MAX,
                false,
            )?;
            for (key, value) in &list {
                let damaged = || StoreError::Damaged(format!("a page of the table of held heights {table:?}"));
                let number = keys::parse_height(&key[1..]).filter(|_| key.len() == 1 + HEIGHT_BYTES);
                let page = value[..].try_into().map_err(|_| damaged())?;
                held.pages.insert(number.ok_or_else(damaged)?, page);
            }
            match list.last() {
                Some((key, _)) if list.len() == PAGES_READ_MAX => from = Bound::Excluded(key.clone()),
                _ => return Ok(held),
            }
        }
    }

    pub(crate) fn contains(&self, height: u64) -> bool {
        let (page, byte, bit) = place(height);
        self.pages.get(&page).is_some_and(|page| page[byte] & bit != 0)
    }

    /// Adds a height; false if it is there already.
    pub(crate) fn insert(&mut self, height: u64) -> bool {
        let (number, byte, bit) = place(height);
        let page = self.pages.entry(number).or_insert([0; PAGE_BYTES]);
        if page[byte] & bit != 0 {
            return false;
        }
        page[byte] |= bit;
        self.dirty.insert(number);
        true
    }

    pub(crate) fn remove(&mut self, height: u64) {
        let (number, byte, bit) = place(height);
        if let Some(page) = self.pages.get_mut(&number) {
            page[byte] &= !bit;
            self.dirty.insert(number);
        }
    }

    /// Puts every changed page into a batch. The batch must become durable, or the store be opened anew.
    pub(crate) fn write(&mut self, batch: &mut Batch) {
        for number in std::mem::take(&mut self.dirty) {
            if let Some(page) = self.pages.get(&number) {
                let key = keys::index(self.table, &[&number.to_be_bytes()]);
                batch.put(INDEX, &key, Bytes::copy_from_slice(page));
            }
        }
    }

    /// Maximal ranges (first, last), ascending.
    pub(crate) fn ranges(&self) -> Vec<(u64, u64)> {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for height in self.heights() {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == height => *last = height,
                _ => ranges.push((height, height)),
            }
        }
        ranges
    }

    /// The lowest height from `from` to `to` that is held.
    pub(crate) fn next_from(&self, from: u64, to: u64) -> Option<u64> {
        (from..=to).find(|height| self.contains(*height))
    }

    /// The highest height up to `to` that is held.
    pub(crate) fn last_to(&self, to: u64) -> Option<u64> {
        let pages = self.pages.range(..=to / PAGE_HEIGHTS).rev();
        pages
            .flat_map(|(number, _)| (0..PAGE_HEIGHTS).rev().map(move |bit| number * PAGE_HEIGHTS + bit))
            .find(|height| *height <= to && self.contains(*height))
    }

    fn heights(&self) -> impl Iterator<Item = u64> + '_ {
        self.pages.iter().flat_map(|(number, page)| {
            let bits = 0..PAGE_HEIGHTS;
            bits.filter(|bit| page[*bit as usize / 8] >> (bit % 8) & 1 == 1)
                .map(move |bit| number * PAGE_HEIGHTS + bit)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use yulian_store::{CHAIN_SPACES, LogKv, MemoryLog};

    #[test]
    fn heights_survive_and_ranges_are_maximal() {
        let kv = block_on(LogKv::open(MemoryLog::new(), CHAIN_SPACES)).unwrap();
        let mut held = Held::read(&kv, Table::BlocksHeld).unwrap();
        for height in (1..=5_000).chain([7_000, 7_001, 1 << 40]) {
            assert!(held.insert(height));
            assert!(!held.insert(height));
        }
        held.remove(3);
        let mut batch = Batch::new();
        held.write(&mut batch);
        block_on(kv.commit(batch)).unwrap();
        let again = Held::read(&kv, Table::BlocksHeld).unwrap();
        let expected = [(1, 2), (4, 5_000), (7_000, 7_001), (1 << 40, 1 << 40)];
        assert_eq!(again.ranges(), expected);
        assert!(again.contains(5_000) && !again.contains(5_001) && !again.contains(0));
        assert_eq!(again.next_from(5_001, 8_000), Some(7_000));
        assert_eq!(again.next_from(5_001, 6_999), None);
        assert_eq!(again.last_to(6_999), Some(5_000));
        assert_eq!(again.last_to(3), Some(2));
        assert_eq!(again.last_to(0), None);
        assert!(Held::read(&kv, Table::ProofsHeld).unwrap().ranges().is_empty());
    }

    #[test]
    fn more_pages_than_one_read_are_found() {
        let kv = block_on(LogKv::open(MemoryLog::new(), CHAIN_SPACES)).unwrap();
        let mut held = Held::read(&kv, Table::ProofsHeld).unwrap();
        let heights: Vec<u64> = (0..600).map(|n| n * PAGE_HEIGHTS).collect();
        heights.iter().for_each(|h| assert!(held.insert(*h)));
        let mut batch = Batch::new();
        held.write(&mut batch);
        block_on(kv.commit(batch)).unwrap();
        assert_eq!(Held::read(&kv, Table::ProofsHeld).unwrap().ranges().len(), 600);
    }
}
