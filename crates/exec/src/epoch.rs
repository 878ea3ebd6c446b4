//! Epochs: heights e·L to (e+1)·L − 1 are epoch e; genesis is height 0.
//!
//! The set in force in epoch e + 1 is the one that the last header of epoch e names as next, which is what the state
//! after the block before it decided. A change executed in that last block itself acts one epoch later.

use crate::Executed;
use std::sync::Arc;
use yulian_types::ValidatorSet;

/// Fewest blocks in an epoch.
pub const EPOCH_LENGTH_MIN: u64 = 2;
/// Most blocks in an epoch.
pub const EPOCH_LENGTH_MAX: u64 = 1_000_000;

/// The epoch of a height.
pub const fn epoch_of(height: u64, epoch_length: u64) -> u64 {
    height / epoch_length
}

/// Whether a height is the last of its epoch.
pub const fn is_last(height: u64, epoch_length: u64) -> bool {
    height % epoch_length == epoch_length - 1
}

/// What a block's place in the chain fixes about validators.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) height: u64,
    pub(crate) epoch: u64,
    /// The set in force at the block.
    pub(crate) validators: Arc<ValidatorSet>,
    pub(crate) validators_since: u64,
    /// The set that its header names as next.
    pub(crate) announced: Arc<ValidatorSet>,
    /// The set against which changes executed in the block are counted.
    pub(crate) reference: Arc<ValidatorSet>,
}

impl Place {
    /// The place of a child of `parent`.
    pub(crate) fn after(parent: &Executed, epoch_length: u64) -> Self {
        let height = parent.height() + 1;
        let epoch = epoch_of(height, epoch_length);
        let validators = if epoch == parent.header.epoch {
            &parent.validators
        } else {
            &parent.announced
        };
        let unchanged = validators.digest() == parent.validators.digest();
        let announced = &parent.decided;
        Self {
            height,
            epoch,
            validators: validators.clone(),
            validators_since: if unchanged { parent.validators_since } else { height },
            announced: announced.clone(),
            reference: if is_last(height, epoch_length) {
                announced.clone()
            } else {
                validators.clone()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn genesis_opens_epoch_zero_and_an_epoch_has_its_length() {
        assert_eq!([0, 1, 3, 4, 7, 8].map(|height| epoch_of(height, 4)), [0, 0, 0, 1, 1, 2]);
        assert_eq!(
            [0, 2, 3, 4, 7].map(|height| is_last(height, 4)),
            [false, false, true, false, true]
        );
    }
}
