//! What can go wrong with a chain's ledger.

use yulian_engine::Fatal;
use yulian_exec::BaseError;
use yulian_store::StoreError;
use yulian_types::Digest;

/// Why a ledger cannot be opened, read or written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something that must be there is missing or malformed.
    #[error(
        "the ledger is damaged: {0}; restore a backup, or remove the folder and fetch the chain from the other nodes"
    )]
    Damaged(String),
    /// The folder belongs to another chain.
    #[error("the data folder holds the chain {found}, not {expected}: check the genesis file and the folder")]
    OtherGenesis {
        /// Chain id found.
        found: Digest,
        /// Chain id of the genesis given.
        expected: Digest,
    },
    /// The folder was written by a newer version.
    #[error("the ledger has format {found}, this program knows up to {known}: use a newer program")]
    NewerFormat {
        /// Format found.
        found: u32,
        /// Newest format known.
        known: u32,
    },
    /// The stored state is not the one that the chain agreed on.
    #[error(
        "the stored state has the root {found}, but block {height} left {expected}: restore a backup, or remove the folder and fetch the chain from the other nodes"
    )]
    StateRoot {
        /// Height of the block after which the state should stand.
        height: u64,
        /// Root computed from the stored values.
        found: Digest,
        /// Root that was agreed on.
        expected: Digest,
    },
    /// The genesis breaks a rule of its content.
    #[error("the genesis cannot be applied: {0}")]
    Genesis(String),
    /// A block does not follow the last final one.
    #[error("block {found} cannot be made final after block {last}")]
    NotNext {
        /// Height of the block.
        found: u64,
        /// Last final height.
        last: u64,
    },
    /// Another block is final at that height already: more than a third of the validators lied, or the disk did.
    #[error(
        "block {height} is final with digest {held}, and now with {offered}: the chain has forked, stop and call the operators of the consortium"
    )]
    Fork {
        /// The height.
        height: u64,
        /// Digest held.
        held: Digest,
        /// Digest offered.
        offered: Digest,
    },
}

impl LedgerError {
    pub(crate) fn damaged(what: impl std::fmt::Display) -> Self {
        Self::Damaged(what.to_string())
    }
}

impl From<LedgerError> for Fatal {
    fn from(error: LedgerError) -> Self {
        Self(error.to_string())
    }
}

impl From<LedgerError> for BaseError {
    fn from(error: LedgerError) -> Self {
        Self(error.to_string())
    }
}
