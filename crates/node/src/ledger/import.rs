//! Bringing a verified snapshot into an empty store. Nothing here is checked: whoever brings it has done that.
//!
//! A mark says that an import is under way. It goes with the batch that makes the ledger whole; where it is found at a
//! start, what was brought is removed.

use super::{Ledger, LedgerError, SetMark, Tip, buffer::Buffer, evidence, keys, meta, state};
use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use std::{
    collections::{BTreeSet, VecDeque},
    fmt,
    ops::Bound,
};
use yulian_state::Path;
use yulian_store::{BLOCK, Batch, CHAIN_SPACES, INDEX, Kv, META, RECEIPT, STATE, Space, StoreError, TX, UNDO};
use yulian_types::{Digest, SealedBlock};

/// Entries removed at a time: reading their keys reads their values too, and one of these may have megabytes.
fn page_entries(space: Space) -> usize {
    match space {
        BLOCK | RECEIPT | UNDO => 8,
        _ => 1_024,
    }
}
/// Commits on their way to the disk at a time.
const COMMITS_AT_ONCE: usize = 16;

const _: () = assert!(COMMITS_AT_ONCE <= yulian_store::COMMITS_MAX);

/// A snapshot on its way into a store.
pub(crate) struct Import<'a, K> {
    kv: &'a K,
    buffer: Buffer,
    under_way: VecDeque<(u64, BoxFuture<'a, Result<(), StoreError>>)>,
    organisations: BTreeSet<String>,
    depositing: BTreeSet<String>,
}

impl<K> fmt::Debug for Import<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Import")
    }
}

/// What makes an import whole.
#[derive(Debug, Clone)]
pub(crate) struct Whole {
    /// The last block that the snapshot covers. The one after it is brought too, to be executed.
    pub(crate) tip: Tip,
    /// Every validator set up to the height after the tip.
    pub(crate) sets: Vec<SetMark>,
    /// The first height whose block was brought.
    pub(crate) first_block: u64,
}

impl<K: Kv> Ledger<K> {
    /// Whether a store holds nothing but a genesis at most: only then is a snapshot brought in.
    pub(crate) fn is_new(kv: &K) -> Result<bool, LedgerError> {
        if meta::format(kv)?.is_none() || meta::importing(kv)? {
            return Ok(true);
        }
        Ok(meta::tip(kv)?.is_some_and(|tip| tip.height == 0))
    }
}

/// Removes what an import that was cut short has left.
pub(super) async fn discard<K: Kv>(kv: &K) -> Result<(), LedgerError> {
    remove_all(kv).await?;
    remove(kv, META, |_| true).await
}

async fn remove_all<K: Kv>(kv: &K) -> Result<(), LedgerError> {
    for space in CHAIN_SPACES.iter().filter(|space| **space != META) {
        remove(kv, *space, |_| true).await?;
    }
    Ok(())
}

/// Removes entries of a space; the few of [`META`] at once.
async fn remove<K: Kv>(kv: &K, space: Space, goes: impl Fn(&[u8]) -> bool) -> Result<(), LedgerError> {
    let mut from = Bound::Unbounded;
    loop {
        let page = kv.range(
            space,
            from.as_ref().map(|key: &Bytes| &key[..]),
            Bound::Unbounded,
            page_entries(space),
            false,
        )?;
        let Some((last, _)) = page.last() else {
            return Ok(());
        };
        from = Bound::Excluded(last.clone());
        let mut batch = Batch::new();
        for (key, _) in page.iter().filter(|(key, _)| goes(key)) {
            batch.delete(space, key);
        }
        kv.commit(batch).await?;
    }
}

impl<'a, K: Kv> Import<'a, K> {
    /// Marks that an import is under way, and empties the store.
    pub(crate) async fn begin(kv: &'a K) -> Result<Self, LedgerError> {
        let mut mark = Batch::new();
        meta::put_importing(&mut mark);
        kv.commit(mark).await?;
        remove_all(kv).await?;
        remove(kv, META, |key| !meta::is_import_mark(key)).await?;
        Ok(Self {
            kv,
            buffer: Buffer::read(kv)?,
            under_way: VecDeque::new(),
            organisations: BTreeSet::new(),
            depositing: BTreeSet::new(),
        })
    }

