//! Vouchers change hands: `transfer`, `send`, `redeem`, `reclaim`.

use super::{Named, called, find};
use crate::{
    account,
    between::{
        names::Places,
        say,
        wait::{self, Hop},
    },
    connect::{Actor, Connect, Sign},
    out,
    problem::{Cause, Exit, Result},
    text::problem,
    transaction,
};
use clap::Args;
use serde::Serialize;
use std::time::Instant;
use yulian_exec::rules::ROLE_WRITER;
use yulian_sdk::{Chain, PacketName, SignedTransaction, views::FinalResult};
use yulian_types::{
    Digest,
    proto::{SendVoucher, VoucherSeries},
};

/// What every command has that moves vouchers.
#[derive(Debug, Args)]
pub(crate) struct By {
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    sign: Sign,
}

/// How long a packet may take, and whether its end is waited for.
#[derive(Debug, Args)]
pub(crate) struct Wait {
    #[arg(long, default_value_t = 60)]
    timeout_s: u64,
    #[arg(long)]
    no_wait: bool,
}

impl Wait {
    fn timeout_ms(&self) -> u64 {
        self.timeout_s.saturating_mul(1_000)
    }
}

#[derive(Debug, Args)]
pub(crate) struct Transfer {
    series: String,
    #[arg(long)]
    amount: u64,
    #[arg(long)]
    holder: String,
    #[command(flatten)]
    by: By,
}

#[derive(Debug, Args)]
pub(crate) struct Send {
    series: String,
    #[arg(long)]
    amount: u64,
    #[arg(long)]
    to: String,
    #[arg(long)]
    holder: String,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    by: By,
}

#[derive(Debug, Args)]
pub(crate) struct Redeem {
    series: String,
    #[arg(long)]
    amount: u64,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    by: By,
}

#[derive(Debug, Args)]
pub(crate) struct Reclaim {
    series: String,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    by: By,
}

/// What came of it, as a program reads it.
#[derive(Debug, Serialize)]
struct Moved {
    #[serde(flatten)]
    named: Named,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<String>,
    /// done; refunded: with the holder again; returning: on the way back to the holder from the series' home; refused: nothing was to
    /// be had; sent: not waited for.
    outcome: &'static str,
    /// Why it was not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// The packets, one after the other; none where nothing leaves the chain.
    packets: Vec<Hop>,
    transaction: String,
    height: u64,
    took_ms: u64,
}

/// A command at work: the chain, who signs, the series.
struct Work<'a> {
    by: &'a By,
    chain: Chain,
    actor: Actor,
    id: Digest,
    series: VoucherSeries,
    started: Instant,
}

impl<'a> Work<'a> {
    async fn begin(by: &'a By, series: &str) -> Result<Self> {
        let chain = by.connect.chain().await?;
        let actor = by.sign.actor(&by.connect, &chain, ROLE_WRITER).await?;
        let (id, series) = find(&chain, series, Some(&actor.view.organisation)).await?;
        Ok(Self {
            by,
            chain,
            actor,
            id,
            series,
            started: Instant::now(),
        })
    }

    async fn submit(&self, signed: Result<SignedTransaction, yulian_crypto::sm2::SignError>) -> Result<FinalResult> {
        transaction::result(&self.chain, &signed.or_problem(problem::cannot_sign)?).await
    }

    /// What is said where nothing leaves the chain.
    fn done(&self, result: &FinalResult, amount: u64, holder: Option<Digest>, said: String) -> Exit {
        match self.by.json {
            true => out::json(&self.moved(result, Some(amount), holder, "done", Vec::new())),
            false => out::line(transaction_line(said, result)),
        }
        Exit::Done
    }

    fn moved(
        &self,
        result: &FinalResult,
        amount: Option<u64>,
        holder: Option<Digest>,
        outcome: &'static str,
        packets: Vec<Hop>,
    ) -> Moved {
        let code = packets.last().map(|hop| hop.code.clone());
        Moved {
            named: Named::new(&self.series),
            amount,
            holder: holder.map(|holder| holder.to_string()),
            outcome,
            code: code.filter(|code| !code.is_empty()),
            packets,
            transaction: result.id.to_string(),
            height: result.block.height,
            took_ms: self.started.elapsed().as_millis() as u64,
        }
    }

