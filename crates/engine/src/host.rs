//! One node on the peer network: the shared channels, and the chains that run over them.

use crate::{
    api::{Application, Archive, ChainConfig, Fatal, Peer},
    chain::{self, ChainHandle, Parts},
    exchange::Exchange,
    keys::{EngineKey, NodeSigner},
    members::{MemberReceiver, MemberSender, Members},
    runtime::{Context, Env},
};
use commonware_cryptography::Signer as _;
use commonware_p2p::{
    Receiver, Sender,
    utils::mux::{MuxHandle, Muxer, SubReceiver, SubSender},
};
use commonware_runtime::{Quota, buffer::paged::CacheRef};
use commonware_utils::{NZU16, NZU32, NZUsize};
use futures::lock::Mutex;
use std::{collections::BTreeSet, fmt, sync::Arc};
use yulian_crypto::sm2::PublicKey;
use yulian_types::Digest;

/// Channels of the peer network, registered from the first version on: adding one later would cut old nodes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Channel {
    Votes = 0,
    Certificates = 1,
    Resolver = 2,
    Blocks = 3,
    Backfill = 4,
    Transactions = 5,
    Snapshots = 6,
    Announcements = 7,
}

impl Channel {
    pub(crate) const ALL: [Self; 8] = [
        Self::Votes,
        Self::Certificates,
        Self::Resolver,
        Self::Blocks,
        Self::Backfill,
        Self::Transactions,
        Self::Snapshots,
        Self::Announcements,
    ];

    /// Messages per second and peer. A queue of this many messages for each peer may fill per chain, so the
    /// figures are as small as a busy chain allows: 50 views/s at 2 to 4 messages a view.
    pub(crate) fn quota(self) -> Quota {
        match self {
            Self::Votes | Self::Certificates | Self::Transactions => Quota::per_second(NZU32!(256)),
            Self::Resolver | Self::Blocks | Self::Backfill => Quota::per_second(NZU32!(128)),
            Self::Snapshots => Quota::per_second(NZU32!(EXCHANGE_MESSAGES_PER_SECOND)),
            Self::Announcements => Quota::per_second(NZU32!(16)),
        }
    }
}

/// Messages per second that a member may send another on the snapshot channel. Those beyond are lost.
pub const EXCHANGE_MESSAGES_PER_SECOND: u32 = 128;

/// Which peers the node keeps connections to. One union over all its chains.
pub trait Net: Clone + Send + Sync + 'static {
    /// The chain's validators and every node that takes part, with addresses.
    fn update(&self, chain: Digest, validators: Vec<PublicKey>, peers: Vec<Peer>);

    /// Those that are connected now.
    fn connected(&self) -> BTreeSet<EngineKey>;
}

/// A node on the peer network; chains are started on it at run time.
pub struct Host<E: Env, S: Sender<PublicKey = EngineKey>, N: Net> {
    context: Context<E>,
    signer: NodeSigner,
    net: N,
    pages: CacheRef,
    muxes: Mutex<Vec<MuxHandle<S>>>,
}

impl<E: Env, S: Sender<PublicKey = EngineKey>, N: Net> fmt::Debug for Host<E, S, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Host")
    }
}

/// A chain's place on the shared channels.
fn sub_channel(chain_id: &Digest) -> u64 {
    chain_id.0[..8]
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

pub(crate) type ChainSender<S> = MemberSender<SubSender<S>>;
pub(crate) type ChainReceiver<E> = MemberReceiver<E, SubReceiver<EngineKey>>;

impl<E: Env, S: Sender<PublicKey = EngineKey>, N: Net> Host<E, S, N> {
    /// Takes over the network's channels, in the order of [`Channel::ALL`].
    pub(crate) fn new<R: Receiver<PublicKey = EngineKey>>(
        context: Context<E>,
        signer: NodeSigner,
        net: N,
        channels: Vec<(S, R)>,
    ) -> Self {
        let pages = CacheRef::new(NZU16!(4084), NZUsize!(1024));
        let mut muxes = Vec::new();
        for (sender, receiver) in channels {
            let (mux, handle) = Muxer::new(context.child("mux"), sender, receiver);
            mux.start();
            muxes.push(handle);
        }
        Self {
            context,
            signer,
            net,
            pages,
            muxes: Mutex::new(muxes),
        }
    }

    /// A chain's channel without the rules of membership, for simulated misbehaviour.
    pub(crate) async fn raw_channel(
        &self,
        channel: Channel,
        chain_id: Digest,
    ) -> Result<(SubSender<S>, SubReceiver<EngineKey>), Fatal> {
        let mut muxes = self.muxes.lock().await;
        let registered = muxes[channel as usize].register(sub_channel(&chain_id)).await;
        registered.map_err(|error| Fatal(format!("channel {channel:?}: {error}")))
    }

    async fn channel(
        &self,
        channel: Channel,
        chain_id: Digest,
        members: &Members,
        clock: &Arc<E>,
    ) -> Result<(ChainSender<S>, ChainReceiver<E>), Fatal> {
        let registered = self.muxes.lock().await[channel as usize]
            .register(sub_channel(&chain_id))
            .await;
        let (sender, receiver) =
            registered.map_err(|error| Fatal(format!("chain {chain_id} cannot be started twice: {error}")))?;
        let sender = MemberSender::new(sender, members.clone());
        let receiver = MemberReceiver::new(receiver, members.clone(), clock.clone());
        Ok((sender, receiver))
    }

    /// Connects to the members of a chain that does not run here yet, as far as genesis and settings tell who they are. What is
    /// returned must be dropped before the chain starts.
    pub async fn exchange(
        &self,
        chain_id: Digest,
        validators: Vec<PublicKey>,
        peers: Vec<Peer>,
    ) -> Result<Exchange, Fatal> {
        let members = Members::new(self.signer.public_key());
        members.set(&validators, peers.iter().map(|peer| &peer.key));
        let clock = Arc::new(self.context.child("members"));
        let (sender, receiver) = self.channel(Channel::Snapshots, chain_id, &members, &clock).await?;
        self.net.update(chain_id, validators, peers);
        Ok(Exchange::new(sender, receiver))
    }

    /// Starts a chain. It runs until the handle's `stop` or the end of the host's context.
    pub async fn start_chain<A: Application, V: Archive>(
        &self,
        config: ChainConfig,
        application: A,
        archive: V,
    ) -> Result<ChainHandle, Fatal> {
        let members = Members::new(self.signer.public_key());
        let clock = Arc::new(self.context.child("members"));
        let mut channels = Vec::new();
        for channel in &Channel::ALL[..=Channel::Snapshots as usize] {
            channels.push(self.channel(*channel, config.chain_id, &members, &clock).await?);
        }
        let parts = Parts {
            context: self
                .context
                .child("chain")
                .with_attribute("id", &config.chain_id.to_string()[..16]),
            clock,
            members,
            net: self.net.clone(),
            signer: self.signer.clone(),
            pages: self.pages.clone(),
        };
        chain::start(parts, config, application, archive, channels).await
    }
}
