//! Proofs at former heights.

use super::{ROOTS, group_key, key, record};
use crate::ledger::{Ledger, LedgerError};
use bytes::Bytes;
use std::ops::Bound;
use yulian_crypto::Digest;
use yulian_state::{
    Path, Proof, Tree,
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

/// The heights whose changes are taken back, and where their records are.
struct Way {
    /// The state is wanted after this one.
    after: u64,
    /// The state at hand is that after this one.
    last: u64,
    /// Newest first.
    blocks: Vec<(u64, Bytes)>,
    /// First and last heights, newest first.
    groups: Vec<(u64, u64)>,
    /// The record of the last block up to `after`, if it is in no group.
    at: Option<(u64, Bytes)>,
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

    /// Proves what was at a path after the block of `height`, starting from the state after the block of `current`: a final
    /// one, and its tree. Takes time in proportion to the changes in between: not for a task that others wait for.
    ///
    /// # Errors
    /// [`PastError`]; what is damaged never gives a proof that does not hold.
    pub fn prove_past(&self, (current, tree): (u64, &Tree), height: u64, path: &Path) -> Result<PastProof, PastError> {
        if height > current {
            return Err(PastError::NotYet);
        }
        let way = self.way(height, current)?;
        self.prove_along(&way, tree, path).map_err(|error| {
            // What was removed meanwhile is not damage.
            match self.history_from() {
                first if height < first => PastError::NotHeld { first },
                _ => error,
            }
        })
    }

    fn way(&self, after: u64, last: u64) -> Result<Way, PastError> {
        let past = self.past();
        if after < past.first {
            return Err(PastError::NotHeld { first: past.first });
        }
        let owned = |(height, bytes): (&u64, &Bytes)| (*height, bytes.clone());
        let blocks = past.blocks.range(after + 1..).filter(|(height, _)| **height <= last);
        let groups = past.groups.iter().rev().map(|(first, last)| (*first, *last));
        Ok(Way {
            after,
            last,
            blocks: blocks.rev().map(owned).collect(),
            groups: groups.take_while(|(_, last)| *last > after).collect(),
            at: past.blocks.range(..=after).next_back().map(owned),
        })
    }

    fn prove_along(&self, way: &Way, tree: &Tree, path: &Path) -> Result<PastProof, PastError> {
        let roots = self.chunk_roots(way)?;
        let proof = match roots.chunk_of(path) {
            None => Tree::new().prove(path),
            Some(chunk) => ChunkAt::roll_back(tree, self.fold(way, chunk)?, roots)?.prove(path)?,
        };
        let root = self.root_after(way.after)?;
        let value_hash = proof.verify(&root, path).map_err(LedgerError::damaged)?;
        Ok(PastProof {
            value: self.value_with(path, value_hash)?,
            value_hash,
            proof,
            root,
        })
    }

    fn chunk_roots(&self, way: &Way) -> Result<ChunkRoots, PastError> {
        let bytes = match &way.at {
            Some((height, bytes)) => record::parse(bytes).ok_or_else(|| record::damaged(*height))?.roots,
            None => {
                let (from, to) = (key(ROOTS, 0), key(ROOTS, way.after));
                let (from, to) = (Bound::Included(&from[..]), Bound::Included(&to[..]));
                let found = self.0.kv.range(UNDO, from, to, 1, true).map_err(LedgerError::from)?;
                let missing =
                    || LedgerError::damaged(format_args!("the chunk roots of height {} are missing", way.after));
                found.into_iter().next().ok_or_else(missing)?.1
            }
        };
        Ok(ChunkRoots::from_bytes(&bytes)?)
    }

    /// The changes of one chunk on the way back.
    fn fold(&self, way: &Way, chunk: u8) -> Result<Folded, PastError> {
        let mut folded = Folded::new(chunk);
        for (height, bytes) in &way.blocks {
            let block = record::parse(bytes).ok_or_else(|| record::damaged(*height))?;
            if let Ok(at) = block.chunks.binary_search_by_key(&chunk, |(chunk, _)| *chunk) {
                folded.add(&block.chunks[at].1)?;
            }
        }
        for (first, last) in &way.groups {
            let value = self
                .0
                .kv
                .get(UNDO, &group_key(*first, chunk))
                .map_err(LedgerError::from)?;
            let records = record::parse_group(*first, *last, value.unwrap_or_default());
            let records = records.ok_or_else(|| record::damaged(*first))?;
            let wanted = |(height, _): &&(u64, Bytes)| (way.after + 1..=way.last).contains(height);
            for (_, bytes) in records.iter().rev().filter(wanted) {
                folded.add(bytes)?;
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
