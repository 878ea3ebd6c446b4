//! The disk: an atomic, durable key-value store per chain, with two interchangeable back-ends.
//!
//! [`FjallKv`] is the one for production: a log-structured merge tree in a folder. [`LogKv`] keeps everything in memory and in one append-only log over a [`LogFile`] that the caller
//! brings; it is for the deterministic simulation. Both back-ends pass one suite of contract tests.

mod batch;
mod check;
mod error;
mod fjall_kv;
mod log;
mod space;

pub use crate::{
    batch::Batch,
    error::StoreError,
    fjall_kv::{FjallKv, Options, SEALED_MAX},
    log::{LogFile, LogKv, MemoryLog},
    space::*,
};

use bytes::Bytes;
use std::{future::Future, ops::Bound, sync::Arc};

/// Longest key, bytes.
pub const KEY_BYTES_MAX: usize = 1024;
/// Longest value, bytes.
pub const VALUE_BYTES_MAX: usize = 64 << 20;
/// Largest batch, bytes as counted by [`Batch::bytes`].
pub const BATCH_BYTES_MAX: usize = 256 << 20;
/// Commits that may wait to become durable at one time; one more is answered with [`StoreError::Busy`].
pub const COMMITS_MAX: usize = 64;

/// A key with its value.
pub type Entry = (Bytes, Bytes);

/// What a store held at one moment, whatever is committed later. Holding it keeps what was removed since on the disk: let go
/// of it soon.
pub trait View: Send + Sync {
    /// The value of `key`, if there was one.
    ///
    /// # Errors
    /// Those of [`Kv::get`].
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, StoreError>;

    /// At most `limit` entries between the bounds, in key order.
    ///
    /// # Errors
    /// Those of [`Kv::get`].
    fn range(&self, space: Space, from: Bound<&[u8]>, to: Bound<&[u8]>, limit: usize)
    -> Result<Vec<Entry>, StoreError>;
}

/// A sorted key-value store of one chain. Clones are handles to the same store.
///
/// Reads are synchronous: both back-ends answer from memory or the page cache. A commit is visible to reads
/// at the latest when it resolves, and may be a moment before.
pub trait Kv: Clone + Send + Sync + 'static {
    /// The value of `key`, if there is one.
    ///
    /// # Errors
    /// [`StoreError::UnknownSpace`], [`StoreError::Closed`], [`StoreError::Damaged`], [`StoreError::Io`].
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, StoreError>;

    /// At most `limit` entries between the bounds, in key order, or from the end with `reverse`.
    ///
    /// # Errors
    /// Those of [`Kv::get`].
    fn range(
        &self,
        space: Space,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        limit: usize,
        reverse: bool,
    ) -> Result<Vec<Entry>, StoreError>;

    /// Everything as it is visible now: each batch is in it whole or not at all.
    ///
    /// # Errors
    /// [`StoreError::Closed`].
    fn view(&self) -> Result<Arc<dyn View>, StoreError>;

    /// Applies a batch: atomically, and durably once the future resolves to `Ok`.
    ///
    /// Commits are applied in the order in which this function is called (not in that of the futures' first
    /// poll), and an acknowledged commit implies all earlier ones. A future that is dropped leaves it open
    /// whether its batch is applied; the order holds nonetheless.
    ///
    /// # Errors
    /// A batch beyond the limits, or one too many ([`StoreError::Busy`]), is refused without effect. Any other error stops the store: this and every
    /// later commit fails until it is opened again, and what is then found is a prefix of the commits.
    fn commit(&self, batch: Batch) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Gives the disk space of entries that were removed from `space` back to the system. Takes time in proportion to
    /// what is left in the space; reads and commits go on meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Busy`] while another reclaim runs; otherwise those of a commit.
    fn reclaim(&self, space: Space) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Bytes on the disk.
    ///
    /// # Errors
    /// [`StoreError::Closed`], [`StoreError::Io`].
    fn disk_bytes(&self) -> Result<u64, StoreError>;

    /// Number of times that data was forced to the disk since the store was opened.
    fn sync_count(&self) -> u64;

    /// Lets go of the disk; later calls on any handle answer [`StoreError::Closed`]. Commits that have not resolved
    /// yet are finished or answer the same.
    fn close(&self);
}
