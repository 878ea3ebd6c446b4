//! Bad requests: a code, a clear message, nothing done.

use crate::{
    schema::Document,
    world::{Answer, World},
};
use axum::{
    body::{Body, Bytes},
    http::Request,
};
use futures::{FutureExt, StreamExt, executor::block_on, stream};
use std::io;
use tower::ServiceExt;
use yulian_api::{limits::Limits, testing::FakeNode};

const CHAIN: &str = "/v1/chains/default";

fn check(answer: &Answer, status: u16, code: &str) {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (status, code),
        "{:?}",
        answer.body
    );
    Document::new().check_named("ErrorBody", &answer.json());
    assert_eq!(answer.json()["request_id"], answer.request_id);
}

#[test]
fn wrong_paths_methods_and_parameters() {
    let world = World::new();
    let zero = "00".repeat(32);
    for (path, status, code) in [
        ("/v1/nothing".to_string(), 404, "unknown_route"),
        ("/".into(), 404, "unknown_route"),
        ("/v1/chains/elsewhere".into(), 404, "unknown_chain"),
        (format!("/v1/chains/{zero}"), 404, "unknown_chain"),
        (format!("/v1/chains/{}", "x".repeat(65)), 400, "bad_parameter"),
        (format!("{CHAIN}/transactions/xyz"), 400, "bad_parameter"),
        (format!("{CHAIN}/transactions/%ff"), 400, "bad_parameter"),
        (format!("{CHAIN}/blocks/-1"), 400, "bad_parameter"),
        (format!("{CHAIN}/blocks/18446744073709551616"), 400, "bad_parameter"),
        (format!("{CHAIN}/headers?limit=0"), 400, "bad_parameter"),
        (format!("{CHAIN}/headers?limit=201"), 400, "bad_parameter"),
        (format!("{CHAIN}/headers?form=1"), 400, "bad_parameter"),
        (format!("{CHAIN}/state/nothing/00"), 404, "unknown_module"),
        (format!("{CHAIN}/state/evidence/0"), 400, "bad_parameter"),
        (
            format!("{CHAIN}/state/evidence/{}", "00".repeat(257)),
            400,
            "bad_parameter",
        ),
        (format!("{CHAIN}/evidence"), 400, "bad_parameter"),
        (format!("{CHAIN}/evidence?digest={zero}&from=1"), 400, "bad_parameter"),
        (format!("{CHAIN}/evidence?digest=12"), 400, "bad_parameter"),
        (format!("{CHAIN}/evidence?from=1&cursor=nonsense"), 400, "bad_cursor"),
        (format!("{CHAIN}/nodes?cursor={}", "1".repeat(257)), 400, "bad_cursor"),
        (format!("{CHAIN}/evidence/{zero}/pack"), 404, "unknown_evidence"),
        (format!("{CHAIN}/accounts/{zero}"), 404, "account_not_found"),
        (format!("{CHAIN}/accounts/00"), 400, "bad_parameter"),
        (format!("{CHAIN}/proposals/x"), 400, "bad_parameter"),
        (format!("{CHAIN}/stream?detail=everything"), 400, "bad_parameter"),
    ] {
        let answer = world.get(&path);
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{path}: {:?}",
            answer.body
        );
        check(&answer, status, code);
    }
    check(&world.get(&format!("{CHAIN}/transactions")), 405, "method_not_allowed");
    check(&world.post("/v1/status", Body::empty()), 405, "method_not_allowed");
    check(
        &world.post(&format!("{CHAIN}/transactions?wait=maybe"), Body::empty()),
        400,
        "bad_parameter",
    );
    check(
        &world.post(
            &format!("{CHAIN}/transactions?wait=true&timeout_ms=60001"),
            Body::empty(),
        ),
        400,
        "bad_parameter",
    );
}

#[test]
fn bodies_that_are_too_long_or_end_too_early() {
    let world = World::new();
    let batch = format!("{CHAIN}/transactions/batch");
    check(&world.post(&batch, vec![0; 4 * 1024 * 1024 + 1]), 413, "body_too_large");
    let endless = stream::repeat(()).map(|()| Ok::<_, io::Error>(Bytes::from_static(&[0; 65_536])));
    check(&world.post(&batch, Body::from_stream(endless)), 413, "body_too_large");
    let cut = stream::iter([
        Ok(Bytes::from_static(&[0, 0])),
        Err(io::Error::other("connection reset")),
    ]);
    check(&world.post(&batch, Body::from_stream(cut)), 400, "body_unreadable");
    check(&world.post(&batch, vec![0, 0, 0, 9, 1]), 400, "malformed_batch");
    check(&world.post(&batch, vec![]), 400, "malformed_batch");
}

#[test]
fn a_body_that_does_not_come_ends_in_a_time_out() {
    let world = World::over(FakeNode::impatient(), Limits::default());
    let never = stream::pending::<Result<Bytes, io::Error>>();
    let answer = world.post(&format!("{CHAIN}/transactions"), Body::from_stream(never));
    check(&answer, 408, "request_timeout");
}

#[test]
fn more_requests_than_there_are_places_are_refused_at_once() {
    let one = Limits {
        streams_max: 1,
        submissions_max: 1,
        ..Limits::default()
    };
    let world = World::over(FakeNode::without_clock(), one);
    world.node.chain.hold();
    let open = |path: &str, body: Body| {
        let method = if path.contains("stream") { "GET" } else { "POST" };
        let request = Request::builder().method(method).uri(path).body(body).expect("request");
        Box::pin(world.router.clone().oneshot(request))
    };
    let waiting = format!("{CHAIN}/transactions?wait=true");
    let mut submission = open(&waiting, world.deposit(1).into());
    assert!(submission.as_mut().now_or_never().is_none());
    let answer = world.post(&waiting, world.deposit(2));
    check(&answer, 503, "busy");
    assert_eq!(answer.retry_after.as_deref(), Some("1"));
    world.node.chain.release();
    assert_eq!(block_on(submission).expect("answer").status(), 200);
    assert_eq!(
        world.post(&waiting, world.deposit(3)).status,
        200,
        "the place is free again"
    );

    let stream = format!("{CHAIN}/stream");
    let first = block_on(open(&stream, Body::empty())).expect("answer");
    check(&world.get(&stream), 503, "busy");
    drop(first);
    let again = block_on(open(&stream, Body::empty())).expect("answer");
    assert_eq!(again.status(), 200);
}

#[test]
fn request_ids_are_the_callers_if_they_are_plain() {
    let world = World::new();
    let ask = |id: &str| {
        let request = Request::get("/nowhere").header("x-request-id", id);
        world.send(request.body(Body::empty()).expect("request"))
    };
    let answer = ask("Abc-1_2");
    assert_eq!(answer.request_id, "Abc-1_2");
    assert_eq!(answer.json()["request_id"], "Abc-1_2");
    for bad in ["", "a b", "<script>", &"x".repeat(65)] {
        assert!(ask(bad).request_id.starts_with("fake-"), "{bad}");
    }
}
