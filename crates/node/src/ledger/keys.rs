//! Keys and small values of a chain's store, as fixed bytes. All numbers are big-endian, so keys sort by height.
//!
//! | space | key | value |
//! |---|---|---|
//! | state | path (32) | module id (4) ‖ length of the key (2) ‖ key ‖ value |
//! | block | height (8) | block bytes |
//! | block_digest | digest (32) | height (8) |
//! | proof | height (8) | bytes of the finality proof of exactly this height |
//! | receipt | height (8) | `ReceiptList` |
//! | tx | id (32) | height (8) ‖ index (4) |
//! | index | 1 ‖ height (8) | header bytes |
//! | index | 2 ‖ page (8) | bitmap: heights whose blocks are held |
//! | index | 3 ‖ page (8) | bitmap: heights whose proofs are held |
//! | index | 4 ‖ height (8) | evidence deposited in the block: entries as in [`super::evidence`] |
//! | index | 5 ‖ account (32) ‖ height (8) | the same, of one depositor |
//! | index | 6 ‖ organisation id | empty: it deposited evidence at some time |
//! | index | 7 ‖ organisation id | empty: it was registered at some time |
//! | index | 8 ‖ organisation id ‖ 0 ‖ account (32) | empty: an account of the organisation |
//! | undo | see [`super::history`] | |
//! | meta | see [`super::meta`] | |

use yulian_crypto::Digest;

/// Length of a height in keys and values.
pub(crate) const HEIGHT_BYTES: usize = 8;

/// Tables of the index space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Table {
    Header = 1,
    BlocksHeld = 2,
    ProofsHeld = 3,
    EvidenceByHeight = 4,
    EvidenceByDepositor = 5,
    DepositingOrganisation = 6,
    Organisation = 7,
    Account = 8,
}

/// A height as a key.
pub(crate) fn height(height: u64) -> [u8; HEIGHT_BYTES] {
    height.to_be_bytes()
}

/// The height that a key or value begins with.
pub(crate) fn parse_height(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().map(|chunk| u64::from_be_bytes(*chunk))
}

/// A key of the index space.
pub(crate) fn index(table: Table, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = vec![table as u8];
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}

/// The header of a height.
pub(crate) fn header(at: u64) -> Vec<u8> {
    index(Table::Header, &[&height(at)])
}

/// Where a transaction stands: height ‖ index.
pub(crate) fn position(at: u64, position: u32) -> Vec<u8> {
    [&height(at)[..], &position.to_be_bytes()].concat()
}

/// Reads [`position`].
pub(crate) fn parse_position(bytes: &[u8]) -> Option<(u64, u32)> {
    let (height, index) = bytes.split_at_checked(HEIGHT_BYTES)?;
    Some((parse_height(height)?, u32::from_be_bytes(index.try_into().ok()?)))
}

/// A depositor's evidence of a height.
pub(crate) fn depositor(account: &Digest, at: u64) -> Vec<u8> {
    index(Table::EvidenceByDepositor, &[&account.0, &height(at)])
}

/// Ends the id of an organisation, which has no such byte: ids that begin alike do not mix.
const END_OF_ID: &[u8] = &[0];

/// What the keys of an organisation's accounts begin with.
pub(crate) fn accounts(organisation: &str) -> Vec<u8> {
    index(Table::Account, &[organisation.as_bytes(), END_OF_ID])
}

/// An account of an organisation.
pub(crate) fn account(organisation: &str, account: &[u8]) -> Vec<u8> {
    [&accounts(organisation)[..], account].concat()
}

/// The first key after all keys with this prefix.
pub(crate) fn prefix_end(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return end;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_by_height_and_prefixes_end_where_the_next_begins() {
        assert!(header(255) < header(256));
        assert_eq!(parse_position(&position(7, 9)), Some((7, 9)));
        assert_eq!(parse_position(&[0; 11]), None);
        assert_eq!(prefix_end(&[4]), [5]);
        assert_eq!(prefix_end(&[4, 255]), [5]);
        assert!(prefix_end(&[255]).is_empty());
    }
}
