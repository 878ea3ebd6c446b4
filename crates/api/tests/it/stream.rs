//! The stream of final blocks.

use crate::{schema::Document, world::World};
use axum::{body::Body, http::Request};
use futures::{FutureExt, StreamExt, executor::block_on, stream::BoxStream};
use serde_json::Value;
use tower::ServiceExt;
use yulian_api::{limits::Limits, testing::FakeNode};

type Events = BoxStream<'static, String>;

fn open(world: &World, query: &str, last: Option<&str>) -> Events {
    let mut request = Request::get(format!("/v1/chains/default/stream{query}"));
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let request = request.body(Body::empty()).expect("request");
    let response = block_on(world.router.clone().oneshot(request)).expect("infallible");
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let frames = response.into_body().into_data_stream();
    frames
        .map(|frame| String::from_utf8(frame.expect("frame").to_vec()).expect("UTF-8"))
        .boxed()
}

/// Fields of one event: name, id, data.
fn fields(event: &str) -> (String, String, Value) {
    let field = |name: &str| {
        let lines = event
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        lines.collect::<String>()
    };
    (
        field("event"),
        field("id"),
        serde_json::from_str(&field("data")).unwrap_or_default(),
    )
}

fn next(events: &mut Events) -> (String, String, Value) {
    fields(&block_on(events.next()).expect("an event"))
}

#[test]
fn every_height_comes_once_and_new_blocks_follow() {
    let world = World::new();
    (0..3).for_each(|_| world.node.chain.tick());
    let mut events = open(&world, "?from=1", None);
    let mut document = Document::new();
    for height in 1..=3 {
        let (name, id, data) = next(&mut events);
        assert_eq!((name.as_str(), id), ("block", height.to_string()));
        assert_eq!(data["header"]["height"], height);
        document.check_named("StreamBlock", &data);
    }
    assert!(events.next().now_or_never().is_none(), "nothing new yet");
    world.node.chain.tick();
    assert_eq!(next(&mut events).1, "4");
}

#[test]
fn detail_brings_transactions_and_bytes() {
    let world = World::new();
    world.post("/v1/chains/default/transactions?wait=true", world.deposit(1));
    let mut document = Document::new();
    for (detail, fields) in [("header", 0), ("transactions", 1), ("raw", 3)] {
        let (_, _, data) = next(&mut open(&world, &format!("?from=1&detail={detail}"), None));
        document.check_named("StreamBlock", &data);
        let present = ["transactions", "bytes", "receipts"]
            .iter()
            .filter(|field| data.get(field).is_some());
        assert_eq!(present.count(), fields, "{detail}");
        assert_eq!(data["transaction_count"], 1);
    }
}

#[test]
fn a_reader_that_comes_back_goes_on_behind_what_it_saw() {
    let world = World::new();
    (0..5).for_each(|_| world.node.chain.tick());
    assert_eq!(next(&mut open(&world, "?from=1", Some("3"))).1, "4");
    assert_eq!(next(&mut open(&world, "?from=1", Some("nonsense"))).1, "1");
    assert_eq!(
        next(&mut open(&world, "", None)).1,
        "5",
        "without a height: the last block"
    );
}

#[test]
fn an_error_is_an_event_and_the_end() {
    let world = World::new();
    world.node.chain.tick();
    world.node.chain.break_streams_at(Some(1));
    let mut events = open(&world, "?from=0", None);
    assert_eq!(next(&mut events).1, "0");
    let (name, _, data) = next(&mut events);
    assert_eq!((name.as_str(), data["code"].as_str()), ("error", Some("pruned")));
    Document::new().check_named("ErrorBody", &data);
    assert!(block_on(events.next()).is_none());
}

#[test]
fn an_idle_stream_says_that_it_lives() {
    let world = World::over(FakeNode::impatient(), Limits::default());
    let mut events = open(&world, "?from=1", None);
    let comment = block_on(events.next()).expect("a comment");
    assert!(comment.starts_with(':'), "{comment:?}");
}
