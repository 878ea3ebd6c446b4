//! The binary as people and programs use it.

mod key;
mod usage;
mod verify;
mod world;
