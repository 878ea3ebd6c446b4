//! What a final header proves: transactions of its block; receipts, writes and state of its parent.

use crate::header::FinalHeader;
use yulian_crypto::{Digest, merkle};
use yulian_state::{Path, Proof, ProofError, value_hash, write_set};
use yulian_types::{SealedTransaction, StateKey};

/// Why something is not included.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InclusionError {
    /// The Merkle proof does not lead from the transaction to the block's root.
    #[error("the transaction is not in the block at height {0}")]
    Transaction(u64),
    /// Results of a block are carried by its child only.
    #[error("the header at height {child} is not the child of the block at height {block}")]
    NotAChild {
        /// Height of the block.
        block: u64,
        /// Height of the other header.
        child: u64,
    },
    /// The Merkle proof does not lead from the receipt to the root.
    #[error("the receipt is not one of the block at height {0}")]
    Receipt(u64),
    /// The Merkle proof does not lead from the write to the root.
    #[error("the write is not one of the block at height {0}")]
    Write(u64),
    /// The state proof proves nothing about the key.
    #[error("{0}")]
    Proof(#[from] ProofError),
    /// The state has another value at the key, or none.
    #[error("the state has another value at this key, or none")]
    OtherValue,
}

/// That `transaction` stands in the block of `header`, at the place that the proof names.
///
/// # Errors
/// [`InclusionError::Transaction`].
pub fn verify_transaction(
    header: &FinalHeader,
    transaction: &SealedTransaction,
    proof: &merkle::Proof,
) -> Result<(), InclusionError> {
    let root = field(&header.header().transaction_root);
    let holds = proof.verify(&root, &transaction.leaf);
    holds.then_some(()).ok_or(InclusionError::Transaction(header.height()))
}

/// That `receipt` (encoded) is one of the block `header`, whose results `child` carries.
///
/// # Errors
/// [`InclusionError::NotAChild`] and [`InclusionError::Receipt`].
pub fn verify_receipt(
    header: &FinalHeader,
    child: &FinalHeader,
    receipt: &[u8],
    proof: &merkle::Proof,
) -> Result<(), InclusionError> {
    check_child(header, child)?;
    let root = field(&child.header().parent_receipt_root);
    let holds = proof.verify(&root, &merkle::leaf(receipt));
    holds.then_some(()).ok_or(InclusionError::Receipt(header.height()))
}

/// That the block `header`, whose results `child` carries, left `value` at `key`; `None`: removed it.
///
/// # Errors
/// [`InclusionError::NotAChild`] and [`InclusionError::Write`].
pub fn verify_write(
    header: &FinalHeader,
    child: &FinalHeader,
    key: &StateKey,
    value: Option<&[u8]>,
    proof: &merkle::Proof,
) -> Result<(), InclusionError> {
    check_child(header, child)?;
    let change = (Path::of(key.module_id, &key.key), value.map(value_hash));
    let root = field(&child.header().parent_write_set_root);
    let holds = proof.verify(&root, &write_set::leaf(&change));
    holds.then_some(()).ok_or(InclusionError::Write(header.height()))
}

/// That the state on which the block of `header` was executed, which is the state after its parent, has `value` at
/// `key`; `None`: has none.
///
/// # Errors
/// [`InclusionError::Proof`] and [`InclusionError::OtherValue`].
pub fn verify_state(
    header: &FinalHeader,
    key: &StateKey,
    value: Option<&[u8]>,
    proof: &Proof,
) -> Result<(), InclusionError> {
    verify_state_hash(header, key, value.map(value_hash), proof)
}

/// [`verify_state`] where only the value's hash is at hand.
///
/// # Errors
/// As there.
pub fn verify_state_hash(
    header: &FinalHeader,
    key: &StateKey,
    value: Option<Digest>,
    proof: &Proof,
) -> Result<(), InclusionError> {
    let root = field(&header.header().parent_state_root);
    let found = proof.verify(&root, &Path::of(key.module_id, &key.key))?;
    let holds = found == value;
    holds.then_some(()).ok_or(InclusionError::OtherValue)
}

fn check_child(header: &FinalHeader, child: &FinalHeader) -> Result<(), InclusionError> {
    let holds = child.header().parent[..] == header.digest().0;
    holds.then_some(()).ok_or(InclusionError::NotAChild {
        block: header.height(),
        child: child.height(),
    })
}

/// A digest field of a header; its length was checked when the header was decoded.
fn field(bytes: &[u8]) -> Digest {
    Digest::from_slice(bytes).unwrap_or(Digest::ZERO)
}
