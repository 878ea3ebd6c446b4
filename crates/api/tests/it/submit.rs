//! Submissions: honest answers.

use crate::{
    schema::{Document, Operation},
    world::{Answer, World},
};
use bytes::Bytes;
use serde_json::Value;
use yulian_api::{encode_batch, limits::Limits, testing::FakeNode};
use yulian_types::{SealedTransaction, proto};

const ONE: &str = "/v1/chains/default/transactions";
const BATCH: &str = "/v1/chains/default/transactions/batch";

fn id(transaction: &Bytes) -> String {
    SealedTransaction::decode(transaction.clone())
        .expect("transaction")
        .id
        .to_string()
}

/// Also checks the answer against the document.
fn post(world: &World, path: &str, body: Bytes) -> (Answer, Value) {
    let answer = world.post(path, body);
    let json = answer.json();
    let mut document = Document::new();
    let route = path.split('?').next().unwrap_or_default().replace("default", "{chain}");
    let served = |operation: &Operation| operation.path == route && operation.method == "post";
    let operation = document.operations().into_iter().find(served).expect("operation");
    document.check_answer(&operation, answer.status, &answer.kind, &json);
    (answer, json)
}

#[test]
fn without_wait_the_answer_is_queued_and_promises_nothing() {
    let world = World::new();
    let transaction = world.deposit(1);
    let (answer, json) = post(&world, ONE, transaction.clone());
    assert_eq!(answer.status, 202);
    assert_eq!(json, serde_json::json!({"status": "queued", "id": id(&transaction)}));
}

#[test]
fn with_wait_the_answer_is_the_final_result() {
    let world = World::new();
    let transaction = world.deposit(1);
    let (answer, json) = post(&world, &format!("{ONE}?wait=true"), transaction.clone());
    assert_eq!(answer.status, 200);
    assert_eq!(json["status"], "final");
    assert_eq!(json["id"], id(&transaction));
    assert_eq!(json["block"]["height"], 1);
    assert_eq!(json["result"]["success"], true);
    assert_eq!(json["result"]["metering"], "1200");
}

#[test]
fn a_wait_that_is_over_leaves_the_transaction_queued() {
    let world = World::over(FakeNode::impatient(), Limits::default());
    world.node.chain.hold();
    let transaction = world.deposit(1);
    // The fake clock ends every wait at once, the read of the body included unless it is there already.
    let answer = world.post(&format!("{ONE}?wait=true&timeout_ms=1"), transaction.clone());
    assert_eq!((answer.status, answer.json()["status"].as_str()), (202, Some("queued")));
    let view = world.node.chain.clone();
    let found = futures::executor::block_on(yulian_api::ChainService::transaction(
        &view,
        SealedTransaction::decode(transaction).expect("transaction").id,
    ));
    assert_eq!(
        found.expect("queued").state,
        yulian_api::views::TransactionState::Queued
    );
}

#[test]
fn the_same_transaction_again_is_replayed() {
    let world = World::new();
    let transaction = world.deposit(1);
    post(&world, &format!("{ONE}?wait=true"), transaction.clone());
    let (answer, json) = post(&world, ONE, transaction);
    assert_eq!((answer.status, json["code"].as_str()), (409, Some("exec.replayed")));
}

#[test]
fn each_item_of_a_batch_stands_for_itself() {
    let world = World::new();
    let (first, last) = (world.deposit(1), world.deposit(2));
    let mut wrong = last.to_vec();
    *wrong.last_mut().expect("a byte") ^= 1;
    let items = [
        first.clone(),
        wrong.into(),
        Bytes::from_static(b"no transaction"),
        last.clone(),
    ];
    let body = encode_batch(&items).expect("batch");
    let (answer, json) = post(&world, &format!("{BATCH}?wait=true"), body);
    assert_eq!(answer.status, 200);
    let status = |index: usize| json["items"][index]["status"].as_str().expect("status").to_string();
    assert_eq!(
        [status(0), status(1), status(2), status(3)],
        ["final", "refused", "refused", "final"]
    );
    assert_eq!(json["items"][0]["id"], id(&first));
    assert_eq!(json["items"][1]["error"]["code"], "exec.wrong_signature");
    assert_eq!(json["items"][2]["error"]["code"], "malformed_transaction");
    assert_eq!(json["items"][2]["error"]["request_id"], answer.request_id);
    assert_eq!(json["items"][3]["id"], id(&last));
}

#[test]
fn a_batch_without_wait_is_queued() {
    let world = World::new();
    let body = encode_batch(&[world.deposit(1), world.deposit(2)]).expect("batch");
    let (answer, json) = post(&world, BATCH, body);
    assert_eq!(answer.status, 202);
    assert_eq!(json["items"][1]["status"], "queued");
}

#[test]
fn malformed_transactions_are_named_for_what_they_are() {
    let world = World::new();
    let good = world.deposit(1);
    let mut trailing = good.to_vec();
    trailing.extend_from_slice(&[0x7a, 0]);
    let other = |kind, scheme| {
        let mut envelope: proto::Transaction = yulian_types::decode_canonical(&good, usize::MAX).expect("transaction");
        envelope.kind = kind;
        envelope.signatures[0].scheme = scheme;
        yulian_types::encode(&envelope)
    };
    let cases: [(Bytes, u16, &str); 6] = [
        (trailing.into(), 400, "not_canonical"),
        (good.slice(..good.len() - 1), 400, "malformed_transaction"),
        (Bytes::new(), 400, "malformed_transaction"),
        (other(2, 1), 400, "unknown_kind"),
        (other(1, 2), 400, "unknown_scheme"),
        (vec![0; 128 * 1024 + 1].into(), 413, "body_too_large"),
    ];
    for (body, status, code) in cases {
        let (answer, json) = post(&world, ONE, body);
        assert_eq!((answer.status, json["code"].as_str()), (status, Some(code)));
    }
    assert_eq!(world.node.chain.height(), 0, "nothing of this reached the chain");
}
