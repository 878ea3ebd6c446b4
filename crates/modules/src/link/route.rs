//! Who may send what to whom through a relay chain.

use super::{ROUTES_MAX, codes};
use crate::effect::Effect;
use bytes::Bytes;
use yulian_crypto::Digest;
use yulian_exec::{Call, Failure, rules};
use yulian_types::{
    SealedPacket, StateKey,
    limits::{NAME_BYTES_MAX, VALIDATORS_MAX},
    proto::{RemoveRoute, RouteList, SetRoute},
};

/// Most organisations that a route names.
const ORGANISATIONS_MAX: usize = VALIDATORS_MAX;
const ANY: Digest = Digest::ZERO;

/// Sets a route; a closed one stays, so that it stands above a wider one that is open.
pub(crate) fn set(call: &mut Call<'_>, action: &SetRoute) -> Result<Effect, Failure> {
    let is_chain = |bytes: &[u8]| bytes.len() == 32;
    if !is_chain(&action.source) || !is_chain(&action.destination) || action.module.len() > NAME_BYTES_MAX {
        return Err(Failure::new(&codes::BAD_ROUTE, "source, destination or module"));
    }
    let names = &action.organisations;
    let sorted = names.is_sorted_by(|a, b| a < b) && names.iter().all(|id| rules::is_organisation_id(id));
    if names.len() > ORGANISATIONS_MAX || !sorted {
        return Err(Failure::new(&codes::BAD_ROUTE, "organisations: sorted, each once"));
    }
    let mut list: RouteList = call.record(&StateKey::routes(), "routes")?.unwrap_or_default();
    list.routes.retain(|route| pattern_of(route) != pattern_of(action));
    if list.routes.len() >= ROUTES_MAX {
        return Err(Failure::new(&codes::TOO_MANY, format!("{ROUTES_MAX} routes")));
    }
    // What a route allows stands in its own record; the list is to find it by.
    list.routes.push(SetRoute {
        organisations: Vec::new(),
        ..action.clone()
    });
    let mut effect = Effect::default();
    effect.record(StateKey::routes(), &list);
    effect.record(
        StateKey::route(&action.source, &action.destination, &action.module),
        action,
    );
    Ok(effect)
}

/// A route goes, open or closed: the next wider one decides from then on, and where there is none nothing passes.
pub(crate) fn remove(call: &mut Call<'_>, action: &RemoveRoute) -> Result<Effect, Failure> {
    let pattern = (&action.source, &action.destination, &action.module);
    let mut list: RouteList = call.record(&StateKey::routes(), "routes")?.unwrap_or_default();
    let before = list.routes.len();
    list.routes.retain(|route| pattern_of(route) != pattern);
    if list.routes.len() == before {
        return Err(Failure::from(&codes::ROUTE_NOT_FOUND));
    }
    let mut effect = Effect::default();
    effect.record(StateKey::routes(), &list);
    effect.delete(StateKey::route(&action.source, &action.destination, &action.module));
    Ok(effect)
}

fn pattern_of(route: &SetRoute) -> (&Bytes, &Bytes, &String) {
    (&route.source, &route.destination, &route.module)
}

/// The route that decides is the most exact one: of a pair of chains before one of a single chain, of a module before all.
pub(super) fn check(call: &mut Call<'_>, packet: &SealedPacket) -> Result<(), Failure> {
    let (source, destination) = (packet.source, packet.destination);
    for (source, destination) in [(source, destination), (source, ANY), (ANY, destination), (ANY, ANY)] {
        for module in [packet.message.module.as_str(), ""] {
            let key = StateKey::route(&source.0, &destination.0, module);
            if let Some(route) = call.record::<SetRoute>(&key, "route")? {
                return allows(&route, packet);
            }
        }
    }
    Err(Failure::new(
        &codes::NO_ROUTE,
        format!("from {} to {}", packet.source, packet.destination),
    ))
}

fn allows(route: &SetRoute, packet: &SealedPacket) -> Result<(), Failure> {
    if route.closed {
        return Err(Failure::from(&codes::ROUTE_CLOSED));
    }
    let organisation = &packet.message.organisation;
    if !route.organisations.is_empty() && route.organisations.binary_search(organisation).is_err() {
        return Err(Failure::new(&codes::NOT_ALLOWED, organisation.clone()));
    }
    if route.ordered && !packet.message.ordered {
        return Err(Failure::from(&codes::NOT_ORDERED));
    }
    Ok(())
}
