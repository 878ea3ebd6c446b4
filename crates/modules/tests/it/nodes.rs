//! Registration of nodes.

use crate::world::{World, events, node, public};
use yulian_exec::{limits, tables};
use yulian_types::proto;

fn list(world: &World) -> Vec<bytes::Bytes> {
    world
        .record::<proto::NodeList>(&tables::nodes())
        .expect("a list")
        .public_keys
}

#[test]
fn a_node_is_registered_and_its_record_replaced_by_its_organisation() {
    let mut world = World::new();
    let registration = world.node_registration(node("observer", "华为", "a"), "observer");
    let receipt = world.ok("admin-a", "governance.register_node", &registration);
    assert_eq!(events(&receipt), [("node_registered", &public("observer")[..])]);
    assert!(world.tip().nodes_changed);
    let mut expected = ["v-a", "v-b", "v-c", "v-d", "observer"].map(public).to_vec();
    expected.sort_unstable();
    assert_eq!(list(&world), expected);
    let moved = proto::NodeRecord {
        address: "10.0.0.1:1".into(),
        cloud: "阿里".into(),
        ..node("observer", "", "a")
    };
    let registration = world.node_registration(moved.clone(), "observer");
    world.ok("admin-a", "governance.register_node", &registration);
    assert_eq!(
        world.record::<proto::NodeRecord>(&tables::node(&public("observer"))),
        Some(moved)
    );
    assert_eq!(list(&world), expected);
    let count: proto::Counter = world.record(&tables::node_count("a")).expect("a count");
    assert_eq!(count.value, 2);
    world.advance(vec![]);
    assert!(!world.tip().nodes_changed);
}

#[test]
fn bad_registrations() {
    let mut world = World::new();
    let good = node("observer", "华为", "a");
    let changed = |change: fn(&mut proto::NodeRecord)| {
        let mut node = good.clone();
        change(&mut node);
        node
    };
    let malformed = [
        changed(|node| node.address = "nowhere".into()),
        changed(|node| node.name = String::new()),
        changed(|node| node.cloud = "a\nb\t".into()),
        changed(|node| node.organisation = "A".into()),
        changed(|node| node.public_key = vec![2; 33].into()),
    ];
    for node in malformed {
        let registration = world.node_registration(node, "observer");
        world.fails(
            "governance.bad_node",
            "admin-a",
            "governance.register_node",
            &registration,
        );
    }
    world.fails(
        "governance.bad_node",
        "admin-a",
        "governance.register_node",
        &proto::RegisterNode::default(),
    );
    let registration = world.node_registration(good.clone(), "observer");
    world.fails(
        "governance.other_organisation",
        "admin-b",
        "governance.register_node",
        &registration,
    );
    let by_another_key = world.node_registration(good.clone(), "stranger");
    world.fails(
        "governance.bad_possession",
        "admin-a",
        "governance.register_node",
        &by_another_key,
    );
    let mut of_another_address = registration.clone();
    of_another_address.node.as_mut().expect("a node").address = "elsewhere:1".into();
    world.fails(
        "governance.bad_possession",
        "admin-a",
        "governance.register_node",
        &of_another_address,
    );
    world.ok("admin-a", "governance.register_node", &registration);
    // Another organisation does not take the record over.
    let taken = world.node_registration(
        proto::NodeRecord {
            organisation: "b".into(),
            ..good
        },
        "observer",
    );
    world.fails(
        "governance.other_organisation",
        "admin-b",
        "governance.register_node",
        &taken,
    );
}

#[test]
fn nodes_of_an_organisation_are_bounded() {
    let mut world = World::new();
    for number in 0..limits::NODES_PER_ORGANISATION_MAX {
        world.register_node(&format!("n{number}"), "云", "e");
    }
    let one_more = world.node_registration(node("n-more", "云", "e"), "n-more");
    world.fails(
        "governance.too_many_nodes",
        "admin-e",
        "governance.register_node",
        &one_more,
    );
    let again = world.node_registration(node("n0", "别的云", "e"), "n0");
    world.ok("admin-e", "governance.register_node", &again);
    world.ok(
        "admin-e",
        "governance.remove_node",
        &proto::RemoveNode {
            public_key: public("n3"),
        },
    );
    world.ok("admin-e", "governance.register_node", &one_more);
}

#[test]
fn a_node_that_is_no_validator_is_taken_off_the_list() {
    let mut world = World::new();
    world.register_node("observer", "华为", "a");
    let remove = proto::RemoveNode {
        public_key: public("observer"),
    };
    world.fails(
        "governance.other_organisation",
        "admin-b",
        "governance.remove_node",
        &remove,
    );
    let receipt = world.ok("admin-a", "governance.remove_node", &remove);
    assert_eq!(events(&receipt), [("node_removed", &public("observer")[..])]);
    assert_eq!(
        (list(&world).len(), world.value(&tables::node(&public("observer")))),
        (4, None)
    );
    world.fails(
        "governance.node_not_found",
        "admin-a",
        "governance.remove_node",
        &remove,
    );
    let no_key = proto::RemoveNode {
        public_key: vec![1; 3].into(),
    };
    world.fails(
        "governance.node_not_found",
        "admin-a",
        "governance.remove_node",
        &no_key,
    );
    let validator = proto::RemoveNode {
        public_key: public("v-a"),
    };
    world.fails(
        "governance.node_is_validator",
        "admin-a",
        "governance.remove_node",
        &validator,
    );
}

#[test]
fn a_validator_changes_its_address_but_not_its_cloud() {
    let mut world = World::new();
    let moved = proto::NodeRecord {
        address: "10.0.0.1:1".into(),
        ..node("v-a", "联通", "a")
    };
    let registration = world.node_registration(moved, "v-a");
    world.ok("admin-a", "governance.register_node", &registration);
    let other_cloud = world.node_registration(node("v-a", "移动", "a"), "v-a");
    world.fails(
        "governance.node_is_validator",
        "admin-a",
        "governance.register_node",
        &other_cloud,
    );
}
