//! `vectors/state-tree.json`, written by `vectors/generators/state_tree.py`, pins the layout.

use serde::Deserialize;
use std::collections::BTreeMap;
use yulian_crypto::Digest;
use yulian_state::{Path, Proof, Tree, value_hash};

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    entries: Vec<Entry>,
    root: String,
    proofs: Vec<Proven>,
}

#[derive(Deserialize)]
struct Entry {
    module_id: u32,
    key: String,
    value: String,
    path: String,
    value_hash: String,
}

#[derive(Deserialize)]
struct Proven {
    module_id: u32,
    key: String,
    value_hash: Option<String>,
    proof: String,
}

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

fn leaf(entry: &Entry) -> (Path, Digest) {
    let path = Path::of(entry.module_id, &bytes(&entry.key));
    let value = value_hash(&bytes(&entry.value));
    assert_eq!(path.to_string(), entry.path);
    assert_eq!(value.to_string(), entry.value_hash);
    (path, value)
}

#[test]
fn the_layout_is_that_of_the_vectors() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/state-tree.json");
    let vectors: Vectors = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert!(vectors.cases.len() >= 5);
    for case in &vectors.cases {
        let leaves: BTreeMap<Path, Digest> = case.entries.iter().map(leaf).collect();
        let tree = Tree::from_sorted(leaves);
        assert_eq!(tree.root().to_string(), case.root, "{}", case.name);
        for proven in &case.proofs {
            check(&tree, proven);
        }
    }
}

fn check(tree: &Tree, proven: &Proven) {
    let path = Path::of(proven.module_id, &bytes(&proven.key));
    assert_eq!(hex::encode(tree.prove(&path).to_bytes()), proven.proof);
    let proof = Proof::from_bytes(&bytes(&proven.proof)).unwrap();
    let value = proof.verify(&tree.root(), &path).unwrap();
    assert_eq!(value.map(|value| value.to_string()), proven.value_hash);
}
