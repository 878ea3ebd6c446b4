//! The open database.

use super::{Options, SEALED_MAX, failure, folder};
use crate::{Batch, Space, StoreError};
use fjall::{
    AbstractTree as _, CompressionType, Database, Keyspace, KeyspaceCreateOptions, KvSeparationOptions, PersistMode,
    Readable as _, Snapshot, compaction::Leveled, config::CompressionPolicy,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

/// Size of a sorted file, bytes. Small ones keep each step of merging short: while one runs, full memtables wait.
const TABLE_BYTES: u64 = 16 << 20;
/// Sorted files of the newest level before they are merged into the next, whose size follows from it. State keys are spread
/// evenly, so each merge rewrites whole levels: twice as many files as usual halve that work, and reads seldom miss the
/// tree in memory.
const NEWEST_FILES: u8 = 8;
/// Values of this size and more are kept apart from their keys in a large space, bytes.
const SEPARATE_FROM_BYTES: u32 = 1024;
/// Size of a file of separated values, bytes: space comes back file by file.
const VALUE_FILE_BYTES: u64 = 16 << 20;
/// Part of a value file that must be removed entries before the rest is copied out of it.
const STALE_PART: f32 = 0.25;
/// Journals that may be on the disk before the spaces that need the oldest are written out, bytes: what is read again at
/// the next start. The least that `fjall` takes.
const JOURNALS_BYTES: u64 = 64 << 20;
/// Pause between looks at a write in the background.
const PAUSE: Duration = Duration::from_millis(5);
/// See [`Disk::forget_old_versions`]. No space of a caller has this name.
const UPKEEP: Space = Space::new(0, "_upkeep");
/// A reclaim is two passes: the first finds which value files have holes, the second copies those out.
const RECLAIM_PASSES: usize = 2;

pub(super) struct Disk {
    database: Database,
    keyspaces: BTreeMap<Space, Keyspace>,
    upkeep: Keyspace,
    folder: PathBuf,
    memtable_bytes: u64,
    reserve_bytes: u64,
}

impl Disk {
    pub(super) fn open(folder: &Path, options: &Options) -> Result<Self, StoreError> {
        let database = open_database(folder, options)?;
        let keyspace = |space: Space| {
            let keyspace = database.keyspace(space.name(), || settings(space, options));
            keyspace.map_err(|error| failure::opening(folder, error))
        };
        let upkeep = keyspace(UPKEEP)?;
        let with_keyspace = |space: &Space| Ok((*space, keyspace(*space)?));
        let keyspaces = options
            .spaces
            .iter()
            .map(with_keyspace)
            .collect::<Result<_, StoreError>>()?;
        Ok(Self {
            database,
            keyspaces,
            upkeep,
            folder: folder.to_owned(),
            memtable_bytes: options.memtable_bytes,
            reserve_bytes: options.reserve_bytes,
        })
    }

    pub(super) fn of(&self, space: Space) -> Result<&Keyspace, StoreError> {
        let known = self.keyspaces.get(&space);
        known.ok_or(StoreError::UnknownSpace(space.name()))
    }

    pub(super) fn check_spaces(&self, batch: &Batch) -> Result<(), StoreError> {
        batch.spaces.keys().try_for_each(|space| self.of(*space).map(drop))
    }

    /// What is durable now: batches are seen whole or not at all.
    pub(super) fn snapshot(&self) -> Snapshot {
        self.database.snapshot()
    }

    /// Writes a batch to the journal, forces it to the disk, then makes it visible.
    pub(super) fn write(&self, batch: Batch) -> Result<(), StoreError> {
        self.check_room(batch.bytes() as u64)?;
        self.make_memory()?;
        let failed = |error| self.failed(error);
        let mut out = self.database.batch().durability(Some(PersistMode::SyncAll));
        for (space, changes) in batch.spaces {
            let keyspace = self.of(space)?;
            for (from, to) in changes.ranges {
                for found in self.snapshot().range(keyspace, from..to) {
                    let key = found.key().map_err(failed)?;
                    if !changes.points.contains_key(&key[..]) {
                        out.remove(keyspace, key);
                    }
                }
            }
            for (key, value) in changes.points {
                match value {
                    Some(value) => out.insert(keyspace, key, value),
                    None => out.remove(keyspace, key),
                }
            }
        }
        out.commit().map_err(failed)
    }

    fn check_room(&self, bytes: u64) -> Result<(), StoreError> {
        let free =
            folder::free_bytes(&self.folder).map_err(|source| StoreError::io("asking for free disk space", source))?;
        if free < self.reserve_bytes.saturating_add(bytes) {
            return Err(StoreError::DiskFull);
        }
        Ok(())
    }

    /// Hands full memtables over to be written, and waits while too many are. `fjall` itself would do the first only when
    /// its worker has time, letting memory grow meanwhile, and would wait for ever for a worker that has failed.
    fn make_memory(&self) -> Result<(), StoreError> {
        let failed = |error| self.failed(error);
        for keyspace in self.keyspaces.values() {
            if keyspace.tree.active_memtable().size() < self.memtable_bytes {
                continue;
            }
            while keyspace.sealed_memtable_count() >= SEALED_MAX {
                thread::sleep(PAUSE);
                self.check_worker()?;
            }
            keyspace.rotate_memtable().map_err(failed)?;
        }
        Ok(())
    }

    /// An error if writing in the background has failed.
    fn check_worker(&self) -> Result<(), StoreError> {
        let alive = self.database.persist(PersistMode::Buffer);
        alive.map_err(|error| self.failed(error))
    }

    /// A failed step; where the cause was lost and the disk has no room, that is the cause.
    fn failed(&self, error: fjall::Error) -> StoreError {
        match failure::step("writing", error) {
            StoreError::Stopped(_) if self.check_room(0).is_err() => StoreError::DiskFull,
            other => other,
        }
    }

    /// Rewrites the files of a space without what was removed from it.
    pub(super) fn reclaim(&self, space: Space) -> Result<(), StoreError> {
        let keyspace = self.of(space)?;
        for _ in 0..RECLAIM_PASSES {
            self.flush(keyspace)?;
            self.forget_old_versions()?;
            keyspace.major_compact().map_err(|error| self.failed(error))?;
        }
        self.forget_old_versions()
    }

    fn flush(&self, keyspace: &Keyspace) -> Result<(), StoreError> {
        keyspace.rotate_memtable().map_err(|error| self.failed(error))?;
        while keyspace.sealed_memtable_count() > 0 {
            thread::sleep(PAUSE);
            self.check_worker()?;
        }
        Ok(())
    }

    /// Lets go of the files and memtables that only earlier versions of the spaces refer to. `fjall` does so, for all spaces,
    /// when a memtable that is not empty is handed over to be written, and at no other time: there is a keyspace for
    /// nothing else.
    fn forget_old_versions(&self) -> Result<(), StoreError> {
        self.upkeep.insert(b"k", b"").map_err(|error| self.failed(error))?;
        self.flush(&self.upkeep)
    }
}

fn open_database(folder: &Path, options: &Options) -> Result<Database, StoreError> {
    let io = |source| StoreError::io("repairing the journal", source);
    let first = match try_open(folder, options) {
        Err(error @ fjall::Error::JournalRecovery(_)) => error,
        other => return other.map_err(|error| failure::opening(folder, error)),
    };
    let Some(cut) = folder::cut_torn_batch(folder).map_err(io)? else {
        return Err(failure::opening(folder, first));
    };
    match try_open(folder, options) {
        Ok(database) => Ok(database),
        Err(error) => {
            cut.restore().map_err(io)?;
            Err(failure::opening(folder, error))
        }
    }
}

fn try_open(folder: &Path, options: &Options) -> fjall::Result<Database> {
    Database::builder(folder::database(folder))
        .cache_size(options.cache_bytes)
        .worker_threads(1)
        .max_journaling_size(JOURNALS_BYTES)
        .journal_compression(CompressionType::None)
        .manual_journal_persist(true)
        .open()
}

fn settings(space: Space, options: &Options) -> KeyspaceCreateOptions {
    let apart = KvSeparationOptions::default()
        .compression(CompressionType::None)
        .separation_threshold(SEPARATE_FROM_BYTES)
        .file_target_size(VALUE_FILE_BYTES)
        .staleness_threshold(STALE_PART)
        .age_cutoff(1.0);
    let levels = Leveled::default()
        .with_table_target_size(TABLE_BYTES)
        .with_l0_threshold(NEWEST_FILES);
    KeyspaceCreateOptions::default()
        .max_memtable_size(options.memtable_bytes)
        .compaction_strategy(Arc::new(levels))
        .data_block_compression_policy(CompressionPolicy::all(CompressionType::None))
        .with_kv_separation(space.is_large().then_some(apart))
}
