//! Every operation of the document is served, and every JSON answer fits its schema.

use crate::{
    schema::{Document, Operation},
    world::{World, digest},
};
use axum::{body::Body, http::Request};
use bytes::Bytes;
use serde_json::Value;
use std::collections::BTreeMap;
use yulian_api::encode_batch;
use yulian_crypto::sm2::Signer;
use yulian_light::testing::secret;
use yulian_types::{SealedTransaction, StateKey};

const CHAIN: &str = "/v1/chains/default";

/// (operation, path and query, status that is expected)
type Sample = (&'static str, String, u16);

pub(crate) struct Filled {
    pub(crate) world: World,
    id: String,
    account: String,
    key: String,
}

pub(crate) fn filled() -> Filled {
    let world = World::new();
    let transactions: Vec<Bytes> = (0..3).map(|number| world.deposit(number)).collect();
    let id = SealedTransaction::decode(transactions[1].clone())
        .expect("transaction")
        .id;
    let batch = encode_batch(&transactions).expect("batch");
    let answer = world.post(&format!("{CHAIN}/transactions/batch?wait=true"), batch);
    assert_eq!(answer.status, 200);
    let key = secret(105).public_key();
    Filled {
        world,
        id: id.to_string(),
        account: yulian_types::account_id(&key).to_string(),
        key: key.to_string(),
    }
}

fn samples(filled: &Filled) -> Vec<Sample> {
    let Filled {
        world,
        id,
        account,
        key,
    } = filled;
    let chain_id = world.node.chain.id();
    let block = world.node.chain.with(|chain| chain.block(1).sealed.digest);
    let found = hex::encode(StateKey::evidence(&digest(0), "zzdata").key);
    let absent = hex::encode(StateKey::evidence(&digest(99), "zzdata").key);
    let (deposited, unknown) = (digest(1), digest(99));
    let at = |path: String| format!("{CHAIN}{path}");
    vec![
        ("node_status", "/v1/status".into(), 200),
        ("health", "/healthz".into(), 200),
        ("readiness", "/readyz".into(), 200),
        ("metrics", "/metrics".into(), 200),
        ("openapi_document", "/openapi.json".into(), 200),
        ("chain_info", CHAIN.into(), 200),
        ("chain_info", format!("/v1/chains/{chain_id}"), 200),
        ("chain_info", "/v1/chains/henan-test".into(), 200),
        ("chain_info", "/v1/chains/other".into(), 404),
        ("chain_genesis", at("/genesis".into()), 200),
        ("transaction", at(format!("/transactions/{id}")), 200),
        ("transaction", at(format!("/transactions/{unknown}")), 404),
        ("receipt", at(format!("/transactions/{id}/receipt")), 200),
        ("transaction_proof", at(format!("/transactions/{id}/proof")), 200),
        ("block", at("/blocks/1".into()), 200),
        ("block", at("/blocks/latest".into()), 200),
        ("block", at(format!("/blocks/{block}")), 200),
        ("block", at("/blocks/77".into()), 404),
        ("block_bytes", at("/blocks/1/raw".into()), 200),
        ("finality", at("/blocks/1/finality".into()), 200),
        ("finality", at("/blocks/latest/finality".into()), 200),
        ("headers", at("/headers?from=0&limit=2".into()), 200),
        ("headers", at("/headers?from=900".into()), 200),
        ("header", at("/headers/0".into()), 200),
        ("state_value", at(format!("/state/evidence/{found}")), 200),
        ("state_value", at(format!("/state/3/{absent}")), 200),
        ("state_value", at(format!("/state/evidence/{found}?height=0")), 200),
        ("state_value", at(format!("/state/evidence/{found}?height=9")), 409),
        ("evidence", at(format!("/evidence?digest={deposited}")), 200),
        ("evidence", at(format!("/evidence?depositor={account}&limit=2")), 200),
        ("evidence", at("/evidence?from=0&limit=1&cursor=1".into()), 200),
        ("evidence_pack", at(format!("/evidence/{deposited}/pack")), 200),
        (
            "evidence_pack",
            at(format!("/evidence/{deposited}/pack?organisation=unicom")),
            404,
        ),
        ("validators", at("/validators".into()), 200),
        ("validator_history", at("/validator-history".into()), 200),
        ("organisations", at("/organisations?limit=2".into()), 200),
        ("accounts", at("/organisations/zzdata/accounts?limit=1".into()), 200),
        ("accounts", at("/organisations/nobody/accounts".into()), 404),
        ("account", at(format!("/accounts/{account}")), 200),
        ("account", at(format!("/accounts/{key}")), 200),
        ("nodes", at("/nodes".into()), 200),
        ("register", at("/register".into()), 200),
        ("register", at("/register?limit=1".into()), 200),
        ("templates", at("/templates".into()), 200),
        ("offers", at("/offers?limit=1".into()), 200),
        ("pending", at("/pending".into()), 200),
        ("proposals", at("/proposals?limit=200".into()), 200),
        ("proposal", at("/proposals/4".into()), 200),
        ("proposal", at("/proposals/40".into()), 404),
        ("joins", at("/joins".into()), 200),
        ("join_request", at(format!("/joins/{}", digest(7))), 404),
        ("candidate_proof", at("/candidate-proof".into()), 200),
    ]
}

/// Checked elsewhere: submissions in `submit`, the stream in `stream`, what asks with a body in `states`, requests to join in `joins`.
const ELSEWHERE: [&str; 6] = [
    "submit_transaction",
    "submit_batch",
    "stream_blocks",
    "state_values",
    "ask_to_join",
    "join_request",
];

#[test]
fn every_operation_is_served_and_fits_its_schema() {
    let filled = filled();
    let mut document = Document::new();
    let operations: BTreeMap<String, Operation> = document
        .operations()
        .into_iter()
        .map(|operation| (operation.id.clone(), operation))
        .collect();
    let samples = samples(&filled);
    for id in operations.keys() {
        let sampled = samples.iter().any(|sample| sample.0 == id && sample.2 == 200);
        assert!(sampled || ELSEWHERE.contains(&id.as_str()), "no sample of {id}");
    }
    for (id, path, status) in samples {
        let answer = filled.world.get(&path);
        assert_eq!(answer.status, status, "{path}: {:?}", answer.body);
        let kind = answer.kind.split(';').next().unwrap_or_default();
        let body = match kind {
            "application/json" => answer.json(),
            _ => Value::String(String::from_utf8_lossy(&answer.body).into_owned()),
        };
        document.check_answer(&operations[id], status, kind, &body);
        check_numbers(&body);
    }
}

/// Nothing that the document calls a number is too large for JavaScript.
fn check_numbers(value: &Value) {
    match value {
        Value::Array(items) => items.iter().for_each(check_numbers),
        Value::Object(fields) => fields.values().for_each(check_numbers),
        Value::Number(number) => {
            let small = number.as_u64().is_none_or(|number| number < 1 << 53);
            assert!(small, "{number}");
        }
        _ => {}
    }
}

#[test]
fn head_is_answered_like_get_without_a_body() {
    let filled = filled();
    let request = Request::head("/v1/status").body(Body::empty()).expect("request");
    let answer = filled.world.send(request);
    assert_eq!((answer.status, answer.body.len()), (200, 0));
}

#[test]
fn a_node_that_is_not_ready_says_so() {
    let world = World::new();
    world.node.set_ready(false);
    let mut document = Document::new();
    for (path, name) in [("/healthz", "Health"), ("/readyz", "Readiness")] {
        let answer = world.get(path);
        assert_eq!(answer.status, 503);
        document.check_named(name, &answer.json());
    }
}

#[test]
fn the_proofs_of_the_answers_hold() {
    let Filled { world, id, .. } = filled();
    let view: yulian_api::views::TransactionProofView =
        serde_json::from_slice(&world.get(&format!("{CHAIN}/transactions/{id}/proof")).body).expect("view");
    let header = yulian_types::decode_header(&view.finality.headers[0].0).expect("header");
    let root = yulian_crypto::Digest::from_slice(&header.transaction_root).expect("root");
    let path: yulian_crypto::merkle::Proof = (&view.inclusion).into();
    assert!(path.verify(&root, &view.leaf.0));
    let child = yulian_types::decode_header(&view.finality.headers[1].0).expect("header");
    let root = yulian_crypto::Digest::from_slice(&child.parent_receipt_root).expect("root");
    let receipt = view.receipt.expect("receipt");
    let path: yulian_crypto::merkle::Proof = (&receipt.inclusion).into();
    assert!(path.verify(&root, &yulian_crypto::merkle::leaf(&receipt.bytes.0)));
}

#[test]
fn pages_cover_everything_once() {
    let Filled { world, account, .. } = filled();
    let mut seen = Vec::new();
    let mut path = format!("{CHAIN}/evidence?depositor={account}&limit=2");
    loop {
        let page = world.get(&path).json();
        seen.extend(
            page["items"]
                .as_array()
                .expect("items")
                .iter()
                .map(|item| item["digest"].to_string()),
        );
        let Some(next) = page["next"].as_str() else { break };
        path = format!("{CHAIN}/evidence?depositor={account}&limit=2&cursor={next}");
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 3);
}
