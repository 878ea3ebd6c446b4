//! Votes on validators: who may join, what sets are refused, when changes act.

use crate::world::{EPOCH_LENGTH, ORGANISATIONS, World, genesis_message, node, public, validator};
use yulian_crypto::Digest;
use yulian_modules::governance::{KIND_ADD_VALIDATOR, KIND_REMOVE_VALIDATOR, KIND_REPLACE_VALIDATOR, STATUS_OPEN};
use yulian_types::{ValidatorSet, proto};

fn names(set: &ValidatorSet) -> Vec<&str> {
    let mut names: Vec<&str> = set
        .validators()
        .iter()
        .map(|validator| validator.name.as_str())
        .collect();
    names.sort_unstable();
    names
}

/// A chain of seven validators, in seven clouds of which the organisations have one or two each.
fn seven() -> World {
    let mut message = genesis_message();
    let mut list = message.validators.take().expect("a set").validators;
    for (number, (id, _)) in ORGANISATIONS.iter().enumerate().take(3) {
        let name = format!("v-{id}-more");
        let cloud = format!("云 {number}");
        message.nodes.push(node(&name, &cloud, id));
        list.push(validator(&name, &cloud, id));
    }
    message.validators = Some(ValidatorSet::new(list).expect("a set").message().clone());
    World::with(message)
}

fn addition(world: &World, name: &str, cloud: &str, organisation: &str) -> proto::AddValidator {
    let validator = Some(validator(name, cloud, organisation));
    proto::AddValidator {
        validator,
        proof: Some(world.candidate_proof(name)),
        accept_risk: None,
    }
}

fn replacement(world: &World, old: &str, new: &str, cloud: &str, organisation: &str) -> proto::ReplaceValidator {
    let proto::AddValidator { validator, proof, .. } = addition(world, new, cloud, organisation);
    proto::ReplaceValidator {
        public_key: public(old),
        validator,
        proof,
        accept_risk: None,
    }
}

fn removal(name: &str) -> proto::RemoveValidator {
    proto::RemoveValidator {
        public_key: public(name),
        accept_risk: None,
    }
}

#[test]
fn a_fifth_node_replaces_one_of_its_cloud_at_the_next_epoch_and_back() {
    let mut world = World::new();
    world.register_node("v-a2", "联通", "a");
    let there = replacement(&world, "v-a", "v-a2", "联通", "a");
    world.carry(KIND_REPLACE_VALIDATOR, &there);
    assert_eq!(names(&world.decided()), ["v-a2", "v-b", "v-c", "v-d"]);
    assert!(world.tip().change_pending());
    assert_eq!(names(&world.tip().validators), ["v-a", "v-b", "v-c", "v-d"]);
    world.advance_to(EPOCH_LENGTH);
    assert_eq!(names(&world.tip().validators), ["v-a2", "v-b", "v-c", "v-d"]);
    assert_eq!(
        (world.tip().validators_since, world.tip().change_pending()),
        (EPOCH_LENGTH, false)
    );
    let back = replacement(&world, "v-a2", "v-a", "联通", "a");
    world.carry(KIND_REPLACE_VALIDATOR, &back);
    world.advance_to(2 * EPOCH_LENGTH);
    assert_eq!(world.tip().validators.digest(), world.genesis.validators.digest());
}

#[test]
fn a_candidate_must_have_signed_one_of_the_last_256_headers() {
    let mut world = World::new();
    world.register_node("v-new", "第五云", "a");
    let old = world.candidate_proof_of("v-new", 0, world.genesis.block().digest);
    world.advance_to(255);
    // The proposal stands in block 256: genesis is its 256th ancestor, and no more the next time.
    let good = addition(&world, "v-new", "第五云", "a");
    let with = |proof| proto::AddValidator { proof, ..good.clone() };
    world.propose(KIND_ADD_VALIDATOR, &with(Some(old.clone())));
    world.cannot_propose("governance.unknown_header", KIND_ADD_VALIDATOR, &with(Some(old)));
    let tip = world.tip();
    let ahead = world.candidate_proof_of("v-new", tip.height() + 1, tip.digest);
    let elsewhere = world.candidate_proof_of("v-new", tip.height(), Digest([1; 32]));
    for proof in [ahead, elsewhere] {
        world.cannot_propose("governance.unknown_header", KIND_ADD_VALIDATOR, &with(Some(proof)));
    }
    let by_another = world.candidate_proof("v-a");
    world.cannot_propose(
        "governance.bad_candidate_proof",
        KIND_ADD_VALIDATOR,
        &with(Some(by_another)),
    );
    world.cannot_propose("governance.bad_candidate_proof", KIND_ADD_VALIDATOR, &with(None));
    let mut of_another_height = world.candidate_proof("v-new");
    of_another_height.height -= 1;
    of_another_height.digest = tip.header.parent.clone();
    world.cannot_propose(
        "governance.unknown_header",
        KIND_ADD_VALIDATOR,
        &with(Some(of_another_height)),
    );
}

