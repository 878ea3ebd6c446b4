//! Invitations: members vote on them, the invited key answers over the charter.

use super::{
    codes,
    members::{self, Members},
    organisations::admission,
};
use crate::{
    account::{self, NewAccount, Possession},
    effect::Effect,
    risk::Source,
};
use bytes::Bytes;
use prost::Message;
use yulian_crypto::{Digest, sm2::PublicKey, sm3};
use yulian_exec::{
    Call, Failure,
    limits::{INVITATION_MS_MAX, INVITATIONS_MAX, MEMBERS_MAX},
    rules::{self, ROLE_ADMIN, ROLE_WRITER},
    tables,
};
use yulian_types::{
    StateKey,
    proto::{
        Charter, Invitation, InviteOrganisation, JoinOrganisation, KeyOwner, Membership, Organisation, OrganisationList,
    },
    tags,
};

/// What a carried vote changes.
pub(super) fn invite(call: &mut Call<'_>, terms: &InviteOrganisation, source: Source<'_>) -> Result<Effect, Failure> {
    check_terms(call, terms)?;
    let mut effect = Effect::default();
    let mut ids = standing(call, &mut effect)?;
    if ids.binary_search(&terms.id).is_ok() {
        return Err(Failure::new(&codes::ALREADY_INVITED, terms.id.clone()));
    }
    if ids.len() >= INVITATIONS_MAX {
        return Err(Failure::new(
            &codes::TOO_MANY_INVITATIONS,
            format!("{} wait", ids.len()),
        ));
    }
    ids.push(terms.id.clone());
    ids.sort_unstable();
    let invitation = Invitation {
        terms: Some(terms.clone()),
        proposal: source.proposal,
        proposer: source.organisation.into(),
        height: call.block().height,
        time_ms: call.block().time_ms,
    };
    effect.record(tables::invitation(&terms.id), &invitation);
    effect.record(tables::invited(), &OrganisationList { ids });
    Ok(effect)
}

fn check_terms(call: &mut Call<'_>, terms: &InviteOrganisation) -> Result<(), Failure> {
    if !rules::is_organisation_id(&terms.id) || !rules::is_label(&terms.name) || !rules::is_label(&terms.admin_label) {
        return Err(Failure::new(&codes::BAD_ORGANISATION, terms.id.clone()));
    }
    let present: Option<Organisation> = call.record(&StateKey::organisation(&terms.id), "organisation")?;
    if present.is_some() {
        return Err(Failure::new(&codes::ORGANISATION_EXISTS, terms.id.clone()));
    }
    let key = PublicKey::from_bytes(&terms.admin_public_key)
        .map_err(|error| Failure::new(&account::codes::BAD_PUBLIC_KEY, error.to_string()))?;
    if call
        .record::<KeyOwner>(&StateKey::key_owner(&key), "key owner")?
        .is_some()
    {
        return Err(Failure::new(&account::codes::KEY_USED, key.to_string()));
    }
    let now = call.block().time_ms;
    let latest = now.saturating_add(INVITATION_MS_MAX);
    if terms.valid_until_ms <= now || terms.valid_until_ms > latest {
        let detail = format!(
            "valid until {}, now {now}, at most until {latest}",
            terms.valid_until_ms
        );
        return Err(Failure::new(&codes::BAD_INVITATION_TIME, detail));
    }
    Ok(())
}

/// The ids whose invitations still hold; the records of the others go.
fn standing(call: &mut Call<'_>, effect: &mut Effect) -> Result<Vec<String>, Failure> {
    let list: OrganisationList = call.record(&tables::invited(), "invited")?.unwrap_or_default();
    let now = call.block().time_ms;
    let mut ids = Vec::with_capacity(list.ids.len() + 1);
    for id in list.ids {
        let key = tables::invitation(&id);
        let invitation: Option<Invitation> = call.record(&key, "invitation")?;
        let until = invitation
            .and_then(|invitation| invitation.terms)
            .map(|terms| terms.valid_until_ms);
        if until.is_some_and(|until| until >= now) {
            ids.push(id);
        } else {
            effect.delete(key);
        }
    }
    Ok(ids)
}

/// What a vote changes that takes an invitation back.
pub(super) fn withdraw(call: &mut Call<'_>, id: &str) -> Result<Effect, Failure> {
    find(call, id)?;
    without(call, id)
}

