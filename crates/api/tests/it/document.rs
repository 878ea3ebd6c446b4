//! The document is complete, consistent, and the one that is committed.

use crate::schema::Document;
use std::collections::BTreeSet;

const COMMITTED: &str = include_str!("../../../../openapi/node.json");

#[test]
fn the_committed_document_is_the_current_one() {
    let stale = "openapi/node.json is stale: run `cargo run --release -p xtask -- openapi`";
    assert!(COMMITTED == yulian_api::document_json(), "{stale}");
}

#[test]
fn every_operation_is_described_completely() {
    let document = Document::new();
    let mut ids = BTreeSet::new();
    for operation in document.operations() {
        assert!(ids.insert(operation.id.clone()), "{} twice", operation.id);
        let summary = operation.value["summary"].as_str().unwrap_or_default();
        assert!(summary.contains(" · "), "{}: a summary in both languages", operation.id);
        let error = &operation.value["responses"]["default"]["content"]["application/json"]["schema"]["$ref"];
        assert_eq!(error, "#/components/schemas/ErrorBody", "{}", operation.id);
        assert_eq!(
            path_parameters(&operation),
            placeholders(&operation.path),
            "{}",
            operation.id
        );
    }
}

fn placeholders(path: &str) -> BTreeSet<String> {
    let parts = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    parts.map(str::to_string).collect()
}

fn path_parameters(operation: &crate::schema::Operation) -> BTreeSet<String> {
    let none = vec![];
    let all = operation.value["parameters"].as_array().unwrap_or(&none);
    let of_path = all.iter().filter(|parameter| parameter["in"] == "path");
    of_path
        .map(|parameter| parameter["name"].as_str().expect("name").to_string())
        .collect()
}

#[test]
fn every_code_is_in_the_document() {
    let document = Document::new();
    let text = document.value["info"]["description"].as_str().expect("description");
    for code in yulian_api::Code::ALL {
        assert!(text.contains(&format!("| `{}` |", code.entry().code)));
    }
}

#[test]
fn what_is_served_and_what_is_described_are_the_same() {
    let described = Document::new().operations();
    let described: BTreeSet<_> = described
        .iter()
        .map(|it| (it.method.as_str(), it.path.as_str()))
        .collect();
    assert_eq!(yulian_api::operations().collect::<BTreeSet<_>>(), described);
}
