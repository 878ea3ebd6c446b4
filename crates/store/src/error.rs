//! What can go wrong with a store.

use std::{io, path::PathBuf, sync::Arc};

/// Why a store could not be opened, read or written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The folder was written by a newer version of the program.
    #[error("the data folder {folder} has format {found}, this program knows up to {known}: use a newer program")]
    NewerFormat {
        /// The data folder.
        folder: PathBuf,
        /// The format number found.
        found: u32,
        /// The newest format number that this program reads.
        known: u32,
    },
    /// The folder has a version file that is not a number, or data without a version file.
    #[error("{folder} is not a data folder of this program: {reason}")]
    NotAStore {
        /// The data folder.
        folder: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another process (or another store of this one) has the folder open.
    #[error("the data folder {folder} is in use by another process")]
    InUse {
        /// The data folder.
        folder: PathBuf,
    },
    /// The disk has no room, or a quota is reached. The store takes no more commits until it is opened again.
    #[error("the disk is full; free some space and start again")]
    DiskFull,
    /// Reading or writing failed. After a failed write the store takes no more commits until it is opened again.
    #[error("{step} failed: {source}")]
    Io {
        /// What was being done.
        step: &'static str,
        /// The cause.
        source: Arc<io::Error>,
    },
    /// Bytes on the disk are not what was written.
    #[error("the stored data is damaged: {0}")]
    Damaged(String),
    /// An earlier commit failed; nothing after it may become durable.
    #[error("the store stopped after a failed commit: {0}")]
    Stopped(String),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// [`crate::COMMITS_MAX`] commits are waiting; nothing was changed, try again when one has resolved.
    #[error("{max} commits are waiting already", max = crate::COMMITS_MAX)]
    Busy,
    /// The space is not one of those the store was opened with.
    #[error("the store has no space named {0}")]
    UnknownSpace(&'static str),
    /// A key is longer than [`crate::KEY_BYTES_MAX`], or empty.
    #[error("a key has {0} bytes; 1 to {max} are possible", max = crate::KEY_BYTES_MAX)]
    KeyLength(usize),
    /// A value is longer than [`crate::VALUE_BYTES_MAX`].
    #[error("a value has {0} bytes; at most {max} are possible", max = crate::VALUE_BYTES_MAX)]
    ValueLength(usize),
    /// A batch is larger than [`crate::BATCH_BYTES_MAX`].
    #[error("a batch has {0} bytes; at most {max} are possible", max = crate::BATCH_BYTES_MAX)]
    BatchLength(usize),
}

impl StoreError {
    /// The error of a failed step, with a full disk told apart.
    pub(crate) fn io(step: &'static str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Io {
                step,
                source: Arc::new(source),
            },
        }
    }
}
