//! Chains on demand: from the call to the last block.

use crate::world::{World, events, genesis_message, id_bytes, id_of, public, sign};
use bytes::Bytes;
use prost::Message;
use yulian_crypto::{Digest, sm3};
use yulian_exec::{bootstrap, chains, modules_of};
use yulian_modules::{chain, governance, registry};
use yulian_types::{SealedGenesis, StateKey, encode, proto};

const VALIDATORS: [&str; 4] = ["v-a", "v-b", "v-c", "v-d"];

fn template(name: &str, role: &str, most: u32) -> proto::ChainTemplate {
    proto::ChainTemplate {
        name: name.into(),
        title_zh: "存证链".into(),
        title_en: "evidence".into(),
        modules: vec!["evidence".into()],
        parameters: vec![proto::ParameterValue {
            name: "heartbeat_ms".into(),
            value: 600_000,
        }],
        epoch_length: 16,
        leader_timeout_ms: 2_000,
        role: role.into(),
        per_organisation_max: most,
        transactions_per_second: 100,
        storage_mib: 10,
    }
}

fn offer(name: &str) -> proto::NodeOffer {
    proto::NodeOffer {
        node: public(name),
        chains_max: 2,
        storage_mib_max: 100,
        ..Default::default()
    }
}

fn sorted(names: &[&str]) -> Vec<Bytes> {
    let mut keys: Vec<Bytes> = names.iter().map(|name| public(name)).collect();
    keys.sort();
    keys
}

/// A platform whose four nodes take every member's chains.
fn platform() -> World {
    let mut message = genesis_message();
    message.templates = vec![template("evidence", "admin", 2), template("voted", "", 1)];
    message.offers = VALIDATORS.map(offer).to_vec();
    message.offers.sort_by(|a, b| a.node.cmp(&b.node));
    World::with(message)
}

fn request(name: &str) -> proto::CreateChain {
    proto::CreateChain {
        name: name.into(),
        title: "郑州市存证链".into(),
        template: "evidence".into(),
        validators: sorted(&VALIDATORS),
        accounts: ["admin-a", "writer-a", "admin-b", "admin-c", "admin-d"]
            .map(id_bytes)
            .to_vec(),
        ..Default::default()
    }
}

fn record(world: &World, name: &str) -> proto::ChainRecord {
    world.record(&StateKey::chain(name)).expect("a chain")
}

fn host(world: &World, name: &str) -> proto::NodeOffer {
    world.record(&chains::offer(&public(name))).expect("an offer")
}

/// What a node signs, put together here from docs/formats.md alone.
fn statement(world: &World, key: &str, tag: &[u8; 8], rest: &[&[u8]]) -> Bytes {
    let parts = [&tag[..], &world.genesis.chain_id.0]
        .into_iter()
        .chain(rest.iter().copied());
    let all: Vec<u8> = parts.flatten().copied().collect();
    sign(key, &sm3::hash(&[&all]))
}

fn ready(world: &World, name: &str, node: &str) -> proto::ChainReady {
    let chain_id = record(world, name).chain_id;
    proto::ChainReady {
        name: name.into(),
        node: public(node),
        signature: statement(world, node, b"ylChRedy", &[&chain_id]),
    }
}

/// Creates a chain that runs.
fn running(world: &mut World, name: &str) {
    world.ok("admin-a", "chain.create", &request(name));
    for node in VALIDATORS {
        let message = ready(world, name, node);
        world.ok("writer-d", "chain.ready", &message);
    }
    assert_eq!(record(world, name).state, chain::STATE_RUNNING);
}

fn named(name: &str) -> proto::ChainCall {
    proto::ChainCall {
        name: name.into(),
        reason: "检修".into(),
    }
}

