//! Blocks, headers, transactions, receipts.

use super::ChainApi;
use crate::FinalBlockData;
use bytes::Bytes;
use prost::Message;
use yulian_api::{ApiError, BlockRef, Code, views::*};
use yulian_crypto::Digest;
use yulian_engine::Runtime;
use yulian_store::Kv;
use yulian_types::{decode_header, proto};

/// A final transaction with its surroundings.
pub(super) struct Found {
    pub(super) data: FinalBlockData,
    pub(super) index: usize,
}

impl Found {
    pub(super) fn place(&self) -> BlockPlace {
        let block = &self.data.block;
        BlockPlace::new(block.height(), block.digest, block.header.time_ms)
    }

    pub(super) fn receipt(&self) -> Result<&Bytes, ApiError> {
        let receipts = self.data.receipts.as_ref().ok_or(Code::Pruned)?;
        receipts
            .get(self.index)
            .ok_or_else(|| ApiError::detailed(Code::Storage, "a receipt is missing"))
    }
}

impl<R: Runtime, K: Kv> ChainApi<R, K> {
    pub(super) fn height_of(&self, block: BlockRef) -> Result<u64, ApiError> {
        let ledger = self.node.ledger();
        let found = match block {
            BlockRef::Latest => Some(ledger.tip().height),
            BlockRef::Height(height) => Some(height).filter(|height| *height <= ledger.tip().height),
            BlockRef::Digest(digest) => ledger.height_of_final(&digest)?,
        };
        found.ok_or_else(|| Code::UnknownBlock.into())
    }

    pub(super) fn block_of(&self, height: u64) -> Result<FinalBlockData, ApiError> {
        let ledger = self.node.ledger();
        if height > ledger.tip().height {
            return Err(Code::UnknownBlock.into());
        }
        match self.node.final_data(height)? {
            Some(data) => Ok(data),
            None if ledger.is_pruned(height) => Err(Code::Pruned.into()),
            None => Err(ApiError::detailed(
                Code::Storage,
                format_args!("block {height} is missing"),
            )),
        }
    }

    pub(super) fn header_bytes(&self, height: u64) -> Result<Bytes, ApiError> {
        Ok(self.node.ledger().header(height)?.ok_or(Code::UnknownBlock)?)
    }

    pub(super) fn header_view(&self, height: u64) -> Result<HeaderView, ApiError> {
        let bytes = self.header_bytes(height)?;
        let header = decode_header(&bytes).map_err(|error| ApiError::detailed(Code::Storage, error))?;
        Ok(HeaderView::new(&bytes, &header))
    }

    pub(super) fn block_view(&self, block: BlockRef) -> Result<BlockView, ApiError> {
        let data = self.block_of(self.height_of(block)?)?;
        Ok(BlockView {
            header: HeaderView::new(&data.block.header_bytes, &data.block.header),
            size_bytes: data.block.bytes.len() as u64,
            transactions: self.summaries(&data)?,
        })
    }

    /// What the transactions of a block did.
    pub(super) fn summaries(&self, data: &FinalBlockData) -> Result<Vec<TransactionSummary>, ApiError> {
        let receipts = data.receipts.as_deref().unwrap_or_default();
        let transactions = data.block.transactions.iter().enumerate();
        transactions
            .map(|(index, transaction)| {
                let receipt = receipts.get(index).map(decode_receipt).transpose()?;
                let mut summary = TransactionSummary::new(index, transaction, receipt.as_ref());
                summary.result = receipt.map(|receipt| self.execution(&receipt));
                Ok(summary)
            })
            .collect()
    }

    /// A final transaction; `None` if it is not final here.
    pub(super) fn find(&self, id: &Digest) -> Result<Option<Found>, ApiError> {
        let Some((height, index)) = self.node.ledger().position(id)? else {
            return Ok(None);
        };
        let (data, index) = (self.block_of(height)?, index as usize);
        if index >= data.block.transactions.len() {
            return Err(ApiError::detailed(
                Code::Storage,
                "a transaction is not where the look-up says",
            ));
        }
        Ok(Some(Found { data, index }))
    }

    /// A final transaction, or why there is none.
    pub(super) fn find_final(&self, id: &Digest) -> Result<Found, ApiError> {
        match self.find(id)? {
            Some(found) => Ok(found),
            None if self.node.pool.holds(id) => Err(Code::NotFinal.into()),
            None => Err(self.unknown_transaction()),
        }
    }

    /// A node that began with a snapshot cannot tell what was before its blocks from what never was.
    fn unknown_transaction(&self) -> ApiError {
        let ledger = self.node.ledger();
        match ledger.floor() {
            None => Code::UnknownTransaction.into(),
            Some(_) => ApiError::detailed(
                Code::UnknownTransaction,
                format_args!(
                    "本节点只有高度 {0} 起的交易，更早的请询问保留全部历史的节点 / this node has transactions from height {0} on; ask one that keeps the whole history for earlier ones",
                    ledger.pruned_below()
                ),
            ),
        }
    }

    pub(super) fn transaction_view(&self, id: Digest) -> Result<TransactionView, ApiError> {
        // In the pool first: what leaves it meanwhile is in the ledger already.
        let waiting = self.node.pool.lock().get(&id).cloned();
        let Some(found) = self.find(&id)? else {
            let waiting = waiting.ok_or_else(|| self.unknown_transaction())?;
            return Ok(TransactionView::queued(&waiting));
        };
        let receipt = found.data.receipts.as_ref().and_then(|list| list.get(found.index));
        let receipt = receipt.map(decode_receipt).transpose()?;
        let transaction = &found.data.block.transactions[found.index];
        let mut view = TransactionView::included(transaction, found.place(), found.index, receipt.as_ref());
        view.result = receipt.map(|receipt| self.execution(&receipt));
        Ok(view)
    }

    pub(super) fn receipt_view(&self, id: Digest) -> Result<ReceiptView, ApiError> {
        let found = self.find_final(&id)?;
        let bytes = found.receipt()?;
        let view = ReceiptView::decode(bytes, found.place(), found.index);
        let mut view = view.map_err(|error| ApiError::detailed(Code::Storage, error))?;
        view.result = self.execution(&decode_receipt(bytes)?);
        Ok(view)
    }
}

fn decode_receipt(bytes: &Bytes) -> Result<proto::Receipt, ApiError> {
    proto::Receipt::decode(bytes.clone()).map_err(|error| ApiError::detailed(Code::Storage, error))
}
