//! A tiny chain made by hand, for tests of this and other crates: no engine, no executor, fixed keys.
//!
//! It panics freely: it only ever sees what a test gives it.

mod chain;
mod genesis;
mod parts;
mod relay;

pub use chain::{TestBlock, TestChain, secret};
pub use genesis::{DRIFT_LIMIT_MS, DRIFT_MS, START_MS, genesis, validator};
pub use parts::batch;