    /// Waits for the packets that a call led to and says how they ended.
    async fn finish(
        &self,
        places: &Places,
        wait: &Wait,
        result: &FinalResult,
        amount: Option<u64>,
        holder: Option<Digest>,
    ) -> Result<Exit> {
        let first = wait::named(&self.chain, result)?;
        let packets = match wait.no_wait {
            true => vec![Hop::new(places, &first, None)],
            false => self.follow(places, first, wait).await?,
        };
        let outcome = outcome(&packets, amount.is_some());
        let moved = self.moved(result, amount, holder, outcome, packets);
        match self.by.json {
            true => out::json(&moved),
            false => self.print(&moved),
        }
        Ok(match outcome {
            "done" | "sent" => Exit::Done,
            _ => Exit::No,
        })
    }

    async fn follow(&self, places: &Places, first: PacketName, wait: &Wait) -> Result<Vec<Hop>> {
        wait::follow(places, &self.chain, first, wait::patience(wait.timeout_ms())).await
    }

    fn print(&self, moved: &Moved) {
        let called = called(&self.series);
        moved.packets.iter().for_each(|hop| out::line(hop.line()));
        out::line(match moved.outcome {
            "done" => say::vouchers_arrived(called, moved.took_ms),
            "sent" => say::vouchers_sent(called),
            "refunded" => say::vouchers_refunded(called),
            "refused" => say::vouchers_refused(called),
            _ => say::vouchers_returning(called),
        });
    }
}

/// What the ends of the packets come to for the holder, of whom something was taken or not.
fn outcome(packets: &[Hop], taken: bool) -> &'static str {
    match packets {
        [.., last] if last.is_done() => "done",
        [one] if one.status == "sent" => "sent",
        [_] if taken => "refunded",
        [_] => "refused",
        _ => "returning",
    }
}

fn transaction_line(said: String, result: &FinalResult) -> String {
    crate::text::say::done_at(said, result.block.height, result.id)
}

pub(super) async fn transfer(arguments: &Transfer) -> Result<Exit> {
    let work = Work::begin(&arguments.by, &arguments.series).await?;
    let holder = account::holder(&arguments.by.connect, &work.chain, &arguments.holder).await?;
    let terms = work.chain.terms();
    let signed = work
        .actor
        .account
        .transfer_vouchers(terms, &work.id, &holder, arguments.amount);
    let result = work.submit(signed).await?;
    let said = say::vouchers_given(called(&work.series), arguments.amount, holder);
    Ok(work.done(&result, arguments.amount, Some(holder), said))
}

pub(super) async fn send(arguments: &Send) -> Result<Exit> {
    let work = Work::begin(&arguments.by, &arguments.series).await?;
    let connect = &arguments.by.connect;
    let (places, _) = Places::around(connect, &work.chain).await?;
    let to = places.peer(&arguments.to).await?;
    let holder = match &to.chain {
        Some(there) => account::holder(connect, there, &arguments.holder).await?,
        None => account::holder_unseen(connect, &arguments.holder)?,
    };
    let call = SendVoucher {
        series: work.id.to_vec().into(),
        destination: to.id.to_vec().into(),
        holder: holder.to_vec().into(),
        amount: arguments.amount,
        timeout_ms: arguments.wait.timeout_ms(),
    };
    let result = work
        .submit(work.actor.account.send_vouchers(work.chain.terms(), &call))
        .await?;
    work.finish(&places, &arguments.wait, &result, Some(arguments.amount), Some(holder))
        .await
}

pub(super) async fn redeem(arguments: &Redeem) -> Result<Exit> {
    let work = Work::begin(&arguments.by, &arguments.series).await?;
    let (terms, timeout_ms) = (work.chain.terms(), arguments.wait.timeout_ms());
    let signed = work
        .actor
        .account
        .redeem_vouchers(terms, &work.id, arguments.amount, timeout_ms);
    let result = work.submit(signed).await?;
    if result.result.output.0.is_empty() {
        let said = say::vouchers_redeemed(called(&work.series), arguments.amount);
        return Ok(work.done(&result, arguments.amount, None, said));
    }
    let (places, _) = Places::around(&arguments.by.connect, &work.chain).await?;
    work.finish(&places, &arguments.wait, &result, Some(arguments.amount), None)
        .await
}

pub(super) async fn reclaim(arguments: &Reclaim) -> Result<Exit> {
    let work = Work::begin(&arguments.by, &arguments.series).await?;
    let (terms, timeout_ms) = (work.chain.terms(), arguments.wait.timeout_ms());
    let signed = work.actor.account.reclaim_vouchers(terms, &work.id, timeout_ms);
    let result = work.submit(signed).await?;
    let (places, _) = Places::around(&arguments.by.connect, &work.chain).await?;
    work.finish(&places, &arguments.wait, &result, None, None).await
}
