//! The register of a platform's chains, on its system chain.

use crate::{
    ApiError, ChainService, Service,
    extract::{ChainPath, PageQuery, Path, Query, chain},
    gate::Context,
    views::*,
};
use axum::{Json, extract::State};

/// 平台各链 · The chains of a platform, from the register of its system chain; empty on any other chain
#[utoipa::path(get, operation_id = "register", path = "/v1/chains/{chain}/register", tag = "platform", params(ChainPath, PageQuery),
    responses((status = 200, description = "chains", body = ChainRecordPage), ApiError))]
pub(crate) async fn chains<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<ChainPath>,
    Query(query): Query<PageQuery>,
) -> Result<Json<ChainRecordPage>, ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    chain.register(query.page()?).await.map(Json)
}

/// 建链模板 · The templates of chains that can be created
#[utoipa::path(get, path = "/v1/chains/{chain}/templates", tag = "platform", params(ChainPath),
    responses((status = 200, description = "templates", body = TemplateList), ApiError))]
pub(crate) async fn templates<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<ChainPath>,
) -> Result<Json<TemplateList>, ApiError> {
    chain(&context.service, &path.chain)?.templates().await.map(Json)
}

/// 节点托管承诺 · What the platform's nodes offer to host, and what they host
#[utoipa::path(get, path = "/v1/chains/{chain}/offers", tag = "platform", params(ChainPath, PageQuery),
    responses((status = 200, description = "offers", body = OfferPage), ApiError))]
pub(crate) async fn offers<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<ChainPath>,
    Query(query): Query<PageQuery>,
) -> Result<Json<OfferPage>, ApiError> {
    let chain = chain(&context.service, &path.chain)?;
    chain.offers(query.page()?).await.map(Json)
}
