//! A real node: `fjall` on disk, the engine over TCP, the HTTP API.

mod fleet;
mod orders;
mod statements;

use self::fleet::Fleet;
use crate::{
    ChainNode, OpenError,
    config::{ConfigError, NodeConfig, SyncMode},
    http,
    service::{Identity, NodeService},
    snapshot::{self, JoinError},
};
use bytes::Bytes;
use futures::future::BoxFuture;
use std::{
    fs,
    future::Future,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::net::TcpListener;
use yulian_crypto::{
    key_file::{self, KeyFileError},
    sm2::Signer,
};
use yulian_engine::{
    Fatal, NodeSigner, Runtime as _,
    tcp::{self, TcpConfig, TcpContext, TcpHost},
};
use yulian_store::{FjallKv, Kv, Options, StoreError};
use yulian_types::{GenesisError, SealedGenesis};

/// Folder of the ledger below the data folder.
const LEDGER_FOLDER: &str = "ledger";
/// Folder of the engine's journals below the data folder.
const ENGINE_FOLDER: &str = "engine";
/// Folder below the data folder of a node that has no ledger yet: see [`Candidate`].
const CANDIDATE_FOLDER: &str = "candidate";

/// What is left to do for a hosted chain is looked at again after this time.
const AGAIN: Duration = Duration::from_secs(1);
/// Hosted chains are looked at this often for what they do by themselves: a vote of theirs on their validators.
const LOOK: Duration = Duration::from_secs(10);

/// Why a node cannot start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The private key cannot be read.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The genesis file cannot be read.
    #[error("创世文件 {path} 无法读取：{source} / cannot read the genesis file {path}")]
    GenesisFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The genesis file is no genesis.
    #[error("创世文件无效：{0} / the genesis file is not valid")]
    Genesis(#[from] GenesisError),
    /// The data folder cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The chain cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// No snapshot could be brought in.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// The engine cannot start.
    #[error(transparent)]
    Engine(#[from] Fatal),
    /// The API's address cannot be used.
    #[error("接口地址 {address} 无法监听：{source}。端口可能被占用 / cannot listen on {address}; is the port in use?")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The chain stopped by itself.
    #[error("节点停止：{0} / the node stopped")]
    Stopped(String),
}

/// Reads a node's genesis file.
pub fn read_genesis(path: &Path) -> Result<SealedGenesis, HostError> {
    let bytes = fs::read(path).map_err(|source| HostError::GenesisFile {
        path: path.into(),
        source,
    })?;
    Ok(SealedGenesis::decode(&Bytes::from(bytes))?)
}

/// Opens a node's ledger for reading and replaying while the node does not run.
pub fn open_store(config: &NodeConfig) -> Result<FjallKv, HostError> {
    let folder = config.data_dir.join(LEDGER_FOLDER);
    fs::create_dir_all(&folder).map_err(|error| unusable(&folder, &error))?;
    let options = Options {
        cache_bytes: config.cache_mib << 20,
        ..Options::default()
    };
    Ok(FjallKv::open(&folder, options)?)
}

/// Makes the future that asks a node to stop, on the node's own runtime.
pub type StopSignal = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// Runs a node until `stop` resolves or its chain stops. `passphrase` opens an encrypted key file.
///
/// Not generic: the whole engine is instantiated here, once, and not in every program that runs a node.
pub fn run(config: NodeConfig, passphrase: Option<&str>, stop: StopSignal) -> Result<(), HostError> {
    let signer: Arc<dyn Signer> = Arc::new(key_file::read(&config.key_file, passphrase)?);
    let genesis = Arc::new(read_genesis(&config.genesis_file)?);
    let kv = open_store(&config)?;
    let network = TcpConfig {
        listen: config.peer_address,
        directory: config.data_dir.join(ENGINE_FOLDER),
        network_id: genesis.chain_id,
        worker_threads: config.worker_threads.clamp(1, 64),
    };
    let node_signer = NodeSigner(signer.clone());
    tcp::run(network, node_signer, move |context, host| async move {
        let node = Node {
            config,
            signer,
            genesis,
            kv: kv.clone(),
        };
        let done = node.run(context, host, stop()).await;
        kv.close();
        done
    })?
}

struct Node {
    config: NodeConfig,
    signer: Arc<dyn Signer>,
    genesis: Arc<SealedGenesis>,
    kv: FjallKv,
}

impl Node {
    async fn run(self, context: TcpContext, host: TcpHost, stop: impl Future<Output = ()>) -> Result<(), HostError> {
        let Self {
            config,
            signer,
            genesis,
            kv,
        } = self;
        let address = config.api_address;
        let listener = http::listen(address)
            .await
            .map_err(|source| HostError::Listen { address, source })?;
        let options = config.options()?;
        let identity = Identity {
            name: config.name.clone(),
            cloud: config.cloud.clone(),
            organisation: config.organisation.clone(),
            address: config
                .public_address
                .clone()
                .unwrap_or_else(|| config.peer_address.to_string()),
            public_key: signer.public_key(),
        };
        tokio::pin!(stop);
        if config.sync == SyncMode::Snapshot && snapshot::is_wanted(&kv).map_err(JoinError::from)? {
            let acquainted = snapshot::Acquainted::new(&genesis, &options.peers, &signer.public_key());
            let (validators, peers) = (acquainted.validators, acquainted.peers);
            let exchange = host.exchange(genesis.chain_id, validators, peers).await?;
            let joining = snapshot::join(&context, &kv, &genesis, exchange, acquainted.others);
            let candidate = Candidate::new(&config, &context, &genesis, &signer, &identity).await?;
            let joined = candidate.serve_while(&listener, async {
                tokio::select! {
                    () = &mut stop => Ok(None),
                    joined = joining => joined.map(Some),
                }
            });
            if joined.await?.is_none() {
                return Ok(());
            }
        }
        let chain = ChainNode::open(context.clone(), kv, genesis.clone(), signer.clone(), options).await?;
        let handle = host.start_chain(
            chain.chain_config().map_err(OpenError::from)?,
            chain.clone(),
            chain.ledger().clone(),
        );
        let handle = handle.await?;
        chain.attach(Arc::new(handle.clone()));
        tracing::info!(name = %identity.name, chain = %genesis.chain_id, api = %address, "node started");
        let service = NodeService::new(context.clone(), identity, vec![chain.clone()]);
        let me = chain.signer.public_key();
        let mut fleet = Fleet::new(
            context.clone(),
            Arc::new(host),
            chain.clone(),
            service.clone(),
            me,
            &config,
        )?;
        let mut stopped = chain.watch_stopped();
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let serving = http::serve(&listener, service, async {
            let _ = ended.await;
        });
        tokio::pin!(serving);
        let reason = {
            let hosting = keep(&mut fleet, &chain, &context);
            tokio::select! {
                () = &mut stop => None,
                reason = stopped.wait_for(Option::is_some) => reason.ok().and_then(|reason| reason.clone()),
                () = &mut serving => None,
                () = hosting => None,
            }
        };
        let _ = end.send(());
        if reason.is_none() {
            serving.await;
        }
        fleet.stop();
        handle.stop();
        chain.stop();
        match reason {
            Some(reason) => Err(HostError::Stopped(reason)),
            None => Ok(()),
        }
    }
}

/// Follows the register of chains as long as the node runs.
async fn keep(fleet: &mut Fleet, system: &ChainNode<TcpContext, FjallKv>, context: &TcpContext) {
    let mut register = system.watch_register();
    loop {
        register.borrow_and_update();
        let left = fleet.follow().await;
        tokio::select! {
            changed = register.changed() => if changed.is_err() {
                return;
            },
            () = context.pause(if left { AGAIN } else { LOOK }) => {}
        }
    }
}

/// A node that has no ledger yet. Whoever registers it asks it who it is, and until it is registered nobody gives it a snapshot: so
/// it answers meanwhile as a node whose chain has only begun, with a store of its own.
struct Candidate {
    service: NodeService<TcpContext, FjallKv>,
    chain: ChainNode<TcpContext, FjallKv>,
    kv: FjallKv,
    folder: PathBuf,
}

impl Candidate {
    async fn new(
        config: &NodeConfig,
        context: &TcpContext,
        genesis: &Arc<SealedGenesis>,
        signer: &Arc<dyn Signer>,
        identity: &Identity,
    ) -> Result<Self, HostError> {
        let folder = config.data_dir.join(CANDIDATE_FOLDER);
        remove(&folder)?;
        fs::create_dir_all(&folder).map_err(|error| unusable(&folder, &error))?;
        let options = Options {
            cache_bytes: 1 << 20,
            ..Options::default()
        };
        let kv = FjallKv::open(&folder, options)?;
        let (genesis, signer) = (genesis.clone(), signer.clone());
        let mut options = config.options()?;
        options.candidate = true;
        let chain = ChainNode::open(context.clone(), kv.clone(), genesis, signer, options).await?;
        Ok(Self {
            service: NodeService::new(context.clone(), identity.clone(), vec![chain.clone()]),
            chain,
            kv,
            folder,
        })
    }

    /// Serves the API until the work is done, then leaves nothing behind.
    async fn serve_while<T, E>(
        self,
        listener: &TcpListener,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, HostError>
    where
        HostError: From<E>,
    {
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let serving = http::serve(listener, self.service, async {
            let _ = ended.await;
        });
        let work = async {
            let done = work.await;
            let _ = end.send(());
            done
        };
        let ((), done) = tokio::join!(serving, work);
        self.chain.stop();
        self.kv.close();
        remove(&self.folder)?;
        Ok(done?)
    }
}

fn remove(folder: &Path) -> Result<(), HostError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unusable(folder, &error)),
        _ => Ok(()),
    }
}

fn unusable(folder: &Path, error: &io::Error) -> HostError {
    Fatal(format!("{}: {error}", folder.display())).into()
}
