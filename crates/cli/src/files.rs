//! Files: bounded reading, writing that leaves the whole file or none, hashing of any length.

use crate::{
    problem::{Cause, Result},
    text::problem,
};
use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};
use yulian_crypto::{Digest, sm3};

/// Bytes that are read at a time when a file is hashed.
const CHUNK_BYTES: usize = 1 << 20;

/// Reads the first `limit` bytes of a file, or all there are.
pub(crate) fn read_start(path: &Path, limit: usize) -> Result<Vec<u8>> {
    let cannot = || problem::cannot_read(path.display());
    let file = File::open(path).or_problem(cannot)?;
    let mut bytes = Vec::new();
    file.take(limit as u64).read_to_end(&mut bytes).or_problem(cannot)?;
    Ok(bytes)
}

/// Reads a file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Vec<u8>> {
    let bytes = read_start(path, limit + 1)?;
    if bytes.len() > limit {
        return Err(problem::file_too_long(path.display(), limit));
    }
    Ok(bytes)
}

/// Reads a text of at most `limit` bytes.
pub(crate) fn read_text(path: &Path, limit: usize) -> Result<String> {
    String::from_utf8(read(path, limit)?).or_problem(|| problem::cannot_read(path.display()))
}

/// SM3 of a file of any length.
pub(crate) fn sm3_of(path: &Path) -> Result<Digest> {
    let cannot = || problem::cannot_read(path.display());
    let mut file = File::open(path).or_problem(cannot)?;
    let mut hasher = sm3::Hasher::default();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match file.read(&mut chunk).or_problem(cannot)? {
            0 => return Ok(hasher.finish()),
            read => hasher.update(&chunk[..read]),
        }
    }
}

/// Writes a file in one step: whoever opens it sees the old content or the new one. Mode 0644, or 0600 if `secret`.
pub(crate) fn write(path: &Path, bytes: &[u8], secret: bool) -> Result<()> {
    let beside = beside(path);
    let mode = if secret { 0o600 } else { 0o644 };
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(mode);
    let written = options
        .open(&beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    rename(&beside, path, written)
}

/// Writes a file in one step, not waiting for the disk: for what can be had again.
pub(crate) fn write_soon(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = beside(path);
    rename(&beside, path, fs::write(&beside, bytes))
}

fn rename(beside: &Path, path: &Path, written: std::io::Result<()>) -> Result<()> {
    let renamed = written.and_then(|()| fs::rename(beside, path));
    if renamed.is_err() {
        // What is left of it is of no use; the first error says why.
        let _ = fs::remove_file(beside);
    }
    renamed.or_problem(|| problem::cannot_write(path.display()))
}

/// Creates a folder and those above it.
pub(crate) fn create_dir(path: &Path) -> Result<()> {
    fs::create_dir_all(path).or_problem(|| problem::cannot_write(path.display()))
}

/// A name of this process beside the target, so that two processes do not meet.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
}

/// The path with `suffix` behind its name, in `folder` if there is one.
pub(crate) fn with_suffix(path: &Path, suffix: &str, folder: Option<&Path>) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    match folder {
        Some(folder) => folder.join(name),
        None => path.with_file_name(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_stays_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write(&path, b"one", true).unwrap();
        write(&path, b"two", true).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let missing = write(&folder.path().join("no/a"), b"x", false).unwrap_err();
        assert_eq!(missing.code(), "cannot_write");
    }

    #[test]
    fn reading_stops_at_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, b"abc").unwrap();
        assert_eq!(read(&path, 3).unwrap(), b"abc");
        assert_eq!(read(&path, 2).unwrap_err().code(), "file_too_long");
        assert_eq!(read(&folder.path().join("b"), 2).unwrap_err().code(), "cannot_read");
        // Value from `printf abc | openssl dgst -sm3`.
        let digest = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
        assert_eq!(sm3_of(&path).unwrap().to_string(), digest);
    }

    #[test]
    fn suffixes() {
        let path = Path::new("a/b.txt");
        assert_eq!(with_suffix(path, ".pack.json", None), Path::new("a/b.txt.pack.json"));
        assert_eq!(with_suffix(path, ".x", Some(Path::new("c"))), Path::new("c/b.txt.x"));
    }
}
