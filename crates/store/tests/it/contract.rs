//! What every back-end does.

use crate::model::{Dice, Model, all, put};
use bytes::Bytes;
use futures::{executor::block_on, future::join_all};
use std::{
    ops::Bound::{self, Excluded, Included, Unbounded},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};
use tempfile::TempDir;
use yulian_store::{
    BATCH_BYTES_MAX, Batch, CHAIN_SPACES, FjallKv, INDEX, KEY_BYTES_MAX, Kv, LogKv, META, MemoryLog, Options, STATE,
    Space, StoreError, VALUE_BYTES_MAX,
};

/// A place where a store can be opened, closed and opened again.
trait Place: Default {
    type Store: Kv;
    fn open(&self) -> Self::Store;
}

#[derive(Default)]
struct LogPlace(MemoryLog);

impl Place for LogPlace {
    type Store = LogKv<MemoryLog>;
    fn open(&self) -> Self::Store {
        block_on(LogKv::open(self.0.clone(), CHAIN_SPACES)).unwrap()
    }
}

struct FolderPlace(TempDir);

impl Default for FolderPlace {
    fn default() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Place for FolderPlace {
    type Store = FjallKv;
    fn open(&self) -> Self::Store {
        FjallKv::open(self.0.path(), Options::default()).unwrap()
    }
}

macro_rules! contract {
    ($($name:ident)*) => {
        mod log {
            $(#[test] fn $name() { super::$name::<super::LogPlace>() })*
        }
        mod fjall {
            $(#[test] fn $name() { super::$name::<super::FolderPlace>() })*
        }
    };
}

contract! {
    what_is_put_is_found
    operations_take_effect_in_order
    spaces_are_apart
    ranges_keep_their_bounds
    limits_are_kept
    unknown_spaces_are_refused
    commits_apply_in_the_order_of_the_calls
    a_dropped_commit_keeps_its_place
    readers_never_see_half_a_commit
    a_view_stays_as_it_was
    closing_is_for_every_handle
    random_histories_survive_reopening
}

fn what_is_put_is_found<P: Place>() {
    let place = P::default();
    let kv = place.open();
    assert_eq!(kv.get(META, b"k").unwrap(), None);
    put(&kv, META, b"k", "v").unwrap();
    put(&kv, META, b"empty", "").unwrap();
    assert_eq!(kv.clone().get(META, b"k").unwrap(), Some(Bytes::from("v")));
    assert_eq!(kv.get(META, b"empty").unwrap(), Some(Bytes::new()));
    assert_eq!(kv.get(META, b"").unwrap(), None);
    let mut batch = Batch::new();
    batch.delete(META, b"k");
    batch.delete(META, b"never there");
    let syncs = kv.sync_count();
    block_on(kv.commit(batch)).unwrap();
    assert!(kv.sync_count() > syncs);
    assert!(kv.disk_bytes().unwrap() > 0);
    assert_eq!(kv.get(META, b"k").unwrap(), None);
    block_on(kv.commit(Batch::new())).unwrap();
    block_on(kv.reclaim(META)).unwrap();
    assert_eq!(all(&kv, META).len(), 1);
}

fn a_view_stays_as_it_was<P: Place>() {
    let place = P::default();
    let kv = place.open();
    put(&kv, STATE, b"a", "1").unwrap();
    put(&kv, STATE, b"b", "2").unwrap();
    let view = kv.view().unwrap();
    put(&kv, STATE, b"a", "changed").unwrap();
    put(&kv, STATE, b"c", "new").unwrap();
    let mut batch = Batch::new();
    batch.delete_range(STATE, b"b", b"c");
    block_on(kv.commit(batch)).unwrap();
    block_on(kv.reclaim(STATE)).unwrap();
    assert_eq!(view.get(STATE, b"a").unwrap(), Some(Bytes::from("1")));
    assert_eq!(view.get(STATE, b"c").unwrap(), None);
    let range = |from, limit| {
        let found = view.range(STATE, from, Unbounded, limit).unwrap();
        found.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    assert_eq!(range(Unbounded, 9), ["a", "b"]);
    assert_eq!(range(Unbounded, 1), ["a"]);
    assert_eq!(range(Excluded(&b"a"[..]), 9), ["b"]);
    assert!(view.range(STATE, Included(b"b"), Excluded(b"b"), 9).unwrap().is_empty());
    kv.close();
    assert!(matches!(view.get(STATE, b"a"), Err(StoreError::Closed)));
    assert!(matches!(
        view.range(STATE, Unbounded, Unbounded, 9),
        Err(StoreError::Closed)
    ));
    assert_eq!(all(&place.open(), STATE).len(), 2);
}

fn operations_take_effect_in_order<P: Place>() {
    let place = P::default();
    let kv = place.open();
    put(&kv, META, b"b", "old").unwrap();
    put(&kv, META, b"d", "end is exclusive").unwrap();
    let mut batch = Batch::new();
    batch.put(META, b"a", "1");
    batch.put(META, b"a", "2");
    batch.delete_range(META, b"b", b"d");
    batch.put(META, b"c", "after the range");
    batch.put(META, b"e", "gone");
    batch.delete(META, b"e");
    let mut later = Batch::new();
    later.delete_range(META, b"a", b"a\0");
    later.put(META, b"f", "3");
    batch.append(later);
    block_on(kv.commit(batch)).unwrap();
    let keys: Vec<_> = all(&kv, META).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["c", "d", "f"]);
}

fn spaces_are_apart<P: Place>() {
    let place = P::default();
    let kv = place.open();
    for space in CHAIN_SPACES {
        put(&kv, *space, b"k", space.name()).unwrap();
    }
    let mut batch = Batch::new();
    batch.delete_range(STATE, b"a", b"z");
    block_on(kv.commit(batch)).unwrap();
    for space in CHAIN_SPACES {
        let expected = (*space != STATE).then_some(Bytes::from(space.name()));
        assert_eq!(kv.get(*space, b"k").unwrap(), expected);
    }
}

fn ranges_keep_their_bounds<P: Place>() {
    let place = P::default();
    let kv = place.open();
    for key in ["a", "b", "c", "d"] {
        put(&kv, INDEX, key.as_bytes(), key).unwrap();
    }
    let range = |from: Bound<&str>, to: Bound<&str>, limit, reverse| {
        let bytes = |bound: Bound<&'static str>| bound.map(str::as_bytes);
        let found = kv.range(INDEX, bytes(own(from)), bytes(own(to)), limit, reverse);
        let keys = found.unwrap().into_iter().map(|(key, value)| {
            assert_eq!(key, value);
            String::from_utf8(key.to_vec()).unwrap()
        });
        keys.collect::<String>()
    };
    assert_eq!(range(Unbounded, Unbounded, 9, false), "abcd");
    assert_eq!(range(Unbounded, Unbounded, 9, true), "dcba");
    assert_eq!(range(Included("b"), Included("c"), 9, false), "bc");
    assert_eq!(range(Excluded("a"), Excluded("d"), 9, true), "cb");
    assert_eq!(range(Included("b"), Unbounded, 2, false), "bc");
    assert_eq!(range(Unbounded, Included("c"), 2, true), "cb");
    assert_eq!(range(Unbounded, Unbounded, 0, false), "");
    assert_eq!(range(Included("c"), Included("b"), 9, false), "");
    assert_eq!(range(Excluded("b"), Excluded("b"), 9, false), "");
    assert_eq!(range(Included("b"), Excluded("b"), 9, true), "");
    assert_eq!(range(Included("b"), Included("b"), 9, true), "b");
    assert_eq!(range(Included("x"), Unbounded, 9, true), "");
}

/// The bounds of the tests are literals.
fn own(bound: Bound<&str>) -> Bound<&'static str> {
    bound.map(|text| {
        ["a", "b", "c", "d", "x"]
            .into_iter()
            .find(|known| *known == text)
            .unwrap()
    })
}

fn limits_are_kept<P: Place>() {
    let place = P::default();
    let kv = place.open();
    let commit = |key: Vec<u8>, value: Vec<u8>| {
        let mut batch = Batch::new();
        batch.put(META, b"beside", "x");
        batch.put(META, &key, value);
        block_on(kv.commit(batch))
    };
    let long = KEY_BYTES_MAX + 1;
    assert!(matches!(commit(vec![], vec![]), Err(StoreError::KeyLength(0))));
    assert!(matches!(commit(vec![1; long], vec![]), Err(StoreError::KeyLength(n)) if n == long));
    let large = VALUE_BYTES_MAX + 1;
    assert!(matches!(commit(vec![1], vec![0; large]), Err(StoreError::ValueLength(n)) if n == large));
    let mut batch = Batch::new();
    let value = Bytes::from(vec![0; VALUE_BYTES_MAX]);
    for key in 0..=BATCH_BYTES_MAX / VALUE_BYTES_MAX {
        batch.put(META, &[key as u8], value.clone());
    }
    assert!(matches!(block_on(kv.commit(batch)), Err(StoreError::BatchLength(_))));
    let mut range = Batch::new();
    range.delete_range(META, b"a", &vec![b'b'; long]);
    assert!(matches!(block_on(kv.commit(range)), Err(StoreError::KeyLength(_))));
    assert_eq!(all(&kv, META), []);
    commit(vec![1; KEY_BYTES_MAX], vec![7; 1 << 20]).unwrap();
    assert_eq!(
        kv.get(META, &[1; KEY_BYTES_MAX]).unwrap().map(|value| value.len()),
        Some(1 << 20)
    );
}

fn unknown_spaces_are_refused<P: Place>() {
    let place = P::default();
    let kv = place.open();
    let other = Space::new(99, "other");
    let unknown = |result| matches!(result, Err(StoreError::UnknownSpace("other")));
    assert!(unknown(kv.get(other, b"k").map(drop)));
    assert!(unknown(kv.range(other, Unbounded, Unbounded, 1, false).map(drop)));
    assert!(unknown(put(&kv, other, b"k", "v")));
    assert!(unknown(block_on(kv.reclaim(other))));
}

fn commits_apply_in_the_order_of_the_calls<P: Place>() {
    let place = P::default();
    let kv = place.open();
    let commits = (0..40u32).map(|number| {
        let mut batch = Batch::new();
        batch.put(META, b"last", number.to_string());
        batch.put(INDEX, &number.to_be_bytes(), "");
        kv.commit(batch)
    });
    let mut commits: Vec<_> = commits.collect();
    // The futures are awaited from the last to the first.
    commits.reverse();
    for result in block_on(join_all(commits)) {
        result.unwrap();
    }
    assert_eq!(kv.get(META, b"last").unwrap(), Some(Bytes::from("39")));
    assert_eq!(all(&kv, INDEX).len(), 40);
}

fn a_dropped_commit_keeps_its_place<P: Place>() {
    let place = P::default();
    let kv = place.open();
    let mut first = Batch::new();
    first.put(META, b"k", "first");
    drop(kv.commit(first));
    put(&kv, META, b"k", "second").unwrap();
    assert_eq!(kv.get(META, b"k").unwrap(), Some(Bytes::from("second")));
}

fn readers_never_see_half_a_commit<P: Place>() {
    let place = P::default();
    let kv = place.open();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let seen = all(&kv, INDEX);
                assert!(seen.iter().all(|(_, value)| *value == seen[0].1));
                assert!(seen.is_empty() || seen.len() == 300);
            }
        });
        for round in 0..60u32 {
            let mut batch = Batch::new();
            for key in 0..300u32 {
                batch.put(INDEX, &key.to_be_bytes(), round.to_be_bytes().to_vec());
            }
            block_on(kv.commit(batch)).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
}

