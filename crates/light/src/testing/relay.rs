//! A chain that keeps a light client of another, and the relay part of a pack.

use super::TestChain;
use crate::RelayParts;
use yulian_state::write_set::Write;
use yulian_types::{
    StateKey, encode,
    proto::{LinkClient, LinkHeader},
    state_keys::LINK_ACTIVE,
};

impl TestChain {
    /// The records by which a relay chain knows this chain's header at a height.
    pub fn link_records(&self, height: u64) -> (LinkClient, LinkHeader) {
        let block = &self.block(height).sealed;
        let client = LinkClient {
            chain_id: self.genesis.chain_id.to_vec().into(),
            name: "郑州".into(),
            epoch_length: self.genesis.message.epoch_length,
            status: LINK_ACTIVE,
            trust_period_ms: 2_592_000_000,
            height,
            digest: block.digest.to_vec().into(),
            time_ms: block.header.time_ms,
            heights: vec![height],
            ..Default::default()
        };
        let kept = LinkHeader {
            digest: block.digest.to_vec().into(),
            time_ms: block.header.time_ms,
            state_root: block.header.parent_state_root.clone(),
        };
        (client, kept)
    }

    /// Adds a block in which this chain learns the header of another at a height, and one whose header proves it, at the height
    /// returned.
    pub fn learn(&mut self, of: &Self, height: u64) -> u64 {
        let (client, kept) = of.link_records(height);
        self.learn_records(of, height, &client, &kept)
    }

    /// The same with records of the caller's making.
    pub fn learn_records(&mut self, of: &Self, height: u64, client: &LinkClient, kept: &LinkHeader) -> u64 {
        let write = |key: StateKey, value| Write {
            module_id: key.module_id,
            key: key.key,
            value: Some(value),
        };
        let id = &of.genesis.chain_id;
        let writes = vec![
            write(StateKey::link_client(id), encode(client)),
            write(StateKey::link_header(id, height), encode(kept)),
        ];
        self.push_with(vec![], writes, None);
        self.push(vec![])
    }

    /// What this chain says of the header of another at `kept`, under its own header at `first`, made final by that at `last`.
    pub fn relay_parts(&self, of: &Self, kept: u64, first: u64, last: u64) -> RelayParts {
        let id = &of.genesis.chain_id;
        RelayParts {
            genesis: self.genesis.bytes.clone(),
            set_changes: self.set_changes(last),
            headers: (first..=last).map(|at| self.header(at)).collect(),
            finality: self.finality(last),
            client: self.proven(first, &StateKey::link_client(id)),
            kept: self.proven(first, &StateKey::link_header(id, kept)),
        }
    }
}
