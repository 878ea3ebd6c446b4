//! Proofs of what a key had at a former height, without keeping the trees of all heights.
//!
//! The paths are divided by their first byte into 256 *chunks*. For every block two things are kept: its [`Undo`], which says for
//! each path that it changed what stood there before, chunk by chunk; and the [`ChunkRoots`] after it. To prove
//! something at height h, the one chunk where the path leads is rolled back from now to h and must have the root
//! that is kept for h; the upper eight levels of the proof follow from the other chunks' roots ([`prove_at`]).
//!
//! What comes out is the very proof that the tree gave when h was current. Chunks are a matter of one node's
//! storage: neither the state root nor a proof shows them. A block of 4,000 changes, 80 % of them overwrites, costs
//! 230 KB of undo records and at most 8 KB of roots.

mod prove;
mod roots;
mod undo;

pub use self::{
    prove::{ChunkAt, FOLDED_CHANGES_MAX, Folded, prove_at},
    roots::{CHUNK_ROOTS_BYTES_MAX, CHUNKS, ChunkRoots},
    undo::{UNDO_BYTES_MAX, Undo, decode_chunk, encode_chunk},
};

use crate::Path;

/// Why history cannot be told. All but [`HistoryError::Elsewhere`], which is the caller's mistake, and
/// [`HistoryError::TooMany`] mean that the records are damaged or not those of this chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// An undo record with more than [`UNDO_BYTES_MAX`] bytes.
    #[error("an undo record of {0} bytes is too long")]
    TooLong(usize),
    /// An undo record ends in the middle of a change, or is empty: a chunk without changes has no record.
    #[error("an undo record of chunk {0:#04x} is cut short")]
    Cut(u8),
    /// A change is neither marked as having had a value (1) nor as having had none (0).
    #[error("an undo record has the mark {0}")]
    Mark(u8),
    /// Paths do not strictly ascend.
    #[error("an undo record is out of order at path {0}")]
    Order(Path),
    /// Chunk roots that nothing writes like this.
    #[error("chunk roots cannot be read from {0} bytes")]
    Roots(usize),
    /// More changes than [`FOLDED_CHANGES_MAX`] lie between now and the height asked for.
    #[error("too many changes lie in between")]
    TooMany,
    /// The chunk, rolled back, does not have the root that is kept for the height.
    #[error("chunk {0:#04x} rolled back has another root than the one kept")]
    Root(u8),
    /// At that height the path leads to another chunk: see [`ChunkRoots::chunk_of`].
    #[error("path {0} does not lead to this chunk")]
    Elsewhere(Path),
}
