//! The three hashes of the tree.
//!
//! ```text
//! value = SM3("ylStValu" ‖ value)
//! leaf  = SM3(path ‖ value hash ‖ 00)             65 bytes
//! node  = SM3(left ‖ right ‖ 01 ‖ depth as u8)    66 bytes
//! ```
//!
//! Leaf and node carry no tag of eight bytes, but their lengths differ from each other and their last bytes name
//! them: two compressions of SM3 each, of which an update needs about ten.

use crate::Path;
use yulian_crypto::{Digest, sm3};

/// Tag of the hash of a value.
pub const VALUE_TAG: &sm3::Tag = b"ylStValu";

/// The hash under which a value stands in the tree.
pub fn value_hash(value: &[u8]) -> Digest {
    sm3::tagged(VALUE_TAG, &[value])
}

/// [`value_hash`] of each, in order, side by side.
pub fn value_hashes(values: &[[&[u8]; 1]]) -> Vec<Digest> {
    sm3::tagged_many(VALUE_TAG, values)
}

pub(crate) fn leaf(path: &Path, value: &Digest) -> Digest {
    sm3::hash(&[path.as_bytes(), &value.0, &[0]])
}

pub(crate) fn node(left: &Digest, right: &Digest, depth: u8) -> Digest {
    sm3::hash(&[&left.0, &right.0, &[1, depth]])
}
