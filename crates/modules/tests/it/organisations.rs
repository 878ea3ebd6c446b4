//! Organisations join, leave, are frozen.

use crate::world::{World, genesis_message, id_of, node, public, validator};
use bytes::Bytes;
use yulian_exec::{limits, tables};
use yulian_modules::governance::{
    KIND_ADD_ORGANISATION, KIND_FREEZE_ORGANISATION, KIND_REMOVE_ORGANISATION, KIND_REPLACE_VALIDATOR,
    KIND_SET_PARAMETER, KIND_UNFREEZE_ORGANISATION,
};
use yulian_types::{StateKey, ValidatorSet, proto};

fn addition(world: &World, id: &str, member: bool) -> proto::AddOrganisation {
    let admin = format!("admin-{id}");
    proto::AddOrganisation {
        id: id.into(),
        name: format!("机构 {id}"),
        member,
        admin_public_key: public(&admin),
        admin_label: "首任管理员".into(),
        admin_possession: world.possession(&admin, &id_of(&admin)),
    }
}

fn id(id: &str) -> proto::OrganisationId {
    proto::OrganisationId { id: id.into() }
}

fn organisation(world: &World, id: &str) -> proto::Organisation {
    world.record(&StateKey::organisation(id)).expect("an organisation")
}

fn members(world: &World) -> Vec<String> {
    world
        .record::<proto::OrganisationList>(&tables::members())
        .expect("a list")
        .ids
}

#[test]
fn a_new_member_acts_and_votes() {
    let mut world = World::new();
    let addition = addition(&world, "f", true);
    world.carry(KIND_ADD_ORGANISATION, &addition);
    assert_eq!(members(&world), ["a", "b", "c", "d", "f"]);
    let found = organisation(&world, "f");
    assert_eq!((found.member, found.since_height), (true, world.height()));
    let registration = world.registration("writer-f", &["writer"]);
    world.ok("admin-f", "account.register", &registration);
    // More than 2/3 of five are four.
    let heartbeat = proto::SetParameter {
        name: "heartbeat_ms".into(),
        value: 60_000,
    };
    let proposal = world.propose(KIND_SET_PARAMETER, &heartbeat);
    for organisation in ["a", "b", "f", "c"] {
        assert_eq!(world.tip().parameters.heartbeat_ms, 300_000);
        assert_eq!(world.vote(organisation, proposal, true).code, "");
    }
    assert_eq!(world.tip().parameters.heartbeat_ms, 60_000);
}

#[test]
fn an_organisation_that_is_no_member_only_acts() {
    let mut world = World::new();
    let addition = addition(&world, "f", false);
    world.carry(KIND_ADD_ORGANISATION, &addition);
    assert_eq!(members(&world), ["a", "b", "c", "d"]);
    let deposit = proto::Deposit {
        digest: vec![1; 32].into(),
        ..Default::default()
    };
    // Its first administrator is a writer too.
    world.ok("admin-f", "evidence.deposit", &deposit);
}

#[test]
fn bad_additions() {
    let mut world = World::new();
    let good = addition(&world, "f", true);
    let mut refuse = |code: &str, action: proto::AddOrganisation| {
        world.cannot_propose(code, KIND_ADD_ORGANISATION, &action);
    };
    for bad in ["", "F", "a_b", &"a".repeat(33)] {
        refuse(
            "governance.bad_organisation",
            proto::AddOrganisation {
                id: bad.into(),
                ..good.clone()
            },
        );
    }
    refuse(
        "governance.bad_organisation",
        proto::AddOrganisation {
            name: " ".into(),
            ..good.clone()
        },
    );
    refuse(
        "governance.organisation_exists",
        proto::AddOrganisation {
            id: "e".into(),
            ..good.clone()
        },
    );
    refuse(
        "account.bad_label",
        proto::AddOrganisation {
            admin_label: String::new(),
            ..good.clone()
        },
    );
    refuse(
        "account.bad_possession",
        proto::AddOrganisation {
            admin_possession: Bytes::new(),
            ..good.clone()
        },
    );
    refuse(
        "account.bad_public_key",
        proto::AddOrganisation {
            admin_public_key: Bytes::new(),
            ..good.clone()
        },
    );
    refuse(
        "account.key_used",
        proto::AddOrganisation {
            admin_public_key: public("admin-a"),
            ..good.clone()
        },
    );
    // A key that was registered while the vote went on cannot open the account any more.
    let proposal = world.propose(KIND_ADD_ORGANISATION, &good);
    world.vote("a", proposal, true);
    world.vote("b", proposal, true);
    let registration = world.registration("admin-f", &["writer"]);
    world.ok("admin-a", "account.register", &registration);
    let vote = proto::Vote {
        proposal,
        approve: true,
    };
    world.fails("account.key_used", "admin-c", "governance.vote", &vote);
}

