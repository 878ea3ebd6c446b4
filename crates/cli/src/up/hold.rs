//! What keeps `up` from starting a node: a file in the node's folder.
//!
//! An empty file holds until it is removed. One that names a process holds as long as that process lives, so that a drill
//! which is killed leaves no node behind.

use crate::{files, problem::Result, text::problem};
use rustix::process::{Pid, test_kill_process};
use std::{fs, io::ErrorKind, path::Path};

/// Name of the file.
const FILE: &str = "hold";
/// Longest file, bytes: a process number.
const BYTES_MAX: usize = 32;

/// Holds a node; for as long as a process lives, where one is named.
pub(crate) fn set(folder: &Path, process: Option<u32>) -> Result<()> {
    let text = process.map(|process| process.to_string()).unwrap_or_default();
    files::write(&folder.join(FILE), text.as_bytes(), false)
}

/// Lets a node go, held or not.
pub(crate) fn lift(folder: &Path) -> Result<()> {
    let path = folder.join(FILE);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(problem::cannot_write(path.display()).caused_by(&error))
        }
        _ => Ok(()),
    }
}

/// Whether a node is held. The file of a process that is gone is removed.
pub(crate) fn is_set(folder: &Path) -> bool {
    let path = folder.join(FILE);
    if !path.exists() {
        return false;
    }
    let text = files::read_text(&path, BYTES_MAX).unwrap_or_default();
    let Some(pid) = text.trim().parse().ok().and_then(Pid::from_raw) else {
        return true;
    };
    if test_kill_process(pid).is_ok() {
        return true;
    }
    // One that cannot be removed holds: somebody has to look.
    lift(folder).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_ends_with_its_process_or_by_hand() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert!(!is_set(folder));
        set(folder, None).unwrap();
        assert!(is_set(folder));
        lift(folder).unwrap();
        lift(folder).unwrap();
        assert!(!is_set(folder));
        set(folder, Some(std::process::id())).unwrap();
        assert!(is_set(folder));
        // No process has the highest number that the type holds.
        set(folder, Some(i32::MAX as u32)).unwrap();
        assert!(!is_set(folder) && !folder.join(FILE).exists());
    }
}
