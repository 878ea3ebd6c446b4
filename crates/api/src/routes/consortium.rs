//! What waits in the consortium.

use crate::{
    ApiError, ChainService, Service,
    extract::{ChainPath, Path, chain},
    gate::Context,
    views::*,
};
use axum::{Json, extract::State};

/// 待办事项 · Invitations that wait for an answer, organisations that leave, votes that are open
#[utoipa::path(get, path = "/v1/chains/{chain}/pending", tag = "governance", params(ChainPath),
    responses((status = 200, description = "what waits", body = PendingView), ApiError))]
pub(crate) async fn pending<S: Service>(
    State(context): State<Context<S>>,
    Path(path): Path<ChainPath>,
) -> Result<Json<PendingView>, ApiError> {
    chain(&context.service, &path.chain)?.pending().await.map(Json)
}
