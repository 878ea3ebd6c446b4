//! Parameters, charter, protocol version.

use super::{
    codes,
    members::{self, Members, check_reach},
};
use crate::effect::Effect;
use yulian_exec::{Call, Failure, parameters, rules, tables};
use yulian_types::{
    StateKey,
    proto::{ActivateProtocol, Charter, Parameter, ProtocolSchedule, SetParameter},
};

pub(super) fn parameter(call: &mut Call<'_>, action: &SetParameter) -> Result<Effect, Failure> {
    let not_found = || Failure::new(&codes::PARAMETER_NOT_FOUND, action.name.clone());
    let known = parameters::definition(&action.name).ok_or_else(not_found)?;
    let key = StateKey::parameter(known.name);
    let mut parameter: Parameter = call.record(&key, "parameter")?.ok_or_else(not_found)?;
    let (value, range) = (action.value, parameter.minimum..=parameter.maximum);
    if !range.contains(&value) {
        let detail = format!("{value} is out of {} to {}", range.start(), range.end());
        return Err(Failure::new(&codes::PARAMETER_OUT_OF_LIMITS, detail));
    }
    if value == parameter.value {
        return Err(Failure::from(&codes::PARAMETER_UNCHANGED));
    }
    if parameter.never_shrinks && value < parameter.value {
        return Err(Failure::new(
            &codes::PARAMETER_SHRINKS,
            format!("from {} to {value}", parameter.value),
        ));
    }
    parameter.value = value;
    let mut effect = Effect::default();
    effect.record(key, &parameter);
    Ok(effect)
}

pub(super) fn charter(call: &mut Call<'_>, charter: &Charter) -> Result<Effect, Failure> {
    rules::check_charter(charter).map_err(|fault| Failure::new(&codes::BAD_CHARTER, fault.to_string()))?;
    if members::charter(call)? == *charter {
        return Err(Failure::from(&codes::CHARTER_UNCHANGED));
    }
    let members = Members::load(call)?;
    check_reach(charter, members.len(), members.active())?;
    let mut effect = Effect::default();
    effect.record(tables::charter(), charter);
    Ok(effect)
}

/// Switches on the next version, or moves the height of one that is not in force yet.
pub(super) fn protocol(call: &mut Call<'_>, action: &ActivateProtocol) -> Result<Effect, Failure> {
    let schedule: Option<ProtocolSchedule> = call.record(&tables::protocol(), "protocol schedule")?;
    let mut schedule = schedule.unwrap_or_default();
    let now = call.block().height;
    let pending = schedule.entries.last().is_some_and(|last| last.height > now);
    if pending
        && schedule
            .entries
            .last()
            .is_some_and(|last| last.version == action.version)
    {
        schedule.entries.pop();
    }
    let Some(last) = schedule.entries.last() else {
        return Err(call.broken("protocol schedule", "no version in force"));
    };
    if last.version.checked_add(1) != Some(action.version) {
        let detail = format!("{} was asked for, {} is the last", action.version, last.version);
        return Err(Failure::new(&codes::BAD_PROTOCOL_VERSION, detail));
    }
    if action.height <= now.max(last.height) {
        let detail = format!("height {}, now {now}, last version from {}", action.height, last.height);
        return Err(Failure::new(&codes::BAD_PROTOCOL_HEIGHT, detail));
    }
    schedule.entries.push(*action);
    let mut effect = Effect::default();
    effect.record(tables::protocol(), &schedule);
    Ok(effect)
}
