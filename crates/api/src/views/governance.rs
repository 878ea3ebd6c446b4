//! Proposals, charter and parameters.

use crate::{
    text::{Decimal, DigestText, Hex},
    views::{AcceptedRiskView, ChainLife, RecordError, TemplateView, ValidatorView, members::key},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use yulian_crypto::sm3;
use yulian_types::{CodecError, decode_canonical, encode, limits::STATE_VALUE_BYTES_MAX, proto, tags};

/// Where a proposal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProposalStatus {
    /// Votes are taken until the deadline.
    Open,
    /// Carried and in force as its kind says.
    Carried,
    /// Cannot reach its quorum any more.
    Rejected,
    /// A status that this software does not know.
    Unknown,
}

/// The vote of one organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BallotView {
    /// Organisation id.
    pub organisation: String,
    /// For or against.
    pub approve: bool,
}

/// More than numerator/denominator of the member organisations must approve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuorumView {
    /// Numerator.
    pub numerator: u32,
    /// Denominator.
    pub denominator: u32,
}

impl From<&proto::Quorum> for QuorumView {
    fn from(quorum: &proto::Quorum) -> Self {
        Self {
            numerator: quorum.numerator,
            denominator: quorum.denominator,
        }
    }
}

/// Rules of the consortium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CharterView {
    /// Quorum for changes of validators.
    pub validators: Option<QuorumView>,
    /// Quorum for parameters.
    pub parameters: Option<QuorumView>,
    /// Quorum for the charter itself.
    pub charter: Option<QuorumView>,
    /// A vote ends this long after its proposal, ms of block time.
    pub voting_period_ms: Decimal,
    /// SM3("ylChartr" ‖ bytes of the record): what an organisation that joins signs. It covers all of the above and the text's digest.
    pub digest: DigestText,
    /// Digest of the charter's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_digest: Option<DigestText>,
}

impl From<&proto::Charter> for CharterView {
    fn from(charter: &proto::Charter) -> Self {
        Self {
            validators: charter.validators.as_ref().map(Into::into),
            parameters: charter.parameters.as_ref().map(Into::into),
            charter: charter.charter.as_ref().map(Into::into),
            voting_period_ms: Decimal(charter.voting_period_ms),
            digest: DigestText(sm3::tagged(&tags::CHARTER, &[&encode(charter)])),
            text_digest: DigestText::of_optional(&charter.text_digest),
        }
    }
}

/// A chain parameter with the hard limits that no vote can leave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ParameterView {
    /// Name.
    pub name: String,
    /// Value in force.
    pub value: Decimal,
    /// Smallest value.
    pub minimum: Decimal,
    /// Largest value.
    pub maximum: Decimal,
    /// The value may only grow.
    pub never_shrinks: bool,
}

impl From<&proto::Parameter> for ParameterView {
    fn from(parameter: &proto::Parameter) -> Self {
        Self {
            name: parameter.name.clone(),
            value: Decimal(parameter.value),
            minimum: Decimal(parameter.minimum),
            maximum: Decimal(parameter.maximum),
            never_shrinks: parameter.never_shrinks,
        }
    }
}

