//! A node on the operating system: tokio runtime, TCP, SM2 handshakes and SM4-GCM links.

use crate::{
    api::{EXCHANGE_BYTES_MAX, Fatal, Peer},
    block::{BlockCodec, EngineBlock},
    chain::MESSAGE_BYTES_MAX,
    host::{Channel, Host, Net},
    keys::{EngineDigest, EngineKey, LinkCipher, NodeSigner},
    runtime::Context,
    scheme::Sm2Scheme,
};
use commonware_consensus::{
    marshal::{self, standard::Standard},
    simplex,
};
use commonware_p2p::{
    Address, AddressableManager as _, AddressableTrackedPeers, Ingress,
    authenticated::lookup::{self, Sender},
    max_message_size,
    utils::mux,
};
use commonware_runtime::{Clock as _, Metrics as _, Quota, Runner as _, Supervisor as _, tokio};
use commonware_stream::{
    cups::{self, Cups},
    sake::{self, Sake},
};
use commonware_utils::{NZU32, NZUsize, ordered::Map};
use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    net::SocketAddr,
    num::NonZeroUsize,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use yulian_crypto::sm2::PublicKey;
use yulian_types::{BlockLimits, Digest, NothingKnown, limits::VALIDATORS_MAX};

/// Difference of clocks that a handshake tolerates. Nodes further apart cannot connect.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(15);
/// Age at which a handshake message is refused; must cover the tolerated difference of clocks.
const HANDSHAKE_AGE_MAX: Duration = Duration::from_secs(30);
/// Peers of one node, over all its chains. Validators come first; further nodes are left out and named in the log.
pub const PEERS_MAX: NonZeroUsize = NZUsize!(64);

// Every validator of a set must be able to reach every other.
const _: () = assert!(PEERS_MAX.get() >= VALIDATORS_MAX);

/// How old an answer about connections may be: looking takes a millisecond for each chain that the node hosts.
const CONNECTED_AGE_MAX: Duration = Duration::from_millis(500);

/// The production runtime.
pub type TcpContext = Context<tokio::Context>;
/// The production host.
pub type TcpHost = Host<tokio::Context, Sender<EngineKey, tokio::Context>, TcpNet>;

/// Where a node listens and keeps the engine's files.
#[derive(Debug, Clone)]
pub struct TcpConfig {
    /// Address of the peer network.
    pub listen: SocketAddr,
    /// Folder of the engine's journals.
    pub directory: PathBuf,
    /// Names the network: nodes of different networks never connect. The digest of the system chain's genesis.
    pub network_id: Digest,
    /// Threads of the runtime.
    pub worker_threads: usize,
}

/// Peers of a node over TCP: one union over its chains.
#[derive(Clone)]
pub struct TcpNet {
    oracle: lookup::Oracle<EngineKey>,
    me: EngineKey,
    own_address: Address,
    book: Arc<Mutex<Book>>,
    metrics: Arc<dyn Fn() -> String + Send + Sync>,
    clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    /// Who was connected when it was last looked at. All chains share the answer.
    seen: Arc<Mutex<Option<Seen>>>,
}

/// When it was looked, and who was connected then.
type Seen = (SystemTime, BTreeSet<EngineKey>);

impl std::fmt::Debug for TcpNet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TcpNet")
    }
}

#[derive(Default)]
struct Book {
    next_id: u64,
    chains: BTreeMap<Digest, (Vec<PublicKey>, Vec<Peer>)>,
    tracked: (BTreeSet<EngineKey>, BTreeMap<EngineKey, String>),
}

/// "host:port" as the network wants it: an IP address as such, a name to be resolved at each dial.
fn address(text: &str) -> Option<Address> {
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return Some(Address::Symmetric(socket));
    }
    let (host, port) = text.rsplit_once(':')?;
    let port: u16 = port.parse().ok()?;
    // The address that connections come from is not checked (`bypass_ip_check`): peers are known by their keys.
    let egress = SocketAddr::from(([0, 0, 0, 0], port));
    let host = commonware_utils::Hostname::new(host).ok()?;
    Some(Address::Asymmetric {
        ingress: Ingress::Dns { host, port },
        egress,
    })
}

impl Net for TcpNet {
    fn update(&self, chain: Digest, validators: Vec<PublicKey>, peers: Vec<Peer>) {
        let mut book = self.book.lock().expect("book");
        if validators.is_empty() && peers.is_empty() {
            book.chains.remove(&chain);
        } else {
            book.chains.insert(chain, (validators, peers));
        }
        let primary: BTreeSet<EngineKey> = book.chains.values().flat_map(|(v, _)| v).map(EngineKey::from).collect();
        let mut addresses: BTreeMap<EngineKey, String> = BTreeMap::new();
        for peer in book.chains.values().flat_map(|(_, peers)| peers) {
            addresses.insert(EngineKey::from(&peer.key), peer.address.clone());
        }
        if book.tracked == (primary.clone(), addresses.clone()) {
            return;
        }
        let mut order: Vec<(&EngineKey, &String)> = addresses.iter().collect();
        order.sort_by_key(|(key, _)| !primary.contains(*key));
        if order.len() > PEERS_MAX.get() {
            tracing::warn!(
                nodes = order.len(),
                most = PEERS_MAX,
                "more nodes than a node connects to; some are left out"
            );
        }
        let located: BTreeMap<EngineKey, Address> = order
            .into_iter()
            .take(PEERS_MAX.get())
            .filter_map(|(key, text)| match address(text) {
                _ if *key == self.me => Some((key.clone(), self.own_address.clone())),
                Some(address) => Some((key.clone(), address)),
                None => {
                    tracing::warn!(%key, address = %text, "a node's address is not usable: expected host:port");
                    None
                }
            })
            .collect();
        let pick = |of_set: bool| -> Map<EngineKey, Address> {
            let chosen = located.iter().filter(|(key, _)| primary.contains(*key) == of_set);
            Map::from_iter_dedup(chosen.map(|(key, address)| (key.clone(), address.clone())))
        };
        let mut oracle = self.oracle.clone();
        oracle.track(book.next_id, AddressableTrackedPeers::new(pick(true), pick(false)));
        oracle.overwrite(Map::from_iter_dedup(located.clone()));
        book.next_id += 1;
        book.tracked = (primary, addresses);
    }

