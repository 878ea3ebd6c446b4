//! Whole-cluster deterministic simulation, Byzantine nodes, checkers, load generator.
//!
//! The production node's core and engine run on the library's deterministic runtime: all but HTTP and `fjall`, which
//! are adapters. A [`Plan`] is a function of a seed; [`play`] plays it and checks what must hold on every seed:
//!
//! * no two final blocks at a height, on any node, before and after crashes;
//! * every node that executed a height has the same state root for it, and re-executing the chain gives it again;
//! * every transaction whose final result a client received is in the chain exactly once, with that result;
//! * after healing every live node reaches the tip and every client is answered.
//!
//! [`fusion`] plays several linked chains on the same machines and checks that each packet ends once and that vouchers stay.

mod byzantine;
mod check;
mod client;
mod clock;
mod cluster;
mod disk;
mod end;
pub mod fusion;
pub mod keys;
mod plan;
mod play;

pub use plan::{Act, Fault, Plan};
pub use play::{Outcome, play};
