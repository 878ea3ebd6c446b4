//! What becomes of a chain: consent, readiness, pause, end.

use super::{
    DESTROY_DELAY_MS, OBSERVERS_MAX, REASON_BYTES_MAX, STATE_ARCHIVED, STATE_ASKED, STATE_DESTROYED, STATE_DOOMED,
    STATE_PAUSED, STATE_REFUSED, STATE_RUNNING, STATE_STARTING, codes, offers, record, set,
};
use crate::effect::Effect;
use bytes::Bytes;
use yulian_crypto::{
    sm2::PublicKey,
    sm3::{self, Tag},
};
use yulian_exec::{Call, Failure, chains, rules};
use yulian_types::{
    StateKey,
    proto::{
        AcceptChain, ChainCall, ChainCheckpoint, ChainNode, ChainReady, ChainRecord, ChangeChain, ChangeMembers,
        Counter, Organisation,
    },
    quorum, tags,
};

/// A chain is paused this long before it is archived, ms of block time: by then every node has its last block.
const PAUSED_BEFORE_END_MS: u64 = 2_000;

pub(super) fn accept(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: AcceptChain = call.decode(arguments)?;
    let mut chain = record(call, &arguments.name)?;
    if matches!(
        chain.state,
        STATE_REFUSED | STATE_ARCHIVED | STATE_DOOMED | STATE_DESTROYED
    ) {
        return Err(wrong_state(&chain));
    }
    let asked = chain.nodes.iter_mut().find(|node| node.public_key == arguments.node);
    let asked = asked.filter(|node| !node.agreed);
    let asked = asked.ok_or_else(|| Failure::new(&codes::NODE_NOT_ASKED, arguments.name.clone()))?;
    if asked.organisation != call.organisation().id {
        return Err(Failure::new(&codes::OTHER_ORGANISATION, asked.organisation.clone()));
    }
    let mut effect = Effect::default();
    let whole = chain.state == STATE_ASKED;
    if arguments.agree {
        asked.agreed = true;
        if whole && chain.nodes.iter().all(|node| node.agreed) {
            enter(call, &mut chain, STATE_STARTING, String::new());
        }
    } else if whole {
        effect.extend(end(
            call,
            &mut chain,
            STATE_REFUSED,
            "an owner of a node said no".into(),
        )?);
    } else {
        // An observer that was asked for later: the chain goes on without it.
        chain.nodes.retain(|node| node.public_key != arguments.node);
        effect.extend(offers::release(call, &arguments.node, 1, chain.storage_mib)?);
    }
    finish(call, chain, effect, "answered")
}

pub(super) fn ready(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: ChainReady = call.decode(arguments)?;
    let mut chain = record(call, &arguments.name)?;
    // A chain that runs takes new validators by its own vote: each of them answers for it too.
    if !matches!(chain.state, STATE_STARTING | STATE_RUNNING | STATE_PAUSED) {
        return Err(wrong_state(&chain));
    }
    let chain_id = chain.chain_id.clone();
    let node = chain.nodes.iter_mut().find(|node| node.public_key == arguments.node);
    let node = node.filter(|node| node.validator && !node.ready);
    let node = node.ok_or_else(|| Failure::new(&codes::NODE_NOT_ASKED, arguments.name.clone()))?;
    check_statement(
        call,
        &arguments.node,
        &tags::CHAIN_READY,
        &[&chain_id],
        &arguments.signature,
    )?;
    node.ready = true;
    let all = chain.nodes.iter().all(|node| node.ready || !node.validator);
    let starts = all && chain.state == STATE_STARTING;
    if starts {
        enter(call, &mut chain, STATE_RUNNING, String::new());
    }
    finish(call, chain, Effect::default(), if starts { "running" } else { "ready" })
}

/// Whether a node signed a statement about a chain of this platform.
pub(super) fn check_statement(
    call: &mut Call<'_>,
    node: &[u8],
    tag: &Tag,
    parts: &[&[u8]],
    signature: &[u8],
) -> Result<(), Failure> {
    let bad = || Failure::from(&codes::BAD_STATEMENT);
    let key = PublicKey::from_bytes(node).map_err(|_| bad())?;
    let system = call.block().chain_id;
    let mut all: Vec<&[u8]> = vec![&system.0];
    all.extend_from_slice(parts);
    match call.verify(&key, &sm3::tagged(tag, &all).0, signature)? {
        true => Ok(()),
        false => Err(bad()),
    }
}