    fn connected(&self) -> BTreeSet<EngineKey> {
        let now = (self.clock)();
        let mut seen = self.seen.lock().expect("connections");
        match &*seen {
            Some((at, peers)) if now.duration_since(*at).is_ok_and(|age| age < CONNECTED_AGE_MAX) => peers.clone(),
            _ => {
                let peers = connected_in(&(self.metrics)());
                *seen = Some((now, peers.clone()));
                peers
            }
        }
    }
}

/// The library tells who is connected in its metrics only: a line for each peer, with its key as a label.
fn connected_in(metrics: &str) -> BTreeSet<EngineKey> {
    let key = |line: &str| {
        let label = line.split_once("_directory_connected{")?.1;
        let hex = label.split_once("peer=\"")?.1.split_once('"')?.0;
        Some(EngineKey::from(&hex.parse().ok()?))
    };
    metrics.lines().filter_map(key).collect()
}

/// Largest message of the peer network. The limits of a block are those that no parameter can exceed, so that
/// raising a parameter never cuts off a node.
fn message_bytes_max() -> u32 {
    let codec = BlockCodec {
        limits: BlockLimits::default(),
        known: Arc::new(NothingKnown),
    };
    let payload = marshal::max_payload_size::<Standard<EngineBlock>, Sm2Scheme>(VALIDATORS_MAX as u32, &codec)
        .max(simplex::max_payload_size::<Sm2Scheme, EngineDigest>(
            VALIDATORS_MAX as u32,
        ))
        .max(MESSAGE_BYTES_MAX)
        .max(EXCHANGE_BYTES_MAX);
    max_message_size(&[mux::prefixed(mux::prefixed(payload))])
}

/// Runs `main` on the production runtime with a host on the peer network. Returns when `main` does.
pub fn run<F, Fut, T>(config: TcpConfig, signer: NodeSigner, main: F) -> Result<T, Fatal>
where
    F: FnOnce(TcpContext, TcpHost) -> Fut + Send + 'static,
    Fut: Future<Output = T> + Send,
    T: Send + 'static,
{
    // Binding here gives a clear answer before the library's listener would fail inside a task.
    std::net::TcpListener::bind(config.listen).map_err(|error| {
        Fatal(format!(
            "cannot listen for peers on {}: {error}; another program uses the port?",
            config.listen
        ))
    })?;
    let runtime = tokio::Config::new()
        .with_worker_threads(config.worker_threads)
        .with_storage_directory(&config.directory)
        .with_tcp_nodelay(Some(true));
    Ok(tokio::Runner::new(runtime).start(async move |context| {
        let (shared, host) = open(&context, &config, signer);
        main(shared, host).await
    }))
}

fn open(context: &tokio::Context, config: &TcpConfig, signer: NodeSigner) -> (TcpContext, TcpHost) {
    let upgrader = Cups::<_, LinkCipher>::new(
        Sake {
            signer: signer.clone(),
            synchrony_bound: CLOCK_TOLERANCE,
            max_handshake_age: HANDSHAKE_AGE_MAX,
            version: sake::Version::V1,
        },
        cups::Version::V1,
    );
    let namespace = [b"yulian-net/1/".as_slice(), &config.network_id.0].concat();
    let mut network = lookup::Config::local(
        upgrader,
        &namespace,
        config.listen,
        PEERS_MAX,
        message_bytes_max(),
        NZUsize!(1024),
    );
    network.allow_private_ips = true;
    network.allow_dns = true;
    network.bypass_ip_check = true;
    network.tracked_peer_sets = NZUsize!(2);
    network.peer_connection_cooldown = Duration::from_secs(1);
    network.dial_frequency = Duration::from_millis(500);
    network.allowed_handshake_rate_per_ip = Quota::per_second(NZU32!(64));
    network.allowed_handshake_rate_per_subnet = Quota::per_second(NZU32!(256));
    let (mut network, oracle) = lookup::Network::new(context.child("network"), network);
    let channels = Channel::ALL
        .map(|channel| network.register(channel as u64, channel.quota()))
        .into_iter()
        .collect();
    network.start();
    let net = TcpNet {
        oracle,
        me: EngineKey::from(&signer.0.public_key()),
        own_address: Address::Symmetric(config.listen),
        book: Arc::default(),
        metrics: {
            let context = context.child("connections");
            Arc::new(move || context.encode())
        },
        clock: {
            let context = context.child("clock");
            Arc::new(move || context.current())
        },
        seen: Arc::default(),
    };
    let shared = Context::new(context.child("node"));
    let host = Host::new(Context::new(context.child("host")), signer, net, channels);
    (shared, host)
}
