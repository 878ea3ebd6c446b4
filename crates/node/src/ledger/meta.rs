//! What a node remembers about a chain as a whole.
//!
//! | key | value |
//! |---|---|
//! | `format` | number of the ledger's format (4) |
//! | `genesis` | genesis bytes |
//! | `tip` | the last final block: height (8) ‖ digest (32) ‖ time, ms (8) ‖ state root after it (32) ‖ receipt root (32) ‖ write-set root (32) ‖ transactions so far (8) |
//! | `set/` epoch (8) | a validator set that begins with that epoch: first height (8) ‖ digest (32) |
//! | `pruned` | blocks below this height (8) have lost their bodies |
//! | `floor` | the chain was begun here with a snapshot: the first height (8) that was executed here |
//! | `import` | empty: a snapshot is being brought in, and nothing in the store counts until it is whole |

use super::{
    LedgerError,
    keys::{self, HEIGHT_BYTES},
};
use bytes::Bytes;
use std::ops::Bound;
use yulian_store::{Batch, Kv, META, View};
use yulian_types::Digest;

/// The format that this program writes.
pub const LEDGER_FORMAT: u32 = 1;

const FORMAT: &[u8] = b"format";
const GENESIS: &[u8] = b"genesis";
const TIP: &[u8] = b"tip";
const SET: &[u8] = b"set/";
const PRUNED: &[u8] = b"pruned";
const FLOOR: &[u8] = b"floor";
const IMPORT: &[u8] = b"import";

/// Most changes of the validator set that are read: one for each epoch of centuries.
const SET_CHANGES_MAX: usize = 1 << 20;

/// The last final block of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip {
    /// Height.
    pub height: u64,
    /// Digest of the block.
    pub digest: Digest,
    /// Block time, ms since 1970-01-01 UTC.
    pub time_ms: u64,
    /// State root after the block.
    pub state_root: Digest,
    /// Root over its receipts.
    pub receipt_root: Digest,
    /// Root over its write set.
    pub write_set_root: Digest,
    /// Transactions of the chain so far.
    pub transactions: u64,
}

impl Tip {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(152);
        out.extend_from_slice(&self.height.to_be_bytes());
        out.extend_from_slice(&self.digest.0);
        out.extend_from_slice(&self.time_ms.to_be_bytes());
        for root in [&self.state_root, &self.receipt_root, &self.write_set_root] {
            out.extend_from_slice(&root.0);
        }
        out.extend_from_slice(&self.transactions.to_be_bytes());
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (height, rest) = bytes.split_first_chunk()?;
        let (digest, rest) = rest.split_first_chunk()?;
        let (time, rest) = rest.split_first_chunk()?;
        let (state_root, rest) = rest.split_first_chunk()?;
        let (receipt_root, rest) = rest.split_first_chunk()?;
        let (write_set_root, rest) = rest.split_first_chunk()?;
        Some(Self {
            height: u64::from_be_bytes(*height),
            digest: Digest(*digest),
            time_ms: u64::from_be_bytes(*time),
            state_root: Digest(*state_root),
            receipt_root: Digest(*receipt_root),
            write_set_root: Digest(*write_set_root),
            transactions: u64::from_be_bytes(rest.try_into().ok()?),
        })
    }
}

/// A validator set of the history, by digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetMark {
    /// First epoch.
    pub first_epoch: u64,
    /// First height of that epoch.
    pub first_height: u64,
    /// Digest of the set.
    pub digest: Digest,
}

fn damaged(what: &[u8]) -> LedgerError {
    LedgerError::damaged(format_args!("the record {}", String::from_utf8_lossy(what)))
}

fn read<K: Kv, T>(kv: &K, key: &[u8], parse: impl Fn(&[u8]) -> Option<T>) -> Result<Option<T>, LedgerError> {
    let value = kv.get(META, key)?;
    value.map(|value| parse(&value).ok_or_else(|| damaged(key))).transpose()
}

