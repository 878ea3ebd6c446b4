//! Several chains of one fusion network: hosted by the same simulated machines, linked, with agents that race.
//!
//! The consensus, the nodes, the modules and the decisions of the relay agent are those of production; what reads from nodes and
//! submits to them is the simulation's own, since the agent's own way is HTTP. Beside the chains that machines host there is one
//! whose validators are all liars: it exists in what they sign alone. On many seeds the validators' keys of the relay chain or of a city
//! are stolen too, and its honest blocks go on beside what the thieves sign. After each seed everything is brought to its end, and an
//! oracle that reads blocks and state records by `docs/cross-chain.md` judges them.

mod captured;
mod carrier;
mod forge;
pub mod keys;
mod load;
mod machines;
mod made;
mod net;
mod oracle;
mod plan;
mod play;
mod proof;
mod setup;
mod tricks;
mod vote;
mod word;

pub use oracle::Tally;
pub use plan::{AGENTS, FusionAct, FusionPlan};
pub use play::{FusionOutcome, play};
