//! Proofs at former heights.

use super::{Past, ROOTS, group_key, key, record};
use crate::ledger::{Ledger, LedgerError, meta, state};
use bytes::Bytes;
use yulian_crypto::Digest;
use yulian_state::{
    Found, Path, Prefix, Proof, Tree,
    history::{ChunkAt, ChunkRoots, Folded, HistoryError},
    value_hash,
};
use yulian_store::{Kv, UNDO};

/// What was at a path after a former block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastProof {
    /// Hash of the value; `None` if there was none.
    pub value_hash: Option<Digest>,
    /// The value, if it is still the one of the last block: others are not kept.
    pub value: Option<Bytes>,
    /// The proof of either under `root`: the very one that the tree gave then.
    pub proof: Proof,
    /// The state root after the block, which the header of the next one carries.
    pub root: Digest,
}

/// Why there is no proof at a former height.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PastError {
    /// What is needed is no longer held, or never was.
    #[error("the state can be proven from height {first} on")]
    NotHeld {
        /// The lowest height that can be proven now.
        first: u64,
    },
    /// The height is later than the state that the proof is to start from.
    #[error("the block is not final here yet")]
    NotYet,
    /// More changes lie in between than are taken back.
    #[error("too many changes lie between that height and now")]
    TooMany,
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl From<HistoryError> for PastError {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::TooMany => Self::TooMany,
            other => LedgerError::damaged(other).into(),
        }
    }
}

/// What is taken back of a chunk, newest first: records of single blocks, then groups.
struct Way {
    blocks: Vec<Bytes>,
    /// First and last heights.
    groups: Vec<(u64, u64)>,
}

impl Past {
    /// What leads from the state after `last` to the one after `after`.
    fn way(&self, after: u64, last: u64, chunk: u8) -> Way {
        let groups = self.groups.iter().rev();
        let groups = groups.filter(|(_, group)| group.whole_with <= self.durable);
        let groups: Vec<_> = groups.map(|(first, group)| (*first, group.last)).collect();
        let grouped = groups.first().map_or(self.first, |(_, last)| *last);
        let blocks = self.blocks.iter().rev();
        let blocks = blocks.filter(|(height, _)| (after.max(grouped) + 1..=last).contains(*height));
        Way {
            blocks: blocks.filter_map(|(_, record)| record.chunk(chunk).cloned()).collect(),
            groups: groups.into_iter().take_while(|(_, end)| *end > after).collect(),
        }
    }
}

impl<K: Kv> Ledger<K> {
    /// The lowest height whose state can be proven.
    pub fn history_from(&self) -> u64 {
        self.past().first()
    }

    /// Sets how many heights behind the last one stay provable; [`super::HISTORY_HEIGHTS`] if this is not called. What is too
    /// much goes as blocks come.
    pub fn keep_history(&self, heights: u64) {
        self.past().set_keep(heights);
    }

    /// Proves what was at a path after the block of `height`, starting from the state after the block of `current`: a durable
    /// one, and its tree. Takes time in proportion to the changes in between: not for a task that others wait for.
    ///
    /// # Errors
    /// [`PastError`]; what is damaged never gives a proof that does not hold.
    pub fn prove_past(&self, (current, tree): (u64, &Tree), height: u64, path: &Path) -> Result<PastProof, PastError> {
        if height > current {
            return Err(PastError::NotYet);
        }
        let proof = self.roll_back((current, tree), height, path);
        // Looked at afterwards, so that what was removed meanwhile is not taken for damage.
        match self.history_from() {
            first if height < first => Err(PastError::NotHeld { first }),
            _ => proof,
        }
    }

    fn roll_back(&self, (current, tree): (u64, &Tree), height: u64, path: &Path) -> Result<PastProof, PastError> {
        let roots = self.chunk_roots(height)?;
        let proof = match roots.chunk_of(path) {
            None => Tree::new().prove(path),
            Some(chunk) => {
                let way = self.past().way(height, current, chunk);
                let folded = self.fold(&way, (height, current), chunk)?;
                let found = self.found((current, chunk), &folded.missing(tree))?;
                let tree = tree.fill(&found).map_err(LedgerError::damaged)?;
                let mut before = ChunkAt::roll_back(&tree, folded, roots)?;
                let found = self.found((current, chunk), &before.missing(path))?;
                before.fill(&found).map_err(LedgerError::damaged)?;
                before.prove(path)?
            }
        };
        let root = self.root_after(height)?;
        let value_hash = proof.verify(&root, path).map_err(LedgerError::damaged)?;
        Ok(PastProof {
            value: self.value_with(path, value_hash)?,
            value_hash,
            proof,
            root,
        })
    }

    /// What the state after the block of `current` has under prefixes in a chunk: what there is now, with what was changed since
    /// taken back.
    fn found(&self, (current, chunk): (u64, u8), missing: &[Prefix]) -> Result<Vec<Found>, PastError> {
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let view = self.0.kv.view().map_err(LedgerError::from)?;
        let last = meta::tip_in(&*view)?.height;
        let way = self.past().way(current, last, chunk);
        let since = self.fold(&way, (current, last), chunk)?;
        let since: Vec<_> = since.changes().map(|(path, hash)| (*path, *hash)).collect();
        Ok(state::found_in(&*view, missing, &since)?)
    }

    fn chunk_roots(&self, height: u64) -> Result<ChunkRoots, PastError> {
        let bytes = self.0.kv.get(UNDO, &key(ROOTS, height)).map_err(LedgerError::from)?;
        let missing = || LedgerError::damaged(format_args!("the chunk roots of height {height} are missing"));
        Ok(ChunkRoots::from_bytes(&bytes.ok_or_else(missing)?)?)
    }

    /// The changes of one chunk on the way back.
    fn fold(&self, way: &Way, (after, last): (u64, u64), chunk: u8) -> Result<Folded, PastError> {
        let mut folded = Folded::new(chunk);
        for record in &way.blocks {
            folded.add(record)?;
        }
        for (first, end) in &way.groups {
            let value = self.0.kv.get(UNDO, &group_key(*first, chunk));
            let value = value.map_err(LedgerError::from)?;
            let records = record::parse_group(*first, *end, value.unwrap_or_default());
            let records = records.ok_or_else(|| record::damaged(*first))?;
            let wanted = |(height, _): &&(u64, Bytes)| (after + 1..=last).contains(height);
            for (_, record) in records.iter().rev().filter(wanted) {
                folded.add(record)?;
            }
        }
        Ok(folded)
    }

    /// The state root after a final block: in the header of the next one, or that of the tip.
    fn root_after(&self, height: u64) -> Result<Digest, LedgerError> {
        let tip = self.tip();
        if tip.height == height {
            return Ok(tip.state_root);
        }
        let missing = || LedgerError::damaged(format_args!("the header of height {}", height + 1));
        let header = self.header_message(height + 1)?.ok_or_else(missing)?;
        Digest::from_slice(&header.parent_state_root).ok_or_else(missing)
    }

    /// The value of the last block, if it has that hash.
    fn value_with(&self, path: &Path, hash: Option<Digest>) -> Result<Option<Bytes>, LedgerError> {
        let Some(hash) = hash else {
            return Ok(None);
        };
        let value = crate::ledger::state::read(&self.0.kv, path)?;
        Ok(value.filter(|value| value_hash(value) == hash))
    }
}
