//! `up.json`: what runs in a folder, for scripts and for the other commands. There while the network runs.

use crate::{files, problem::Result};
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};
use std::{fs, path::Path};

/// Name of the file.
const FILE: &str = "up.json";
/// Longest file, bytes.
const BYTES_MAX: usize = 1 << 20;

/// A network that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Running {
    /// Process of `yulian up`.
    pub(crate) pid: u32,
    /// API of the first node.
    pub(crate) url: String,
    /// Genesis digest.
    pub(crate) genesis: String,
    pub(crate) nodes: Vec<RunningNode>,
}

/// A node of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunningNode {
    pub(crate) name: String,
    pub(crate) cloud: String,
    /// Its process; 0 while it does not run.
    pub(crate) pid: u32,
    /// Address of its API.
    pub(crate) api: String,
    /// Its folder within that of the network.
    pub(crate) folder: String,
}

/// What runs in a folder, if anything does. A file that a killed `up` left behind does not count.
pub(crate) fn read(dir: &Path) -> Option<Running> {
    let bytes = files::read(&dir.join(FILE), BYTES_MAX).ok()?;
    let running: Running = serde_json::from_slice(&bytes).ok()?;
    let pid = Pid::from_raw(i32::try_from(running.pid).ok()?)?;
    test_kill_process(pid).is_ok().then_some(running)
}

/// Writes the file in one step.
pub(crate) fn write(dir: &Path, running: &Running) -> Result<()> {
    let mut text = serde_json::to_vec_pretty(running).unwrap_or_default();
    text.push(b'\n');
    files::write(&dir.join(FILE), &text, false)
}

/// Nothing runs any more.
pub(crate) fn remove(dir: &Path) {
    // A reader looks at the process too, so a file that stays harms nobody.
    let _ = fs::remove_file(dir.join(FILE));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_while_the_process_lives() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()), None);
        let node = RunningNode {
            name: "unicom-1".into(),
            cloud: "联通".into(),
            pid: 7,
            api: "http://127.0.0.1:1".into(),
            folder: "node1".into(),
        };
        let mut running = Running {
            pid: std::process::id(),
            url: node.api.clone(),
            genesis: "00".into(),
            nodes: vec![node],
        };
        write(folder.path(), &running).unwrap();
        assert_eq!(read(folder.path()), Some(running.clone()));
        // No process has the highest number that the type holds.
        running.pid = i32::MAX as u32;
        write(folder.path(), &running).unwrap();
        assert_eq!(read(folder.path()), None);
        remove(folder.path());
        assert!(!folder.path().join(FILE).exists());
    }
}
