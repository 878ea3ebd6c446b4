//! Which ways through the relay chain were open when: `docs/cross-chain.md` section 6 once more.

use super::told::Moved;
use crate::check::Broken;
use bytes::Bytes;
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};
use yulian_types::{
    Digest,
    proto::{Freeze, ProposalId, Propose, RemoveRoute, SetRoute, Vote},
};

/// Kinds of proposals.
const SET_ROUTE: u32 = 22;
const LIFT_FREEZE: u32 = 23;
const REMOVE_ROUTE: u32 = 24;

/// Source and destination; zeros are any chain.
type Pattern = (Vec<u8>, Vec<u8>);

/// What members and the regulator of a relay chain decided.
#[derive(Default)]
pub(super) struct Ways {
    proposed: BTreeMap<u64, (u32, Bytes)>,
    routes: BTreeMap<(Pattern, String), bool>,
    frozen: BTreeSet<Pattern>,
    /// Everything that was frozen at any time.
    ever: BTreeSet<Pattern>,
}

fn decode<M: Message + Default>(bytes: &Bytes) -> Result<M, Broken> {
    M::decode(bytes.clone()).map_err(|error| error.to_string())
}

fn pattern(source: &[u8], destination: &[u8]) -> Pattern {
    (source.to_vec(), destination.to_vec())
}

fn meets(frozen: &BTreeSet<Pattern>, source: &Digest, destination: &Digest) -> bool {
    let any = Digest::ZERO;
    let sources = [source, &any];
    let mut all = sources
        .iter()
        .flat_map(|from| [destination, &any].map(|to| pattern(&from.0, &to.0)));
    all.any(|pattern| frozen.contains(&pattern))
}

impl Ways {
    /// A call of the relay chain that succeeded.
    pub(super) fn called(
        &mut self,
        method: &str,
        (arguments, output): (&Bytes, &Bytes),
        carried: bool,
    ) -> Result<(), Broken> {
        match method {
            "governance.propose" => {
                let propose: Propose = decode(arguments)?;
                let ProposalId { proposal } = decode(output)?;
                self.proposed.insert(proposal, (propose.kind, propose.action));
            }
            "governance.vote" if carried => {
                let vote: Vote = decode(arguments)?;
                let action = self.proposed.get(&vote.proposal).cloned();
                let (kind, action) = action.ok_or("VOTE: on what nobody proposed")?;
                self.decided(kind, &action)?;
            }
            "link.freeze" => {
                let freeze: Freeze = decode(arguments)?;
                let way = pattern(&freeze.source, &freeze.destination);
                self.ever.insert(way.clone());
                self.frozen.insert(way);
            }
            _ => {}
        }
        Ok(())
    }

    fn decided(&mut self, kind: u32, action: &Bytes) -> Result<(), Broken> {
        match kind {
            SET_ROUTE => {
                let route: SetRoute = decode(action)?;
                let way = pattern(&route.source, &route.destination);
                self.routes.insert((way, route.module), route.closed);
            }
            REMOVE_ROUTE => {
                let route: RemoveRoute = decode(action)?;
                self.routes
                    .remove(&(pattern(&route.source, &route.destination), route.module));
            }
            LIFT_FREEZE => {
                let freeze: Freeze = decode(action)?;
                self.frozen.remove(&pattern(&freeze.source, &freeze.destination));
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether a packet might be relayed now.
    pub(super) fn check(&self, moved: &Moved) -> Result<(), Broken> {
        let key = &moved.key;
        if meets(&self.frozen, &key.source, &key.destination) {
            return Err(format!("FROZEN: {key} was relayed all the same"));
        }
        let any = Digest::ZERO;
        let (from, to) = (&key.source, &key.destination);
        let ways = [(from, to), (from, &any), (&any, to), (&any, &any)];
        let route = ways.iter().find_map(|(from, to)| {
            let route = |module: &str| self.routes.get(&(pattern(&from.0, &to.0), module.into()));
            route(&key.module).or_else(|| route(""))
        });
        match route {
            Some(false) => Ok(()),
            closed => Err(format!("ROUTE: {key} was relayed, closed {closed:?}")),
        }
    }

    /// Whether the way between two chains was frozen at any time.
    pub(super) fn was_frozen(&self, source: &Digest, destination: &Digest) -> bool {
        meets(&self.ever, source, destination)
    }
}
