//! Calls of the module `governance`.

use super::{Account, SignedTransaction, Terms, account_calls::signature};
use bytes::Bytes;
use yulian_api::views::CandidateView;
use yulian_crypto::{
    Digest,
    sm2::{PublicKey, SignError, Signer},
    sm3,
};
use yulian_types::{CodecError, decode_canonical, encode, limits::STATE_VALUE_BYTES_MAX, proto, tags};

const MODULE: &str = "governance";

/// A node that wants to become a validator, with its proof that it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The node.
    pub validator: proto::Validator,
    /// Its signature over a recent header.
    pub proof: proto::CandidateProof,
}

impl TryFrom<&CandidateView> for Candidate {
    type Error = CodecError;

    /// What the node itself says, see [`crate::Chain::candidate_proof`].
    fn try_from(view: &CandidateView) -> Result<Self, CodecError> {
        Ok(Self {
            validator: proto::Validator {
                public_key: Bytes::copy_from_slice(view.public_key.0.as_bytes()),
                name: view.name.clone(),
                cloud: view.cloud.clone(),
                organisation: view.organisation.clone(),
            },
            proof: decode_canonical(&view.candidate_proof.0, STATE_VALUE_BYTES_MAX)?,
        })
    }
}

/// What a proposal would do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Add a validator, and accept the risk that the set then has, if it has one.
    AddValidator(Candidate, Option<proto::AcceptedRisk>),
    /// Remove a validator, likewise.
    RemoveValidator(PublicKey, Option<proto::AcceptedRisk>),
    /// Replace the validator of this key, likewise.
    ReplaceValidator(PublicKey, Candidate, Option<proto::AcceptedRisk>),
    /// Set a parameter.
    SetParameter {
        /// Name.
        name: String,
        /// New value.
        value: u64,
    },
    /// Admit an organisation with its first admin. Make it with [`Action::add_organisation`].
    AddOrganisation(proto::AddOrganisation),
    /// Remove an organisation.
    RemoveOrganisation(String),
    /// Freeze an organisation.
    FreezeOrganisation(String),
    /// End the freeze of an organisation.
    UnfreezeOrganisation(String),
    /// Change the charter.
    ChangeCharter(proto::Charter),
    /// Switch on a protocol version.
    ActivateProtocol {
        /// The version.
        version: u32,
        /// First height at which it is in force.
        height: u64,
    },
    /// Create a chain, on a system chain.
    CreateChain(Box<proto::CreateChain>),
    /// Bring a chain into another state, on a system chain.
    ChangeChain(proto::ChangeChain),
    /// Add a template of chains or replace one, on a system chain.
    SetTemplate(proto::ChainTemplate),
    /// Invite an organisation, whose administrator's key accepts by [`acceptance`].
    InviteOrganisation(proto::InviteOrganisation),
    /// Take the invitation of an organisation back.
    WithdrawInvitation(String),
    /// Believe what another chain proves.
    AgreeLink(proto::AgreeLink),
    /// End the link to a chain.
    EndLink(Digest),
    /// Set a route of a relay chain.
    SetRoute(proto::SetRoute),
    /// Lift a freeze of a relay chain.
    LiftFreeze(proto::Freeze),
    /// Remove a route of a relay chain: the next wider one decides then.
    RemoveRoute(proto::RemoveRoute),
}

impl Action {
    /// Admission of an organisation whose first admin holds `admin_key`.
    ///
    /// # Errors
    /// If the key cannot sign.
    pub fn add_organisation(
        terms: &Terms,
        id: &str,
        name: &str,
        member: bool,
        admin_key: &dyn Signer,
        admin_label: &str,
    ) -> Result<Self, SignError> {
        let key = admin_key.public_key();
        let account = yulian_types::account_id(&key);
        Ok(Self::AddOrganisation(proto::AddOrganisation {
            id: id.into(),
            name: name.into(),
            member,
            admin_public_key: Bytes::copy_from_slice(key.as_bytes()),
            admin_label: admin_label.into(),
            admin_possession: super::key_possession(&terms.chain_id(), &account, admin_key)?,
        }))
    }

    /// The kind's number and the action's message.
    pub fn encode(&self) -> (u32, Bytes) {
        let key = |key: &PublicKey| Bytes::copy_from_slice(key.as_bytes());
        let organisation = |id: &String| encode(&proto::OrganisationId { id: id.clone() });
        match self {
            Self::AddValidator(candidate, risk) => {
                let Candidate { validator, proof } = candidate.clone();
                let action = proto::AddValidator {
                    validator: Some(validator),
                    proof: Some(proof),
                    accept_risk: risk.clone(),
                };
                (1, encode(&action))
            }
            Self::RemoveValidator(public_key, risk) => {
                let action = proto::RemoveValidator {
                    public_key: key(public_key),
                    accept_risk: risk.clone(),
                };
                (2, encode(&action))
            }
            Self::ReplaceValidator(public_key, candidate, risk) => {
                let Candidate { validator, proof } = candidate.clone();
                let action = proto::ReplaceValidator {
                    public_key: key(public_key),
                    validator: Some(validator),
                    proof: Some(proof),
                    accept_risk: risk.clone(),
                };
                (3, encode(&action))
            }
            Self::SetParameter { name, value } => {
                let (name, value) = (name.clone(), *value);
                (4, encode(&proto::SetParameter { name, value }))
            }
            Self::AgreeLink(action) => (20, encode(action)),
            Self::EndLink(chain) => {
                let chain_id = Bytes::copy_from_slice(&chain.0);
                (21, encode(&proto::EndLink { chain_id }))
            }
            Self::SetRoute(action) => (22, encode(action)),
            Self::LiftFreeze(action) => (23, encode(action)),
            Self::RemoveRoute(action) => (24, encode(action)),
            Self::AddOrganisation(action) => (5, encode(action)),
            Self::RemoveOrganisation(id) => (6, organisation(id)),
            Self::FreezeOrganisation(id) => (7, organisation(id)),
            Self::UnfreezeOrganisation(id) => (8, organisation(id)),
            Self::ChangeCharter(charter) => {
                let charter = Some(charter.clone());
                (9, encode(&proto::ChangeCharter { charter }))
            }
            Self::ActivateProtocol { version, height } => {
                let (version, height) = (*version, *height);
                (10, encode(&proto::ActivateProtocol { version, height }))
            }
            Self::InviteOrganisation(terms) => (14, encode(terms)),
            Self::WithdrawInvitation(id) => (15, organisation(id)),
            Self::CreateChain(action) => (11, encode(action.as_ref())),
            Self::ChangeChain(action) => (12, encode(action)),
            Self::SetTemplate(template) => (13, encode(template)),
        }
    }
}

