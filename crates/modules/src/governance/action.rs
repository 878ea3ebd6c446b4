//! What a proposal asks for.

use super::{
    ACTION_BYTES_MAX, KIND_ACTIVATE_PROTOCOL, KIND_ADD_ORGANISATION, KIND_ADD_VALIDATOR, KIND_AGREE_LINK,
    KIND_CHANGE_CHAIN, KIND_CHANGE_CHARTER, KIND_CREATE_CHAIN, KIND_END_LINK, KIND_FREEZE_ORGANISATION,
    KIND_INVITE_ORGANISATION, KIND_LIFT_FREEZE, KIND_REMOVE_ORGANISATION, KIND_REMOVE_ROUTE, KIND_REMOVE_VALIDATOR,
    KIND_REPLACE_VALIDATOR, KIND_SET_PARAMETER, KIND_SET_ROUTE, KIND_SET_TEMPLATE, KIND_UNFREEZE_ORGANISATION,
    KIND_WITHDRAW_INVITATION, codes, invitations, organisations, settings, validators,
};
use crate::{
    chain,
    effect::Effect,
    link::{agreement, freeze, route},
    risk::Source,
};
use bytes::Bytes;
use prost::Message;
use yulian_exec::{Call, Failure};
use yulian_types::{
    decode_canonical,
    proto::{self, Charter, Quorum},
};

/// When an action is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// It is proposed: what can never be carried as things stand is refused at once. A recent signature is asked for
    /// here alone, since a vote takes longer than a header stays recent. Seats are not counted: the epoch will be another.
    Proposed,
    /// It is carried.
    Carried,
}

/// In which proposal an action is judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Occasion<'a> {
    pub(super) moment: Moment,
    /// The proposal; one that is only being made has no number yet.
    pub(super) source: Source<'a>,
}

impl Occasion<'_> {
    /// The action is proposed.
    pub(super) const PROPOSED: Self = Self {
        moment: Moment::Proposed,
        source: Source {
            proposal: 0,
            organisation: "",
        },
    };
}

/// A proposal's action, decoded.
#[derive(Debug)]
pub(super) enum Action {
    AddValidator(proto::AddValidator),
    RemoveValidator(proto::RemoveValidator),
    ReplaceValidator(proto::ReplaceValidator),
    SetParameter(proto::SetParameter),
    AddOrganisation(proto::AddOrganisation),
    RemoveOrganisation(String),
    FreezeOrganisation(String),
    UnfreezeOrganisation(String),
    ChangeCharter(Charter),
    ActivateProtocol(proto::ActivateProtocol),
    AgreeLink(proto::AgreeLink),
    EndLink(proto::EndLink),
    SetRoute(proto::SetRoute),
    LiftFreeze(proto::Freeze),
    RemoveRoute(proto::RemoveRoute),
    CreateChain(Box<proto::CreateChain>),
    ChangeChain(proto::ChangeChain),
    SetTemplate(proto::ChainTemplate),
    InviteOrganisation(proto::InviteOrganisation),
    WithdrawInvitation(String),
}

impl Action {
    pub(super) fn decode(kind: u32, bytes: &Bytes) -> Result<Self, Failure> {
        let organisation = || message::<proto::OrganisationId>(bytes).map(|organisation| organisation.id);
        Ok(match kind {
            KIND_ADD_VALIDATOR => Self::AddValidator(message(bytes)?),
            KIND_REMOVE_VALIDATOR => Self::RemoveValidator(message(bytes)?),
            KIND_REPLACE_VALIDATOR => Self::ReplaceValidator(message(bytes)?),
            KIND_SET_PARAMETER => Self::SetParameter(message(bytes)?),
            KIND_ADD_ORGANISATION => Self::AddOrganisation(message(bytes)?),
            KIND_REMOVE_ORGANISATION => Self::RemoveOrganisation(organisation()?),
            KIND_FREEZE_ORGANISATION => Self::FreezeOrganisation(organisation()?),
            KIND_UNFREEZE_ORGANISATION => Self::UnfreezeOrganisation(organisation()?),
            KIND_CHANGE_CHARTER => {
                let change: proto::ChangeCharter = message(bytes)?;
                Self::ChangeCharter(change.charter.unwrap_or_default())
            }
            KIND_ACTIVATE_PROTOCOL => Self::ActivateProtocol(message(bytes)?),
            KIND_AGREE_LINK => Self::AgreeLink(message(bytes)?),
            KIND_END_LINK => Self::EndLink(message(bytes)?),
            KIND_SET_ROUTE => Self::SetRoute(message(bytes)?),
            KIND_LIFT_FREEZE => Self::LiftFreeze(message(bytes)?),
            KIND_REMOVE_ROUTE => Self::RemoveRoute(message(bytes)?),
            KIND_CREATE_CHAIN => Self::CreateChain(Box::new(message(bytes)?)),
            KIND_CHANGE_CHAIN => Self::ChangeChain(message(bytes)?),
            KIND_SET_TEMPLATE => Self::SetTemplate(message(bytes)?),
            KIND_INVITE_ORGANISATION => Self::InviteOrganisation(message(bytes)?),
            KIND_WITHDRAW_INVITATION => Self::WithdrawInvitation(organisation()?),
            other => return Err(Failure::new(&codes::BAD_KIND, other.to_string())),
        })
    }

