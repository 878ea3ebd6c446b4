//! The HTTP server: an adapter around the generic core.
//!
//! Connections are bounded in number, a connection that sends no request in time is closed, and so are all of them
//! when the node stops.

use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Semaphore};
use yulian_api::{Service, limits::Limits, router};

/// Most open connections; more wait to be accepted.
pub const CONNECTIONS_MAX: usize = 2_048;
/// A connection that has not sent the head of a request for this long is closed.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// Pause after the system refused to accept a connection (too many open files).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Takes an address. Port 0 is any free port.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves until `stop` resolves.
pub async fn serve<S: Service>(listener: &TcpListener, service: S, stop: impl Future<Output = ()>) {
    let router = TowerToHyperService::new(router(service, Limits::default()));
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = tokio::task::JoinSet::new();
    tokio::pin!(stop);
    loop {
        let next = async {
            let permit = permits.clone().acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            _ = &mut stop => break,
            next = next => next,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, _)) => {
                let router = router.clone();
                connections.spawn(async move {
                    // Small answers must not wait for more bytes; a socket that refuses is about to close.
                    let _ = stream.set_nodelay(true);
                    let mut http = http1::Builder::new();
                    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
                    let ended = http.serve_connection(TokioIo::new(stream), router).await;
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection ended early");
                    }
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    connections.shutdown().await;
}