/// What a proposal would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ActionView {
    /// Add a validator.
    AddValidator {
        /// The new validator.
        validator: ValidatorView,
        /// The risk that is accepted with it.
        #[serde(skip_serializing_if = "Option::is_none")]
        accept_risk: Option<AcceptedRiskView>,
    },
    /// Remove a validator.
    RemoveValidator {
        /// Its public key.
        public_key: crate::text::KeyText,
        /// The risk that is accepted with it.
        #[serde(skip_serializing_if = "Option::is_none")]
        accept_risk: Option<AcceptedRiskView>,
    },
    /// Replace a validator.
    ReplaceValidator {
        /// Public key of the one that goes.
        public_key: crate::text::KeyText,
        /// The one that comes.
        validator: ValidatorView,
        /// The risk that is accepted with it.
        #[serde(skip_serializing_if = "Option::is_none")]
        accept_risk: Option<AcceptedRiskView>,
    },
    /// Set a parameter.
    SetParameter {
        /// Name.
        name: String,
        /// New value.
        value: Decimal,
    },
    /// Admit an organisation.
    AddOrganisation {
        /// Id.
        id: String,
        /// Name.
        name: String,
        /// Whether it votes.
        member: bool,
    },
    /// Remove an organisation.
    RemoveOrganisation {
        /// Id.
        id: String,
    },
    /// Freeze an organisation.
    FreezeOrganisation {
        /// Id.
        id: String,
    },
    /// End the freeze of an organisation.
    UnfreezeOrganisation {
        /// Id.
        id: String,
    },
    /// Change the charter.
    ChangeCharter {
        /// The new charter.
        charter: CharterView,
    },
    /// Switch on a protocol version.
    ActivateProtocol {
        /// The version.
        version: u32,
        /// First height at which it is in force.
        height: Decimal,
    },
    /// Create a chain.
    CreateChain {
        /// Name.
        name: String,
        /// Title for people.
        title: String,
        /// Template.
        template: String,
        /// Organisation whose chain it is.
        creator: String,
        /// Public keys of its validators.
        validators: Vec<crate::text::KeyText>,
        /// The risk that is accepted with them.
        #[serde(skip_serializing_if = "Option::is_none")]
        accept_risk: Option<AcceptedRiskView>,
    },
    /// Bring a chain into another state.
    ChangeChain {
        /// Name.
        name: String,
        /// The state.
        life: ChainLife,
        /// Why; may be empty.
        reason: String,
    },
    /// Add a template of chains or replace one.
    SetTemplate {
        /// The template.
        template: TemplateView,
    },
    /// Invite an organisation: it joins when its administrator's key accepts.
    InviteOrganisation {
        /// Id.
        id: String,
        /// Name.
        name: String,
        /// Whether it will vote.
        member: bool,
        /// Key that accepts.
        admin_public_key: crate::text::KeyText,
        /// Block time until which it can be accepted, ms since 1970-01-01 UTC.
        valid_until_ms: u64,
    },
    /// Take an invitation back.
    WithdrawInvitation {
        /// Id of the organisation.
        id: String,
    },
    /// Believe what another chain proves.
    AgreeLink {
        /// Its genesis digest, to be compared with what that chain's operators say.
        chain: DigestText,
        /// Name for people.
        name: String,
        /// It becomes this chain's relay.
        relay: bool,
        /// Its packets need no relay's word.
        direct: bool,
        /// Height from which it is believed; 0 = from genesis.
        start_height: Decimal,
        /// Digest of the header at that height.
        #[serde(skip_serializing_if = "Option::is_none")]
        start: Option<DigestText>,
    },
    /// End the link to a chain.
    EndLink {
        /// Its genesis digest.
        chain: DigestText,
    },
    /// Set a route of a relay chain.
    SetRoute {
        /// Chain that sends; 64 zeros = any.
        source: DigestText,
        /// Chain that receives; 64 zeros = any.
        destination: DigestText,
        /// Module; empty = any.
        module: String,
        /// Organisations of the source that may send; none = all.
        organisations: Vec<String>,
        /// The route is closed.
        closed: bool,
    },
    /// Lift a freeze of a relay chain.
    LiftFreeze {
        /// Chain that sends; 64 zeros = any.
        source: DigestText,
        /// Chain that receives; 64 zeros = any.
        destination: DigestText,
    },
    /// Remove a route of a relay chain; the next wider one decides then.
    RemoveRoute {
        /// Chain that sends; 64 zeros = any.
        source: DigestText,
        /// Chain that receives; 64 zeros = any.
        destination: DigestText,
        /// Module; empty = any.
        module: String,
    },
    /// An action that this software does not know.
    Other {
        /// Number of the kind.
        number: u32,
    },
}

impl ActionView {
    /// Decodes the action of a proposal by its kind.
    pub fn decode(kind: u32, bytes: &Bytes) -> Result<Self, RecordError> {
        Ok(match kind {
            1 => {
                let action: proto::AddValidator = message(bytes)?;
                Self::AddValidator {
                    validator: required(action.validator)?,
                    accept_risk: accepted(&action.accept_risk),
                }
            }
            2 => {
                let action: proto::RemoveValidator = message(bytes)?;
                Self::RemoveValidator {
                    public_key: key(&action.public_key)?,
                    accept_risk: accepted(&action.accept_risk),
                }
            }
            3 => {
                let action: proto::ReplaceValidator = message(bytes)?;
                Self::ReplaceValidator {
                    public_key: key(&action.public_key)?,
                    validator: required(action.validator)?,
                    accept_risk: accepted(&action.accept_risk),
                }
            }
            4 => {
                let proto::SetParameter { name, value } = message(bytes)?;
                let value = Decimal(value);
                Self::SetParameter { name, value }
            }
            5 => {
                let proto::AddOrganisation { id, name, member, .. } = message(bytes)?;
                Self::AddOrganisation { id, name, member }
            }
            6 => Self::RemoveOrganisation {
                id: organisation(bytes)?,
            },
            7 => Self::FreezeOrganisation {
                id: organisation(bytes)?,
            },
            8 => Self::UnfreezeOrganisation {
                id: organisation(bytes)?,
            },
            9 => Self::ChangeCharter {
                charter: (&message::<proto::ChangeCharter>(bytes)?.charter.unwrap_or_default()).into(),
            },
            10 => {
                let proto::ActivateProtocol { version, height } = message(bytes)?;
                let height = Decimal(height);
                Self::ActivateProtocol { version, height }
            }
            11 => created(message(bytes)?)?,
            12 => {
                let proto::ChangeChain { name, state, reason } = message(bytes)?;
                let life = state.into();
                Self::ChangeChain { name, life, reason }
            }
            13 => Self::SetTemplate {
                template: TemplateView::decode(bytes)?,
            },
            14 => {
                let terms: proto::InviteOrganisation = message(bytes)?;
                Self::InviteOrganisation {
                    admin_public_key: key(&terms.admin_public_key)?,
                    id: terms.id,
                    name: terms.name,
                    member: terms.member,
                    valid_until_ms: terms.valid_until_ms,
                }
            }
            15 => Self::WithdrawInvitation {
                id: organisation(bytes)?,
            },
            20 => agreed(message(bytes)?)?,
            21 => Self::EndLink {
                chain: digest(&message::<proto::EndLink>(bytes)?.chain_id)?,
            },
            22 => {
                let route: proto::SetRoute = message(bytes)?;
                Self::SetRoute {
                    source: digest(&route.source)?,
                    destination: digest(&route.destination)?,
                    module: route.module,
                    organisations: route.organisations,
                    closed: route.closed,
                }
            }
            23 => {
                let freeze: proto::Freeze = message(bytes)?;
                Self::LiftFreeze {
                    source: digest(&freeze.source)?,
                    destination: digest(&freeze.destination)?,
                }
            }
            24 => {
                let route: proto::RemoveRoute = message(bytes)?;
                Self::RemoveRoute {
                    source: digest(&route.source)?,
                    destination: digest(&route.destination)?,
                    module: route.module,
                }
            }
            number => Self::Other { number },
        })
    }
}