#[test]
fn a_chain_runs_when_every_validator_has_answered() {
    let mut world = platform();
    let receipt = world.ok("admin-a", "chain.create", &request("郑州"));
    let created = proto::ChainCreated::decode(receipt.output.clone()).expect("an answer");
    assert_eq!(events(&receipt), [("created", &created.chain_id[..])]);
    let chain = record(&world, "郑州");
    assert_eq!(
        (chain.state, &chain.chain_id),
        (chain::STATE_STARTING, &created.chain_id)
    );
    assert_eq!((chain.transactions_per_second, chain.storage_mib), (100, 10));
    assert_eq!((host(&world, "v-a").chains, host(&world, "v-a").storage_mib), (1, 10));
    for (at, node) in VALIDATORS.iter().enumerate() {
        assert_eq!(
            record(&world, "郑州").state,
            chain::STATE_STARTING,
            "{at} have answered"
        );
        let message = ready(&world, "郑州", node);
        world.ok("auditor-a", "chain.ready", &message);
        if at < 3 {
            world.fails("chain.node_not_asked", "auditor-a", "chain.ready", &message);
        }
    }
    assert_eq!(record(&world, "郑州").state, chain::STATE_RUNNING);
    let names: proto::NameList = world.record(&chains::chains()).expect("names");
    assert_eq!(names.names, ["郑州"]);
}

#[test]
fn the_genesis_follows_from_the_call_and_the_state() {
    let mut world = platform();
    let mut call = request("郑州");
    call.parameters = vec![proto::ParameterValue {
        name: "block_transactions_max".into(),
        value: 77,
    }];
    call.extra = vec![proto::NewChainAccount {
        organisation: "a".into(),
        public_key: public("agent"),
        roles: vec![],
        label: "中继".into(),
    }];
    world.ok("admin-a", "chain.create", &call);
    let chain_id = Digest::from_slice(&record(&world, "郑州").chain_id).expect("a digest");
    let bytes = world.value(&StateKey::chain_genesis(&chain_id)).expect("the genesis");
    let genesis = SealedGenesis::decode(&bytes).expect("a genesis");
    assert_eq!(genesis.chain_id, chain_id);
    bootstrap(&genesis).expect("starts a chain");
    let message = &genesis.message;
    assert_eq!((message.name.as_str(), message.epoch_length), ("郑州", 16));
    assert_eq!(message.time_ms, world.tip().time_ms());
    assert_eq!(message.modules, ["evidence"]);
    let members: Vec<_> = message
        .organisations
        .iter()
        .map(|o| (o.id.as_str(), o.member))
        .collect();
    assert_eq!(members, [("a", true), ("b", true), ("c", true), ("d", true)]);
    let labels: Vec<_> = message.accounts.iter().map(|account| account.label.as_str()).collect();
    assert_eq!(labels, ["admin-a", "writer-a", "admin-b", "admin-c", "admin-d", "中继"]);
    assert!(message.accounts[5].roles.is_empty());
    let value = |name: &str| message.parameters.iter().find(|p| p.name == name).map(|p| p.value);
    assert_eq!(
        (value("heartbeat_ms"), value("block_transactions_max")),
        (Some(600_000), Some(77))
    );
    let nodes: Vec<_> = message.nodes.iter().map(|node| node.public_key.clone()).collect();
    assert_eq!(nodes, sorted(&VALIDATORS));
    let modules = modules_of(&registry(), message).expect("known modules");
    let names: Vec<_> = modules.modules().map(|module| module.name()).collect();
    assert_eq!(names, ["account", "evidence", "governance"]);
}

#[test]
fn a_rotated_key_goes_along() {
    let mut world = platform();
    let possession = world.possession("admin-a-2", &id_of("admin-a"));
    let rotate = proto::RotateKey {
        account: id_bytes("admin-a"),
        public_key: public("admin-a-2"),
        possession,
    };
    world.ok("admin-a", "account.rotate_key", &rotate);
    world.ok("admin-b", "chain.create", &request("郑州"));
    let chain_id = Digest::from_slice(&record(&world, "郑州").chain_id).expect("a digest");
    let bytes = world.value(&StateKey::chain_genesis(&chain_id)).expect("the genesis");
    let genesis = SealedGenesis::decode(&bytes).expect("a genesis");
    assert_eq!(genesis.message.accounts[0].public_key, public("admin-a-2"));
    assert_eq!(genesis.message.accounts[0].id, id_bytes("admin-a-2"));
}

