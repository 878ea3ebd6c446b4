//! Following final blocks.

use super::ChainApi;
use crate::{FinalBlockData, Latest, metrics::SharedMetrics};
use futures::{StreamExt, stream};
use tokio::sync::watch;
use yulian_api::{ApiError, BlockStream, Code, Hex, views::*};
use yulian_engine::Runtime;
use yulian_store::Kv;

/// A follower's place. It holds one block at a time: a slow reader costs no more memory than a fast one.
struct Follower<R: Runtime, K: Kv> {
    api: ChainApi<R, K>,
    latest: watch::Receiver<Latest>,
    next: u64,
    detail: StreamDetail,
    failed: bool,
    _open: Open,
}

/// Counts open streams.
struct Open(SharedMetrics);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.streams.change(-1);
    }
}

impl<R: Runtime, K: Kv> ChainApi<R, K> {
    pub(super) fn follow(&self, from: u64, detail: StreamDetail) -> Result<BlockStream, ApiError> {
        if self.node.ledger().is_pruned(from) {
            return Err(Code::Pruned.into());
        }
        let metrics = self.node.metrics().clone();
        metrics.streams.change(1);
        let follower = Follower {
            api: self.clone(),
            latest: self.node.watch(),
            next: from,
            detail,
            failed: false,
            _open: Open(metrics),
        };
        Ok(stream::unfold(follower, Follower::step).boxed())
    }

    fn stream_block(&self, height: u64, detail: StreamDetail) -> Result<StreamBlock, ApiError> {
        let data = self.block_of(height)?;
        let more = detail != StreamDetail::Header;
        let raw = detail == StreamDetail::Raw;
        let FinalBlockData { block, receipts } = &data;
        Ok(StreamBlock {
            header: HeaderView::new(&block.header_bytes, &block.header),
            transaction_count: block.transactions.len() as u64,
            transactions: if more { Some(self.summaries(&data)?) } else { None },
            bytes: raw.then(|| Hex(block.bytes.clone())),
            receipts: receipts
                .as_ref()
                .filter(|_| raw)
                .map(|list| list.iter().cloned().map(Hex).collect()),
        })
    }
}

impl<R: Runtime, K: Kv> Follower<R, K> {
    async fn step(mut self) -> Option<(Result<StreamBlock, ApiError>, Self)> {
        if self.failed {
            return None;
        }
        let next = self.next;
        // Ends when the node does.
        self.latest.wait_for(|latest| latest.tip.height >= next).await.ok()?;
        let block = self.api.stream_block(next, self.detail);
        self.failed = block.is_err();
        self.next += 1;
        Some((block, self))
    }
}
