//! The back-end for production: `fjall`, with all writes on a thread of its own.

mod disk;
mod failure;
mod folder;
mod writer;

use self::{
    disk::Disk,
    writer::{Job, Writer},
};
use crate::{Batch, COMMITS_MAX, Entry, Kv, Space, StoreError, View, check};
use bytes::Bytes;
use fjall::{Readable, Snapshot};
use futures::channel::oneshot;
use std::{
    future::Future,
    ops::Bound,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicU64, Ordering},
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
};

/// How a [`FjallKv`] uses memory and disk.
#[derive(Debug, Clone)]
pub struct Options {
    /// The spaces of the store; those not there yet are created.
    pub spaces: Vec<Space>,
    /// Memory for blocks read from disk, bytes.
    pub cache_bytes: u64,
    /// Size at which the recent writes of one space go from memory to a sorted file, bytes. A space holds at most
    /// [`SEALED_MAX`] + 1 times this in memory, and normally less than one.
    pub memtable_bytes: u64,
    /// Free disk space below which commits are refused with [`StoreError::DiskFull`], bytes: what the store needs to
    /// sort what it has accepted already.
    pub reserve_bytes: u64,
}

impl Default for Options {
    /// The spaces of a chain, 32 MiB of cache, 8 MiB per space for recent writes, 256 MiB of reserve.
    fn default() -> Self {
        Self {
            spaces: crate::CHAIN_SPACES.to_vec(),
            cache_bytes: 32 << 20,
            memtable_bytes: 8 << 20,
            reserve_bytes: 256 << 20,
        }
    }
}

/// Sealed memtables per space that may wait to be written; at this number, commits wait.
pub const SEALED_MAX: usize = 3;

/// A [`Kv`] in a folder of the file system.
///
/// Commits that wait together become one write and one sync. What a commit changes is visible to reads once it is durable.
/// A folder is opened by one process at a time, and never by one older than what wrote it. [`Kv::close`], and dropping
/// the last handle, wait for commits on their way and for a running reclaim.
#[derive(Clone)]
pub struct FjallKv(Arc<Inner>);

struct Inner {
    disk: RwLock<Option<Arc<Disk>>>,
    queue: Mutex<Option<SyncSender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    syncs: Arc<AtomicU64>,
    reclaiming: Mutex<Option<JoinHandle<()>>>,
    folder: PathBuf,
}

impl FjallKv {
    /// Opens the store in `folder`, or makes a new one if there is none. Everything acknowledged before is there, also
    /// after a crash in the middle of a write.
    ///
    /// # Errors
    /// [`StoreError::NewerFormat`], [`StoreError::NotAStore`], [`StoreError::InUse`] (after waiting a moment for the other
    /// process to end), [`StoreError::Damaged`], [`StoreError::DiskFull`], [`StoreError::Io`].
    pub fn open(folder: &Path, options: Options) -> Result<Self, StoreError> {
        folder::prepare(folder)?;
        let disk = Arc::new(Disk::open(folder, &options)?);
        let (queue, jobs) = sync_channel(COMMITS_MAX);
        let syncs = Arc::new(AtomicU64::new(0));
        let writer = Writer::new(Arc::clone(&disk), Arc::clone(&syncs));
        let thread = thread::Builder::new()
            .name("yulian-store".into())
            .spawn(move || writer.run(&jobs))
            .map_err(|source| StoreError::io("starting the writing thread", source))?;
        Ok(Self(Arc::new(Inner {
            disk: RwLock::new(Some(disk)),
            queue: Mutex::new(Some(queue)),
            thread: Mutex::new(Some(thread)),
            syncs,
            reclaiming: Mutex::default(),
            folder: folder.to_owned(),
        })))
    }

    /// The folder that the store is in.
    pub fn folder(&self) -> &Path {
        &self.0.folder
    }
}

impl Inner {
    /// Reads hold this lock while they run: [`Kv::close`] waits for them.
    fn disk(&self) -> RwLockReadGuard<'_, Option<Arc<Disk>>> {
        self.disk.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn enqueue(&self, batch: Batch) -> Result<oneshot::Receiver<Result<(), StoreError>>, StoreError> {
        check::batch(&batch)?;
        open(&self.disk())?.check_spaces(&batch)?;
        let (done, result) = oneshot::channel();
        let queue = lock(&self.queue);
        let queue = queue.as_ref().ok_or(StoreError::Closed)?;
        match queue.try_send(Job { batch, done }) {
            Ok(()) => Ok(result),
            Err(TrySendError::Full(_)) => Err(StoreError::Busy),
            Err(TrySendError::Disconnected(_)) => Err(StoreError::Closed),
        }
    }

