//! The regulator's freeze of a relay chain: at once by one account, lifted by vote.

use super::{FREEZES_MAX, REASON_BYTES_MAX, codes};
use crate::effect::Effect;
use bytes::Bytes;
use yulian_crypto::Digest;
use yulian_exec::{Call, Failure, rules};
use yulian_types::{
    SealedPacket, StateKey,
    proto::{Freeze, FreezeList, FreezeRecord},
};

fn load(call: &mut Call<'_>) -> Result<FreezeList, Failure> {
    Ok(call.record(&StateKey::freezes(), "freezes")?.unwrap_or_default())
}

pub(super) fn freeze(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: Freeze = call.decode(arguments)?;
    check_pattern(&arguments)?;
    if arguments.reason.is_empty() || !rules::is_text(&arguments.reason, REASON_BYTES_MAX) {
        return Err(Failure::from(&codes::BAD_REASON));
    }
    let mut list = load(call)?;
    if list.freezes.iter().any(|record| same(record, &arguments)) {
        return Err(Failure::from(&codes::FROZEN_ALREADY));
    }
    if list.freezes.len() >= FREEZES_MAX {
        return Err(Failure::new(&codes::TOO_MANY, format!("{FREEZES_MAX} freezes")));
    }
    list.freezes.push(FreezeRecord {
        source: arguments.source,
        destination: arguments.destination,
        reason: arguments.reason,
        by: call.sender().id.clone(),
        height: call.block().height,
    });
    call.put_record(&StateKey::freezes(), &list)?;
    call.emit("frozen", Bytes::new())?;
    Ok(Bytes::new())
}

/// Lifts a freeze.
pub(crate) fn lift(call: &mut Call<'_>, action: &Freeze) -> Result<Effect, Failure> {
    check_pattern(action)?;
    let mut list = load(call)?;
    let before = list.freezes.len();
    list.freezes.retain(|record| !same(record, action));
    if list.freezes.len() == before {
        return Err(Failure::from(&codes::NOT_FROZEN));
    }
    let mut effect = Effect::default();
    effect.record(StateKey::freezes(), &list);
    Ok(effect)
}

fn check_pattern(freeze: &Freeze) -> Result<(), Failure> {
    match freeze.source.len() == 32 && freeze.destination.len() == 32 {
        true => Ok(()),
        false => Err(Failure::new(&codes::BAD_CHAIN_ID, "source or destination")),
    }
}

fn same(record: &FreezeRecord, freeze: &Freeze) -> bool {
    record.source == freeze.source && record.destination == freeze.destination
}

pub(super) fn check(call: &mut Call<'_>, packet: &SealedPacket) -> Result<(), Failure> {
    let meets = |pattern: &[u8], chain: &Digest| pattern == Digest::ZERO.0 || pattern == chain.0;
    let list = load(call)?;
    let mut freezes = list.freezes.iter();
    match freezes.find(|f| meets(&f.source, &packet.source) && meets(&f.destination, &packet.destination)) {
        Some(freeze) => Err(Failure::new(&codes::FROZEN, freeze.reason.clone())),
        None => Ok(()),
    }
}
