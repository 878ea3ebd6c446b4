//! A validator set of which one cloud can stop the chain, as members accepted it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use yulian_types::{faults_max, proto};

/// How many validators a cloud holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CloudShareView {
    /// The cloud.
    pub cloud: String,
    /// Validators in it.
    pub validators: u32,
}

/// A set of which some clouds hold more validators than it can lose, with the reason for having it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AcceptedRiskView {
    /// Validators of the set.
    pub validators: u32,
    /// Most validators of one cloud that the set could lose.
    pub faults_max: u32,
    /// The clouds that hold more.
    pub clouds: Vec<CloudShareView>,
    /// Why, as whoever proposed it says.
    pub reason: String,
}

impl From<&proto::AcceptedRisk> for AcceptedRiskView {
    fn from(risk: &proto::AcceptedRisk) -> Self {
        let share = |share: &proto::CloudShare| CloudShareView {
            cloud: share.cloud.clone(),
            validators: share.validators,
        };
        Self {
            validators: risk.validators,
            faults_max: faults_max(risk.validators as usize) as u32,
            clouds: risk.clouds.iter().map(share).collect(),
            reason: risk.reason.clone(),
        }
    }
}

/// A risk that was accepted; it holds as long as its validator set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RiskView {
    /// What was accepted.
    pub accepted: AcceptedRiskView,
    /// The proposal that the members carried; absent where genesis says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<u64>,
    /// Organisation that proposed it; absent where genesis says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// Height at which it was accepted.
    pub height: u64,
    /// Block time of that, ms since 1970-01-01 UTC.
    pub time_ms: u64,
}

impl From<&proto::RiskRecord> for RiskView {
    fn from(record: &proto::RiskRecord) -> Self {
        Self {
            accepted: record.risk.as_ref().unwrap_or(&proto::AcceptedRisk::default()).into(),
            proposal: (record.proposal > 0).then_some(record.proposal),
            organisation: (!record.organisation.is_empty()).then(|| record.organisation.clone()),
            height: record.height,
            time_ms: record.time_ms,
        }
    }
}
