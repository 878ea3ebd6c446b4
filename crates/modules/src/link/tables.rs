//! Tables of `link` that only the chain itself relies on; the others are in `yulian_types::state_keys`.

use yulian_crypto::Digest;
use yulian_types::{StateKey, state_keys::LINK_ID};

const TABLE_SET: u8 = 9;
const TABLE_PENDING: u8 = 17;

/// [`yulian_types::proto::ValidatorSet`] of a chain, by digest.
pub(super) fn set(chain: &Digest, digest: &[u8]) -> StateKey {
    StateKey::new(LINK_ID, TABLE_SET, &[&chain.0, digest])
}

/// [`yulian_types::proto::PendingCount`] of an organisation.
pub(super) fn pending(destination: &Digest, module: &str, organisation: &str) -> StateKey {
    let length = [module.len() as u8];
    let parts: [&[u8]; 4] = [&destination.0, &length, module.as_bytes(), organisation.as_bytes()];
    StateKey::new(LINK_ID, TABLE_PENDING, &parts)
}
