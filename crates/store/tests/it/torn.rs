//! `fjall`'s files cut back to what a power failure may leave after the last sync.

use crate::model::{Dice, Model};
use futures::executor::block_on;
use std::{
    fs,
    path::{Path, PathBuf},
};
use yulian_store::{FjallKv, Kv, Options, StoreError};

/// A folder before and after its last commit, which changed nothing but the end of the journal.
struct Scene {
    folder: tempfile::TempDir,
    journal: PathBuf,
    old: Vec<u8>,
    new: Vec<u8>,
    before: Model,
    after: Model,
}

/// The last commit holds one large value among many small ones: a hole in it leaves the rest of the batch readable.
fn scene(seed: u64) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let open = || FjallKv::open(folder.path(), Options::default()).unwrap();
    let (mut dice, mut before) = (Dice(seed), Model::default());
    let commit = |kv: &FjallKv, model: &mut Model, dice: &mut Dice| {
        block_on(kv.commit(model.random_batch(dice))).unwrap();
    };
    let kv = open();
    (0..5).for_each(|_| commit(&kv, &mut before, &mut dice));
    kv.close();
    // Opening cuts off the room taken beforehand, so that the journal ends with its last batch.
    let kv = open();
    let journal = folder.path().join("db/0.jnl");
    let old = fs::read(&journal).unwrap();
    let mut after = before.clone();
    let last = after.large_batch(&mut dice);
    block_on(kv.commit(last)).unwrap();
    kv.close();
    let new = fs::read(&journal).unwrap();
    assert!(new.starts_with(&old) && new.len() > old.len());
    assert_ne!(before, after);
    Scene {
        folder,
        journal,
        old,
        new,
        before,
        after,
    }
}

impl Scene {
    /// What is found when the journal has these bytes.
    fn found(&self, journal: &[u8]) -> Result<Model, StoreError> {
        fs::write(&self.journal, journal).unwrap();
        let kv = FjallKv::open(self.folder.path(), Options::default())?;
        let found = Model::of(&kv);
        kv.close();
        Ok(found)
    }
}

#[test]
fn a_journal_cut_anywhere_after_the_sync_loses_the_last_commit_only() {
    let scene = scene(1);
    assert_eq!(scene.found(&scene.new).unwrap(), scene.after);
    let tail = scene.new.len() - scene.old.len();
    for length in (0..tail).step_by((tail / 60).max(1)) {
        let cut = &scene.new[..scene.old.len() + length];
        assert_eq!(scene.found(cut).unwrap(), scene.before);
        // The same with room taken beforehand behind it.
        let padded = [cut, &[0; 3000]].concat();
        assert_eq!(scene.found(&padded).unwrap(), scene.before);
    }
}

/// Sectors of the last batch reach the disk in any order: some are still empty.
#[test]
fn a_journal_with_holes_after_the_sync_loses_the_last_commit_only() {
    const SECTOR: usize = 512;
    let scene = scene(2);
    let start = scene.old.len();
    assert!(scene.new.len() - start > 10 * SECTOR);
    for seed in 0..80 {
        let (mut dice, mut torn) = (Dice(seed), scene.new.clone());
        let sectors = start / SECTOR..torn.len().div_ceil(SECTOR);
        let missing: Vec<usize> = sectors.filter(|_| dice.below(1 + seed % 20) == 0).collect();
        for sector in &missing {
            let end = torn.len().min((sector + 1) * SECTOR);
            torn[start.max(sector * SECTOR)..end].fill(0);
        }
        let expected = if torn == scene.new { &scene.after } else { &scene.before };
        assert_eq!(
            scene.found(&torn).unwrap(),
            *expected,
            "seed {seed}: sectors {missing:?}"
        );
    }
}

/// Damage to a value that was synced is reported, and the repair of the end does not make it worse.
#[test]
fn damage_before_the_last_commit_is_reported() {
    let scene = scene(3);
    let mut damaged = scene.new.clone();
    let value = scene.before.0.values().max_by_key(|value| value.len()).unwrap();
    let at = scene.old.windows(value.len()).position(|bytes| bytes == value);
    damaged[at.unwrap() + value.len() / 2] ^= 0xff;
    let before = fs::read(write(&scene.journal, &damaged)).unwrap();
    let result = FjallKv::open(scene.folder.path(), Options::default()).map(drop);
    assert!(matches!(result, Err(StoreError::Damaged(_))), "{result:?}");
    let now = fs::read(&scene.journal).unwrap();
    let differs = now.iter().zip(&before).position(|(a, b)| a != b);
    assert!(
        now == before,
        "{} bytes, were {}, first difference at {differs:?}",
        now.len(),
        before.len()
    );
    assert_eq!(scene.found(&scene.new).unwrap(), scene.after);
}

fn write<'a>(file: &'a Path, bytes: &[u8]) -> &'a Path {
    fs::write(file, bytes).unwrap();
    file
}
