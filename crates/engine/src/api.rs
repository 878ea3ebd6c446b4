//! What the engine asks of a node and what it offers to it. No type of the consensus library appears here.

use bytes::Bytes;
use futures::stream::BoxStream;
use std::{fmt, future::Future, sync::Arc, time::Duration};
use yulian_crypto::sm2::PublicKey;
use yulian_types::{Digest, FinalityProof, SealedBlock, ValidatorSet};

/// Clock, tasks and randomness of a node. Everything above the engine runs on this alone, so that the same code
/// runs on the operating system and in the deterministic simulation.
pub trait Runtime: Clone + Send + Sync + 'static {
    /// Time of day, ms since 1970-01-01 UTC.
    fn now_ms(&self) -> u64;

    /// Resolves after `duration`.
    fn pause(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static;

    /// Runs a future as a task. It ends with the runtime that started it or when [`Task::stop`] is called.
    fn start<F>(&self, name: &'static str, future: F) -> Task
    where
        F: Future<Output = ()> + Send + 'static;

    /// Like [`Runtime::start`], on a thread of its own where the runtime has threads: for work that computes for long.
    fn start_dedicated<F>(&self, name: &'static str, future: F) -> Task
    where
        F: Future<Output = ()> + Send + 'static;

    /// Fills a buffer with random bytes.
    fn random(&self, out: &mut [u8]);
}

/// A running task.
pub struct Task(pub(crate) Box<dyn Fn() + Send + Sync>);

impl Task {
    /// A task of a runtime outside this crate; `stop` ends it, and may be called more than once.
    pub fn new(stop: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Box::new(stop))
    }

    /// Ends the task at its next suspension point.
    pub fn stop(&self) {
        (self.0)();
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Task")
    }
}

/// The ancestors of a block from its parent towards genesis, fetched from peers where needed. Ends at genesis, or
/// early when the proposal they belong to has been abandoned.
pub type Ancestors = BoxStream<'static, Arc<SealedBlock>>;

/// Where in the protocol a proposal stands.
#[derive(Debug, Clone)]
pub struct Round {
    /// Epoch.
    pub epoch: u64,
    /// View of the epoch.
    pub view: u64,
    /// Last height of the epoch.
    pub last_height: u64,
    /// Set in force.
    pub validators: Arc<ValidatorSet>,
    /// First height at which that set was in force without interruption.
    pub validators_since: u64,
    /// Time-out of the view: a proposal should be made well before.
    pub leader_timeout: Duration,
}

/// A block that is final.
#[derive(Debug, Clone)]
pub struct FinalBlock {
    /// The block.
    pub block: Arc<SealedBlock>,
    /// The proof for this very height, if this node holds one; else a descendant's proof covers it.
    pub proof: Option<FinalityProof>,
}

/// Most bytes of a message on the snapshot channel.
pub const EXCHANGE_BYTES_MAX: usize = (1 << 20) + (64 << 10);

/// Something that leaves a node no way to go on; the engine stops the chain and reports it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Fatal(pub String);

/// One chain of a node, as the engine sees it.
///
/// `propose` and `verify` may be dropped at any point and asked again.
pub trait Application: Clone + Send + Sync + 'static {
    /// Builds a child of the first of `ancestors` (the parent). May wait for work as long as it likes: the future is
    /// dropped when the view ends. `None` gives the view up.
    fn propose(&self, round: Round, ancestors: Ancestors) -> impl Future<Output = Option<SealedBlock>> + Send;

    /// Judges a block whose parent is the first of `ancestors`. `false` only for what can never become valid; for
    /// anything that time or data may mend, wait.
    fn verify(&self, round: Round, block: Arc<SealedBlock>, ancestors: Ancestors) -> impl Future<Output = bool> + Send;

    /// Takes a final block, in the order of heights, each at least once. Everything that follows from the block is
    /// durable when this returns; only then does the engine forget it.
    fn finalized(&self, block: FinalBlock) -> impl Future<Output = Result<(), Fatal>> + Send;

    /// The validator set of a digest that a final header named as `next_validators`.
    fn validator_set(&self, digest: &Digest) -> Option<Arc<ValidatorSet>>;

    /// A message of a member of the chain on the transaction channel. Must not block; may drop under load.
    fn received(&self, from: PublicKey, message: Bytes);

    /// A request of a member of the chain on the snapshot channel, at most [`EXCHANGE_BYTES_MAX`] bytes as the answer, which may
    /// be none. Requests are brought one at a time.
    fn asked(&self, from: PublicKey, request: Bytes) -> impl Future<Output = Option<Bytes>> + Send;

    /// A validator provably broke the protocol: `kind` names the fault. Only verified evidence is reported.
    fn fault(&self, validator: PublicKey, kind: &'static str);
}

/// Durable blocks and proofs of one chain, by height. Puts may be buffered until [`Archive::sync`]; reads see them.
pub trait Archive: Clone + Send + Sync + 'static {
    /// Stores a block; ignores a height that is held already.
    fn put_block(&self, height: u64, digest: &Digest, bytes: Bytes) -> Result<(), Fatal>;

    /// Stores an encoded finality proof; ignores a height that is held already.
    fn put_proof(&self, height: u64, digest: &Digest, bytes: Bytes) -> Result<(), Fatal>;

    /// Makes every put so far durable.
    fn sync(&self) -> impl Future<Output = Result<(), Fatal>> + Send;

    /// Bytes of the block at a height.
    fn block(&self, height: u64) -> Result<Option<Bytes>, Fatal>;

    /// Header of the block at a height, also where the block itself was removed.
    fn header(&self, height: u64) -> Result<Option<Bytes>, Fatal>;

    /// Height of the block of a digest.
    fn height_of(&self, digest: &Digest) -> Result<Option<u64>, Fatal>;

    /// The proof for exactly this height.
    fn proof(&self, height: u64) -> Result<Option<Bytes>, Fatal>;

    /// Ranges (first, last) of heights whose blocks are held, ascending. Read once, at start.
    fn block_ranges(&self) -> Result<Vec<(u64, u64)>, Fatal>;

    /// Ranges (first, last) of heights whose proofs are held, ascending. Read once, at start.
    fn proof_ranges(&self) -> Result<Vec<(u64, u64)>, Fatal>;
}

