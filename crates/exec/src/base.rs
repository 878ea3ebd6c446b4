//! The committed state below the unfinalised blocks.

use crate::hashing::PathMap;
use bytes::Bytes;
use std::sync::{Arc, PoisonError, RwLock};
use yulian_state::{Path, write_set::Write};

/// Reading the committed state failed: the disk, not the chain, is at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the committed state cannot be read: {0}")]
pub struct BaseError(pub String);

/// The latest committed value of every key. What it returns is checked against the tree, so it may run ahead of a reader.
pub trait Base: Clone + Send + Sync + 'static {
    /// The value at a path, or `None`.
    fn value(&self, path: &Path) -> Result<Option<Bytes>, BaseError>;
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
}
