//! Who validates a chain: it votes on that itself, and the register follows the word of its validators.
//!
//! A quorum of the validators that the register knows says which set came after them. That is as much as the register believes them
//! for the last block, and needs no light client of every chain here. Nodes that left the set go on hosting until they are
//! taken off, so a register that missed several changes still hears enough of those it knows.

use super::{STATE_ARCHIVED, STATE_DOOMED, STATE_PAUSED, STATE_RUNNING, codes, life, record};
use bytes::Bytes;
use yulian_exec::{Call, Failure, chains};
use yulian_types::{
    StateKey, ValidatorSet,
    proto::{ChainRecord, ChainSet, ChainSetStatement, ChainValidators},
    quorum, tags,
};

/// Keys of the validators that the register knows.
pub(super) fn known(call: &mut Call<'_>, chain: &ChainRecord) -> Result<Vec<Bytes>, Failure> {
    let set: Option<ChainSet> = call.record(&chains::set(&chain.name), "validators of a chain")?;
    Ok(keys(chain, &set.unwrap_or_default()))
}

fn keys(chain: &ChainRecord, known: &ChainSet) -> Vec<Bytes> {
    match &known.set {
        Some(set) => set
            .validators
            .iter()
            .map(|validator| validator.public_key.clone())
            .collect(),
        None => {
            let validators = chain.nodes.iter().filter(|node| node.validator);
            validators.map(|node| node.public_key.clone()).collect()
        }
    }
}

pub(super) fn state(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: ChainValidators = call.decode(arguments)?;
    let mut chain = record(call, &arguments.name)?;
    if !matches!(
        chain.state,
        STATE_RUNNING | STATE_PAUSED | STATE_ARCHIVED | STATE_DOOMED
    ) {
        return Err(life::wrong_state(&chain));
    }
    let key = chains::set(&chain.name);
    let mut known: ChainSet = call.record(&key, "validators of a chain")?.unwrap_or_default();
    let validators = keys(&chain, &known);
    if !validators.contains(&arguments.node) {
        return Err(Failure::new(&codes::NODE_NOT_ASKED, arguments.name));
    }
    if arguments.since_height <= known.since_height {
        let detail = format!("since height {} is known", known.since_height);
        return Err(Failure::new(&codes::OLD_SET, detail));
    }
    let set = ValidatorSet::from_message(arguments.set.clone().unwrap_or_default())
        .map_err(|error| Failure::new(&codes::BAD_NODES, error.to_string()))?;
    let digest = set.digest();
    let height = arguments.since_height.to_be_bytes();
    let parts: [&[u8]; 3] = [&chain.chain_id, &height, &digest.0];
    life::check_statement(
        call,
        &arguments.node,
        &tags::CHAIN_VALIDATORS,
        &parts,
        &arguments.signature,
    )?;
    known.statements.retain(|other| other.node != arguments.node);
    known.statements.push(ChainSetStatement {
        node: arguments.node,
        since_height: arguments.since_height,
        set: Bytes::copy_from_slice(&digest.0),
    });
    let same = |other: &&ChainSetStatement| other.since_height == arguments.since_height && other.set[..] == digest.0;
    let agreed = known.statements.iter().filter(same).count() >= quorum(validators.len());
    if agreed {
        known = ChainSet {
            since_height: arguments.since_height,
            set: Some(set.message().clone()),
            statements: Vec::new(),
        };
        follow(&mut chain, &set, arguments.since_height);
        call.put_record(&StateKey::chain(&chain.name), &chain)?;
    }
    call.put_record(&key, &known)?;
    call.emit(
        if agreed { "validators" } else { "validators_stated" },
        Bytes::from(chain.name),
    )?;
    Ok(Bytes::new())
}

/// The nodes of the register that validate now; a risk was accepted with the set that it belongs to.
fn follow(chain: &mut ChainRecord, set: &ValidatorSet, since: u64) {
    let validates = |key: &Bytes| set.validators().iter().any(|validator| validator.public_key == *key);
    for node in &mut chain.nodes {
        node.validator = validates(&node.public_key);
    }
    let here = chain.nodes.iter().filter(|node| node.validator).count();
    chain.validators_elsewhere = (set.len() - here) as u32;
    chain.validators_since = since;
    if chain.risk.as_ref().is_some_and(|risk| risk.set[..] != set.digest().0) {
        chain.risk = None;
    }
}
