mod chain;
mod cold;
mod crash;

use self::chain::*;
use super::*;
use crate::ledger::{Ledger, LedgerError, export, import};
use bytes::Bytes;
use futures::executor::block_on;
use std::{collections::BTreeSet, ops::RangeInclusive, sync::Arc};
use yulian_crypto::sm2::FastVerifier;
use yulian_state::value_hash;
use yulian_store::{CHAIN_SPACES, LogKv, MemoryLog};

/// Every height of a range gives the proof that its own tree gave, and the value known then if it is still the same.
fn check(chain: &Chain, ledger: &TestLedger, current: u64, heights: RangeInclusive<u64>) {
    let now = &chain.models[current as usize];
    let tree = chain.tree(current);
    for height in heights {
        let then = &chain.models[height as usize];
        let before = chain.tree(height);
        for key in (0..KEYS).filter(|key| (u64::from(*key) + height).is_multiple_of(23)) {
            let found = ledger.prove_past((current, &tree), height, &path(key)).unwrap();
            let value = value(then, key);
            assert_eq!(found.root, before.root());
            assert_eq!(found.proof, before.prove(&path(key)), "key {key} at {height}");
            assert_eq!(found.value_hash, value.as_deref().map(value_hash));
            assert_eq!(found.value, value.filter(|_| then.get(&key) == now.get(&key)));
        }
    }
}

/// Heights of a table of the undo space.
fn heights(ledger: &TestLedger, table: u8) -> Vec<u64> {
    let items = items(ledger.store(), UNDO).into_iter();
    let keys = items.filter(|(key, _)| key[0] == table);
    keys.map(|(key, _)| keys::parse_height(&key[1..9]).unwrap()).collect()
}

#[test]
fn every_height_is_proven_as_it_was_also_after_opening_again() {
    let chain = Chain::new(205);
    let log = MemoryLog::new();
    let ledger = chain.ledger(&log, 205);
    check(&chain, &ledger, 205, 0..=205);
    // From a state that is not the last one.
    let tree = chain.tree(160);
    let found = ledger.prove_past((160, &tree), 70, &path(3)).unwrap();
    assert_eq!(found.proof, chain.tree(70).prove(&path(3)));
    let early = ledger.prove_past((160, &tree), 161, &path(3));
    assert!(matches!(early, Err(PastError::NotYet)));
    drop(ledger);
    let opened = chain.open(&log).unwrap();
    assert_eq!(opened.anchor.tree.root(), chain.tree(205).root());
    check(&chain, &opened.ledger, 205, 0..=205);
}

/// Chunks of the group that begins with a height, as far as they are there.
fn chunks(ledger: &TestLedger, first: u64) -> Vec<u8> {
    let items = items(ledger.store(), UNDO).into_iter();
    let prefix = key(GROUP, first);
    let keys = items.filter(|(key, _)| key.starts_with(&prefix));
    keys.map(|(key, _)| key[9]).collect()
}

#[test]
fn records_are_put_together_four_chunks_with_each_block() {
    let chain = Chain::new(200);
    let log = MemoryLog::new();
    let ledger = chain.ledger(&log, 63);
    let changes = |height: &u64| !chain.blocks[*height as usize - 1].executed.undo.changes().is_empty();
    let changed = |range: RangeInclusive<u64>| range.filter(changes).collect::<Vec<_>>();
    let touched = |range: RangeInclusive<u64>| {
        let undo = range.flat_map(|height| chain.blocks[height as usize - 1].executed.undo.chunks());
        undo.map(|(chunk, _)| chunk).collect::<BTreeSet<_>>()
    };
    assert_eq!(heights(&ledger, BLOCK), changed(1..=63));
    assert_eq!(chunks(&ledger, 1), [0; 0]);
    let group = touched(1..=63);
    for height in 64..=127 {
        assert_eq!(heights(&ledger, GROUP_END), [0; 0]);
        // A commit that was given up is begun again, also the last one of a group.
        let (forged, tip) = (&chain.blocks[height as usize - 1], ledger.tip());
        drop(ledger.begin_final(&tip, &forged.block, None, &forged.executed).unwrap());
        chain.commit(&ledger, height..=height);
        let done = ((height - 63) * 256).div_ceil(63).min(256);
        let expected = group.iter().copied().filter(|chunk| u64::from(*chunk) < done);
        assert_eq!(chunks(&ledger, 1), expected.collect::<Vec<_>>(), "{height}");
        check(&chain, &ledger, height, height - 60..=height);
        if done == 256 {
            break;
        }
    }
    assert_eq!(ledger.tip().height, 126);
    assert_eq!(heights(&ledger, GROUP_END), [1]);
    assert_eq!(heights(&ledger, BLOCK), changed(64..=126));
    check(&chain, &ledger, 126, 0..=126);
    chain.commit(&ledger, 127..=200);
    assert_eq!(heights(&ledger, GROUP_END), [1, 64]);
    assert_eq!(heights(&ledger, BLOCK), changed(128..=200));
    assert_eq!(heights(&ledger, ROOTS), (0..=200).collect::<Vec<_>>());
    check(&chain, &ledger, 200, 0..=200);
}

