//! Accounts: registration, roles, keys, freeze.

use crate::world::{World, events, id_bytes, id_of, public, roles, secret};
use bytes::Bytes;
use prost::Message;
use yulian_crypto::{Digest, sm2::Signer};
use yulian_exec::tables;
use yulian_types::{StateKey, proto};

fn admins(world: &World, organisation: &str) -> u64 {
    world
        .record::<proto::Counter>(&tables::admin_count(organisation))
        .expect("a count")
        .value
}

fn register(world: &mut World, key: &str, list: &[&str]) {
    let registration = world.registration(key, list);
    world.ok("admin-a", "account.register", &registration);
}

fn freeze(name: &str) -> proto::FreezeAccount {
    proto::FreezeAccount {
        account: id_bytes(name),
        reason: "离职".into(),
    }
}

#[test]
fn an_administrator_registers_an_account_that_then_acts() {
    let mut world = World::new();
    let registration = world.registration("new", &["auditor", "writer"]);
    let receipt = world.ok("admin-a", "account.register", &registration);
    let answer = proto::AccountId::decode(receipt.output.clone()).expect("an answer");
    assert_eq!(answer.account, id_bytes("new"));
    assert_eq!(events(&receipt), [("registered", &id_of("new").0[..])]);
    let account = world.account("new");
    assert_eq!(
        (account.organisation.as_str(), account.roles.len(), account.frozen),
        ("a", 2, false)
    );
    assert_eq!((account.since_height, account.key_since_height), (1, 1));
    let owner: proto::KeyOwner = world
        .record(&StateKey::key_owner(&secret("new").public_key()))
        .expect("an owner");
    assert_eq!(owner.account, id_bytes("new"));
    let deposit = proto::Deposit {
        digest: vec![1; 32].into(),
        ..Default::default()
    };
    world.ok("new", "evidence.deposit", &deposit);
}

#[test]
fn bad_registrations() {
    let mut world = World::new();
    let good = world.registration("new", &["writer"]);
    let mut refuse = |code: &str, registration: proto::RegisterAccount| {
        world.fails(code, "admin-a", "account.register", &registration);
    };
    refuse(
        "account.bad_public_key",
        proto::RegisterAccount {
            public_key: vec![2; 33].into(),
            ..good.clone()
        },
    );
    refuse(
        "account.bad_public_key",
        proto::RegisterAccount {
            public_key: Bytes::new(),
            ..good.clone()
        },
    );
    refuse(
        "account.bad_roles",
        proto::RegisterAccount {
            roles: vec![],
            ..good.clone()
        },
    );
    refuse(
        "account.bad_roles",
        proto::RegisterAccount {
            roles: roles(&["root"]),
            ..good.clone()
        },
    );
    refuse(
        "account.bad_roles",
        proto::RegisterAccount {
            roles: roles(&["writer", "admin"]),
            ..good.clone()
        },
    );
    refuse(
        "account.bad_label",
        proto::RegisterAccount {
            label: String::new(),
            ..good.clone()
        },
    );
    refuse(
        "account.bad_label",
        proto::RegisterAccount {
            label: "a\u{7}".into(),
            ..good.clone()
        },
    );
    refuse(
        "account.bad_possession",
        proto::RegisterAccount {
            possession: Bytes::new(),
            ..good.clone()
        },
    );
    refuse(
        "account.bad_possession",
        proto::RegisterAccount {
            possession: vec![1; 64].into(),
            ..good.clone()
        },
    );
    refuse(
        "account.key_used",
        proto::RegisterAccount {
            public_key: public("writer-b"),
            ..good.clone()
        },
    );
    // Of another key, of another account, of another chain: none of them shows possession here.
    let stranger = world.possession("stranger", &id_of("new"));
    let other_account = world.possession("new", &id_of("other"));
    let mut other_chain_message = crate::world::genesis_message();
    other_chain_message.name = "另一条链".into();
    let other_chain = World::with(other_chain_message).possession("new", &id_of("new"));
    for possession in [stranger, other_account, other_chain] {
        let registration = proto::RegisterAccount {
            possession,
            ..good.clone()
        };
        world.fails("account.bad_possession", "admin-a", "account.register", &registration);
    }
    world.ok("admin-a", "account.register", &good);
    world.fails("account.key_used", "admin-b", "account.register", &good);
}

