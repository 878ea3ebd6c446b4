//! Requests of other platforms to be linked.

use crate::text::DigestText;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use yulian_types::SealedJoin;

/// A chain of another platform that wants to be linked with this relay chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JoinView {
    /// Genesis digest of the chain that asks: to be compared out of band before anybody votes.
    pub chain: DigestText,
    /// Its name, as its genesis says.
    pub name: String,
    /// Organisation of the administrator who signed.
    pub organisation: String,
    /// Name of that organisation, as its genesis says.
    pub organisation_name: String,
    /// APIs of its nodes.
    pub urls: Vec<String>,
    /// When it was signed, ms since 1970-01-01 UTC.
    pub time_ms: u64,
    /// When this node got it last, ms since 1970-01-01 UTC.
    pub received_ms: u64,
}

impl JoinView {
    /// What a request says.
    pub fn new(join: &SealedJoin, received_ms: u64) -> Self {
        let genesis = &join.genesis.message;
        let id = &join.account.organisation;
        let organisation = genesis.organisations.iter().find(|one| one.id == *id);
        Self {
            chain: DigestText(join.genesis.chain_id),
            name: genesis.name.clone(),
            organisation: id.clone(),
            organisation_name: organisation.map(|one| one.name.clone()).unwrap_or_default(),
            urls: join.urls.clone(),
            time_ms: join.time_ms,
            received_ms,
        }
    }
}

/// Requests that wait at this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JoinList {
    /// The requests.
    pub items: Vec<JoinView>,
}
