//! Roles and freeze.

use super::{REASON_BYTES_MAX, codes, own_account, recount};
use bytes::Bytes;
use yulian_exec::{Call, Failure, rules};
use yulian_types::{StateKey, proto};

pub(super) fn set_roles(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: proto::SetRoles = call.decode(arguments)?;
    if !rules::are_roles(&arguments.roles) {
        return Err(Failure::new(&codes::BAD_ROLES, arguments.roles.join(", ")));
    }
    let (key, before) = own_account(call, &arguments.account)?;
    if before.roles == arguments.roles {
        return Err(Failure::from(&codes::UNCHANGED));
    }
    let after = proto::Account {
        roles: arguments.roles,
        ..before.clone()
    };
    replace(call, key, &before, after, "roles_set")
}

pub(super) fn freeze(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: proto::FreezeAccount = call.decode(arguments)?;
    if arguments.reason.is_empty() || !rules::is_text(&arguments.reason, REASON_BYTES_MAX) {
        return Err(Failure::from(&codes::BAD_REASON));
    }
    let (key, before) = own_account(call, &arguments.account)?;
    if before.frozen {
        return Err(Failure::from(&codes::ALREADY_FROZEN));
    }
    let after = proto::Account {
        frozen: true,
        frozen_reason: arguments.reason,
        ..before.clone()
    };
    replace(call, key, &before, after, "frozen")
}

pub(super) fn unfreeze(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: proto::UnfreezeAccount = call.decode(arguments)?;
    let (key, before) = own_account(call, &arguments.account)?;
    if !before.frozen {
        return Err(Failure::from(&codes::NOT_FROZEN));
    }
    let after = proto::Account {
        frozen: false,
        frozen_reason: String::new(),
        ..before.clone()
    };
    replace(call, key, &before, after, "unfrozen")
}

fn replace(
    call: &mut Call<'_>,
    key: StateKey,
    before: &proto::Account,
    after: proto::Account,
    event: &'static str,
) -> Result<Bytes, Failure> {
    let mut effect = recount(call, Some(before), &after)?;
    effect.record(key, &after);
    effect.write(call)?;
    call.emit(event, after.id)?;
    Ok(Bytes::new())
}