#[test]
fn roles_change_and_one_administrator_stays() {
    let mut world = World::new();
    assert_eq!(admins(&world, "a"), 1);
    let set = |name: &str, list: &[&str]| proto::SetRoles {
        account: id_bytes(name),
        roles: roles(list),
    };
    world.fails(
        "account.last_admin",
        "admin-a",
        "account.set_roles",
        &set("admin-a", &["writer"]),
    );
    let receipt = world.ok("admin-a", "account.set_roles", &set("writer-a", &["admin", "writer"]));
    assert_eq!(events(&receipt), [("roles_set", &id_of("writer-a").0[..])]);
    assert_eq!(
        (admins(&world, "a"), world.account("writer-a").roles),
        (2, roles(&["admin", "writer"]))
    );
    world.ok("writer-a", "account.set_roles", &set("admin-a", &["auditor"]));
    assert_eq!(admins(&world, "a"), 1);
    world.fails(
        "account.last_admin",
        "writer-a",
        "account.set_roles",
        &set("writer-a", &["writer"]),
    );
    world.fails(
        "account.unchanged",
        "writer-a",
        "account.set_roles",
        &set("writer-a", &["admin", "writer"]),
    );
    world.fails(
        "account.bad_roles",
        "writer-a",
        "account.set_roles",
        &set("admin-a", &[]),
    );
    world.fails(
        "account.other_organisation",
        "writer-a",
        "account.set_roles",
        &set("writer-b", &["admin"]),
    );
    world.fails(
        "account.not_found",
        "writer-a",
        "account.set_roles",
        &set("nobody", &["admin"]),
    );
    let short = proto::SetRoles {
        account: vec![1; 31].into(),
        roles: roles(&["admin"]),
    };
    world.fails("account.not_found", "writer-a", "account.set_roles", &short);
}

fn rotation(world: &World, account: &str, key: &str) -> proto::RotateKey {
    let possession = world.possession(key, &id_of(account));
    proto::RotateKey {
        account: id_bytes(account),
        public_key: public(key),
        possession,
    }
}

#[test]
fn a_key_is_rotated_by_its_holder_and_the_old_one_is_dead_for_ever() {
    let mut world = World::new();
    let receipt = {
        let rotation = rotation(&world, "writer-a", "writer-a-2");
        world.ok("writer-a", "account.rotate_key", &rotation)
    };
    assert_eq!(events(&receipt), [("key_rotated", &id_of("writer-a").0[..])]);
    let account = world.account("writer-a");
    assert_eq!(
        (account.public_key, account.key_since_height),
        (public("writer-a-2"), 1)
    );
    let arguments = Bytes::from(
        proto::Deposit {
            digest: vec![1; 32].into(),
            ..Default::default()
        }
        .encode_to_vec(),
    );
    let old = world.transaction("writer-a", "evidence.deposit", &proto::Deposit::default());
    let tip = world.tip();
    let verdict = world
        .chain
        .judge(&tip.digest, &old, tip.time_ms() + 1)
        .expect("judged")
        .unwrap_err();
    assert_eq!(verdict.code.code, "exec.wrong_key");
    let new = world.signed_by("writer-a", "writer-a-2", "evidence.deposit", arguments);
    let done = world.advance(vec![new]);
    assert_eq!(done.writes.len(), 1);
    // Neither the old key nor the new one opens another account or serves another one.
    for key in ["writer-a", "writer-a-2"] {
        let registration = world.registration(key, &["writer"]);
        world.fails("account.key_used", "admin-b", "account.register", &registration);
        let back = rotation(&world, "admin-b", key);
        world.fails("account.key_used", "admin-b", "account.rotate_key", &back);
    }
}

