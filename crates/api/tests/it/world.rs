//! A router and requests to it, without sockets and without a runtime.

use axum::{Router, body::Body, http::Request};
use bytes::Bytes;
use futures::executor::block_on;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;
use yulian_api::{limits::Limits, router, testing::FakeNode};
use yulian_crypto::{Digest, sm3};

pub(crate) struct World {
    pub(crate) node: FakeNode,
    pub(crate) router: Router,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) request_id: String,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    /// Code of an error.
    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().expect("code").to_string()
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::over(FakeNode::without_clock(), Limits::default())
    }

    pub(crate) fn over(node: FakeNode, limits: Limits) -> Self {
        let router = router(node.clone(), limits);
        Self { node, router }
    }

    /// A signed deposit of a digest that the number makes.
    pub(crate) fn deposit(&self, number: u32) -> Bytes {
        self.node
            .chain
            .with(|chain| chain.deposit(5, &digest(number), "郑州市政务数据目录"))
    }

    pub(crate) fn send(&self, request: Request<Body>) -> Answer {
        block_on(async {
            let response = self.router.clone().oneshot(request).await.expect("infallible");
            let header = |name: &str| {
                let value = response.headers().get(name)?;
                Some(value.to_str().expect("ascii").to_string())
            };
            Answer {
                status: response.status().as_u16(),
                kind: header("content-type").unwrap_or_default(),
                request_id: header("x-request-id").expect("every answer has a request id"),
                retry_after: header("retry-after"),
                body: response.into_body().collect().await.expect("body").to_bytes(),
            }
        })
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).expect("request"))
    }

    pub(crate) fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send(Request::post(path).body(body.into()).expect("request"))
    }
}

pub(crate) fn digest(number: u32) -> Digest {
    sm3::hash(&[&number.to_be_bytes()])
}
