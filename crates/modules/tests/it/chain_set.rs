//! The register follows what a chain voted on its validators.

use crate::world::{World, events, genesis_message, id_bytes, node, public, sign, validator};
use bytes::Bytes;
use yulian_crypto::sm3;
use yulian_exec::chains;
use yulian_modules::chain::{STATE_RUNNING, STATE_STARTING};
use yulian_types::{StateKey, ValidatorSet, proto};

const VALIDATORS: [&str; 4] = ["v-a", "v-b", "v-c", "v-d"];
const NAME: &str = "郑州";

/// A platform with a chain that runs on four nodes; a fifth observes it.
fn running() -> World {
    let mut message = genesis_message();
    message.nodes.push(node("v-e", "第五云", "e"));
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
    let names = [&VALIDATORS[..], &["v-e"]].concat();
    let offer = |name: &&str| proto::NodeOffer {
        node: public(name),
        chains_max: 2,
        storage_mib_max: 100,
        ..Default::default()
    };
    message.offers = names.iter().map(offer).collect();
    message.offers.sort_by(|a, b| a.node.cmp(&b.node));
    let mut world = World::with(message);
    let mut validators: Vec<Bytes> = VALIDATORS.map(public).to_vec();
    validators.sort();
    let request = proto::CreateChain {
        name: NAME.into(),
        title: "郑州市存证链".into(),
        template: "evidence".into(),
        validators,
        observers: vec![public("v-e")],
        accounts: ["admin-a", "admin-b", "admin-c", "admin-d", "admin-e"]
            .map(id_bytes)
            .to_vec(),
        ..Default::default()
    };
    world.ok("admin-a", "chain.create", &request);
    assert_eq!(record(&world).state, STATE_STARTING);
    for name in VALIDATORS {
        world.ok("writer-a", "chain.ready", &answers(&world, name));
    }
    assert_eq!(record(&world).state, STATE_RUNNING);
    world
}

fn record(world: &World) -> proto::ChainRecord {
    world.record(&StateKey::chain(NAME)).expect("a chain")
}

/// What a node signs, put together here from docs/formats.md alone.
fn statement(world: &World, key: &str, tag: &[u8; 8], rest: &[&[u8]]) -> Bytes {
    let chain_id = record(world).chain_id;
    let parts = [&tag[..], &world.genesis.chain_id.0, &chain_id]
        .into_iter()
        .chain(rest.iter().copied());
    let all: Vec<u8> = parts.flatten().copied().collect();
    sign(key, &sm3::hash(&[&all]))
}

fn answers(world: &World, node: &str) -> proto::ChainReady {
    proto::ChainReady {
        name: NAME.into(),
        node: public(node),
        signature: statement(world, node, b"ylChRedy", &[]),
    }
}

fn set(names: &[&str]) -> ValidatorSet {
    let one = |name: &&str| validator(name, name, &name[2..3]);
    ValidatorSet::new(names.iter().map(one).collect()).expect("a set")
}

fn says(world: &World, by: &str, since: u64, set: &ValidatorSet) -> proto::ChainValidators {
    proto::ChainValidators {
        name: NAME.into(),
        node: public(by),
        since_height: since,
        set: Some(set.message().clone()),
        signature: statement(world, by, b"ylChVals", &[&since.to_be_bytes(), &set.digest().0]),
    }
}

fn validating(world: &World) -> Vec<bool> {
    let record = record(world);
    let names = [&VALIDATORS[..], &["v-e"]].concat();
    let flag = |name: &&str| {
        record
            .nodes
            .iter()
            .any(|node| node.validator && node.public_key == public(name))
    };
    names.iter().map(flag).collect()
}

#[test]
fn a_quorum_of_the_validators_known_names_the_next_ones() {
    let mut world = running();
    let next = set(&["v-a", "v-b", "v-c", "v-e"]);
    for by in ["v-a", "v-b"] {
        let receipt = world.ok("writer-e", "chain.validators", &says(&world, by, 16, &next));
        assert_eq!(events(&receipt)[0].0, "validators_stated");
    }
    // The same node again is one voice, another set another word, and an observer none.
    world.ok("writer-e", "chain.validators", &says(&world, "v-b", 16, &next));
    let other = set(&["v-a", "v-b", "v-d", "v-e"]);
    world.ok("writer-e", "chain.validators", &says(&world, "v-d", 16, &other));
    let by_observer = says(&world, "v-e", 16, &next);
    world.fails("chain.node_not_asked", "writer-e", "chain.validators", &by_observer);
    assert_eq!(validating(&world), [true, true, true, true, false]);
    let receipt = world.ok("writer-e", "chain.validators", &says(&world, "v-c", 16, &next));
    assert_eq!(events(&receipt), [("validators", NAME.as_bytes())]);
    assert_eq!(validating(&world), [true, true, true, false, true]);
    assert_eq!(
        (record(&world).validators_since, record(&world).validators_elsewhere),
        (16, 0)
    );
    world.fails(
        "chain.old_set",
        "writer-e",
        "chain.validators",
        &says(&world, "v-a", 16, &next),
    );

    // The fifth node answers for the chain as those that it began with did, and only now.
    world.fails(
        "chain.node_not_asked",
        "writer-a",
        "chain.ready",
        &answers(&world, "v-a"),
    );
    let receipt = world.ok("writer-e", "chain.ready", &answers(&world, "v-e"));
    assert_eq!(events(&receipt), [("ready", NAME.as_bytes())]);
    assert_eq!(record(&world).state, STATE_RUNNING);

    // Now the fifth node has a voice and the fourth has none.
    let back = set(&VALIDATORS);
    world.fails(
        "chain.node_not_asked",
        "writer-e",
        "chain.validators",
        &says(&world, "v-d", 48, &back),
    );
    for by in ["v-a", "v-b", "v-e"] {
        world.ok("writer-e", "chain.validators", &says(&world, by, 48, &back));
    }
    assert_eq!(validating(&world), [true, true, true, true, false]);
}

#[test]
fn validators_that_the_register_does_not_host_are_counted_and_have_a_voice() {
    let mut world = running();
    let next = set(&["v-a", "v-b", "v-c", "v-f"]);
    for by in ["v-a", "v-b", "v-c"] {
        world.ok("writer-e", "chain.validators", &says(&world, by, 16, &next));
    }
    assert_eq!(validating(&world), [true, true, true, false, false]);
    assert_eq!(record(&world).validators_elsewhere, 1);
    let kept: proto::ChainSet = world.record(&chains::set(NAME)).expect("a set");
    assert_eq!((kept.since_height, kept.statements.len()), (16, 0));
    let back = set(&VALIDATORS);
    for by in ["v-a", "v-f", "v-c"] {
        world.ok("writer-e", "chain.validators", &says(&world, by, 32, &back));
    }
    assert_eq!(record(&world).validators_elsewhere, 0);
}

#[test]
fn statements_are_signed_for_this_chain_and_height() {
    let mut world = running();
    let next = set(&["v-a", "v-b", "v-c", "v-e"]);
    let good = says(&world, "v-a", 16, &next);
    for bad in [
        proto::ChainValidators {
            since_height: 17,
            ..good.clone()
        },
        proto::ChainValidators {
            node: public("v-b"),
            ..good.clone()
        },
        proto::ChainValidators {
            set: Some(set(&VALIDATORS).message().clone()),
            ..good.clone()
        },
    ] {
        world.fails("chain.bad_statement", "writer-e", "chain.validators", &bad);
    }
    let empty = proto::ChainValidators { set: None, ..good };
    world.fails("chain.bad_nodes", "writer-e", "chain.validators", &empty);
}