/// A validator set and the first epoch and height at which it is in force.
#[derive(Debug, Clone)]
pub struct SetRange {
    /// First epoch.
    pub first_epoch: u64,
    /// First height of that epoch.
    pub first_height: u64,
    /// The set.
    pub validators: Arc<ValidatorSet>,
}

/// A node of the peer network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its key.
    pub key: PublicKey,
    /// "host:port".
    pub address: String,
}

/// Times of the protocol.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// A leader must have proposed within this time.
    pub leader: Duration,
    /// A time-out is repeated after this time.
    pub retry: Duration,
    /// A validator silent for this long is skipped when its turn to lead comes.
    pub skip: Duration,
    /// A request to a peer is repeated elsewhere after this time.
    pub fetch: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            leader: Duration::from_millis(1_000),
            retry: Duration::from_millis(1_000),
            skip: Duration::from_millis(3_000),
            fetch: Duration::from_millis(500),
        }
    }
}

impl Timing {
    /// Times for a chain whose validators wait so long for a leader. A long time costs an idle chain little and a transaction
    /// much when the leader is dead; a validator is skipped once it was silent for more than two such times.
    pub fn with_leader(leader: Duration) -> Self {
        Self {
            leader,
            retry: leader.clamp(Duration::from_millis(1_000), Duration::from_millis(2_000)),
            skip: leader * 2 + Duration::from_millis(1_000),
            ..Self::default()
        }
    }
}

/// What a chain is started with.
#[derive(Debug, Clone)]
pub struct ChainConfig {
    /// Genesis digest.
    pub chain_id: Digest,
    /// The genesis block.
    pub genesis: Arc<SealedBlock>,
    /// Blocks in an epoch.
    pub epoch_length: u64,
    /// Every set so far, ascending by epoch, the genesis set first.
    pub history: Vec<SetRange>,
    /// Last epoch that `history` covers: that of the height after the last durable final block.
    pub known_epoch: u64,
    /// Where the archive begins with a snapshot: the first height that the application takes, whose proof is held. `None` for
    /// a chain that is held from genesis on.
    pub floor: Option<u64>,
    /// Limits of a block on the wire; they may only grow.
    pub limits: yulian_types::BlockLimits,
    /// Transactions that need not be decoded again when they come in a block.
    pub known: Arc<dyn yulian_types::KnownTransactions>,
    /// Prefix of the engine's files of this chain.
    pub prefix: String,
    /// Times of the protocol.
    pub timing: Timing,
    /// Validators and other nodes that take part, with their addresses.
    pub peers: Vec<Peer>,
}

/// Counters of a running chain.
#[derive(Debug, Clone, Default)]
pub struct ChainStatus {
    /// Epoch in force.
    pub epoch: u64,
    /// Last view seen.
    pub view: u64,
    /// Views that ended without a block.
    pub nullified: u64,
    /// Epochs whose engine was started.
    pub engine_starts: u64,
    /// This node is a validator of the epoch.
    pub validating: bool,
    /// Highest height known to be final in the network, delivered or not.
    pub network_height: u64,
    /// Why the chain stopped, if it did.
    pub stopped: Option<String>,
}
