//! The relay agent: follows the chains of a fusion network and carries headers, packets, acknowledgements and time-outs.
//!
//! One task follows each chain and notes on the [`Board`] what became of each packet. One task for each chain, its *lane*, asks the
//! board for what can be done there next and has several *flights* under way: each reads what it needs of every other chain in one
//! request, brings one header of each and many items. A keeper opens light clients on the relay chain's word and keeps them within
//! their trust period. Another task looks which node of a chain is ahead, so that none that is cut off is followed for long, and
//! whether all of them call the same blocks final.

mod board;
mod cursor;
mod flight;
mod forks;
mod items;
mod keeper;
mod lane;
mod nodes;
mod reads;
mod rescue;
mod status;
mod tick;
mod updates;
mod watch;

pub use self::{
    board::{Board, Event, PacketKey, Stage, Step},
    cursor::{CursorError, Cursors},
    status::{ChainStatus, RelayStatus},
};

use self::status::Counters;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    sync::Notify,
    task::{JoinError, JoinSet},
};
use yulian_crypto::Digest;
use yulian_sdk::{Account, Chain};
use yulian_types::proto::LinkClient;

/// Most chains of one agent.
pub const CHAINS_MAX: usize = 256;
/// How often cursors and status are written.
const WRITE_EVERY: Duration = Duration::from_secs(1);

/// Why an agent cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The chains are not a fusion network.
    #[error(
        "中继代理需要 2 至 {CHAINS_MAX} 条链，其中一条是中继链 / 2 to {CHAINS_MAX} chains are expected, one of them the relay chain"
    )]
    Chains,
    /// The folder of the cursors cannot be used.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// A part of the agent broke down.
    #[error("代理的一个任务异常终止：{0} / a task of the agent broke down")]
    Task(#[source] JoinError),
}

/// A chain, and who carries on it.
#[derive(Debug, Clone)]
pub struct Member {
    /// The chain at its nodes.
    pub chain: Chain,
    /// Any account of the chain, without roles. None where the chain is another platform's: it is followed and its proofs are read,
    /// what is to be submitted there is for that platform's own agent.
    pub account: Option<Account>,
}

/// What an agent is started with.
#[derive(Debug)]
pub struct RelayConfig {
    /// All chains, the relay chain among them.
    pub members: Vec<Member>,
    /// Genesis digest of the relay chain.
    pub hub: Digest,
    /// Where cursors and status are written; made if it is not there.
    pub folder: PathBuf,
}

/// A chain as the agent knows it.
pub(crate) struct Place {
    pub(crate) member: Member,
    /// Last height that was followed, and its time.
    pub(crate) height: AtomicU64,
    pub(crate) time_ms: AtomicU64,
    /// When a tick was last asked for, ms.
    pub(crate) ticked_ms: AtomicU64,
    /// It is to be followed anew: at another node, or once more from an earlier height on.
    pub(crate) moved: Notify,
    /// The light clients that the chain keeps of others, as they were read last.
    clients: Mutex<BTreeMap<Digest, LinkClient>>,
}

impl Place {
    fn new(member: Member, height: u64) -> Self {
        Self {
            member,
            height: AtomicU64::new(height),
            time_ms: AtomicU64::new(0),
            ticked_ms: AtomicU64::new(0),
            moved: Notify::new(),
            clients: Mutex::default(),
        }
    }

    pub(crate) fn chain(&self) -> &Chain {
        &self.member.chain
    }

    pub(crate) fn clients(&self) -> MutexGuard<'_, BTreeMap<Digest, LinkClient>> {
        self.clients.lock().expect("light clients")
    }

    /// Whether this agent carries there.
    pub(crate) fn is_own(&self) -> bool {
        self.member.account.is_some()
    }
}

/// What all tasks share.
pub(crate) struct Shared {
    pub(crate) places: BTreeMap<Digest, Place>,
    pub(crate) hub: Digest,
    board: Mutex<Board>,
    pub(crate) wake: Notify,
    pub(crate) counters: Counters,
}

impl Shared {
    /// Whether anything can be done here about packets between two chains.
    pub(crate) fn concerns(&self, source: &Digest, destination: &Digest) -> bool {
        let is_own = |chain: &Digest| self.places.get(chain).is_some_and(Place::is_own);
        [source, destination, &self.hub].into_iter().any(is_own)
    }

    pub(crate) fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().expect("the board")
    }

    /// Shows what did not work at a chain.
    pub(crate) fn error(&self, at: &Digest, text: String) {
        self.counters.error(self.places[at].chain().name(), text);
    }
}

pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Runs until the future is dropped.
///
/// # Errors
/// [`RelayError`]. A chain that cannot be followed and what could not be carried are no errors: both are tried again, and shown in
/// the status.
pub async fn run(config: RelayConfig) -> Result<(), RelayError> {
    let (members, hub) = (config.members, config.hub);
    let known = members.iter().any(|member| member.chain.id() == hub);
    if !known || !(2..=CHAINS_MAX).contains(&members.len()) {
        return Err(RelayError::Chains);
    }
    let cursors = Cursors::open(&config.folder)?;
    let place = |member: Member| {
        let id = member.chain.id();
        (id, Place::new(member, cursors.height(&id)))
    };
    let followed = members.iter().map(|member| member.chain.id()).collect();
    let shared = Arc::new(Shared {
        places: members.into_iter().map(place).collect(),
        hub,
        board: Mutex::new(Board::new(hub, followed)),
        wake: Notify::new(),
        counters: Counters::default(),
    });
    let mut tasks = JoinSet::new();
    for (chain, place) in &shared.places {
        tasks.spawn(watch::follow(shared.clone(), *chain));
        if place.is_own() {
            tasks.spawn(lane::run(shared.clone(), *chain));
        }
    }
    tasks.spawn(keeper::run(shared.clone()));
    tasks.spawn(tick::run(shared.clone()));
    tasks.spawn(nodes::run(shared.clone()));
    // Only an error ends a part; the others end with the set.
    tokio::select! {
        Some(ended) = tasks.join_next() => ended.map_err(RelayError::Task)?,
        // Not a task: whoever drops this future has the folder back.
        ended = write(&shared, cursors) => ended,
    }
}

/// Keeps cursors and status on disk. A cursor is behind everything that is not finished, so nothing is missed after a crash.
async fn write(shared: &Shared, mut cursors: Cursors) -> Result<(), RelayError> {
    loop {
        tokio::time::sleep(WRITE_EVERY).await;
        follow_again(shared);
        let heights: Vec<(Digest, u64)> = {
            let board = shared.board();
            let done = |(id, place): (&Digest, &Place)| (*id, board.done_up_to(id, place.height.load(Relaxed)));
            shared.places.iter().map(done).collect()
        };
        cursors.write(heights)?;
        cursors.write_status(&status::read(shared))?;
    }
}

/// Has those chains followed once more for whose packets there is room now. Such a chain may stand still: no block of it would tell
/// its follower.
fn follow_again(shared: &Shared) {
    let again = shared.board().to_follow_again();
    for place in again.iter().filter_map(|id| shared.places.get(id)) {
        place.moved.notify_one();
    }
}
