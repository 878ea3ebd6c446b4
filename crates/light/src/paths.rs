//! Paths of a pack as proofs.

use crate::{blob::Blob, error::PackError, pack::StateEntry};
use yulian_crypto::{Digest, merkle};
use yulian_state::{PROOF_BYTES_MAX, Path, Proof, ProofError, value_hash};
use yulian_types::StateKey;

pub(crate) fn merkle_proof(
    index: u64,
    count: u64,
    path: &Blob,
    name: &'static str,
) -> Result<merkle::Proof, PackError> {
    let chunks = path.0.chunks_exact(32);
    if !chunks.remainder().is_empty() || path.0.len() > merkle::SIBLINGS_MAX * 32 {
        return Err(PackError::Field(name));
    }
    Ok(merkle::Proof {
        index,
        count,
        siblings: chunks.filter_map(Digest::from_slice).collect(),
    })
}

/// The full state proof: the leaf that the pack leaves out follows from key and value.
pub(crate) fn state_proof(entry: &StateEntry, key: &StateKey) -> Result<Proof, ProofError> {
    if entry.path.0.len() > PROOF_BYTES_MAX {
        return Err(ProofError::Length(entry.path.0.len()));
    }
    let path = Path::of(key.module_id, &key.key);
    let leaf = value_hash(&entry.value.0);
    Proof::from_bytes(&[&[1], &path.as_bytes()[..], &leaf.0, &entry.path.0].concat())
}
