//! Verifies a header, a validator-set history, an inclusion, an evidence pack. Small, no IO, builds alone.
//!
//! Trust starts at a genesis digest and nowhere else. [`ValidatorHistory`] leads from it to the validators of any
//! height, [`verify_headers`] turns header bytes into [`FinalHeader`]s, and only from those are inclusions proven
//! ([`verify_transaction`], [`verify_receipt`], [`verify_state`], [`verify_write`]). [`verify_pack`] does all of it
//! for one deposit of evidence. The formats and the steps are described in `docs/formats.md`.
//!
//! Invariants: a [`FinalHeader`] exists only if a quorum of the validators in force at its height made it, or a
//! descendant of it, final; results of a block are read from its child's header; no foreign input panics, and the
//! work for it is bounded by the named maxima.

mod assemble;
mod blob;
mod deposit;
mod error;
mod header;
mod history;
mod inclusion;
mod names;
mod pack;
mod paths;
mod relay;
mod report;
mod subject;
#[cfg(feature = "testing")]
pub mod testing;
mod trust;
mod verify;

pub use assemble::{PackParts, Proven, RelayParts, StatusParts, assemble};
pub use blob::Blob;
pub use error::{Code, PackError};
pub use header::{FinalHeader, FinalHeaders, HEADERS_MAX, HeaderError, verify_headers};
pub use history::{HistoryError, SET_CHANGES_MAX, SetChange, SetRange, ValidatorHistory};
pub use inclusion::{
    InclusionError, verify_receipt, verify_state, verify_state_hash, verify_transaction, verify_write,
};
pub use pack::{
    EvidencePack, LaterHeader, PACK_BYTES_MAX, PACK_FORMAT, PACK_VERSION, PackRelay, PackRow, PackSetChange, StateEntry,
};
pub use relay::RelayError;
pub use report::{
    BlockTime, Content, Depositor, Drift, Finality, NameSource, Outcome, RelayPath, Report, Root, SignedBy, Status,
};
pub use subject::{Subject, batch_leaf, row_digest};
pub use trust::{NotATrustedHeader, Trust};
pub use verify::verify_pack;
