//! Vouchers: which id a series has.

use crate::tags;
use yulian_crypto::{Digest, sm3};

/// Id of a series of an organisation of its home chain: SM3("ylVouchr" ‖ home ‖ length of the organisation's id (1) ‖ organisation's
/// id ‖ name). Ids of organisations have at most 32 bytes.
pub fn voucher_series_id(home: &Digest, organisation: &str, name: &str) -> Digest {
    let length = [organisation.len() as u8];
    let parts: [&[u8]; 4] = [&home.0, &length, organisation.as_bytes(), name.as_bytes()];
    sm3::tagged(&tags::VOUCHER_SERIES, &parts)
}
