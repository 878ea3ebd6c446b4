//! Following final blocks.

use super::{
    Chain,
    sse::{Event, Parser},
};
use crate::{
    error::SdkError,
    http::{HttpError, Request, Streaming},
    limits::{EVENT_BYTES_MAX, STREAM_FAILURES_MAX, backoff},
};
use futures::{Stream, stream};
use tokio::time::sleep;
use yulian_api::{
    ErrorBody,
    views::{StreamBlock, StreamDetail},
};

/// A reader of final blocks: every height once, ascending without gaps, over any number of broken connections and nodes.
#[derive(Debug)]
pub struct Follow {
    chain: Chain,
    detail: StreamDetail,
    next: u64,
    open: Option<Open>,
    failures: u32,
    ended: bool,
}

#[derive(Debug)]
struct Open {
    streaming: Streaming,
    parser: Parser,
}

impl Chain {
    /// Final blocks from a height on, waiting at the tip for new ones.
    pub fn follow(&self, from: u64, detail: StreamDetail) -> Follow {
        Follow {
            chain: self.clone(),
            detail,
            next: from,
            open: None,
            failures: 0,
            ended: false,
        }
    }
}

impl Follow {
    /// Height of the block that [`Follow::next`] brings.
    pub fn height(&self) -> u64 {
        self.next
    }

    /// The next final block, or `None` after an error. Cancelling the wait loses nothing.
    ///
    /// # Errors
    /// [`SdkError::Refused`] when a node says why it cannot go on (its history is pruned, say),
    /// [`SdkError::Stream`] after too many failures in a row, [`SdkError::StreamOrder`] when a node leaves the order.
    pub async fn next(&mut self) -> Option<Result<StreamBlock, SdkError>> {
        if self.ended {
            return None;
        }
        let block = self.advance().await;
        match &block {
            Ok(block) => self.next = block.header.height + 1,
            Err(_) => self.ended = true,
        }
        Some(block)
    }

    /// The same as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Result<StreamBlock, SdkError>> + Send {
        stream::unfold(self, |mut follow| async move {
            let block = follow.next().await?;
            Some((block, follow))
        })
    }

    async fn advance(&mut self) -> Result<StreamBlock, SdkError> {
        loop {
            match self.attempt().await {
                Ok(block) => {
                    self.failures = 0;
                    return Ok(block);
                }
                Err(error) if !error.may_pass() => return Err(error),
                Err(error) => {
                    self.open = None;
                    self.chain.client.leave_current();
                    self.failures += 1;
                    if self.failures >= STREAM_FAILURES_MAX {
                        let failures = self.failures;
                        let last = Box::new(error);
                        return Err(SdkError::Stream { failures, last });
                    }
                    sleep(backoff(self.failures)).await;
                }
            }
        }
    }

    /// The next block of the open stream, or of a new one. Cancelled in the middle, it goes on where it was.
    async fn attempt(&mut self) -> Result<StreamBlock, SdkError> {
        let path = self.path();
        let client = &self.chain.client;
        let open = match &mut self.open {
            Some(open) => open,
            empty => empty.insert(Open {
                streaming: client.open(&Request::get(path.clone())).await?,
                parser: Parser::default(),
            }),
        };
        let event = loop {
            match open.parser.next() {
                Ok(Some(event)) => break event,
                Ok(None) => {}
                Err(_) => return Err(self.broken(HttpError::TooLarge(EVENT_BYTES_MAX))),
            }
            match open.streaming.next(client.options().stream_silence).await {
                Ok(Some(piece)) => open.parser.feed(&piece),
                Ok(None) => return Err(self.broken(HttpError::Closed)),
                Err(error) => return Err(self.broken(error)),
            }
        };
        self.block(&path, &event)
    }

    fn block(&self, path: &str, event: &Event) -> Result<StreamBlock, SdkError> {
        let malformed = |error: serde_json::Error| SdkError::Answer {
            path: path.into(),
            status: 200,
            reason: error.to_string(),
        };
        if event.name == "error" {
            let error: ErrorBody = serde_json::from_str(&event.data).map_err(malformed)?;
            let status = yulian_api::Code::of(&error.code).map_or(500, |code| code.entry().status);
            let error = Box::new(error);
            return Err(SdkError::Refused { status, error });
        }
        let block: StreamBlock = serde_json::from_str(&event.data).map_err(malformed)?;
        let (expected, found) = (self.next, block.header.height);
        if found == expected {
            Ok(block)
        } else {
            Err(SdkError::StreamOrder { expected, found })
        }
    }

    fn broken(&self, source: HttpError) -> SdkError {
        let url = self.chain.base.clone();
        SdkError::Node { url, source }
    }

    fn path(&self) -> String {
        let detail = match self.detail {
            StreamDetail::Header => "header",
            StreamDetail::Transactions => "transactions",
            StreamDetail::Raw => "raw",
        };
        format!("{}/stream?from={}&detail={detail}", self.chain.base, self.next)
    }
}
