//! What can be wrong with a snapshot that a member gives.

use yulian_light::{HeaderError, HistoryError};
use yulian_state::PartError;
use yulian_types::BlockError;

/// Why a member's snapshot is of no use. All that was brought of it is removed, and another member is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No answer came for too long.
    #[error("it does not answer")]
    Silent,
    /// It let go of the snapshot, or cannot give all of it.
    #[error("it no longer gives the snapshot")]
    Gone,
    /// Bytes are not what was asked for.
    #[error("its answer is malformed: {0}")]
    Form(&'static str),
    /// The header that the snapshot stands on is not final.
    #[error("the header of the snapshot: {0}")]
    Header(#[from] HeaderError),
    /// A change of the validator set is not proven.
    #[error("a change of the validator set: {0}")]
    Sets(#[from] HistoryError),
    /// A header is not the parent of the one above it, down to genesis.
    #[error("the header at height {0} is not that of the chain")]
    Ancestor(u64),
    /// A part of the state does not follow from the root.
    #[error("a part of the state: {0}")]
    Part(#[from] PartError),
    /// A block is malformed, or its body is not the one that its header commits to.
    #[error("block {height}: {source}")]
    Block {
        /// The height.
        height: u64,
        /// What is wrong with it.
        source: BlockError,
    },
    /// A block is not the one of its height.
    #[error("block {0} is another than the chain's")]
    OtherBlock(u64),
    /// Receipts are not those that the next header commits to.
    #[error("the receipts of block {0} are not those that the chain agreed on")]
    Receipts(u64),
}

impl Fault {
    /// A name that never changes, for logs and those who search in them.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Silent => "snapshot-silent",
            Self::Gone => "snapshot-gone",
            Self::Form(_) => "snapshot-form",
            Self::Header(_) => "snapshot-header",
            Self::Sets(_) => "snapshot-sets",
            Self::Ancestor(_) => "snapshot-ancestor",
            Self::Part(_) => "snapshot-part",
            Self::Block { .. } => "snapshot-block",
            Self::OtherBlock(_) => "snapshot-other-block",
            Self::Receipts(_) => "snapshot-receipts",
        }
    }

    /// Whether the member is to blame, and not the link to it or the time that passed.
    pub(crate) fn is_lie(&self) -> bool {
        !matches!(self, Self::Silent | Self::Gone)
    }
}
