//! Joining a chain by a snapshot instead of all its blocks, and giving snapshots to others.
//!
//! The one who joins trusts its genesis alone. From it follow: the validator sets, a final header, all headers below it, the
//! state after the height before it, part by part, and the blocks of the replay window with their receipts. A member that
//! gives anything else is not asked again.

mod fault;
mod join;
mod message;
mod source;
mod verify;

pub use fault::Fault;
pub use join::{Acquainted, JoinError, Joined, Members, is_wanted, join};
pub(crate) use source::Pins;
