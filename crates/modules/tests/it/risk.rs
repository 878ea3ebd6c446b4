//! Validators of which one cloud can stop the chain: refused, unless a vote accepts exactly that.

use crate::world::{EPOCH_LENGTH, World, genesis_message, id_bytes, node, public, validator};
use bytes::Bytes;
use yulian_exec::{chains, tables};
use yulian_modules::governance::{
    KIND_ADD_VALIDATOR, KIND_CREATE_CHAIN, KIND_REMOVE_VALIDATOR, STATUS_CARRIED, STATUS_OPEN,
};
use yulian_types::{SealedGenesis, StateKey, proto};

fn risk(validators: u32, clouds: &[(&str, u32)]) -> proto::AcceptedRisk {
    let share = |(cloud, validators): &(&str, u32)| proto::CloudShare {
        cloud: cloud.to_string(),
        validators: *validators,
    };
    proto::AcceptedRisk {
        validators,
        clouds: clouds.iter().map(share).collect(),
        reason: "第五朵云下月交付".into(),
    }
}

fn addition(
    world: &World,
    name: &str,
    (cloud, organisation): (&str, &str),
    accept_risk: Option<proto::AcceptedRisk>,
) -> proto::AddValidator {
    proto::AddValidator {
        validator: Some(validator(name, cloud, organisation)),
        proof: Some(world.candidate_proof(name)),
        accept_risk,
    }
}

fn record(world: &World) -> Option<proto::RiskRecord> {
    world.record(&tables::risk(&world.tip().validators.digest()))
}

#[test]
fn a_vote_accepts_exactly_the_risk_that_the_set_gets() {
    let mut world = World::new();
    world.register_node("v-a2", "联通", "a");
    let own = ("联通", "a");
    let without = addition(&world, "v-a2", own, None);
    let detail = world.cannot_propose("governance.too_many_in_cloud", KIND_ADD_VALIDATOR, &without);
    assert_eq!(detail, "2 of 5 validators would be in the cloud 联通, at most 1 may be");
    for wrong in [
        risk(5, &[("联通", 3)]),
        risk(6, &[("联通", 2)]),
        risk(5, &[("移动", 2)]),
        risk(5, &[("移动", 2), ("联通", 2)]),
    ] {
        let action = addition(&world, "v-a2", own, Some(wrong));
        let detail = world.cannot_propose("governance.other_risk", KIND_ADD_VALIDATOR, &action);
        assert!(detail.ends_with("the set would have 2 of 5 in 联通"), "{detail}");
    }
    let mut silent = risk(5, &[("联通", 2)]);
    silent.reason.clear();
    let action = addition(&world, "v-a2", own, Some(silent));
    world.cannot_propose("governance.bad_reason", KIND_ADD_VALIDATOR, &action);

    let accepted = risk(5, &[("联通", 2)]);
    let action = addition(&world, "v-a2", own, Some(accepted.clone()));
    let id = world.carry(KIND_ADD_VALIDATOR, &action);
    let carried = world.tip();
    assert_eq!(record(&world), None, "it is decided, and not in force");
    world.advance_to(world.height().next_multiple_of(EPOCH_LENGTH));
    let digest = world.tip().validators.digest();
    assert_eq!(
        record(&world),
        Some(proto::RiskRecord {
            risk: Some(accepted),
            set: digest.to_vec().into(),
            proposal: id,
            organisation: "a".into(),
            height: carried.height(),
            time_ms: carried.time_ms(),
        })
    );

    // Back within the rule nothing is accepted any more, and nothing need be.
    let back = proto::RemoveValidator {
        public_key: public("v-a2"),
        accept_risk: None,
    };
    world.carry(KIND_REMOVE_VALIDATOR, &back);
    world.advance_to(world.height().next_multiple_of(EPOCH_LENGTH));
    assert_eq!(record(&world), None);
}

#[test]
fn every_further_set_is_accepted_anew() {
    let mut world = World::new();
    world.register_node("v-a2", "联通", "a");
    let action = addition(&world, "v-a2", ("联通", "a"), Some(risk(5, &[("联通", 2)])));
    world.carry(KIND_ADD_VALIDATOR, &action);
    world.advance_to(world.height().next_multiple_of(EPOCH_LENGTH));
    let further = |accept_risk| proto::RemoveValidator {
        public_key: public("v-b"),
        accept_risk,
    };
    let detail = world.cannot_propose("governance.too_many_in_cloud", KIND_REMOVE_VALIDATOR, &further(None));
    assert_eq!(detail, "2 of 4 validators would be in the cloud 联通, at most 1 may be");
    world.carry(KIND_REMOVE_VALIDATOR, &further(Some(risk(4, &[("联通", 2)]))));
}

