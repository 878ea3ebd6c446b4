//! Nodes behind sockets, and a cable that can be cut.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};
use yulian_api::{limits::Limits, router, testing::FakeNode};
use yulian_crypto::{Digest, sm3};
use yulian_light::testing::secret;
use yulian_sdk::{Account, Chain, Client, Options};

/// A task that ends with the test.
pub(crate) struct Running(JoinHandle<()>);

impl Running {
    pub(crate) fn new(task: JoinHandle<()>) -> Self {
        Self(task)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(crate) struct Server {
    pub(crate) node: FakeNode,
    pub(crate) url: String,
    _task: Running,
}

pub(crate) fn node() -> FakeNode {
    FakeNode::new(Arc::new(|duration| Box::pin(tokio::time::sleep(duration))))
}

pub(crate) async fn serve(node: FakeNode) -> Server {
    let (listener, url) = listen().await;
    let app = router(node.clone(), Limits::default());
    let task = tokio::spawn(async move { axum::serve(listener, app).await.expect("server") });
    Server {
        node,
        url,
        _task: Running(task),
    }
}

pub(crate) async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let url = format!("http://{}", listener.local_addr().expect("address"));
    (listener, url)
}

/// An address where nobody listens.
pub(crate) async fn nobody() -> String {
    listen().await.1
}

/// A way to a server; dropping it cuts every connection.
pub(crate) struct Cable {
    pub(crate) url: String,
    connections: Arc<AtomicUsize>,
    _task: Running,
}

impl Cable {
    pub(crate) async fn to(server: &Server) -> Self {
        let (listener, url) = listen().await;
        let target = server.url.trim_start_matches("http://").to_string();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = connections.clone();
        let task = tokio::spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::Relaxed);
                let mut far = TcpStream::connect(&target).await.expect("server");
                open.spawn(async move {
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
        Self {
            url,
            connections,
            _task: Running(task),
        }
    }

    /// Connections that went over it.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

pub(crate) async fn chain(urls: &[&str]) -> Chain {
    chain_with(urls, Options::default()).await
}

pub(crate) async fn chain_with(urls: &[&str], options: Options) -> Chain {
    let client = Client::new(urls, options).expect("client");
    client.chain("default").await.expect("chain")
}

/// The writer of the last organisation.
pub(crate) fn account() -> Account {
    Account::of_first_key(secret(105))
}

pub(crate) fn digest(number: u32) -> Digest {
    sm3::hash(&[&number.to_be_bytes()])
}

/// Lets other tasks run until something holds.
pub(crate) async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::task::yield_now().await;
    }
}
