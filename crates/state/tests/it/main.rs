//! The state tree against a naive reference, and its proofs against every kind of damage.

mod history;
mod proofs;
mod reference;
mod vectors;
mod versions;
mod write_set;
