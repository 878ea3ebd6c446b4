//! Disk and files.

use super::Finding;
use crate::{files, text::say};
use rustix::fs::statvfs;
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use yulian_crypto::key_file::FILE_BYTES_MAX;

/// How long the disk is measured.
const MEASURED: Duration = Duration::from_millis(1500);
/// Bytes of one write, about a small block.
const WRITE_BYTES: usize = 16 * 1024;
/// Below this, a block waits for the disk longer than for the network.
const SYNCS_PER_S_MIN: u64 = 100;
/// Space that lasts for millions of records.
const FREE_MIB_MIN: u64 = 10 * 1024;
/// Below this, a node is about to stop.
const FREE_MIB_LOW: u64 = 512;
/// Most entries of a folder that are looked at.
const ENTRIES_MAX: usize = 10_000;

pub(super) fn findings(dir: &Path) -> Vec<Finding> {
    // A folder that is yet to be made is on the disk of the one above it.
    let here = dir.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    vec![disk(here), space(here), modes(dir)]
}

fn disk(folder: &Path) -> Finding {
    match syncs_per_s(folder) {
        Ok(rate) => {
            let detail = say::doctor_disk(folder.display(), rate);
            Finding::expect("disk", rate >= SYNCS_PER_S_MIN, detail, || {
                say::doctor_disk_hint(SYNCS_PER_S_MIN)
            })
        }
        Err(error) => Finding::bad(
            "disk",
            format!("{}: {error}", folder.display()),
            say::doctor_disk_error_hint(),
        ),
    }
}

/// Appends and syncs for a while, as a node does for each block.
pub(crate) fn syncs_per_s(folder: &Path) -> io::Result<u64> {
    let path = folder.join(format!(".yulian-doctor-{}", std::process::id()));
    let measured = measure(&path);
    // The file is ours and empty of meaning; if it stays, the next run has another name.
    let _ = fs::remove_file(&path);
    measured
}

fn measure(path: &Path) -> io::Result<u64> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let block = vec![0x5a; WRITE_BYTES];
    let started = Instant::now();
    let mut syncs = 0u64;
    while started.elapsed() < MEASURED {
        file.write_all(&block)?;
        file.sync_data()?;
        syncs += 1;
    }
    let ms = started.elapsed().as_millis().max(1);
    Ok((u128::from(syncs) * 1000 / ms) as u64)
}

fn space(folder: &Path) -> Finding {
    let Ok(found) = statvfs(folder) else {
        return Finding::warning("space", say::doctor_unknown(), say::doctor_space_hint(FREE_MIB_MIN));
    };
    let mib = found.f_bavail.saturating_mul(found.f_frsize) >> 20;
    let detail = say::doctor_space(folder.display(), mib);
    match mib {
        0..FREE_MIB_LOW => Finding::bad("space", detail, say::doctor_space_hint(FREE_MIB_MIN)),
        FREE_MIB_LOW..FREE_MIB_MIN => Finding::warning("space", detail, say::doctor_space_hint(FREE_MIB_MIN)),
        _ => Finding::good("space", detail),
    }
}

/// Private keys that others could read.
fn modes(dir: &Path) -> Finding {
    let mut keys = Vec::new();
    collect_keys(dir, 0, &mut keys);
    let mode = |path: &PathBuf| fs::metadata(path).map_or(0, |meta| meta.permissions().mode() & 0o7777);
    let open: Vec<String> = keys
        .iter()
        .filter(|path| mode(path) & 0o177 != 0)
        .map(|p| p.display().to_string())
        .collect();
    if open.is_empty() {
        return Finding::good("key-files", say::doctor_keys(keys.len()));
    }
    Finding::bad(
        "key-files",
        say::doctor_keys_open(open.join(" ")),
        say::doctor_keys_hint(open.join(" ")),
    )
}

/// The key files of a network are at most three folders deep.
fn collect_keys(folder: &Path, depth: usize, keys: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten().take(ENTRIES_MAX) {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth < 3 => collect_keys(&path, depth + 1, keys),
            Ok(kind) if kind.is_file() && is_private_key(&path) => keys.push(path),
            _ => {}
        }
    }
}

/// Whether a file is a private key; one that cannot be read is none that others can read.
fn is_private_key(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "pem")
        && files::read_start(path, FILE_BYTES_MAX).is_ok_and(|bytes| bytes.windows(11).any(|at| at == b"PRIVATE KEY"))
}
