//! Blocks, transactions and proofs.

use crate::{
    ApiError, BlockRef, ChainService, Code, DigestText, Hex, Service,
    extract::{Binary, ChainPath, Path, Query, chain, items, name, parse, read_body},
    gate::Context,
    limits::{STATE_KEYS_MAX, STATE_REQUEST_BYTES_MAX},
    routes::binary,
    views::*,
};
use axum::{
    Json,
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use serde::Deserialize;
use utoipa::IntoParams;
use yulian_types::limits::STATE_KEY_BYTES_MAX;

/// Path of a transaction.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct TransactionPath {
    /// Name or genesis digest of the chain, or `default` for the node's first one.
    #[param(example = "default")]
    chain: String,
    /// Transaction id, 64 hexadecimal digits.
    #[param(value_type = DigestText)]
    id: String,
}

/// Path of a block.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct BlockPath {
    /// Name or genesis digest of the chain, or `default` for the node's first one.
    #[param(example = "default")]
    chain: String,
    /// Height, block digest, or `latest`.
    #[param(example = "latest")]
    block: String,
}

/// Path of a state value.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct StatePath {
    /// Name or genesis digest of the chain, or `default` for the node's first one.
    #[param(example = "default")]
    chain: String,
    /// Name or number of the module.
    #[param(example = "evidence")]
    module: String,
    /// The key in hexadecimal, up to 256 bytes.
    #[param(value_type = Hex)]
    key: String,
}

/// Of which block the state is asked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct StateQuery {
    /// The state after the block of this height; the last provable one when absent. As many heights can be proven as the node
    /// keeps a history for, 10,000 unless it is set otherwise.
    height: Option<u64>,
}

/// Which headers.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeadersQuery {
    /// First height; 0 when absent.
    from: Option<u64>,
    /// Most headers, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// 链信息 · The rules of the chain
#[utoipa::path(get, operation_id = "chain_info", path = "/v1/chains/{chain}", tag = "chain", params(ChainPath), responses((status = 200, description = "rules", body = ChainInfo), ApiError))]
pub(crate) async fn info<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<ChainPath>,
) -> Result<Json<ChainInfo>, ApiError> {
    chain(&context.service, &path.chain)?.info().await.map(Json)
}

/// 创世数据 · The genesis message, protobuf `Genesis`; the chain id is SM3("ylGenesi" ‖ these bytes)
#[utoipa::path(get, operation_id = "chain_genesis", path = "/v1/chains/{chain}/genesis", tag = "chain", params(ChainPath),
    responses((status = 200, description = "genesis", body = inline(Binary), content_type = "application/octet-stream"), ApiError))]
pub(crate) async fn genesis<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<ChainPath>,
) -> Result<Response, ApiError> {
    chain(&context.service, &path.chain)?.genesis().await.map(binary)
}

/// 查询交易 · A transaction that is final or waits on this node
#[utoipa::path(get, path = "/v1/chains/{chain}/transactions/{id}", tag = "transactions", params(TransactionPath),
    responses((status = 200, description = "transaction", body = TransactionView), ApiError))]
pub(crate) async fn transaction<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<TransactionPath>,
) -> Result<Json<TransactionView>, ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    chain.transaction(parse("id", &path.id)?).await.map(Json)
}

/// 查询回执 · The receipt of a final transaction
#[utoipa::path(get, path = "/v1/chains/{chain}/transactions/{id}/receipt", tag = "transactions", params(TransactionPath),
    responses((status = 200, description = "receipt", body = ReceiptView), ApiError))]
pub(crate) async fn receipt<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<TransactionPath>,
) -> Result<Json<ReceiptView>, ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    chain.receipt(parse("id", &path.id)?).await.map(Json)
}

/// 交易证明 · That a transaction stands in a final block, and what it came to
#[utoipa::path(get, path = "/v1/chains/{chain}/transactions/{id}/proof", tag = "transactions", params(TransactionPath),
    responses((status = 200, description = "proof", body = TransactionProofView), ApiError))]
pub(crate) async fn transaction_proof<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<TransactionPath>,
) -> Result<Json<TransactionProofView>, ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    chain.transaction_proof(parse("id", &path.id)?).await.map(Json)
}

/// 查询区块 · A final block with what its transactions did
#[utoipa::path(get, path = "/v1/chains/{chain}/blocks/{block}", tag = "blocks", params(BlockPath),
    responses((status = 200, description = "block", body = BlockView), ApiError))]
