//! Validator sets over epochs of four blocks, and protocol versions.

use crate::{
    toy::encode_writes,
    world::{CLOUDS, EPOCH_LENGTH, World, bytes_of, genesis_message, order, validator},
};
use std::sync::Arc;
use yulian_crypto::Digest;
use yulian_exec::{Executed, SpeculationError, UnknownProtocol, tables};
use yulian_types::{ValidatorSet, proto};

/// The genesis set with `v3` replaced by a validator of another name.
fn other_set(name: &str) -> ValidatorSet {
    let genesis = genesis_message().validators.expect("a set");
    let mut list: Vec<_> = genesis
        .validators
        .into_iter()
        .filter(|validator| validator.name != "v3")
        .collect();
    list.push(validator(name, CLOUDS[3], "a"));
    ValidatorSet::new(list).expect("a set")
}

fn decide(world: &mut World, set: &ValidatorSet) -> Arc<Executed> {
    let writes = encode_writes(&[
        (tables::decided_set(), Some(set.digest().to_vec())),
        (tables::validator_set(&set.digest()), Some(set.encode().to_vec())),
    ]);
    let transaction = world.transaction(order("writer-a", "write", writes));
    world.advance(vec![transaction]).executed
}

fn advance_to(world: &mut World, height: u64) -> Arc<Executed> {
    while world.tip().height() < height {
        world.advance(vec![]);
    }
    world.tip()
}

fn in_force(executed: &Executed) -> Digest {
    Digest::from_slice(&executed.header.validators).expect("a digest")
}

fn next(executed: &Executed) -> Digest {
    Digest::from_slice(&executed.header.next_validators).expect("a digest")
}

#[test]
fn a_change_inside_an_epoch_acts_at_the_next() {
    for height in [1, 2] {
        let mut world = World::new();
        let (old, new) = (world.genesis.validators.digest(), other_set("new").digest());
        advance_to(&mut world, height - 1);
        let changed = decide(&mut world, &other_set("new"));
        assert_eq!(
            (changed.height(), next(&changed), changed.results.next_validators),
            (height, old, new)
        );
        assert!(changed.change_pending());
        let child = advance_to(&mut world, height + 1);
        assert_eq!((in_force(&child), next(&child)), (old, new));
        let first = advance_to(&mut world, EPOCH_LENGTH);
        assert_eq!(
            (first.header.epoch, in_force(&first), first.validators_since),
            (1, new, EPOCH_LENGTH)
        );
        assert!(!first.change_pending());
        let later = advance_to(&mut world, 3 * EPOCH_LENGTH + 1);
        assert_eq!((in_force(&later), later.validators_since), (new, EPOCH_LENGTH));
    }
}

#[test]
fn a_change_in_the_last_block_acts_one_epoch_later() {
    let mut world = World::new();
    let (old, new) = (world.genesis.validators.digest(), other_set("new").digest());
    advance_to(&mut world, EPOCH_LENGTH - 2);
    let last = decide(&mut world, &other_set("new"));
    assert_eq!((last.height(), next(&last)), (EPOCH_LENGTH - 1, old));
    let first = advance_to(&mut world, EPOCH_LENGTH);
    assert_eq!((in_force(&first), next(&first), first.validators_since), (old, new, 0));
    let second_epoch = advance_to(&mut world, 2 * EPOCH_LENGTH);
    assert_eq!(
        (in_force(&second_epoch), second_epoch.validators_since),
        (new, 2 * EPOCH_LENGTH)
    );
}

#[test]
fn a_change_taken_back_in_time_leaves_the_set_in_force() {
    let mut world = World::new();
    let genesis = world.genesis.validators.clone();
    decide(&mut world, &other_set("new"));
    decide(&mut world, &genesis);
    let later = advance_to(&mut world, EPOCH_LENGTH + 1);
    assert_eq!((in_force(&later), later.validators_since), (genesis.digest(), 0));
}

#[test]
fn the_rules_hold_on_unfinalised_blocks_too() {
    let mut world = World::new();
    let new = other_set("new");
    let writes = encode_writes(&[
        (tables::decided_set(), Some(new.digest().to_vec())),
        (tables::validator_set(&new.digest()), Some(new.encode().to_vec())),
    ]);
    let change = world.transaction(order("writer-a", "write", writes));
    let mut parent = world.tip().digest;
    for height in 1..=EPOCH_LENGTH {
        let transactions = if height == 1 { vec![change.clone()] } else { vec![] };
        let block = world.child(&parent, transactions);
        let round = world.round(&parent);
        assert_eq!(world.chain.check_block(&block, &round), Ok(()));
        let executed = world.execute(&block).expect("executes");
        let expected = if height == EPOCH_LENGTH {
            new.digest()
        } else {
            world.genesis.validators.digest()
        };
        assert_eq!(in_force(&executed), expected, "height {height}");
        parent = block.digest;
    }
    assert_eq!(world.tip().height(), 0);
}

#[test]
fn an_unknown_protocol_version_stops_the_chain_at_its_height() {
    let mut world = World::new();
    let entry = |version, height| proto::ActivateProtocol { version, height };
    let schedule = proto::ProtocolSchedule {
        entries: vec![entry(1, 0), entry(2, 4)],
    };
    let writes = encode_writes(&[(tables::protocol(), Some(bytes_of(&schedule)))]);
    assert_eq!(world.run(order("writer-a", "write", writes)).status, 0);
    let tip = advance_to(&mut world, 3);
    let stop = SpeculationError::Protocol(UnknownProtocol { version: 2, height: 4 });
    let round = world.round(&tip.digest);
    assert_eq!(
        world.chain.header_for(&tip.digest, tip.time_ms() + 1, &round),
        Err(stop.clone())
    );
    // A block of the new version, as a newer program would make it.
    let header = proto::BlockHeader {
        height: 4,
        epoch: 1,
        protocol_version: 2,
        parent: tip.digest.to_vec().into(),
        time_ms: tip.time_ms() + 1,
        ..tip.header.clone()
    };
    let block = yulian_types::SealedBlock::build(header, vec![]);
    assert_eq!(world.chain.check_block(&block, &round), Err(stop.clone()));
    assert_eq!(world.execute(&block).unwrap_err(), stop);
    assert!(stop.to_string().contains("protocol version 2"));
}
