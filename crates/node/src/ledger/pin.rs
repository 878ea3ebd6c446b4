//! The ledger as it was after one block, while it goes on.

use super::{Ledger, LedgerError, Tip, keys, meta, state};
use bytes::Bytes;
use std::{fmt, ops::Bound, sync::Arc};
use yulian_state::{Prefix, Tree};
use yulian_store::{BLOCK, INDEX, Kv, RECEIPT, STATE, View};

/// State records read at a time.
const PAGE_RECORDS: usize = 512;

/// What the store held when a block was the last final one. It keeps what is removed later on the disk: let go of it soon.
pub(crate) struct Pinned {
    view: Arc<dyn View>,
    tip: Tip,
}

impl fmt::Debug for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pinned").field("tip", &self.tip).finish_non_exhaustive()
    }
}

impl<K: Kv> Ledger<K> {
    /// What is there now, after whichever block is the last one in the store.
    pub(crate) fn pin(&self) -> Result<Pinned, LedgerError> {
        let view = self.0.kv.view()?;
        let tip = meta::tip_in(&*view)?;
        Ok(Pinned { view, tip })
    }
}

impl Pinned {
    /// The last final block.
    pub(crate) fn tip(&self) -> Tip {
        self.tip
    }

    /// Header of a height.
    pub(crate) fn header(&self, height: u64) -> Result<Option<Bytes>, LedgerError> {
        Ok(self.view.get(INDEX, &keys::header(height))?)
    }

    /// Bytes of a block that is held.
    pub(crate) fn block(&self, height: u64) -> Result<Option<Bytes>, LedgerError> {
        Ok(self.view.get(BLOCK, &keys::height(height))?)
    }

    /// The `ReceiptList` of a block whose receipts are held; empty for none.
    pub(crate) fn receipts(&self, height: u64) -> Result<Bytes, LedgerError> {
        Ok(self.view.get(RECEIPT, &keys::height(height))?.unwrap_or_default())
    }

    /// The tree of the pinned state with what a proof about `prefix` needs of it in memory.
    pub(crate) fn fill(&self, tree: &Tree, prefix: &Prefix) -> Result<Tree, LedgerError> {
        let missing = tree.missing([prefix.first()]);
        let found = state::found_in(&*self.view, &missing, &[])?;
        tree.fill(&found).map_err(LedgerError::damaged)
    }

    /// The records of the state under a prefix, in order of path; `None` if they cost more than `most`.
    pub(crate) fn records(
        &self,
        prefix: &Prefix,
        most: usize,
        cost: impl Fn(&Bytes) -> usize,
    ) -> Result<Option<Vec<Bytes>>, LedgerError> {
        let (mut records, mut all) = (Vec::new(), 0);
        let mut from = Bound::Included(Bytes::copy_from_slice(prefix.first().as_bytes()));
        let end = prefix.end();
        let to = end
            .as_ref()
            .map_or(Bound::Unbounded, |end| Bound::Excluded(&end.as_bytes()[..]));
        loop {
            let page = self
                .view
                .range(STATE, from.as_ref().map(|key| &key[..]), to, PAGE_RECORDS)?;
            let last = page.last().map(|(key, _)| key.clone());
            let full = page.len() == PAGE_RECORDS;
            for (_, record) in page {
                all += cost(&record);
                if all > most {
                    return Ok(None);
                }
                records.push(record);
            }
            match last {
                Some(last) if full => from = Bound::Excluded(last),
                _ => return Ok(Some(records)),
            }
        }
    }
}
