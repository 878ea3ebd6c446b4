//! The one view through which execution reads and writes: block over snapshot, transaction over block.

use crate::{
    Base, Failure, Snapshot, StateError, codes,
    hashing::PathMap,
    limits::{OBSERVED_MAX, PARALLEL_TRANSACTIONS_MIN, cost},
    meter::Meter,
    snapshot::{ReadPath, path_of},
};
use bytes::Bytes;
use std::collections::BTreeMap;
use yulian_crypto::Digest;
use yulian_state::{
    Change, Path, Tree,
    history::Undo,
    workers::{Workers, both, map},
    write_set,
    write_set::Write,
};
use yulian_types::{
    StateKey,
    limits::{STATE_KEY_BYTES_MAX, STATE_VALUE_BYTES_MAX},
    receipt_root,
};

/// Bytes of the module id in a declared key.
const MODULE_ID_BYTES: usize = 4;

/// The state while a block executes: its own writes over the state before it, with a cache of what it read.
pub(crate) struct BlockView<B> {
    parent: Snapshot<B>,
    read: PathMap<Option<Bytes>>,
    written: PathMap<Write>,
}

impl<B: Base> BlockView<B> {
    /// A view for a block of about as many transactions.
    pub(crate) fn new(parent: Snapshot<B>, transactions: usize) -> Self {
        Self {
            parent,
            read: PathMap::with_capacity_and_hasher(transactions, Default::default()),
            written: PathMap::with_capacity_and_hasher(transactions, Default::default()),
        }
    }

    fn before_block(&mut self, path: &Path) -> Result<Option<Bytes>, StateError> {
        if let Some(value) = self.read.get(path) {
            return Ok(value.clone());
        }
        let value = self.parent.read_path(path)?;
        self.read.insert(*path, value.clone());
        Ok(value)
    }

    /// The paths of keys, hashed together; what leads to them in the parent's tree is brought close.
    pub(crate) fn locate(&self, keys: Vec<Option<StateKey>>) -> Vec<Option<Expected>> {
        let known = keys.iter().flatten().map(|key| (key.module_id, &key.key[..]));
        let paths = Path::of_many(&known.collect::<Vec<_>>());
        self.parent.tree().warm(&paths);
        let mut paths = paths.into_iter();
        let with_path = |key: Option<StateKey>| key.and_then(|key| Some((key, paths.next()?)));
        keys.into_iter().map(with_path).collect()
    }

    /// Whether some of the parent's tree is not in memory.
    pub(crate) fn is_cold(&self) -> bool {
        self.parent.tree().cold() > 0
    }

    /// Brings into memory, and keeps there for the block, what leads to expected keys in the parent's tree. A hint: what
    /// cannot be read is for the transaction's own turn to find.
    pub(crate) fn bring<'a>(&mut self, expected: impl IntoIterator<Item = &'a Expected>, workers: &dyn Workers) {
        if self.is_cold() {
            let paths: Vec<Path> = expected.into_iter().map(|(_, path)| *path).collect();
            self.parent.load(&paths, workers).ok();
        }
    }

    /// Whether every observed value is the present one.
    pub(crate) fn still_gives(&self, observed: &[Observed]) -> bool {
        // Where nothing is written now, nothing was when it was observed: that value is the parent's.
        let same = |one: &Observed| self.written.get(&one.path).is_none_or(|write| write.value == one.value);
        observed.iter().all(same)
    }

    /// Remembers what was read of the parent's state.
    pub(crate) fn keep(&mut self, observed: Vec<Observed>) {
        let fetched = observed.into_iter().filter(|one| one.fetched);
        self.read.extend(fetched.map(|one| (one.path, one.value)));
    }

    /// Takes over the writes of a transaction that succeeded.
    pub(crate) fn accept(&mut self, writes: TransactionWrites) {
        self.written.extend(writes);
    }

    /// Ends the block: everything sorted by path, the tree and the roots.
    pub(crate) fn finish(mut self, receipts: &[Bytes], workers: &dyn Workers) -> Result<BlockWrites, StateError> {
        let mut entries: Vec<(Path, Write)> = std::mem::take(&mut self.written).into_iter().collect();
        entries.sort_unstable_by_key(|(path, _)| *path);
        if self.is_cold() {
            let paths: Vec<Path> = entries.iter().map(|(path, _)| *path).collect();
            self.parent.load(&paths, workers)?;
        }
        let changes = hash_values(&entries, workers);
        let (root, receipt_root) = both(workers, || write_set::root(&changes), || receipt_root(receipts));
        let (tree, undo) = self.parent.tree().apply_undoable_on(&changes, workers);
        let previous = entries
            .iter()
            .map(|(path, _)| self.before_block(path))
            .collect::<Result<Vec<_>, _>>()?;
        let writes = entries.into_iter().map(|(_, write)| write).collect();
        Ok(BlockWrites {
            writes,
            changes,
            previous,
            undo,
            tree,
            root,
            receipt_root,
        })
    }
}

