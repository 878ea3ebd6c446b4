//! Followers of final blocks with a durable cursor: the relay agent, which carries packets between chains.
//!
//! An agent is trusted by nobody and holds no privileged key: what it brings is proven to the chain that takes it. It may be killed at any
//! point and several may work side by side; what is carried twice is refused the second time.

pub mod relay;
