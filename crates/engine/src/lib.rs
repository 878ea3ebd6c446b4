//! The only crate that names the consensus library: consensus, peer network, block store, epochs, many chains.

mod api;

pub use api::{
    Ancestors, Application, Archive, ChainConfig, ChainStatus, Fatal, FinalBlock, Peer, Round, Runtime, SetRange, Task,
    Timing,
};