#[test]
fn a_vote_may_take_longer_than_a_header_stays_recent() {
    let mut world = World::new();
    world.register_node("v-new", "第五云", "a");
    let action = addition(&world, "v-new", "第五云", "a");
    let id = world.propose(KIND_ADD_VALIDATOR, &action);
    world.advance_to(300);
    for organisation in ["a", "b", "c"] {
        assert_eq!(world.vote(organisation, id, true).code, "");
    }
    assert_eq!(world.decided().len(), 5);
}

#[test]
fn bad_candidates() {
    let mut world = World::new();
    world.register_node("v-new", "第五云", "a");
    let good = addition(&world, "v-new", "第五云", "a");
    let with = |change: fn(&mut proto::Validator)| {
        let mut action = good.clone();
        change(action.validator.as_mut().expect("a validator"));
        action
    };
    let mut refuse = |code: &str, action: proto::AddValidator| {
        world.cannot_propose(code, KIND_ADD_VALIDATOR, &action);
    };
    refuse(
        "governance.bad_validator",
        proto::AddValidator {
            validator: None,
            ..good.clone()
        },
    );
    refuse(
        "governance.bad_validator",
        with(|validator| validator.public_key = vec![4; 33].into()),
    );
    refuse(
        "governance.bad_validator",
        with(|validator| validator.name = String::new()),
    );
    refuse(
        "governance.bad_validator",
        with(|validator| validator.cloud = "a\u{7}".into()),
    );
    refuse(
        "governance.bad_validator",
        with(|validator| validator.organisation = "e".into()),
    );
    refuse(
        "governance.bad_validator",
        with(|validator| validator.organisation = "nobody".into()),
    );
    refuse(
        "governance.validator_present",
        with(|validator| validator.public_key = public("v-b")),
    );
    refuse(
        "governance.node_not_registered",
        with(|validator| validator.cloud = "第六云".into()),
    );
    refuse(
        "governance.node_not_registered",
        with(|validator| validator.organisation = "b".into()),
    );
    refuse(
        "governance.node_not_registered",
        with(|validator| validator.public_key = public("v-unregistered")),
    );
    refuse("governance.name_used", with(|validator| validator.name = "v-b".into()));
}

#[test]
fn fewer_than_four_validators_are_refused() {
    let mut world = World::new();
    let detail = world.cannot_propose("governance.too_few_validators", KIND_REMOVE_VALIDATOR, &removal("v-a"));
    assert!(detail.contains("3 validators"), "{detail}");
    world.cannot_propose(
        "governance.validator_not_found",
        KIND_REMOVE_VALIDATOR,
        &removal("nobody"),
    );
    let nobody = replacement(&world, "nobody", "v-new", "联通", "a");
    world.cannot_propose("governance.validator_not_found", KIND_REPLACE_VALIDATOR, &nobody);
}

#[test]
fn more_than_the_faults_of_the_set_in_one_cloud_are_refused_with_the_counts() {
    let mut world = World::new();
    world.register_node("v-b2", "移动", "b");
    let fifth = addition(&world, "v-b2", "移动", "b");
    let detail = world.cannot_propose("governance.too_many_in_cloud", KIND_ADD_VALIDATOR, &fifth);
    assert_eq!(detail, "2 of 5 validators would be in the cloud 移动, at most 1 may be");
    let swap = replacement(&world, "v-a", "v-b2", "移动", "b");
    let detail = world.cannot_propose("governance.too_many_in_cloud", KIND_REPLACE_VALIDATOR, &swap);
    assert_eq!(detail, "2 of 4 validators would be in the cloud 移动, at most 1 may be");
    world.carry(KIND_REPLACE_VALIDATOR, &replacement(&world, "v-b", "v-b2", "移动", "b"));
}

#[test]
fn what_was_possible_when_proposed_is_judged_again_when_carried() {
    let mut world = seven();
    let remove = |name: &str| removal(name);
    // With seven validators two seats may move in an epoch; the third removal waits for the next.
    world.carry(KIND_REMOVE_VALIDATOR, &remove("v-a-more"));
    world.advance_to(EPOCH_LENGTH);
    let ids = ["v-b-more", "v-c-more", "v-d"].map(|name| world.propose(KIND_REMOVE_VALIDATOR, &remove(name)));
    for id in ids {
        world.vote("a", id, true);
        world.vote("b", id, true);
    }
    world.advance_to(world.height().next_multiple_of(EPOCH_LENGTH));
    assert_eq!(world.vote("c", ids[0], true).code, "");
    world.advance_to(world.height().next_multiple_of(EPOCH_LENGTH));
    assert_eq!(world.vote("c", ids[1], true).code, "");
    // Four are left: the removal that six allowed is refused now, and stays open.
    let vote = proto::Vote {
        proposal: ids[2],
        approve: true,
    };
    world.fails("governance.too_few_validators", "admin-c", "governance.vote", &vote);
    assert_eq!(
        (world.proposal(ids[2]).status, world.proposal(ids[2]).ballots.len()),
        (STATUS_OPEN, 2)
    );
    assert_eq!(world.decided().len(), 4);
}