#[test]
fn what_does_not_make_a_chain() {
    let mut world = platform();
    let refused = |world: &mut World, code: &str, change: fn(&mut proto::CreateChain)| {
        let mut call = request("郑州");
        change(&mut call);
        world.fails(code, "admin-a", "chain.create", &call)
    };
    refused(&mut world, "chain.bad_name", |call| call.name = "a b".into());
    refused(&mut world, "chain.bad_name", |call| call.title = String::new());
    refused(&mut world, "chain.template_not_found", |call| {
        call.template = "nothing".into()
    });
    refused(&mut world, "chain.not_allowed", |call| call.template = "voted".into());
    refused(&mut world, "chain.not_allowed", |call| call.creator = "a".into());
    refused(&mut world, "chain.bad_nodes", |call| drop(call.validators.pop()));
    refused(&mut world, "chain.bad_nodes", |call| call.validators.reverse());
    refused(&mut world, "chain.bad_nodes", |call| {
        call.observers = vec![public("v-a")]
    });
    refused(&mut world, "chain.node_not_found", |call| {
        call.observers = vec![public("nobody")]
    });
    refused(&mut world, "chain.bad_accounts", |call| {
        call.accounts = vec![Bytes::from_static(b"x")]
    });
    refused(&mut world, "chain.bad_accounts", |call| {
        call.accounts.push(id_bytes("admin-e"))
    });
    refused(&mut world, "chain.bad_accounts", |call| {
        call.organisations = vec!["nobody".into()]
    });
    refused(&mut world, "chain.bad_genesis", |call| drop(call.accounts.pop()));
    refused(&mut world, "chain.bad_genesis", |call| {
        call.accounts.push(id_bytes("admin-a"))
    });
    refused(&mut world, "chain.bad_quota", |call| call.transactions_per_second = 101);
    refused(&mut world, "chain.bad_quota", |call| call.storage_mib = 11);
    refused(&mut world, "chain.bad_quota", |call| {
        call.parameters = vec![proto::ParameterValue {
            name: "heartbeat_ms".into(),
            value: 1,
        }];
    });
    let detail = world.fails("chain.not_allowed", "writer-a", "chain.create", &request("郑州"));
    assert_eq!(detail, "evidence");
    world.ok("admin-a", "chain.create", &request("郑州"));
    world.fails("chain.name_used", "admin-b", "chain.create", &request("郑州"));
    world.ok("admin-a", "chain.create", &request("开封"));
    world.fails("chain.limit_reached", "admin-a", "chain.create", &request("洛阳"));
    world.fails("chain.node_full", "admin-b", "chain.create", &request("洛阳"));
}

#[test]
fn a_chain_of_no_platform_cannot_be_created_anywhere_else() {
    let mut message = genesis_message();
    message.modules = vec!["evidence".into()];
    let mut world = World::with(message);
    let mut call = request("郑州");
    call.creator = "a".into();
    world.cannot_propose("chain.template_not_found", governance::KIND_CREATE_CHAIN, &call);
    let set = template("evidence", "admin", 1);
    world.cannot_propose("chain.bad_template", governance::KIND_SET_TEMPLATE, &set);
}

