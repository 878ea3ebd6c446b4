//! Proofs at a former height.

use super::{ChunkRoots, HistoryError, decode_chunk};
use crate::{Found, Path, Prefix, Proof, Tree, WrongLeaves, tree::Chunk};
use std::collections::BTreeMap;
use yulian_crypto::Digest;

/// The most changes that are taken back for a proof: 10,000 full blocks have 160,000 in a chunk.
pub const FOLDED_CHANGES_MAX: usize = 4_000_000;

/// The undo records of one chunk, of all blocks after a height, in one: what each path had at that height.
#[derive(Debug, Clone)]
pub struct Folded {
    chunk: u8,
    old: BTreeMap<Path, Option<Digest>>,
    changes: usize,
}

impl Folded {
    /// Nothing to undo in the chunk yet.
    pub fn new(chunk: u8) -> Self {
        Self {
            chunk,
            old: BTreeMap::new(),
            changes: 0,
        }
    }

    /// Adds the chunk's record of the block before those added so far: from the newest block back to the one after the
    /// height that is wanted. Blocks that did not change the chunk have no record and are left out.
    ///
    /// # Errors
    /// [`HistoryError::TooMany`], and those of [`decode_chunk`].
    pub fn add(&mut self, record: &[u8]) -> Result<(), HistoryError> {
        let changes = decode_chunk(self.chunk, record)?;
        self.changes += changes.len();
        if self.changes > FOLDED_CHANGES_MAX {
            return Err(HistoryError::TooMany);
        }
        // What the earlier block found is older, and counts.
        self.old.extend(changes);
        Ok(())
    }

    /// What each path had that has changed since, ascending.
    pub fn changes(&self) -> impl Iterator<Item = (&Path, &Option<Digest>)> {
        self.old.iter()
    }

    /// What of the current state has to be brought before it can be [rolled back](ChunkAt::roll_back), as by [`Tree::missing`].
    pub fn missing(&self, current: &Tree) -> Vec<Prefix> {
        match current.cold() {
            0 => Vec::new(),
            _ => current.chunk(self.chunk).missing(self.old.keys()),
        }
    }
}

/// A chunk as it was after a certain block: proves whatever leads there. Worth keeping where several keys are asked for.
#[derive(Clone)]
pub struct ChunkAt {
    chunk: u8,
    content: Chunk,
    roots: ChunkRoots,
}

impl ChunkAt {
    /// Rolls a chunk of the current state back to the height whose chunk roots are given.
    ///
    /// Work and memory are those of applying the folded changes to a tree: about a microsecond and 2.5 KB for each path.
    ///
    /// # Panics
    /// If something is [missing](Folded::missing).
    ///
    /// # Errors
    /// [`HistoryError::Root`] if that does not give the root kept for the height.
    pub fn roll_back(current: &Tree, folded: Folded, roots: ChunkRoots) -> Result<Self, HistoryError> {
        let chunk = folded.chunk;
        let changes: Vec<_> = folded.old.into_iter().collect();
        let content = current.chunk(chunk).apply(&changes);
        if content.root() != roots.chunk(chunk) {
            return Err(HistoryError::Root(chunk));
        }
        Ok(Self { chunk, content, roots })
    }

    /// What has to be brought before something can be proven at `path`. No change that was taken back is among it: it is as
    /// in the state from which the chunk was rolled back.
    pub fn missing(&self, path: &Path) -> Vec<Prefix> {
        self.content.missing([path])
    }

    /// Brings it, as [`Tree::fill`] does.
    ///
    /// # Errors
    /// [`WrongLeaves`].
    pub fn fill(&mut self, found: &[Found]) -> Result<(), WrongLeaves> {
        self.content = self.content.fill(found)?;
        Ok(())
    }

    /// The proof of what was, or was not, at `path`, under the state root of the height.
    ///
    /// # Panics
    /// If something is [missing](ChunkAt::missing).
    ///
    /// # Errors
    /// [`HistoryError::Elsewhere`] if following the path led to another chunk.
    pub fn prove(&self, path: &Path) -> Result<Proof, HistoryError> {
        if self.roots.chunk_of(path) != Some(self.chunk) {
            return Err(HistoryError::Elsewhere(*path));
        }
        let below = self.content.prove(path).ok_or(HistoryError::Root(self.chunk))?;
        let mut siblings = self.roots.siblings(path);
        siblings.extend(below.siblings);
        let leaf = below.leaf;
        Ok(Proof { siblings, leaf })
    }
}

/// The proof of what was, or was not, at `path` after a certain block: the same that the tree gave then.
///
/// For a tree all of which is in memory; where there is a limit, [`ChunkAt`] does it step by step.
///
/// `roots` are the chunk roots after that block, and `records` the undo records of chunk [`ChunkRoots::chunk_of`] `path` in all
/// later blocks up to the current state, newest first; if there is no such chunk, none are read.
///
/// # Errors
/// Those of [`Folded::add`] and [`ChunkAt::roll_back`]. Damaged records never give a proof that does not verify
/// under [`ChunkRoots::root`]; that this is the state root of the block is for the caller to know.
pub fn prove_at<'a>(
    current: &Tree,
    roots: &ChunkRoots,
    records: impl IntoIterator<Item = &'a [u8]>,
    path: &Path,
) -> Result<Proof, HistoryError> {
    let Some(chunk) = roots.chunk_of(path) else {
        return Ok(Tree::new().prove(path));
    };
    let mut folded = Folded::new(chunk);
    for record in records {
        folded.add(record)?;
    }
    ChunkAt::roll_back(current, folded, roots.clone())?.prove(path)
}
