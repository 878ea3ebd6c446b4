//! Consortium life: charter, invitation, joining, leaving.

use crate::world::{EPOCH_LENGTH, World, events, genesis_message, node, public, sign, validator};
use bytes::Bytes;
use yulian_crypto::sm3;
use yulian_exec::{default_charter, tables};
use yulian_modules::governance::{
    KIND_ADD_ORGANISATION, KIND_CHANGE_CHARTER, KIND_INVITE_ORGANISATION, KIND_REPLACE_VALIDATOR,
    KIND_WITHDRAW_INVITATION,
};
use yulian_types::{StateKey, ValidatorSet, encode, proto};

const HOUR_MS: u64 = 3_600_000;

fn terms(world: &World, id: &str) -> proto::InviteOrganisation {
    proto::InviteOrganisation {
        id: id.into(),
        name: "新机构".into(),
        member: true,
        admin_public_key: public(&format!("admin-{id}")),
        admin_label: "管理员".into(),
        valid_until_ms: world.tip().time_ms() + HOUR_MS,
    }
}

fn charter(world: &World) -> proto::Charter {
    world.record(&tables::charter()).expect("a charter")
}

/// What the invited key signs, put together here from docs/formats.md alone.
fn acceptance(world: &World, id: &str, key: &str) -> proto::JoinOrganisation {
    let charter = sm3::hash(&[b"ylChartr", &encode(&charter(world))]);
    let message = sm3::hash(&[b"ylJoinCo", &world.genesis.chain_id.0, &charter.0, id.as_bytes()]);
    proto::JoinOrganisation {
        id: id.into(),
        charter: charter.to_vec().into(),
        signature: sign(key, &message),
    }
}

fn organisation(world: &World, id: &str) -> proto::Organisation {
    world.record(&StateKey::organisation(id)).expect("an organisation")
}

fn invited(world: &World) -> Vec<String> {
    let list: proto::OrganisationList = world.record(&tables::invited()).unwrap_or_default();
    list.ids
}

fn members(world: &World) -> Vec<String> {
    let list: proto::OrganisationList = world.record(&tables::members()).unwrap_or_default();
    list.ids
}

fn id(id: &str) -> proto::OrganisationId {
    proto::OrganisationId { id: id.into() }
}

fn leave() -> proto::LeaveOrganisation {
    proto::LeaveOrganisation {
        reason: "合并入其他机构".into(),
    }
}

fn has_left(receipt: &proto::Receipt) -> bool {
    let answer: proto::LeaveAnswer = prost::Message::decode(receipt.output.clone()).expect("an answer");
    answer.left
}

#[test]
fn the_invited_key_signs_the_charter_and_the_organisation_joins() {
    let mut world = World::new();
    let text = proto::Charter {
        text_digest: sm3::hash(&["联盟章程".as_bytes()]).to_vec().into(),
        ..default_charter()
    };
    let change = proto::ChangeCharter { charter: Some(text) };
    world.carry(KIND_CHANGE_CHARTER, &change);
    let invitation = world.carry(KIND_INVITE_ORGANISATION, &terms(&world, "f"));
    assert_eq!(invited(&world), ["f"]);
    world.cannot_propose(
        "governance.already_invited",
        KIND_INVITE_ORGANISATION,
        &terms(&world, "f"),
    );
    let answer = acceptance(&world, "f", "admin-f");
    // Anybody carries it, whose own organisation has no vote.
    let receipt = world.ok("writer-e", "governance.join", &answer);
    assert_eq!(events(&receipt), [("joined", &b"f"[..])]);
    assert_eq!(
        (invited(&world).len(), members(&world)),
        (0, ["a", "b", "c", "d", "f"].map(String::from).to_vec())
    );
    let joined = organisation(&world, "f");
    assert!(joined.member && joined.since_height == world.height());
    assert_eq!(world.account("admin-f").roles, ["admin", "writer"]);
    let signed: proto::Membership = world.record(&tables::membership("f")).expect("a membership");
    assert_eq!(
        (signed.charter, signed.signature, signed.public_key, signed.proposal),
        (
            answer.charter.clone(),
            answer.signature.clone(),
            public("admin-f"),
            invitation
        )
    );
    world.fails(
        "governance.invitation_not_found",
        "writer-e",
        "governance.join",
        &answer,
    );
    // It acts and votes at once.
    world.ok(
        "admin-f",
        "account.register",
        &world.registration("writer-f", &["writer"]),
    );
}

