//! Which folders are opened, and what happens when there is no room.

use crate::model::put;
use bytes::Bytes;
use std::fs;
use yulian_store::{FjallKv, Kv, META, Options, StoreError};

fn open(folder: &std::path::Path) -> Result<FjallKv, StoreError> {
    FjallKv::open(folder, Options::default())
}

#[test]
fn a_folder_of_a_newer_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    put(&open(folder.path()).unwrap(), META, b"k", "v").unwrap();
    let format = folder.path().join("format");
    assert_eq!(fs::read_to_string(&format).unwrap(), "1\n");
    fs::write(&format, "2\n").unwrap();
    let error = open(folder.path()).map(drop).unwrap_err();
    assert!(matches!(error, StoreError::NewerFormat { found: 2, known: 1, .. }));
    assert!(error.to_string().contains("use a newer program"), "{error}");
    fs::write(&format, "1\n").unwrap();
    assert_eq!(
        open(folder.path()).unwrap().get(META, b"k").unwrap(),
        Some(Bytes::from("v"))
    );
}

#[test]
fn what_is_not_a_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("format"), "no number").unwrap();
    let not_a_store = |result: Result<FjallKv, _>| matches!(result, Err(StoreError::NotAStore { .. }));
    assert!(not_a_store(open(folder.path())));
    fs::remove_file(folder.path().join("format")).unwrap();
    fs::create_dir(folder.path().join("db")).unwrap();
    assert!(not_a_store(open(folder.path())));
    let file = tempfile::NamedTempFile::new().unwrap();
    assert!(matches!(open(file.path()).map(drop), Err(StoreError::Io { .. })));
}

#[test]
fn a_folder_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path()).unwrap();
    assert!(matches!(open(folder.path()).map(drop), Err(StoreError::InUse { .. })));
    put(&first, META, b"k", "v").unwrap();
    first.close();
    open(folder.path()).unwrap();
}

#[test]
fn a_full_disk_stops_the_store_and_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    put(&open(folder.path()).unwrap(), META, b"k", "before").unwrap();
    let reserve_bytes = u64::MAX;
    let full = FjallKv::open(
        folder.path(),
        Options {
            reserve_bytes,
            ..Options::default()
        },
    )
    .unwrap();
    assert!(matches!(put(&full, META, b"k", "lost"), Err(StoreError::DiskFull)));
    assert!(matches!(put(&full, META, b"k", "refused"), Err(StoreError::Stopped(_))));
    assert_eq!(full.get(META, b"k").unwrap(), Some(Bytes::from("before")));
    full.close();
    let again = open(folder.path()).unwrap();
    assert_eq!(again.get(META, b"k").unwrap(), Some(Bytes::from("before")));
    put(&again, META, b"k", "after").unwrap();
}

#[test]
fn spaces_added_later_are_made() {
    let folder = tempfile::tempdir().unwrap();
    let with = |spaces: &[yulian_store::Space]| {
        let spaces = spaces.to_vec();
        FjallKv::open(
            folder.path(),
            Options {
                spaces,
                ..Options::default()
            },
        )
        .unwrap()
    };
    put(&with(&[META]), META, b"k", "v").unwrap();
    let more = with(yulian_store::CHAIN_SPACES);
    assert_eq!(more.get(META, b"k").unwrap(), Some(Bytes::from("v")));
    put(&more, yulian_store::STATE, b"k", "w").unwrap();
}
