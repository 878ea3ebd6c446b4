//! Scenarios of block execution, on a toy module.

mod blocks;
mod cold;
mod cold_threads;
mod epochs;
mod execution;
mod genesis;
mod model;
mod speculation;
mod threads;
mod toy;
mod validity;
mod world;
