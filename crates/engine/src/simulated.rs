//! A network of nodes in the deterministic simulation: virtual clock, seeded scheduling, links with latency, jitter
//! and loss, and storage that loses and tears what was not synced.
//!
//! The same seed gives the same run. A task of a node is stopped by [`Task::stop`](crate::Task::stop) of the task
//! that holds its [`Context`](crate::Context): everything started from it ends too, and what it had not synced is
//! gone when its files are opened again.

use crate::{
    api::{Fatal, Peer, Task},
    host::{Channel, Host, Net},
    keys::{EngineKey, NodeSigner},
    runtime::Context,
    scheme::key_set,
};
use bytes::Bytes;
use commonware_p2p::{
    Manager as _, Receiver as _, Recipients, Sender as _, TrackedPeers,
    simulated::{self, Link as LibraryLink, Network, Oracle, Receiver, Sender},
};
use commonware_runtime::{Blob as _, Clock as _, Spawner as _, Storage as _, Supervisor as _, deterministic};
use commonware_utils::{NZUsize, Probability, SystemTimeExt};
use std::{
    collections::BTreeSet,
    fmt,
    future::Future,
    sync::{Arc, Mutex},
    time::{Duration, UNIX_EPOCH},
};
use yulian_crypto::sm2::PublicKey;
use yulian_types::{Digest, ValidatorSet};

/// Time of day at which every simulation begins, ms since 1970-01-01 UTC.
pub const START_MS: u64 = 1_750_000_000_000;

/// The simulation's runtime.
pub type SimContext = Context<deterministic::Context>;
/// A node's host in the simulation.
pub type SimHost = Host<deterministic::Context, Sender<EngineKey, deterministic::Context>, SimNet>;

/// One direction of a link.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    /// Mean latency.
    pub latency: Duration,
    /// Standard deviation of the latency.
    pub jitter: Duration,
    /// Share of messages that are lost, in per mille.
    pub loss_per_mille: u16,
}

/// What survives a phase that ended with a loss of power of the whole cluster: the disks and the clock.
pub struct Disks(deterministic::Checkpoint);

impl fmt::Debug for Disks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Disks")
    }
}

/// Runs a phase of a simulation from a seed, or from the disks of the phase before.
pub fn run<F, Fut, T>(seed: u64, disks: Option<Disks>, limit: Duration, phase: F) -> (T, Disks)
where
    F: FnOnce(World) -> Fut,
    Fut: Future<Output = T>,
{
    let runner = match disks {
        Some(Disks(checkpoint)) => deterministic::Runner::from(checkpoint),
        None => {
            // Half of the bytes of unsynced writes survive a loss of power, chosen one by one.
            let faults = deterministic::FaultConfig::default().write(deterministic::WriteConfig {
                failure_rate: Probability::new(0, 1).expect("a probability"),
                retention_rate: Probability::new(1, 2).expect("a probability"),
                mode: deterministic::PartialWriteMode::Subset,
            });
            let start = UNIX_EPOCH + Duration::from_millis(START_MS);
            let config = deterministic::Config::new()
                .with_seed(seed)
                .with_start_time(start)
                .with_timeout(Some(limit));
            deterministic::Runner::new(config.with_storage_fault_config(faults))
        }
    };
    let (out, checkpoint) = runner.start_and_recover(|context| phase(World::new(context)));
    (out, Disks(checkpoint))
}

/// The simulated network and clock.
pub struct World {
    context: deterministic::Context,
    oracle: Oracle<EngineKey, deterministic::Context>,
    known: Arc<Mutex<Known>>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

/// The simulator keeps one global table of peer sets: the union of what the nodes ask for, under rising ids.
#[derive(Default)]
struct Known {
    next_id: u64,
    keys: BTreeSet<PublicKey>,
}

/// Peers in the simulation.
#[derive(Clone)]
pub struct SimNet {
    oracle: Oracle<EngineKey, deterministic::Context>,
    known: Arc<Mutex<Known>>,
}

impl Net for SimNet {
    fn update(&self, _: Digest, validators: Vec<PublicKey>, peers: Vec<Peer>) {
        let mut known = self.known.lock().expect("known peers");
        let before = known.keys.len();
        known.keys.extend(validators);
        known.keys.extend(peers.into_iter().map(|peer| peer.key));
        if known.keys.len() != before {
            let peers = TrackedPeers::primary(key_set(&known.keys));
            self.oracle.manager().track(known.next_id, peers);
            known.next_id += 1;
        }
    }

