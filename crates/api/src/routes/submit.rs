//! Submissions: queued without a promise, or waited for until final.

use crate::{
    ApiError, ChainService, Code, Service, decode_batch,
    extract::{Binary, ChainPath, Path, Query, chain, read_body},
    gate::{Context, RequestId, within},
    limits::{BATCH_BYTES_MAX, WAIT_DEFAULT, WAIT_MAX},
    views::*,
};
use axum::{
    Extension, Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::time::Duration;
use utoipa::IntoParams;
use yulian_types::limits::TRANSACTION_BYTES_MAX;

/// Whether to wait.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct WaitQuery {
    /// Answer with the final result instead of `queued`.
    #[serde(default)]
    wait: bool,
    /// Longest wait, ms, up to 60000; 30000 when absent. When it is over the answer is `queued`.
    #[param(maximum = 60_000)]
    timeout_ms: Option<u64>,
}

impl WaitQuery {
    fn duration(&self) -> Result<Option<Duration>, ApiError> {
        let duration = self.timeout_ms.map_or(WAIT_DEFAULT, Duration::from_millis);
        if duration > WAIT_MAX {
            let detail = format_args!("timeout_ms: 0..={}", WAIT_MAX.as_millis()).to_string();
            return Err(ApiError::detailed(Code::BadParameter, detail));
        }
        Ok(self.wait.then_some(duration))
    }
}

/// 提交一笔交易 · Submit one transaction
///
/// The body is one protobuf message `Transaction`, at most 128 KiB. Without `wait` the answer is 202 `queued`, which
/// is no acknowledgement. With `wait=true` it is 200 `final` once the transaction stands in a final block, whether
/// its execution succeeded or not, or 202 `queued` when the wait is over. A transaction that is not taken is
/// answered with the error.
#[utoipa::path(post, operation_id = "submit_transaction", path = "/v1/chains/{chain}/transactions", tag = "transactions", params(ChainPath, WaitQuery),
    request_body(content = inline(Binary), content_type = "application/octet-stream", description = "protobuf Transaction"),
    responses((status = 200, description = "final", body = SubmitAnswer), (status = 202, description = "queued", body = SubmitAnswer), ApiError))]
pub(crate) async fn one<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<ChainPath>,
    Query(query): Query<WaitQuery>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    request: Request,
) -> Result<Response, ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    let wait = query.duration()?;
    let _slot = context.gate.submissions.enter()?;
    let body = read(&context, request, TRANSACTION_BYTES_MAX).await?;
    if body.is_empty() {
        return Err(ApiError::detailed(Code::MalformedTransaction, "0 bytes"));
    }
    let mut items = submit(&context, &chain, vec![body], wait).await?;
    let item = items.pop().ok_or(Code::Internal)?;
    let status = match item {
        Submitted::Refused { error, .. } => return Err(error),
        Submitted::Queued(_) => StatusCode::ACCEPTED,
        Submitted::Final(_) => StatusCode::OK,
    };
    Ok((status, Json(item.answer(&request_id))).into_response())
}

/// 批量提交交易 · Submit a batch of transactions
///
/// For each transaction its length (u32 big-endian) and its bytes; at most 2000 transactions and 4 MiB. The items
/// of the answer are in the order of the batch, and each stands for itself: one that is refused does not hold up
/// the others. 200 with `wait=true`, else 202.
#[utoipa::path(post, operation_id = "submit_batch", path = "/v1/chains/{chain}/transactions/batch", tag = "transactions", params(ChainPath, WaitQuery),
    request_body(content = inline(Binary), content_type = "application/octet-stream", description = "length-delimited protobuf Transactions"),
    responses((status = 200, description = "waited", body = BatchAnswer), (status = 202, description = "not waited", body = BatchAnswer), ApiError))]
pub(crate) async fn batch<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<ChainPath>,
    Query(query): Query<WaitQuery>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    request: Request,
) -> Result<Response, ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    let wait = query.duration()?;
    let _slot = context.gate.batches.enter()?;
    let body = read(&context, request, BATCH_BYTES_MAX).await?;
    let transactions = decode_batch(body).map_err(|error| ApiError::detailed(Code::MalformedBatch, error))?;
    let items = submit(&context, &chain, transactions, wait).await?;
    let items = items.into_iter().map(|item| item.answer(&request_id)).collect();
    let status = wait.map_or(StatusCode::ACCEPTED, |_| StatusCode::OK);
    Ok((status, Json(BatchAnswer { items })).into_response())
}

async fn read<S: Service>(context: &Context<S>, request: Request, limit: usize) -> Result<bytes::Bytes, ApiError> {
    let body = read_body(request.into_body(), limit);
    within(&context.service, context.limits.request_timeout, body).await?
}

/// The service keeps to the wait itself; the time-out beyond it is for one that does not.
async fn submit<S: Service>(
    context: &Context<S>,
    chain: &S::Chain,
    transactions: Vec<bytes::Bytes>,
    wait: Option<Duration>,
) -> Result<Vec<Submitted>, ApiError> {
    let count = transactions.len();
    let limit = context.limits.request_timeout + wait.unwrap_or_default();
    let items = within(&context.service, limit, chain.submit(transactions, wait)).await?;
    if items.len() == count {
        Ok(items)
    } else {
        Err(Code::Internal.into())
    }
}
