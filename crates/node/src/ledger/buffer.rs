//! Blocks and proofs on their way to the disk, and which heights are held.

use super::{
    held::Held,
    keys::{self, Table},
};
use bytes::Bytes;
use std::collections::BTreeMap;
use yulian_store::{BLOCK, BLOCK_DIGEST, Batch, Kv, PROOF, StoreError};
use yulian_types::Digest;

/// Puts that no finished commit covers yet. They are part of the next commit of the ledger, whichever it is: the pages
/// of held heights must never name a block that is not in the same or an earlier batch.
#[derive(Debug)]
pub(crate) struct Buffer {
    blocks: Items,
    proofs: Items,
    /// Number of the last commit that was begun.
    commits: u64,
}

#[derive(Debug)]
struct Items {
    held: Held,
    pending: BTreeMap<u64, Pending>,
}

#[derive(Debug, Clone)]
struct Pending {
    digest: Digest,
    bytes: Bytes,
    /// The commit that it is part of.
    commit: Option<u64>,
}

impl Items {
    fn put(&mut self, height: u64, digest: Digest, bytes: Bytes) {
        if self.held.insert(height) {
            let commit = None;
            self.pending.insert(height, Pending { digest, bytes, commit });
        }
    }

    fn begin(&mut self, commit: u64, batch: &mut Batch, mut write: impl FnMut(&mut Batch, u64, &Pending)) {
        for (height, item) in self.pending.iter_mut().filter(|(_, item)| item.commit.is_none()) {
            item.commit = Some(commit);
            write(batch, *height, item);
        }
        self.held.write(batch);
    }

    fn finish(&mut self, commit: u64) {
        self.pending.retain(|_, item| item.commit.is_none_or(|of| of > commit));
    }
}

impl Buffer {
    pub(crate) fn read<K: Kv>(kv: &K) -> Result<Self, StoreError> {
        let items = |table| {
            Ok::<_, StoreError>(Items {
                held: Held::read(kv, table)?,
                pending: BTreeMap::new(),
            })
        };
        Ok(Self {
            blocks: items(Table::BlocksHeld)?,
            proofs: items(Table::ProofsHeld)?,
            commits: 0,
        })
    }

    pub(crate) fn put_block(&mut self, height: u64, digest: Digest, bytes: Bytes) {
        self.blocks.put(height, digest, bytes);
    }

    pub(crate) fn put_proof(&mut self, height: u64, digest: Digest, bytes: Bytes) {
        self.proofs.put(height, digest, bytes);
    }

    /// Adds everything that waits to a batch and returns the number of its commit.
    pub(crate) fn begin(&mut self, batch: &mut Batch) -> u64 {
        self.commits += 1;
        self.blocks.begin(self.commits, batch, |batch, height, item| {
            batch.put(BLOCK, &keys::height(height), item.bytes.clone());
            batch.put(
                BLOCK_DIGEST,
                &item.digest.0,
                Bytes::copy_from_slice(&keys::height(height)),
            );
        });
        self.proofs.begin(self.commits, batch, |batch, height, item| {
            batch.put(PROOF, &keys::height(height), item.bytes.clone());
        });
        self.commits
    }

    /// The commit is durable, and so are all before it.
    pub(crate) fn finish(&mut self, commit: u64) {
        self.blocks.finish(commit);
        self.proofs.finish(commit);
    }

    /// Whether everything put so far is durable.
    pub(crate) fn is_clean(&self) -> bool {
        self.blocks.pending.is_empty() && self.proofs.pending.is_empty()
    }

    pub(crate) fn pending_block(&self, height: u64) -> Option<Bytes> {
        self.blocks.pending.get(&height).map(|item| item.bytes.clone())
    }

    pub(crate) fn pending_proof(&self, height: u64) -> Option<Bytes> {
        self.proofs.pending.get(&height).map(|item| item.bytes.clone())
    }

    pub(crate) fn pending_height(&self, digest: &Digest) -> Option<u64> {
        let found = self.blocks.pending.iter().find(|(_, item)| item.digest == *digest);
        found.map(|(height, _)| *height)
    }

    pub(crate) fn holds_block(&self, height: u64) -> bool {
        self.blocks.held.contains(height)
    }

    /// The lowest height from `from` to `to` whose proof is held.
    pub(crate) fn next_proof(&self, from: u64, to: u64) -> Option<u64> {
        self.proofs.held.next_from(from, to)
    }

    /// The highest height up to `to` whose proof is held.
    pub(crate) fn last_proof(&self, to: u64) -> Option<u64> {
        self.proofs.held.last_to(to)
    }

    pub(crate) fn block_ranges(&self) -> Vec<(u64, u64)> {
        self.blocks.held.ranges()
    }

    pub(crate) fn proof_ranges(&self) -> Vec<(u64, u64)> {
        self.proofs.held.ranges()
    }

    /// Forgets that blocks are held. The caller removes them in the batch of the next [`Buffer::begin`].
    pub(crate) fn forget_blocks(&mut self, heights: impl Iterator<Item = u64>) {
        heights.for_each(|height| self.blocks.held.remove(height));
    }
}
