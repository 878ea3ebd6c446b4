//! Pruning frees the disk.

use crate::model::Dice;
use futures::executor::block_on;
use yulian_store::{BLOCK, Batch, FjallKv, Kv, Options, RECEIPT, STATE, Space};

const BLOCKS: u64 = 600;
const KEPT: u64 = 150;
const VALUE_BYTES: usize = 50_000;

fn fill(kv: &FjallKv, space: Space, value_bytes: usize) {
    let mut dice = Dice(1);
    for height in 0..BLOCKS {
        let mut batch = Batch::new();
        batch.put(space, &height.to_be_bytes(), dice.bytes(value_bytes));
        block_on(kv.commit(batch)).unwrap();
    }
}

fn freed(space: Space) {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        memtable_bytes: 2 << 20,
        ..Options::default()
    };
    let kv = FjallKv::open(folder.path(), options.clone()).unwrap();
    fill(&kv, space, VALUE_BYTES);
    block_on(kv.reclaim(space)).unwrap();
    let before = kv.disk_bytes().unwrap();
    let mut batch = Batch::new();
    batch.delete_range(space, &0u64.to_be_bytes(), &(BLOCKS - KEPT).to_be_bytes());
    block_on(kv.commit(batch)).unwrap();
    block_on(kv.reclaim(space)).unwrap();
    let after = kv.disk_bytes().unwrap();
    let removed = (BLOCKS - KEPT) * VALUE_BYTES as u64;
    assert!(
        before - after > removed * 8 / 10,
        "{before} bytes before, {after} after, {removed} removed"
    );
    kv.close();
    let again = FjallKv::open(folder.path(), options).unwrap();
    for height in [0, BLOCKS - KEPT - 1, BLOCKS - KEPT, BLOCKS - 1] {
        let value = again.get(space, &height.to_be_bytes()).unwrap();
        let expected = (height >= BLOCKS - KEPT).then_some(VALUE_BYTES);
        assert_eq!(value.map(|value| value.len()), expected, "height {height}");
    }
}

#[test]
fn removed_large_values_free_the_disk() {
    freed(BLOCK);
    freed(RECEIPT);
}

#[test]
fn removed_small_values_free_the_disk() {
    freed(STATE);
}
