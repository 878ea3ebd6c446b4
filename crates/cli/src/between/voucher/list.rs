//! `yulian voucher list`: the series of a chain, or what an account has.

use super::{Named, called};
use crate::{
    account,
    between::{names::Places, say, wait::digest},
    clock,
    connect::Connect,
    out,
    problem::{Exit, Result},
    refusal::sdk,
    text::say as texts,
};
use clap::Args;
use serde::Serialize;
use serde_json::json;
use yulian_sdk::Chain;
use yulian_types::proto::VoucherSeries;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    account: Option<String>,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Serialize)]
struct Series {
    #[serde(flatten)]
    named: Named,
    home: String,
    home_id: String,
    at_home: bool,
    expires_ms: u64,
    held: u64,
    moving: u64,
    /// At home alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    issued: Option<u64>,
    /// What the account has.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<u64>,
}

pub(super) async fn run(arguments: &Arguments) -> Result<Exit> {
    let chain = arguments.connect.chain().await?;
    let (places, _) = Places::around(&arguments.connect, &chain).await?;
    let rows = match &arguments.account {
        Some(named) => {
            let holder = account::holder(&arguments.connect, &chain, named).await?;
            let found = chain.voucher_holdings(&holder).await.map_err(sdk)?;
            let rows: Result<Vec<_>> = found
                .iter()
                .map(|holding| row(&chain, &places, &holding.series, Some(holding.amount)))
                .collect();
            rows?
        }
        None => {
            let found = chain.voucher_list().await.map_err(sdk)?;
            let rows: Result<Vec<_>> = found.iter().map(|series| row(&chain, &places, series, None)).collect();
            rows?
        }
    };
    if arguments.json {
        let series: Vec<&Series> = rows.iter().map(|(series, _)| series).collect();
        out::json(&json!({ "chain": chain.name(), "series": series }));
    } else {
        print(&chain, arguments.account.is_some(), &rows);
    }
    Ok(Exit::Done)
}

/// A series for a program and, in the table, its name.
fn row(chain: &Chain, places: &Places, series: &VoucherSeries, amount: Option<u64>) -> Result<(Series, String)> {
    let home = digest(&series.home)?;
    let at_home = home == chain.id();
    let shown = Series {
        named: Named::new(series),
        home: places.name(&home),
        home_id: home.to_string(),
        at_home,
        expires_ms: series.expires_ms,
        held: series.held,
        moving: series.moving,
        issued: at_home.then_some(series.issued),
        amount,
    };
    Ok((shown, called(series)))
}

fn print(chain: &Chain, of_account: bool, rows: &[(Series, String)]) {
    if rows.is_empty() {
        let name = out::one_line(chain.name());
        out::line(match of_account {
            true => say::no_holdings(name),
            false => say::no_series(name),
        });
        return;
    }
    let mut head = vec![say::head_series()];
    match of_account {
        true => head.push(say::head_amount()),
        false => head.extend([say::head_held(), say::head_moving(), say::head_issued()]),
    }
    head.extend([say::head_home(), say::head_expires(), texts::head_id()]);
    let cells = |(series, name): &(Series, String)| {
        let mut cells = vec![name.clone()];
        match series.amount {
            Some(amount) => cells.push(amount.to_string()),
            None => cells.extend([
                series.held.to_string(),
                series.moving.to_string(),
                series.issued.map_or_else(|| "-".into(), |issued| issued.to_string()),
            ]),
        }
        cells.extend([
            series.home.clone(),
            clock::beijing_day(series.expires_ms),
            series.named.id.clone(),
        ]);
        cells
    };
    out::table(&head, &rows.iter().map(cells).collect::<Vec<_>>());
}
