//! `fjall` under kill −9: a child process commits, the parent kills it.

use crate::model::all;
use futures::{executor::block_on, future::join_all};
use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
};
use yulian_store::{Batch, FjallKv, INDEX, Kv, META, Options, STATE, StoreError};

/// Tells the child where its folder is.
const FOLDER: &str = "YULIAN_STORE_KILL_FOLDER";
const ROUNDS: u64 = 8;
const KEYS: u64 = 300;
/// Commits that are on their way at one time.
const PIPELINE: u64 = 4;
/// After how many commits the disk is given back.
const RECLAIM_EVERY: u64 = 80;

/// So small that files are written and merged all the time.
fn options() -> Options {
    Options {
        memtable_bytes: 64 << 10,
        ..Options::default()
    }
}

/// What is done to state key `key` by commit `number` depends on both.
fn value(key: u64, number: u64) -> Vec<u8> {
    [key.to_be_bytes(), number.to_be_bytes()].concat().repeat(8)
}

fn batch(number: u64) -> Batch {
    let mut batch = Batch::new();
    for i in 0..20 {
        let key = (number * 7 + i * 13) % KEYS;
        batch.put(STATE, &key.to_be_bytes(), value(key, number));
    }
    batch.put(INDEX, &number.to_be_bytes(), vec![1; 300]);
    batch.delete_range(INDEX, &0u64.to_be_bytes(), &number.saturating_sub(50).to_be_bytes());
    batch.put(META, b"next", (number + 1).to_be_bytes().to_vec());
    batch
}

fn next(kv: &FjallKv) -> u64 {
    let stored = kv.get(META, b"next").unwrap();
    stored.map_or(0, |bytes| u64::from_be_bytes(bytes[..].try_into().unwrap()))
}

/// Does its work in the child only: there it never ends by itself.
#[test]
fn child() {
    let Ok(folder) = env::var(FOLDER) else {
        return;
    };
    let kv = FjallKv::open(Path::new(&folder), options()).unwrap();
    let mut number = next(&kv);
    loop {
        let commits = (number..number + PIPELINE).map(|number| kv.commit(batch(number)));
        let results = block_on(join_all(commits));
        results.into_iter().for_each(Result::unwrap);
        number += PIPELINE;
        if number.is_multiple_of(RECLAIM_EVERY) {
            block_on(kv.reclaim(INDEX)).unwrap();
        }
        writeln!(std::io::stdout().lock(), "acknowledged {number}").unwrap();
    }
}

#[test]
fn acknowledged_commits_survive_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let mut last = 0;
    for round in 0..ROUNDS {
        let mut child = start(folder.path());
        let acknowledged = follow(&mut child, 20 + round * 37);
        if round == 0 {
            let second = FjallKv::open(folder.path(), options()).map(drop);
            assert!(matches!(second, Err(StoreError::InUse { .. })));
        }
        child.kill().unwrap();
        // What it printed before it died counts too.
        let acknowledged = follow(&mut child, u64::MAX).max(acknowledged);
        child.wait().unwrap();
        assert!(acknowledged > last);
        last = check(folder.path(), acknowledged);
    }
}

fn start(folder: &Path) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "kill::child", "--nocapture"]);
    command.env(FOLDER, folder).stdout(Stdio::piped()).spawn().unwrap()
}

/// Reads acknowledgements, at most `lines`; the last one.
fn follow(child: &mut Child, lines: u64) -> u64 {
    let mut out = BufReader::new(child.stdout.as_mut().unwrap());
    let (mut last, mut count, mut line) = (0, 0, String::new());
    while count < lines && out.read_line(&mut line).unwrap() > 0 {
        if let Some(number) = line.trim().strip_prefix("acknowledged ") {
            (last, count) = (number.parse().unwrap(), count + 1);
        }
        line.clear();
    }
    last
}

/// What is there is exactly what the first so many commits make, and no acknowledged one is missing.
fn check(folder: &Path, acknowledged: u64) -> u64 {
    let kv = FjallKv::open(folder, options()).unwrap();
    let next = next(&kv);
    assert!(next >= acknowledged, "{acknowledged} acknowledged, {next} found");
    let mut state = std::collections::BTreeMap::new();
    for number in 0..next {
        state.extend((0..20).map(|i| ((number * 7 + i * 13) % KEYS, number)));
    }
    let expected: Vec<_> = state
        .iter()
        .map(|(key, number)| (key.to_be_bytes().to_vec(), value(*key, *number)))
        .collect();
    let found: Vec<_> = all(&kv, STATE)
        .into_iter()
        .map(|(key, value)| (key.to_vec(), value.to_vec()))
        .collect();
    assert_eq!(found, expected);
    let index: Vec<_> = all(&kv, INDEX).into_iter().map(|(key, _)| key.to_vec()).collect();
    let kept: Vec<_> = (next.saturating_sub(51)..next)
        .map(|number| number.to_be_bytes().to_vec())
        .collect();
    assert_eq!(index, kept);
    kv.close();
    next
}
