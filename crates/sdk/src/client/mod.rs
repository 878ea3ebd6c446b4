//! The client: several nodes, one of them at a time.

mod calls;
mod chain;
mod follow;
mod joins;
mod sse;
mod submit;

pub use self::{
    calls::Page,
    chain::Chain,
    follow::Follow,
    submit::{Patience, succeeded},
};

pub(crate) use self::chain::now_ms;

use crate::{
    error::SdkError,
    http::{Answer, HttpError, Node, Request, Streaming},
    limits::NODES_MAX,
    url::NodeUrl,
};
use serde::de::DeserializeOwned;
use std::{
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use yulian_api::{
    ErrorBody,
    limits::WAIT_DEFAULT,
    views::{Health, NodeStatus, Readiness},
};

/// Times of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Longest time from the first byte sent to the last byte of the answer, apart from a wait that was asked for.
    pub request_timeout: Duration,
    /// How long one submission waits at a node for its result before it is asked again.
    pub wait: Duration,
    /// A stream that is silent for longer is opened anew. Nodes send a comment every 15 s.
    pub stream_silence: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(10),
            wait: WAIT_DEFAULT,
            stream_silence: Duration::from_secs(45),
        }
    }
}

/// A client of one or more nodes. It stays with one node as long as that answers, so that it reads what it wrote, and
/// goes on to the next when it does not. Clones share connections and the choice of node.
#[derive(Clone)]
pub struct Client {
    nodes: Arc<Vec<Arc<Node>>>,
    current: Arc<AtomicUsize>,
    options: Options,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let urls: Vec<_> = self.nodes.iter().map(|node| node.url.to_string()).collect();
        f.debug_struct("Client").field("nodes", &urls).finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the nodes at these addresses (`http://host:port`), beginning with the first. Nothing is sent yet.
    ///
    /// # Errors
    /// [`SdkError::Url`], [`SdkError::Nodes`].
    pub fn new<I>(urls: I, options: Options) -> Result<Self, SdkError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let urls: Result<Vec<NodeUrl>, _> = urls.into_iter().map(|url| url.as_ref().parse()).collect();
        let nodes: Vec<_> = urls?.into_iter().map(|url| Arc::new(Node::new(url))).collect();
        if nodes.is_empty() || nodes.len() > NODES_MAX {
            return Err(SdkError::Nodes(nodes.len()));
        }
        Ok(Self {
            nodes: Arc::new(nodes),
            current: Arc::default(),
            options,
        })
    }

    /// The same nodes and connections, with a choice of its own that begins with node `index` (modulo their number).
    #[must_use]
    pub fn beginning_with(&self, index: usize) -> Self {
        Self {
            current: Arc::new(AtomicUsize::new(index % self.nodes.len())),
            ..self.clone()
        }
    }

    /// A client of node `index` alone (modulo their number).
    #[must_use]
    pub fn only(&self, index: usize) -> Self {
        let node = self.nodes[index % self.nodes.len()].clone();
        Self {
            nodes: Arc::new(vec![node]),
            current: Arc::default(),
            options: self.options,
        }
    }

    /// Which node is asked first now.
    pub fn current(&self) -> usize {
        self.current.load(Ordering::Relaxed)
    }

    /// From now on begins with node `index` (modulo their number), as do all that share the choice of node.
    pub fn choose(&self, index: usize) {
        self.current.store(index % self.nodes.len(), Ordering::Relaxed);
    }

    /// Addresses of the nodes.
    pub fn urls(&self) -> impl Iterator<Item = &NodeUrl> {
        self.nodes.iter().map(|node| &node.url)
    }

    /// The times of the client.
    pub fn options(&self) -> Options {
        self.options
    }

    /// A chain by its name, its genesis digest in hexadecimal, or `default`. Asks for its rules and compares clocks.
    ///
    /// # Errors
    /// As for every request; [`SdkError::OtherChain`] when a digest was given and the node answers for another.
    pub async fn chain(&self, chain: &str) -> Result<Chain, SdkError> {
        Chain::open(self.clone(), chain).await
    }

    /// The node and its chains.
    ///
    /// # Errors
    /// As for every request: [`SdkError::Node`], [`SdkError::Refused`], [`SdkError::Answer`].
    pub async fn status(&self) -> Result<NodeStatus, SdkError> {
        self.get("/v1/status".into()).await
    }

    /// Prometheus text.
    ///
    /// # Errors
    /// As for every request.
    pub async fn metrics(&self) -> Result<String, SdkError> {
        let answer = self
            .fetch(&Request::get("/metrics".into()), self.options.request_timeout)
            .await?;
        Ok(String::from_utf8_lossy(&answer.body).into_owned())
    }

    /// Whether the current node's process is alive; a node that says no is an answer too.
    ///
    /// # Errors
    /// As for every request, without going on to another node.
    pub async fn health(&self) -> Result<Health, SdkError> {
        self.judge("/healthz").await
    }

    /// Whether the current node takes transactions; a node that says no is an answer too.
    ///
    /// # Errors
    /// As for every request, without going on to another node.
    pub async fn readiness(&self) -> Result<Readiness, SdkError> {
        self.judge("/readyz").await
    }

    async fn judge<T: DeserializeOwned>(&self, path: &str) -> Result<T, SdkError> {
        let node = self.node();
        let request = Request::get(path.into());
        let answer = node.request(&request, self.options.request_timeout).await;
        let answer = answer.map_err(|source| at(node, source))?;
        match answer.status {
            200 | 503 => decode(path, &answer),
            _ => Err(refusal(path, &answer)),
        }
    }

    /// Reads JSON.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: String) -> Result<T, SdkError> {
        let request = Request::get(path);
        let answer = self.fetch(&request, self.options.request_timeout).await?;
        decode(&request.path, &answer)
    }

    /// Sends a request, to further nodes if one fails; answers with success only.
    pub(crate) async fn fetch(&self, request: &Request, limit: Duration) -> Result<Answer, SdkError> {
        self.any_node(|node| async move {
            let answer = node.request(request, limit).await.map_err(|source| at(&node, source))?;
            match answer.status {
                200..=299 => Ok(answer),
                _ => Err(refusal(&request.path, &answer)),
            }
        })
        .await
    }

    /// Opens a stream, at further nodes if one fails.
    pub(crate) async fn open(&self, request: &Request) -> Result<Streaming, SdkError> {
        let limit = self.options.request_timeout;
        self.any_node(|node| async move {
            let streaming = node.stream(request, limit).await.map_err(|source| at(&node, source))?;
            if streaming.status == 200 {
                return Ok(streaming);
            }
            let answer = streaming.collect(limit).await.map_err(|source| at(&node, source))?;
            Err(refusal(&request.path, &answer))
        })
        .await
    }

    /// Tries each node once, beginning with the current one, until an answer or an error that others would give too.
    async fn any_node<T, F>(&self, attempt: impl Fn(Arc<Node>) -> F) -> Result<T, SdkError>
    where
        F: Future<Output = Result<T, SdkError>>,
    {
        let mut tried = 1;
        loop {
            let index = self.current.load(Ordering::Relaxed);
            match attempt(self.nodes[index].clone()).await {
                Err(error) if error.may_pass() => {
                    self.leave(index);
                    if tried == self.nodes.len() {
                        return Err(error);
                    }
                    tried += 1;
                }
                other => return other,
            }
        }
    }

    fn node(&self) -> &Node {
        &self.nodes[self.current.load(Ordering::Relaxed)]
    }

    /// Goes on to the next node, unless another request has done so already.
    pub(crate) fn leave(&self, index: usize) {
        let next = (index + 1) % self.nodes.len();
        let _ = self
            .current
            .compare_exchange(index, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    pub(crate) fn leave_current(&self) {
        self.leave(self.current.load(Ordering::Relaxed));
    }
}

fn at(node: &Node, source: HttpError) -> SdkError {
    let url = node.url.to_string();
    SdkError::Node { url, source }
}

pub(crate) fn decode<T: DeserializeOwned>(path: &str, answer: &Answer) -> Result<T, SdkError> {
    serde_json::from_slice(&answer.body).map_err(|error| SdkError::Answer {
        path: path.into(),
        status: answer.status,
        reason: error.to_string(),
    })
}

fn refusal(path: &str, answer: &Answer) -> SdkError {
    let status = answer.status;
    match decode::<ErrorBody>(path, answer) {
        Ok(error) => SdkError::Refused {
            status,
            error: Box::new(error),
        },
        Err(error) => error,
    }
}