    /// Links of the simulation lose messages but are never closed: whoever is known counts.
    fn connected(&self) -> BTreeSet<EngineKey> {
        let known = self.known.lock().expect("known peers");
        known.keys.iter().map(EngineKey::from).collect()
    }
}

/// Most nodes of a simulation.
const NODES_MAX: usize = 32;

impl World {
    fn new(context: deterministic::Context) -> Self {
        let (network, oracle) = Network::<_, EngineKey>::new(
            context.child("network"),
            simulated::Config {
                max_size: 16 << 20,
                max_peers_per_set: NZUsize!(NODES_MAX),
                disconnect_on_block: false,
                tracked_peer_sets: NZUsize!(2),
            },
        );
        network.start();
        Self {
            context,
            oracle,
            known: Arc::default(),
        }
    }

    /// Every node that will ever take part must be known before links are laid.
    pub fn know(&self, keys: &[PublicKey]) {
        let net = SimNet {
            oracle: self.oracle.clone(),
            known: self.known.clone(),
        };
        net.update(Digest::ZERO, keys.to_vec(), vec![]);
    }

    /// Lays or replaces the link from `from` to `to`.
    pub async fn link(&self, from: &PublicKey, to: &PublicKey, link: Link) -> Result<(), Fatal> {
        self.unlink(from, to).await;
        let success = u64::from(1000 - link.loss_per_mille.min(1000));
        let link = LibraryLink {
            latency: link.latency,
            jitter: link.jitter,
            success_rate: Probability::new(success, 1000).expect("a probability"),
        };
        self.oracle
            .add_link(EngineKey::from(from), EngineKey::from(to), link)
            .await
            .map_err(|error| Fatal(format!("link: {error}")))
    }

    /// Cuts the link from `from` to `to`, if there is one.
    pub async fn unlink(&self, from: &PublicKey, to: &PublicKey) {
        let _ = self
            .oracle
            .remove_link(EngineKey::from(from), EngineKey::from(to))
            .await;
    }

    /// Starts a node: `main` gets a runtime of its own and a host on the network. The returned task is the node;
    /// stopping it crashes the node. `life` tells the node's starts apart.
    pub async fn node<F, Fut>(&self, signer: NodeSigner, life: u64, main: F) -> Result<Task, Fatal>
    where
        F: FnOnce(SimContext, SimHost) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let control = self.oracle.control(EngineKey::from(&signer.0.public_key()));
        let mut channels: Vec<(Sender<EngineKey, deterministic::Context>, Receiver<EngineKey>)> = Vec::new();
        for channel in Channel::ALL {
            let registered = control.register(channel as u64, channel.quota()).await;
            channels.push(registered.map_err(|error| Fatal(format!("simulated channel: {error}")))?);
        }
        let net = SimNet {
            oracle: self.oracle.clone(),
            known: self.known.clone(),
        };
        let node = self.context.child("node").with_attribute("life", life);
        let handle = node.spawn(move |context| async move {
            let host = Host::new(Context::new(context.child("host")), signer, net, channels);
            main(Context::new(context.child("core")), host).await;
            // The node lives until it is stopped.
            futures::future::pending::<()>().await;
        });
        Ok(Task::new(move || handle.abort()))
    }

    /// Virtual time, ms since 1970-01-01 UTC.
    pub fn now_ms(&self) -> u64 {
        self.context.current().epoch_millis()
    }

