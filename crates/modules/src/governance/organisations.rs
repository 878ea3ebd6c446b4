//! Joining, leaving and freezing of organisations.

use super::{
    codes,
    leaving::drop_notice,
    members::{Members, charter, check_reach},
    validators::decided,
};
use crate::{
    account::{self, NewAccount, Possession},
    effect::Effect,
};
use yulian_exec::{
    Call, Failure,
    limits::MEMBERS_MAX,
    rules::{self, ROLE_ADMIN, ROLE_WRITER},
    tables,
};
use yulian_types::{
    StateKey, ValidatorSet,
    proto::{self, AddOrganisation, Organisation, OrganisationList},
};

pub(super) fn add(call: &mut Call<'_>, action: &AddOrganisation) -> Result<Effect, Failure> {
    if !rules::is_organisation_id(&action.id) || !rules::is_label(&action.name) {
        return Err(Failure::new(&codes::BAD_ORGANISATION, action.id.clone()));
    }
    let key = StateKey::organisation(&action.id);
    if call.record::<Organisation>(&key, "organisation")?.is_some() {
        return Err(Failure::new(&codes::ORGANISATION_EXISTS, action.id.clone()));
    }
    let first_admin = NewAccount {
        organisation: &action.id,
        public_key: &action.admin_public_key,
        roles: &[ROLE_ADMIN.into(), ROLE_WRITER.into()],
        label: &action.admin_label,
        possession: Possession::Signed(&action.admin_possession),
    };
    let (mut effect, _) = account::opening(call, &first_admin)?;
    effect.extend(admission(call, &action.id, &action.name, action.member)?);
    Ok(effect)
}

/// The record of a new organisation, and its place among the members.
pub(super) fn admission(call: &mut Call<'_>, id: &str, name: &str, member: bool) -> Result<Effect, Failure> {
    let mut effect = match member {
        true => join(call, id)?,
        false => Effect::default(),
    };
    let organisation = Organisation {
        id: id.into(),
        name: name.into(),
        member,
        since_height: call.block().height,
        ..Default::default()
    };
    effect.record(StateKey::organisation(id), &organisation);
    Ok(effect)
}

fn join(call: &mut Call<'_>, id: &str) -> Result<Effect, Failure> {
    let mut ids = Members::load(call)?.ids;
    if ids.len() >= MEMBERS_MAX {
        return Err(Failure::new(&codes::TOO_MANY_MEMBERS, format!("{} members", ids.len())));
    }
    ids.push(id.into());
    ids.sort_unstable();
    let mut effect = Effect::default();
    effect.record(tables::members(), &OrganisationList { ids });
    Ok(effect)
}

pub(super) fn remove(call: &mut Call<'_>, id: &str) -> Result<Effect, Failure> {
    present(call, id)?;
    let decided = decided(call)?;
    let sets = [&decided, &call.block().validators, &call.block().reference];
    if sets.into_iter().any(|set| has_validator(set, id)) {
        return Err(Failure::new(&codes::ORGANISATION_HAS_VALIDATORS, id));
    }
    let mut effect = departure(call, id)?;
    effect.extend(drop_notice(call, id)?);
    Ok(effect)
}

/// What changes when an organisation without validators is gone.
pub(super) fn departure(call: &mut Call<'_>, id: &str) -> Result<Effect, Failure> {
    let (key, mut organisation) = present(call, id)?;
    let mut effect = drop_nodes(call, id)?;
    if organisation.member {
        let members = Members::load(call)?;
        let active = members.active() - usize::from(members.is_active(id));
        check_reach(&charter(call)?, members.len() - 1, active)?;
        let ids = members.ids.into_iter().filter(|own| own != id).collect();
        effect.record(tables::members(), &OrganisationList { ids });
    }
    // The record stays, so that the id is never given again and old evidence keeps its name.
    (organisation.member, organisation.removed) = (false, true);
    effect.record(key, &organisation);
    Ok(effect)
}

pub(super) fn has_validator(set: &ValidatorSet, organisation: &str) -> bool {
    set.validators()
        .iter()
        .any(|validator| validator.organisation == organisation)
}

/// Takes the organisation's nodes off the list: they may not connect any more.
fn drop_nodes(call: &mut Call<'_>, id: &str) -> Result<Effect, Failure> {
    let mut effect = Effect::default();
    let count_key = tables::node_count(id);
    let count: proto::Counter = call.record(&count_key, "number of nodes")?.unwrap_or_default();
    if count.value == 0 {
        return Ok(effect);
    }
    let list: proto::NodeList = call.record(&tables::nodes(), "nodes")?.unwrap_or_default();
    let mut kept = Vec::with_capacity(list.public_keys.len());
    for public_key in list.public_keys {
        let key = tables::node(&public_key);
        let node: Option<proto::NodeRecord> = call.record(&key, "node")?;
        if node.is_some_and(|node| node.organisation != id) {
            kept.push(public_key);
        } else {
            effect.delete(key);
        }
    }
    effect.record(tables::nodes(), &proto::NodeList { public_keys: kept });
    effect.delete(count_key);
    Ok(effect)
}

pub(super) fn freeze(call: &mut Call<'_>, id: &str) -> Result<Effect, Failure> {
    let (key, mut organisation) = present(call, id)?;
    if organisation.frozen {
        return Err(Failure::new(&codes::ALREADY_FROZEN, id));
    }
    if organisation.member {
        let members = Members::load(call)?;
        check_reach(&charter(call)?, members.len(), members.active() - 1)?;
    }
    organisation.frozen = true;
    let mut effect = Effect::default();
    effect.record(key, &organisation);
    Ok(effect)
}

pub(super) fn unfreeze(call: &mut Call<'_>, id: &str) -> Result<Effect, Failure> {
    let (key, mut organisation) = present(call, id)?;
    if !organisation.frozen {
        return Err(Failure::new(&codes::NOT_FROZEN, id));
    }
    organisation.frozen = false;
    let mut effect = Effect::default();
    effect.record(key, &organisation);
    Ok(effect)
}

/// An organisation that has not left.
fn present(call: &mut Call<'_>, id: &str) -> Result<(StateKey, Organisation), Failure> {
    let not_found = || Failure::new(&codes::ORGANISATION_NOT_FOUND, id);
    if !rules::is_organisation_id(id) {
        return Err(not_found());
    }
    let key = StateKey::organisation(id);
    let organisation: Option<Organisation> = call.record(&key, "organisation")?;
    let organisation = organisation
        .filter(|organisation| !organisation.removed)
        .ok_or_else(not_found)?;
    Ok((key, organisation))
}
