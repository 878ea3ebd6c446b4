//! Every HTTP definition, JSON view type and error code; yields the committed `openapi/*.json`.
//!
//! A node implements [`Service`] and [`ChainService`]. Nothing here
//! reads a clock or opens a socket: time-outs run on [`Service::pause`], sockets are the node's.

mod batch;
mod codes;
mod error;
pub mod limits;
mod service;
mod text;
pub mod views;

pub use crate::{
    batch::{BatchError, decode_batch, encode_batch},
    codes::{Code, Entry},
    error::{ApiError, DETAIL_CHARS_MAX, ErrorBody, Texts},
    service::*,
    text::{Decimal, DigestText, Hex, KeyText, NotText},
};
