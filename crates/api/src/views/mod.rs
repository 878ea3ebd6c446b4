//! JSON views: what answers carry. Times are ms since 1970-01-01 UTC; heights, times, epochs and counters stay far below 2^53 and
//! are numbers, anything that a user chooses freely in 64 bits is a decimal string. Fields named `bytes` are the
//! protobuf message as it stands on the chain, so that a client can hash and verify it itself.

mod block;
mod evidence;
mod finality;
mod governance;
mod joins;
mod members;
mod pending;
mod register;
mod risk;
mod status;
mod submit;
mod transaction;

pub use block::*;
pub use evidence::*;
pub use finality::*;
pub use governance::*;
pub use joins::*;
pub use members::*;
pub use pending::*;
pub use register::*;
pub use risk::*;
pub use status::*;
pub use submit::*;
pub use transaction::*;
