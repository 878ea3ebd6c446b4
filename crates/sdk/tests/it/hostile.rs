//! Nodes that answer nonsense, too much, or never.

use crate::world::{Running, chain, listen, node, serve};
use axum::{
    extract::Request,
    middleware::{Next, from_fn},
    response::IntoResponse,
};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use yulian_api::{limits::Limits, router};
use yulian_sdk::{Client, HttpError, Options, SdkError, views::StreamDetail};

/// Answers every connection with these bytes and closes it.
async fn says(bytes: &'static [u8]) -> (String, Running) {
    let (listener, url) = listen().await;
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(bytes).await;
        }
    });
    (url, Running::new(task))
}

async fn failure(bytes: &'static [u8]) -> SdkError {
    let (url, _running) = says(bytes).await;
    let client = Client::new([url], Options::default()).expect("client");
    client.status().await.expect_err("nonsense")
}

#[tokio::test]
async fn nonsense_is_an_error() {
    for bytes in [
        &b""[..],
        b"\x16\x03\x01",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ] {
        let error = failure(bytes).await;
        assert!(matches!(error, SdkError::Node { .. }), "{error}");
    }
    for bytes in [
        &b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"[..],
        b"HTTP/1.1 200 OK\r\n\r\nhello",
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\ngone",
        b"HTTP/1.1 301 Moved\r\nlocation: http://elsewhere/\r\ncontent-length: 0\r\n\r\n",
    ] {
        let error = failure(bytes).await;
        assert!(matches!(error, SdkError::Answer { .. }), "{error}");
    }
}

#[tokio::test]
async fn too_much_is_an_error_before_it_is_read() {
    let error = failure(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n").await;
    assert!(
        matches!(
            error,
            SdkError::Node {
                source: HttpError::TooLarge(_),
                ..
            }
        ),
        "{error}"
    );
    let head: &'static [u8] = Box::leak(
        [b"HTTP/1.1 200 OK\r\nx: ", &vec![b'x'; 64 * 1024][..]]
            .concat()
            .into_boxed_slice(),
    );
    let error = failure(head).await;
    assert!(
        matches!(
            error,
            SdkError::Node {
                source: HttpError::TooLarge(_),
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_node_that_never_answers_is_passed_over() {
    let (silent, url) = listen().await;
    let server = serve(node()).await;
    let options = Options {
        request_timeout: Duration::from_millis(50),
        ..Options::default()
    };
    let client = Client::new([&url, &server.url], options).expect("client");
    assert!(client.status().await.is_ok());
    let alone = Client::new([&url], options).expect("client");
    let error = alone.status().await.expect_err("silence");
    assert!(
        matches!(
            error,
            SdkError::Node {
                source: HttpError::TimedOut,
                ..
            }
        ),
        "{error}"
    );
    drop(silent);
}

#[tokio::test]
async fn a_connection_that_the_node_closed_meanwhile_is_replaced() {
    let (url, _running) =
        says(b"HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\n{\"healthy\":true,\"problems\":[]}").await;
    let client = Client::new([url], Options::default()).expect("client");
    for _ in 0..3 {
        assert!(client.health().await.expect("health").healthy);
    }
}

/// Begins a stream of events and says nothing more.
async fn begins_a_stream() -> (String, Running) {
    let (listener, url) = listen().await;
    let task = tokio::spawn(async move {
        let mut open = vec![];
        while let Ok((mut stream, _)) = listener.accept().await {
            let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
            let _ = stream.write_all(head).await;
            open.push(stream);
        }
    });
    (url, Running::new(task))
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_opened_elsewhere() {
    let (url, _running) = begins_a_stream().await;
    let server = serve(node()).await;
    let options = Options {
        request_timeout: Duration::from_millis(500),
        stream_silence: Duration::from_millis(30),
        ..Options::default()
    };
    let chain = crate::world::chain_with(&[&server.url, &url], options).await;
    let mut follow = chain.beginning_with(1).follow(0, StreamDetail::Header);
    assert_eq!(follow.next().await.expect("open").expect("block").header.height, 0);
}

#[tokio::test]
async fn a_history_without_end_is_an_error() {
    let (listener, url) = listen().await;
    let endless = async |request: Request, next: Next| match request.uri().path().ends_with("/validator-history") {
        true => r#"{"items":[],"next":"1"}"#.into_response(),
        false => next.run(request).await,
    };
    let app = router(node(), Limits::default()).layer(from_fn(endless));
    let _running = Running::new(tokio::spawn(async move {
        axum::serve(listener, app).await.expect("server");
    }));
    let error = chain(&[&url]).await.validators_since(7).await.expect_err("no end");
    assert!(matches!(error, SdkError::Answer { .. }), "{error}");
}