/// The changes of sorted writes, some of them on each thread.
fn hash_values(entries: &[(Path, Write)], workers: &dyn Workers) -> Vec<Change> {
    let changes = |entries: &[(Path, Write)]| {
        write_set::changes_at(entries.iter().map(|(path, write)| (*path, write.value.as_deref())))
    };
    let threads = workers.threads();
    if threads < 2 || entries.len() < PARALLEL_TRANSACTIONS_MIN {
        return changes(entries);
    }
    let slices: Vec<_> = entries.chunks(entries.len().div_ceil(threads)).collect();
    map(workers, slices.len(), |at| changes(slices[at])).concat()
}

/// What a block wrote, ascending by path, and what follows from it.
pub(crate) struct BlockWrites {
    pub(crate) writes: Vec<Write>,
    pub(crate) changes: Vec<Change>,
    pub(crate) previous: Vec<Option<Bytes>>,
    pub(crate) undo: Undo,
    pub(crate) tree: Tree,
    pub(crate) root: Digest,
    /// Root over the receipts, which no write has a part in.
    pub(crate) receipt_root: Digest,
}

impl<B: Base> ReadPath for BlockView<B> {
    fn read_path(&mut self, path: &Path) -> Result<Option<Bytes>, StateError> {
        match self.written.get(path) {
            Some(write) => Ok(write.value.clone()),
            None => self.before_block(path),
        }
    }
}

/// A value that execution ahead of its turn got to see.
pub(crate) struct Observed {
    path: Path,
    value: Option<Bytes>,
    /// Read of the parent's state, and not known to the block yet.
    fetched: bool,
}

/// The state of a block as a thread reads it that executes ahead: it changes nothing, and every value is noted.
pub(crate) struct Observer<'a, B> {
    block: &'a BlockView<B>,
    observed: Vec<Observed>,
    too_many: bool,
}

impl<'a, B: Base> Observer<'a, B> {
    pub(crate) fn new(block: &'a BlockView<B>) -> Self {
        Self {
            block,
            observed: Vec::new(),
            too_many: false,
        }
    }

    /// What was seen; `None` if it was more than [`OBSERVED_MAX`] values.
    pub(crate) fn finish(self) -> Option<Vec<Observed>> {
        (!self.too_many).then_some(self.observed)
    }
}

impl<B: Base> ReadPath for Observer<'_, B> {
    fn read_path(&mut self, path: &Path) -> Result<Option<Bytes>, StateError> {
        if let Some(known) = self.observed.iter().find(|known| known.path == *path) {
            return Ok(known.value.clone());
        }
        let block = self.block;
        let known = block
            .written
            .get(path)
            .map(|write| &write.value)
            .or_else(|| block.read.get(path));
        let (value, fetched) = match known {
            Some(value) => (value.clone(), false),
            None => (block.parent.at(path)?, true),
        };
        if self.observed.len() == OBSERVED_MAX {
            self.too_many = true;
            return Ok(value);
        }
        let (path, noted) = (*path, value.clone());
        self.observed.push(Observed {
            path,
            value: noted,
            fetched,
        });
        Ok(value)
    }
}

/// A key that a transaction is expected to read, with its path.
pub(crate) type Expected = (StateKey, Path);

pub(crate) type TransactionWrites = BTreeMap<Path, Write>;

/// Keys that a transaction touched, each as often as it did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// Keys read by the method, in order.
    pub reads: Vec<StateKey>,
    /// Keys written or removed by the method, in order.
    pub writes: Vec<StateKey>,
}

/// The state while one transaction executes. Dropping it undoes the transaction.
pub(crate) struct TransactionView<'a> {
    block: &'a mut dyn ReadPath,
    writes: TransactionWrites,
    /// Sorted; empty = not declared.
    declared: Vec<&'a [u8]>,
    /// Kept only where somebody asks for it.
    trace: Option<Trace>,
    /// The last key with its path: a method mostly writes what it has just read.
    last: Option<(StateKey, Path)>,
    meter: Meter,
    /// The first failure of the view itself: the transaction fails with it even if the method ignores it.
    failure: Option<Failure>,
    /// A read failed: there is no result at all.
    broken: Option<StateError>,
    /// What writes replaced since the outermost mark, in their order; kept only while there is a mark.
    replaced: Vec<(Path, Option<Write>)>,
    marks: usize,
}

impl<'a> TransactionView<'a> {
    pub(crate) fn new(
        block: &'a mut dyn ReadPath,
        declared: &'a [Bytes],
        metering_limit: u64,
        trace: Option<Trace>,
    ) -> Self {
        let mut declared: Vec<&[u8]> = declared.iter().map(|key| &key[..]).collect();
        declared.sort_unstable();
        Self {
            block,
            writes: TransactionWrites::new(),
            declared,
            trace,
            last: None,
            meter: Meter::new(metering_limit),
            failure: None,
            broken: None,
            replaced: Vec::new(),
            marks: 0,
        }
    }

