//! The back-end for the simulation: sorted maps in memory, rebuilt from an append-only log.

mod file;
mod maps;
mod record;

pub use file::{LogFile, MemoryLog};

use self::{
    maps::{Map, Maps},
    record::Chain,
};
use crate::{Batch, COMMITS_MAX, Entry, Kv, Space, StoreError, View, check};
use bytes::Bytes;
use std::{
    collections::VecDeque,
    future::Future,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

/// A [`Kv`] that keeps everything in memory and every commit as a record of a [`LogFile`].
///
/// Waiting commits are written and synced together by whichever of their futures runs first. The log is never
/// shortened: it is for runs that end, not for production.
pub struct LogKv<L>(Arc<Inner<L>>);

struct Inner<L> {
    log: L,
    maps: RwLock<Maps>,
    queue: Mutex<Queue>,
    writer: futures::lock::Mutex<Writer>,
}

/// Where the next record goes.
struct Writer {
    offset: u64,
    chain: Chain,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Batch>,
    /// Commits accepted and commits durable, since the store was opened.
    accepted: u64,
    durable: u64,
    syncs: u64,
    log_bytes: u64,
    stopped: Option<StoreError>,
}

impl<L> Clone for LogKv<L> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<L: LogFile> LogKv<L> {
    /// Reads the log, cuts off what a crash left unfinished, and goes on from there.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the log cannot be read or cut, [`StoreError::Damaged`] if a record with a right
    /// checksum makes no sense, [`StoreError::UnknownSpace`] is never given here but by later calls with a
    /// space that is not among `spaces`.
    pub async fn open(log: L, spaces: &[Space]) -> Result<Self, StoreError> {
        let bytes = log
            .read_all()
            .await
            .map_err(|source| StoreError::io("reading the log", source))?;
        let bytes = Bytes::from(bytes);
        let mut maps = Maps::new(spaces);
        let writer = replay(&bytes, &mut maps)?;
        if writer.offset < bytes.len() as u64 {
            cut(&log, writer.offset)
                .await
                .map_err(|source| StoreError::io("cutting the log", source))?;
        }
        Ok(Self(Arc::new(Inner {
            log,
            maps: RwLock::new(maps),
            queue: Mutex::new(Queue {
                log_bytes: writer.offset,
                ..Queue::default()
            }),
            writer: futures::lock::Mutex::new(writer),
        })))
    }
}

fn replay(bytes: &Bytes, maps: &mut Maps) -> Result<Writer, StoreError> {
    let (mut offset, mut chain) = (0, Chain::default());
    while let Some((body, length)) = record::next(&bytes[offset..], &mut chain) {
        let changes = record::changes(&bytes.slice_ref(body))
            .ok_or_else(|| StoreError::Damaged(format!("the log record at byte {offset} makes no sense")))?;
        maps.apply(changes)?;
        offset += length;
    }
    let offset = offset as u64;
    Ok(Writer { offset, chain })
}

async fn cut<L: LogFile>(log: &L, length: u64) -> std::io::Result<()> {
    log.truncate(length).await?;
    log.sync().await
}

impl<L: LogFile> Inner<L> {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_maps(&self) -> Result<std::sync::RwLockReadGuard<'_, Maps>, StoreError> {
        if let Some(StoreError::Closed) = self.queue().stopped {
            return Err(StoreError::Closed);
        }
        Ok(self.maps.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts the batch in line; its number says when it is durable.
    fn accept(&self, batch: Batch) -> Result<u64, StoreError> {
        check::batch(&batch)?;
        self.open_maps()?.check_spaces(&batch)?;
        let mut queue = self.queue();
        if let Some(error) = &queue.stopped {
            return Err(error.clone());
        }
        if queue.waiting.len() >= COMMITS_MAX {
            return Err(StoreError::Busy);
        }
        queue.waiting.push_back(batch);
        queue.accepted += 1;
        Ok(queue.accepted)
    }

    /// Writes what is in line until commit `number` is durable.
    ///
    /// Nothing leaves the line before it is durable: if this future is dropped half-way, the next one writes the
    /// same records at the same place again.
    async fn drive(&self, number: u64) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().await;
        while self.queue().durable < number {
            if let Some(error) = self.queue().stopped.clone() {
                return Err(error);
            }
            let (batches, mut chain) = (self.next_group(), writer.chain);
            let mut bytes = Vec::new();
            for batch in &batches {
                record::encode(batch, &mut chain, &mut bytes);
            }
            let length = bytes.len() as u64;
            if let Err(error) = self.write(writer.offset, bytes).await {
                self.queue().stopped = Some(StoreError::Stopped(error.to_string()));
                return Err(error);
            }
            writer.offset += length;
            writer.chain = chain;
            self.finish(batches, writer.offset);
        }
        Ok(())
    }

    fn next_group(&self) -> Vec<Batch> {
        let queue = self.queue();
        queue.waiting.iter().cloned().collect()
    }

    async fn write(&self, offset: u64, bytes: Vec<u8>) -> Result<(), StoreError> {
        self.log
            .write_at(offset, bytes)
            .await
            .map_err(|source| StoreError::io("writing the log", source))?;
        self.log
            .sync()
            .await
            .map_err(|source| StoreError::io("syncing the log", source))
    }

    fn finish(&self, batches: Vec<Batch>, log_bytes: u64) {
        let mut maps = self.maps.write().unwrap_or_else(PoisonError::into_inner);
        let mut queue = self.queue();
        queue.syncs += 1;
        queue.log_bytes = log_bytes;
        for batch in batches {
            queue.waiting.pop_front();
            queue.durable += 1;
            maps.apply_batch(batch);
        }
    }
}

/// A copy of the maps.
struct Frozen<L> {
    store: LogKv<L>,
    maps: Maps,
}

impl<L: LogFile> View for Frozen<L> {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        drop(self.store.0.open_maps()?);
        Ok(self.maps.of(space)?.get(key).cloned())
    }

    fn range(
        &self,
        space: Space,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        drop(self.store.0.open_maps()?);
        entries(self.maps.of(space)?, from, to, limit, false)
    }
}

