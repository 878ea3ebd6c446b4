//! Tests of the light verifier on chains made by hand.

#![allow(clippy::disallowed_methods, reason = "the tests read files, run Python and measure")]

mod every_byte;
mod figures;
mod history;
mod inclusion;
mod packs;
mod refusals;
mod relay;
mod signers;
mod support;
mod vectors;