#[test]
fn members_are_bounded() {
    let mut message = genesis_message();
    let more = limits::MEMBERS_MAX - 4;
    for number in 0..more {
        let id = format!("m{number}");
        let mut account = message.accounts[0].clone();
        account.organisation = id.clone();
        (account.public_key, account.id) = (public(&id), id_of(&id).to_vec().into());
        message.accounts.push(account);
        message.organisations.push(proto::Organisation {
            id,
            name: "m".into(),
            member: true,
            ..Default::default()
        });
    }
    let mut world = World::with(message);
    let member = addition(&world, "f", true);
    world.cannot_propose("governance.too_many_members", KIND_ADD_ORGANISATION, &member);
    let other = addition(&world, "f", false);
    world.propose(KIND_ADD_ORGANISATION, &other);
}

#[test]
fn an_organisation_leaves_for_good() {
    let mut world = World::new();
    world.cannot_propose(
        "governance.organisation_not_found",
        KIND_REMOVE_ORGANISATION,
        &id("nobody"),
    );
    world.cannot_propose(
        "governance.organisation_not_found",
        KIND_REMOVE_ORGANISATION,
        &id("机构"),
    );
    world.register_node("observer-e", "华为", "e");
    world.carry(KIND_REMOVE_ORGANISATION, &id("e"));
    let found = organisation(&world, "e");
    assert!(found.removed && !found.member && !found.frozen);
    // Its nodes may not connect any more.
    assert_eq!(world.value(&tables::node(&public("observer-e"))), None);
    assert_eq!(world.value(&tables::node_count("e")), None);
    let list: proto::NodeList = world.record(&tables::nodes()).expect("a list");
    assert!(list.public_keys.len() == 4 && !list.public_keys.contains(&public("observer-e")));
    assert!(world.tip().nodes_changed);
    let deposit = proto::Deposit {
        digest: vec![1; 32].into(),
        ..Default::default()
    };
    let own = world.transaction("writer-e", "evidence.deposit", &deposit);
    let tip = world.tip();
    let verdict = world
        .chain
        .judge(&tip.digest, &own, tip.time_ms() + 1)
        .expect("judged")
        .unwrap_err();
    assert_eq!(verdict.code.code, "exec.organisation_removed");
    for kind in [
        KIND_REMOVE_ORGANISATION,
        KIND_FREEZE_ORGANISATION,
        KIND_UNFREEZE_ORGANISATION,
    ] {
        world.cannot_propose("governance.organisation_not_found", kind, &id("e"));
    }
    let again = addition(&world, "e", false);
    world.cannot_propose("governance.organisation_exists", KIND_ADD_ORGANISATION, &again);
}

#[test]
fn an_organisation_with_validators_does_not_leave() {
    let mut world = World::new();
    world.cannot_propose(
        "governance.organisation_has_validators",
        KIND_REMOVE_ORGANISATION,
        &id("d"),
    );
    world.register_node("v-c2", "浪潮", "c");
    let replace = proto::ReplaceValidator {
        public_key: public("v-d"),
        validator: Some(validator("v-c2", "浪潮", "c")),
        proof: Some(world.candidate_proof("v-c2")),
        accept_risk: None,
    };
    world.carry(KIND_REPLACE_VALIDATOR, &replace);
    // Decided, but not in force.
    world.cannot_propose(
        "governance.organisation_has_validators",
        KIND_REMOVE_ORGANISATION,
        &id("d"),
    );
    world.advance_to(world.height().next_multiple_of(crate::world::EPOCH_LENGTH));
    world.carry(KIND_REMOVE_ORGANISATION, &id("d"));
    assert_eq!(members(&world), ["a", "b", "c"]);
    // A ballot of an organisation that left does not count: three of three are needed now.
    assert_eq!(
        world
            .record::<proto::NodeList>(&tables::nodes())
            .expect("a list")
            .public_keys
            .len(),
        4
    );
}

