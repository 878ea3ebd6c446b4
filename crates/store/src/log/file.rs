//! The file that a log is kept in, as the caller provides it.

use std::{
    future::Future,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Granularity at which unsynced bytes of a [`MemoryLog`] reach the disk or do not, bytes.
const SECTOR_BYTES: usize = 512;

/// A file of bytes. Only what was written before a finished [`LogFile::sync`] survives a crash for certain; of later
/// writes any part may survive, in any order.
pub trait LogFile: Send + Sync + 'static {
    /// Everything in the file.
    fn read_all(&self) -> impl Future<Output = io::Result<Vec<u8>>> + Send;

    /// Writes at `offset`, which is at most the length of the file; the file grows as needed.
    fn write_at(&self, offset: u64, bytes: Vec<u8>) -> impl Future<Output = io::Result<()>> + Send;

    /// Cuts the file to `length` bytes, which is at most its length.
    fn truncate(&self, length: u64) -> impl Future<Output = io::Result<()>> + Send;

    /// Forces everything written or cut so far to the disk.
    fn sync(&self) -> impl Future<Output = io::Result<()>> + Send;
}

/// A [`LogFile`] in memory that can lose and tear what was not synced, for tests. Clones are handles to one file.
#[derive(Debug, Clone, Default)]
pub struct MemoryLog(Arc<Mutex<Contents>>);

#[derive(Debug, Default)]
struct Contents {
    written: Vec<u8>,
    synced: Vec<u8>,
    /// Both are equal up to here.
    same_to: usize,
    operations_left: Option<u64>,
}

impl MemoryLog {
    /// An empty file.
    pub fn new() -> Self {
        Self::default()
    }

    /// The power fails: what was synced stays; of the rest each sector survives or not, as `seed` decides, and
    /// the length is somewhere between. The handles used so far go on to the surviving file.
    pub fn crash(&self, seed: u64) {
        let mut contents = self.lock();
        let mut dice = SplitMix(seed);
        let survived = contents.survivors(&mut dice);
        contents.same_to = survived.len();
        contents.synced.clone_from(&survived);
        contents.written = survived;
        contents.operations_left = None;
    }

    /// After `operations` more writes, cuts and syncs, all of them fail (with "storage full") until a [`MemoryLog::crash`].
    /// A failing write still writes a part.
    pub fn fail_after(&self, operations: u64) {
        self.lock().operations_left = Some(operations);
    }

    /// Current length, bytes, synced or not.
    pub fn length(&self) -> usize {
        self.lock().written.len()
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    fn survivors(&self, dice: &mut SplitMix) -> Vec<u8> {
        let (short, long) = ordered(self.synced.len(), self.written.len());
        let length = short + dice.below(long - short + 1);
        let at = |bytes: &[u8], i: usize| bytes.get(i).copied().unwrap_or(0);
        let mut out = Vec::with_capacity(length);
        for sector in 0..length.div_ceil(SECTOR_BYTES) {
            let source = if dice.below(2) == 0 {
                &self.synced
            } else {
                &self.written
            };
            let end = length.min((sector + 1) * SECTOR_BYTES);
            out.extend((sector * SECTOR_BYTES..end).map(|i| at(source, i)));
        }
        // What is the same in both was on the disk before; only the difference is in doubt, and the
        // choice above keeps it so because equal bytes are equal in either source.
        out
    }

    fn flush(&mut self) {
        self.synced.truncate(self.same_to);
        self.synced.extend_from_slice(&self.written[self.same_to..]);
        self.same_to = self.written.len();
    }

    fn spend(&mut self) -> io::Result<()> {
        match &mut self.operations_left {
            Some(0) => Err(io::ErrorKind::StorageFull.into()),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.written.len());
        let end = start + bytes.len();
        if self.written.len() < end {
            self.written.resize(end, 0);
        }
        self.written[start..end].copy_from_slice(bytes);
        self.same_to = self.same_to.min(start);
    }
}

impl LogFile for MemoryLog {
    async fn read_all(&self) -> io::Result<Vec<u8>> {
        Ok(self.lock().written.clone())
    }

    async fn write_at(&self, offset: u64, bytes: Vec<u8>) -> io::Result<()> {
        let mut contents = self.lock();
        let result = contents.spend();
        let kept = if result.is_ok() { bytes.len() } else { bytes.len() / 2 };
        contents.write(offset, &bytes[..kept]);
        result
    }

    async fn truncate(&self, length: u64) -> io::Result<()> {
        let mut contents = self.lock();
        contents.spend()?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        contents.written.truncate(length);
        contents.same_to = contents.same_to.min(length);
        Ok(())
    }

    async fn sync(&self) -> io::Result<()> {
        let mut contents = self.lock();
        contents.spend()?;
        contents.flush();
        Ok(())
    }
}

fn ordered(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

/// Sebastiano Vigna's SplitMix64: a fixed seed gives a fixed crash.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}
