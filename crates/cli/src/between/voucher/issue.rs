//! `yulian voucher issue`.

use super::{Named, called};
use crate::between::say;
use crate::{
    account, clock,
    connect::{Connect, Sign},
    evidence::digest_or_file,
    out,
    problem::{Cause, Exit, Result},
    refusal::sdk,
    text::problem,
    transaction,
};
use clap::Args;
use serde::Serialize;
use yulian_exec::rules::ROLE_WRITER;
use yulian_sdk::Chain;
use yulian_types::{
    proto::{IssueVoucher, VoucherSeries},
    voucher_series_id,
};

const MS_PER_DAY: u64 = 24 * 3_600_000;

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("until").args(["expires", "valid_days"])))]
pub(crate) struct Arguments {
    series: String,
    #[arg(long)]
    amount: u64,
    #[arg(long)]
    holder: Option<String>,
    #[arg(long)]
    title: Option<String>,
    #[arg(long)]
    terms: Option<String>,
    #[arg(long)]
    expires: Option<String>,
    #[arg(long)]
    valid_days: Option<u64>,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    sign: Sign,
}

#[derive(Debug, Serialize)]
struct Issued {
    #[serde(flatten)]
    named: Named,
    amount: u64,
    holder: String,
    expires_ms: u64,
    terms: String,
    chain: String,
    transaction: String,
    height: u64,
}

pub(super) async fn run(arguments: &Arguments) -> Result<Exit> {
    let chain = arguments.connect.chain().await?;
    let actor = arguments.sign.actor(&arguments.connect, &chain, ROLE_WRITER).await?;
    let organisation = &actor.view.organisation;
    let id = voucher_series_id(&chain.id(), organisation, &arguments.series);
    let present = chain.voucher_series(&id).await.map_err(sdk)?;
    let holder = match &arguments.holder {
        Some(named) => account::holder(&arguments.connect, &chain, named).await?,
        None => actor.account.id(),
    };
    let issue = arguments.call(&chain, present, holder.to_vec()).await?;
    let signed = actor.account.issue_vouchers(chain.terms(), &issue);
    let result = transaction::result(&chain, &signed.or_problem(problem::cannot_sign)?).await?;
    let series = VoucherSeries {
        id: id.to_vec().into(),
        organisation: organisation.clone(),
        series: issue.series.clone(),
        title: issue.title.clone(),
        ..Default::default()
    };
    if arguments.json {
        out::json(&Issued {
            named: Named::new(&series),
            amount: issue.amount,
            holder: holder.to_string(),
            expires_ms: issue.expires_ms,
            terms: hex::encode(&issue.terms),
            chain: chain.name().into(),
            transaction: result.id.to_string(),
            height: result.block.height,
        });
    } else {
        out::line(say::issued(called(&series), issue.amount, holder));
        out::line(say::series_id(id, clock::beijing(issue.expires_ms)));
    }
    Ok(Exit::Done)
}

impl Arguments {
    /// The call. A series that is there has its title, terms and expiry; of a new one they have to be given.
    async fn call(&self, chain: &Chain, present: Option<VoucherSeries>, holder: Vec<u8>) -> Result<IssueVoucher> {
        let terms = self.terms.as_deref().map(digest_or_file).transpose()?;
        let expires_ms = match (&self.expires, self.valid_days) {
            (Some(day), _) => Some(clock::day_end_ms(day).ok_or_else(|| problem::bad_day(day))?),
            (None, Some(days)) => {
                let now_ms = chain.client().status().await.map_err(sdk)?.now_ms;
                Some(now_ms.saturating_add(days.saturating_mul(MS_PER_DAY)))
            }
            (None, None) => None,
        };
        let missing = || problem::new_series_needs(&self.series);
        let present = present.as_ref();
        let terms = terms.map(|terms| terms.to_vec().into());
        Ok(IssueVoucher {
            series: self.series.clone(),
            title: match (&self.title, present) {
                (Some(title), _) => title.clone(),
                (None, Some(series)) => series.title.clone(),
                (None, None) => self.series.clone(),
            },
            terms: terms
                .or(present.map(|series| series.terms.clone()))
                .ok_or_else(missing)?,
            expires_ms: expires_ms
                .or(present.map(|series| series.expires_ms))
                .ok_or_else(missing)?,
            amount: self.amount,
            holder: holder.into(),
        })
    }
}
