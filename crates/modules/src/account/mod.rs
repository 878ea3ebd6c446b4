//! Accounts of organisations: registration, roles, key rotation, freeze.
//!
//! An account's id comes from its first key and never changes; a key belongs to one account for ever. Every organisation
//! keeps at least one active administrator, so that none can lock itself out.

pub mod codes;
mod keys;
mod register;
mod standing;

pub(crate) use self::register::{NewAccount, Possession, opening};

use crate::effect::Effect;
use bytes::Bytes;
use yulian_crypto::Digest;
use yulian_exec::{Call, Code, Failure, Method, Module, rules::ROLE_ADMIN, tables};
use yulian_types::{StateKey, proto, state_keys::ACCOUNT_ID};

/// Most bytes of the reason of a freeze.
pub const REASON_BYTES_MAX: usize = 512;

const ADMIN: &[&str] = &[ROLE_ADMIN];

/// The module.
#[derive(Debug, Clone, Copy)]
pub struct Account;

const METHODS: &[Method] = &[
    Method {
        name: "register",
        roles: ADMIN,
        doc: "Opens an account of the sender's organisation. RegisterAccount → AccountId",
    },
    Method {
        name: "set_roles",
        roles: ADMIN,
        doc: "Sets the roles of an account of the sender's organisation. SetRoles",
    },
    Method {
        name: "rotate_key",
        roles: &[],
        doc: "Gives the sender's account, or for an administrator one of its organisation, a new key. RotateKey",
    },
    Method {
        name: "freeze",
        roles: ADMIN,
        doc: "Freezes an account of the sender's organisation: it can submit nothing. FreezeAccount",
    },
    Method {
        name: "unfreeze",
        roles: ADMIN,
        doc: "Unfreezes an account of the sender's organisation. UnfreezeAccount",
    },
];

impl Module for Account {
    fn id(&self) -> u32 {
        ACCOUNT_ID
    }

    fn name(&self) -> &'static str {
        "account"
    }

    fn methods(&self) -> &'static [Method] {
        METHODS
    }

    fn codes(&self) -> &'static [&'static Code] {
        codes::CODES
    }

    fn call(&self, call: &mut Call<'_>, method: &str, arguments: &Bytes) -> Result<Bytes, Failure> {
        match method {
            "register" => register::register(call, arguments),
            "set_roles" => standing::set_roles(call, arguments),
            "rotate_key" => keys::rotate(call, arguments),
            "freeze" => standing::freeze(call, arguments),
            "unfreeze" => standing::unfreeze(call, arguments),
            _ => Err(Failure::new(&yulian_exec::codes::UNKNOWN_METHOD, method)),
        }
    }
}

/// An account of the sender's organisation.
fn own_account(call: &mut Call<'_>, id: &Bytes) -> Result<(StateKey, proto::Account), Failure> {
    let Some(digest) = Digest::from_slice(id) else {
        return Err(Failure::new(&codes::NOT_FOUND, "an account id has 32 bytes"));
    };
    let key = StateKey::account(&digest);
    let record: Option<proto::Account> = call.record(&key, "account")?;
    let record = record.ok_or_else(|| Failure::new(&codes::NOT_FOUND, digest.to_string()))?;
    if record.organisation != call.sender().organisation {
        return Err(Failure::new(&codes::OTHER_ORGANISATION, record.organisation));
    }
    Ok((key, record))
}

/// Whether an account counts among its organisation's active administrators.
fn is_active_admin(account: &proto::Account) -> bool {
    !account.frozen && account.roles.iter().any(|role| role == ROLE_ADMIN)
}

/// The change to the number of active administrators when an account changes; refused when none would be left.
fn recount(call: &mut Call<'_>, before: Option<&proto::Account>, after: &proto::Account) -> Result<Effect, Failure> {
    let mut effect = Effect::default();
    let (was, is) = (before.is_some_and(is_active_admin), is_active_admin(after));
    if was == is {
        return Ok(effect);
    }
    let key = tables::admin_count(&after.organisation);
    let count = call
        .record::<proto::Counter>(&key, "number of administrators")?
        .unwrap_or_default()
        .value;
    let value = if is { count + 1 } else { count.saturating_sub(1) };
    if value == 0 {
        return Err(Failure::new(&codes::LAST_ADMIN, after.organisation.clone()));
    }
    effect.record(key, &proto::Counter { value });
    Ok(effect)
}