pub(super) fn by_creator(call: &mut Call<'_>, arguments: &Bytes, state: u32) -> Result<Bytes, Failure> {
    let arguments: ChainCall = call.decode(arguments)?;
    let chain = record(call, &arguments.name)?;
    if chain.creator != call.organisation().id {
        return Err(Failure::new(&codes::OTHER_ORGANISATION, chain.creator));
    }
    let change = Change {
        name: arguments.name,
        state,
        reason: arguments.reason,
    };
    change.effect(call, chain)?.write(call)?;
    call.emit("changed", Bytes::from(change.name))?;
    Ok(Bytes::new())
}

/// Another state that is asked for.
pub(crate) struct Change {
    name: String,
    state: u32,
    reason: String,
}

/// What a carried vote changes.
pub(crate) fn change(call: &mut Call<'_>, action: &ChangeChain) -> Result<Effect, Failure> {
    let chain = record(call, &action.name)?;
    let change = Change {
        name: action.name.clone(),
        state: action.state,
        reason: action.reason.clone(),
    };
    change.effect(call, chain)
}

impl Change {
    fn effect(&self, call: &mut Call<'_>, mut chain: ChainRecord) -> Result<Effect, Failure> {
        if !rules::is_text(&self.reason, REASON_BYTES_MAX) {
            return Err(Failure::from(&codes::BAD_REASON));
        }
        let now = call.block().time_ms;
        let mut effect = Effect::default();
        match (chain.state, self.state) {
            (STATE_RUNNING, STATE_PAUSED) | (STATE_PAUSED, STATE_RUNNING) | (STATE_DOOMED, STATE_ARCHIVED) => {
                enter(call, &mut chain, self.state, self.reason.clone());
            }
            // What never ran is withdrawn.
            (STATE_ASKED | STATE_STARTING, STATE_ARCHIVED) => {
                effect.extend(end(call, &mut chain, STATE_REFUSED, self.reason.clone())?);
            }
            (STATE_PAUSED, STATE_ARCHIVED) => {
                if now < chain.state_ms.saturating_add(PAUSED_BEFORE_END_MS) {
                    let detail = format!("paused for less than {PAUSED_BEFORE_END_MS} ms");
                    return Err(Failure::new(&codes::TOO_EARLY, detail));
                }
                // The data stay, so the disk stays taken.
                for node in &chain.nodes {
                    effect.extend(offers::release(call, &node.public_key, 1, 0)?);
                }
                enter(call, &mut chain, STATE_ARCHIVED, self.reason.clone());
            }
            (STATE_ARCHIVED, STATE_DOOMED) => {
                chain.destroy_after_ms = now.saturating_add(DESTROY_DELAY_MS);
                enter(call, &mut chain, STATE_DOOMED, self.reason.clone());
            }
            _ => return Err(wrong_state(&chain)),
        }
        effect.record(StateKey::chain(&chain.name), &chain);
        Ok(effect)
    }
}

pub(super) fn members(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: ChangeMembers = call.decode(arguments)?;
    let mut chain = record(call, &arguments.name)?;
    if chain.creator != call.organisation().id {
        return Err(Failure::new(&codes::OTHER_ORGANISATION, chain.creator));
    }
    if !matches!(chain.state, STATE_RUNNING | STATE_PAUSED) {
        return Err(wrong_state(&chain));
    }
    if arguments.add_observers.len() + arguments.remove_observers.len() > OBSERVERS_MAX {
        return Err(Failure::new(&codes::BAD_NODES, "too many at a time"));
    }
    let mut effect = Effect::default();
    for key in &arguments.remove_observers {
        let before = chain.nodes.len();
        chain.nodes.retain(|node| node.validator || node.public_key != *key);
        if chain.nodes.len() == before {
            return Err(Failure::new(&codes::BAD_NODES, "not an observer of the chain"));
        }
        effect.extend(offers::release(call, key, 1, chain.storage_mib)?);
    }
    let creator: Option<Organisation> = call.record(&StateKey::organisation(&chain.creator), "organisation")?;
    let creator = creator.unwrap_or_default();
    for key in &arguments.add_observers {
        if arguments.remove_observers.contains(key) || chain.nodes.iter().any(|node| node.public_key == *key) {
            return Err(Failure::new(&codes::BAD_NODES, "a node of the chain already"));
        }
        let node = offers::registered(call, key)?;
        let (offer, agreed) = offers::reserve(call, &node, &creator, &chain.template, chain.storage_mib)?;
        effect.record(chains::offer(key), &offer);
        chain.nodes.push(ChainNode {
            public_key: key.clone(),
            agreed,
            organisation: node.organisation,
            ..Default::default()
        });
    }
    if chain.nodes.iter().filter(|node| !node.validator).count() > OBSERVERS_MAX {
        return Err(Failure::new(&codes::BAD_NODES, "too many observers"));
    }
    finish(call, chain, effect, "members")
}

