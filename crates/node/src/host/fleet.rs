//! The chains that the platform's register gives this node: started, stopped and ended as it says, without a restart.
//!
//! Everything follows from the durable state of the system chain, so a node that was killed comes back to the same chains. A
//! chain that cannot be started, or that stops by itself, is shown in the status and leaves the others alone.

use super::{
    ENGINE_FOLDER, HostError,
    orders::{self, Order, Stage, Statement},
    remove,
    statements::{self, Subject},
};
use crate::{
    ChainNode, ChainOptions, OpenError,
    config::NodeConfig,
    pool::PoolLimits,
    service::{Failed, NodeService},
};
use bytes::Bytes;
use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};
use yulian_crypto::{
    Digest,
    sm2::{PublicKey, SignError},
};
use yulian_engine::{
    ChainHandle, Fatal, Runtime, Timing,
    tcp::{TcpContext, TcpHost},
};
use yulian_store::{FjallKv, Kv, Options};
use yulian_types::SealedGenesis;

/// Folder of the hosted chains below the data folder; a folder for each, named by its genesis digest.
const CHAINS_FOLDER: &str = "chains";
/// Chains that are started at a time.
const STARTED_TOGETHER: usize = 4;
/// What failed, or was not heard, is tried again after this time, ms.
const RETRY_MS: u64 = 5_000;
/// Memory for blocks that a hosted chain reads from the disk, bytes.
const CACHE_BYTES: u64 = 2 << 20;
/// Recent writes of one space of a hosted chain that stay in memory, bytes.
const MEMTABLE_BYTES: u64 = 1 << 20;
/// How much the pool of a hosted chain holds.
const POOL: PoolLimits = PoolLimits {
    transactions_max: 10_000,
    bytes_max: 16 << 20,
    sender_transactions_max: 5_000,
};

type Chain = ChainNode<TcpContext, FjallKv>;

type Started = (Order, Result<Hosted, HostError>);

struct Hosted {
    node: Chain,
    /// The engine; `None` once the chain is archived.
    handle: Option<ChainHandle>,
    kv: FjallKv,
}

/// The chains of a node beside its system chain.
pub(super) struct Fleet {
    pub(super) context: TcpContext,
    pub(super) host: Arc<TcpHost>,
    pub(super) system: Chain,
    pub(super) service: NodeService<TcpContext, FjallKv>,
    pub(super) me: PublicKey,
    pub(super) folder: PathBuf,
    pub(super) options: ChainOptions,
    hosted: BTreeMap<Digest, Hosted>,
    /// When something of a chain was last tried, ms.
    tried: BTreeMap<Digest, u64>,
}

impl Fleet {
    pub(super) fn new(
        context: TcpContext,
        host: Arc<TcpHost>,
        system: Chain,
        service: NodeService<TcpContext, FjallKv>,
        me: PublicKey,
        config: &NodeConfig,
    ) -> Result<Self, HostError> {
        let options = ChainOptions {
            pool: POOL,
            registered_only: true,
            ..config.options()?
        };
        Ok(Self {
            context,
            host,
            system,
            service,
            me,
            folder: config.data_dir.clone(),
            options,
            hosted: BTreeMap::new(),
            tried: BTreeMap::new(),
        })
    }

    /// Does what the state asks for now. The answer is whether something is left that must be looked at again soon.
    pub(super) async fn follow(&mut self) -> bool {
        let orders = match orders::read(&self.system, &self.me) {
            Ok(orders) => orders,
            Err(error) => {
                tracing::error!(%error, "the register of chains cannot be read");
                return true;
            }
        };
        self.let_go(&orders);
        self.start_all(&orders).await;
        let mut left = false;
        for order in &orders {
            left |= self.obey(order).await;
        }
        left
    }

    /// Chains that the register does not give this node any more. Their data stay for whoever runs it.
    fn let_go(&mut self, orders: &[Order]) {
        let wanted = |id: &Digest| orders.iter().any(|order| order.chain_id == *id);
        let gone: Vec<Digest> = self.hosted.keys().filter(|id| !wanted(id)).copied().collect();
        for id in gone {
            tracing::info!(chain = %id, "the chain is hosted here no more");
            self.close(&id);
        }
    }

    fn close(&mut self, id: &Digest) {
        self.service.withdraw(id);
        if let Some(hosted) = self.hosted.remove(id) {
            hosted.end();
        }
    }

