//! The engine's view of the ledger: final blocks and their proofs, by height.

use super::{Commit, Ledger, LedgerError, keys};
use bytes::Bytes;
use prost::Message;
use std::future::Future;
use yulian_engine::{Archive, Fatal};
use yulian_store::{BLOCK, BLOCK_DIGEST, Batch, INDEX, Kv, PROOF};
use yulian_types::{Digest, proto};

impl<K: Kv> Ledger<K> {
    /// Bytes of the block at a height, durable or on its way.
    pub(super) fn any_block(&self, height: u64) -> Result<Option<Bytes>, LedgerError> {
        if height == 0 {
            return Ok(Some(self.0.genesis_block.bytes.clone()));
        }
        let pending = self.buffer().pending_block(height);
        match pending {
            Some(bytes) => Ok(Some(bytes)),
            None => Ok(self.0.kv.get(BLOCK, &keys::height(height))?),
        }
    }

    /// The proof of exactly this height, durable or on its way.
    pub(super) fn any_proof(&self, height: u64) -> Result<Option<Bytes>, LedgerError> {
        let pending = self.buffer().pending_proof(height);
        match pending {
            Some(bytes) => Ok(Some(bytes)),
            None => Ok(self.0.kv.get(PROOF, &keys::height(height))?),
        }
    }

    /// Height of a block, durable or on its way.
    pub(super) fn any_height_of(&self, digest: &Digest) -> Result<Option<u64>, LedgerError> {
        if *digest == self.0.genesis_block.digest {
            return Ok(Some(0));
        }
        let pending = self.buffer().pending_height(digest);
        if pending.is_some() {
            return Ok(pending);
        }
        let value = self.0.kv.get(BLOCK_DIGEST, &digest.0)?;
        let damaged = || LedgerError::damaged(format_args!("the height of block {digest}"));
        value
            .map(|value| keys::parse_height(&value).ok_or_else(damaged))
            .transpose()
    }

    /// Begins to make every put so far durable.
    fn begin_sync(&self) -> Option<Commit<K, impl Future<Output = Result<(), yulian_store::StoreError>> + Send>> {
        let mut buffer = self.buffer();
        if buffer.is_clean() {
            return None;
        }
        // The number is drawn and the commit begun under one lock: commits are durable in the order of their numbers.
        let mut batch = Batch::new();
        let number = buffer.begin(&mut batch);
        Some(Commit::new(self.clone(), number, self.0.kv.commit(batch)))
    }
}

impl<K: Kv> Archive for Ledger<K> {
    fn put_block(&self, height: u64, digest: &Digest, bytes: Bytes) -> Result<(), Fatal> {
        // Genesis is not stored: it is known from the start.
        if height > 0 {
            self.buffer().put_block(height, *digest, bytes);
        }
        Ok(())
    }

    fn put_proof(&self, height: u64, digest: &Digest, bytes: Bytes) -> Result<(), Fatal> {
        self.buffer().put_proof(height, *digest, bytes);
        Ok(())
    }

    fn sync(&self) -> impl Future<Output = Result<(), Fatal>> + Send {
        let commit = self.begin_sync();
        async move {
            match commit {
                Some(commit) => Ok(commit.durable().await?),
                None => Ok(()),
            }
        }
    }

    fn block(&self, height: u64) -> Result<Option<Bytes>, Fatal> {
        Ok(self.any_block(height)?)
    }

    fn header(&self, height: u64) -> Result<Option<Bytes>, Fatal> {
        let executed = self.0.kv.get(INDEX, &keys::header(height)).map_err(LedgerError::from)?;
        if executed.is_some() {
            return Ok(executed);
        }
        let damaged = |_| LedgerError::damaged(format_args!("block {height}"));
        let block = self
            .any_block(height)?
            .map(proto::Block::decode)
            .transpose()
            .map_err(damaged)?;
        Ok(block.map(|block| block.header))
    }

    fn height_of(&self, digest: &Digest) -> Result<Option<u64>, Fatal> {
        Ok(self.any_height_of(digest)?)
    }

    fn proof(&self, height: u64) -> Result<Option<Bytes>, Fatal> {
        Ok(self.any_proof(height)?)
    }

    fn block_ranges(&self) -> Result<Vec<(u64, u64)>, Fatal> {
        Ok(self.buffer().block_ranges())
    }

    fn proof_ranges(&self) -> Result<Vec<(u64, u64)>, Fatal> {
        Ok(self.buffer().proof_ranges())
    }
}