pub(super) fn checkpoint(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: ChainCheckpoint = call.decode(arguments)?;
    let mut chain = record(call, &arguments.name)?;
    if !matches!(chain.state, STATE_ARCHIVED | STATE_DOOMED) {
        return Err(wrong_state(&chain));
    }
    let chain_id = chain.chain_id.clone();
    let node = chain.nodes.iter_mut().find(|node| node.public_key == arguments.node);
    let node = node.filter(|node| node.validator);
    let node = node.ok_or_else(|| Failure::new(&codes::NODE_NOT_ASKED, arguments.name.clone()))?;
    let parts: [&[u8]; 3] = [&chain_id, &arguments.height.to_be_bytes(), &arguments.digest];
    if arguments.digest.len() != 32 {
        return Err(Failure::from(&codes::BAD_STATEMENT));
    }
    check_statement(call, &arguments.node, &tags::CHAIN_FINAL, &parts, &arguments.signature)?;
    (node.final_height, node.final_digest) = (arguments.height, arguments.digest.clone());
    let needed = quorum(set::known(call, &chain)?.len());
    let validators = || chain.nodes.iter().filter(|node| node.validator);
    let same = |node: &&ChainNode| (node.final_height, &node.final_digest) == (arguments.height, &arguments.digest);
    if validators().filter(same).count() >= needed {
        (chain.final_height, chain.final_digest) = (arguments.height, arguments.digest);
    }
    finish(call, chain, Effect::default(), "checkpoint")
}

pub(super) fn destroyed(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: ChainCall = call.decode(arguments)?;
    let mut chain = record(call, &arguments.name)?;
    if chain.state != STATE_DOOMED {
        return Err(wrong_state(&chain));
    }
    if chain.final_digest.is_empty() {
        return Err(Failure::new(&codes::NO_CHECKPOINT, chain.name));
    }
    let now = call.block().time_ms;
    if now < chain.destroy_after_ms {
        return Err(Failure::new(
            &codes::TOO_EARLY,
            format!("until {}", chain.destroy_after_ms),
        ));
    }
    let (mut effect, storage_mib) = (Effect::default(), chain.storage_mib);
    for node in &chain.nodes {
        effect.extend(offers::release(call, &node.public_key, 0, storage_mib)?);
    }
    effect.extend(uncount(call, &chain)?);
    let reason = chain.reason.clone();
    enter(call, &mut chain, STATE_DESTROYED, reason);
    finish(call, chain, effect, "destroyed")
}

/// A chain that never ran ends: nodes and the organisation's limit are free again.
fn end(call: &mut Call<'_>, chain: &mut ChainRecord, state: u32, reason: String) -> Result<Effect, Failure> {
    let mut effect = uncount(call, chain)?;
    for node in &chain.nodes {
        effect.extend(offers::release(call, &node.public_key, 1, chain.storage_mib)?);
    }
    enter(call, chain, state, reason);
    Ok(effect)
}

fn uncount(call: &mut Call<'_>, chain: &ChainRecord) -> Result<Effect, Failure> {
    let key = chains::count(&chain.template, &chain.creator);
    let count: Counter = call.record(&key, "number of chains")?.unwrap_or_default();
    let mut effect = Effect::default();
    effect.record(
        key,
        &Counter {
            value: count.value.saturating_sub(1),
        },
    );
    Ok(effect)
}

fn enter(call: &Call<'_>, chain: &mut ChainRecord, state: u32, reason: String) {
    (chain.state, chain.reason) = (state, reason);
    (chain.state_height, chain.state_ms) = (call.block().height, call.block().time_ms);
}

fn finish(call: &mut Call<'_>, chain: ChainRecord, effect: Effect, event: &'static str) -> Result<Bytes, Failure> {
    effect.write(call)?;
    call.put_record(&StateKey::chain(&chain.name), &chain)?;
    call.emit(event, Bytes::from(chain.name))?;
    Ok(Bytes::new())
}

pub(super) fn wrong_state(chain: &ChainRecord) -> Failure {
    const NAMES: [&str; 9] = [
        "",
        "asked",
        "starting",
        "refused",
        "running",
        "paused",
        "archived",
        "to be destroyed",
        "destroyed",
    ];
    let state = NAMES.get(chain.state as usize).copied().unwrap_or_default();
    Failure::new(&codes::WRONG_STATE, format!("{} is {state}", chain.name))
}