    /// Lets virtual time pass.
    pub async fn pause(&self, duration: Duration) {
        self.context.sleep(duration).await
    }

    /// A runtime for the harness itself.
    pub fn runtime(&self) -> SimContext {
        Context::new(self.context.child("harness"))
    }

    /// A number that two runs share only if everything happened alike.
    pub fn fingerprint(&self) -> String {
        self.context.auditor().state()
    }
}

impl SimHost {
    /// Plays a validator that contradicts every vote it hears, on every epoch of a chain, until the node is stopped.
    pub async fn contradict(&self, context: &SimContext, chain_id: Digest, set: &ValidatorSet, signer: &NodeSigner) {
        crate::two_faced::run(self, context.child("contradict"), chain_id, set, signer).await
    }
}

/// Channels of the peer network.
pub const CHANNELS: usize = Channel::ALL.len();

impl SimHost {
    /// Plays a node that is no member of a chain: on every channel it says the same again and again to everybody, and counts
    /// what comes back, until the node is stopped.
    pub async fn knock(
        &self,
        context: &SimContext,
        chain_id: Digest,
        words: Vec<Bytes>,
        heard: Arc<Mutex<[u64; CHANNELS]>>,
    ) {
        for (at, channel) in Channel::ALL.into_iter().enumerate() {
            let Ok((mut sender, mut receiver)) = self.raw_channel(channel, chain_id).await else {
                return;
            };
            let words = words.clone();
            context.child("knock").spawn(move |context| async move {
                loop {
                    for word in &words {
                        sender.send(Recipients::All, word.clone(), true);
                    }
                    context.sleep(Duration::from_millis(100)).await;
                }
            });
            let heard = heard.clone();
            context.child("listen").spawn(move |_| async move {
                while receiver.recv().await.is_ok() {
                    heard.lock().expect("heard")[at] += 1;
                }
            });
        }
    }
}

/// A file on a node's simulated disk, for stores that keep a log. One handle at a time.
pub struct SimFile {
    blob: <deterministic::Context as commonware_runtime::Storage>::Blob,
    length: Mutex<u64>,
}

impl fmt::Debug for SimFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimFile")
    }
}

impl SimFile {
    /// Opens or creates the file `name` of the folder `partition`.
    pub async fn open(context: &SimContext, partition: &str, name: &str) -> Result<Self, Fatal> {
        let (blob, length) = context
            .child("file")
            .open(partition, name.as_bytes())
            .await
            .map_err(fatal)?;
        Ok(Self {
            blob,
            length: Mutex::new(length),
        })
    }

    /// Everything in the file.
    pub async fn read_all(&self) -> Result<Vec<u8>, Fatal> {
        let length = *self.length.lock().expect("length");
        if length == 0 {
            return Ok(vec![]);
        }
        let bytes = self
            .blob
            .read_at(0, length as usize, Default::default())
            .await
            .map_err(fatal)?;
        Ok(bytes::Bytes::from(bytes.freeze().coalesce()).to_vec())
    }

    /// Writes at an offset; not durable before [`SimFile::sync`].
    pub async fn write_at(&self, offset: u64, bytes: Vec<u8>) -> Result<(), Fatal> {
        let end = offset + bytes.len() as u64;
        self.blob
            .write_at(offset, bytes, Default::default())
            .await
            .map_err(fatal)?;
        let mut length = self.length.lock().expect("length");
        *length = end.max(*length);
        Ok(())
    }

    /// Cuts the file.
    pub async fn truncate(&self, length: u64) -> Result<(), Fatal> {
        self.blob.resize(length).await.map_err(fatal)?;
        *self.length.lock().expect("length") = length;
        Ok(())
    }

    /// Makes everything durable.
    pub async fn sync(&self) -> Result<(), Fatal> {
        self.blob.sync().await.map_err(fatal)
    }
}

fn fatal(error: commonware_runtime::Error) -> Fatal {
    Fatal(format!("simulated disk: {error}"))
}