    /// Runs [`Disk::reclaim`] on a thread of its own, one at a time.
    fn start_reclaim(&self, space: Space) -> Result<oneshot::Receiver<Result<(), StoreError>>, StoreError> {
        let disk = Arc::clone(open(&self.disk())?);
        let mut running = lock(&self.reclaiming);
        if running.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return Err(StoreError::Busy);
        }
        let (done, result) = oneshot::channel();
        let work = move || {
            let outcome = disk.reclaim(space);
            // Whoever asked must be able to close and open again at once, and may have gone.
            drop(disk);
            let _ = done.send(outcome);
        };
        let started = thread::Builder::new().name("yulian-reclaim".into()).spawn(work);
        *running = Some(started.map_err(|source| StoreError::io("starting the reclaiming thread", source))?);
        Ok(result)
    }

    fn close(&self) {
        drop(lock(&self.queue).take());
        for thread in [&self.thread, &self.reclaiming] {
            if let Some(thread) = lock(thread).take() {
                // A panic there has been answered to everyone waiting as "closed".
                let _ = thread.join();
            }
        }
        let mut disk = self.disk.write().unwrap_or_else(PoisonError::into_inner);
        drop(disk.take());
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

fn open(disk: &Option<Arc<Disk>>) -> Result<&Arc<Disk>, StoreError> {
    disk.as_ref().ok_or(StoreError::Closed)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Entries of a space between bounds, in key order or from the end.
fn entries(
    disk: &Disk,
    snapshot: &Snapshot,
    (space, from, to): (Space, Bound<&[u8]>, Bound<&[u8]>),
    limit: usize,
    reverse: bool,
) -> Result<Vec<Entry>, StoreError> {
    let keyspace = disk.of(space)?;
    if check::is_empty_range(from, to) {
        return Ok(Vec::new());
    }
    let range = snapshot.range::<&[u8], _>(keyspace, (from, to));
    let entry = |guard: fjall::Guard| {
        let (key, value) = guard.into_inner().map_err(failure::reading)?;
        Ok((Bytes::from(key), Bytes::from(value)))
    };
    if reverse {
        range.rev().take(limit).map(entry).collect()
    } else {
        range.take(limit).map(entry).collect()
    }
}

fn value(disk: &Disk, snapshot: &Snapshot, space: Space, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
    let found = snapshot.get(disk.of(space)?, key);
    Ok(found.map_err(failure::reading)?.map(Bytes::from))
}

/// The versions of one moment. The disk is asked for through the store, so that closing it ends the view too.
struct Frozen {
    store: FjallKv,
    snapshot: Snapshot,
}

impl View for Frozen {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        value(open(&self.store.0.disk())?, &self.snapshot, space, key)
    }

    fn range(
        &self,
        space: Space,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let disk = self.store.0.disk();
        entries(open(&disk)?, &self.snapshot, (space, from, to), limit, false)
    }
}

impl Kv for FjallKv {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let disk = self.0.disk();
        let disk = open(&disk)?;
        value(disk, &disk.snapshot(), space, key)
    }

    fn range(
        &self,
        space: Space,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        limit: usize,
        reverse: bool,
    ) -> Result<Vec<Entry>, StoreError> {
        let disk = self.0.disk();
        let disk = open(&disk)?;
        entries(disk, &disk.snapshot(), (space, from, to), limit, reverse)
    }

    fn view(&self) -> Result<Arc<dyn View>, StoreError> {
        let snapshot = open(&self.0.disk())?.snapshot();
        let store = self.clone();
        Ok(Arc::new(Frozen { store, snapshot }))
    }

    fn commit(&self, batch: Batch) -> impl Future<Output = Result<(), StoreError>> + Send {
        let result = self.0.enqueue(batch);
        async { result?.await.unwrap_or(Err(StoreError::Closed)) }
    }

    fn reclaim(&self, space: Space) -> impl Future<Output = Result<(), StoreError>> + Send {
        let result = self.0.start_reclaim(space);
        async { result?.await.unwrap_or(Err(StoreError::Closed)) }
    }

    fn disk_bytes(&self) -> Result<u64, StoreError> {
        open(&self.0.disk())?;
        folder::used_bytes(&self.0.folder).map_err(|source| StoreError::io("measuring the data folder", source))
    }

    fn sync_count(&self) -> u64 {
        self.0.syncs.load(Ordering::Relaxed)
    }

    fn close(&self) {
        self.0.close();
    }
}
