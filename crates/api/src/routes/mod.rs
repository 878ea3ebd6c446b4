//! The routes and their handlers: parse, ask the service, answer.

pub(crate) mod consortium;
pub(crate) mod joins;
pub(crate) mod ledger;
pub(crate) mod node;
pub(crate) mod records;
pub(crate) mod register;
pub(crate) mod stream;
pub(crate) mod submit;

use crate::{
    ApiError, Code, Service,
    gate::{Context, Gate, bounded, identify},
    limits::Limits,
};
use axum::{
    Router,
    http::header,
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;

/// Builds a router and a list from a table, so that the table is all there is.
macro_rules! table {
    ($(#[$doc:meta])* $router:ident $list:ident $($method:ident $path:literal $module:ident::$handler:ident;)*) => {
        $(#[$doc])*
        fn $router<S: Service>() -> Router<Context<S>> {
            Router::new()$(.route($path, $method($module::$handler::<S>)))*
        }

        const $list: &[(&str, &str)] = &[$((stringify!($method), $path),)*];
    };
}

/// The whole interface over a service, ready for any HTTP server.
pub fn router<S: Service>(service: S, limits: Limits) -> Router {
    let context = Context {
        service,
        limits,
        gate: Gate::new(&limits),
    };
    reads::<S>()
        .layer(from_fn_with_state(context.clone(), bounded::<S>))
        .merge(others::<S>())
        .fallback(async || ApiError::new(Code::UnknownRoute))
        .method_not_allowed_fallback(async || ApiError::new(Code::MethodNotAllowed))
        .layer(from_fn_with_state(context.clone(), identify::<S>))
        .with_state(context)
}

table! {
    /// Bounded together in number and in time.
    reads READS
    get "/v1/status" node::status;
    get "/v1/chains/{chain}" ledger::info;
    get "/v1/chains/{chain}/genesis" ledger::genesis;
    get "/v1/chains/{chain}/transactions/{id}" ledger::transaction;
    get "/v1/chains/{chain}/transactions/{id}/receipt" ledger::receipt;
    get "/v1/chains/{chain}/transactions/{id}/proof" ledger::transaction_proof;
    get "/v1/chains/{chain}/blocks/{block}" ledger::block;
    get "/v1/chains/{chain}/blocks/{block}/raw" ledger::block_bytes;
    get "/v1/chains/{chain}/blocks/{block}/finality" ledger::finality;
    get "/v1/chains/{chain}/headers" ledger::headers;
    get "/v1/chains/{chain}/headers/{block}" ledger::header;
    get "/v1/chains/{chain}/state/{module}/{key}" ledger::state;
    post "/v1/chains/{chain}/state" ledger::states;
    get "/v1/chains/{chain}/evidence" records::evidence;
    get "/v1/chains/{chain}/evidence/{digest}/pack" records::evidence_pack;
    get "/v1/chains/{chain}/validators" records::validators;
    get "/v1/chains/{chain}/validator-history" records::validator_history;
    get "/v1/chains/{chain}/organisations" records::organisations;
    get "/v1/chains/{chain}/organisations/{organisation}/accounts" records::accounts;
    get "/v1/chains/{chain}/accounts/{account}" records::account;
    get "/v1/chains/{chain}/nodes" records::nodes;
    get "/v1/chains/{chain}/register" register::chains;
    get "/v1/chains/{chain}/templates" register::templates;
    get "/v1/chains/{chain}/offers" register::offers;
    get "/v1/chains/{chain}/joins" joins::list;
    get "/v1/chains/{chain}/joins/{joining}" joins::bytes;
    get "/v1/chains/{chain}/pending" consortium::pending;
    get "/v1/chains/{chain}/proposals" records::proposals;
    get "/v1/chains/{chain}/proposals/{proposal}" records::proposal;
    get "/v1/chains/{chain}/candidate-proof" records::candidate;
}

table! {
    /// Bounded by themselves, or (for those who watch the node) not at all.
    others OTHERS
    get "/healthz" node::health;
    get "/readyz" node::readiness;
    get "/metrics" node::metrics;
    get "/openapi.json" node::document;
    post "/v1/chains/{chain}/transactions" submit::one;
    post "/v1/chains/{chain}/transactions/batch" submit::batch;
    post "/v1/chains/{chain}/joins" joins::ask;
    get "/v1/chains/{chain}/stream" stream::blocks;
}

/// Every operation that [`router`] serves: method in lower case and path with placeholders.
pub fn operations() -> impl Iterator<Item = (&'static str, &'static str)> {
    READS.iter().chain(OTHERS).copied()
}

/// An answer of plain bytes.
fn binary(bytes: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response()
}

/// An answer that is JSON already.
fn json_bytes(bytes: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], bytes).into_response()
}