#[test]
fn groups_of_much_end_early_and_little_of_them_is_in_memory() {
    const BYTES: usize = 700;
    let chain = Chain::new(150);
    let ledger = chain.ledger(&MemoryLog::new(), 0);
    ledger.past().group_bytes = BYTES;
    for height in 1..=150 {
        chain.commit(&ledger, height..=height);
        let past = ledger.past();
        let held = past.blocks.values().map(|record| record.bytes().len());
        let longest = held.clone().max().unwrap_or(0);
        assert!(held.sum::<usize>() <= 2 * (BYTES + longest), "{height}");
    }
    let ends = heights(&ledger, GROUP_END);
    assert!(
        ends.len() > 30 && ends.windows(2).any(|pair| pair[1] - pair[0] > 2),
        "{ends:?}"
    );
    check(&chain, &ledger, 150, 0..=150);
}

#[test]
fn what_is_too_old_goes_and_is_refused_with_the_first_height_that_is_held() {
    let chain = Chain::new(260);
    let log = MemoryLog::new();
    let ledger = chain.open(&log).unwrap().ledger;
    ledger.keep_history(70);
    chain.commit(&ledger, 1..=196);
    assert_eq!(ledger.history_from(), 63);
    chain.commit(&ledger, 197..=197);
    assert_eq!(ledger.history_from(), 127);
    chain.commit(&ledger, 198..=260);
    for again in [ledger.clone(), chain.open(&log).unwrap().ledger] {
        assert_eq!(again.history_from(), 127);
        assert_eq!(heights(&again, GROUP_END), [128]);
        assert!(heights(&again, GROUP).iter().all(|first| *first >= 128));
        assert_eq!(heights(&again, ROOTS)[0], 127);
        check(&chain, &again, 260, 127..=260);
        for height in [0, 60, 126] {
            let refused = again.prove_past((260, &chain.tree(260)), height, &path(1)).unwrap_err();
            assert!(matches!(refused, PastError::NotHeld { first: 127 }), "{refused}");
        }
    }
}

#[test]
fn damage_gives_errors_and_never_a_wrong_proof() {
    let chain = Chain::new(140);
    let ledger = chain.ledger(&MemoryLog::new(), 140);
    let tree = chain.tree(140);
    let damages: [fn(&mut Vec<u8>); 4] = [
        |value| value.truncate(value.len() - 1),
        |value| value.push(1),
        |value| value[0] ^= 0x40,
        |value| *value.last_mut().unwrap() ^= 1,
    ];
    let undo = items(ledger.store(), UNDO);
    let (mut anew, mut failed) = (0, 0);
    for (at, (key, _)) in undo
        .iter()
        .enumerate()
        .filter(|(at, _)| at % 9 == 0 || *at + 4 > undo.len())
    {
        let log = copy(ledger.store(), |space, other, value| {
            let mut value = value.to_vec();
            if space == UNDO && *other == key[..] {
                damages[at % 4](&mut value);
            }
            Some(value.into())
        });
        let opened = chain.open(&log).unwrap();
        // What is seen at the start is left, and the ledger goes on without it.
        if opened.ledger.history_from() == 140 {
            anew += 1;
            continue;
        }
        for height in (opened.ledger.history_from()..=140).step_by(7) {
            for key in (0..KEYS).step_by(37) {
                match opened.ledger.prove_past((140, &tree), height, &path(key)) {
                    Ok(found) => assert_eq!(found.proof, chain.tree(height).prove(&path(key))),
                    Err(PastError::Ledger(LedgerError::Damaged(_))) => failed += 1,
                    Err(other) => panic!("{other}"),
                }
            }
        }
    }
    assert!(anew > 0 && failed > 0, "{anew} {failed}");
}

