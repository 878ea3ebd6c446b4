//! What `fjall` reports, in our words.

use crate::StoreError;
use fjall::{Error, LsmError};
use std::path::Path;

/// A read that failed.
pub(super) fn reading(error: Error) -> StoreError {
    step("reading", error)
}

/// A store that could not be opened.
pub(super) fn opening(folder: &Path, error: Error) -> StoreError {
    let folder = folder.to_owned();
    match error {
        Error::Locked => StoreError::InUse { folder },
        Error::InvalidVersion(found) => StoreError::NotAStore {
            folder,
            reason: format!("its files have the unknown layout {found:?}"),
        },
        other => step("opening", other),
    }
}

/// A step that failed.
pub(super) fn step(step: &'static str, error: Error) -> StoreError {
    match error {
        Error::Io(source) | Error::Storage(LsmError::Io(source)) => StoreError::io(step, source),
        Error::Poisoned => StoreError::Stopped("writing in the background failed".into()),
        other => StoreError::Damaged(other.to_string()),
    }
}
