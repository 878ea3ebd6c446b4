//! The flat state: the current value of every key.

use super::{
    Ledger, LedgerError,
    keys::{self, Table},
};
use bytes::{Buf, Bytes};
use prost::Message;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    thread,
};
use yulian_exec::{Base, BaseError, Executed, parameters::REPLAY_WINDOW_MS, path_of};
use yulian_state::{
    BUCKET_LEAVES_MAX, Change, Found, Path, Prefix, Tree, TreeBuilder,
    write_set::{self, Write},
};
use yulian_store::{Batch, Entry, INDEX, Kv, STATE, StoreError, View};
use yulian_types::{
    StateKey, proto,
    state_keys::{ACCOUNT_ID, TABLE_ACCOUNT, TABLE_ORGANISATION},
};

/// Values read at a time when the tree is rebuilt.
const PAGE_VALUES: usize = 4_096;
const MODULE_BYTES: usize = 4;
const LENGTH_BYTES: usize = 2;

/// What stands under a path: the key too, so that the store says by itself what it holds.
fn record(write: &Write, value: &Bytes) -> Vec<u8> {
    let length = write.key.len() as u16;
    let mut out = Vec::with_capacity(MODULE_BYTES + LENGTH_BYTES + write.key.len() + value.len());
    out.extend_from_slice(&write.module_id.to_be_bytes());
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&write.key);
    out.extend_from_slice(value);
    out
}

/// A record in its parts.
pub(crate) struct Part {
    /// The module whose key it is.
    pub(crate) module_id: u32,
    /// The key.
    pub(crate) key: Bytes,
    /// Its value.
    pub(crate) value: Bytes,
}

/// Reads a record, without copying.
pub(crate) fn parse(record: &Bytes) -> Option<Part> {
    if record.len() < MODULE_BYTES + LENGTH_BYTES {
        return None;
    }
    let mut key = record.clone();
    let module_id = key.get_u32();
    let length = usize::from(key.get_u16());
    let value = (key.len() >= length).then(|| key.split_off(length))?;
    Some(Part { module_id, key, value })
}

fn value_of(record: Bytes) -> Option<Bytes> {
    parse(&record).map(|part| part.value)
}

/// Adds the writes of a block, whose paths are known already, to a batch.
pub(super) fn put(batch: &mut Batch, writes: &[Write], paths: impl Iterator<Item = Path>) {
    for (write, path) in writes.iter().zip(paths) {
        match &write.value {
            Some(value) => batch.put(STATE, path.as_bytes(), record(write, value)),
            None => batch.delete(STATE, path.as_bytes()),
        }
    }
}

/// Remembers the organisations and accounts that a block registered: the state itself cannot be listed.
pub(super) fn index_members(batch: &mut Batch, executed: &Executed, known: &mut BTreeSet<String>) {
    for write in &executed.writes {
        if let Some(value) = &write.value {
            index_member(batch, write.module_id, &write.key, value, known);
        }
    }
}

/// Remembers an organisation or an account, if that is what a record of the state is.
pub(super) fn index_member(batch: &mut Batch, module_id: u32, key: &[u8], value: &Bytes, known: &mut BTreeSet<String>) {
    let Some((table, id)) = key.split_first().filter(|_| module_id == ACCOUNT_ID) else {
        return;
    };
    match *table {
        TABLE_ORGANISATION => {
            if let Ok(id) = std::str::from_utf8(id)
                && known.insert(id.into())
            {
                batch.put(INDEX, &keys::index(Table::Organisation, &[id.as_bytes()]), Bytes::new());
            }
        }
        // An account stays with its organisation: what is put again is the same.
        TABLE_ACCOUNT => {
            if let Ok(account) = proto::Account::decode(value.clone()) {
                batch.put(INDEX, &keys::account(&account.organisation, id), Bytes::new());
            }
        }
        _ => {}
    }
}

pub(super) fn read<K: Kv>(kv: &K, path: &Path) -> Result<Option<Bytes>, LedgerError> {
    let Some(record) = kv.get(STATE, path.as_bytes())? else {
        return Ok(None);
    };
    let damaged = || LedgerError::damaged(format_args!("the state record {path}"));
    value_of(record).ok_or_else(damaged).map(Some)
}

/// The value of a key in the durable state.
pub(super) fn value<K: Kv>(kv: &K, key: &StateKey) -> Result<Option<Bytes>, LedgerError> {
    read(kv, &path_of(key))
}

/// The parameter W, ms.
pub(super) fn replay_window_ms<K: Kv>(kv: &K) -> Result<u64, LedgerError> {
    let value = value(kv, &StateKey::parameter(REPLAY_WINDOW_MS))?;
    let parameter = value.and_then(|value| proto::Parameter::decode(value).ok());
    let missing = || LedgerError::damaged("the replay window is not in the state");
    Ok(parameter.ok_or_else(missing)?.value)
}

/// First byte of the paths in the upper half of the tree.
const UPPER_HALF: u8 = 0x80;

