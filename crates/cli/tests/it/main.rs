//! The binary as people and programs use it.

mod between;
mod chains;
mod consortium;
mod fusion;
mod journey;
mod key;
mod killed;
mod network;
mod platforms;
mod running;
mod strangers;
mod up;
mod usage;
mod verify;
mod world;