fn entries(
    map: &Map,
    from: Bound<&[u8]>,
    to: Bound<&[u8]>,
    limit: usize,
    reverse: bool,
) -> Result<Vec<Entry>, StoreError> {
    if check::is_empty_range(from, to) {
        return Ok(Vec::new());
    }
    let owned = |(key, value): (&Bytes, &Bytes)| (key.clone(), value.clone());
    let range = map.range::<[u8], _>((from, to)).map(owned);
    Ok(if reverse {
        range.rev().take(limit).collect()
    } else {
        range.take(limit).collect()
    })
}

impl<L: LogFile> Kv for LogKv<L> {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        Ok(self.0.open_maps()?.of(space)?.get(key).cloned())
    }

    fn range(
        &self,
        space: Space,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        limit: usize,
        reverse: bool,
    ) -> Result<Vec<Entry>, StoreError> {
        let maps = self.0.open_maps()?;
        entries(maps.of(space)?, from, to, limit, reverse)
    }

    fn view(&self) -> Result<Arc<dyn View>, StoreError> {
        let maps = self.0.open_maps()?.clone();
        let store = self.clone();
        Ok(Arc::new(Frozen { store, maps }))
    }

    fn commit(&self, batch: Batch) -> impl Future<Output = Result<(), StoreError>> + Send {
        let number = self.0.accept(batch);
        async move { self.0.drive(number?).await }
    }

    /// There is nothing to give back: the log keeps everything.
    fn reclaim(&self, space: Space) -> impl Future<Output = Result<(), StoreError>> + Send {
        let known = self.0.open_maps().and_then(|maps| maps.of(space).map(drop));
        std::future::ready(known)
    }

    fn disk_bytes(&self) -> Result<u64, StoreError> {
        drop(self.0.open_maps()?);
        Ok(self.0.queue().log_bytes)
    }

    fn sync_count(&self) -> u64 {
        self.0.queue().syncs
    }

    fn close(&self) {
        self.0.queue().stopped = Some(StoreError::Closed);
    }
}
