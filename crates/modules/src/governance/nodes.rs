//! The nodes that may connect: validators, candidates, observers.

use super::{codes, validators::decided};
use crate::effect::Effect;
use bytes::Bytes;
use yulian_crypto::{sm2::PublicKey, sm3};
use yulian_exec::{
    Call, Failure,
    limits::{NODES_MAX, NODES_PER_ORGANISATION_MAX},
    rules, tables,
};
use yulian_types::{
    proto::{self, Counter, NodeList, NodeRecord},
    tags,
};

pub(super) fn register(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: proto::RegisterNode = call.decode(arguments)?;
    let node = arguments
        .node
        .ok_or_else(|| Failure::new(&codes::BAD_NODE, "no record"))?;
    if !rules::is_node(&node) {
        return Err(Failure::new(&codes::BAD_NODE, node.name));
    }
    check_own(call, &node)?;
    check_possession(call, &node, &arguments.possession)?;
    check_validator(call, &node)?;
    let key = tables::node(&node.public_key);
    let effect = match call.record::<NodeRecord>(&key, "node")? {
        Some(old) => {
            check_own(call, &old)?;
            Effect::default()
        }
        None => enlist(call, &node)?,
    };
    effect.write(call)?;
    call.put_record(&key, &node)?;
    call.emit("node_registered", node.public_key)?;
    Ok(Bytes::new())
}

fn check_own(call: &Call<'_>, node: &NodeRecord) -> Result<(), Failure> {
    if node.organisation == call.organisation().id {
        return Ok(());
    }
    Err(Failure::new(&codes::OTHER_ORGANISATION, node.organisation.clone()))
}

fn check_possession(call: &mut Call<'_>, node: &NodeRecord, possession: &[u8]) -> Result<(), Failure> {
    let key =
        PublicKey::from_bytes(&node.public_key).map_err(|error| Failure::new(&codes::BAD_NODE, error.to_string()))?;
    let chain_id = call.block().chain_id;
    let message = sm3::tagged(&tags::NODE_REGISTRATION, &[&chain_id.0, node.address.as_bytes()]);
    if call.verify(&key, &message.0, possession)? {
        return Ok(());
    }
    Err(Failure::from(&codes::BAD_POSSESSION))
}

/// A validator moves to another cloud by vote alone.
fn check_validator(call: &mut Call<'_>, node: &NodeRecord) -> Result<(), Failure> {
    for validator in validator_records(call, &node.public_key)? {
        if validator.cloud != node.cloud || validator.organisation != node.organisation {
            return Err(Failure::new(&codes::NODE_IS_VALIDATOR, validator.name));
        }
    }
    Ok(())
}

/// The records of a key in the sets that are in force, fixed or decided.
fn validator_records(call: &mut Call<'_>, public_key: &[u8]) -> Result<Vec<proto::Validator>, Failure> {
    let decided = decided(call)?;
    let sets = [&decided, &call.block().validators, &call.block().reference];
    let all = sets.into_iter().flat_map(|set| set.validators());
    Ok(all
        .filter(|validator| validator.public_key == public_key)
        .cloned()
        .collect())
}

fn enlist(call: &mut Call<'_>, node: &NodeRecord) -> Result<Effect, Failure> {
    let count_key = tables::node_count(&node.organisation);
    let count: Counter = call.record(&count_key, "number of nodes")?.unwrap_or_default();
    let mut list: NodeList = call.record(&tables::nodes(), "nodes")?.unwrap_or_default();
    if count.value >= NODES_PER_ORGANISATION_MAX || list.public_keys.len() >= NODES_MAX {
        let detail = format!("{} of the organisation, {} in all", count.value, list.public_keys.len());
        return Err(Failure::new(&codes::TOO_MANY_NODES, detail));
    }
    if let Err(at) = list.public_keys.binary_search(&node.public_key) {
        list.public_keys.insert(at, node.public_key.clone());
    }
    let mut effect = Effect::default();
    effect.record(count_key, &Counter { value: count.value + 1 });
    effect.record(tables::nodes(), &list);
    Ok(effect)
}

pub(super) fn remove(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: proto::RemoveNode = call.decode(arguments)?;
    let public_key = arguments.public_key;
    let not_found = || Failure::from(&codes::NODE_NOT_FOUND);
    PublicKey::from_bytes(&public_key).map_err(|_| not_found())?;
    let key = tables::node(&public_key);
    let node: NodeRecord = call.record(&key, "node")?.ok_or_else(not_found)?;
    check_own(call, &node)?;
    if let Some(validator) = validator_records(call, &public_key)?.pop() {
        return Err(Failure::new(&codes::NODE_IS_VALIDATOR, validator.name));
    }
    let mut effect = delist(call, &node)?;
    effect.delete(key);
    effect.write(call)?;
    call.emit("node_removed", public_key)?;
    Ok(Bytes::new())
}

fn delist(call: &mut Call<'_>, node: &NodeRecord) -> Result<Effect, Failure> {
    let count_key = tables::node_count(&node.organisation);
    let count: Counter = call.record(&count_key, "number of nodes")?.unwrap_or_default();
    let mut list: NodeList = call.record(&tables::nodes(), "nodes")?.unwrap_or_default();
    list.public_keys.retain(|key| *key != node.public_key);
    let mut effect = Effect::default();
    effect.record(
        count_key,
        &Counter {
            value: count.value.saturating_sub(1),
        },
    );
    effect.record(tables::nodes(), &list);
    Ok(effect)
}
