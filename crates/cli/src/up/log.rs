//! The log of a node, bounded on the disk.

use crate::out;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::io::{AsyncRead, AsyncReadExt};

/// A log file is put aside when it has this many bytes.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// Files that are put aside, beside the one that grows.
const OLD_FILES: u32 = 2;
/// Bytes that are read from a node at a time.
const CHUNK_BYTES: usize = 16 << 10;
/// Lines of a log that are shown when its node does not start.
pub(super) const TAIL_LINES: usize = 8;

/// Most lines of a node's last words.
const WORDS_MAX: usize = 6;

/// A file that begins anew before it gets too long.
pub(super) struct Log {
    path: PathBuf,
    file: File,
    written: u64,
    limit: u64,
}

impl Log {
    /// Goes on with the file of an earlier run.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Self::bounded(path, FILE_BYTES_MAX)
    }

    fn bounded(path: &Path, limit: u64) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let written = file.metadata()?.len();
        Ok(Self {
            path: path.to_owned(),
            file,
            written,
            limit,
        })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.written + bytes.len() as u64 > self.limit {
            self.rotate()?;
        }
        self.file.write_all(bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// `node.log` becomes `node.log.1`, that `node.log.2`, the oldest goes.
    fn rotate(&mut self) -> io::Result<()> {
        let old = |number: u32| self.path.with_extension(format!("log.{number}"));
        for number in (1..OLD_FILES).rev() {
            if old(number).exists() {
                fs::rename(old(number), old(number + 1))?;
            }
        }
        fs::rename(&self.path, old(1))?;
        self.file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        self.written = 0;
        Ok(())
    }
}

/// Writes all that comes. A disk that is full costs lines of the log, not the node.
pub(super) async fn pump(log: Arc<Mutex<Log>>, mut from: impl AsyncRead + Unpin) {
    let mut chunk = vec![0; CHUNK_BYTES];
    while let Ok(read) = from.read(&mut chunk).await {
        if read == 0 {
            return;
        }
        let _ = log.lock().unwrap_or_else(PoisonError::into_inner).write(&chunk[..read]);
    }
}

/// The last lines of a log, for a person who asks why a node does not start.
pub(super) fn tail(path: &Path, lines: usize) -> String {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// What a program wrote after its last log entry, at most [`WORDS_MAX`] lines: why it ended.
pub(super) fn last_words(path: &Path) -> Vec<String> {
    let end = tail(path, WORDS_MAX);
    let after_entries = end.rsplit('\n').take_while(|line| !line.starts_with('{'));
    let mut words: Vec<String> = after_entries
        .filter(|line| !line.trim().is_empty())
        .map(out::one_line)
        .collect();
    words.reverse();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_are_what_follows_the_entries() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.log");
        assert_eq!(last_words(&path), [""; 0]);
        fs::write(&path, "{\"level\":\"INFO\"}\nwhy\nwhat to do\n").unwrap();
        assert_eq!(last_words(&path), ["why", "what to do"]);
        fs::write(&path, "before\n{\"level\":\"INFO\"}\n").unwrap();
        assert_eq!(last_words(&path), [""; 0]);
    }

    #[tokio::test]
    async fn a_log_stays_bounded_and_keeps_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.log");
        for round in 0..20u8 {
            let log = Log::bounded(&path, 100).unwrap();
            pump(Arc::new(Mutex::new(log)), &[b'a' + round; 40][..]).await;
        }
        let mut total = 0;
        for entry in fs::read_dir(folder.path()).unwrap() {
            total += entry.unwrap().metadata().unwrap().len();
        }
        assert!(total <= 300, "{total}");
        assert!(tail(&path, 1).ends_with(&"t".repeat(40)));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
