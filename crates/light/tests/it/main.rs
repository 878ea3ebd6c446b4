//! Tests of the light verifier on chains made by hand.

mod every_byte;
mod figures;
mod history;
mod inclusion;
mod packs;
mod refusals;
mod signers;
mod support;
mod vectors;
