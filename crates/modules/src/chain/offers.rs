//! Standing offers of nodes, and what they still have room for.

use super::codes;
use crate::effect::Effect;
use bytes::Bytes;
use yulian_crypto::sm2::PublicKey;
use yulian_exec::{Call, Failure, chains, tables};
use yulian_types::{
    StateKey, account_id,
    proto::{self, NodeOffer, NodeRecord, Organisation},
};

pub(super) fn set(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: proto::OfferNode = call.decode(arguments)?;
    let mut offer = arguments.offer.unwrap_or_default();
    if !chains::is_offer(&offer) {
        return Err(Failure::from(&codes::BAD_OFFER));
    }
    let node = registered(call, &offer.node)?;
    if node.organisation != call.organisation().id {
        return Err(Failure::new(&codes::OTHER_ORGANISATION, node.organisation));
    }
    let key = chains::offer(&offer.node);
    if let Some(old) = call.record::<NodeOffer>(&key, "offer")? {
        (offer.chains, offer.storage_mib) = (old.chains, old.storage_mib);
    }
    let mut effect = open_account(call, &node)?;
    effect.record(key, &offer);
    effect.write(call)?;
    call.emit("offered", offer.node)?;
    Ok(Bytes::new())
}

/// The node sends its own statements, so its key needs an account; one without roles is enough. That somebody holds the
/// key was shown when the node was registered.
fn open_account(call: &mut Call<'_>, node: &NodeRecord) -> Result<Effect, Failure> {
    let mut effect = Effect::default();
    let Ok(key) = PublicKey::from_bytes(&node.public_key) else {
        return Err(Failure::from(&codes::NODE_NOT_FOUND));
    };
    let owner = StateKey::key_owner(&key);
    if call.get(&owner)?.is_some() {
        return Ok(effect);
    }
    let id = Bytes::copy_from_slice(&account_id(&key).0);
    let height = call.block().height;
    let account = proto::Account {
        id: id.clone(),
        organisation: node.organisation.clone(),
        public_key: node.public_key.clone(),
        label: node.name.clone(),
        since_height: height,
        key_since_height: height,
        ..Default::default()
    };
    effect.record(StateKey::account(&account_id(&key)), &account);
    effect.record(owner, &proto::KeyOwner { account: id });
    Ok(effect)
}

/// The record of a registered node.
pub(super) fn registered(call: &mut Call<'_>, key: &[u8]) -> Result<NodeRecord, Failure> {
    let not_found = || Failure::from(&codes::NODE_NOT_FOUND);
    PublicKey::from_bytes(key).map_err(|_| not_found())?;
    call.record(&tables::node(key), "node")?.ok_or_else(not_found)
}

/// The offer of a node with room for one more chain of that size; whether it agrees to this one without being asked is
/// the second answer.
pub(super) fn reserve(
    call: &mut Call<'_>,
    node: &NodeRecord,
    creator: &Organisation,
    template: &str,
    storage_mib: u32,
) -> Result<(NodeOffer, bool), Failure> {
    let offer: Option<NodeOffer> = call.record(&chains::offer(&node.public_key), "offer")?;
    let mut offer = offer.ok_or_else(|| Failure::new(&codes::NODE_NOT_FOUND, node.name.clone()))?;
    let storage = offer.storage_mib.saturating_add(storage_mib);
    if offer.draining || offer.chains >= offer.chains_max || storage > offer.storage_mib_max {
        let detail = format!(
            "{}: {} of {} chains, {} of {} MiB",
            node.name, offer.chains, offer.chains_max, offer.storage_mib, offer.storage_mib_max
        );
        return Err(Failure::new(&codes::NODE_FULL, detail));
    }
    let named = |list: &[String], name: &str| list.binary_search_by(|own| own.as_str().cmp(name)).is_ok();
    let organisation = match offer.organisations.as_slice() {
        [] => creator.member,
        list => named(list, &creator.id),
    };
    let agreed = node.organisation == creator.id
        || organisation && (offer.templates.is_empty() || named(&offer.templates, template));
    (offer.chains, offer.storage_mib) = (offer.chains + 1, storage);
    Ok((offer, agreed))
}

/// A node lets go of so many chains and so much of its disk.
pub(super) fn release(call: &mut Call<'_>, node: &[u8], chains: u32, storage_mib: u32) -> Result<Effect, Failure> {
    let key = yulian_exec::chains::offer(node);
    let mut effect = Effect::default();
    if let Some(mut offer) = call.record::<NodeOffer>(&key, "offer")? {
        offer.chains = offer.chains.saturating_sub(chains);
        offer.storage_mib = offer.storage_mib.saturating_sub(storage_mib);
        effect.record(key, &offer);
    }
    Ok(effect)
}
