//! What processes and folders use, from the operating system: processor time, memory, disk.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// Ticks per second in `/proc`: USER_HZ, 100 on every Linux ABI this program is built for.
const TICKS_PER_S: u64 = 100;
/// Bytes of a block in `stat(2)`, whatever the file system's own are.
const STAT_BLOCK_BYTES: u64 = 512;
/// Folders within folders that are looked into.
const DEPTH_MAX: usize = 8;

/// A process that is measured.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) pid: u32,
    /// Folder of its data.
    pub(crate) folder: Option<PathBuf>,
}

/// Processor time of a process so far, user and system; zero if it is gone.
pub(crate) fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    Duration::from_millis(ticks(&stat).unwrap_or_default() * 1000 / TICKS_PER_S)
}

/// Fields 14 and 15 of proc(5) `stat`; field 2 is a name in parentheses that may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Memory of a process that is in RAM, bytes; zero if it is gone.
pub(crate) fn memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line
        .and_then(|line| line.split_whitespace().next())
        .and_then(|kib| kib.parse::<u64>().ok());
    kib.unwrap_or_default() * 1024
}

/// Bytes that a folder takes on its disk.
pub(crate) fn stored(folder: &Path) -> u64 {
    stored_below(folder, DEPTH_MAX)
}

fn stored_below(folder: &Path, depth: usize) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    let of = |entry: fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() && depth > 0 => stored_below(&entry.path(), depth - 1),
        Ok(meta) if meta.is_file() => meta.blocks() * STAT_BLOCK_BYTES,
        // A file that a store has just removed takes nothing.
        _ => 0,
    };
    entries.flatten().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_processes_may_hold_anything() {
        let stat = "7 (a) b (c) R 1 2 3 4 5 6 7 8 9 10 120 30 0 0 20 0";
        assert_eq!(ticks(stat), Some(150));
        assert_eq!(ticks("7 (a"), None);
        assert_eq!(ticks("7 (a) R 1"), None);
    }

    #[test]
    fn this_process_uses_memory_and_a_missing_one_nothing() {
        assert!(memory(std::process::id()) > 0);
        assert_eq!((memory(u32::MAX), cpu(u32::MAX)), (0, Duration::ZERO));
    }

    #[test]
    fn a_folder_takes_what_its_files_take() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("in")).unwrap();
        fs::write(folder.path().join("in/file"), vec![7; 100_000]).unwrap();
        assert!(stored(folder.path()) >= 100_000);
        assert_eq!(stored(&folder.path().join("none")), 0);
    }
}