#[test]
fn owners_who_made_no_such_offer_are_asked() {
    let mut world = platform();
    let narrow = proto::OfferNode {
        offer: Some(proto::NodeOffer {
            organisations: vec!["b".into()],
            ..offer("v-d")
        }),
    };
    world.fails("chain.other_organisation", "admin-a", "chain.offer", &narrow);
    world.ok("admin-d", "chain.offer", &narrow);
    world.ok("admin-a", "chain.create", &request("郑州"));
    assert_eq!(record(&world, "郑州").state, chain::STATE_ASKED);
    let answer = |node: &str, agree| proto::AcceptChain {
        name: "郑州".into(),
        node: public(node),
        agree,
    };
    world.fails(
        "chain.other_organisation",
        "admin-a",
        "chain.accept",
        &answer("v-d", true),
    );
    world.fails("chain.node_not_asked", "admin-a", "chain.accept", &answer("v-a", true));
    let early = ready(&world, "郑州", "v-a");
    world.fails("chain.wrong_state", "writer-a", "chain.ready", &early);
    world.ok("admin-d", "chain.accept", &answer("v-d", true));
    assert_eq!(record(&world, "郑州").state, chain::STATE_STARTING);
    // The other way: one no is enough, and what was reserved is free again.
    world.ok("admin-a", "chain.create", &request("开封"));
    assert_eq!(host(&world, "v-a").chains, 2);
    let no = proto::AcceptChain {
        name: "开封".into(),
        node: public("v-d"),
        agree: false,
    };
    world.ok("admin-d", "chain.accept", &no);
    assert_eq!(record(&world, "开封").state, chain::STATE_REFUSED);
    assert_eq!((host(&world, "v-a").chains, host(&world, "v-a").storage_mib), (1, 10));
    world.fails("chain.wrong_state", "admin-d", "chain.accept", &no);
    world.ok("admin-a", "chain.create", &request("洛阳"));
}

#[test]
fn a_node_that_is_drained_takes_nothing_more() {
    let mut world = platform();
    let drained = proto::OfferNode {
        offer: Some(proto::NodeOffer {
            draining: true,
            ..offer("v-a")
        }),
    };
    world.ok("admin-a", "chain.offer", &drained);
    world.fails("chain.node_full", "admin-a", "chain.create", &request("郑州"));
    // The offer opened an account without roles for the node's key: its statements need no more.
    let account = world.account("v-a");
    assert_eq!((account.organisation.as_str(), account.roles.len()), ("a", 0));
    let bad = proto::OfferNode {
        offer: Some(proto::NodeOffer {
            chains: 1,
            ..offer("v-a")
        }),
    };
    world.fails("chain.bad_offer", "admin-a", "chain.offer", &bad);
    let unknown = proto::OfferNode {
        offer: Some(offer("nobody")),
    };
    world.fails("chain.node_not_found", "admin-a", "chain.offer", &unknown);
}

#[test]
fn statements_hold_for_one_node_one_chain_and_one_platform() {
    let mut world = platform();
    world.ok("admin-a", "chain.create", &request("郑州"));
    world.ok("admin-a", "chain.create", &request("开封"));
    let good = ready(&world, "郑州", "v-a");
    let other_node = proto::ChainReady {
        node: public("v-b"),
        ..good.clone()
    };
    let other_chain = proto::ChainReady {
        name: "开封".into(),
        ..good.clone()
    };
    let chain_id = record(&world, "郑州").chain_id;
    let other_tag = proto::ChainReady {
        signature: statement(&world, "v-a", b"ylCandid", &[&chain_id]),
        ..good.clone()
    };
    for bad in [other_node, other_chain, other_tag] {
        world.fails("chain.bad_statement", "writer-a", "chain.ready", &bad);
    }
    let stranger = proto::ChainReady {
        node: public("stranger"),
        ..good.clone()
    };
    world.fails("chain.node_not_asked", "writer-a", "chain.ready", &stranger);
    let nowhere = proto::ChainReady {
        name: "洛阳".into(),
        ..good.clone()
    };
    world.fails("chain.not_found", "writer-a", "chain.ready", &nowhere);
    world.ok("writer-a", "chain.ready", &good);
}