#[test]
fn an_administrator_rotates_keys_of_its_organisation_only() {
    let mut world = World::new();
    let lost = rotation(&world, "writer-a", "replacement");
    world.fails("account.admin_needed", "auditor-a", "account.rotate_key", &lost);
    world.fails("account.other_organisation", "admin-b", "account.rotate_key", &lost);
    let unproven = proto::RotateKey {
        possession: Bytes::new(),
        ..lost.clone()
    };
    world.fails("account.bad_possession", "admin-a", "account.rotate_key", &unproven);
    let for_another = proto::RotateKey {
        possession: world.possession("replacement", &id_of("admin-a")),
        ..lost.clone()
    };
    world.fails("account.bad_possession", "admin-a", "account.rotate_key", &for_another);
    let no_key = proto::RotateKey {
        public_key: vec![5; 33].into(),
        ..lost.clone()
    };
    world.fails("account.bad_public_key", "admin-a", "account.rotate_key", &no_key);
    let nobody = proto::RotateKey {
        account: vec![7; 32].into(),
        ..lost.clone()
    };
    world.fails("account.not_found", "admin-a", "account.rotate_key", &nobody);
    world.ok("admin-a", "account.rotate_key", &lost);
    assert_eq!(world.account("writer-a").public_key, public("replacement"));
}

#[test]
fn a_frozen_account_acts_no_more_until_it_is_unfrozen() {
    let mut world = World::new();
    let receipt = world.ok("admin-a", "account.freeze", &freeze("writer-a"));
    assert_eq!(events(&receipt), [("frozen", &id_of("writer-a").0[..])]);
    let account = world.account("writer-a");
    assert_eq!((account.frozen, account.frozen_reason.as_str()), (true, "离职"));
    let deposit = proto::Deposit {
        digest: vec![1; 32].into(),
        ..Default::default()
    };
    let own = world.transaction("writer-a", "evidence.deposit", &deposit);
    let tip = world.tip();
    let verdict = world
        .chain
        .judge(&tip.digest, &own, tip.time_ms() + 1)
        .expect("judged")
        .unwrap_err();
    assert_eq!(
        (verdict.code.code, verdict.detail.as_str()),
        ("exec.account_frozen", "离职")
    );
    world.fails(
        "account.already_frozen",
        "admin-a",
        "account.freeze",
        &freeze("writer-a"),
    );
    let unfreeze = proto::UnfreezeAccount {
        account: id_bytes("writer-a"),
    };
    world.fails("account.other_organisation", "admin-b", "account.unfreeze", &unfreeze);
    world.ok("admin-a", "account.unfreeze", &unfreeze);
    assert_eq!(world.account("writer-a").frozen_reason, "");
    world.fails("account.not_frozen", "admin-a", "account.unfreeze", &unfreeze);
    world.ok("writer-a", "evidence.deposit", &deposit);
}

#[test]
fn freezing_keeps_one_active_administrator() {
    let mut world = World::new();
    world.fails("account.last_admin", "admin-a", "account.freeze", &freeze("admin-a"));
    register(&mut world, "second", &["admin"]);
    world.ok("admin-a", "account.freeze", &freeze("second"));
    assert_eq!(admins(&world, "a"), 1);
    world.fails("account.last_admin", "admin-a", "account.freeze", &freeze("admin-a"));
    world.ok(
        "admin-a",
        "account.unfreeze",
        &proto::UnfreezeAccount {
            account: id_bytes("second"),
        },
    );
    world.ok("second", "account.freeze", &freeze("admin-a"));
    // Roles of a frozen administrator do not count.
    world.fails("account.last_admin", "second", "account.freeze", &freeze("second"));
    let demote = proto::SetRoles {
        account: id_bytes("admin-a"),
        roles: roles(&["writer"]),
    };
    world.ok("second", "account.set_roles", &demote);
    assert_eq!(admins(&world, "a"), 1);
    for reason in ["", "a\u{0}b", &"字".repeat(200)] {
        let bad = proto::FreezeAccount {
            account: id_bytes("writer-a"),
            reason: reason.into(),
        };
        world.fails("account.bad_reason", "second", "account.freeze", &bad);
    }
    let nobody = proto::FreezeAccount {
        account: Digest([1; 32]).to_vec().into(),
        reason: "x".into(),
    };
    world.fails("account.not_found", "second", "account.freeze", &nobody);
}
