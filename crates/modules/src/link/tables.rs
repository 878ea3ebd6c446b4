//! Tables of `link` that only the chain itself relies on; the others are in `yulian_types::state_keys`.

use yulian_crypto::Digest;
use yulian_types::{
    StateKey,
    state_keys::{LINK_ID, TABLE_LINK_LIST},
};

const TABLE_SET: u8 = 9;
const TABLE_AGREEMENT: u8 = 10;
const TABLE_ROUTE: u8 = 12;
const TABLE_PENDING: u8 = 17;
/// Table of `link`: genesis digest of this chain's relay, one record.
pub const TABLE_RELAY: u8 = 14;
/// Table of `link`: all routes, one record.
pub const TABLE_ROUTES: u8 = 15;
/// Table of `link`: what is frozen, one record.
pub const TABLE_FREEZES: u8 = 16;

/// [`yulian_types::proto::ValidatorSet`] of a chain, by digest.
pub(super) fn set(chain: &Digest, digest: &[u8]) -> StateKey {
    StateKey::new(LINK_ID, TABLE_SET, &[&chain.0, digest])
}

/// [`yulian_types::proto::LinkAgreement`] of a chain.
pub(super) fn agreement(chain: &Digest) -> StateKey {
    StateKey::new(LINK_ID, TABLE_AGREEMENT, &[&chain.0])
}

/// [`yulian_types::proto::PendingCount`] of an organisation.
pub(super) fn pending(destination: &Digest, module: &str, organisation: &str) -> StateKey {
    let length = [module.len() as u8];
    let parts: [&[u8]; 4] = [&destination.0, &length, module.as_bytes(), organisation.as_bytes()];
    StateKey::new(LINK_ID, TABLE_PENDING, &parts)
}

/// [`yulian_types::proto::SetRoute`] of exactly this pattern.
pub(super) fn route(source: &[u8], destination: &[u8], module: &str) -> StateKey {
    StateKey::new(LINK_ID, TABLE_ROUTE, &[source, destination, module.as_bytes()])
}

/// [`yulian_types::proto::LinkList`].
pub fn list() -> StateKey {
    StateKey::new(LINK_ID, TABLE_LINK_LIST, &[])
}

/// 32 bytes: genesis digest of this chain's relay.
pub fn relay_chain() -> StateKey {
    StateKey::new(LINK_ID, TABLE_RELAY, &[])
}

/// [`yulian_types::proto::RouteList`].
pub fn routes() -> StateKey {
    StateKey::new(LINK_ID, TABLE_ROUTES, &[])
}

/// [`yulian_types::proto::FreezeList`].
pub fn freezes() -> StateKey {
    StateKey::new(LINK_ID, TABLE_FREEZES, &[])
}
