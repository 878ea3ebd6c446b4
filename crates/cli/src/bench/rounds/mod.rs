//! The rounds that assessments of blockchains ask for: pressure, spike, stability.

mod pressure;
mod spike;
mod stability;

use super::session::Session;
use crate::problem::{Exit, Result};
use clap::ValueEnum;

/// Share of the measured peak at which the open loops run unless a rate is named.
const SHARE_OF_PEAK: f64 = 0.2;

/// A round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Round {
    /// More and more clients.
    Pressure,
    /// Five times the load for a few seconds.
    Spike,
    /// A steady load for as long as one likes.
    Stability,
}

impl Round {
    /// Clients of the highest pressure.
    pub(crate) const PRESSURE_CLIENTS_MAX: usize = pressure::CLIENTS[pressure::CLIENTS.len() - 1];
}

pub(super) async fn run(session: &mut Session<'_>, round: Round) -> Result<Exit> {
    match round {
        Round::Pressure => pressure::run(session).await,
        Round::Spike => spike::run(session).await,
        Round::Stability => stability::run(session).await,
    }
}

/// The rate named, or a share of the peak, which is measured for it.
async fn rate(session: &mut Session<'_>) -> Result<(f64, Option<f64>)> {
    match session.arguments.rate {
        Some(rate) => Ok((rate as f64, None)),
        None => {
            let peak = session.peak().await?;
            Ok(((peak * SHARE_OF_PEAK).max(1.0), Some(peak)))
        }
    }
}
