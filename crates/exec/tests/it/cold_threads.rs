//! Several threads over a state tree that has next to nothing in memory, against one thread with all of it there.

use crate::{
    cold::{KEYS, key, loaded, lose_beside, same, writes},
    toy::encode_writes,
    world::{World, order, receipt},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
};
use yulian_exec::Executed;
use yulian_state::workers::Workers;
use yulian_types::{SealedBlock, SealedTransaction};

/// Threads that take the next number each.
struct Crew(usize);

impl Workers for Crew {
    fn threads(&self) -> usize {
        self.0
    }

    fn run(&self, count: usize, job: &(dyn Fn(usize) + Sync)) {
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(at) = Some(next.fetch_add(1, Relaxed)).filter(|at| *at < count) {
                job(at);
            }
        };
        thread::scope(|scope| {
            for _ in 1..self.0 {
                scope.spawn(work);
            }
            work();
        });
    }
}

fn tally(world: &mut World, number: u32, more: u8, sender: &str) -> Arc<SealedTransaction> {
    let arguments = [&number.to_be_bytes()[..], &[more]].concat();
    world.transaction(order(sender, "tally", arguments))
}

/// Mostly keys that are read as their module expects, some of them absent and some read again and again; reads that
/// nobody expects, many writes at once, removals, and transactions that fail after they have written.
fn mixture(world: &mut World, round: u32, count: u32) -> Vec<Arc<SealedTransaction>> {
    let some = |at: u32| round * 1_009 + at * 37;
    let deed = |at: u32| match at {
        _ if at.is_multiple_of(41) => writes(
            world,
            (0..20).map(|n| (some(at) + n * 191) % (KEYS + 400)),
            2 + round as u8,
        ),
        _ if at.is_multiple_of(29) => {
            let lost = encode_writes(&[(key(some(at) % KEYS), None), (key(KEYS + at), Some(vec![1]))]);
            world.transaction(order("writer-a", "write_and_fail", lost))
        }
        _ if at.is_multiple_of(23) => world.transaction(order("admin-b", "read_many", vec![at as u8 % 60])),
        _ if at.is_multiple_of(13) => world.transaction(order("admin-b", "append", vec![at as u8, round as u8])),
        _ if at.is_multiple_of(7) => tally(world, at % 5, at as u8, "writer-a"),
        _ => tally(world, some(at) % (KEYS + 400), at as u8, "admin-b"),
    };
    (0..count).map(deed).collect()
}

/// Executes blocks on both: small ones and large ones, forks that are dropped and blocks on blocks that are not final.
fn follow(limit: usize, threads: usize) {
    let (mut whole, mut small) = loaded(limit);
    small.chain = small.chain.with_workers(Arc::new(Crew(threads)));
    let cold = small.tip().tree.cold();
    for (round, count) in (0..).zip([1_500, 200, 700, 300]) {
        let tip = whole.tip().digest;
        let mut parent = tip;
        let mut branch: Vec<SealedBlock> = Vec::new();
        for number in 0..3 {
            let transactions = mixture(&mut whole, 3 * round + number, count);
            let block = whole.child(if number == 2 { &tip } else { &parent }, transactions);
            let expected = whole.execute(&block).expect("executes");
            let found = small.execute(&block).expect("executes");
            same(&expected, &found);
            assert!(found.tree.bytes() <= limit.max(128_000), "{}", found.tree.bytes());
            if number != 2 {
                parent = block.digest;
                branch.push(block);
            }
        }
        for world in [&mut whole, &mut small] {
            let done = world.chain.finalize(&branch[0].digest).expect("final").executed;
            // The base is ahead of what is said of it, at times by several blocks.
            world.base.commit(&done.writes);
            if round % 2 == 1 {
                world.chain.committed(done.height());
            }
        }
    }
    assert!(small.tip().tree.cold() > cold / 2);
    mixed(&whole.tip());
}

/// The blocks are worth something only if transactions came through and others failed.
fn mixed(executed: &Executed) {
    let codes: Vec<_> = executed.receipts.iter().map(|bytes| receipt(bytes).code).collect();
    let done = codes.iter().filter(|code| code.is_empty()).count();
    assert!(done > codes.len() / 2 && codes.iter().any(|code| code == "toy.refused"));
}

#[test]
fn four_threads_with_nothing_in_memory() {
    follow(0, 4);
}

#[test]
fn two_threads_with_a_third_in_memory() {
    follow(270_000, 2);
}

/// Leaves that cannot be brought matter to the transaction that reads them, and not to one that was only expected to.
#[test]
fn only_what_is_read_has_to_be_there() {
    for threads in [1, 4] {
        let (mut whole, mut small) = loaded(0);
        small.chain = small.chain.with_workers(Arc::new(Crew(threads)));
        let tip = whole.tip().digest;
        let refused = lose_beside(&small, 7);
        let held: Vec<u32> = (0..KEYS).filter(|number| !lost(&small, *number)).collect();
        let mut transactions: Vec<_> = held
            .iter()
            .step_by(20)
            .map(|number| tally(&mut whole, *number, 1, "writer-a"))
            .collect();
        assert!(transactions.len() > 300);
        // Not a writer: it is refused before it reads.
        transactions.insert(150, tally(&mut whole, 7, 1, "auditor-a"));
        let block = whole.child(&tip, transactions.clone());
        let expected = whole.execute(&block).expect("executes");
        same(&expected, &small.execute(&block).expect("nobody reads it"));
        transactions[150] = tally(&mut whole, 7, 1, "writer-a");
        let block = whole.child(&tip, transactions);
        let stopped = small.execute(&block).map(|executed| executed.digest);
        assert_eq!(stopped, Err(refused), "{threads} threads");
    }
}

/// Whether a key lies beside number 7 in the tree.
fn lost(small: &World, number: u32) -> bool {
    let missing = small.tip().tree.missing([&yulian_exec::path_of(&key(7))]);
    missing[0].holds(&yulian_exec::path_of(&key(number)))
}
