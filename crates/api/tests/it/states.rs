//! Several values of the state in one answer.

use crate::{
    answers::{Filled, filled},
    schema::{Document, Operation},
    world::{Answer, digest},
};
use serde_json::{Value, json};
use yulian_api::limits::STATE_KEYS_MAX;
use yulian_types::StateKey;

const PATH: &str = "/v1/chains/default/state";

fn key(number: u32) -> String {
    hex::encode(StateKey::evidence(&digest(number), "zzdata").key)
}

/// The answer, which fits its schema.
fn ask(filled: &Filled, body: &Value) -> Answer {
    let answer = filled.world.post(PATH, body.to_string());
    let mut document = Document::new();
    let served = |operation: &Operation| operation.id == "state_values";
    let operation = document.operations().into_iter().find(served).expect("operation");
    let kind = answer.kind.split(';').next().unwrap_or_default();
    document.check_answer(&operation, answer.status, kind, &answer.json());
    answer
}

#[test]
fn each_key_has_its_item_in_the_order_asked_and_as_if_asked_alone() {
    let filled = filled();
    let answer = ask(
        &filled,
        &json!({"module": "evidence", "keys": [key(99), key(0)], "height": null}),
    )
    .json();
    let alone = |number| {
        let path = format!("/v1/chains/default/state/evidence/{}", key(number));
        filled.world.get(&path).json()
    };
    for (at, number) in [(0, 99), (1, 0)] {
        let alone = alone(number);
        for field in ["value", "value_hash", "proof"] {
            assert_eq!(answer["items"][at][field], alone[field], "{field}");
        }
        for field in ["module", "module_id", "height", "state_root", "finality"] {
            assert_eq!(answer[field], alone[field], "{field}");
        }
    }
    assert!(answer["items"][0]["value"].is_null() && answer["items"][1]["value"].is_string());
}

#[test]
fn none_too_many_and_what_is_no_key_are_refused() {
    let filled = filled();
    let many = vec![key(0); STATE_KEYS_MAX];
    assert_eq!(ask(&filled, &json!({"module": "3", "keys": many})).status, 200);
    let more = vec![key(0); STATE_KEYS_MAX + 1];
    let long = "00".repeat(257);
    for (body, status) in [
        (json!({"module": "3", "keys": []}), 400),
        (json!({"module": "3", "keys": more}), 400),
        (json!({"module": "3", "keys": [long]}), 400),
        (json!({"module": "3", "keys": ["x"]}), 400),
        (json!({"module": "3", "keys": [key(0)], "more": 1}), 400),
        (json!({"module": "nonsense", "keys": [key(0)]}), 404),
        (json!({"module": "3", "keys": [key(0)], "height": 9}), 409),
        (json!([]), 400),
    ] {
        assert_eq!(ask(&filled, &body).status, status, "{body}");
    }
}
