//! The engine by itself, in the deterministic simulation, under a node that executes nothing.

mod chain;
mod toy;
