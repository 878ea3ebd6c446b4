//! A lean HTTP/1.1 client (RFC 9112) for nodes on trusted links: keep-alive, no pipelining, no TLS, every part of an
//! answer bounded. It reads and writes in the caller's task: no task and no channel per connection.

mod body;
mod connection;
mod head;
mod pool;

pub(crate) use self::{
    body::Body,
    pool::{Node, Streaming},
};

use bytes::Bytes;
use std::io;

/// Why an exchange with a node failed.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No connection.
    #[error("cannot connect")]
    Connect(#[source] io::Error),
    /// The connection broke.
    #[error("the connection broke")]
    Broken(#[source] io::Error),
    /// The node closed the connection before the answer was complete.
    #[error("the node closed the connection")]
    Closed,
    /// The answer is not HTTP/1.1 as it should be.
    #[error("the answer is not proper HTTP: {0}")]
    Malformed(&'static str),
    /// A part of the answer exceeds its maximum.
    #[error("the answer is too large: more than {0} bytes")]
    TooLarge(usize),
    /// The answer did not come in time.
    #[error("no answer in time")]
    TimedOut,
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Path and query.
    pub(crate) path: String,
    /// A body makes it a POST.
    pub(crate) body: Option<Bytes>,
    /// Value of `Last-Event-ID`.
    pub(crate) last_event: Option<u64>,
}

impl Request {
    pub(crate) fn get(path: String) -> Self {
        Self {
            path,
            body: None,
            last_event: None,
        }
    }

    pub(crate) fn post(path: String, body: Bytes) -> Self {
        Self {
            body: Some(body),
            ..Self::get(path)
        }
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}
