//! What a genesis must be to start a chain, and the state it gives.

use crate::world::{account, actor, genesis_message, organisation, registry, secret, validator};
use yulian_crypto::sm2::Signer;
use yulian_exec::{
    GenesisFault, bootstrap, limits, modules_of,
    rules::{CharterFault, SetFault},
    tables,
};
use yulian_state::{Tree, write_set};
use yulian_types::{SealedGenesis, StateKey, ValidatorSet, proto};

fn fault(change: impl FnOnce(&mut proto::Genesis)) -> GenesisFault {
    let mut message = genesis_message();
    change(&mut message);
    bootstrap(&SealedGenesis::new(message).expect("well formed"))
        .map(|executed| executed.height())
        .unwrap_err()
}

fn entry(change: impl FnOnce(&mut proto::Genesis)) -> (&'static str, String) {
    match fault(change) {
        GenesisFault::Entry { kind, id, .. } => (kind, id),
        other => panic!("{other:?}"),
    }
}

fn set_of(list: Vec<proto::Validator>) -> Option<proto::ValidatorSet> {
    Some(ValidatorSet::new(list).expect("a set").message().clone())
}

fn list(genesis: &mut proto::Genesis) -> Vec<proto::Validator> {
    genesis.validators.take().expect("a set").validators
}

fn risk(validators: u32, clouds: &[(&str, u32)]) -> proto::AcceptedRisk {
    let share = |(cloud, validators): &(&str, u32)| proto::CloudShare {
        cloud: cloud.to_string(),
        validators: *validators,
    };
    proto::AcceptedRisk {
        validators,
        clouds: clouds.iter().map(share).collect(),
        reason: "第四朵云下月交付".into(),
    }
}

#[test]
fn a_risk_that_genesis_accepts_stands_in_the_first_state() {
    let mut message = genesis_message();
    let mut all = list(&mut message);
    all.push(validator("v4", "联通", "a"));
    message.validators = set_of(all);
    message.accepted_risk = Some(risk(5, &[("联通", 2)]));
    let genesis = SealedGenesis::new(message).expect("well formed");
    let first = bootstrap(&genesis).expect("a state");
    let set = genesis.validators.digest();
    let key = tables::risk(&set);
    let write = first.writes.iter().find(|write| write.key == key.key);
    let value = write.and_then(|write| write.value.clone()).expect("a record");
    let record = <proto::RiskRecord as prost::Message>::decode(value).expect("a record");
    assert_eq!(record.risk, genesis.message.accepted_risk);
    assert_eq!(record.set[..], set.0);
    assert_eq!((record.proposal, record.height), (0, 0));
}

#[test]
fn a_good_genesis_gives_the_first_state() {
    let mut message = genesis_message();
    message.nodes = vec![node("v0", "联通", "a"), node("observer", "华为", "b")];
    let genesis = SealedGenesis::new(message).expect("well formed");
    let first = bootstrap(&genesis).expect("a state");
    assert_eq!((first.height(), first.digest), (0, genesis.block().digest));
    assert_eq!(first.results.next_validators, genesis.validators.digest());
    let leaves = write_set::changes(&first.writes)
        .into_iter()
        .map(|(path, hash)| (path, hash.expect("a value")));
    assert_eq!(first.results.state_root, Tree::from_sorted(leaves).root());
    let written = |key: StateKey| {
        first
            .writes
            .iter()
            .any(|write| write.key == key.key && write.module_id == key.module_id)
    };
    let admin = actor("admin-a");
    for key in [
        StateKey::account(&admin.id),
        StateKey::key_owner(&admin.key.public_key()),
        StateKey::organisation("b"),
        StateKey::parameter("heartbeat_ms"),
        tables::charter(),
        tables::members(),
        tables::decided_set(),
        tables::protocol(),
        tables::nodes(),
        tables::node_count("b"),
        tables::admin_count("a"),
        tables::node(secret("observer").public_key().as_bytes()),
    ] {
        assert!(written(key.clone()), "{key:?}");
    }
    assert_eq!(first.parameters.block_bytes_max, 1024 * 1024);
    // Nothing but the genesis enters.
    assert_eq!(bootstrap(&genesis).expect("a state").results, first.results);
}

fn node(name: &str, cloud: &str, organisation: &str) -> proto::NodeRecord {
    proto::NodeRecord {
        public_key: secret(name).public_key().as_bytes().to_vec().into(),
        name: name.into(),
        cloud: cloud.into(),
        organisation: organisation.into(),
        address: "127.0.0.1:18000".into(),
    }
}