/// Two member organisations only: a with all validators, and b.
fn two_members() -> World {
    let mut message = genesis_message();
    for organisation in message
        .organisations
        .iter_mut()
        .filter(|organisation| organisation.id.as_str() > "b")
    {
        organisation.member = false;
    }
    let mut list = message.validators.take().expect("a set").validators;
    list.iter_mut()
        .for_each(|validator| validator.organisation = "a".into());
    message.validators = Some(ValidatorSet::new(list).expect("a set").message().clone());
    message.nodes.clear();
    World::with(message)
}

#[test]
fn quorums_stay_within_reach() {
    let mut world = two_members();
    // More than 2/3 of two are both: with one frozen nothing could be decided, not even to unfreeze it.
    let detail = world.cannot_propose("governance.quorum_out_of_reach", KIND_FREEZE_ORGANISATION, &id("b"));
    assert!(detail.contains("1 of 2"), "{detail}");
    let remove = world.propose(KIND_REMOVE_ORGANISATION, &id("b"));
    world.vote("a", remove, true);
    assert_eq!(world.vote("b", remove, true).code, "");
    assert_eq!(members(&world), ["a"]);
    // The last member neither leaves nor is frozen.
    world.cannot_propose(
        "governance.organisation_has_validators",
        KIND_REMOVE_ORGANISATION,
        &id("a"),
    );
    world.cannot_propose("governance.quorum_out_of_reach", KIND_FREEZE_ORGANISATION, &id("a"));
}

#[test]
fn a_frozen_organisation_neither_acts_nor_votes_and_its_ballots_do_not_count() {
    let mut world = World::new();
    let heartbeat = proto::SetParameter {
        name: "heartbeat_ms".into(),
        value: 60_000,
    };
    let proposal = world.propose(KIND_SET_PARAMETER, &heartbeat);
    world.vote("d", proposal, true);
    world.carry(KIND_FREEZE_ORGANISATION, &id("d"));
    assert!(organisation(&world, "d").frozen);
    world.cannot_propose("governance.already_frozen", KIND_FREEZE_ORGANISATION, &id("d"));
    let ballot = world.transaction(
        "admin-d",
        "governance.vote",
        &proto::Vote {
            proposal,
            approve: true,
        },
    );
    let tip = world.tip();
    let verdict = world
        .chain
        .judge(&tip.digest, &ballot, tip.time_ms() + 1)
        .expect("judged")
        .unwrap_err();
    assert_eq!(verdict.code.code, "exec.organisation_frozen");
    // a and b are two; d's ballot, cast before, does not make them three.
    world.vote("a", proposal, true);
    world.vote("b", proposal, true);
    assert_eq!(world.tip().parameters.heartbeat_ms, 300_000);
    // Frozen members still count among the four: freezing another would leave two of the three needed.
    world.cannot_propose("governance.quorum_out_of_reach", KIND_FREEZE_ORGANISATION, &id("c"));
    world.carry(KIND_UNFREEZE_ORGANISATION, &id("d"));
    world.cannot_propose("governance.not_frozen", KIND_UNFREEZE_ORGANISATION, &id("d"));
    // Now d's ballot counts again, with the next vote.
    assert_eq!(world.vote("c", proposal, false).code, "");
    assert_eq!(world.tip().parameters.heartbeat_ms, 60_000);
}

#[test]
fn an_organisation_that_is_no_member_is_frozen_too() {
    let mut world = World::new();
    world.carry(KIND_FREEZE_ORGANISATION, &id("e"));
    let registration = world.node_registration(node("n", "云", "e"), "n");
    let own = world.transaction("admin-e", "governance.register_node", &registration);
    let tip = world.tip();
    let verdict = world
        .chain
        .judge(&tip.digest, &own, tip.time_ms() + 1)
        .expect("judged")
        .unwrap_err();
    assert_eq!(verdict.code.code, "exec.organisation_frozen");
    world.carry(KIND_UNFREEZE_ORGANISATION, &id("e"));
    world.ok("admin-e", "governance.register_node", &registration);
}