pub(super) fn format<K: Kv>(kv: &K) -> Result<Option<u32>, LedgerError> {
    read(kv, FORMAT, |bytes| bytes.try_into().ok().map(u32::from_be_bytes))
}

pub(super) fn genesis<K: Kv>(kv: &K) -> Result<Option<Bytes>, LedgerError> {
    Ok(kv.get(META, GENESIS)?)
}

pub(super) fn tip<K: Kv>(kv: &K) -> Result<Option<Tip>, LedgerError> {
    read(kv, TIP, Tip::decode)
}

pub(super) fn tip_in(view: &dyn View) -> Result<Tip, LedgerError> {
    let tip = view.get(META, TIP)?.and_then(|bytes| Tip::decode(&bytes));
    tip.ok_or_else(|| damaged(TIP))
}

pub(super) fn floor<K: Kv>(kv: &K) -> Result<Option<u64>, LedgerError> {
    read(kv, FLOOR, keys::parse_height)
}

pub(super) fn importing<K: Kv>(kv: &K) -> Result<bool, LedgerError> {
    Ok(kv.get(META, IMPORT)?.is_some())
}

pub(super) fn is_import_mark(key: &[u8]) -> bool {
    key == IMPORT
}

pub(super) fn put_importing(batch: &mut Batch) {
    batch.put(META, IMPORT, Bytes::new());
}

/// The import is whole: the ledger begins above `floor`.
pub(super) fn put_imported(batch: &mut Batch, floor: u64) {
    batch.put(META, FLOOR, floor.to_be_bytes().to_vec());
    batch.delete(META, IMPORT);
}

pub(super) fn pruned<K: Kv>(kv: &K) -> Result<u64, LedgerError> {
    Ok(read(kv, PRUNED, keys::parse_height)?.unwrap_or(0))
}

pub(super) fn sets<K: Kv>(kv: &K) -> Result<Vec<SetMark>, LedgerError> {
    let end = keys::prefix_end(SET);
    let list = kv.range(
        META,
        Bound::Included(SET),
        Bound::Excluded(&end),
        SET_CHANGES_MAX,
        false,
    )?;
    let parse = |(key, value): &(Bytes, Bytes)| {
        let first_epoch = keys::parse_height(key.get(SET.len()..)?)?;
        let (height, digest) = value.split_at_checked(HEIGHT_BYTES)?;
        Some(SetMark {
            first_epoch,
            first_height: keys::parse_height(height)?,
            digest: Digest::from_slice(digest)?,
        })
    };
    list.iter()
        .map(|entry| parse(entry).ok_or_else(|| damaged(SET)))
        .collect()
}

pub(super) fn put_origin(batch: &mut Batch, genesis: Bytes) {
    batch.put(META, FORMAT, LEDGER_FORMAT.to_be_bytes().to_vec());
    batch.put(META, GENESIS, genesis);
}

pub(super) fn put_tip(batch: &mut Batch, tip: &Tip) {
    batch.put(META, TIP, tip.encode());
}

pub(super) fn put_set(batch: &mut Batch, mark: &SetMark) {
    let key = [SET, &mark.first_epoch.to_be_bytes()].concat();
    let value = [&mark.first_height.to_be_bytes()[..], &mark.digest.0].concat();
    batch.put(META, &key, value);
}

pub(super) fn put_pruned(batch: &mut Batch, below: u64) {
    batch.put(META, PRUNED, below.to_be_bytes().to_vec());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tip_survives_and_other_lengths_are_refused() {
        let tip = Tip {
            height: 7,
            digest: Digest([1; 32]),
            time_ms: 9,
            state_root: Digest([2; 32]),
            receipt_root: Digest([3; 32]),
            write_set_root: Digest([4; 32]),
            transactions: 11,
        };
        let bytes = tip.encode();
        assert_eq!(Tip::decode(&bytes), Some(tip));
        assert_eq!(Tip::decode(&bytes[1..]), None);
        assert_eq!(Tip::decode(&[&bytes[..], &[0]].concat()), None);
    }
}