#[test]
fn missing_records_are_damage() {
    let chain = Chain::new(140);
    let ledger = chain.ledger(&MemoryLog::new(), 140);
    let log = copy(ledger.store(), |space, key, value| {
        let goes = space == UNDO && key[0] == GROUP;
        (!goes).then_some(value)
    });
    let ledger = chain.open(&log).unwrap().ledger;
    let tree = chain.tree(140);
    let answers: Vec<_> = (0..KEYS)
        .map(|key| ledger.prove_past((140, &tree), 3, &path(key)))
        .collect();
    assert!(
        answers
            .iter()
            .any(|answer| matches!(answer, Err(PastError::Ledger(LedgerError::Damaged(_)))))
    );
    check(&chain, &ledger, 140, 63..=140);
}

#[test]
fn a_store_without_history_begins_one() {
    let chain = Chain::new(170);
    let ledger = chain.ledger(&MemoryLog::new(), 90);
    let without = copy(ledger.store(), |space, _, value| (space != UNDO).then_some(value));
    // A program that keeps none wrote the last blocks.
    let gap = copy(ledger.store(), |space, key, value| {
        let late = space == UNDO && [BLOCK, ROOTS].contains(&key[0]) && key[1..] > keys::height(88)[..];
        (!late).then_some(value)
    });
    for log in [without, gap] {
        let ledger = chain.open(&log).unwrap().ledger;
        assert_eq!(ledger.history_from(), 90);
        chain.commit(&ledger, 91..=170);
        let ledger = chain.open(&log).unwrap().ledger;
        assert_eq!(heights(&ledger, GROUP_END), [91]);
        check(&chain, &ledger, 170, 90..=170);
        let refused = ledger.prove_past((170, &chain.tree(170)), 89, &path(1)).unwrap_err();
        assert!(matches!(refused, PastError::NotHeld { first: 90 }), "{refused}");
    }
}

#[test]
fn a_restored_chain_has_its_history() {
    let chain = Chain::new(140);
    let ledger = chain.ledger(&MemoryLog::new(), 140);
    let mut backup = Vec::new();
    export(&ledger, &mut backup, |_| ()).unwrap();
    let log = MemoryLog::new();
    let restored: Ledger<_> = block_on(async {
        let kv = LogKv::open(log.clone(), CHAIN_SPACES).await.unwrap();
        let verifier = Arc::new(FastVerifier::default());
        import(kv, &mut &backup[..], None, registry(), verifier, |_| ())
            .await
            .unwrap()
            .0
    });
    assert_eq!(items(restored.store(), UNDO), items(ledger.store(), UNDO));
    check(&chain, &restored, 140, 0..=140);
}

#[test]
fn records_of_other_bytes_are_not_read() {
    let chain = Chain::new(3);
    let record = BlockRecord::of(&chain.blocks[2].executed).unwrap().unwrap();
    let chunks = |bytes: Bytes| {
        Some(
            (0..=255)
                .filter(|chunk| BlockRecord::parse(bytes.clone()).unwrap().chunk(*chunk).is_some())
                .count(),
        )
    };
    let bytes = record.bytes();
    let all = chunks(bytes.clone());
    assert!(all > Some(0));
    for end in 0..bytes.len() {
        let cut = bytes.slice(..end);
        assert!(BlockRecord::parse(cut.clone()).is_none() || chunks(cut) < all, "{end}");
    }
    let parts = [Bytes::from("a"), Bytes::from("bc")];
    let bytes = Bytes::from(record::of_group(5, [5, 9].into_iter().zip(&parts)));
    let records = record::parse_group(5, 9, bytes.clone()).unwrap();
    assert_eq!(records, [(5, Bytes::from("a")), (9, Bytes::from("bc"))]);
    assert!(record::parse_group(5, 8, bytes.clone()).is_none());
    assert!(record::parse_group(u64::MAX, u64::MAX, bytes.clone()).is_none());
    assert!(record::parse_group(5, 9, [&bytes[..], &bytes[..]].concat().into()).is_none());
    assert!(record::parse_group(5, 9, bytes.slice(..bytes.len() - 1)).is_none());
}