    async fn start_all(&mut self, orders: &[Order]) {
        let now = self.context.now_ms();
        let waits = |order: &&Order| {
            let tried = self.tried.get(&order.chain_id).is_some_and(|at| now < at + RETRY_MS);
            order.stage != Stage::Remove && !self.hosted.contains_key(&order.chain_id) && !tried
        };
        let due: Vec<Order> = orders.iter().filter(waits).cloned().collect();
        let mut starting: Vec<BoxFuture<'_, Started>> = Vec::with_capacity(due.len());
        for order in due {
            starting.push(self.start(order).boxed());
        }
        let starting = stream::iter(starting).buffer_unordered(STARTED_TOGETHER);
        let started: Vec<Started> = starting.collect().await;
        for (order, outcome) in started {
            match outcome {
                Ok(hosted) => {
                    tracing::info!(chain = %order.chain_id, name = %order.name, "chain started");
                    self.service.host(hosted.node.clone());
                    self.tried.remove(&order.chain_id);
                    self.hosted.insert(order.chain_id, hosted);
                }
                Err(error) => {
                    tracing::error!(chain = %order.chain_id, name = %order.name, %error, "the chain cannot be started");
                    self.tried.insert(order.chain_id, self.context.now_ms());
                    self.service.failed(Failed {
                        chain_id: order.chain_id,
                        name: order.name.clone(),
                        reason: error.to_string(),
                    });
                }
            }
        }
    }

    async fn start(&self, order: Order) -> Started {
        let outcome = self.try_start(&order).await;
        (order, outcome)
    }

    async fn try_start(&self, order: &Order) -> Result<Hosted, HostError> {
        let bytes = orders::genesis(&self.system, &order.chain_id).map_err(OpenError::from)?;
        let missing = || Fatal(format!("the genesis of {} is not in the register", order.name));
        let genesis = Arc::new(SealedGenesis::decode(&bytes.ok_or_else(missing)?)?);
        let folder = chain_folder(&self.folder, &order.chain_id);
        let kv = open_store(folder).await?;
        let hosted = self.open(order, genesis, kv.clone()).await;
        if hosted.is_err() {
            kv.close();
        }
        hosted
    }

    async fn open(&self, order: &Order, genesis: Arc<SealedGenesis>, kv: FjallKv) -> Result<Hosted, HostError> {
        let options = ChainOptions {
            timing: Timing::with_leader(order.leader_timeout),
            ..self.options.clone()
        };
        let opening = self
            .system
            .open_beside(self.context.clone(), kv.clone(), genesis, options);
        let node = opening.await?;
        node.regulate(order.standing, order.quotas);
        node.measure();
        let handle = match order.stage {
            Stage::Run => Some(self.run(&node).await?),
            Stage::Read | Stage::Remove => None,
        };
        Ok(Hosted { node, handle, kv })
    }

    async fn run(&self, node: &Chain) -> Result<ChainHandle, HostError> {
        let config = node.chain_config().map_err(OpenError::from)?;
        let starting = self.host.start_chain(config, node.clone(), node.ledger().clone());
        let handle = starting.await.inspect_err(|_| node.stop())?;
        node.attach(Arc::new(handle.clone()));
        Ok(handle)
    }

    /// Brings one chain to where the register wants it.
    async fn obey(&mut self, order: &Order) -> bool {
        let id = order.chain_id;
        if order.stage == Stage::Remove {
            return self.wipe(&id);
        }
        let Some(hosted) = self.hosted.get_mut(&id) else {
            return true;
        };
        hosted.node.regulate(order.standing, order.quotas);
        if order.stage == Stage::Read
            && let Some(handle) = hosted.handle.take()
        {
            tracing::info!(chain = %id, name = %order.name, "the chain is archived: it makes no more blocks");
            handle.stop();
        }
        match order.statement {
            Some(statement) => self.state(order, statement).await,
            None => self.state_set(order).await,
        }
    }

