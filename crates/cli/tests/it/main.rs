//! The binary as people and programs use it.

mod key;
mod network;
mod running;
mod strangers;
mod up;
mod usage;
mod verify;
mod world;