#[test]
fn what_members_approved_is_not_carried_for_another_set() {
    let mut world = World::new();
    world.register_node("v-a2", "联通", "a");
    world.register_node("v-new", "第五云", "b");
    let risky = addition(&world, "v-a2", ("联通", "a"), Some(risk(5, &[("联通", 2)])));
    let id = world.propose(KIND_ADD_VALIDATOR, &risky);
    let other = addition(&world, "v-new", ("第五云", "b"), None);
    world.carry(KIND_ADD_VALIDATOR, &other);
    world.advance_to(world.height().next_multiple_of(EPOCH_LENGTH));
    for organisation in ["a", "b"] {
        assert_eq!(world.vote(organisation, id, true).code, "");
    }
    let last = world.vote("c", id, true);
    assert_eq!(last.code, "governance.other_risk");
    assert_eq!(
        last.detail,
        "accepted is 2 of 5 in 联通, the set would have 2 of 6 in 联通"
    );
    assert_eq!(world.proposal(id).status, STATUS_OPEN);
}

const VALIDATORS: [&str; 4] = ["v-a", "v-a2", "v-b", "v-c"];

/// A platform with two nodes in one cloud.
fn platform() -> World {
    let mut message = genesis_message();
    message.nodes.push(node("v-a2", "联通", "a"));
    message.nodes.sort_by(|a, b| a.public_key.cmp(&b.public_key));
    message.templates = vec![proto::ChainTemplate {
        name: "evidence".into(),
        title_zh: "存证链".into(),
        title_en: "evidence".into(),
        modules: vec!["evidence".into()],
        epoch_length: 16,
        leader_timeout_ms: 2_000,
        role: "admin".into(),
        per_organisation_max: 4,
        transactions_per_second: 100,
        storage_mib: 10,
        ..Default::default()
    }];
    let offer = |name: &str| proto::NodeOffer {
        node: public(name),
        chains_max: 2,
        storage_mib_max: 100,
        ..Default::default()
    };
    message.offers = VALIDATORS.map(offer).to_vec();
    message.offers.sort_by(|a, b| a.node.cmp(&b.node));
    World::with(message)
}

fn request(accept_risk: Option<proto::AcceptedRisk>) -> proto::CreateChain {
    let mut validators: Vec<Bytes> = VALIDATORS.map(public).to_vec();
    validators.sort();
    proto::CreateChain {
        name: "应急".into(),
        title: "应急链".into(),
        template: "evidence".into(),
        validators,
        accounts: ["admin-a", "admin-b", "admin-c"].map(id_bytes).to_vec(),
        accept_risk,
        ..Default::default()
    }
}

#[test]
fn a_chain_at_risk_is_created_by_vote_alone() {
    let mut world = platform();
    let accepted = risk(4, &[("联通", 2)]);
    let detail = world.fails("chain.too_many_in_cloud", "admin-a", "chain.create", &request(None));
    assert!(
        detail.ends_with("2 of 4 validators would be in the cloud 联通, at most 1 may be"),
        "{detail}"
    );
    world.fails(
        "chain.not_allowed",
        "admin-a",
        "chain.create",
        &request(Some(accepted.clone())),
    );
    let by_vote = |accept_risk| proto::CreateChain {
        creator: "a".into(),
        ..request(accept_risk)
    };
    world.cannot_propose("chain.too_many_in_cloud", KIND_CREATE_CHAIN, &by_vote(None));
    let wrong = by_vote(Some(risk(4, &[("联通", 3)])));
    world.cannot_propose("chain.other_risk", KIND_CREATE_CHAIN, &wrong);
    let id = world.carry(KIND_CREATE_CHAIN, &by_vote(Some(accepted.clone())));
    assert_eq!(world.proposal(id).status, STATUS_CARRIED);

    let chain: proto::ChainRecord = world.record(&StateKey::chain("应急")).expect("a chain");
    let chain_id = yulian_crypto::Digest::from_slice(&chain.chain_id).expect("a digest");
    let genesis = world.value(&StateKey::chain_genesis(&chain_id)).expect("a genesis");
    let genesis = SealedGenesis::decode(&genesis).expect("a genesis");
    assert_eq!(genesis.message.accepted_risk, Some(accepted.clone()));
    let noted = chain.risk.expect("a risk");
    assert_eq!(
        (noted.risk, noted.proposal, noted.organisation.as_str()),
        (Some(accepted), id, "a")
    );
    assert_eq!(noted.set[..], genesis.validators.digest().0);
    assert_eq!(
        world
            .record::<proto::NodeOffer>(&chains::offer(&public("v-a2")))
            .map(|offer| offer.chains),
        Some(1)
    );
}