    /// The quorum that the charter asks for.
    pub(super) fn quorum(&self, charter: &Charter) -> Quorum {
        let quorum = match self {
            Self::AddValidator(_) | Self::RemoveValidator(_) | Self::ReplaceValidator(_) => &charter.validators,
            // Whoever accepts a risk decides on validators.
            Self::CreateChain(action) if action.accept_risk.is_some() => &charter.validators,
            Self::SetParameter(_) | Self::SetTemplate(_) | Self::CreateChain(_) => &charter.parameters,
            Self::AddOrganisation(_)
            | Self::RemoveOrganisation(_)
            | Self::FreezeOrganisation(_)
            | Self::UnfreezeOrganisation(_)
            | Self::InviteOrganisation(_)
            | Self::WithdrawInvitation(_)
            | Self::ChangeCharter(_)
            | Self::ActivateProtocol(_)
            | Self::AgreeLink(_)
            | Self::EndLink(_)
            | Self::SetRoute(_)
            | Self::LiftFreeze(_)
            | Self::RemoveRoute(_)
            | Self::ChangeChain(_) => &charter.charter,
        };
        // A charter without a quorum never gets into the state; were it there, only all members could decide.
        quorum.unwrap_or(Quorum {
            numerator: u32::MAX - 1,
            denominator: u32::MAX,
        })
    }

    /// What carrying the action would change; fails with the reason why it cannot be carried.
    pub(super) fn effect(&self, call: &mut Call<'_>, occasion: Occasion<'_>) -> Result<Effect, Failure> {
        match self {
            Self::AddValidator(action) => validators::add(call, action, occasion),
            Self::RemoveValidator(action) => validators::remove(call, action, occasion),
            Self::ReplaceValidator(action) => validators::replace(call, action, occasion),
            Self::SetParameter(action) => settings::parameter(call, action),
            Self::AddOrganisation(action) => organisations::add(call, action),
            Self::RemoveOrganisation(id) => organisations::remove(call, id),
            Self::FreezeOrganisation(id) => organisations::freeze(call, id),
            Self::UnfreezeOrganisation(id) => organisations::unfreeze(call, id),
            Self::ChangeCharter(charter) => settings::charter(call, charter),
            Self::ActivateProtocol(action) => settings::protocol(call, action),
            Self::AgreeLink(action) => agreement::agree(call, action),
            Self::EndLink(action) => agreement::end(call, action),
            Self::SetRoute(action) => route::set(call, action),
            Self::LiftFreeze(action) => freeze::lift(call, action),
            Self::RemoveRoute(action) => route::remove(call, action),
            Self::CreateChain(action) => {
                let request = chain::Request::by_vote(call, action.as_ref().clone(), occasion.source)?;
                Ok(request.effect(call)?.0)
            }
            Self::ChangeChain(action) => chain::change(call, action),
            Self::SetTemplate(template) => chain::set_template(call, template),
            Self::InviteOrganisation(terms) => invitations::invite(call, terms, occasion.source),
            Self::WithdrawInvitation(id) => invitations::withdraw(call, id),
        }
    }
}

fn message<M: Message + Default>(bytes: &Bytes) -> Result<M, Failure> {
    decode_canonical(bytes, ACTION_BYTES_MAX).map_err(|error| Failure::new(&codes::BAD_ACTION, error.to_string()))
}
