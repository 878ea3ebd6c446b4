//! Execution over a state tree that has next to nothing in memory.

use crate::{
    toy::{encode_writes, toy_key},
    world::{World, order, resume, sign},
};
use std::sync::Arc;
use yulian_exec::{Anchor, Executed, SpeculationError, StateError, bootstrap, path_of};
use yulian_state::write_set::Write;
use yulian_types::{SealedBlock, SealedTransaction, StateKey};

/// As many as a tree needs for most buckets to lie in one chunk.
pub(crate) const KEYS: u32 = 8_000;

/// The same chain, with a tree that keeps to a limit.
fn limited(whole: &World, limit: usize) -> World {
    let first = bootstrap(&whole.genesis).expect("a state");
    let mut world = World::new();
    let mut anchor = Anchor::genesis(&first);
    anchor.tree = anchor.tree.within(Some(limit));
    world.chain = resume(&world.genesis, &world.base, anchor);
    world
}

pub(crate) fn key(number: u32) -> StateKey {
    toy_key(&number.to_be_bytes())
}

/// Writes of some keys; a third of them removals once there is something to remove.
pub(crate) fn writes(world: &mut World, keys: impl Iterator<Item = u32>, value: u8) -> Arc<SealedTransaction> {
    let write = |number: u32| {
        let removed = value > 1 && (number + u32::from(value)).is_multiple_of(3);
        (key(number), (!removed).then(|| vec![value; (number % 50) as usize]))
    };
    let arguments = encode_writes(&keys.map(write).collect::<Vec<_>>());
    let time = world.tip().time_ms();
    let builder = world.builder(order("writer-a", "write", arguments), time);
    sign(builder.metering_limit(10_000_000), "writer-a")
}

pub(crate) fn same(one: &Executed, other: &Executed) {
    assert_eq!(one.results, other.results);
    assert_eq!(
        (&one.receipts, &one.writes, &one.undo),
        (&other.receipts, &other.writes, &other.undo)
    );
}

/// Both worlds with all keys; the other one's tree keeps to a limit of bytes, with 0 it gives up all it can.
pub(crate) fn loaded(limit: usize) -> (World, World) {
    let mut whole = World::new();
    let mut small = limited(&whole, limit);
    for part in 0..4 {
        let keys = |quarter: u32| part * KEYS / 4 + quarter * KEYS / 16..part * KEYS / 4 + (quarter + 1) * KEYS / 16;
        let transactions = (0..4).map(|quarter| writes(&mut whole, keys(quarter), 1)).collect();
        let tip = whole.tip().digest;
        let block = whole.child(&tip, transactions);
        for world in [&mut whole, &mut small] {
            world.execute(&block).expect("executes");
            world.finalize(&block.digest);
        }
    }
    let kept = limit / 80;
    assert!(small.tip().tree.cold() > KEYS as usize * 9 / 10 - kept);
    (whole, small)
}

#[test]
fn forks_late_commits_and_former_states_are_those_of_a_whole_tree() {
    let (mut whole, mut small) = loaded(0);
    for round in 0..18u8 {
        let tip = whole.tip().digest;
        let mut parent = tip;
        // A fork that is dropped, and a branch of two blocks of which one becomes final.
        let mut branch: Vec<SealedBlock> = Vec::new();
        for number in 0..3u8 {
            let first = u32::from(round) * 431 + u32::from(number) * 97;
            let keys = (first..first + 25).chain((0..40).map(|at| (first + at * 211) % (KEYS + 400)));
            let transaction = writes(&mut whole, keys, 2 + round * 3 + number);
            let block = whole.child(if number == 2 { &tip } else { &parent }, vec![transaction]);
            let executed = whole.execute(&block).expect("executes");
            same(&executed, &small.execute(&block).expect("executes"));
            if number != 2 {
                parent = block.digest;
                branch.push(block);
            }
        }
        for world in [&mut whole, &mut small] {
            let done = world.chain.finalize(&branch[0].digest).expect("final").executed;
            // The base is ahead of what is said of it, at times by several blocks, or says nothing yet.
            world.base.commit(&done.writes);
            if round % 4 == 0 {
                world.chain.committed(done.height());
            }
        }
        let height = whole.tip().height();
        for past in height.saturating_sub(16)..=height {
            let states = (whole.chain.final_state(past), small.chain.final_state(past));
            let (Some(one), Some(other)) = states else {
                assert_eq!(states.0.is_some(), states.1.is_some());
                continue;
            };
            for number in (u32::from(round)..KEYS).step_by(977) {
                assert_eq!(one.prove(&key(number)), other.prove(&key(number)), "{number} at {past}");
            }
        }
    }
}

/// Takes a value away from the base that stands beside a key in the tree; how that shows.
pub(crate) fn lose_beside(small: &World, number: u32) -> SpeculationError {
    let missing = small.tip().tree.missing([&path_of(&key(number))]);
    let beside = (0..KEYS).find(|other| *other != number && missing[0].holds(&path_of(&key(*other))));
    let beside = key(beside.expect("a neighbour"));
    small.base.commit(&[Write {
        module_id: beside.module_id,
        key: beside.key.clone(),
        value: None,
    }]);
    SpeculationError::State(StateError::StaleUnder(missing[0]))
}

#[test]
fn a_base_that_lost_a_value_stops_the_block() {
    let (mut whole, mut small) = loaded(0);
    let transaction = writes(&mut whole, 7..8, 5);
    let tip = whole.tip().digest;
    let block = whole.child(&tip, vec![transaction]);
    let refused = lose_beside(&small, 7);
    assert_eq!(small.execute(&block).map(|executed| executed.digest), Err(refused));
}
