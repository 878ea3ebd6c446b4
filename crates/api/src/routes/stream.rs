//! The stream of final blocks as server-sent events (WHATWG HTML, section 9.2).

use crate::{
    ApiError, BlockRef, BlockStream, ChainService, Service,
    extract::{ChainPath, Path, Query, chain},
    gate::{Context, RequestId, Slot, within},
    views::*,
};
use axum::{
    Extension,
    extract::State,
    http::HeaderMap,
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use futures::{
    StreamExt,
    future::{Either, select},
    stream,
};
use serde::{Deserialize, Serialize};
use std::{convert::Infallible, pin::pin};
use utoipa::IntoParams;

/// From where and how much.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct StreamQuery {
    /// First height; the last final block when absent.
    from: Option<u64>,
    /// How much of each block.
    #[serde(default)]
    #[param(inline)]
    detail: StreamDetail,
}

/// 终局区块流 · Final blocks from any height on, as server-sent events
///
/// Event `block`: id is the height, data a `StreamBlock`; every height once, ascending without gaps, waiting at the
/// tip for new ones. Event `error`: data is an error body, the stream ends. A client that reconnects
/// with the header `Last-Event-ID` goes on behind that height.
#[utoipa::path(get, operation_id = "stream_blocks", path = "/v1/chains/{chain}/stream", tag = "blocks", params(ChainPath, StreamQuery),
    responses((status = 200, description = "events", body = StreamBlock, content_type = "text/event-stream"), ApiError))]
pub(crate) async fn blocks<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<ChainPath>,
    Query(query): Query<StreamQuery>,
    Extension(request_id): Extension<RequestId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    let slot = context.gate.streams.enter()?;
    let open = async {
        let from = match resumed(&headers).or(query.from) {
            Some(from) => from,
            None => chain.header(BlockRef::Latest).await?.height,
        };
        chain.stream(from, query.detail).await
    };
    let blocks = within(&context.service, context.limits.request_timeout, open).await??;
    let open = Open {
        context,
        request_id,
        blocks: Some(blocks),
        _slot: slot,
    };
    Ok(Sse::new(stream::unfold(open, step)).into_response())
}

/// The height behind the last event that the client saw.
fn resumed(headers: &HeaderMap) -> Option<u64> {
    let last: u64 = headers.get("last-event-id")?.to_str().ok()?.parse().ok()?;
    last.checked_add(1)
}

/// A stream that a client reads.
struct Open<S> {
    context: Context<S>,
    request_id: RequestId,
    /// Gone after an error or the end.
    blocks: Option<BlockStream>,
    _slot: Slot,
}

async fn step<S: Service>(mut open: Open<S>) -> Option<(Result<Event, Infallible>, Open<S>)> {
    let blocks = open.blocks.as_mut()?;
    let idle = open.context.service.pause(open.context.limits.stream_idle);
    let event = match select(blocks.next(), pin!(idle)).await {
        Either::Left((Some(Ok(block)), _)) => event("block", &block).id(block.header.height.to_string()),
        Either::Left((Some(Err(error)), _)) => {
            open.blocks = None;
            event("error", &error.body(&open.request_id.0))
        }
        Either::Left((None, _)) => return None,
        Either::Right(_) => Event::default().comment(""),
    };
    Some((Ok(event), open))
}

fn event(name: &str, data: &impl Serialize) -> Event {
    let data = serde_json::to_string(data).unwrap_or_default();
    Event::default().event(name).data(data)
}
