//! What a store must hold, as plain maps; and random batches with it.

use futures::executor::block_on;
use std::{collections::BTreeMap, ops::Bound};
use yulian_store::{Batch, CHAIN_SPACES, Entry, Kv, META, Space, StoreError};

pub(crate) fn all<K: Kv>(kv: &K, space: Space) -> Vec<Entry> {
    kv.range(space, Bound::Unbounded, Bound::Unbounded, usize::MAX, false)
        .unwrap()
}

pub(crate) fn put<K: Kv>(kv: &K, space: Space, key: &[u8], value: &str) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    batch.put(space, key, value.to_owned());
    block_on(kv.commit(batch))
}

/// A deterministic source of choices.
#[derive(Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        let words = (0..count.div_ceil(8)).flat_map(|_| self.next().to_le_bytes());
        words.take(count).collect()
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Model(pub(crate) BTreeMap<(Space, Vec<u8>), Vec<u8>>);

impl Model {
    /// Makes a random batch and follows it.
    pub(crate) fn random_batch(&mut self, dice: &mut Dice) -> Batch {
        let mut batch = Batch::new();
        for _ in 0..=dice.below(12) {
            self.random_change(dice, &mut batch);
        }
        batch
    }

    /// Makes a batch of one value of 20,000 bytes after some random changes, and follows it.
    pub(crate) fn large_batch(&mut self, dice: &mut Dice) -> Batch {
        let mut batch = self.random_batch(dice);
        let (key, value) = (b"large".to_vec(), dice.bytes(20_000));
        batch.put(META, &key, value.clone());
        self.0.insert((META, key), value);
        batch
    }

    fn random_change(&mut self, dice: &mut Dice, batch: &mut Batch) {
        let space = CHAIN_SPACES[dice.below(CHAIN_SPACES.len() as u64) as usize];
        let key = dice.below(60).to_be_bytes();
        match dice.below(8) {
            0 => {
                let to = dice.below(60).to_be_bytes();
                batch.delete_range(space, &key, &to);
                self.0
                    .retain(|(at, k), _| *at != space || k[..] < key[..] || k[..] >= to[..]);
            }
            1 | 2 => {
                batch.delete(space, &key);
                self.0.remove(&(space, key.to_vec()));
            }
            _ => {
                let count = if dice.below(9) == 0 { 5_000 } else { dice.below(80) };
                let value = dice.bytes(count as usize);
                batch.put(space, &key, value.clone());
                self.0.insert((space, key.to_vec()), value);
            }
        }
    }

    pub(crate) fn of<K: Kv>(kv: &K) -> Self {
        let entries = |space: &Space| {
            let space = *space;
            let entry = move |(key, value): Entry| ((space, key.to_vec()), value.to_vec());
            all(kv, space).into_iter().map(entry)
        };
        Self(CHAIN_SPACES.iter().flat_map(entries).collect())
    }
}
