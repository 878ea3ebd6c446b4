//! Every HTTP definition, JSON view type and error code; yields the committed `openapi/*.json`.
//!
//! A node implements [`Service`] and [`ChainService`]. Nothing here
//! reads a clock or opens a socket: time-outs run on [`Service::pause`], sockets are the node's.

mod batch;
mod codes;
mod error;
mod extract;
mod gate;
mod joins;
pub mod limits;
mod openapi;
mod routes;
mod service;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
pub mod views;

pub use crate::{
    batch::{BatchError, decode_batch, encode_batch},
    codes::{CHAIN_EXPIRED, CHAIN_REPLAYED, Code, Entry, chain_status},
    error::{ApiError, DETAIL_CHARS_MAX, ErrorBody, Texts},
    joins::{JOIN_AGE_MS_MAX, JOINS_MAX, Joins},
    openapi::{document_json, openapi},
    routes::{operations, router},
    service::*,
    text::{Decimal, DigestText, Hex, KeyText, NotText},
};