    /// Begins a commit; waits only while too many are under way.
    async fn commit(&mut self, mut batch: Batch) -> Result<(), LedgerError> {
        if self.under_way.len() == COMMITS_AT_ONCE {
            self.wait_for_one().await?;
        }
        let number = self.buffer.begin(&mut batch);
        let kv = self.kv;
        self.under_way.push_back((number, kv.commit(batch).boxed()));
        Ok(())
    }

    async fn wait_for_one(&mut self) -> Result<(), LedgerError> {
        if let Some((number, commit)) = self.under_way.pop_front() {
            commit.await?;
            self.buffer.finish(number);
        }
        Ok(())
    }

    /// Waits until everything brought so far is durable, and so can be read.
    pub(crate) async fn settle(&mut self) -> Result<(), LedgerError> {
        while !self.under_way.is_empty() {
            self.wait_for_one().await?;
        }
        Ok(())
    }

    /// Headers with their heights.
    pub(crate) async fn headers(&mut self, headers: &[(u64, Bytes)]) -> Result<(), LedgerError> {
        let mut batch = Batch::new();
        for (height, header) in headers {
            batch.put(INDEX, &keys::header(*height), header.clone());
        }
        self.commit(batch).await
    }

    /// A header that was brought and has settled.
    pub(crate) fn header(&self, height: u64) -> Result<Bytes, LedgerError> {
        let missing = || LedgerError::damaged(format_args!("the header of height {height} of a snapshot"));
        self.kv.get(INDEX, &keys::header(height))?.ok_or_else(missing)
    }

    /// Records of the state with their paths. The state cannot be listed: what look-ups need of it is noted.
    pub(crate) async fn records(&mut self, records: &[(Path, Bytes)]) -> Result<(), LedgerError> {
        let mut batch = Batch::new();
        for (path, record) in records {
            batch.put(STATE, path.as_bytes(), record.clone());
            if let Some(part) = state::parse(record) {
                state::index_member(
                    &mut batch,
                    part.module_id,
                    &part.key,
                    &part.value,
                    &mut self.organisations,
                );
                evidence::index_organisation(&mut batch, &part, &mut self.depositing);
            }
        }
        self.commit(batch).await
    }

    /// The parameter W in the state that was brought and has settled, ms.
    pub(crate) fn replay_window_ms(&self) -> Result<u64, LedgerError> {
        state::replay_window_ms(self.kv)
    }

    /// A block with its receipts, as a `ReceiptList`.
    pub(crate) async fn block(&mut self, block: &SealedBlock, receipts: Bytes) -> Result<(), LedgerError> {
        let height = block.height();
        let mut batch = Batch::new();
        if !receipts.is_empty() {
            batch.put(RECEIPT, &keys::height(height), receipts);
        }
        for (index, transaction) in block.transactions.iter().enumerate() {
            batch.put(TX, &transaction.id.0, keys::position(height, index as u32));
        }
        self.buffer.put_block(height, block.digest, block.bytes.clone());
        self.commit(batch).await
    }

    /// The block that comes after the snapshot: it is held, to be executed.
    pub(crate) fn next_block(&mut self, block: &SealedBlock) {
        self.buffer.put_block(block.height(), block.digest, block.bytes.clone());
    }

    /// A finality proof.
    pub(crate) fn proof(&mut self, height: u64, digest: Digest, proof: Bytes) {
        self.buffer.put_proof(height, digest, proof);
    }

    /// Makes the ledger whole.
    pub(crate) async fn finish(mut self, genesis: &Bytes, whole: &Whole) -> Result<(), LedgerError> {
        let mut batch = Batch::new();
        meta::put_origin(&mut batch, genesis.clone());
        meta::put_tip(&mut batch, &whole.tip);
        whole.sets.iter().for_each(|mark| meta::put_set(&mut batch, mark));
        if whole.first_block > 1 {
            meta::put_pruned(&mut batch, whole.first_block);
        }
        meta::put_imported(&mut batch, whole.tip.height + 1);
        self.commit(batch).await?;
        self.settle().await
    }
}
