//! What the platform's register asks of one node.

use crate::{
    ChainNode,
    ledger::LedgerError,
    regime::{Quotas, Standing},
};
use bytes::Bytes;
use std::time::Duration;
use yulian_crypto::{Digest, sm2::PublicKey};
use yulian_engine::Runtime;
use yulian_exec::{Base, chains, path_of};
use yulian_modules::chain::{
    STATE_ARCHIVED, STATE_DESTROYED, STATE_DOOMED, STATE_PAUSED, STATE_RUNNING, STATE_STARTING,
};
use yulian_store::Kv;
use yulian_types::{
    StateKey,
    proto::{ChainRecord, ChainSet, NameList},
};

/// How a chain stands on this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// It takes part in consensus, or follows it.
    Run,
    /// It makes no more blocks and can be read.
    Read,
    /// Its data are to be removed.
    Remove,
}

/// A statement that the register waits for from this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Statement {
    /// The node hosts the chain.
    Ready,
    /// The chain's last block here; it differs from what the node said before.
    Final {
        /// Height that the register has of this node.
        known: u64,
    },
    /// The delay before the end is over from that block time on.
    Destroyed {
        /// Block time, ms.
        after_ms: u64,
    },
}

/// What is asked of this node for one chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) name: String,
    pub(super) chain_id: Digest,
    pub(super) stage: Stage,
    pub(super) standing: Standing,
    pub(super) quotas: Quotas,
    pub(super) leader_timeout: Duration,
    pub(super) statement: Option<Statement>,
    /// Where this node is one of the validators that the register knows: since when it knows them.
    pub(super) known_set: Option<KnownSet>,
}

/// What the register knows of a chain's validators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KnownSet {
    /// First height at which they are in force.
    pub(super) since_height: u64,
    /// The first height that this node said of another set; 0 = it has said nothing.
    pub(super) said: u64,
}

/// All orders of the state for a node, by name.
pub(super) fn read<R: Runtime, K: Kv>(system: &ChainNode<R, K>, me: &PublicKey) -> Result<Vec<Order>, LedgerError> {
    let names: NameList = system.record(&chains::chains())?.unwrap_or_default();
    let mut orders = Vec::new();
    for name in names.names {
        if let Some(record) = system.record::<ChainRecord>(&StateKey::chain(&name))? {
            let set: ChainSet = system.record(&chains::set(&name))?.unwrap_or_default();
            orders.extend(order(&record, &set, me));
        }
    }
    Ok(orders)
}

/// The genesis bytes of a chain in the register.
pub(super) fn genesis<R: Runtime, K: Kv>(
    system: &ChainNode<R, K>,
    chain_id: &Digest,
) -> Result<Option<Bytes>, LedgerError> {
    let value = system.ledger().value(&path_of(&StateKey::chain_genesis(chain_id)));
    value.map_err(|error| LedgerError::Damaged(error.to_string()))
}

/// What a record asks of a node; `None` if nothing.
fn order(record: &ChainRecord, set: &ChainSet, me: &PublicKey) -> Option<Order> {
    let own = record.nodes.iter().find(|node| node.public_key[..] == *me.as_bytes());
    let own = own.filter(|node| node.agreed)?;
    let (stage, standing) = match record.state {
        STATE_STARTING => (Stage::Run, Standing::Closed),
        STATE_RUNNING => (Stage::Run, Standing::Open),
        STATE_PAUSED => (Stage::Run, Standing::Paused),
        STATE_ARCHIVED | STATE_DOOMED => (Stage::Read, Standing::Closed),
        STATE_DESTROYED => (Stage::Remove, Standing::Closed),
        _ => return None,
    };
    let statement = match record.state {
        STATE_STARTING | STATE_RUNNING | STATE_PAUSED if own.validator && !own.ready => Some(Statement::Ready),
        STATE_DOOMED if !record.final_digest.is_empty() => Some(Statement::Destroyed {
            after_ms: record.destroy_after_ms,
        }),
        STATE_ARCHIVED | STATE_DOOMED if own.validator && record.final_digest.is_empty() => Some(Statement::Final {
            known: own.final_height,
        }),
        _ => None,
    };
    Some(Order {
        name: record.name.clone(),
        chain_id: Digest::from_slice(&record.chain_id)?,
        stage,
        standing,
        quotas: Quotas {
            transactions_per_second: record.transactions_per_second,
            storage_mib: record.storage_mib,
        },
        leader_timeout: Duration::from_millis(record.leader_timeout_ms.into()),
        statement,
        known_set: known_set(set, own.validator, me).filter(|_| stage == Stage::Run),
    })
}

