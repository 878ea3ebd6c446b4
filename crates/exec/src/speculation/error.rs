//! Why a block is refused, or cannot be judged or executed.

use crate::{Failure, GenesisFault, StateError, UnknownProtocol};
use yulian_crypto::Digest;

/// What is wrong with a block: it can never become right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockFault {
    /// A header field is not what the chain asks for at this place.
    #[error("header field {field}: expected {expected}, found {found}")]
    Header {
        /// Name of the field.
        field: &'static str,
        /// What it must be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The block time is not after the parent's.
    #[error("block time {found} ms is not after the parent's, {parent} ms")]
    Time {
        /// Time of the parent.
        parent: u64,
        /// Time of the block.
        found: u64,
    },
    /// The round in which the block was proposed is not that of its height.
    #[error("the round's {field} is {round}, the height's {height}")]
    Round {
        /// "epoch" or "validators".
        field: &'static str,
        /// What the round says.
        round: String,
        /// What the chain says.
        height: String,
    },
    /// Too many transactions.
    #[error("{found} transactions, at most {limit} are allowed")]
    TooMany {
        /// Transactions in the block.
        found: u64,
        /// The parameter.
        limit: u64,
    },
    /// The transactions are too long together.
    #[error("{found} bytes of transactions, at most {limit} are allowed")]
    TooLong {
        /// Bytes, framing included.
        found: u64,
        /// The parameter.
        limit: u64,
    },
    /// A transaction breaks the validity rule.
    #[error("transaction {index}: {failure}")]
    Transaction {
        /// Position in the block.
        index: usize,
        /// The rule it breaks.
        failure: Failure,
    },
}

/// Why a call of [`crate::Speculation`] gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpeculationError {
    /// The block is wrong.
    #[error("wrong block: {0}")]
    Fault(#[from] BlockFault),
    /// The parent is neither the last final block nor an executed one: execute it first.
    #[error("block {0} has not been executed here, or was dropped")]
    UnknownBlock(Digest),
    /// Only a child of the last final block can become final.
    #[error("block {0} is not a child of the last final block")]
    NotNext(Digest),
    /// The base has not committed enough of the final blocks.
    #[error("{0} final blocks wait for the disk")]
    Uncommitted(usize),
    /// The state cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The node must stop.
    #[error(transparent)]
    Protocol(#[from] UnknownProtocol),
    /// The genesis asks for what this program does not have.
    #[error(transparent)]
    Genesis(#[from] GenesisFault),
    /// What the chain is resumed from does not fit together.
    #[error("cannot resume the chain: {0}")]
    Anchor(String),
}
