//! An organisation leaves by its own decision: first its validators, then its nodes, roles and vote.

use super::{
    REASON_BYTES_MAX, codes,
    members::{Members, charter, check_reach},
    organisations::{departure, has_validator},
    validators::{decided, without_organisation},
};
use crate::effect::Effect;
use bytes::Bytes;
use yulian_exec::{Call, Failure, chains, limits::LEAVING_MAX, rules, tables};
use yulian_types::{
    encode,
    proto::{LeaveAnswer, LeaveNotice, LeaveOrganisation, NodeList, NodeOffer, NodeRecord, OrganisationList},
};

/// Called once where the organisation has no validator; else a second time, when those have left the set in force.
pub(super) fn leave(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: LeaveOrganisation = call.decode(arguments)?;
    if arguments.reason.is_empty() || !rules::is_text(&arguments.reason, REASON_BYTES_MAX) {
        return Err(Failure::from(&codes::BAD_REASON));
    }
    let organisation = call.organisation().clone();
    if organisation.member {
        let members = Members::load(call)?;
        check_reach(&charter(call)?, members.len() - 1, members.active() - 1)?;
    }
    check_hosting(call, &organisation.id)?;
    let decided = decided(call)?;
    let sets = [&decided, &call.block().validators, &call.block().reference];
    let validates = sets.into_iter().any(|set| has_validator(set, &organisation.id));
    let (effect, event) = match validates {
        true => (notice(call, &organisation.id, arguments.reason)?, "leaving"),
        false => {
            let mut effect = departure(call, &organisation.id)?;
            effect.extend(drop_notice(call, &organisation.id)?);
            (effect, "left")
        }
    };
    effect.write(call)?;
    call.emit(event, Bytes::from(organisation.id))?;
    Ok(encode(&LeaveAnswer { left: !validates }))
}

/// Nodes that host chains of the platform leave those first: else the chains would lose them behind their members' backs.
fn check_hosting(call: &mut Call<'_>, id: &str) -> Result<(), Failure> {
    let list: NodeList = call.record(&tables::nodes(), "nodes")?.unwrap_or_default();
    for public_key in list.public_keys {
        let offer: Option<NodeOffer> = call.record(&chains::offer(&public_key), "offer")?;
        let Some(offer) = offer.filter(|offer| offer.chains > 0) else {
            continue;
        };
        let node: Option<NodeRecord> = call.record(&tables::node(&public_key), "node")?;
        if let Some(node) = node.filter(|node| node.organisation == id) {
            let detail = format!("{} hosts {} chains", node.name, offer.chains);
            return Err(Failure::new(&codes::NODES_HOST_CHAINS, detail));
        }
    }
    Ok(())
}

/// The validators leave the set that is decided, as far as a vote could remove them; the rest of the organisation stays until that
/// set is in force, so that nothing is lost meanwhile.
fn notice(call: &mut Call<'_>, id: &str, reason: String) -> Result<Effect, Failure> {
    let mut effect = without_organisation(call, id)?;
    let mut list: OrganisationList = call.record(&tables::leaving(), "leaving")?.unwrap_or_default();
    if let Err(at) = list.ids.binary_search_by(|other| other.as_str().cmp(id)) {
        if list.ids.len() >= LEAVING_MAX {
            return Err(Failure::new(
                &codes::TOO_MANY_LEAVING,
                format!("{} leave", list.ids.len()),
            ));
        }
        list.ids.insert(at, id.into());
    }
    let notice = LeaveNotice {
        organisation: id.into(),
        reason,
        height: call.block().height,
        time_ms: call.block().time_ms,
    };
    effect.record(tables::leaving(), &list);
    effect.record(tables::notice(id), &notice);
    Ok(effect)
}

/// What goes of an organisation that has left, by its own notice or by vote.
pub(super) fn drop_notice(call: &mut Call<'_>, id: &str) -> Result<Effect, Failure> {
    let mut effect = Effect::default();
    let list: OrganisationList = call.record(&tables::leaving(), "leaving")?.unwrap_or_default();
    if list.ids.iter().any(|other| other == id) {
        let ids = list.ids.into_iter().filter(|other| other != id).collect();
        effect.record(tables::leaving(), &OrganisationList { ids });
        effect.delete(tables::notice(id));
    }
    Ok(effect)
}
