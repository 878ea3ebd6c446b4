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

/// What is hashed for a leaf.
pub(crate) type LeafMessage = [u8; 65];

/// What is hashed for a node.
pub(crate) type NodeMessage = [u8; 66];

/// The hash under which a value stands in the tree.
pub fn value_hash(value: &[u8]) -> Digest {
    sm3::tagged(VALUE_TAG, &[value])
}

/// [`value_hash`] of each value, in order.
pub(crate) fn value_hashes(values: &[[&[u8]; 1]]) -> Vec<Digest> {
    sm3::tagged_many(VALUE_TAG, values)
}

pub(crate) fn leaf(path: &Path, value: &Digest) -> Digest {
    sm3::hash(&[&leaf_message(&Digest::from(*path), value)])
}

pub(crate) fn node(left: &Digest, right: &Digest, depth: u8) -> Digest {
    sm3::hash(&[&node_message(left, right, depth)])
}

pub(crate) fn leaf_message(path: &Digest, value: &Digest) -> LeafMessage {
    let mut message = [0; 65];
    message[..32].copy_from_slice(&path.0);
    message[32..64].copy_from_slice(&value.0);
    message
}

pub(crate) fn node_message(left: &Digest, right: &Digest, depth: u8) -> NodeMessage {
    let mut message = [0; 66];
    message[..32].copy_from_slice(&left.0);
    message[32..64].copy_from_slice(&right.0);
    message[64..].copy_from_slice(&[1, depth]);
    message
}
