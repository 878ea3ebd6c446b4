//! Identifiers, transaction, header, block, receipt, event, validator set, finality proof, and their canonical
//! bounded codec: the one home of chain bytes.
//!
//! Invariants: every decoder takes a limit and refuses bytes that do not re-encode to themselves; a sealed value
//! ([`SealedTransaction`], [`SealedBlock`]) has been checked once and carries the digests of its own bytes.
//! The formats are described in `docs/formats.md` and pinned by `vectors/`.

mod block;
mod codec;
mod finality;
mod genesis;
mod join;
pub mod limits;
pub mod packet;
pub mod state_keys;
pub mod tags;
mod transaction;
mod validators;
mod voucher;

/// The protobuf messages as generated from `proto/`.
#[allow(missing_docs, clippy::doc_markdown)]
pub mod proto {
    include!("generated.rs");
}

pub use block::{
    BlockError, BlockLimits, KnownTransactions, NothingKnown, ParentResults, SealedBlock, block_digest, decode_header,
    empty_root, receipt_root, transaction_root,
};
pub use codec::{CodecError, decode_canonical, encode};
pub use finality::{FinalityError, FinalityProof, finality_message, namespace};
pub use genesis::{CHAIN_NAME_CHARS_MAX, GenesisError, SealedGenesis};
pub use join::{JoinError, SealedJoin};
pub use packet::{PacketError, SealedPacket};
pub use state_keys::StateKey;
pub use transaction::{
    KIND_NATIVE, SCHEME_SM2, SealedTransaction, SignerEntry, TransactionBuilder, TransactionError, account_id,
    transaction_id,
};
pub use validators::{SetError, ValidatorSet, faults_max, quorum};
pub use voucher::voucher_series_id;

pub use yulian_crypto::Digest;