pub(crate) async fn block<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<BlockPath>,
) -> Result<Json<BlockView>, ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    chain.block(parse("block", &path.block)?).await.map(Json)
}

/// 区块原文 · The bytes of a block, protobuf `Block`
#[utoipa::path(get, path = "/v1/chains/{chain}/blocks/{block}/raw", tag = "blocks", params(BlockPath),
    responses((status = 200, description = "block", body = inline(Binary), content_type = "application/octet-stream"), ApiError))]
pub(crate) async fn block_bytes<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<BlockPath>,
) -> Result<Response, ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    chain.block_bytes(parse("block", &path.block)?).await.map(binary)
}

/// 终局证明 · That a block is final: headers from it up to a finalised descendant, and the proof for that one
#[utoipa::path(get, path = "/v1/chains/{chain}/blocks/{block}/finality", tag = "blocks", params(BlockPath),
    responses((status = 200, description = "proof", body = FinalityView), ApiError))]
pub(crate) async fn finality<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<BlockPath>,
) -> Result<Json<FinalityView>, ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    let height = match parse("block", &path.block)? {
        BlockRef::Height(height) => height,
        other => chain.header(other).await?.height,
    };
    chain.finality(height).await.map(Json)
}

/// 查询区块头列表 · Headers from a height on
#[utoipa::path(get, path = "/v1/chains/{chain}/headers", tag = "blocks", params(ChainPath, HeadersQuery),
    responses((status = 200, description = "headers", body = HeaderPage), ApiError))]
pub(crate) async fn headers<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<ChainPath>,
    Query(query): Query<HeadersQuery>,
) -> Result<Json<HeaderPage>, ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    let limit = items(query.limit)?;
    let items = chain.headers(query.from.unwrap_or_default(), limit).await?;
    let full = items.len() == limit;
    let next = items.last().filter(|_| full).map(|last| last.height + 1);
    Ok(Json(HeaderPage { items, next }))
}

/// 查询区块头 · A header
#[utoipa::path(get, path = "/v1/chains/{chain}/headers/{block}", tag = "blocks", params(BlockPath),
    responses((status = 200, description = "header", body = HeaderView), ApiError))]
pub(crate) async fn header<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<BlockPath>,
) -> Result<Json<HeaderView>, ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    chain.header(parse("block", &path.block)?).await.map(Json)
}

/// 查询状态值 · A value of the state, or its absence, with the proof
#[utoipa::path(get, operation_id = "state_value", path = "/v1/chains/{chain}/state/{module}/{key}", tag = "state", params(StatePath, StateQuery),
    responses((status = 200, description = "value", body = StateView), ApiError))]
pub(crate) async fn state<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<StatePath>,
    Query(query): Query<StateQuery>,
) -> Result<Json<StateView>, ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    let module = name("module", &path.module)?;
    let key = bounded_key(parse("key", &path.key)?)?;
    chain.state(module, key, query.height).await.map(Json)
}

fn bounded_key(Hex(key): Hex) -> Result<Bytes, ApiError> {
    if key.len() <= STATE_KEY_BYTES_MAX {
        return Ok(key);
    }
    let detail = format_args!("key: 1..={STATE_KEY_BYTES_MAX}").to_string();
    Err(ApiError::detailed(Code::BadParameter, detail))
}

/// 批量查询状态值 · Several values of one state, or their absence, with their proofs under one final header
#[utoipa::path(post, operation_id = "state_values", path = "/v1/chains/{chain}/state", tag = "state", params(ChainPath),
    request_body = StateRequest, responses((status = 200, description = "values", body = StatesView), ApiError))]
pub(crate) async fn states<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<ChainPath>,
    request: Request,
) -> Result<Json<StatesView>, ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    let body = read_body(request.into_body(), STATE_REQUEST_BYTES_MAX).await?;
    let asked: StateRequest =
        serde_json::from_slice(&body).map_err(|error| ApiError::detailed(Code::BadParameter, error))?;
    let module = name("module", &asked.module)?;
    if !(1..=STATE_KEYS_MAX).contains(&asked.keys.len()) {
        let detail = format_args!("keys: 1..={STATE_KEYS_MAX}").to_string();
        return Err(ApiError::detailed(Code::BadParameter, detail));
    }
    let keys: Vec<Bytes> = asked.keys.into_iter().map(bounded_key).collect::<Result<_, _>>()?;
    chain.states(module, keys, asked.height).await.map(Json)
}
