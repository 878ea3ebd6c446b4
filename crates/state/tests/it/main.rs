//! The state tree against a naive reference, and its proofs against every kind of damage.

#![allow(clippy::disallowed_methods, reason = "the tests read the vectors")]

mod cold;
mod former;
mod history;
mod parts;
mod proofs;
mod reference;
mod vectors;
mod versions;
mod write_set;
