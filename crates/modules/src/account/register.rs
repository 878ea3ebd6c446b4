//! Opening accounts.

use super::{codes, keys, recount};
use crate::effect::Effect;
use bytes::Bytes;
use yulian_exec::{Call, Failure, rules};
use yulian_types::{StateKey, account_id, encode, proto};

/// An account to be opened.
pub(crate) struct NewAccount<'a> {
    pub(crate) organisation: &'a str,
    pub(crate) public_key: &'a Bytes,
    pub(crate) roles: &'a [String],
    pub(crate) label: &'a str,
    pub(crate) possession: Possession<'a>,
}

/// That somebody holds the key of a new account.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Possession<'a> {
    /// Signature over SM3("ylKeyOwn" ‖ chain id ‖ account id).
    Signed(&'a [u8]),
    /// The key has just signed something else that names this chain and this organisation.
    Shown,
}

/// Checks a new account and returns what opening it changes, with the account's id.
pub(crate) fn opening(call: &mut Call<'_>, new: &NewAccount<'_>) -> Result<(Effect, Bytes), Failure> {
    if !rules::are_roles(new.roles) {
        return Err(Failure::new(&codes::BAD_ROLES, new.roles.join(", ")));
    }
    if !rules::is_label(new.label) {
        return Err(Failure::from(&codes::BAD_LABEL));
    }
    let key = keys::parse_key(new.public_key)?;
    let id = account_id(&key);
    keys::check_unused(call, &key)?;
    if let Possession::Signed(signature) = new.possession {
        keys::check_possession(call, &key, &id, signature)?;
    }
    let height = call.block().height;
    let account = proto::Account {
        id: Bytes::copy_from_slice(&id.0),
        organisation: new.organisation.into(),
        public_key: new.public_key.clone(),
        roles: new.roles.to_vec(),
        label: new.label.into(),
        since_height: height,
        key_since_height: height,
        ..Default::default()
    };
    let mut effect = recount(call, None, &account)?;
    effect.record(StateKey::account(&id), &account);
    effect.record(
        StateKey::key_owner(&key),
        &proto::KeyOwner {
            account: account.id.clone(),
        },
    );
    Ok((effect, account.id))
}

pub(super) fn register(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: proto::RegisterAccount = call.decode(arguments)?;
    let organisation = call.sender().organisation.clone();
    let new = NewAccount {
        organisation: &organisation,
        public_key: &arguments.public_key,
        roles: &arguments.roles,
        label: &arguments.label,
        possession: Possession::Signed(&arguments.possession),
    };
    let (effect, account) = opening(call, &new)?;
    effect.write(call)?;
    call.emit("registered", account.clone())?;
    Ok(encode(&proto::AccountId { account }))
}
