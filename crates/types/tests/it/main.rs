//! The chain's bytes: what decoders take, what they refuse, and the vectors.

#![allow(clippy::disallowed_methods, reason = "the tests read the vectors")]

mod blocks;
mod canonical;
mod genesis;
mod proofs;
mod random_bytes;
mod round_trips;
mod transactions;
mod vectors;
mod wire;
