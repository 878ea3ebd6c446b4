//! A node and the connections to it.

use super::{Answer, Body, HttpError, Request, connection::Connection, head::Head};
use crate::{
    limits::{ANSWER_BYTES_MAX, IDLE_CONNECTIONS_MAX},
    url::NodeUrl,
};
use bytes::Bytes;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::timeout;

/// A node with its idle connections.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) url: NodeUrl,
    idle: Mutex<Vec<Connection>>,
}

/// An answer whose body is still coming.
#[derive(Debug)]
pub(crate) struct Streaming {
    pub(crate) status: u16,
    connection: Connection,
    body: Body,
}

impl Node {
    pub(crate) fn new(url: NodeUrl) -> Self {
        let idle = Mutex::new(Vec::new());
        Self { url, idle }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        // Nothing under this lock can panic half-way.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn request(&self, request: &Request, limit: Duration) -> Result<Answer, HttpError> {
        timeout(limit, self.exchange(request))
            .await
            .map_err(|_| HttpError::TimedOut)?
    }

    async fn exchange(&self, request: &Request) -> Result<Answer, HttpError> {
        let (head, mut connection) = self.begin(request).await?;
        let body = Body::new(head.framing)
            .collect(&mut connection, ANSWER_BYTES_MAX)
            .await?;
        if head.keep && connection.buffer.is_empty() {
            self.put_back(connection);
        }
        let status = head.status;
        Ok(Answer { status, body })
    }

    /// Sends a request and returns as soon as the answer begins; `limit` is for that.
    pub(crate) async fn stream(&self, request: &Request, limit: Duration) -> Result<Streaming, HttpError> {
        let begin = timeout(limit, self.begin(request))
            .await
            .map_err(|_| HttpError::TimedOut)?;
        let (head, connection) = begin?;
        Ok(Streaming {
            status: head.status,
            connection,
            body: Body::new(head.framing),
        })
    }

    /// A connection that was idle may have been closed by the node; then the request goes over a new one. All
    /// requests may be sent twice: reads have no effect, and a transaction has one effect however often it is sent.
    async fn begin(&self, request: &Request) -> Result<(Head, Connection), HttpError> {
        let idle = self.idle().pop();
        if let Some(mut connection) = idle {
            match connection.exchange(&self.url, request).await {
                Ok(head) => return Ok((head, connection)),
                Err(HttpError::Closed | HttpError::Broken(_)) if connection.buffer.is_empty() => self.idle().clear(),
                Err(error) => return Err(error),
            }
        }
        let mut connection = Connection::open(&self.url).await?;
        let head = connection.exchange(&self.url, request).await?;
        Ok((head, connection))
    }

    fn put_back(&self, connection: Connection) {
        let mut idle = self.idle();
        if idle.len() < IDLE_CONNECTIONS_MAX {
            idle.push(connection);
        }
    }
}

impl Streaming {
    /// The next piece of the body within `limit`, or `None` at its end.
    pub(crate) async fn next(&mut self, limit: Duration) -> Result<Option<Bytes>, HttpError> {
        let piece = self.body.next(&mut self.connection);
        timeout(limit, piece).await.map_err(|_| HttpError::TimedOut)?
    }

    /// The whole rest of a body that is not a stream.
    pub(crate) async fn collect(mut self, limit: Duration) -> Result<Answer, HttpError> {
        let body = self.body.collect(&mut self.connection, ANSWER_BYTES_MAX);
        let body = timeout(limit, body).await.map_err(|_| HttpError::TimedOut)??;
        let status = self.status;
        Ok(Answer { status, body })
    }
}
