//! One chain's ledger over a key-value store: blocks, proofs, the flat state, receipts and look-ups.
//!
//! Everything that follows from a final block is one batch, and the block is acknowledged only after that batch is
//! durable: a crash leaves a ledger that ends with a block, and the engine delivers what comes after it again.

mod archive;
mod buffer;
mod commit;
mod error;
mod evidence;
mod held;
mod history;
mod import;
mod keys;
mod meta;
mod open;
mod pin;
mod prune;
mod read;
mod replay;
mod state;
mod transfer;

#[cfg(test)]
mod tests;

pub use commit::Commit;
pub use error::LedgerError;
pub use evidence::Deposit;
pub use history::{GROUP_HEIGHTS, HISTORY_HEIGHTS, PastError, PastProof};
pub(crate) use import::{Import, Whole};
pub use meta::{LEDGER_FORMAT, SetMark, Tip};
pub use open::Opened;
pub(crate) use pin::Pinned;
pub use prune::{PRUNE_HEIGHTS_MAX, RETAIN_BLOCKS_MIN};
pub(crate) use read::first_height;
pub use read::{COVER_HEADERS_MAX, Cover};
pub use replay::{ReplayError, ReplayOptions, Replayed, replay};
pub(crate) use state::parse as parse_record;
pub use transfer::{BackupWriter, TransferError, Transferred, export, import, import_within};

use buffer::Buffer;
use history::Past;
use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};
use yulian_store::Kv;
use yulian_types::{Digest, SealedBlock, SealedGenesis};

/// The ledger of one chain. Clones are handles to the same ledger.
pub struct Ledger<K>(Arc<Inner<K>>);

struct Inner<K> {
    kv: K,
    genesis: Arc<SealedGenesis>,
    genesis_block: Arc<SealedBlock>,
    buffer: Mutex<Buffer>,
    known: RwLock<Known>,
    past: Mutex<Past>,
}

/// What is kept in memory of the durable part.
#[derive(Debug)]
struct Known {
    tip: Tip,
    /// Ascending by epoch; the genesis set first.
    sets: Vec<SetMark>,
    /// Organisations that ever deposited evidence.
    depositing: BTreeSet<String>,
    /// Organisations that were ever registered.
    organisations: BTreeSet<String>,
    /// Blocks below this height have lost their bodies.
    pruned: u64,
    /// The first height that was executed here, if the chain was begun with a snapshot.
    floor: Option<u64>,
}

impl<K> Clone for Ledger<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K> fmt::Debug for Ledger<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ledger").field(&self.0.genesis.chain_id).finish()
    }
}

impl<K> Ledger<K> {
    fn buffer(&self) -> MutexGuard<'_, Buffer> {
        self.0.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.0.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_mut(&self) -> RwLockWriteGuard<'_, Known> {
        self.0.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn past(&self) -> MutexGuard<'_, Past> {
        self.0.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The genesis.
    pub fn genesis(&self) -> &Arc<SealedGenesis> {
        &self.0.genesis
    }

    /// The block of height 0.
    pub fn genesis_block(&self) -> &Arc<SealedBlock> {
        &self.0.genesis_block
    }

    /// Genesis digest of the chain.
    pub fn chain_id(&self) -> Digest {
        self.0.genesis.chain_id
    }

    /// The last durable final block.
    pub fn tip(&self) -> Tip {
        self.known().tip
    }

    /// Every set of the chain, the genesis set first, up to the epoch after the tip.
    pub fn sets(&self) -> Vec<SetMark> {
        self.known().sets.clone()
    }

    /// Blocks below this height have no body here any more.
    pub fn pruned_below(&self) -> u64 {
        self.known().pruned
    }

    /// The first height that was executed here, if the chain was begun here with a snapshot: look-ups of transactions and
    /// deposits begin there.
    pub fn floor(&self) -> Option<u64> {
        self.known().floor
    }

    /// Blocks in an epoch.
    pub fn epoch_length(&self) -> u64 {
        self.0.genesis.message.epoch_length
    }
}

impl<K: Kv> Ledger<K> {
    /// The store below, for its figures.
    pub fn store(&self) -> &K {
        &self.0.kv
    }
}
