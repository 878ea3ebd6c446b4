//! Files that hold secrets or must survive a crash.

#![expect(
    clippy::disallowed_methods,
    reason = "key files and the file of signatures are this crate's only files"
)]

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Read and write for the owner alone.
pub(crate) const PRIVATE_MODE: u32 = 0o600;

/// The permission bits of an open file.
pub(crate) fn mode(file: &File) -> io::Result<u32> {
    Ok(file.metadata()?.permissions().mode() & 0o7777)
}

/// Whether anyone but the owner may touch a file of this mode, or the owner run it.
pub(crate) fn is_wider(mode: u32) -> bool {
    mode & !PRIVATE_MODE != 0
}

/// A new file of mode 0600; `AlreadyExists` when there is something of that name.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(PRIVATE_MODE)
        .open(path)
}

/// An existing file, refused with `PermissionDenied` when its mode is wider than 0600.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let mode = mode(&file)?;
    if is_wider(mode) {
        let what = format!("mode {mode:04o} is wider than 0600");
        return Err(io::Error::new(ErrorKind::PermissionDenied, what));
    }
    Ok(file)
}

/// Makes a name in a directory survive a crash.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}
