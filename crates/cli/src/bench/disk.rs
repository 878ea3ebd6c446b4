//! The disk that a run is on: how often per second it makes a small write durable, and what file system it has.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How long the disk is measured.
const MEASURED: Duration = Duration::from_millis(1500);
/// Bytes of one write.
const WRITE_BYTES: usize = 4096;
/// File systems that are in memory.
const IN_MEMORY: [&str; 2] = ["tmpfs", "ramfs"];

/// A disk as it was measured.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    pub(crate) path: PathBuf,
    /// Name of the file system, "?" if the system does not tell.
    pub(crate) file_system: String,
    /// Writes of 4 KiB, each made durable, in a second.
    pub(crate) syncs_per_s: u64,
}

impl Disk {
    /// Measures the disk of a folder that is there.
    pub(crate) fn measure(folder: &Path) -> io::Result<Self> {
        let path = folder.canonicalize()?;
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let file_system = file_system(&mounts, &path).unwrap_or("?").to_owned();
        let syncs_per_s = syncs_per_s(&path)?;
        Ok(Self {
            path,
            file_system,
            syncs_per_s,
        })
    }

    /// Whether nothing on it survives a loss of power.
    pub(crate) fn is_memory(&self) -> bool {
        IN_MEMORY.contains(&self.file_system.as_str())
    }
}

fn syncs_per_s(folder: &Path) -> io::Result<u64> {
    let path = folder.join(format!(".yulian-bench-{}", std::process::id()));
    let measured = appends(&path);
    // The file is ours and empty of meaning; if it stays, the next run has another name.
    let _ = fs::remove_file(&path);
    measured
}

fn appends(path: &Path) -> io::Result<u64> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let block = [0x5a; WRITE_BYTES];
    let started = Instant::now();
    let mut syncs = 0u64;
    while started.elapsed() < MEASURED {
        file.write_all(&block)?;
        file.sync_data()?;
        syncs += 1;
    }
    Ok((syncs as f64 / started.elapsed().as_secs_f64()) as u64)
}

/// The file system of the deepest mount above a path, from proc(5) `mountinfo`: the fifth field is the mount point, the
/// first behind " - " the kind.
fn file_system<'a>(mounts: &'a str, path: &Path) -> Option<&'a str> {
    let mount = |line: &'a str| {
        let (left, right) = line.split_once(" - ")?;
        let point = left.split(' ').nth(4)?;
        path.starts_with(point)
            .then(|| (point.len(), right.split(' ').next().unwrap_or("?")))
    };
    // Of two mounts at one point the later covers the earlier; `max_by_key` returns the last of equals.
    mounts
        .lines()
        .filter_map(mount)
        .max_by_key(|(length, _)| *length)
        .map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_mount_decides() {
        let mounts = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:5 / /tmp rw,x shared:1 - tmpfs tmpfs rw\n3 1 0:6 / /tm rw - xfs a rw\n";
        let of = |path: &str| file_system(mounts, Path::new(path));
        assert_eq!(of("/tmp/a"), Some("tmpfs"));
        assert_eq!(of("/tmpx/a"), Some("ext4"));
        assert_eq!(of("/tm"), Some("xfs"));
        assert_eq!(file_system("", Path::new("/")), None);
    }

    #[test]
    fn a_measured_disk_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::measure(folder.path()).unwrap();
        assert!(disk.syncs_per_s > 0);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
