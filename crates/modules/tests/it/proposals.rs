//! Proposals and votes.

use crate::world::{GENESIS_MS, World, events, genesis_message, proposal};
use bytes::Bytes;
use yulian_exec::{rules, tables};
use yulian_modules::governance::{
    KIND_SET_PARAMETER, OPEN_PROPOSALS_PER_ORGANISATION_MAX, STATUS_CARRIED, STATUS_OPEN, STATUS_REJECTED,
};
use yulian_types::{StateKey, proto};

const DAY_MS: u64 = 24 * 3_600_000;

fn heartbeat(value: u64) -> proto::SetParameter {
    proto::SetParameter {
        name: "heartbeat_ms".into(),
        value,
    }
}

fn vote(proposal: u64, approve: bool) -> proto::Vote {
    proto::Vote { proposal, approve }
}

#[test]
fn a_proposal_is_carried_by_the_vote_that_reaches_the_quorum() {
    let mut world = World::new();
    let receipt = world.ok(
        "admin-b",
        "governance.propose",
        &proposal(KIND_SET_PARAMETER, &heartbeat(60_000)),
    );
    assert_eq!(events(&receipt), [("proposed", &1u64.to_be_bytes()[..])]);
    let record = world.proposal(1);
    assert_eq!(
        (record.proposer.as_str(), record.status, record.height),
        ("b", STATUS_OPEN, 1)
    );
    assert_eq!(record.deadline_ms, GENESIS_MS + 1_000 + 7 * DAY_MS);
    assert_eq!(world.open(), [1]);
    // Proposing is no vote.
    assert!(record.ballots.is_empty());
    for organisation in ["d", "b"] {
        let receipt = world.vote(organisation, 1, true);
        assert_eq!(events(&receipt), [("voted", &1u64.to_be_bytes()[..])]);
        assert_eq!(world.tip().parameters.heartbeat_ms, 300_000);
    }
    // More than 2/3 of four are three.
    let receipt = world.vote("a", 1, true);
    assert_eq!(events(&receipt), [("carried", &1u64.to_be_bytes()[..])]);
    assert_eq!(world.tip().parameters.heartbeat_ms, 60_000);
    let record = world.proposal(1);
    assert_eq!(
        (record.status, record.decided_height, record.ballots.len()),
        (STATUS_CARRIED, 4, 3)
    );
    assert!(world.open().is_empty());
    world.fails(
        "governance.proposal_decided",
        "admin-c",
        "governance.vote",
        &vote(1, true),
    );
}

#[test]
fn a_proposal_that_cannot_reach_its_quorum_is_rejected() {
    let mut world = World::new();
    let id = world.propose(KIND_SET_PARAMETER, &heartbeat(60_000));
    assert_eq!(events(&world.vote("a", id, false)), [("voted", &id.to_be_bytes()[..])]);
    // Two refusals leave two of four: too few.
    assert_eq!(
        events(&world.vote("b", id, false)),
        [("rejected", &id.to_be_bytes()[..])]
    );
    let record = world.proposal(id);
    assert_eq!(
        (record.status, record.decided_height),
        (STATUS_REJECTED, world.height())
    );
    assert!(world.open().is_empty());
    world.fails(
        "governance.proposal_decided",
        "admin-c",
        "governance.vote",
        &vote(id, true),
    );
    assert_eq!(world.tip().parameters.heartbeat_ms, 300_000);
}

#[test]
fn one_organisation_has_one_vote() {
    let mut world = World::new();
    let registration = world.registration("second-admin-a", &["admin"]);
    world.ok("admin-a", "account.register", &registration);
    let id = world.propose(KIND_SET_PARAMETER, &heartbeat(60_000));
    world.ok("admin-a", "governance.vote", &vote(id, true));
    world.fails(
        "governance.already_voted",
        "second-admin-a",
        "governance.vote",
        &vote(id, true),
    );
    world.fails(
        "governance.already_voted",
        "admin-a",
        "governance.vote",
        &vote(id, false),
    );
    assert_eq!(world.proposal(id).ballots.len(), 1);
}

#[test]
fn only_members_propose_and_vote() {
    let mut world = World::new();
    let propose = proposal(KIND_SET_PARAMETER, &heartbeat(60_000));
    world.fails("governance.not_member", "admin-e", "governance.propose", &propose);
    let id = world.propose(KIND_SET_PARAMETER, &heartbeat(60_000));
    world.fails("governance.not_member", "admin-e", "governance.vote", &vote(id, true));
}

#[test]
fn the_deadline_is_block_time_and_counts_itself() {
    let mut world = World::new();
    let id = world.propose(KIND_SET_PARAMETER, &heartbeat(60_000));
    let deadline = world.proposal(id).deadline_ms;
    // The chain sleeps until just before the deadline.
    world.advance_at(deadline - 10_000, vec![]);
    let in_time = world.transaction("admin-a", "governance.vote", &vote(id, true));
    world.advance_at(deadline, vec![in_time]);
    assert_eq!(world.proposal(id).ballots.len(), 1);
    let detail = world.fails(
        "governance.proposal_expired",
        "admin-b",
        "governance.vote",
        &vote(id, true),
    );
    assert!(detail.contains(&deadline.to_string()));
    assert_eq!(world.proposal(id).status, STATUS_OPEN);
}

