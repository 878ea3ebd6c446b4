//! The contents of a [`super::LogKv`]: a sorted map per space.

use super::record::Change;
use crate::{Batch, Space, StoreError};
use bytes::Bytes;
use std::collections::BTreeMap;

pub(super) type Map = BTreeMap<Bytes, Bytes>;

#[derive(Clone)]
pub(super) struct Maps(BTreeMap<u8, (Space, Map)>);

impl Maps {
    pub(super) fn new(spaces: &[Space]) -> Self {
        let empty = |space: &Space| (space.id(), (*space, Map::new()));
        Self(spaces.iter().map(empty).collect())
    }

    pub(super) fn of(&self, space: Space) -> Result<&Map, StoreError> {
        match self.0.get(&space.id()) {
            Some((known, map)) if *known == space => Ok(map),
            _ => Err(StoreError::UnknownSpace(space.name())),
        }
    }

    pub(super) fn check_spaces(&self, batch: &Batch) -> Result<(), StoreError> {
        batch.spaces.keys().try_for_each(|space| self.of(*space).map(drop))
    }

    /// Applies a batch whose spaces were checked.
    pub(super) fn apply_batch(&mut self, batch: Batch) {
        for (space, changes) in batch.spaces {
            let Some((_, map)) = self.0.get_mut(&space.id()) else {
                continue;
            };
            for (from, to) in changes.ranges {
                remove_range(map, &from, &to);
            }
            for (key, value) in changes.points {
                match value {
                    Some(value) => map.insert(key, value),
                    None => map.remove(&key),
                };
            }
        }
    }

    /// Applies the changes of a record.
    pub(super) fn apply(&mut self, changes: Vec<(u8, Change)>) -> Result<(), StoreError> {
        for (id, change) in changes {
            let (_, map) = self
                .0
                .get_mut(&id)
                .ok_or_else(|| StoreError::Damaged(format!("the log names space {id}, which is not known")))?;
            match change {
                Change::Put(key, value) => drop(map.insert(key, value)),
                Change::Delete(key) => drop(map.remove(&key)),
                Change::DeleteRange(from, to) => remove_range(map, &from, &to),
            }
        }
        Ok(())
    }
}

fn remove_range(map: &mut Map, from: &Bytes, to: &Bytes) {
    let mut from_on = map.split_off(from);
    let mut rest = from_on.split_off(to);
    map.append(&mut rest);
}