#[test]
fn frame() {
    assert_eq!(fault(|genesis| genesis.protocol_version = 2), GenesisFault::Protocol(2));
    assert_eq!(fault(|genesis| genesis.epoch_length = 1), GenesisFault::EpochLength(1));
    assert_eq!(
        fault(|genesis| genesis.epoch_length = 1_000_001),
        GenesisFault::EpochLength(1_000_001)
    );
    assert_eq!(
        fault(|genesis| genesis.charter = None),
        GenesisFault::Missing("charter")
    );
    assert_eq!(
        fault(|genesis| genesis
            .organisations
            .iter_mut()
            .for_each(|organisation| organisation.member = false)),
        GenesisFault::Missing("a member organisation")
    );
}

#[test]
fn charter() {
    let with = |change: fn(&mut proto::Charter)| match fault(|genesis| change(genesis.charter.as_mut().expect("one"))) {
        GenesisFault::Charter(fault) => fault,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        with(|charter| charter.validators = None),
        CharterFault::Quorum("validators")
    );
    assert_eq!(
        with(|charter| charter.parameters = Some(proto::Quorum {
            numerator: 1,
            denominator: 3
        })),
        CharterFault::Quorum("parameters")
    );
    assert_eq!(
        with(|charter| charter.charter = Some(proto::Quorum {
            numerator: 1,
            denominator: 1
        })),
        CharterFault::Quorum("charter")
    );
    assert_eq!(
        with(|charter| charter.voting_period_ms = 59_999),
        CharterFault::VotingPeriod
    );
    assert_eq!(
        with(|charter| charter.voting_period_ms = u64::MAX),
        CharterFault::VotingPeriod
    );
    assert_eq!(
        with(|charter| charter.text_digest = vec![1; 31].into()),
        CharterFault::TextDigest
    );
}

#[test]
fn validators() {
    let three = fault(|genesis| genesis.validators = set_of(list(genesis).into_iter().take(3).collect()));
    assert_eq!(three, GenesisFault::Validators(SetFault::TooFew(3)));
    let crowded = fault(|genesis| {
        let mut list = list(genesis);
        list.push(validator("v4", "联通", "a"));
        genesis.validators = set_of(list);
    });
    let cloud = SetFault::Cloud {
        cloud: "联通".into(),
        count: 2,
        validators: 5,
        limit: 1,
    };
    assert_eq!(crowded, GenesisFault::Validators(cloud));
    let beside = fault(|genesis| genesis.accepted_risk = Some(risk(4, &[])));
    assert!(
        matches!(beside, GenesisFault::Validators(SetFault::Risk { .. })),
        "{beside}"
    );
    let namesakes = fault(|genesis| {
        let mut list = list(genesis);
        list[0].name = "same".into();
        list[1].name = "same".into();
        genesis.validators = set_of(list);
    });
    assert_eq!(namesakes, GenesisFault::Validators(SetFault::Name("same".into())));
    let (kind, _) = entry(|genesis| {
        let mut list = list(genesis);
        list[0].organisation = "nobody".into();
        genesis.validators = set_of(list);
    });
    assert_eq!(kind, "validator");
    let (kind, _) = entry(|genesis| {
        let mut list = list(genesis);
        list[0].cloud = " 联通".into();
        genesis.validators = set_of(list);
    });
    assert_eq!(kind, "validator");
}

#[test]
fn parameters() {
    let with = |name: &'static str, change: fn(&mut proto::Parameter)| {
        let found = fault(|genesis| {
            genesis
                .parameters
                .iter_mut()
                .filter(|parameter| parameter.name == name)
                .for_each(change);
        });
        match found {
            GenesisFault::Parameter { name, reason } => (name, reason),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        with("heartbeat_ms", |parameter| parameter.name = "nonsense".into()).1,
        "unknown"
    );
    assert_eq!(
        with("heartbeat_ms", |parameter| parameter.name = "block_bytes_max".into()).1,
        "named twice"
    );
    assert!(
        with("heartbeat_ms", |parameter| parameter.minimum = 59_999)
            .1
            .contains("wider")
    );
    assert!(
        with("block_bytes_max", |parameter| parameter.maximum += 1)
            .1
            .contains("wider")
    );
    assert!(
        with("heartbeat_ms", |parameter| parameter.maximum = parameter.value - 1)
            .1
            .contains("out of")
    );
    assert!(
        with("block_bytes_max", |parameter| parameter.never_shrinks = false)
            .1
            .contains("never shrinking")
    );
    assert!(
        with("replay_window_ms", |parameter| parameter.never_shrinks = false)
            .1
            .contains("never shrinking")
    );
    let missing = fault(|genesis| genesis.parameters.retain(|parameter| parameter.name != "heartbeat_ms"));
    assert!(
        matches!(missing, GenesisFault::Parameter { name, reason } if name == "heartbeat_ms" && reason == "missing")
    );
}

