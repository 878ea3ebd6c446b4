//! Execution ahead of a transaction's turn: what is lost, what is too much to note, and blocks too small for it.

use crate::{
    toy::{encode_writes, toy_key},
    world::{World, actor, bytes_of, order, receipt, secret, sign},
};
use bytes::Bytes;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};
use yulian_crypto::sm2::Signer;
use yulian_exec::{Executed, limits::PARALLEL_TRANSACTIONS_MIN};
use yulian_state::workers::Workers;
use yulian_types::{SealedTransaction, StateKey, proto};

/// One thread that says it is several and works from the end; counts what it was given.
#[derive(Default)]
struct Counting {
    threads: usize,
    pieces: AtomicUsize,
}

impl Workers for Counting {
    fn threads(&self) -> usize {
        self.threads
    }

    fn run(&self, count: usize, job: &(dyn Fn(usize) + Sync)) {
        self.pieces.fetch_add(count, Relaxed);
        (0..count).rev().for_each(job);
    }
}

/// Executes one block serially and in pieces; both must be the same. Returns it with the number of pieces.
fn both(make: impl Fn(&mut World) -> Vec<Arc<SealedTransaction>>) -> (Arc<Executed>, usize) {
    let mut serial = World::new();
    let transactions = make(&mut serial);
    let block = serial.child(&serial.tip().digest, transactions);
    let expected = serial.execute(&block).expect("executes");
    let mut pieces = 0;
    for threads in [1, 2, 4, 8] {
        let workers = Arc::new(Counting {
            threads,
            pieces: AtomicUsize::new(0),
        });
        let mut world = World::new();
        world.chain = world.chain.with_workers(workers.clone());
        let found = world.execute(&block).expect("executes");
        // Told apart by everything that they hold; too long to be shown.
        assert!(format!("{found:?}") == format!("{expected:?}"), "{threads} threads");
        pieces = workers.pieces.load(Relaxed);
    }
    (expected, pieces)
}

fn write(key: &[u8], value: &[u8]) -> Bytes {
    encode_writes(&[(toy_key(key), Some(value.to_vec()))])
}

/// Every transaction reads what the one before it wrote.
#[test]
fn a_chain_of_conflicts_comes_out_in_order() {
    let count = 3_000u32;
    let (executed, _) = both(|world| {
        let append = |at: u32| world.transaction(order("writer-a", "append", vec![b'k', at as u8]));
        (0..count).map(append).collect()
    });
    let output = receipt(executed.receipts.last().expect("receipts")).output;
    // Past some length the arguments of the meter end it; until then each appended one byte.
    let lengths: Vec<usize> = executed
        .receipts
        .iter()
        .map(|bytes| receipt(bytes).output.len())
        .collect();
    let done = lengths.iter().take_while(|length| **length > 0).count();
    assert!(done > 100);
    assert_eq!(lengths[..done], (1..=done).collect::<Vec<_>>()[..]);
    assert!(output.is_empty() || output.len() == count as usize);
}

#[test]
fn a_block_that_is_small_is_not_divided() {
    let some = |count: usize| {
        both(|world| {
            let writes = |at: usize| world.transaction(order("writer-a", "append", vec![b'k', at as u8]));
            (0..count).map(writes).collect()
        })
    };
    // One key is written, so that the tree has nothing to divide; the two roots of each block are pieces.
    assert_eq!(some(PARALLEL_TRANSACTIONS_MIN - 1).1, 2);
    assert!(some(PARALLEL_TRANSACTIONS_MIN).1 > 2);
}

/// A transaction that reads more than is noted of one is executed at its turn, and sees what came before.
#[test]
fn many_reads_are_left_for_the_turn() {
    let (executed, _) = both(|world| {
        let mut block = vec![world.transaction(order("writer-a", "write", write(&[0, 70], b"new")))];
        for count in [1u8, 63, 64, 65, 66, 80, 200] {
            for _ in 0..40 {
                block.push(world.transaction(order("writer-a", "read_many", vec![count])));
            }
        }
        block
    });
    let found = |at: usize| receipt(&executed.receipts[at]).output;
    assert_eq!(found(1)[..], [0, 0, 0, 0], "one key, and it is another");
    let last = found(executed.receipts.len() - 1);
    assert_eq!(last[..], 1u32.to_be_bytes(), "one of the many keys has a value");
}

