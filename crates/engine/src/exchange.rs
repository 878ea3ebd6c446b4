//! The snapshot channel of a chain: requests to single members, and their answers.
//!
//! A node that joins asks before its chain runs, so it holds the channel itself ([`Exchange`]); once the chain runs, the
//! channel is the chain's, and requests go to the application.

use crate::{
    api::{Application, EXCHANGE_BYTES_MAX},
    host::{ChainReceiver, ChainSender},
    keys::EngineKey,
    runtime::Env,
};
use bytes::Bytes;
use commonware_p2p::{Receiver as _, Recipients, Sender};
use futures::{FutureExt, future::BoxFuture};
use std::fmt;
use yulian_crypto::sm2::PublicKey;

/// Messages to and from members of a chain that does not run on this node yet. Dropping it lets the chain start.
pub struct Exchange(Box<dyn Channel>);

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exchange")
    }
}

impl Exchange {
    pub(crate) fn new<E: Env, S: Sender<PublicKey = EngineKey>>(
        sender: ChainSender<S>,
        receiver: ChainReceiver<E>,
    ) -> Self {
        Self(Box::new((sender, receiver)))
    }

    /// Sends at most [`EXCHANGE_BYTES_MAX`] bytes to a member; lost where there is no connection, and beyond the channel's rate.
    pub fn send(&mut self, to: &PublicKey, message: Bytes) {
        self.0.send(to, message);
    }

    /// The next message of a member; `None` when the network has ended. Nothing is lost if the future is dropped.
    pub fn receive(&mut self) -> impl Future<Output = Option<(PublicKey, Bytes)>> + Send + '_ {
        self.0.receive()
    }
}

trait Channel: Send {
    fn send(&mut self, to: &PublicKey, message: Bytes);
    fn receive(&mut self) -> BoxFuture<'_, Option<(PublicKey, Bytes)>>;
}

impl<E: Env, S: Sender<PublicKey = EngineKey>> Channel for (ChainSender<S>, ChainReceiver<E>) {
    fn send(&mut self, to: &PublicKey, message: Bytes) {
        if message.len() <= EXCHANGE_BYTES_MAX {
            self.0.send(Recipients::One(to.into()), message, false);
        }
    }

    fn receive(&mut self) -> BoxFuture<'_, Option<(PublicKey, Bytes)>> {
        let next = async {
            self.1
                .recv()
                .await
                .ok()
                .map(|(from, message)| (from.to_sm2(), message.into()))
        };
        next.boxed()
    }
}

/// Brings the requests of members to the application, one at a time, and sends its answers.
pub(crate) fn serve<E: Env, S: Sender<PublicKey = EngineKey>, A: Application>(
    context: &E,
    application: A,
    sender: ChainSender<S>,
    receiver: ChainReceiver<E>,
) {
    let mut exchange = Exchange::new(sender, receiver);
    context.child("snapshots").spawn(move |_| async move {
        while let Some((from, request)) = exchange.receive().await {
            if let Some(answer) = application.asked(from, request).await {
                exchange.send(&from, answer);
            }
        }
    });
}
