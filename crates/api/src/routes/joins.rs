//! Requests of other platforms to be linked with a relay chain.

use crate::{
    ApiError, ChainService, Service,
    extract::{Binary, ChainPath, Path, chain, parse, read_body},
    gate::{Context, within},
    routes::binary,
    views::*,
};
use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use utoipa::IntoParams;
use yulian_types::limits::JOIN_REQUEST_BYTES_MAX;

/// A request to a chain.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct JoinPath {
    /// Name or genesis digest of the relay chain, or `default`.
    #[param(example = "default")]
    chain: String,
    /// Genesis digest of the chain that asks.
    joining: String,
}

/// 申请接入 · Ask to be linked with a relay chain
///
/// The body is one protobuf message `JoinRequest`, signed by an administrator of the chain that asks. It waits in memory for the
/// operators of this platform; whoever asks repeats it until the relay chain has a light client of its chain.
#[utoipa::path(post, operation_id = "ask_to_join", path = "/v1/chains/{chain}/joins", tag = "platform", params(ChainPath),
    request_body(content = inline(Binary), content_type = "application/octet-stream", description = "protobuf JoinRequest"),
    responses((status = 202, description = "waiting", body = JoinList), ApiError))]
pub(crate) async fn ask<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<ChainPath>,
    request: Request,
) -> Result<(StatusCode, Json<JoinList>), ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    let _slot = context.gate.batches.enter()?;
    let body = read_body(request.into_body(), JOIN_REQUEST_BYTES_MAX);
    let body = within(&context.service, context.limits.request_timeout, body).await??;
    let items = vec![chain.ask_to_join(body).await?];
    Ok((StatusCode::ACCEPTED, Json(JoinList { items })))
}

/// 接入申请 · The requests that wait at this node
#[utoipa::path(get, operation_id = "joins", path = "/v1/chains/{chain}/joins", tag = "platform", params(ChainPath),
    responses((status = 200, description = "requests", body = JoinList), ApiError))]
pub(crate) async fn list<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<ChainPath>,
) -> Result<Json<JoinList>, ApiError> {
    let items = chain(&context.service, &path.chain)?.joins().await?;
    Ok(Json(JoinList { items }))
}

/// 接入申请原文 · The bytes of a request, to be checked by those who decide
#[utoipa::path(get, operation_id = "join_request", path = "/v1/chains/{chain}/joins/{joining}", tag = "platform", params(JoinPath),
    responses((status = 200, description = "protobuf JoinRequest", body = inline(Binary), content_type = "application/octet-stream"), ApiError))]
pub(crate) async fn bytes<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<JoinPath>,
) -> Result<Response, ApiError> {
    let joining = parse("joining", &path.joining)?;
    let request = chain(&context.service, &path.chain)?.join_request(joining).await?;
    Ok(binary(request))
}
