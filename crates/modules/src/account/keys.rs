//! Public keys: possession, single use, rotation.

use super::{codes, own_account};
use crate::effect::Effect;
use bytes::Bytes;
use yulian_crypto::{Digest, sm2::PublicKey, sm3};
use yulian_exec::{Call, Failure, rules::ROLE_ADMIN};
use yulian_types::{StateKey, proto, tags};

pub(super) fn parse_key(bytes: &[u8]) -> Result<PublicKey, Failure> {
    PublicKey::from_bytes(bytes).map_err(|error| Failure::new(&codes::BAD_PUBLIC_KEY, error.to_string()))
}

/// Refuses a key that any account has or had.
pub(super) fn check_unused(call: &mut Call<'_>, key: &PublicKey) -> Result<(), Failure> {
    let owner: Option<proto::KeyOwner> = call.record(&StateKey::key_owner(key), "key owner")?;
    match owner {
        Some(_) => Err(Failure::new(&codes::KEY_USED, key.to_string())),
        None => Ok(()),
    }
}

/// Refuses a key whose holder did not sign for this account.
pub(super) fn check_possession(
    call: &mut Call<'_>,
    key: &PublicKey,
    account: &Digest,
    possession: &[u8],
) -> Result<(), Failure> {
    let message = sm3::tagged(&tags::KEY_POSSESSION, &[&call.block().chain_id.0, &account.0]);
    if call.verify(key, &message.0, possession)? {
        return Ok(());
    }
    Err(Failure::from(&codes::BAD_POSSESSION))
}

pub(super) fn rotate(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: proto::RotateKey = call.decode(arguments)?;
    let (key, mut account) = own_account(call, &arguments.account)?;
    let own = account.id == call.sender().id;
    if !own && !call.sender().roles.iter().any(|role| role == ROLE_ADMIN) {
        return Err(Failure::from(&codes::ADMIN_NEEDED));
    }
    let public_key = parse_key(&arguments.public_key)?;
    let id = Digest::from_slice(&account.id).ok_or_else(|| call.broken("account", "a malformed id"))?;
    check_unused(call, &public_key)?;
    check_possession(call, &public_key, &id, &arguments.possession)?;
    account.public_key = arguments.public_key;
    account.key_since_height = call.block().height;
    let mut effect = Effect::default();
    effect.record(key, &account);
    effect.record(
        StateKey::key_owner(&public_key),
        &proto::KeyOwner {
            account: account.id.clone(),
        },
    );
    effect.write(call)?;
    call.emit("key_rotated", account.id)?;
    Ok(Bytes::new())
}