    /// Marks the writes up to here. Every mark ends with [`TransactionView::release`] or [`TransactionView::back_to`], the
    /// last one first.
    pub(crate) fn mark(&mut self) -> usize {
        self.marks += 1;
        self.replaced.len()
    }

    /// Keeps what was written since a mark.
    pub(crate) fn release(&mut self) {
        self.marks -= 1;
        if self.marks == 0 {
            self.replaced.clear();
        }
    }

    /// Undoes what was written since a mark.
    pub(crate) fn back_to(&mut self, mark: usize) {
        for (path, before) in self.replaced.drain(mark..).rev() {
            match before {
                Some(write) => self.writes.insert(path, write),
                None => self.writes.remove(&path),
            };
        }
        self.release();
    }

    /// The path of a key that will likely be asked for.
    pub(crate) fn expect(&mut self, expected: Option<Expected>) {
        self.last = expected;
    }

    pub(crate) fn charge(&mut self, units: u64) -> Result<(), Failure> {
        let result = self.meter.charge(units);
        self.keep(result)
    }

    pub(crate) fn charge_bytes(&mut self, bytes: usize, price: u64) -> Result<(), Failure> {
        let result = self.meter.charge_bytes(bytes, price);
        self.keep(result)
    }

    pub(crate) fn get(&mut self, key: &StateKey) -> Result<Option<Bytes>, Failure> {
        if let Some(trace) = &mut self.trace {
            trace.reads.push(key.clone());
        }
        self.charge(cost::READ)?;
        self.check_key(key)?;
        let path = self.path(key);
        if let Some(write) = self.writes.get(&path) {
            return Ok(write.value.clone());
        }
        self.block.read_path(&path).map_err(|error| self.breaks(error))
    }

    pub(crate) fn set(&mut self, key: &StateKey, value: Option<Bytes>) -> Result<(), Failure> {
        if let Some(trace) = &mut self.trace {
            trace.writes.push(key.clone());
        }
        self.charge(cost::WRITE)?;
        self.check_key(key)?;
        if let Some(value) = &value {
            self.charge_bytes(value.len(), cost::WRITTEN_BYTE)?;
            if value.len() > STATE_VALUE_BYTES_MAX {
                return self.fail(&codes::VALUE_TOO_LONG, format!("{} bytes", value.len()));
            }
        }
        let write = Write {
            module_id: key.module_id,
            key: key.key.clone(),
            value,
        };
        let path = self.path(key);
        let before = self.writes.insert(path, write);
        if self.marks > 0 {
            self.replaced.push((path, before));
        }
        Ok(())
    }

    fn path(&mut self, key: &StateKey) -> Path {
        match &self.last {
            Some((last, path)) if last == key => *path,
            _ => {
                let path = path_of(key);
                self.last = Some((key.clone(), path));
                path
            }
        }
    }

    fn check_key(&mut self, key: &StateKey) -> Result<(), Failure> {
        if key.key.len() + MODULE_ID_BYTES > STATE_KEY_BYTES_MAX {
            return self.fail(&codes::KEY_TOO_LONG, format!("{} bytes", key.key.len()));
        }
        if self.declared.is_empty() || self.declared.binary_search(&&key.declared()[..]).is_ok() {
            return Ok(());
        }
        let bytes: String = key.key.iter().map(|byte| format!("{byte:02x}")).collect();
        self.fail(&codes::UNDECLARED_KEY, format!("module {}, key {bytes}", key.module_id))
    }

    pub(crate) fn fail(&mut self, code: &'static crate::Code, detail: String) -> Result<(), Failure> {
        self.keep(Err(Failure::new(code, detail)))
    }

    fn keep(&mut self, result: Result<(), Failure>) -> Result<(), Failure> {
        if let (Err(failure), None) = (&result, &self.failure) {
            self.failure = Some(failure.clone());
        }
        result
    }

    /// Notes that the state cannot be read. What the method does with the failure does not matter: the whole
    /// execution is given up.
    pub(crate) fn breaks(&mut self, error: StateError) -> Failure {
        let failure = Failure::new(&codes::STATE_UNAVAILABLE, error.to_string());
        self.broken.get_or_insert(error);
        failure
    }

    /// Ends the transaction.
    pub(crate) fn finish<T>(self, result: Result<T, Failure>) -> Result<TransactionEnd<T>, StateError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let result = match self.failure {
            Some(failure) => Err(failure),
            None => result,
        };
        Ok(TransactionEnd {
            result,
            writes: self.writes,
            trace: self.trace.unwrap_or_default(),
            metering: self.meter.used(),
        })
    }
}

/// How a transaction ended.
pub(crate) struct TransactionEnd<T> {
    pub(crate) result: Result<T, Failure>,
    /// To be taken over only if the result is good.
    pub(crate) writes: TransactionWrites,
    pub(crate) trace: Trace,
    pub(crate) metering: u64,
}
