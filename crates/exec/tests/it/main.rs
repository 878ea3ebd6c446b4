//! Scenarios of block execution, on a toy module.

mod blocks;
mod cold;
mod epochs;
mod execution;
mod genesis;
mod model;
mod speculation;
mod toy;
mod validity;
mod world;
