//! The log under power failures and abandoned writes.

use crate::model::{Dice, Model, put};
use bytes::Bytes;
use futures::{FutureExt as _, executor::block_on, future::join_all};
use std::io;
use yulian_store::{Batch, CHAIN_SPACES, COMMITS_MAX, Kv, LogFile, LogKv, META, MemoryLog, StoreError};

fn open<L: LogFile>(log: L) -> LogKv<L> {
    block_on(LogKv::open(log, CHAIN_SPACES)).unwrap()
}

/// After any crash, what is there is what some number of commits made, and every acknowledged one is among them.
#[test]
fn after_a_crash_there_is_a_prefix_with_all_that_was_acknowledged() {
    let (mut lost, mut kept) = (0, 0);
    for seed in 0..400 {
        let (log, mut dice, mut model) = (MemoryLog::new(), Dice(seed), Model::default());
        for _ in 0..4 {
            let kv = open(log.clone());
            assert_eq!(Model::of(&kv), model);
            log.fail_after(dice.below(30));
            let (versions, acknowledged) = commit_until_failure(&kv, &mut dice, model);
            log.crash(dice.next());
            let found = Model::of(&open(log.clone()));
            let at = versions.iter().rposition(|version| *version == found);
            let at = at.unwrap_or_else(|| panic!("seed {seed}: not a prefix"));
            assert!(
                at >= acknowledged,
                "seed {seed}: {acknowledged} acknowledged, {at} found"
            );
            lost += usize::from(at + 1 < versions.len());
            kept += usize::from(at > acknowledged);
            model = found;
        }
    }
    // The test is worth nothing if crashes always or never keep what was not acknowledged.
    assert!(lost > 100 && kept > 10, "{lost} {kept}");
}

/// The contents after each commit, from before the first on, and how many were acknowledged.
fn commit_until_failure<K: Kv>(kv: &K, dice: &mut Dice, mut model: Model) -> (Vec<Model>, usize) {
    let (mut versions, mut acknowledged) = (vec![model.clone()], 0);
    loop {
        let mut commits = Vec::new();
        for _ in 0..=dice.below(4) {
            commits.push(kv.commit(model.random_batch(dice)));
            versions.push(model.clone());
        }
        let results = block_on(join_all(commits));
        acknowledged += results.iter().filter(|result| result.is_ok()).count();
        if results.iter().any(Result::is_err) {
            return (versions, acknowledged);
        }
    }
}

#[test]
fn after_a_failed_write_nothing_more_is_taken() {
    let log = MemoryLog::new();
    let kv = open(log.clone());
    put(&kv, META, b"k", "before").unwrap();
    log.fail_after(1);
    assert!(matches!(put(&kv, META, b"k", "lost"), Err(StoreError::DiskFull)));
    assert!(matches!(put(&kv, META, b"k", "refused"), Err(StoreError::Stopped(_))));
    assert_eq!(kv.get(META, b"k").unwrap(), Some(Bytes::from("before")));
}

#[test]
fn too_many_waiting_commits_are_refused_and_the_others_are_done() {
    let kv = open(MemoryLog::new());
    let batch = || {
        let mut batch = Batch::new();
        batch.put(META, b"k", "v");
        batch
    };
    let waiting: Vec<_> = (0..COMMITS_MAX).map(|_| kv.commit(batch())).collect();
    assert!(matches!(block_on(kv.commit(batch())), Err(StoreError::Busy)));
    assert!(block_on(join_all(waiting)).into_iter().all(|result| result.is_ok()));
    // All of them were one write.
    assert_eq!(kv.sync_count(), 1);
    block_on(kv.commit(batch())).unwrap();
}

/// A log whose every step takes a while.
struct Slow(MemoryLog);

impl LogFile for Slow {
    async fn read_all(&self) -> io::Result<Vec<u8>> {
        self.0.read_all().await
    }

    async fn write_at(&self, offset: u64, bytes: Vec<u8>) -> io::Result<()> {
        yield_once().await;
        self.0.write_at(offset, bytes).await
    }

    async fn truncate(&self, length: u64) -> io::Result<()> {
        self.0.truncate(length).await
    }

    async fn sync(&self) -> io::Result<()> {
        yield_once().await;
        self.0.sync().await
    }
}

async fn yield_once() {
    let mut yielded = false;
    futures::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

/// A commit dropped before, between and after its write and its sync: the next one finishes the work.
#[test]
fn an_abandoned_write_is_taken_over() {
    for polls in 0..4 {
        let log = MemoryLog::new();
        let kv = open(Slow(log.clone()));
        let mut batch = Batch::new();
        batch.put(META, b"abandoned", "yes");
        let mut commit = Box::pin(kv.commit(batch));
        let finished = (0..polls).any(|_| commit.as_mut().now_or_never().is_some());
        assert_eq!(finished, polls == 3);
        drop(commit);
        put(&kv, META, b"k", "v").unwrap();
        kv.close();
        log.crash(polls);
        let again = open(log);
        assert_eq!(again.get(META, b"abandoned").unwrap(), Some(Bytes::from("yes")));
        assert_eq!(again.get(META, b"k").unwrap(), Some(Bytes::from("v")));
    }
}

#[test]
fn a_record_of_an_unknown_space_is_damage() {
    let log = MemoryLog::new();
    put(&open(log.clone()), META, b"k", "v").unwrap();
    let result = block_on(LogKv::open(log, &CHAIN_SPACES[..2]));
    assert!(matches!(result.map(drop), Err(StoreError::Damaged(_))));
}
