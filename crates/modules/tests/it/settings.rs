//! Parameters, charter, protocol versions.

use crate::world::{World, genesis_message};
use yulian_exec::{SpeculationError, rules, tables};
use yulian_modules::governance::{KIND_ACTIVATE_PROTOCOL, KIND_CHANGE_CHARTER, KIND_SET_PARAMETER};
use yulian_types::{StateKey, proto};

fn set(name: &str, value: u64) -> proto::SetParameter {
    proto::SetParameter {
        name: name.into(),
        value,
    }
}

#[test]
fn a_parameter_stays_within_the_limits_of_the_genesis() {
    let mut message = genesis_message();
    for parameter in message
        .parameters
        .iter_mut()
        .filter(|parameter| parameter.name == "heartbeat_ms")
    {
        (parameter.minimum, parameter.maximum) = (100_000, 400_000);
    }
    let mut world = World::with(message);
    world.cannot_propose(
        "governance.parameter_not_found",
        KIND_SET_PARAMETER,
        &set("nonsense", 1),
    );
    for value in [99_999, 400_001, u64::MAX] {
        let detail = world.cannot_propose(
            "governance.parameter_out_of_limits",
            KIND_SET_PARAMETER,
            &set("heartbeat_ms", value),
        );
        assert!(detail.contains("100000 to 400000"), "{detail}");
    }
    world.cannot_propose(
        "governance.parameter_unchanged",
        KIND_SET_PARAMETER,
        &set("heartbeat_ms", 300_000),
    );
    world.carry(KIND_SET_PARAMETER, &set("heartbeat_ms", 400_000));
    let record: proto::Parameter = world.record(&StateKey::parameter("heartbeat_ms")).expect("a parameter");
    assert_eq!(
        (record.value, record.minimum, record.maximum),
        (400_000, 100_000, 400_000)
    );
}

#[test]
fn the_wire_limit_and_the_replay_window_never_shrink() {
    let mut world = World::new();
    for (name, now, more) in [
        ("block_bytes_max", 1024 * 1024, 2 * 1024 * 1024),
        ("replay_window_ms", 600_000, 900_000),
    ] {
        let less = set(name, now - 1);
        world.cannot_propose("governance.parameter_shrinks", KIND_SET_PARAMETER, &less);
        world.carry(KIND_SET_PARAMETER, &set(name, more));
        world.cannot_propose("governance.parameter_shrinks", KIND_SET_PARAMETER, &set(name, now));
    }
    assert_eq!(world.tip().parameters.block_limits().body_bytes_max, 2 * 1024 * 1024);
}

#[test]
fn a_parameter_rules_the_child_of_the_block_that_set_it() {
    let mut world = World::new();
    world.carry(KIND_SET_PARAMETER, &set("block_transactions_max", 1));
    let deposit = |byte: u8| proto::Deposit {
        digest: vec![byte; 32].into(),
        ..Default::default()
    };
    let two = [1, 2].map(|byte| world.transaction("writer-a", "evidence.deposit", &deposit(byte)));
    let tip = world.tip();
    let selection = world
        .chain
        .select(&tip.digest, tip.time_ms() + 1, two)
        .expect("selects");
    assert_eq!((selection.transactions.len(), selection.full), (1, true));
}

fn charter(change: impl FnOnce(&mut proto::Charter)) -> proto::ChangeCharter {
    let mut charter = rules::default_charter();
    change(&mut charter);
    proto::ChangeCharter { charter: Some(charter) }
}

#[test]
fn the_charter_changes_by_its_own_quorum_and_must_be_sane() {
    let mut world = World::new();
    let bad: [proto::ChangeCharter; 4] = [
        charter(|charter| charter.voting_period_ms = 1),
        charter(|charter| charter.validators = None),
        charter(|charter| {
            charter.charter = Some(proto::Quorum {
                numerator: 1,
                denominator: 4,
            })
        }),
        proto::ChangeCharter { charter: None },
    ];
    for action in bad {
        world.cannot_propose("governance.bad_charter", KIND_CHANGE_CHARTER, &action);
    }
    world.cannot_propose("governance.charter_unchanged", KIND_CHANGE_CHARTER, &charter(|_| {}));
    let shorter = charter(|charter| charter.voting_period_ms = 60_000);
    world.carry(KIND_CHANGE_CHARTER, &shorter);
    let id = world.propose(KIND_SET_PARAMETER, &set("heartbeat_ms", 60_000));
    assert_eq!(world.proposal(id).deadline_ms, world.tip().time_ms() + 60_000);
}

#[test]
fn a_charter_that_the_active_members_could_not_fulfil_is_refused() {
    let mut world = World::new();
    let freeze = proto::OrganisationId { id: "d".into() };
    world.carry(yulian_modules::governance::KIND_FREEZE_ORGANISATION, &freeze);
    // Three of four members are active; more than 3/4 of four would be all four.
    let all = charter(|charter| {
        charter.parameters = Some(proto::Quorum {
            numerator: 3,
            denominator: 4,
        })
    });
    let detail = world.cannot_propose("governance.quorum_out_of_reach", KIND_CHANGE_CHARTER, &all);
    assert!(detail.contains("3 of 4"), "{detail}");
}

fn activate(version: u32, height: u64) -> proto::ActivateProtocol {
    proto::ActivateProtocol { version, height }
}

#[test]
fn protocol_versions_are_switched_on_one_after_another() {
    let mut world = World::new();
    for version in [0, 1, 3] {
        let action = activate(version, 100);
        world.cannot_propose("governance.bad_protocol_version", KIND_ACTIVATE_PROTOCOL, &action);
    }
    let now = world.height() + 1;
    world.cannot_propose(
        "governance.bad_protocol_height",
        KIND_ACTIVATE_PROTOCOL,
        &activate(2, now),
    );
    world.cannot_propose(
        "governance.bad_protocol_height",
        KIND_ACTIVATE_PROTOCOL,
        &activate(2, 0),
    );
    world.carry(KIND_ACTIVATE_PROTOCOL, &activate(2, 100));
    // What is not in force yet can be moved; the one after it must come later.
    world.cannot_propose(
        "governance.bad_protocol_height",
        KIND_ACTIVATE_PROTOCOL,
        &activate(3, 100),
    );
    world.carry(KIND_ACTIVATE_PROTOCOL, &activate(2, 60));
    let schedule: proto::ProtocolSchedule = world.record(&tables::protocol()).expect("a schedule");
    assert_eq!(schedule.entries, [activate(1, 0), activate(2, 60)]);
    world.advance_to(59);
    let tip = world.tip();
    let stop = world
        .chain
        .header_for(&tip.digest, tip.time_ms() + 1, &world.round(&tip))
        .unwrap_err();
    assert!(matches!(stop, SpeculationError::Protocol(stop) if (stop.version, stop.height) == (2, 60)));
}

#[test]
fn a_vote_that_comes_after_the_height_is_not_counted() {
    let mut world = World::new();
    let id = world.propose(KIND_ACTIVATE_PROTOCOL, &activate(2, 5));
    world.vote("a", id, true);
    world.vote("b", id, true);
    world.advance_to(4);
    world.fails(
        "governance.bad_protocol_height",
        "admin-c",
        "governance.vote",
        &proto::Vote {
            proposal: id,
            approve: true,
        },
    );
    assert_eq!(world.tip().header.protocol_version, 1);
}