#[test]
fn malformed_proposals() {
    let mut world = World::new();
    world.fails(
        "governance.proposal_not_found",
        "admin-a",
        "governance.vote",
        &vote(7, true),
    );
    let good = proposal(KIND_SET_PARAMETER, &heartbeat(60_000));
    let mut refuse = |code: &str, propose: proto::Propose| {
        world.fails(code, "admin-a", "governance.propose", &propose);
    };
    for kind in [0, 16, u32::MAX] {
        refuse("governance.bad_kind", proto::Propose { kind, ..good.clone() });
    }
    refuse(
        "governance.bad_action",
        proto::Propose {
            action: Bytes::from_static(b"\xff"),
            ..good.clone()
        },
    );
    refuse(
        "governance.bad_action",
        proto::Propose {
            action: Bytes::from_static(b"\x10\x00"),
            ..good.clone()
        },
    );
    refuse(
        "governance.bad_action",
        proto::Propose {
            action: vec![0; 4097].into(),
            ..good.clone()
        },
    );
    for reason in ["", "a\u{7}", &"a".repeat(1025)] {
        refuse(
            "governance.bad_reason",
            proto::Propose {
                reason: reason.into(),
                ..good.clone()
            },
        );
    }
}

#[test]
fn open_proposals_of_an_organisation_are_bounded_and_expired_ones_make_room() {
    let mut world = World::new();
    let propose = proposal(KIND_SET_PARAMETER, &heartbeat(60_000));
    for _ in 0..OPEN_PROPOSALS_PER_ORGANISATION_MAX {
        world.ok("admin-a", "governance.propose", &propose);
    }
    world.fails("governance.too_many_open", "admin-a", "governance.propose", &propose);
    world.ok("admin-b", "governance.propose", &propose);
    assert_eq!(world.open(), (1..=9).collect::<Vec<_>>());
    // A decided one makes room.
    for organisation in ["a", "b", "c"] {
        world.vote(organisation, 1, true);
    }
    let other = proposal(KIND_SET_PARAMETER, &heartbeat(70_000));
    world.ok("admin-a", "governance.propose", &other);
    world.fails("governance.too_many_open", "admin-a", "governance.propose", &other);
    // So do expired ones.
    world.advance_at(world.tip().time_ms() + 8 * DAY_MS, vec![]);
    world.ok("admin-a", "governance.propose", &other);
    assert_eq!(world.open(), [11]);
}

#[test]
fn a_ballot_whose_effect_is_impossible_is_not_counted_and_can_be_cast_again() {
    let mut world = World::new();
    let first = world.propose(KIND_SET_PARAMETER, &heartbeat(60_000));
    let same = world.propose(KIND_SET_PARAMETER, &heartbeat(60_000));
    for id in [first, same] {
        world.vote("a", id, true);
        world.vote("b", id, true);
    }
    assert_eq!(world.vote("c", first, true).code, "");
    // The parameter has this value now, so the other proposal would change nothing.
    world.fails(
        "governance.parameter_unchanged",
        "admin-c",
        "governance.vote",
        &vote(same, true),
    );
    assert_eq!(
        (world.proposal(same).status, world.proposal(same).ballots.len()),
        (STATUS_OPEN, 2)
    );
    world.carry(KIND_SET_PARAMETER, &heartbeat(90_000));
    assert_eq!(world.vote("c", same, true).code, "");
    assert_eq!(world.tip().parameters.heartbeat_ms, 60_000);
}

#[test]
fn each_kind_has_the_quorum_of_the_charter() {
    let mut message = genesis_message();
    message.charter = Some(proto::Charter {
        parameters: Some(proto::Quorum {
            numerator: 1,
            denominator: 2,
        }),
        charter: Some(proto::Quorum {
            numerator: 3,
            denominator: 4,
        }),
        ..rules::default_charter()
    });
    let mut world = World::with(message);
    // More than a half of four are three, more than three quarters are four.
    let id = world.propose(KIND_SET_PARAMETER, &heartbeat(60_000));
    for organisation in ["a", "b", "c"] {
        assert_eq!(world.proposal(id).status, STATUS_OPEN);
        world.vote(organisation, id, true);
    }
    assert_eq!(world.proposal(id).status, STATUS_CARRIED);
    let shorter = proto::ChangeCharter {
        charter: Some(proto::Charter {
            voting_period_ms: 60_000,
            ..rules::default_charter()
        }),
    };
    let id = world.propose(yulian_modules::governance::KIND_CHANGE_CHARTER, &shorter);
    for organisation in ["a", "b", "c", "d"] {
        assert_eq!(world.proposal(id).status, STATUS_OPEN);
        world.vote(organisation, id, true);
    }
    assert_eq!(world.record::<proto::Charter>(&tables::charter()), shorter.charter);
    assert!(world.value(&StateKey::parameter("heartbeat_ms")).is_some());
}
