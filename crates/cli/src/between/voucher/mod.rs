//! `yulian voucher`: rights that move between chains.

mod books;
mod issue;
mod list;
mod moves;
mod show;

use crate::{
    connect::block_on,
    out,
    problem::{Exit, Result},
    refusal::sdk,
    text::problem,
};
use clap::Subcommand;
use serde::Serialize;
use yulian_sdk::Chain;
use yulian_types::{Digest, proto::VoucherSeries};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Issue(issue::Arguments),
    List(list::Arguments),
    Show(show::Arguments),
    Transfer(moves::Transfer),
    Send(moves::Send),
    Redeem(moves::Redeem),
    Reclaim(moves::Reclaim),
}

pub(crate) fn run(command: Command) -> Result<Exit> {
    match command {
        Command::Issue(arguments) => block_on(issue::run(&arguments)),
        Command::List(arguments) => block_on(list::run(&arguments)),
        Command::Show(arguments) => block_on(show::run(&arguments)),
        Command::Transfer(arguments) => block_on(moves::transfer(&arguments)),
        Command::Send(arguments) => block_on(moves::send(&arguments)),
        Command::Redeem(arguments) => block_on(moves::redeem(&arguments)),
        Command::Reclaim(arguments) => block_on(moves::reclaim(&arguments)),
    }
}

/// What names a series, as a program reads it.
#[derive(Debug, Clone, Serialize)]
struct Named {
    id: String,
    organisation: String,
    series: String,
    title: String,
}

impl Named {
    fn new(series: &VoucherSeries) -> Self {
        Self {
            id: hex::encode(&series.id),
            organisation: series.organisation.clone(),
            series: series.series.clone(),
            title: series.title.clone(),
        }
    }
}

/// ORGANISATION/NAME on one line.
fn called(series: &VoucherSeries) -> String {
    out::one_line(&format!("{}/{}", series.organisation, series.series))
}

/// A series that a chain knows: by id, ORGANISATION/NAME, or NAME where that is one series only or one of `own` organisation's.
async fn find(chain: &Chain, named: &str, own: Option<&str>) -> Result<(Digest, VoucherSeries)> {
    if let Ok(id) = named.parse::<Digest>() {
        let series = chain.voucher_series(&id).await.map_err(sdk)?;
        let series = series.ok_or_else(|| problem::unknown_series(named, out::one_line(chain.name())))?;
        return Ok((id, series));
    }
    let list = chain.voucher_list().await.map_err(sdk)?;
    let full: Vec<_> = list
        .iter()
        .filter(|series| format!("{}/{}", series.organisation, series.series) == named)
        .collect();
    let found = match full.is_empty() {
        false => full,
        true => list.iter().filter(|series| series.series == named).collect(),
    };
    let is_own = |series: &&VoucherSeries| own == Some(series.organisation.as_str());
    let own: Vec<_> = found.iter().copied().filter(|series| is_own(series)).collect();
    let series = match (found.as_slice(), own.as_slice()) {
        ([one], _) | (_, [one]) => (*one).clone(),
        ([], _) => return Err(problem::unknown_series(named, out::one_line(chain.name()))),
        (several, _) => {
            let names: Vec<String> = several
                .iter()
                .map(|series| format!("{} ({})", called(series), hex::encode(&series.id)))
                .collect();
            return Err(problem::ambiguous_series(named, names.join(", ")));
        }
    };
    let id = super::wait::digest(&series.id)?;
    Ok((id, series))
}
