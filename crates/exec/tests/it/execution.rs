//! What one transaction does: metering, roll-back, declared keys, limits, context.

use crate::{
    toy::{REFUSED, encode_writes, toy_key},
    world::{World, actor, bytes_of, order, receipt, sign},
};
use bytes::Bytes;
use yulian_exec::{codes, limits, path_of};
use yulian_types::{StateKey, proto};

// The prices as published; a change of one must break a test.
const BASE: u64 = 1_000;
const SIGNATURE: u64 = 10_000;
const READ: u64 = 500;
const WRITE: u64 = 2_000;

fn write(key: &[u8], value: &[u8]) -> Bytes {
    encode_writes(&[(toy_key(key), Some(value.to_vec()))])
}

#[test]
fn metering_is_the_sum_of_the_prices() {
    let mut world = World::new();
    let arguments = write(b"k", b"12345");
    let expected = BASE + SIGNATURE + 2 * arguments.len() as u64 + WRITE + 5 * 5;
    assert_eq!(world.run(order("writer-a", "write", arguments)).metering, expected);
    let reads = world.run(order("writer-a", "read", vec![3]));
    assert_eq!(reads.metering, BASE + SIGNATURE + 2 + 3 * READ);
    let events = world.run(order("writer-a", "events", vec![2, 1]));
    assert_eq!(events.metering, BASE + SIGNATURE + 4 + 2 * (200 + 2 * 64));
    let output = world.run(order("writer-a", "output", vec![10]));
    assert_eq!(output.metering, BASE + SIGNATURE + 2 + 2 * 10);
}

fn run_with_limit(world: &mut World, method: &str, arguments: Bytes, limit: u64) -> proto::Receipt {
    let time = world.tip().time_ms();
    let builder = world
        .builder(order("writer-a", method, arguments), time)
        .metering_limit(limit);
    let done = world.advance(vec![sign(builder, "writer-a")]);
    receipt(&done.executed.receipts[0])
}

#[test]
fn past_the_limit_the_transaction_fails_and_pays_the_limit() {
    let mut world = World::new();
    let arguments = write(b"k", b"12345");
    let needed = BASE + SIGNATURE + 2 * arguments.len() as u64 + WRITE + 25;
    let short = run_with_limit(&mut world, "write", arguments.clone(), needed - 1);
    assert_eq!(
        (short.status, short.code.as_str(), short.metering),
        (1, "exec.metering_exceeded", needed - 1)
    );
    assert_eq!(world.value(&toy_key(b"k")), None);
    let enough = run_with_limit(&mut world, "write", arguments, needed);
    assert_eq!((enough.status, enough.metering), (0, needed));
    // Not even the entry is paid.
    let nothing = run_with_limit(&mut world, "write", Bytes::new(), 1);
    assert_eq!((nothing.code.as_str(), nothing.metering), ("exec.metering_exceeded", 1));
    let endless = run_with_limit(&mut world, "read", vec![0xff, 0xff, 0xff].into(), 1_000_000);
    assert_eq!(
        (endless.code.as_str(), endless.metering),
        ("exec.metering_exceeded", 1_000_000)
    );
}

#[test]
fn a_failure_undoes_writes_and_events_and_keeps_a_cut_detail() {
    let mut world = World::new();
    world.run(order("writer-a", "write", write(b"k", b"old")));
    let before = world.tip();
    let failed = world.run(order("writer-a", "write_and_fail", write(b"k", b"new")));
    assert_eq!((failed.status, failed.code.as_str()), (1, REFUSED.code));
    assert!(failed.events.is_empty() && failed.output.is_empty());
    assert!(failed.detail.len() <= limits::DETAIL_BYTES_MAX && failed.detail.starts_with("字字"));
    assert_eq!(world.value(&toy_key(b"k")).as_deref(), Some(&b"old"[..]));
    assert_eq!(world.tip().tree.root(), before.tree.root());
    assert!(world.tip().writes.is_empty());
}

