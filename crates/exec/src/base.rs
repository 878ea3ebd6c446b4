//! The committed state below the unfinalised blocks.

use crate::hashing::PathMap;
use bytes::Bytes;
use std::sync::{Arc, PoisonError, RwLock};
use yulian_state::{Path, Prefix, write_set::Write};

/// Reading the committed state failed: the disk, not the chain, is at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the committed state cannot be read: {0}")]
pub struct BaseError(pub String);

/// The latest committed value of every key. What it returns is checked against the tree, so it may run ahead of a reader.
pub trait Base: Clone + Send + Sync + 'static {
    /// The value at a path, or `None`.
    fn value(&self, path: &Path) -> Result<Option<Bytes>, BaseError>;

    /// All values whose paths have a prefix, by path, ascending; the first `limit` of them if there are more. Asked for only where
    /// the tree has a limit of memory.
    fn values(&self, prefix: &Prefix, limit: usize) -> Result<Vec<(Path, Bytes)>, BaseError>;
}

/// A base in memory, shared by its clones: for tests, simulations and benchmarks.
#[derive(Debug, Clone, Default)]
pub struct MemoryBase(Arc<RwLock<PathMap<Bytes>>>);

impl MemoryBase {
    /// Applies the writes of a block.
    pub fn commit(&self, writes: &[Write]) {
        let mut values = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for write in writes {
            match &write.value {
                Some(value) => values.insert(write.path(), value.clone()),
                None => values.remove(&write.path()),
            };
        }
    }
}

impl Base for MemoryBase {
    fn value(&self, path: &Path) -> Result<Option<Bytes>, BaseError> {
        let values = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Ok(values.get(path).cloned())
    }

    /// Looks at every value: whoever holds all values in memory needs no limit but to test it.
    #[allow(
        clippy::disallowed_methods,
        reason = "sorted at once: the order of the table does not get out"
    )]
    fn values(&self, prefix: &Prefix, limit: usize) -> Result<Vec<(Path, Bytes)>, BaseError> {
        let values = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let under = values.iter().filter(|(path, _)| prefix.holds(path));
        let mut found: Vec<_> = under.map(|(path, value)| (*path, value.clone())).collect();
        found.sort_unstable_by_key(|(path, _)| *path);
        found.truncate(limit);
        Ok(found)
    }
}