/// What an earlier transaction of the block does to the sender counts, with the key that it had and the one that it gets.
#[test]
fn a_sender_that_changes_within_the_block() {
    let account = |frozen, key: &str| {
        let mut account = crate::world::account("writer-a", "a", &["writer"]);
        account.frozen = frozen;
        account.public_key = secret(key).public_key().as_bytes().to_vec().into();
        bytes_of(&account)
    };
    let organisation = |frozen| {
        let mut organisation = crate::world::organisation("a", true);
        organisation.frozen = frozen;
        bytes_of(&organisation)
    };
    let (executed, _) = both(|world| {
        let time = world.tip().time_ms();
        let sender = StateKey::account(&actor("writer-a").id);
        let changes = [
            (sender.clone(), account(true, "writer-a")),
            (sender.clone(), account(false, "writer-a")),
            (sender.clone(), account(false, "second key")),
            (StateKey::organisation("a"), organisation(true)),
            (StateKey::organisation("a"), organisation(false)),
            (sender, account(false, "writer-a")),
        ];
        let mut block = Vec::new();
        for (number, (key, value)) in changes.into_iter().enumerate() {
            for at in 0..50u8 {
                let builder = world.builder(order("writer-a", "write", write(&[number as u8, at], b"v")), time);
                let signer = if at % 2 == 0 { "writer-a" } else { "second key" };
                block.push(sign(builder, signer));
            }
            let change = encode_writes(&[(key, Some(value))]);
            block.push(world.transaction(order("admin-b", "write", change)));
        }
        block
    });
    let code = |number: usize, at: usize| receipt(&executed.receipts[number * 51 + at]).code;
    let expected = [
        ("", "exec.wrong_key"),
        ("exec.account_frozen", "exec.wrong_key"),
        ("", "exec.wrong_key"),
        ("exec.wrong_key", ""),
        ("exec.wrong_key", "exec.organisation_frozen"),
        ("exec.wrong_key", ""),
    ];
    for (number, (own, second)) in expected.iter().enumerate() {
        for at in [0, 48] {
            assert_eq!(
                (code(number, at).as_str(), code(number, at + 1).as_str()),
                (*own, *second),
                "{number}"
            );
        }
    }
}

/// Transactions that declare the same keys wait for their turn; that does not change what they do.
#[test]
fn declared_keys_that_meet() {
    let (executed, _) = both(|world| {
        let time = world.tip().time_ms();
        let mut block = Vec::new();
        for at in (0..300u16).map(|at| (at % 250) as u8) {
            let key = [b'k', at % 7][at as usize % 2];
            let declared = if at % 5 == 0 { b'x' } else { key };
            let builder = world.builder(order("writer-a", "append", vec![key, at]), time);
            block.push(sign(
                builder.declared_keys(vec![toy_key(&[declared]).declared()]),
                "writer-a",
            ));
        }
        block
    });
    let codes: Vec<_> = executed.receipts.iter().map(|bytes| receipt(bytes).code).collect();
    let undeclared = |at: usize| {
        if at.is_multiple_of(5) {
            "exec.undeclared_key"
        } else {
            ""
        }
    };
    assert!(
        codes.iter().enumerate().all(|(at, code)| code == undeclared(at)),
        "{codes:?}"
    );
}

/// What a block does to the rules of its child is found after threads as well.
#[test]
fn a_parameter_that_changes_within_the_block() {
    let (executed, _) = both(|world| {
        let mut parameter: proto::Parameter = world.record(&StateKey::parameter("heartbeat_ms"));
        parameter.value += 1;
        let change = encode_writes(&[(StateKey::parameter("heartbeat_ms"), Some(bytes_of(&parameter)))]);
        let mut block: Vec<_> = (0..300u16)
            .map(|at| world.transaction(order("writer-a", "append", vec![(at % 200) as u8, 1])))
            .collect();
        block.insert(50, world.transaction(order("writer-a", "write", change)));
        block
    });
    assert_eq!(
        executed.parameters.heartbeat_ms,
        World::new().tip().parameters.heartbeat_ms + 1
    );
}