#[test]
fn a_failure_of_the_view_stands_even_if_the_method_ignores_it() {
    let mut world = World::new();
    let too_long = encode_writes(&[(toy_key(b"a"), Some(vec![1])), (toy_key(&[0; 253]), Some(vec![1]))]);
    let failed = world.run(order("writer-a", "ignore", too_long));
    assert_eq!(failed.code, codes::KEY_TOO_LONG.code);
    assert_eq!(world.value(&toy_key(b"a")), None);
}

#[test]
fn keys_values_events_and_answers_are_bounded() {
    let mut world = World::new();
    let run = |world: &mut World, method, arguments: Vec<u8>| world.run(order("writer-a", method, arguments)).code;
    assert_eq!(run(&mut world, "long_key", vec![]), codes::KEY_TOO_LONG.code);
    // With the module id a key of 252 bytes is as long as keys may be.
    let longest = encode_writes(&[(toy_key(&[1; 252]), Some(vec![1]))]);
    assert_eq!(run(&mut world, "write", longest.to_vec()), "");
    assert_eq!(run(&mut world, "events", vec![64, 8]), "");
    assert_eq!(run(&mut world, "events", vec![65, 0]), codes::RECEIPT_TOO_LARGE.code);
    assert_eq!(run(&mut world, "events", vec![60, 9]), codes::RECEIPT_TOO_LARGE.code);
    assert_eq!(run(&mut world, "output", vec![0x40, 0x00]), "");
    assert_eq!(
        run(&mut world, "output", vec![0x40, 0x01]),
        codes::RECEIPT_TOO_LARGE.code
    );
    assert_eq!(run(&mut world, "decode", vec![0xff]), codes::BAD_ARGUMENTS.code);
    // Default values on the wire are not canonical.
    assert_eq!(run(&mut world, "decode", vec![0x28, 0x00]), codes::BAD_ARGUMENTS.code);
}

#[test]
fn a_value_beyond_the_limit_fails() {
    let mut message = crate::world::genesis_message();
    for parameter in message
        .parameters
        .iter_mut()
        .filter(|parameter| parameter.name == "transaction_bytes_max")
    {
        parameter.value = parameter.maximum;
    }
    let mut world = World::with(message);
    let write = |size: usize| encode_writes(&[(toy_key(b"v"), Some(vec![0; size]))]);
    assert_eq!(world.run(order("writer-a", "write", write(64 * 1024))).code, "");
    assert_eq!(
        world.run(order("writer-a", "write", write(64 * 1024 + 1))).code,
        codes::VALUE_TOO_LONG.code
    );
}

fn run_declaring(world: &mut World, method: &str, arguments: Bytes, keys: &[StateKey]) -> proto::Receipt {
    let time = world.tip().time_ms();
    let declared = keys.iter().map(StateKey::declared).collect();
    let builder = world
        .builder(order("writer-a", method, arguments), time)
        .declared_keys(declared);
    let done = world.advance(vec![sign(builder, "writer-a")]);
    receipt(&done.executed.receipts[0])
}

#[test]
fn declared_keys_are_enforced_for_reads_and_writes() {
    let mut world = World::new();
    let (a, b, r) = (toy_key(b"a"), toy_key(b"b"), toy_key(b"r"));
    let writes = encode_writes(&[(a.clone(), Some(vec![1])), (b.clone(), Some(vec![2]))]);
    let all = run_declaring(&mut world, "write", writes.clone(), &[b.clone(), a.clone()]);
    assert_eq!(all.code, "");
    let some = run_declaring(&mut world, "write", writes.clone(), std::slice::from_ref(&a));
    assert_eq!(some.code, codes::UNDECLARED_KEY.code);
    assert_eq!(some.detail, "module 99, key 62");
    // The same key of another module is another key.
    let other_module = StateKey { module_id: 98, ..b };
    let wrong = run_declaring(&mut world, "write", writes, &[a.clone(), other_module]);
    assert_eq!(wrong.code, codes::UNDECLARED_KEY.code);
    assert_eq!(run_declaring(&mut world, "read", vec![1].into(), &[r]).code, "");
    assert_eq!(
        run_declaring(&mut world, "read", vec![1].into(), &[a]).code,
        codes::UNDECLARED_KEY.code
    );
}