fn known_set(known: &ChainSet, validator: bool, me: &PublicKey) -> Option<KnownSet> {
    let mine = |key: &[u8]| key == me.as_bytes();
    let asked = match &known.set {
        Some(set) => set.validators.iter().any(|other| mine(&other.public_key)),
        None => validator,
    };
    let said = known.statements.iter().find(|said| mine(&said.node));
    asked.then(|| KnownSet {
        since_height: known.since_height,
        said: said.map_or(0, |said| said.since_height),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sender_key;
    use yulian_crypto::sm2::Signer;
    use yulian_types::proto::{ChainNode as Node, ChainSetStatement};

    fn record(state: u32, agreed: bool, ready: bool) -> ChainRecord {
        let me = sender_key(1).public_key();
        ChainRecord {
            name: "a".into(),
            chain_id: vec![7; 32].into(),
            state,
            leader_timeout_ms: 2_000,
            nodes: vec![Node {
                public_key: Bytes::copy_from_slice(me.as_bytes()),
                validator: true,
                agreed,
                ready,
                ..Default::default()
            }],
            ..Default::default()
        }
    }

    #[test]
    fn a_node_hosts_what_it_agreed_to_and_what_is_to_be_hosted() {
        let me = sender_key(1).public_key();
        let stage = |state, agreed| {
            order(&record(state, agreed, true), &ChainSet::default(), &me).map(|order| (order.stage, order.standing))
        };
        assert_eq!(stage(STATE_RUNNING, false), None);
        assert_eq!(stage(1, true), None, "somebody has not agreed");
        assert_eq!(stage(3, true), None, "somebody said no");
        assert_eq!(stage(STATE_STARTING, true), Some((Stage::Run, Standing::Closed)));
        assert_eq!(stage(STATE_RUNNING, true), Some((Stage::Run, Standing::Open)));
        assert_eq!(stage(STATE_PAUSED, true), Some((Stage::Run, Standing::Paused)));
        assert_eq!(stage(STATE_ARCHIVED, true), Some((Stage::Read, Standing::Closed)));
        assert_eq!(stage(STATE_DOOMED, true), Some((Stage::Read, Standing::Closed)));
        assert_eq!(stage(STATE_DESTROYED, true), Some((Stage::Remove, Standing::Closed)));
        let other = sender_key(2).public_key();
        assert_eq!(
            order(&record(STATE_RUNNING, true, true), &ChainSet::default(), &other),
            None
        );
    }

    #[test]
    fn a_validator_answers_until_it_was_heard() {
        let me = sender_key(1).public_key();
        let statement =
            |record: &ChainRecord| order(record, &ChainSet::default(), &me).and_then(|order| order.statement);
        assert_eq!(statement(&record(STATE_STARTING, true, false)), Some(Statement::Ready));
        assert_eq!(statement(&record(STATE_STARTING, true, true)), None);
        assert_eq!(statement(&record(STATE_RUNNING, true, true)), None);
        // Voted in by a chain that runs already.
        assert_eq!(statement(&record(STATE_RUNNING, true, false)), Some(Statement::Ready));
        let mut archived = record(STATE_ARCHIVED, true, true);
        archived.nodes[0].final_height = 4;
        assert_eq!(statement(&archived), Some(Statement::Final { known: 4 }));
        archived.final_digest = vec![1; 32].into();
        assert_eq!(statement(&archived), None);
        (archived.state, archived.destroy_after_ms) = (STATE_DOOMED, 9);
        assert_eq!(statement(&archived), Some(Statement::Destroyed { after_ms: 9 }));
    }

    #[test]
    fn who_the_register_knows_as_a_validator_is_asked_for_the_next_set() {
        let me = sender_key(1).public_key();
        let known =
            |set: &ChainSet| order(&record(STATE_RUNNING, true, true), set, &me).and_then(|order| order.known_set);
        let mut set = ChainSet::default();
        let expected = |since_height, said| Some(KnownSet { since_height, said });
        assert_eq!(known(&set), expected(0, 0));
        set.statements.push(ChainSetStatement {
            node: Bytes::copy_from_slice(me.as_bytes()),
            since_height: 16,
            ..Default::default()
        });
        assert_eq!(known(&set), expected(0, 16));
        (set.since_height, set.set) = (16, Some(Default::default()));
        assert_eq!(known(&set), None, "another set has taken over");
    }
}
