//! What members of the consortium decide about other chains.

use super::{TRUST_PERIOD_MS_DEFAULT, TRUST_PERIOD_MS_MAX, TRUST_PERIOD_MS_MIN, client, codes, parse_chain};
use crate::effect::Effect;
use yulian_crypto::Digest;
use yulian_exec::{Call, Failure, rules};
use yulian_types::{
    StateKey,
    proto::{AgreeLink, EndLink, LinkAgreement, LinkClient},
    state_keys::{LINK_ACTIVE, LINK_ENDED},
};

/// This chain will believe what another proves. If its client is open and no new start is named, only the settings change.
pub(crate) fn agree(call: &mut Call<'_>, action: &AgreeLink) -> Result<Effect, Failure> {
    let chain = parse_chain(&action.chain_id)?;
    if chain == call.block().chain_id {
        return Err(Failure::new(
            &codes::BAD_CHAIN_ID,
            "a chain keeps no light client of itself",
        ));
    }
    if !rules::is_label(&action.name) {
        return Err(Failure::new(&codes::BAD_NAME, action.name.clone()));
    }
    let mut agreed = action.clone();
    if agreed.trust_period_ms == 0 {
        agreed.trust_period_ms = TRUST_PERIOD_MS_DEFAULT;
    }
    if !(TRUST_PERIOD_MS_MIN..=TRUST_PERIOD_MS_MAX).contains(&agreed.trust_period_ms) {
        return Err(Failure::new(
            &codes::BAD_TRUST_PERIOD,
            agreed.trust_period_ms.to_string(),
        ));
    }
    if let Some(start) = &agreed.start
        && (start.height == 0 || start.digest.len() != 32)
    {
        return Err(Failure::new(
            &codes::BAD_START,
            "height and digest of a header are expected",
        ));
    }
    let mut effect = Effect::default();
    match client::find(call, &chain)? {
        Some(mut present) if keeps_start(call, &present, &agreed) => {
            effect.extend(relay_effect(call, &chain, agreed.relay)?);
            present.name = agreed.name;
            present.trust_period_ms = agreed.trust_period_ms;
            present.direct = agreed.direct;
            present.relay = agreed.relay;
            effect.record(StateKey::link_client(&chain), &present);
            effect.delete(StateKey::link_agreement(&chain));
        }
        _ => {
            let height = call.block().height;
            let agreed = Some(agreed);
            effect.record(StateKey::link_agreement(&chain), &LinkAgreement { agreed, height });
        }
    }
    Ok(effect)
}

/// Only settings change where the members agreed on the client before, it is in force and no other start is named.
fn keeps_start(call: &Call<'_>, present: &LinkClient, agreed: &AgreeLink) -> bool {
    let in_force = present.status == LINK_ACTIVE && client::check_age(call, present, present.time_ms).is_ok();
    in_force && !present.introduced && agreed.start.is_none()
}

/// What becomes of the note which chain is the relay: it alone decides, the client's flag shows it.
pub(super) fn relay_effect(call: &mut Call<'_>, chain: &Digest, relay: bool) -> Result<Effect, Failure> {
    let mut effect = Effect::default();
    let present = client::relay(call)?;
    match (present, relay) {
        (Some(present), true) if present != *chain => {
            if let Some(mut old) = client::find(call, &present)? {
                old.relay = false;
                effect.record(StateKey::link_client(&present), &old);
            }
            effect.put(StateKey::relay_chain(), chain.to_vec().into());
        }
        (None, true) => effect.put(StateKey::relay_chain(), chain.to_vec().into()),
        (Some(present), false) if present == *chain => effect.delete(StateKey::relay_chain()),
        _ => {}
    }
    Ok(effect)
}

/// The chain is left, or dead for good.
pub(crate) fn end(call: &mut Call<'_>, action: &EndLink) -> Result<Effect, Failure> {
    let chain = parse_chain(&action.chain_id)?;
    let mut effect = Effect::default();
    let agreement = StateKey::link_agreement(&chain);
    let agreed = call.get(&agreement)?.is_some();
    if agreed {
        effect.delete(agreement);
    }
    match client::find(call, &chain)? {
        Some(client) if client.status != LINK_ENDED => {
            effect.extend(relay_effect(call, &chain, false)?);
            effect.record(StateKey::link_client(&chain), &client::ended(client));
        }
        _ if agreed => {}
        _ => return Err(Failure::new(&codes::UNKNOWN_CHAIN, chain.to_string())),
    }
    Ok(effect)
}

/// What was agreed about a chain and has not been opened.
pub(super) fn open_of(call: &mut Call<'_>, chain: &Digest) -> Result<AgreeLink, Failure> {
    let agreement: Option<LinkAgreement> = call.record(&StateKey::link_agreement(chain), "agreement")?;
    let agreed = agreement.and_then(|agreement| agreement.agreed);
    agreed.ok_or_else(|| Failure::new(&codes::NOT_AGREED, chain.to_string()))
}
