//! Evidence: deposit, supersede, revoke.

use crate::world::{World, events, id_bytes};
use bytes::Bytes;
use yulian_crypto::Digest;
use yulian_types::{StateKey, proto};

fn deposit(byte: u8) -> proto::Deposit {
    proto::Deposit {
        digest: vec![byte; 32].into(),
        description: "河南省规划".into(),
        source: "plan.docx".into(),
    }
}

fn record(world: &World, byte: u8, organisation: &str) -> Option<proto::EvidenceRecord> {
    world.record(&StateKey::evidence(&Digest([byte; 32]), organisation))
}

#[test]
fn a_deposit_says_who_what_when() {
    let mut world = World::new();
    let receipt = world.ok("writer-a", "evidence.deposit", &deposit(1));
    assert_eq!(events(&receipt), [("deposited", &[1u8; 32][..])]);
    let expected = proto::EvidenceRecord {
        digest: vec![1; 32].into(),
        kind: 1,
        depositor: id_bytes("writer-a"),
        organisation: "a".into(),
        description: "河南省规划".into(),
        source: "plan.docx".into(),
        height: 1,
        time_ms: world.tip().time_ms(),
        status: 1,
        transaction_id: receipt.transaction_id,
        ..Default::default()
    };
    assert_eq!(record(&world, 1, "a"), Some(expected));
}

#[test]
fn a_deposit_reads_one_key_and_writes_one() {
    let mut world = World::new();
    let transaction = world.transaction("writer-a", "evidence.deposit", &deposit(1));
    let tip = world.tip();
    let (receipt, trace) = world
        .chain
        .simulate(&tip.digest, &transaction, tip.time_ms() + 1)
        .expect("simulates");
    let key = StateKey::evidence(&Digest([1; 32]), "a");
    assert_eq!(
        (receipt.status, trace.reads, trace.writes),
        (0, vec![key.clone()], vec![key])
    );
}

#[test]
fn a_batch_keeps_its_number_of_rows() {
    let mut world = World::new();
    let batch = |count| proto::DepositBatch {
        root: vec![2; 32].into(),
        count,
        ..Default::default()
    };
    world.ok("writer-a", "evidence.deposit_batch", &batch(55_164));
    let found = record(&world, 2, "a").expect("a record");
    assert_eq!((found.kind, found.count, found.status), (2, 55_164, 1));
    let other = |count| proto::DepositBatch {
        root: vec![3; 32].into(),
        count,
        ..Default::default()
    };
    world.fails("evidence.bad_count", "writer-a", "evidence.deposit_batch", &other(0));
    world.fails(
        "evidence.bad_count",
        "writer-a",
        "evidence.deposit_batch",
        &other(1_000_000_001),
    );
    world.ok("writer-a", "evidence.deposit_batch", &other(1_000_000_000));
    world.fails(
        "evidence.already_deposited",
        "writer-a",
        "evidence.deposit",
        &deposit(3),
    );
}

#[test]
fn bad_deposits() {
    let mut world = World::new();
    let good = deposit(1);
    let mut refuse = |code: &str, deposit: proto::Deposit| {
        world.fails(code, "writer-a", "evidence.deposit", &deposit);
    };
    refuse(
        "evidence.bad_digest",
        proto::Deposit {
            digest: Bytes::new(),
            ..good.clone()
        },
    );
    refuse(
        "evidence.bad_digest",
        proto::Deposit {
            digest: vec![1; 33].into(),
            ..good.clone()
        },
    );
    refuse(
        "evidence.bad_digest",
        proto::Deposit {
            digest: vec![0; 32].into(),
            ..good.clone()
        },
    );
    refuse(
        "evidence.bad_description",
        proto::Deposit {
            description: "a".repeat(1025),
            ..good.clone()
        },
    );
    refuse(
        "evidence.bad_description",
        proto::Deposit {
            description: "\u{1b}[2J".into(),
            ..good.clone()
        },
    );
    refuse(
        "evidence.bad_source",
        proto::Deposit {
            source: "a".repeat(257),
            ..good.clone()
        },
    );
    refuse(
        "evidence.bad_source",
        proto::Deposit {
            source: "a\rb".into(),
            ..good.clone()
        },
    );
    let longest = proto::Deposit {
        description: "a".repeat(1024),
        source: "a".repeat(256),
        ..good
    };
    world.ok("writer-a", "evidence.deposit", &longest);
    let detail = world.fails(
        "evidence.already_deposited",
        "writer-a",
        "evidence.deposit",
        &deposit(1),
    );
    assert_eq!(detail, "at height 8");
}

