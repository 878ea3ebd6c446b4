//! The state after one block, final or not.

use crate::{Base, BaseError, Executed, cold};
use bytes::Bytes;
use prost::Message;
use std::{borrow::Cow, sync::Arc};
use yulian_state::{
    Path, Prefix, Proof, Tree, value_hash,
    workers::{OneThread, Workers},
};
use yulian_types::StateKey;

/// Why a value cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The base failed.
    #[error(transparent)]
    Base(#[from] BaseError),
    /// The base holds another value than the tree says: it has moved on (the reader stands on a dropped fork or on
    /// an old snapshot), or the disk is corrupt.
    #[error("the committed state is not the one that the tree describes, at path {0}")]
    Stale(Path),
    /// The same of all values under a prefix, whose hashes are not in memory.
    #[error("the committed state is not the one that the tree describes, under the prefix {0}")]
    StaleUnder(Prefix),
    /// A record of the chain itself cannot be decoded: the program that wrote it was another one.
    #[error("the state record {table} cannot be read: {reason}")]
    Record {
        /// Which record.
        table: &'static str,
        /// Why.
        reason: String,
    },
}

/// Reads values by path.
pub(crate) trait ReadPath {
    fn read_path(&mut self, path: &Path) -> Result<Option<Bytes>, StateError>;
}

/// Decodes a record that the chain itself wrote.
pub(crate) fn read_record<M: Message + Default>(
    state: &mut dyn ReadPath,
    key: &StateKey,
    table: &'static str,
) -> Result<Option<M>, StateError> {
    let bytes = state.read_path(&path_of(key))?;
    bytes.map(|bytes| decode_record(bytes, table)).transpose()
}

pub(crate) fn decode_record<M: Message + Default>(bytes: Bytes, table: &'static str) -> Result<M, StateError> {
    M::decode(bytes).map_err(|error| StateError::Record {
        table,
        reason: error.to_string(),
    })
}

/// The place of a key in the tree.
pub fn path_of(key: &StateKey) -> Path {
    Path::of(key.module_id, &key.key)
}

/// The state after one block. Cheap to clone; may be read from any thread. Old snapshots become
/// [`StateError::Stale`] where the base has moved on, never wrong.
#[derive(Debug, Clone)]
pub struct Snapshot<B> {
    base: B,
    tree: Tree,
    /// Blocks whose writes the base may lack, newest first.
    overlays: Arc<[Arc<Executed>]>,
    /// Final blocks after the one described, oldest first: what they replaced stands here.
    undone: Arc<[Arc<Executed>]>,
}

impl<B: Base> Snapshot<B> {
    pub(crate) fn new(base: B, tree: Tree, overlays: Vec<Arc<Executed>>, undone: Vec<Arc<Executed>>) -> Self {
        Self {
            base,
            tree,
            overlays: overlays.into(),
            undone: undone.into(),
        }
    }

    /// The value of a key, or `None`.
    pub fn get(&self, key: &StateKey) -> Result<Option<Bytes>, StateError> {
        self.at(&path_of(key))
    }

    /// The value at a path, or `None`. An absent key costs no read of the base, unless what stands beside it is not in memory.
    pub fn at(&self, path: &Path) -> Result<Option<Bytes>, StateError> {
        let Some(hash) = self.tree_for(std::slice::from_ref(path), &OneThread)?.get(path) else {
            return Ok(None);
        };
        if let Some(value) = self.undone.iter().find_map(|block| block.replaced(path)) {
            return Ok(value.clone());
        }
        if let Some(value) = self.overlays.iter().find_map(|block| block.written(path)) {
            return Ok(value.clone());
        }
        match self.base.value(path)? {
            Some(value) if value_hash(&value) == hash => Ok(Some(value)),
            _ => Err(StateError::Stale(*path)),
        }
    }

    /// A record of a message type; `table` names it in errors.
    pub fn record<M: Message + Default>(&self, key: &StateKey, table: &'static str) -> Result<Option<M>, StateError> {
        self.get(key)?.map(|bytes| decode_record(bytes, table)).transpose()
    }

    /// The value of a key and the proof of it, or of its absence, under the root of [`Snapshot::tree`].
    pub fn prove(&self, key: &StateKey) -> Result<(Option<Bytes>, Proof), StateError> {
        let path = path_of(key);
        Ok((self.at(&path)?, self.tree_for(&[path], &OneThread)?.prove(&path)))
    }

    /// Brings into memory, and keeps there, what look-ups and changes of some paths need of the tree.
    pub(crate) fn load(&mut self, paths: &[Path], workers: &dyn Workers) -> Result<(), StateError> {
        if let Cow::Owned(tree) = self.tree_for(paths, workers)? {
            self.tree = tree;
        }
        Ok(())
    }

    fn tree_for(&self, paths: &[Path], workers: &dyn Workers) -> Result<Cow<'_, Tree>, StateError> {
        let missing = self.tree.missing(paths);
        if missing.is_empty() {
            return Ok(Cow::Borrowed(&self.tree));
        }
        let source = cold::Source {
            base: &self.base,
            overlays: &self.overlays,
            undone: &self.undone,
        };
        Ok(Cow::Owned(source.fill(&self.tree, &missing, workers)?))
    }

    /// The tree of this state. What is [missing](Tree::missing) of it stays so.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }
}

impl<B: Base> ReadPath for Snapshot<B> {
    fn read_path(&mut self, path: &Path) -> Result<Option<Bytes>, StateError> {
        self.load(std::slice::from_ref(path), &OneThread)?;
        self.at(path)
    }
}
