//! Headers, limits, proposals.

use crate::{
    toy::encode_writes,
    world::{World, genesis_message, order},
};
use bytes::Bytes;
use std::sync::Arc;
use yulian_crypto::Digest;
use yulian_exec::{BlockFault, RoundFacts, SpeculationError};
use yulian_types::{SealedBlock, SealedTransaction, proto};

fn fault(result: Result<impl std::fmt::Debug, SpeculationError>) -> BlockFault {
    match result {
        Err(SpeculationError::Fault(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

/// Both judging and executing refuse a header with one field changed.
fn assert_field_matters(field: &str, change: impl FnOnce(&mut proto::BlockHeader)) {
    let mut world = World::new();
    let transaction = world.transaction(order("writer-a", "append", b"kA".to_vec()));
    world.advance(vec![transaction]);
    let tip = world.tip().digest;
    let mut header = world
        .chain
        .header_for(&tip, world.tip().time_ms() + 1, &world.round(&tip))
        .expect("a header");
    change(&mut header);
    let block = SealedBlock::build(header, vec![]);
    let round = world.round(&tip);
    for found in [
        fault(world.chain.check_block(&block, &round)),
        fault(world.execute(&block)),
    ] {
        assert!(
            matches!(&found, BlockFault::Header { field: name, .. } if *name == field),
            "{found:?}"
        );
    }
    assert_eq!(world.chain.pending(), 0);
}

#[test]
fn every_field_of_the_header_is_checked() {
    let other = || Bytes::from(vec![9; 32]);
    assert_field_matters("chain_id", |header| header.chain_id = other());
    assert_field_matters("epoch", |header| header.epoch += 1);
    assert_field_matters("height", |header| header.height += 1);
    assert_field_matters("protocol_version", |header| header.protocol_version += 1);
    assert_field_matters("parent_state_root", |header| header.parent_state_root = other());
    assert_field_matters("parent_receipt_root", |header| header.parent_receipt_root = other());
    assert_field_matters("parent_write_set_root", |header| header.parent_write_set_root = other());
    assert_field_matters("parent_message_root", |header| header.parent_message_root = other());
    assert_field_matters("validators", |header| header.validators = other());
    assert_field_matters("next_validators", |header| header.next_validators = other());
    assert_field_matters("validators_since", |header| header.validators_since += 1);
}

#[test]
fn time_is_strictly_after_the_parent() {
    let mut world = World::new();
    let tip = world.tip();
    let round = world.round(&tip.digest);
    let early = world.chain.header_for(&tip.digest, tip.time_ms(), &round);
    assert!(matches!(fault(early), BlockFault::Time { .. }));
    let mut header = world
        .chain
        .header_for(&tip.digest, tip.time_ms() + 1, &round)
        .expect("a header");
    header.time_ms = tip.time_ms();
    let block = SealedBlock::build(header, vec![]);
    assert!(matches!(
        fault(world.chain.check_block(&block, &round)),
        BlockFault::Time { .. }
    ));
    assert!(matches!(fault(world.execute(&block)), BlockFault::Time { .. }));
}

#[test]
fn the_round_must_be_the_height_s() {
    let mut world = World::new();
    let tip = world.tip();
    let block = world.child(&tip.digest, vec![]);
    let round = world.round(&tip.digest);
    let epoch = RoundFacts { epoch: 7, ..round };
    let validators = RoundFacts {
        validators: Digest([1; 32]),
        ..round
    };
    for wrong in [epoch, validators] {
        assert!(matches!(
            fault(world.chain.check_block(&block, &wrong)),
            BlockFault::Round { .. }
        ));
        let header = world.chain.header_for(&tip.digest, tip.time_ms() + 1, &wrong);
        assert!(matches!(fault(header), BlockFault::Round { .. }));
    }
}

#[test]
fn a_block_on_an_unknown_parent_is_not_judged() {
    let mut world = World::new();
    let tip = world.tip().digest;
    let first = world.child(&tip, vec![]);
    world.execute(&first).expect("executes");
    let second = world.child(&first.digest, vec![]);
    let round = world.round(&first.digest);
    world.chain.discard(&first.digest);
    let unknown = SpeculationError::UnknownBlock(first.digest);
    assert_eq!(world.chain.check_block(&second, &round), Err(unknown.clone()));
    assert_eq!(world.execute(&second).unwrap_err(), unknown);
    assert_eq!(world.chain.header_for(&first.digest, u64::MAX, &round), Err(unknown));
}

fn with_parameter(name: &str, value: u64) -> World {
    let mut message = genesis_message();
    for parameter in message.parameters.iter_mut().filter(|parameter| parameter.name == name) {
        parameter.value = value;
    }
    World::with(message)
}

fn transactions(world: &mut World, count: usize, bytes: usize) -> Vec<Arc<SealedTransaction>> {
    let arguments = encode_writes(&[(crate::toy::toy_key(b"k"), Some(vec![0; bytes]))]);
    (0..count)
        .map(|_| world.transaction(order("writer-a", "write", arguments.clone())))
        .collect()
}

#[test]
fn the_number_of_transactions_is_bounded() {
    let mut world = with_parameter("block_transactions_max", 3);
    let four = transactions(&mut world, 4, 1);
    let tip = world.tip();
    let round = world.round(&tip.digest);
    let block = world.child(&tip.digest, four.clone());
    let expected = BlockFault::TooMany { found: 4, limit: 3 };
    assert_eq!(fault(world.chain.check_block(&block, &round)), expected);
    let selection = world
        .chain
        .select(&tip.digest, tip.time_ms() + 1, four.clone())
        .expect("selects");
    assert!(selection.full);
    let taken: Vec<Digest> = selection
        .transactions
        .iter()
        .map(|transaction| transaction.id)
        .collect();
    assert_eq!(
        taken,
        four[..3].iter().map(|transaction| transaction.id).collect::<Vec<_>>()
    );
    let block = world.child(&tip.digest, selection.transactions);
    assert_eq!(world.chain.check_block(&block, &round), Ok(()));
}

#[test]
fn the_bytes_of_transactions_are_bounded() {
    // 256 KiB is the lowest value; each of these takes 60,000 bytes and a frame of some hundred.
    let mut world = with_parameter("block_bytes_max", 256 * 1024);
    let five = transactions(&mut world, 5, 60_000);
    let bytes: u64 = five.iter().map(|transaction| transaction.bytes.len() as u64 + 5).sum();
    let tip = world.tip();
    let round = world.round(&tip.digest);
    let block = world.child(&tip.digest, five.clone());
    let expected = BlockFault::TooLong {
        found: bytes,
        limit: 256 * 1024,
    };
    assert_eq!(fault(world.chain.check_block(&block, &round)), expected);
    // The fifth does not fit, and a small one behind it does not overtake it.
    let small = transactions(&mut world, 1, 1);
    let selection = world
        .chain
        .select(&tip.digest, tip.time_ms() + 1, [five, small].concat())
        .expect("selects");
    assert_eq!((selection.transactions.len(), selection.full), (4, true));
    let block = world.child(&tip.digest, selection.transactions);
    assert_eq!(world.chain.check_block(&block, &round), Ok(()));
}

#[test]
fn select_skips_invalid_candidates_and_goes_on() {
    let mut world = World::new();
    let good = world.transaction(order("writer-a", "write", Bytes::new()));
    let bad = world.transaction(order("auditor-a", "write", Bytes::new()));
    let also_good = world.transaction(order("admin-b", "write", Bytes::new()));
    let tip = world.tip();
    let candidates = [good.clone(), bad.clone(), also_good.clone()];
    let selection = world
        .chain
        .select(&tip.digest, tip.time_ms() + 1, candidates)
        .expect("selects");
    let taken: Vec<Digest> = selection
        .transactions
        .iter()
        .map(|transaction| transaction.id)
        .collect();
    assert_eq!(taken, [good.id, also_good.id]);
    assert_eq!(
        selection.refused.iter().map(|(id, _)| *id).collect::<Vec<_>>(),
        [bad.id]
    );
    assert!(!selection.full);
}
