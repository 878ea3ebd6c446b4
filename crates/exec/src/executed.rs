//! The result of executing one block.

use crate::parameters::Parameters;
use bytes::Bytes;
use std::sync::Arc;
use yulian_crypto::Digest;
use yulian_state::{Change, Path, Tree, history::Undo, write_set::Write};
use yulian_types::{ParentResults, ValidatorSet, proto};

/// Everything that executing a block yields. Never changes; forgetting it costs nothing.
#[derive(Debug)]
pub struct Executed {
    /// Digest of the block.
    pub digest: Digest,
    /// Its header.
    pub header: proto::BlockHeader,
    /// Digest of its parent.
    pub parent: Digest,
    /// Ids of its transactions, in block order.
    pub ids: Vec<Digest>,
    /// Encoded receipts, in block order.
    pub receipts: Vec<Bytes>,
    /// What the block wrote, one entry for each key, ascending by path.
    pub writes: Vec<Write>,
    /// Path and value hash of each of `writes`.
    pub changes: Vec<Change>,
    /// What leads from the state after the block back to the one before it.
    pub undo: Undo,
    /// The state after the block.
    pub tree: Tree,
    /// What the child's header must carry.
    pub results: ParentResults,
    /// The chain's parameters after the block: the rules for its child.
    pub parameters: Arc<Parameters>,
    /// Validators in force at the block.
    pub validators: Arc<ValidatorSet>,
    /// First height at which they were in force without interruption.
    pub validators_since: u64,
    /// The set that the block's header names as next: what the state before the block decided.
    pub announced: Arc<ValidatorSet>,
    /// The set that the state after the block decided for the next epoch that is open.
    pub decided: Arc<ValidatorSet>,
    /// Protocol versions by height, after the block.
    pub protocol: Arc<proto::ProtocolSchedule>,
    /// The list of registered nodes, or a node's record, changed.
    pub nodes_changed: bool,
    /// The block wrote something that other chains wait for: a proof of it needs the next block.
    pub links_changed: bool,
    /// What stood at each of `writes` before the block.
    pub(crate) previous: Vec<Option<Bytes>>,
    /// `ids` sorted, for the replay check.
    pub(crate) sorted_ids: Vec<Digest>,
}

impl Executed {
    /// Height of the block.
    pub fn height(&self) -> u64 {
        self.header.height
    }

    /// Block time, ms since 1970-01-01 UTC.
    pub fn time_ms(&self) -> u64 {
        self.header.time_ms
    }

    /// Whether a set other than the one in force waits for the epoch's end. An idle chain then makes empty blocks,
    /// so that the change takes effect.
    pub fn change_pending(&self) -> bool {
        self.decided.digest() != self.validators.digest()
    }

    pub(crate) fn contains_id(&self, id: &Digest) -> bool {
        self.sorted_ids.binary_search(id).is_ok()
    }

    /// The value that the block gave to a path, if it wrote it.
    pub(crate) fn written(&self, path: &Path) -> Option<&Option<Bytes>> {
        self.index_of(path).map(|at| &self.writes[at].value)
    }

    /// What stood at a path before the block, if the block wrote it.
    pub(crate) fn replaced(&self, path: &Path) -> Option<&Option<Bytes>> {
        self.index_of(path).map(|at| &self.previous[at])
    }

    fn index_of(&self, path: &Path) -> Option<usize> {
        self.changes.binary_search_by(|change| change.0.cmp(path)).ok()
    }
}