/// All fail only if a key cannot sign.
impl Account {
    /// Opens a proposal; the answer is its number. The proposer votes like everybody else.
    pub fn propose(&self, terms: &Terms, action: &Action, reason: &str) -> Result<SignedTransaction, SignError> {
        let (kind, action) = action.encode();
        let reason = reason.into();
        self.call(terms, MODULE, "propose", &proto::Propose { kind, action, reason })
    }

    /// Casts the ballot of the sender's organisation.
    pub fn vote(&self, terms: &Terms, proposal: u64, approve: bool) -> Result<SignedTransaction, SignError> {
        self.call(terms, MODULE, "vote", &proto::Vote { proposal, approve })
    }

    /// Registers a node of the sender's organisation with what the node signed, see
    /// [`yulian_api::views::CandidateView::registration`] or [`node_registration`].
    pub fn register_node(
        &self,
        terms: &Terms,
        registration: &proto::RegisterNode,
    ) -> Result<SignedTransaction, SignError> {
        self.call(terms, MODULE, "register_node", registration)
    }

    /// Carries the acceptance of an invitation, made by [`acceptance`].
    pub fn join_organisation(
        &self,
        terms: &Terms,
        acceptance: &proto::JoinOrganisation,
    ) -> Result<SignedTransaction, SignError> {
        self.call(terms, MODULE, "join", acceptance)
    }

    /// The sender's organisation leaves. The answer, `LeaveAnswer`, says whether it has left, or its validators are on their way out and
    /// the call is to be made again once they are.
    pub fn leave_organisation(&self, terms: &Terms, reason: &str) -> Result<SignedTransaction, SignError> {
        let reason = reason.into();
        self.call(terms, MODULE, "leave", &proto::LeaveOrganisation { reason })
    }

    /// Takes a node of the sender's organisation that is no validator off the list.
    pub fn remove_node(&self, terms: &Terms, public_key: &PublicKey) -> Result<SignedTransaction, SignError> {
        let public_key = Bytes::copy_from_slice(public_key.as_bytes());
        self.call(terms, MODULE, "remove_node", &proto::RemoveNode { public_key })
    }
}

/// The acceptance of an invitation by the invited key, which signs SM3("ylJoinCo" ‖ chain id ‖ charter ‖ organisation id). `charter` is the digest of
/// the charter in force, see [`yulian_api::views::CharterView::digest`].
///
/// # Errors
/// If the key cannot sign.
pub fn acceptance(
    chain_id: &Digest,
    charter: &Digest,
    organisation: &str,
    key: &dyn Signer,
) -> Result<proto::JoinOrganisation, SignError> {
    let message = sm3::tagged(&tags::JOIN, &[&chain_id.0, &charter.0, organisation.as_bytes()]);
    Ok(proto::JoinOrganisation {
        id: organisation.into(),
        charter: charter.to_vec().into(),
        signature: signature(key, &message)?,
    })
}

/// A node's record with its key's signature over SM3("ylNodeRg" ‖ chain id ‖ address).
///
/// # Errors
/// If the key cannot sign.
pub fn node_registration(
    chain_id: &Digest,
    node: proto::NodeRecord,
    key: &dyn Signer,
) -> Result<proto::RegisterNode, SignError> {
    let message = sm3::tagged(&tags::NODE_REGISTRATION, &[&chain_id.0, node.address.as_bytes()]);
    let possession = signature(key, &message)?;
    let node = Some(node);
    Ok(proto::RegisterNode { node, possession })
}

/// A node's signature that it runs: over SM3("ylCandid" ‖ chain id ‖ height as u64 big-endian ‖ digest) of a recent header.
///
/// # Errors
/// If the key cannot sign.
pub fn candidate_proof(
    chain_id: &Digest,
    height: u64,
    digest: &Digest,
    key: &dyn Signer,
) -> Result<proto::CandidateProof, SignError> {
    let message = sm3::tagged(&tags::CANDIDATE, &[&chain_id.0, &height.to_be_bytes(), &digest.0]);
    Ok(proto::CandidateProof {
        height,
        digest: digest.to_vec().into(),
        signature: signature(key, &message)?,
    })
}