    /// Says who validates a chain, where it has other validators than the register knows.
    async fn state_set(&mut self, order: &Order) -> bool {
        let (Some(known), Some(hosted)) = (order.known_set, self.hosted.get(&order.chain_id)) else {
            return false;
        };
        let mark = hosted.node.ledger().set_at(hosted.node.ledger().tip().height);
        if mark.first_height <= known.since_height.max(known.said) || self.tried_lately(&order.chain_id) {
            return mark.first_height > known.since_height.max(known.said);
        }
        let set = match hosted.node.set(&mark.digest) {
            Ok(Some(set)) => set,
            missing => {
                tracing::error!(name = %order.name, ?missing, "a validator set cannot be read");
                return true;
            }
        };
        let subject = Subject {
            name: &order.name,
            chain_id: order.chain_id,
        };
        let transaction = statements::validators(&self.system, &subject, mark.first_height, &set);
        self.say(order, transaction).await;
        true
    }

    fn tried_lately(&self, id: &Digest) -> bool {
        let now = self.context.now_ms();
        self.tried.get(id).is_some_and(|at| now < at + RETRY_MS)
    }

    /// Removes a chain that the platform has destroyed.
    fn wipe(&mut self, id: &Digest) -> bool {
        self.close(id);
        let folder = chain_folder(&self.folder, id);
        if !folder.exists() {
            return false;
        }
        let wiped = remove(&folder).and_then(|()| remove_journals(&self.folder.join(ENGINE_FOLDER), id));
        match wiped {
            Ok(()) => tracing::info!(chain = %id, "the data of a destroyed chain are removed"),
            Err(error) => tracing::error!(chain = %id, %error, "the data of a destroyed chain cannot be removed"),
        }
        folder.exists()
    }

    /// Says on the system chain what it waits for from this node; again until the state shows that it was heard.
    async fn state(&mut self, order: &Order, statement: Statement) -> bool {
        let now = self.context.now_ms();
        if self.tried_lately(&order.chain_id) {
            return true;
        }
        let Some(hosted) = self.hosted.get(&order.chain_id) else {
            return true;
        };
        let subject = Subject {
            name: &order.name,
            chain_id: order.chain_id,
        };
        let system = &self.system;
        let tip = hosted.node.ledger().tip();
        let transaction = match statement {
            Statement::Ready => statements::ready(system, &subject),
            Statement::Final { known } if known == tip.height => return false,
            Statement::Final { .. } => statements::last_block(system, &subject, tip.height, &tip.digest),
            Statement::Destroyed { after_ms } if now < after_ms => return true,
            Statement::Destroyed { .. } => statements::destroyed(system, &order.name),
        };
        self.say(order, transaction).await;
        true
    }

    async fn say(&mut self, order: &Order, transaction: Result<Bytes, SignError>) {
        self.tried.insert(order.chain_id, self.context.now_ms());
        match transaction {
            Ok(transaction) => {
                for (_, answer) in self.system.submit(vec![transaction]).await {
                    if let Err(refusal) = answer {
                        tracing::warn!(name = %order.name, %refusal, "what this node says of a chain was refused");
                    }
                }
            }
            Err(error) => tracing::error!(name = %order.name, %error, "this node's key does not sign"),
        }
    }

    /// Ends all of them.
    pub(super) fn stop(self) {
        self.hosted.into_values().for_each(Hosted::end);
    }
}

impl Hosted {
    fn end(self) {
        if let Some(handle) = self.handle {
            handle.stop();
        }
        self.node.stop();
        self.kv.close();
    }
}

fn chain_folder(data: &Path, id: &Digest) -> PathBuf {
    data.join(CHAINS_FOLDER).join(id.to_string())
}

/// Opening reads the disk and forces it, so it is done beside the tasks of the network.
async fn open_store(folder: PathBuf) -> Result<FjallKv, HostError> {
    let open = move || {
        fs::create_dir_all(&folder).map_err(|error| super::unusable(&folder, &error))?;
        let options = Options {
            cache_bytes: CACHE_BYTES,
            memtable_bytes: MEMTABLE_BYTES,
            ..Options::default()
        };
        Ok(FjallKv::open(&folder, options)?)
    };
    let opened = tokio::task::spawn_blocking(open).await;
    opened.map_err(|error| Fatal(format!("opening a store: {error}")))?
}

/// The engine's journals of a chain: folders that begin with its prefix.
fn remove_journals(folder: &Path, id: &Digest) -> Result<(), HostError> {
    let prefix = crate::chain::engine_prefix(id);
    let unusable = |error: io::Error| super::unusable(folder, &error);
    for entry in fs::read_dir(folder).map_err(unusable)? {
        let entry = entry.map_err(unusable)?;
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}