#[test]
fn pause_resume_archive_destroy() {
    let mut world = platform();
    running(&mut world, "郑州");
    world.fails("chain.other_organisation", "admin-b", "chain.pause", &named("郑州"));
    world.fails("chain.wrong_state", "admin-a", "chain.resume", &named("郑州"));
    world.fails("chain.wrong_state", "admin-a", "chain.archive", &named("郑州"));
    world.ok("admin-a", "chain.pause", &named("郑州"));
    let paused = record(&world, "郑州");
    assert_eq!((paused.state, paused.reason.as_str()), (chain::STATE_PAUSED, "检修"));
    world.ok("admin-a", "chain.resume", &named("郑州"));
    world.ok("admin-a", "chain.pause", &named("郑州"));
    world.fails("chain.too_early", "admin-a", "chain.archive", &named("郑州"));
    world.advance(vec![]);
    world.ok("admin-a", "chain.archive", &named("郑州"));
    assert_eq!(record(&world, "郑州").state, chain::STATE_ARCHIVED);
    assert_eq!((host(&world, "v-a").chains, host(&world, "v-a").storage_mib), (0, 10));
    world.fails("chain.wrong_state", "admin-a", "chain.resume", &named("郑州"));

    let doom = proto::ChangeChain {
        name: "郑州".into(),
        state: chain::STATE_DOOMED,
        reason: "不再使用".into(),
    };
    world.carry(governance::KIND_CHANGE_CHAIN, &doom);
    assert_eq!(record(&world, "郑州").state, chain::STATE_DOOMED);
    world.fails("chain.no_checkpoint", "auditor-a", "chain.destroyed", &named("郑州"));
    let chain_id = record(&world, "郑州").chain_id;
    let last = |world: &World, node: &str, height: u64| proto::ChainCheckpoint {
        name: "郑州".into(),
        node: public(node),
        height,
        digest: vec![5; 32].into(),
        signature: statement(world, node, b"ylChFinl", &[&chain_id, &height.to_be_bytes(), &[5; 32]]),
    };
    for (node, height) in [("v-a", 9), ("v-b", 8), ("v-c", 9)] {
        let message = last(&world, node, height);
        world.ok("writer-a", "chain.checkpoint", &message);
        assert!(record(&world, "郑州").final_digest.is_empty());
    }
    let forged = proto::ChainCheckpoint {
        height: 10,
        ..last(&world, "v-b", 9)
    };
    world.fails("chain.bad_statement", "writer-a", "chain.checkpoint", &forged);
    let message = last(&world, "v-b", 9);
    world.ok("writer-a", "chain.checkpoint", &message);
    let agreed = record(&world, "郑州");
    assert_eq!((agreed.final_height, agreed.final_digest.len()), (9, 32));
    world.fails("chain.too_early", "auditor-a", "chain.destroyed", &named("郑州"));
    world.advance_at(agreed.destroy_after_ms, vec![]);
    world.ok("auditor-a", "chain.destroyed", &named("郑州"));
    assert_eq!(record(&world, "郑州").state, chain::STATE_DESTROYED);
    assert_eq!((host(&world, "v-a").chains, host(&world, "v-a").storage_mib), (0, 0));
    // The name stays taken, the place among the organisation's chains is free.
    world.fails("chain.name_used", "admin-a", "chain.create", &request("郑州"));
    world.ok("admin-a", "chain.create", &request("开封"));
    world.ok("admin-a", "chain.create", &request("洛阳"));
}

#[test]
fn what_never_ran_is_withdrawn() {
    let mut world = platform();
    world.ok("admin-a", "chain.create", &request("郑州"));
    world.ok("admin-a", "chain.archive", &named("郑州"));
    assert_eq!(record(&world, "郑州").state, chain::STATE_REFUSED);
    assert_eq!((host(&world, "v-a").chains, host(&world, "v-a").storage_mib), (0, 0));
}