#[test]
fn organisations() {
    let with = |change: fn(&mut proto::Organisation)| entry(|genesis| change(&mut genesis.organisations[1]));
    assert_eq!(
        with(|organisation| organisation.id = "B".into()),
        ("organisation", "B".into())
    );
    assert_eq!(
        with(|organisation| organisation.name = String::new()),
        ("organisation", "b".into())
    );
    assert_eq!(
        with(|organisation| organisation.frozen = true),
        ("organisation", "b".into())
    );
    assert_eq!(
        with(|organisation| organisation.removed = true),
        ("organisation", "b".into())
    );
    assert_eq!(
        with(|organisation| organisation.since_height = 1),
        ("organisation", "b".into())
    );
    assert_eq!(
        with(|organisation| organisation.id = "a".into()),
        ("organisation", "a".into())
    );
    // Without an active administrator it could never act.
    let no_admin = entry(|genesis| genesis.organisations.push(organisation("c", false)));
    assert_eq!(no_admin, ("organisation", "c".into()));
    let crowd = |genesis: &mut proto::Genesis| {
        genesis
            .organisations
            .extend((0..64).map(|number| organisation(&format!("m{number}"), true)));
    };
    assert!(matches!(
        fault(crowd),
        GenesisFault::TooMany {
            list: "members",
            found: 66,
            ..
        }
    ));
    let crowd = |genesis: &mut proto::Genesis| {
        let limit = limits::GENESIS_ORGANISATIONS_MAX;
        genesis
            .organisations
            .extend((0..limit).map(|number| organisation(&format!("o{number}"), false)));
    };
    assert!(matches!(
        fault(crowd),
        GenesisFault::TooMany {
            list: "organisations",
            ..
        }
    ));
}

#[test]
fn accounts() {
    let with = |change: fn(&mut proto::Account)| entry(|genesis| change(&mut genesis.accounts[1])).0;
    assert_eq!(with(|account| account.public_key = vec![2; 33].into()), "account");
    assert_eq!(with(|account| account.id = vec![2; 32].into()), "account");
    assert_eq!(with(|account| account.organisation = "nobody".into()), "account");
    assert_eq!(with(|account| account.roles = vec!["root".into()]), "account");
    assert_eq!(with(|account| account.label = String::new()), "account");
    assert_eq!(with(|account| account.frozen = true), "account");
    assert_eq!(with(|account| account.frozen_reason = "x".into()), "account");
    assert_eq!(with(|account| account.key_since_height = u64::MAX), "account");
    let twice = entry(|genesis| genesis.accounts.push(account("writer-a", "b", &["writer"])));
    assert_eq!(twice, ("account", "writer-a".into()));
}

#[test]
fn nodes() {
    let with = |change: fn(&mut proto::NodeRecord)| {
        entry(|genesis| {
            let mut node = node("v0", "联通", "a");
            change(&mut node);
            genesis.nodes = vec![node];
        })
    };
    assert_eq!(with(|node| node.address = "nowhere".into()).0, "node");
    assert_eq!(with(|node| node.public_key = vec![2; 33].into()).0, "node");
    assert_eq!(with(|node| node.name = String::new()).0, "node");
    assert_eq!(with(|node| node.organisation = "nobody".into()).0, "node");
    assert_eq!(with(|node| node.cloud = "移动".into()).0, "node");
    assert_eq!(with(|node| node.organisation = "b".into()).0, "node");
    let twice = entry(|genesis| genesis.nodes = vec![node("n", "云", "a"), node("n", "云", "a")]);
    assert_eq!(twice, ("node", "n".into()));
    let many = entry(|genesis| genesis.nodes = (0..17).map(|at| node(&format!("n{at}"), "云", "b")).collect());
    assert_eq!(many, ("organisation", "b".into()));
}

#[test]
fn modules_are_sorted_known_and_the_only_ones() {
    let modules = |list: &[&str]| list.iter().map(|name| name.to_string()).collect::<Vec<_>>();
    let genesis = |list: &[&str]| proto::Genesis {
        modules: modules(list),
        ..genesis_message()
    };
    assert_eq!(
        fault(|genesis| genesis.modules = modules(&["b", "a"])),
        GenesisFault::Modules
    );
    assert_eq!(
        fault(|genesis| genesis.modules = modules(&["a", "a"])),
        GenesisFault::Modules
    );
    let known = |list: &[&str]| {
        let of_chain = modules_of(&registry(), &genesis(list))?;
        Ok(of_chain.modules().map(|module| module.name()).collect::<Vec<_>>())
    };
    assert_eq!(known(&["toy"]), Ok(vec!["toy"]));
    assert_eq!(known(&[]), Ok(vec![]));
    assert_eq!(known(&["toys"]), Err(GenesisFault::UnknownModule("toys".into())));
}