fn digest(bytes: &[u8]) -> Result<DigestText, RecordError> {
    yulian_crypto::Digest::from_slice(bytes)
        .map(DigestText)
        .ok_or(RecordError::Digest)
}

fn accepted(risk: &Option<proto::AcceptedRisk>) -> Option<AcceptedRiskView> {
    risk.as_ref().map(Into::into)
}

fn created(action: proto::CreateChain) -> Result<ActionView, RecordError> {
    let validators = action.validators.iter().map(|public_key| key(public_key));
    Ok(ActionView::CreateChain {
        validators: validators.collect::<Result<_, _>>()?,
        accept_risk: accepted(&action.accept_risk),
        name: action.name,
        title: action.title,
        template: action.template,
        creator: action.creator,
    })
}

fn agreed(action: proto::AgreeLink) -> Result<ActionView, RecordError> {
    let start = action.start.unwrap_or_default();
    Ok(ActionView::AgreeLink {
        chain: digest(&action.chain_id)?,
        name: action.name,
        relay: action.relay,
        direct: action.direct,
        start_height: Decimal(start.height),
        start: match start.height {
            0 => None,
            _ => Some(digest(&start.digest)?),
        },
    })
}

fn message<M: prost::Message + Default>(bytes: &Bytes) -> Result<M, CodecError> {
    decode_canonical(bytes, STATE_VALUE_BYTES_MAX)
}

fn organisation(bytes: &Bytes) -> Result<String, CodecError> {
    Ok(message::<proto::OrganisationId>(bytes)?.id)
}

fn required(validator: Option<proto::Validator>) -> Result<ValidatorView, RecordError> {
    let validator = validator.ok_or(RecordError::Key)?;
    Ok(ValidatorView {
        public_key: key(&validator.public_key)?,
        name: validator.name,
        cloud: validator.cloud,
        organisation: validator.organisation,
    })
}

/// A proposal with its votes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProposalView {
    /// Number.
    pub id: u64,
    /// What it would do.
    pub action: ActionView,
    /// Why, as its proposer says.
    pub reason: String,
    /// Organisation that proposed it.
    pub proposer: String,
    /// Height of the proposal.
    pub height: u64,
    /// Block time at which the vote ends, ms since 1970-01-01 UTC.
    pub deadline_ms: u64,
    /// Where it stands.
    pub status: ProposalStatus,
    /// The votes so far.
    pub ballots: Vec<BallotView>,
    /// Height of the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_height: Option<u64>,
    /// The record as it stands in the state.
    pub bytes: Hex,
}

impl ProposalView {
    /// The view of a record of the state.
    pub fn decode(bytes: &Bytes) -> Result<Self, RecordError> {
        let record: proto::Proposal = message(bytes)?;
        let ballot = |ballot: proto::Ballot| BallotView {
            organisation: ballot.organisation,
            approve: ballot.approve,
        };
        Ok(Self {
            id: record.id,
            action: ActionView::decode(record.kind, &record.action)?,
            reason: record.reason,
            proposer: record.proposer,
            height: record.height,
            deadline_ms: record.deadline_ms,
            status: match record.status {
                1 => ProposalStatus::Open,
                2 => ProposalStatus::Carried,
                3 => ProposalStatus::Rejected,
                _ => ProposalStatus::Unknown,
            },
            ballots: record.ballots.into_iter().map(ballot).collect(),
            decided_height: Some(record.decided_height).filter(|height| *height > 0),
            bytes: Hex(bytes.clone()),
        })
    }
}

/// Proposals, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProposalPage {
    /// The proposals.
    pub items: Vec<ProposalView>,
    /// Cursor of the next page, absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
