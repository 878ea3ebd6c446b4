//! Deterministic block execution: one state view, validity, metering, access control and a stack of unfinalised blocks.
//!
//! Serial execution is the definition; threads that a caller lends ([`Speculation::with_workers`]) change nothing but time. The results of a block are a function of its ancestors and itself: no clock, no
//! disk, no randomness, no order of hashing enters. Foreign input never panics; what a transaction does wrong is a
//! code of the catalogue ([`mod@codes`] and [`Registry::codes`]).
//!
//! * [`bootstrap`] turns a genesis into the first state.
//! * [`Speculation`] executes, judges, builds and finalises blocks over a [`Base`] of committed values.
//! * [`Module`] is a native module; the modules themselves are in `yulian-modules`.

mod base;
mod call;
pub mod chains;
pub mod codes;
mod cold;
pub mod epoch;
mod execute;
mod executed;
mod genesis;
mod hashing;
pub mod limits;
mod meter;
mod module;
mod parallel;
pub mod parameters;
mod protocol;
pub mod rules;
mod senders;
mod sets;
mod snapshot;
mod speculation;
pub mod tables;
mod transaction;
mod validity;
mod view;
mod window;

pub use base::{Base, BaseError, MemoryBase};
pub use call::{BlockContext, Call};
pub use codes::Code;
pub use executed::Executed;
pub use genesis::{GenesisFault, bootstrap, modules_of};
pub use module::{Failure, Method, Module, Registry};
pub use parameters::{Parameters, default_parameters};
pub use protocol::{PROTOCOL_VERSIONS_KNOWN, UnknownProtocol, version_at};
pub use rules::default_charter;
pub use snapshot::{Snapshot, StateError, path_of};
pub use speculation::{Anchor, BlockFault, Final, RoundFacts, Selection, Speculation, SpeculationError};
pub use validity::verify_signatures;
pub use view::Trace;
pub use window::ReplayWindow;