#[test]
fn nobody_occupies_another_organisation_s_digest() {
    let mut world = World::new();
    world.ok("writer-b", "evidence.deposit", &deposit(1));
    world.ok("writer-a", "evidence.deposit", &deposit(1));
    assert_eq!(record(&world, 1, "b").expect("one").height, 1);
    assert_eq!(record(&world, 1, "a").expect("one").height, 2);
    // Each changes its own record alone.
    let revoke = proto::Revoke {
        digest: vec![1; 32].into(),
        reason: "错误".into(),
    };
    world.ok("writer-a", "evidence.revoke", &revoke);
    assert_eq!(
        (
            record(&world, 1, "a").expect("one").status,
            record(&world, 1, "b").expect("one").status
        ),
        (3, 1)
    );
    let foreign = proto::Revoke {
        digest: vec![1; 32].into(),
        reason: "错误".into(),
    };
    world.fails("evidence.not_found", "writer-c", "evidence.revoke", &foreign);
}

fn supersede(digest: u8, by: u8) -> proto::Supersede {
    proto::Supersede {
        digest: vec![digest; 32].into(),
        by: vec![by; 32].into(),
        reason: "新版".into(),
    }
}

#[test]
fn a_record_is_superseded_by_an_active_one_of_the_same_organisation() {
    let mut world = World::new();
    for byte in [1, 2, 3] {
        world.ok("writer-a", "evidence.deposit", &deposit(byte));
    }
    world.ok("writer-b", "evidence.deposit", &deposit(9));
    world.fails(
        "evidence.same_record",
        "writer-a",
        "evidence.supersede",
        &supersede(1, 1),
    );
    world.fails("evidence.not_found", "writer-a", "evidence.supersede", &supersede(8, 2));
    world.fails(
        "evidence.replacement_not_found",
        "writer-a",
        "evidence.supersede",
        &supersede(1, 9),
    );
    world.fails(
        "evidence.bad_digest",
        "writer-a",
        "evidence.supersede",
        &supersede(1, 0),
    );
    let silent = proto::Supersede {
        reason: String::new(),
        ..supersede(1, 2)
    };
    world.fails("evidence.bad_reason", "writer-a", "evidence.supersede", &silent);

    let receipt = world.ok("admin-a", "evidence.supersede", &supersede(1, 2));
    assert_eq!(events(&receipt), [("superseded", &[1u8; 32][..])]);
    let old = record(&world, 1, "a").expect("a record");
    assert_eq!(
        (old.status, &old.superseded_by[..], old.reason.as_str()),
        (2, &[2u8; 32][..], "新版")
    );
    assert_eq!(
        (old.status_height, old.status_time_ms),
        (world.height(), world.tip().time_ms())
    );
    assert_eq!((old.height, &old.depositor), (1, &id_bytes("writer-a")));
    // Final: neither again, nor back, nor as a replacement.
    world.fails(
        "evidence.not_active",
        "writer-a",
        "evidence.supersede",
        &supersede(1, 3),
    );
    let revoke = proto::Revoke {
        digest: vec![1; 32].into(),
        reason: "x".into(),
    };
    world.fails("evidence.not_active", "writer-a", "evidence.revoke", &revoke);
    world.fails(
        "evidence.replacement_not_active",
        "writer-a",
        "evidence.supersede",
        &supersede(2, 1),
    );
    world.fails(
        "evidence.already_deposited",
        "writer-a",
        "evidence.deposit",
        &deposit(1),
    );
    world.ok("writer-a", "evidence.supersede", &supersede(2, 3));
}

#[test]
fn a_record_is_revoked_for_good() {
    let mut world = World::new();
    world.ok("writer-a", "evidence.deposit", &deposit(1));
    let revoke = |reason: &str| proto::Revoke {
        digest: vec![1; 32].into(),
        reason: reason.into(),
    };
    for reason in ["", "a\u{7f}", &"a".repeat(513)] {
        world.fails("evidence.bad_reason", "writer-a", "evidence.revoke", &revoke(reason));
    }
    let bad = proto::Revoke {
        digest: vec![1; 3].into(),
        reason: "x".into(),
    };
    world.fails("evidence.bad_digest", "writer-a", "evidence.revoke", &bad);
    let receipt = world.ok("writer-a", "evidence.revoke", &revoke("作废"));
    assert_eq!(events(&receipt), [("revoked", &[1u8; 32][..])]);
    let found = record(&world, 1, "a").expect("a record");
    assert_eq!(
        (found.status, found.reason.as_str(), found.superseded_by.len()),
        (3, "作废", 0)
    );
    world.fails("evidence.not_active", "writer-a", "evidence.revoke", &revoke("again"));
}