/// Builds the tree from the flat state: each half on a thread of its own, since a node that starts has nothing else to do. With a
/// limit of bytes no more than that is in memory at any time, but for the few thousand leaves that are worked on.
pub(super) fn tree<K: Kv>(kv: &K, limit: Option<usize>) -> Result<Tree, LedgerError> {
    let each = limit.map(|bytes| bytes / 2);
    let middle = Bytes::from_static(&[UPPER_HALF]);
    let below = Bound::Excluded(&middle[..]);
    thread::scope(|scope| {
        let lower = scope.spawn(|| part(kv, Bound::Unbounded, below, each));
        let upper = part(kv, Bound::Included(middle.clone()), Bound::Unbounded, each)?;
        let stopped = |_| LedgerError::damaged("the state: reading it was cut short");
        let lower = lower.join().map_err(stopped)??;
        Ok(Tree::of_halves(lower, upper).within(limit))
    })
}

/// The tree of a range of paths, a page at a time.
fn part<K: Kv>(kv: &K, mut from: Bound<Bytes>, to: Bound<&[u8]>, limit: Option<usize>) -> Result<Tree, LedgerError> {
    let mut builder = TreeBuilder::within(limit);
    loop {
        let page = kv.range(STATE, from.as_ref().map(|key| &key[..]), to, PAGE_VALUES, false)?;
        let last = page.last().map(|(key, _)| key.clone());
        let full = page.len() == PAGE_VALUES;
        let entries = parse_all(page)?;
        let values = entries.iter().map(|(path, value)| (*path, Some(&value[..])));
        for (path, hash) in write_set::changes_at(values) {
            builder.push(path, hash.expect("every entry has a value"));
        }
        match last {
            Some(last) if full => from = Bound::Excluded(last),
            _ => return Ok(builder.finish()),
        }
    }
}

/// Paths and values of state records.
fn parse_all(entries: Vec<Entry>) -> Result<Vec<(Path, Bytes)>, LedgerError> {
    let entry = |(key, record): Entry| Some((Path::from_slice(&key)?, value_of(record)?));
    let entries: Option<Vec<_>> = entries.into_iter().map(entry).collect();
    entries.ok_or_else(|| LedgerError::damaged("a state record"))
}

/// The values under a prefix, by `range` over the state's keys.
fn under(
    prefix: &Prefix,
    range: impl FnOnce(Bound<&[u8]>, Bound<&[u8]>) -> Result<Vec<Entry>, StoreError>,
) -> Result<Vec<(Path, Bytes)>, LedgerError> {
    let end = prefix.end();
    let to = end
        .as_ref()
        .map_or(Bound::Unbounded, |end| Bound::Excluded(&end.as_bytes()[..]));
    parse_all(range(Bound::Included(prefix.first().as_bytes()), to)?)
}

/// The leaves under prefixes that a tree lacks, from a view of the state after its block but for `since`, which says what
/// the tree has at paths that were changed since, ascending.
pub(super) fn found_in(view: &dyn View, missing: &[Prefix], since: &[Change]) -> Result<Vec<Found>, LedgerError> {
    let find = |prefix: &Prefix| {
        let from = since.partition_point(|(path, _)| path < prefix.first());
        let since = since[from..].iter().take_while(|(path, _)| prefix.holds(path));
        let limit = BUCKET_LEAVES_MAX + since.clone().count() + 1;
        let held = under(prefix, |from, to| view.range(STATE, from, to, limit))?;
        let hashes = write_set::changes_at(held.iter().map(|(path, value)| (*path, Some(&value[..]))));
        let leaves: BTreeMap<_, _> = hashes.into_iter().chain(since.copied()).collect();
        let leaves = leaves.into_iter().filter_map(|(path, hash)| Some((path, hash?)));
        Ok(Found {
            prefix: *prefix,
            leaves: leaves.collect(),
        })
    };
    missing.iter().map(find).collect()
}

impl<K: Kv> Base for Ledger<K> {
    fn value(&self, path: &Path) -> Result<Option<Bytes>, BaseError> {
        Ok(read(&self.0.kv, path)?)
    }

    fn values(&self, prefix: &Prefix, limit: usize) -> Result<Vec<(Path, Bytes)>, BaseError> {
        let kv = &self.0.kv;
        Ok(under(prefix, |from, to| kv.range(STATE, from, to, limit, false))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_holds_key_and_value() {
        let value = Bytes::from_static(b"value");
        let write = Write {
            module_id: 3,
            key: Bytes::from_static(b"key"),
            value: Some(value.clone()),
        };
        let bytes = Bytes::from(record(&write, &value));
        assert_eq!(value_of(bytes.clone()), Some(value));
        assert_eq!(value_of(bytes.slice(..8)), None);
        assert_eq!(value_of(bytes.slice(..9)), Some(Bytes::new()));
        assert_eq!(value_of(bytes.slice(..3)), None);
    }
}
