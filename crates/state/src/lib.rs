//! Authenticated key-value state: a persistent SM3 tree with proofs of presence and absence. No IO.
//!
//! A [`Tree`] holds the hash of every value of a chain's state under the [`Path`] of its key; the values
//! themselves are kept by the caller. Versions of a tree share what they have in common, so that a block
//! that is not final yet is one more version, and forgetting it costs nothing. A [`Proof`] shows under a root
//! alone what value a key has, or that it has none. [`write_set`] proves what one block wrote, [`history`] what a key had at a former
//! height, a [`PartProof`] which keys there are under a [`Prefix`].

mod hash;
pub mod history;
mod part;
mod path;
mod proof;
mod tree;
pub mod workers;
pub mod write_set;

pub use crate::{
    hash::{VALUE_TAG, value_hash},
    part::{PartError, PartProof, Prefix},
    path::{PATH_BITS, PATH_TAG, Path},
    proof::{PROOF_BYTES_MAX, PROOF_LEVELS_MAX, Proof, ProofError, Sibling},
    tree::{BUCKET_LEAVES_MAX, Change, Found, Tree, TreeBuilder, WARM_PATHS_MAX, WrongLeaves},
};
