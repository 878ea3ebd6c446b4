//! The limits that both back-ends keep.

use crate::{BATCH_BYTES_MAX, Batch, KEY_BYTES_MAX, StoreError, VALUE_BYTES_MAX};
use std::ops::Bound;

/// Refuses a batch beyond the limits.
pub(crate) fn batch(batch: &Batch) -> Result<(), StoreError> {
    if batch.bytes() > BATCH_BYTES_MAX {
        return Err(StoreError::BatchLength(batch.bytes()));
    }
    for changes in batch.spaces.values() {
        for (from, to) in &changes.ranges {
            range_end(from)?;
            range_end(to)?;
        }
        for (at, value) in &changes.points {
            key(at)?;
            let length = value.as_ref().map_or(0, |value| value.len());
            if length > VALUE_BYTES_MAX {
                return Err(StoreError::ValueLength(length));
            }
        }
    }
    Ok(())
}

fn key(key: &[u8]) -> Result<(), StoreError> {
    if key.is_empty() {
        return Err(StoreError::KeyLength(0));
    }
    range_end(key)
}

fn range_end(end: &[u8]) -> Result<(), StoreError> {
    if end.len() > KEY_BYTES_MAX {
        return Err(StoreError::KeyLength(end.len()));
    }
    Ok(())
}

/// Whether no key can lie between the bounds. `BTreeMap::range` panics on some of these.
pub(crate) fn is_empty_range(from: Bound<&[u8]>, to: Bound<&[u8]>) -> bool {
    match (from, to) {
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => from >= to,
        _ => false,
    }
}
