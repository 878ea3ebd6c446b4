//! What chains say to each other: which ones they believe, packets, vouchers, routes, notices.

mod agree;
mod compare;
pub(crate) mod link;
mod names;
pub(crate) mod notice;
pub(crate) mod packet;
pub(crate) mod route;
pub(crate) mod say;
pub(crate) mod voucher;
mod wait;

pub(crate) use agree::{Settings, agree, decide, open_routes, voters};
pub(crate) use wait::{end_of, ended, named, not_done};