#[test]
fn observers_come_and_go() {
    let mut world = platform();
    running(&mut world, "郑州");
    world.register_node("observer", "华为", "b");
    let change = |add: &[&str], remove: &[&str]| proto::ChangeMembers {
        name: "郑州".into(),
        add_observers: sorted(add),
        remove_observers: sorted(remove),
    };
    world.fails(
        "chain.node_not_found",
        "admin-a",
        "chain.members",
        &change(&["observer"], &[]),
    );
    let offered = proto::OfferNode {
        offer: Some(offer("observer")),
    };
    world.ok("admin-b", "chain.offer", &offered);
    world.fails(
        "chain.other_organisation",
        "admin-b",
        "chain.members",
        &change(&["observer"], &[]),
    );
    world.ok("admin-a", "chain.members", &change(&["observer"], &[]));
    let node = record(&world, "郑州").nodes.pop().expect("a node");
    assert_eq!(
        (node.public_key, node.validator, node.agreed),
        (public("observer"), false, true)
    );
    world.fails(
        "chain.bad_nodes",
        "admin-a",
        "chain.members",
        &change(&["observer"], &[]),
    );
    world.fails("chain.bad_nodes", "admin-a", "chain.members", &change(&[], &["v-a"]));
    world.ok("admin-a", "chain.members", &change(&[], &["observer"]));
    assert_eq!(record(&world, "郑州").nodes.len(), 4);
    assert_eq!(host(&world, "observer").chains, 0);
}

#[test]
fn a_vote_creates_and_sets_templates() {
    let mut world = platform();
    let mut call = request("中继");
    (call.template, call.creator) = ("voted".into(), "b".into());
    world.carry(governance::KIND_CREATE_CHAIN, &call);
    let chain = record(&world, "中继");
    assert_eq!((chain.creator.as_str(), chain.state), ("b", chain::STATE_STARTING));
    let mut by_other = request("x");
    (by_other.template, by_other.creator) = ("voted".into(), "e".into());
    world.cannot_propose("chain.bad_accounts", governance::KIND_CREATE_CHAIN, &by_other);
    world.carry(governance::KIND_SET_TEMPLATE, &template("sharing", "writer", 1));
    let names: proto::NameList = world.record(&chains::templates()).expect("names");
    assert_eq!(names.names, ["evidence", "sharing", "voted"]);
    let mut call = request("共享");
    call.template = "sharing".into();
    world.ok("writer-a", "chain.create", &call);
    let pause = proto::ChangeChain {
        name: "共享".into(),
        state: chain::STATE_PAUSED,
        reason: String::new(),
    };
    world.cannot_propose("chain.wrong_state", governance::KIND_CHANGE_CHAIN, &pause);
}

#[test]
fn a_genesis_that_would_not_fit_a_value_is_refused() {
    let mut world = platform();
    let mut call = request("郑州");
    let label = "标".repeat(42);
    call.extra = (0..120)
        .map(|number| proto::NewChainAccount {
            organisation: "a".into(),
            public_key: public(&format!("extra-{number}")),
            roles: vec!["writer".into()],
            label: label.clone(),
        })
        .collect();
    let bytes = encode(&call).len();
    assert!(bytes < 96 << 10, "{bytes} bytes fit the arguments");
    let receipt = world.run("admin-a", "chain.create", &call);
    assert_eq!(receipt.code, "", "120 accounts fit: {}", receipt.detail);
    call.name = "b".into();
    call.extra.extend(call.extra.clone());
    world.fails("chain.bad_accounts", "admin-a", "chain.create", &call);
}

#[test]
fn built_in_templates_are_well_formed_and_leave_out_what_the_program_has_not() {
    let all = chain::built_in(|_| true);
    assert!(all.is_sorted_by(|a, b| a.name < b.name) && all.iter().all(chains::is_template));
    let few = chain::built_in(|name| name == "evidence");
    let names: Vec<_> = few.iter().map(|template| template.name.as_str()).collect();
    assert_eq!(names, ["evidence"]);
}