#[test]
fn only_the_invited_key_over_this_chain_charter_and_organisation_counts() {
    let mut world = World::new();
    world.carry(KIND_INVITE_ORGANISATION, &terms(&world, "f"));
    world.carry(KIND_INVITE_ORGANISATION, &terms(&world, "g"));
    let good = acceptance(&world, "f", "admin-f");
    let refuse = |world: &mut World, code: &str, answer: &proto::JoinOrganisation| {
        world.fails(code, "writer-a", "governance.join", answer);
    };
    refuse(
        &mut world,
        "governance.bad_acceptance",
        &acceptance(&world, "f", "admin-a"),
    );
    let of_another = proto::JoinOrganisation {
        id: "g".into(),
        ..good.clone()
    };
    refuse(&mut world, "governance.bad_acceptance", &of_another);
    let cut = proto::JoinOrganisation {
        signature: good.signature.slice(..63),
        ..good.clone()
    };
    refuse(&mut world, "governance.bad_acceptance", &cut);
    let elsewhere = proto::JoinOrganisation {
        id: "h".into(),
        ..good.clone()
    };
    refuse(&mut world, "governance.invitation_not_found", &elsewhere);
    let other = World::with({
        let mut message = genesis_message();
        message.name = "别的链".into();
        message
    });
    refuse(
        &mut world,
        "governance.bad_acceptance",
        &acceptance(&other, "f", "admin-f"),
    );
    // The charter changes after it was signed.
    let mut changed = default_charter();
    changed.voting_period_ms += HOUR_MS;
    let change = proto::ChangeCharter { charter: Some(changed) };
    world.carry(KIND_CHANGE_CHARTER, &change);
    refuse(&mut world, "governance.other_charter", &good);
    let again = acceptance(&world, "f", "admin-f");
    world.ok("writer-a", "governance.join", &again);
}

#[test]
fn invitations_expire_are_withdrawn_and_have_their_form() {
    let mut world = World::new();
    let good = terms(&world, "f");
    let with = |change: fn(&mut proto::InviteOrganisation)| {
        let mut terms = good.clone();
        change(&mut terms);
        terms
    };
    for (code, wrong) in [
        ("governance.bad_organisation", with(|t| t.id = "F".into())),
        ("governance.bad_organisation", with(|t| t.name.clear())),
        ("governance.organisation_exists", with(|t| t.id = "e".into())),
        ("account.bad_public_key", with(|t| t.admin_public_key = Bytes::new())),
        ("account.key_used", with(|t| t.admin_public_key = public("writer-a"))),
        ("governance.bad_invitation_time", with(|t| t.valid_until_ms = 1)),
        (
            "governance.bad_invitation_time",
            with(|t| t.valid_until_ms += 91 * 24 * HOUR_MS),
        ),
    ] {
        world.cannot_propose(code, KIND_INVITE_ORGANISATION, &wrong);
    }
    world.carry(KIND_INVITE_ORGANISATION, &good);
    world.cannot_propose("governance.invitation_not_found", KIND_WITHDRAW_INVITATION, &id("g"));
    world.carry(KIND_WITHDRAW_INVITATION, &id("f"));
    let answer = acceptance(&world, "f", "admin-f");
    world.fails(
        "governance.invitation_not_found",
        "writer-a",
        "governance.join",
        &answer,
    );

    world.carry(KIND_INVITE_ORGANISATION, &good);
    world.advance_at(good.valid_until_ms, vec![]);
    world.fails("governance.invitation_expired", "writer-a", "governance.join", &answer);
    // An expired one gives way to the next.
    world.carry(KIND_INVITE_ORGANISATION, &terms(&world, "f"));
    assert_eq!(invited(&world), ["f"]);
    world.carry(KIND_INVITE_ORGANISATION, &terms(&world, "g"));
    assert_eq!(invited(&world), ["f", "g"]);
    world.ok("writer-a", "governance.join", &answer);
}

#[test]
fn an_organisation_that_was_admitted_meanwhile_does_not_join_again() {
    let mut world = World::new();
    world.carry(KIND_INVITE_ORGANISATION, &terms(&world, "f"));
    let admin = "another-f";
    let direct = proto::AddOrganisation {
        id: "f".into(),
        name: "新机构".into(),
        member: false,
        admin_public_key: public(admin),
        admin_label: "管理员".into(),
        admin_possession: world.possession(admin, &crate::world::id_of(admin)),
    };
    world.carry(KIND_ADD_ORGANISATION, &direct);
    let answer = acceptance(&world, "f", "admin-f");
    world.fails("governance.organisation_exists", "writer-a", "governance.join", &answer);
}

