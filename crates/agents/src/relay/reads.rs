//! What one transaction needs to know of other chains, read in one request for each of them.

use super::{Shared, Stage, Step};
use bytes::Bytes;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};
use tokio::{task::JoinSet, time::timeout};
use yulian_api::{
    limits::STATE_KEYS_MAX,
    views::{FinalityView, StateItem, StatesView},
};
use yulian_crypto::Digest;
use yulian_types::{StateKey, decode_header, state_keys::LINK_ID};

/// How long a chain is waited for: one that does not answer holds up no more than the steps that need it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The state of a chain after one block, as far as it was asked for.
pub(super) struct Read {
    /// The block; the header that proves the state is the next one.
    pub(super) height: u64,
    /// Time of that header, ms.
    pub(super) time_ms: u64,
    /// First height of the validators that it names.
    pub(super) since: u64,
    pub(super) finality: FinalityView,
    items: HashMap<Bytes, StateItem>,
}

impl Read {
    pub(super) fn new(keys: Vec<Bytes>, view: StatesView) -> Self {
        let header = view
            .finality
            .headers
            .first()
            .and_then(|header| decode_header(&header.0).ok());
        Self {
            height: view.height,
            time_ms: header.as_ref().map_or(0, |header| header.time_ms),
            since: header.as_ref().map_or(0, |header| header.validators_since),
            finality: view.finality,
            items: keys.into_iter().zip(view.items).collect(),
        }
    }

    /// What stands at a key, if the key was asked for.
    pub(super) fn item(&self, key: &StateKey) -> Option<&StateItem> {
        self.items.get(&key.key)
    }
}

/// What was read of each chain, or why it was not.
#[derive(Default)]
pub(super) struct Reads(BTreeMap<Digest, Result<Read, String>>);

impl Reads {
    /// Reads what the steps need, all chains at a time.
    pub(super) async fn of(shared: &Shared, at: &Digest, steps: &[Step]) -> Self {
        let mut wanted: BTreeMap<Digest, BTreeSet<Bytes>> = BTreeMap::new();
        for (chain, key) in steps.iter().flat_map(|step| keys(&shared.hub, at, step)) {
            wanted.entry(chain).or_default().insert(key.key);
        }
        let mut running = JoinSet::new();
        for (id, keys) in wanted {
            let chain = shared.places[&id].chain().clone();
            let keys: Vec<Bytes> = keys.into_iter().take(STATE_KEYS_MAX).collect();
            running.spawn(async move {
                let asked = chain.states(LINK_ID, keys.clone(), None);
                let read = match timeout(PATIENCE, asked).await {
                    Ok(Ok(view)) => Ok(Read::new(keys, view)),
                    Ok(Err(error)) => Err(error.to_string()),
                    Err(_) => Err(format!("{}: no answer in time", chain.name())),
                };
                (id, read)
            });
        }
        let mut reads = Self::default();
        while let Some(Ok((id, read))) = running.join_next().await {
            if let Ok(read) = &read {
                // The answer brings the header that proves it.
                shared.board().advanced(&id, read.height + 1, 0);
            }
            reads.0.insert(id, read);
        }
        reads
    }

    /// What was read of a chain.
    ///
    /// # Errors
    /// Why it was not.
    pub(super) fn get(&self, chain: &Digest) -> Result<&Read, String> {
        match self.0.get(chain) {
            Some(read) => read.as_ref().map_err(Clone::clone),
            None => Err(format!("chain {chain} was not read")),
        }
    }

    /// What stands at a key of a chain, with the height after which it does; `None` if it was not asked for.
    pub(super) fn item(&self, chain: &Digest, key: &StateKey) -> Result<Option<(&StateItem, u64)>, String> {
        let Some(read) = self.0.get(chain) else {
            return Ok(None);
        };
        let read = read.as_ref().map_err(Clone::clone)?;
        Ok(read.item(key).map(|item| (item, read.height)))
    }
}

/// What a step reads: of each chain one key at most, the one where it is taken aside.
fn keys(hub: &Digest, at: &Digest, step: &Step) -> Vec<(Digest, StateKey)> {
    let key = &step.packet;
    let sent = || {
        (
            key.source,
            StateKey::packet_sent(&key.destination, &key.module, key.sequence),
        )
    };
    let result = || {
        (
            key.destination,
            StateKey::packet_result(&key.source, &key.module, key.sequence),
        )
    };
    let relayed = || {
        let key = StateKey::packet_relayed(&key.source, &key.destination, &key.module, key.sequence);
        (*hub, key)
    };
    let mut keys = Vec::new();
    match step.stage {
        Stage::Relay => {
            keys.push(sent());
            keys.extend(step.look.then(relayed));
        }
        Stage::Receive => {
            keys.push(sent());
            keys.extend((step.relayed > 0).then(relayed));
            keys.extend(step.look.then(result));
            keys.extend(
                step.ordered
                    .then(|| (*at, StateKey::in_cursor(&key.source, &key.module))),
            );
        }
        Stage::Acknowledge | Stage::TimeOut => {
            keys.push(result());
            keys.extend((step.look || step.content.is_none()).then(sent));
        }
        Stage::GiveUp => keys.push(sent()),
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::PacketKey;

    fn step(stage: Stage, look: bool) -> Step {
        let [source, destination] = [1, 2].map(|number| Digest([number; 32]));
        Step {
            packet: PacketKey {
                source,
                destination,
                module: "notice".into(),
                sequence: 7,
            },
            stage,
            sent: 1,
            relayed: 2,
            received: 3,
            look,
            ordered: true,
            content: None,
        }
    }

    #[test]
    fn a_step_reads_one_key_of_each_other_chain_at_most() {
        let hub = Digest([0; 32]);
        for stage in [
            Stage::Relay,
            Stage::Receive,
            Stage::Acknowledge,
            Stage::TimeOut,
            Stage::GiveUp,
        ] {
            for look in [false, true] {
                let step = step(stage, look);
                let at = match stage {
                    Stage::Relay => hub,
                    Stage::Receive => step.packet.destination,
                    _ => step.packet.source,
                };
                let others: Vec<Digest> = keys(&hub, &at, &step)
                    .into_iter()
                    .map(|(chain, _)| chain)
                    .filter(|chain| *chain != at)
                    .collect();
                let different: BTreeSet<&Digest> = others.iter().collect();
                assert_eq!(different.len(), others.len(), "{stage:?}");
            }
        }
    }
}
