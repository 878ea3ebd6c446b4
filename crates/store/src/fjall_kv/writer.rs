//! The thread that writes.

use super::disk::Disk;
use crate::{Batch, StoreError};
use futures::channel::oneshot;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
    mpsc::Receiver,
};

/// Size from which no further waiting commit is added to a write, bytes.
const GROUP_BYTES: usize = 8 << 20;

/// A commit that waits.
pub(super) struct Job {
    pub(super) batch: Batch,
    pub(super) done: oneshot::Sender<Result<(), StoreError>>,
}

pub(super) struct Writer {
    disk: Arc<Disk>,
    syncs: Arc<AtomicU64>,
    stopped: Option<StoreError>,
}

impl Writer {
    pub(super) fn new(disk: Arc<Disk>, syncs: Arc<AtomicU64>) -> Self {
        Self {
            disk,
            syncs,
            stopped: None,
        }
    }

    /// Works until nobody can send any more and everything sent is answered.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let (batch, waiting) = group(first, jobs);
            let result = self.write(batch);
            for done in waiting {
                // Whoever waited may have gone; the commit stands all the same.
                let _ = done.send(result.clone());
            }
        }
    }

    fn write(&mut self, batch: Batch) -> Result<(), StoreError> {
        if let Some(error) = &self.stopped {
            return Err(StoreError::Stopped(error.to_string()));
        }
        if batch.is_empty() {
            return Ok(());
        }
        self.syncs.fetch_add(1, Ordering::Relaxed);
        let result = self.disk.write(batch);
        self.stopped = result.as_ref().err().cloned();
        result
    }
}

type Done = oneshot::Sender<Result<(), StoreError>>;

/// Joins commits that wait already to one batch, in their order. One batch per sync also means that a crash can tear
/// nothing but the last batch of the journal.
fn group(first: Job, jobs: &Receiver<Job>) -> (Batch, Vec<Done>) {
    let (mut batch, mut waiting) = (first.batch, vec![first.done]);
    while batch.bytes() < GROUP_BYTES
        && let Ok(job) = jobs.try_recv()
    {
        batch.append(job.batch);
        waiting.push(job.done);
    }
    (batch, waiting)
}