#[test]
fn later_transactions_of_a_block_see_earlier_ones() {
    let mut world = World::new();
    let transactions = vec![
        world.transaction(order("writer-a", "append", b"kA".to_vec())),
        world.transaction(order("admin-b", "append", b"kB".to_vec())),
        world.transaction(order("writer-a", "write_and_fail", write(b"k", b"lost"))),
        world.transaction(order("writer-a", "append", b"kC".to_vec())),
    ];
    let done = world.advance(transactions).executed;
    let outputs: Vec<Bytes> = done.receipts.iter().map(|bytes| receipt(bytes).output).collect();
    assert_eq!(outputs, [&b"A"[..], b"AB", b"", b"ABC"]);
    assert_eq!(done.writes.len(), 1);
    assert_eq!(done.writes[0].value.as_deref(), Some(&b"ABC"[..]));
    assert_eq!(done.changes[0].0, path_of(&toy_key(b"k")));
}

#[test]
fn removing_a_key_leaves_its_absence() {
    let mut world = World::new();
    let empty = world.tip().tree.root();
    world.run(order("writer-a", "write", write(b"k", b"v")));
    assert_ne!(world.tip().tree.root(), empty);
    world.run(order("writer-a", "write", encode_writes(&[(toy_key(b"k"), None)])));
    assert_eq!(world.value(&toy_key(b"k")), None);
    assert_eq!(world.tip().tree.root(), empty);
}

#[test]
fn an_account_that_loses_its_role_or_key_in_the_block_acts_no_more() {
    for (change, code) in [
        (
            proto::Account {
                roles: vec!["auditor".into()],
                ..Default::default()
            },
            &codes::ROLE_MISSING,
        ),
        (
            proto::Account {
                public_key: vec![2; 33].into(),
                ..Default::default()
            },
            &codes::WRONG_KEY,
        ),
    ] {
        let mut world = World::new();
        let key = StateKey::account(&actor("writer-a").id);
        let mut account: proto::Account = world.record(&key);
        if change.roles.is_empty() {
            account.public_key = change.public_key;
        } else {
            account.roles = change.roles;
        }
        let rewrite = encode_writes(&[(key, Some(bytes_of(&account)))]);
        let transactions = vec![
            world.transaction(order("writer-a", "append", b"kA".to_vec())),
            world.transaction(order("admin-b", "write", rewrite)),
            world.transaction(order("writer-a", "append", b"kB".to_vec())),
        ];
        let done = world.advance(transactions).executed;
        let codes: Vec<String> = done.receipts.iter().map(|bytes| receipt(bytes).code).collect();
        assert_eq!(codes, ["", "", code.code]);
        assert_eq!(world.value(&toy_key(b"k")).as_deref(), Some(&b"A"[..]));
    }
}

#[test]
fn a_method_sees_its_block_and_256_ancestors() {
    let mut world = World::new();
    let mut digests = vec![world.tip().digest];
    for _ in 0..258 {
        digests.push(world.advance(vec![]).executed.digest);
    }
    let time = world.tip().time_ms() + 1_000;
    let seen = world.run(order("auditor-a", "context", Bytes::new()));
    let (height, epoch) = (259, 259 / 4);
    // Offsets 0 and 257 are out of reach; 1, 2 and 256 are ancestors.
    let expected = format!(
        "{height} {time} {epoch} a - {} {} {} -",
        digests[258], digests[257], digests[3]
    );
    assert_eq!(String::from_utf8_lossy(&seen.output), expected);
}

#[test]
fn simulating_leaves_no_trace_and_tells_the_keys() {
    let mut world = World::new();
    let transaction = world.transaction(order("writer-a", "append", b"kA".to_vec()));
    let tip = world.tip();
    let (receipt, trace) = world
        .chain
        .simulate(&tip.digest, &transaction, tip.time_ms() + 1)
        .expect("simulates");
    assert_eq!(&receipt.output[..], b"A");
    assert_eq!((trace.reads, trace.writes), (vec![toy_key(b"k")], vec![toy_key(b"k")]));
    assert_eq!(world.value(&toy_key(b"k")), None);
    assert_eq!(world.chain.pending(), 0);
}
