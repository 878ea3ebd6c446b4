//! Tests of the interface over a service without consensus.

mod answers;
mod document;
mod errors;
mod joins;
mod schema;
mod states;
mod stream;
mod submit;
mod world;
