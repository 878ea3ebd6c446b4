//! Cursors on disk: for each chain the height up to which everything is finished.

use super::status::RelayStatus;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};
use yulian_crypto::Digest;

const CURSORS: &str = "cursors.json";
const STATUS: &str = "status.json";
const LOCK: &str = "lock";

/// Why the folder of an agent cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CursorError {
    /// It cannot be read or written.
    #[error("{path} 无法读写：{source} / cannot read or write {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another agent works in it.
    #[error("另一个代理正在使用 {0} / another agent works in {0}")]
    InUse(PathBuf),
    /// A file is not as this program writes it.
    #[error(
        "{path} 已损坏：{source}。删除后代理会从头跟随 / {path} is damaged: remove it, and the agent follows from the beginning"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: serde_json::Error,
    },
}

impl CursorError {
    fn io(path: &Path, source: io::Error) -> Self {
        let path = path.into();
        Self::Io { path, source }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Stored {
    chains: BTreeMap<String, u64>,
}

/// The cursors of an agent.
#[derive(Debug)]
pub struct Cursors {
    folder: PathBuf,
    stored: Stored,
    /// Held as long as these are: two agents in one folder would overwrite each other's.
    _lock: fs::File,
}

impl Cursors {
    /// Reads what there is; an empty folder begins at the beginning.
    ///
    /// # Errors
    /// [`CursorError`].
    pub fn open(folder: &Path) -> Result<Self, CursorError> {
        fs::create_dir_all(folder).map_err(|source| CursorError::io(folder, source))?;
        let lock = lock(folder)?;
        let path = folder.join(CURSORS);
        let stored = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|source| CursorError::Damaged { path, source })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Stored::default(),
            Err(source) => return Err(CursorError::io(&path, source)),
        };
        Ok(Self {
            folder: folder.into(),
            stored,
            _lock: lock,
        })
    }

    /// The height of a chain up to which everything is finished.
    pub fn height(&self, chain: &Digest) -> u64 {
        self.stored.chains.get(&chain.to_string()).copied().unwrap_or_default()
    }

    /// Writes new heights, if any changed. Those of chains that are not named stay: they may be followed again.
    ///
    /// # Errors
    /// [`CursorError::Io`].
    pub fn write(&mut self, heights: Vec<(Digest, u64)>) -> Result<(), CursorError> {
        let mut chains = self.stored.chains.clone();
        chains.extend(heights.into_iter().map(|(id, height)| (id.to_string(), height)));
        if chains == self.stored.chains {
            return Ok(());
        }
        self.stored.chains = chains;
        replace(&self.folder.join(CURSORS), &self.stored)
    }

    /// Writes the status beside them.
    ///
    /// # Errors
    /// [`CursorError::Io`].
    pub fn write_status(&self, status: &RelayStatus) -> Result<(), CursorError> {
        replace(&self.folder.join(STATUS), status)
    }

    /// The status that an agent wrote last into a folder.
    ///
    /// # Errors
    /// [`CursorError`].
    pub fn read_status(folder: &Path) -> Result<RelayStatus, CursorError> {
        let path = folder.join(STATUS);
        let bytes = fs::read(&path).map_err(|source| CursorError::io(&path, source))?;
        serde_json::from_slice(&bytes).map_err(|source| CursorError::Damaged { path, source })
    }
}

/// The system takes the lock back when the process ends, however it ends.
fn lock(folder: &Path) -> Result<fs::File, CursorError> {
    let path = folder.join(LOCK);
    let file = fs::File::create(&path).map_err(|source| CursorError::io(&path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(CursorError::InUse(folder.into())),
        Err(fs::TryLockError::Error(source)) => Err(CursorError::io(&path, source)),
    }
}

/// Whole or not at all, also when the machine stops in the middle.
fn replace(path: &Path, value: &impl Serialize) -> Result<(), CursorError> {
    let failed = |source| CursorError::io(path, source);
    let new = path.with_extension("new");
    let bytes = serde_json::to_vec_pretty(value).map_err(|error| failed(io::Error::other(error)))?;
    let mut file = fs::File::create(&new).map_err(failed)?;
    file.write_all(&bytes).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    fs::rename(&new, path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_survive_and_damage_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let id = Digest([7; 32]);
        let mut cursors = Cursors::open(folder.path()).unwrap();
        assert_eq!(cursors.height(&id), 0);
        cursors.write(vec![(id, 42)]).unwrap();
        drop(cursors);
        assert_eq!(Cursors::open(folder.path()).unwrap().height(&id), 42);
        fs::write(folder.path().join(CURSORS), "{").unwrap();
        assert!(matches!(Cursors::open(folder.path()), Err(CursorError::Damaged { .. })));
    }

    #[test]
    fn cursors_of_chains_that_are_not_followed_stay() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = [1, 2].map(|number| Digest([number; 32]));
        let mut cursors = Cursors::open(folder.path()).unwrap();
        cursors.write(vec![(one, 1), (other, 2)]).unwrap();
        cursors.write(vec![(one, 5)]).unwrap();
        drop(cursors);
        let cursors = Cursors::open(folder.path()).unwrap();
        assert_eq!((cursors.height(&one), cursors.height(&other)), (5, 2));
    }

    #[test]
    fn a_folder_has_one_agent() {
        let folder = tempfile::tempdir().unwrap();
        let first = Cursors::open(folder.path()).unwrap();
        assert!(matches!(Cursors::open(folder.path()), Err(CursorError::InUse(_))));
        drop(first);
        assert!(Cursors::open(folder.path()).is_ok());
    }
}
