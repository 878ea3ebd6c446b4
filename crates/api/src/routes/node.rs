//! The node as a whole.

use crate::{ApiError, Service, gate::Context, openapi, routes::json_bytes, views::*};
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use std::sync::OnceLock;

/// 节点状态 · The node and its chains
#[utoipa::path(get, operation_id = "node_status", path = "/v1/status", tag = "node", responses((status = 200, description = "status", body = NodeStatus), ApiError))]
pub(crate) async fn status<S: Service>(State(context): State<Context<S>>) -> Result<Json<NodeStatus>, ApiError> {
    context.service.status().await.map(Json)
}

/// 监控指标 · Prometheus metrics, text format 0.0.4
#[utoipa::path(get, path = "/metrics", tag = "node", responses((status = 200, description = "metrics", body = String, content_type = "text/plain"), ApiError))]
pub(crate) async fn metrics<S: Service>(State(context): State<Context<S>>) -> Result<Response, ApiError> {
    let text = context.service.metrics().await?;
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// 存活检查 · Whether the process is alive; 503 when not
#[utoipa::path(get, path = "/healthz", tag = "node", responses(
    (status = 200, description = "healthy", body = Health), (status = 503, description = "not healthy", body = Health), ApiError))]
pub(crate) async fn health<S: Service>(State(context): State<Context<S>>) -> (StatusCode, Json<Health>) {
    let health = context.service.health().await;
    (code(health.healthy), Json(health))
}

/// 就绪检查 · Whether the node takes transactions on every chain; 503 when not
#[utoipa::path(get, path = "/readyz", tag = "node", responses(
    (status = 200, description = "ready", body = Readiness), (status = 503, description = "not ready", body = Readiness), ApiError))]
pub(crate) async fn readiness<S: Service>(State(context): State<Context<S>>) -> (StatusCode, Json<Readiness>) {
    let readiness = context.service.readiness().await;
    (code(readiness.ready), Json(readiness))
}

/// 接口文档 · This document
#[utoipa::path(get, operation_id = "openapi_document", path = "/openapi.json", tag = "node", responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value), ApiError))]
pub(crate) async fn document<S: Service>(State(_context): State<Context<S>>) -> Response {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    let text = DOCUMENT.get_or_init(openapi::document_json).as_bytes();
    json_bytes(bytes::Bytes::from_static(text))
}

fn code(ok: bool) -> StatusCode {
    if ok {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}
