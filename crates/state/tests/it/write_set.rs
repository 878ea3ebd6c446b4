//! The root over what a block wrote.

use bytes::Bytes;
use sm3::{Digest as _, Sm3};
use yulian_crypto::Digest;
use yulian_state::{Path, value_hash, write_set};

fn write(module_id: u32, key: &'static str, value: Option<&'static str>) -> write_set::Write {
    let (key, value) = (Bytes::from(key), value.map(Bytes::from));
    write_set::Write { module_id, key, value }
}

fn sm3(parts: &[&[u8]]) -> [u8; 32] {
    Sm3::digest(parts.concat()).into()
}

#[test]
fn nothing_written_has_the_zero_root() {
    assert_eq!(write_set::root(&[]), Digest::ZERO);
    assert_eq!(write_set::prove(&[], &Path::of(1, b"a")), None);
}

#[test]
fn the_root_of_two_writes_is_that_of_the_definition() {
    let writes = [write(1, "a", Some("x")), write(2, "b", None)];
    let path_a = sm3(&[b"ylStPath", &[0, 0, 0, 1], b"a"]);
    let path_b = sm3(&[b"ylStPath", &[0, 0, 0, 2], b"b"]);
    let value = sm3(&[b"ylStValu", b"x"]);
    let leaf_a = sm3(&[b"ylMkLeaf", &path_a, &[1], &value]);
    let leaf_b = sm3(&[b"ylMkLeaf", &path_b, &[0]]);
    let (left, right) = if path_a < path_b {
        (leaf_a, leaf_b)
    } else {
        (leaf_b, leaf_a)
    };
    let top = sm3(&[b"ylMkNode", &left, &right]);
    let root = sm3(&[b"ylMkRoot", &2u64.to_be_bytes(), &top]);
    assert_eq!(write_set::root(&write_set::changes(&writes)), Digest(root));
}

#[test]
fn every_write_is_proven_and_no_other() {
    let writes: Vec<_> = ["a", "b", "c", "d", "e"]
        .map(|key| write(3, key, (key != "c").then_some(key)))
        .to_vec();
    let changes = write_set::changes(&writes);
    let root = write_set::root(&changes);
    for change in &changes {
        let proof = write_set::prove(&changes, &change.0).unwrap();
        assert!(proof.verify(&root, &write_set::leaf(change)));
        let other = (change.0, Some(value_hash(b"other")));
        assert!(!proof.verify(&root, &write_set::leaf(&other)));
        let inverted = (change.0, change.1.xor(Some(Digest::ZERO)));
        assert!(!proof.verify(&root, &write_set::leaf(&inverted)));
    }
    assert_eq!(write_set::prove(&changes, &Path::of(3, b"f")), None);
}

#[test]
fn the_last_write_to_a_key_counts() {
    let twice = [write(1, "a", Some("x")), write(1, "a", Some("y"))];
    let once = [write(1, "a", Some("y"))];
    assert_eq!(write_set::changes(&twice), write_set::changes(&once));
}