/// Proposals with two votes each, so that one more carries them.
fn prepared(world: &mut World, removals: &[&str]) -> Vec<u64> {
    let ids: Vec<u64> = removals
        .iter()
        .map(|name| world.propose(KIND_REMOVE_VALIDATOR, &removal(name)))
        .collect();
    for id in &ids {
        world.vote("a", *id, true);
        world.vote("b", *id, true);
    }
    ids
}

#[test]
fn merged_changes_of_an_epoch_move_a_third_of_the_seats_at_most() {
    let mut world = seven();
    let ids = prepared(&mut world, &["v-a-more", "v-b-more", "v-c-more"]);
    world.advance_to(world.height().next_multiple_of(EPOCH_LENGTH));
    assert_eq!(world.vote("c", ids[0], true).code, "");
    assert_eq!(world.vote("c", ids[1], true).code, "");
    let vote = proto::Vote {
        proposal: ids[2],
        approve: true,
    };
    let detail = world.fails("governance.too_many_seats", "admin-c", "governance.vote", &vote);
    assert_eq!(detail, "3 of 7 seats would move, at most 2 may");
    // The ballot was not counted: in the next epoch it is cast again. The set in force has five then, one may move.
    world.advance_to(world.height().next_multiple_of(EPOCH_LENGTH));
    assert_eq!(world.tip().validators.len(), 5);
    assert_eq!(world.vote("c", ids[2], true).code, "");
    assert_eq!(world.decided().len(), 4);
}

#[test]
fn a_seat_taken_back_in_the_same_epoch_has_not_moved() {
    let mut world = seven();
    // Had the first removal counted, coming back and a second removal would be three seats.
    let ids = prepared(&mut world, &["v-a-more", "v-b-more", "v-c-more"]);
    world.advance_to(world.height().next_multiple_of(EPOCH_LENGTH));
    assert_eq!(world.vote("c", ids[0], true).code, "");
    let back = addition(&world, "v-a-more", "云 0", "a");
    let id = world.propose(KIND_ADD_VALIDATOR, &back);
    for organisation in ["a", "b", "c"] {
        assert_eq!(world.vote(organisation, id, true).code, "");
    }
    assert_eq!(world.decided().digest(), world.genesis.validators.digest());
    assert_eq!(world.height() % EPOCH_LENGTH, 5);
    assert_eq!(world.vote("c", ids[1], true).code, "");
    assert_eq!(world.decided().len(), 6);
}

#[test]
fn a_change_in_the_last_block_is_counted_against_the_set_already_fixed() {
    let mut world = seven();
    let ids = prepared(&mut world, &["v-a-more", "v-b-more", "v-c-more"]);
    world.advance_to(world.height().next_multiple_of(EPOCH_LENGTH));
    let boundary = world.height() + EPOCH_LENGTH - 1;
    assert_eq!(world.vote("c", ids[0], true).code, "");
    assert_eq!(world.vote("c", ids[1], true).code, "");
    world.advance_to(boundary - 1);
    // In the epoch two of seven have moved; the last block counts against the five that are fixed for the next one, of
    // whom one may move.
    let last = world.vote("c", ids[2], true);
    assert_eq!((world.height(), last.code.as_str()), (boundary, ""));
    let next = world.advance(vec![]);
    assert_eq!((next.validators.len(), next.decided.len()), (5, 4));
    world.advance_to(boundary + 1 + EPOCH_LENGTH);
    assert_eq!(
        (world.tip().validators.len(), world.tip().validators_since),
        (4, boundary + 1 + EPOCH_LENGTH)
    );
}

#[test]
fn at_most_the_named_maximum_of_validators() {
    let mut message = genesis_message();
    let mut list = message.validators.take().expect("a set").validators;
    for number in 0..60 {
        list.push(validator(&format!("v{number}"), &format!("云 {number}"), "a"));
    }
    message.validators = Some(ValidatorSet::new(list).expect("a set").message().clone());
    let mut world = World::with(message);
    world.register_node("v-more", "又一云", "a");
    let action = addition(&world, "v-more", "又一云", "a");
    world.cannot_propose("governance.too_many_validators", KIND_ADD_VALIDATOR, &action);
}