fn find(call: &mut Call<'_>, id: &str) -> Result<Invitation, Failure> {
    let not_found = || Failure::new(&codes::INVITATION_NOT_FOUND, id);
    if !rules::is_organisation_id(id) {
        return Err(not_found());
    }
    call.record(&tables::invitation(id), "invitation")?
        .ok_or_else(not_found)
}

fn without(call: &mut Call<'_>, id: &str) -> Result<Effect, Failure> {
    let list: OrganisationList = call.record(&tables::invited(), "invited")?.unwrap_or_default();
    let ids = list.ids.into_iter().filter(|other| other != id).collect();
    let mut effect = Effect::default();
    effect.record(tables::invited(), &OrganisationList { ids });
    effect.delete(tables::invitation(id));
    Ok(effect)
}

pub(super) fn join(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: JoinOrganisation = call.decode(arguments)?;
    let invitation = find(call, &arguments.id)?;
    let terms = invitation.terms.unwrap_or_default();
    let now = call.block().time_ms;
    if terms.valid_until_ms < now {
        let detail = format!("until {}, block time {now}", terms.valid_until_ms);
        return Err(Failure::new(&codes::INVITATION_EXPIRED, detail));
    }
    let charter = charter_digest(&members::charter(call)?);
    if arguments.charter[..] != charter.0 {
        return Err(Failure::new(&codes::OTHER_CHARTER, format!("{charter} is in force")));
    }
    check_signature(call, &terms, &charter, &arguments.signature)?;
    // The organisation may have been admitted by another vote meanwhile.
    let present: Option<Organisation> = call.record(&StateKey::organisation(&terms.id), "organisation")?;
    if present.is_some() {
        return Err(Failure::new(&codes::ORGANISATION_EXISTS, terms.id));
    }
    if terms.member && Members::load(call)?.len() >= MEMBERS_MAX {
        return Err(Failure::new(&codes::TOO_MANY_MEMBERS, format!("{MEMBERS_MAX} members")));
    }
    let mut effect = opening(call, &terms)?;
    effect.extend(without(call, &terms.id)?);
    let membership = Membership {
        charter: arguments.charter,
        public_key: terms.admin_public_key,
        signature: arguments.signature,
        proposal: invitation.proposal,
        height: call.block().height,
        time_ms: now,
    };
    effect.record(tables::membership(&terms.id), &membership);
    effect.write(call)?;
    call.emit("joined", Bytes::from(terms.id))?;
    Ok(Bytes::new())
}

/// SM3("ylChartr" ‖ bytes of the record): quorums, voting period and the digest of the text.
fn charter_digest(charter: &Charter) -> Digest {
    sm3::tagged(&tags::CHARTER, &[&charter.encode_to_vec()])
}

fn check_signature(
    call: &mut Call<'_>,
    terms: &InviteOrganisation,
    charter: &Digest,
    signature: &[u8],
) -> Result<(), Failure> {
    let bad = || Failure::from(&codes::BAD_ACCEPTANCE);
    let key = PublicKey::from_bytes(&terms.admin_public_key).map_err(|_| bad())?;
    let chain_id = call.block().chain_id;
    let message = sm3::tagged(&tags::JOIN, &[&chain_id.0, &charter.0, terms.id.as_bytes()]);
    match call.verify(&key, &message.0, signature)? {
        true => Ok(()),
        false => Err(bad()),
    }
}

/// The organisation with its first administrator, whose key has just signed.
fn opening(call: &mut Call<'_>, terms: &InviteOrganisation) -> Result<Effect, Failure> {
    let first_admin = NewAccount {
        organisation: &terms.id,
        public_key: &terms.admin_public_key,
        roles: &[ROLE_ADMIN.into(), ROLE_WRITER.into()],
        label: &terms.admin_label,
        possession: Possession::Shown,
    };
    let (mut effect, _) = account::opening(call, &first_admin)?;
    effect.extend(admission(call, &terms.id, &terms.name, terms.member)?);
    Ok(effect)
}

#[cfg(test)]
mod tests {
    use super::*;
    use yulian_exec::default_charter;

    #[test]
    fn the_digest_of_a_charter_covers_its_text() {
        let plain = default_charter();
        let written = Charter {
            text_digest: vec![7; 32].into(),
            ..plain.clone()
        };
        assert_ne!(charter_digest(&plain), charter_digest(&written));
        let by_hand = sm3::hash(&[b"ylChartr", &encode(&written)]);
        assert_eq!(charter_digest(&written), by_hand);
    }
}