#[test]
fn one_without_validators_leaves_at_once() {
    let mut world = World::new();
    world.register_node("observer", "第五云", "e");
    world.fails(
        "governance.bad_reason",
        "admin-e",
        "governance.leave",
        &proto::LeaveOrganisation::default(),
    );
    let receipt = world.ok("admin-e", "governance.leave", &leave());
    assert!(has_left(&receipt));
    assert_eq!(events(&receipt), [("left", &b"e"[..])]);
    assert!(organisation(&world, "e").removed);
    assert_eq!(world.value(&tables::node(&public("observer"))), None);
    let late = world.transaction("writer-e", "evidence.deposit", &proto::Deposit::default());
    assert_eq!(world.judge(late), Err("exec.organisation_removed".into()));
}

/// Seven validators of four organisations in seven clouds: a, b and c have two each.
fn seven() -> World {
    let mut message = genesis_message();
    let mut list = message.validators.take().expect("a set").validators;
    for (number, id) in ["a", "b", "c"].into_iter().enumerate() {
        let name = format!("v-{id}-more");
        let cloud = format!("云 {number}");
        message.nodes.push(node(&name, &cloud, id));
        list.push(validator(&name, &cloud, id));
    }
    message.validators = Some(ValidatorSet::new(list).expect("a set").message().clone());
    World::with(message)
}

#[test]
fn validators_leave_first_and_the_rest_when_that_is_in_force() {
    let mut world = seven();
    let receipt = world.ok("admin-c", "governance.leave", &leave());
    assert!(!has_left(&receipt));
    assert_eq!(events(&receipt), [("leaving", &b"c"[..])]);
    assert_eq!(world.decided().len(), 5);
    let leaving: proto::OrganisationList = world.record(&tables::leaving()).expect("a list");
    assert_eq!(leaving.ids, ["c"]);
    let notice: proto::LeaveNotice = world.record(&tables::notice("c")).expect("a notice");
    assert_eq!(
        (notice.organisation.as_str(), notice.reason.as_str()),
        ("c", "合并入其他机构")
    );
    // Nothing is lost before the next set is in force.
    assert!(organisation(&world, "c").member);
    assert!(world.value(&tables::node(&public("v-c"))).is_some());
    assert!(!has_left(&world.ok("admin-c", "governance.leave", &leave())));
    world.advance_to(world.height().next_multiple_of(EPOCH_LENGTH));
    let receipt = world.ok("admin-c", "governance.leave", &leave());
    assert!(has_left(&receipt));
    assert_eq!(members(&world), ["a", "b", "d"]);
    assert_eq!(world.value(&tables::node(&public("v-c"))), None);
    assert_eq!(world.value(&tables::notice("c")), None);
    let leaving: proto::OrganisationList = world.record(&tables::leaving()).unwrap_or_default();
    assert!(leaving.ids.is_empty());
    let late = world.transaction("writer-c", "evidence.deposit", &proto::Deposit::default());
    assert_eq!(world.judge(late), Err("exec.organisation_removed".into()));
}

#[test]
fn nobody_leaves_a_set_that_would_break_its_rules() {
    let mut world = World::new();
    let detail = world.fails("governance.leave_breaks_set", "admin-d", "governance.leave", &leave());
    assert_eq!(detail, "the set would have 3 validators, at least 4 are needed");
    // With a node of another in its place it may.
    world.register_node("v-c2", "浪潮", "c");
    let replace = proto::ReplaceValidator {
        public_key: public("v-d"),
        validator: Some(validator("v-c2", "浪潮", "c")),
        proof: Some(world.candidate_proof("v-c2")),
        accept_risk: None,
    };
    world.carry(KIND_REPLACE_VALIDATOR, &replace);
    world.advance_to(world.height().next_multiple_of(EPOCH_LENGTH));
    assert!(has_left(&world.ok("admin-d", "governance.leave", &leave())));
}

#[test]
fn who_is_needed_to_vote_stays() {
    let mut world = World::new();
    // b, c and d are what is needed of four; without a, three of three would be needed, and c is frozen.
    world.carry(yulian_modules::governance::KIND_FREEZE_ORGANISATION, &id("c"));
    let detail = world.fails(
        "governance.quorum_out_of_reach",
        "admin-d",
        "governance.leave",
        &leave(),
    );
    assert_eq!(detail, "2 of 3 members could vote, 3 would be needed");
}