fn closing_is_for_every_handle<P: Place>() {
    let place = P::default();
    let kv = place.open();
    let other = kv.clone();
    put(&kv, META, b"k", "v").unwrap();
    kv.close();
    kv.close();
    assert!(matches!(other.get(META, b"k"), Err(StoreError::Closed)));
    assert!(matches!(
        other.range(META, Unbounded, Unbounded, 1, false),
        Err(StoreError::Closed)
    ));
    assert!(matches!(put(&other, META, b"k", "w"), Err(StoreError::Closed)));
    assert!(matches!(block_on(other.reclaim(META)), Err(StoreError::Closed)));
    assert!(matches!(other.disk_bytes(), Err(StoreError::Closed)));
    // The old handles are still there, and do not keep the place from being opened.
    let again = place.open();
    assert_eq!(again.get(META, b"k").unwrap(), Some(Bytes::from("v")));
}

fn random_histories_survive_reopening<P: Place>() {
    for seed in 0..5 {
        let (place, mut dice, mut model) = (P::default(), Dice(seed), Model::default());
        for _ in 0..6 {
            let kv = place.open();
            assert_eq!(Model::of(&kv), model);
            for _ in 0..20 {
                block_on(kv.commit(model.random_batch(&mut dice))).unwrap();
                if dice.below(5) == 0 {
                    assert_eq!(Model::of(&kv), model);
                }
            }
            kv.close();
        }
    }
}
