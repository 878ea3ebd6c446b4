//! A flood of invalid transactions beside an honest load: what does it cost those who do no wrong?

use super::{
    feed::{Feed, Next},
    figures::{ms, percent, rounded},
    finish,
    report::Report,
    say,
    schedule::Schedule,
    session::{Measured, Session},
    signers,
};
use crate::{
    out,
    problem::{Cause, Exit, Result},
    progress::Progress,
    text::problem,
};
use clap::ValueEnum;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Semaphore,
    task::{JoinSet, spawn_blocking},
    time::{Instant, sleep_until, timeout},
};
use yulian_sdk::{Chain, SignedTransaction, views::SubmitAnswer};

/// The flood is so many times the honest rate.
const TIMES: u64 = 10;
/// Transactions of one request: whoever floods uses few requests.
const TOGETHER: usize = 200;
/// Requests that are under way at a time.
const REQUESTS_MAX: usize = 64;
/// Time for the last answers.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
/// Transactions that were taken, and requests that failed, among the codes of refusals.
const TAKEN: &str = "taken";
const NO_ANSWER: &str = "no_answer";

/// What is wrong with the flood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Signed wrongly, in the name of accounts that are there.
    Known,
    /// Signed rightly, by accounts that are not there, each of another key.
    Unknown,
}

impl Kind {
    fn code(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Unknown => "unknown",
        }
    }

    fn name(self) -> String {
        match self {
            Self::Known => say::bench_flood_known(),
            Self::Unknown => say::bench_flood_unknown(),
        }
    }
}

/// What became of the flood.
#[derive(Debug, Clone, Default)]
struct Flooded {
    sent: u64,
    /// Were due while all requests were under way.
    not_sent: u64,
    answers: BTreeMap<String, u64>,
}

pub(super) async fn run(session: &mut Session<'_>, kind: Kind) -> Result<Exit> {
    let rate = session.arguments.rate.unwrap_or(1);
    let schedule = Schedule::steady(rate as f64, session.arguments.time());
    let flood = Schedule::steady((rate * TIMES) as f64, session.arguments.time());
    // Signed before either phase, so that the phases differ in nothing but the flood.
    let bad = forge(session, kind, flood.count()).await?;
    out::note_line(say::bench_phase_calm());
    let without = session.open(schedule.clone(), vec![]).await?;
    out::note_line(say::bench_phase_flood(flood.peak()));
    let chain = session.target.chain.clone();
    let (with, flooded) = tokio::join!(session.open(schedule, vec![]), send(&chain, &flood, bad));
    let (with, flooded) = (with?, flooded?);
    match session.arguments.json {
        true => out::json(&json(session, kind, [&without, &with], &flooded)),
        false => print(session, kind, [&without, &with], &flooded),
    }
    let both = without.then(with);
    finish(session, &both.outcome)
}

/// Makes invalid transactions on all cores.
async fn forge(session: &Session<'_>, kind: Kind, count: u64) -> Result<Vec<SignedTransaction>> {
    if count > super::arguments::SIGNED_MAX {
        return Err(problem::bench_flood_too_large(count, super::arguments::SIGNED_MAX));
    }
    let _progress = Progress::new(say::bench_forging(count), None);
    let maker = session.maker.clone();
    let made = spawn_blocking(move || {
        let accounts = match kind {
            Kind::Known => maker.accounts().iter().map(signers::forger).collect(),
            Kind::Unknown => signers::make(count as usize),
        };
        maker.by(accounts).make(0..count)
    });
    let (supply, _) = made.await.or_problem(problem::no_runtime)??;
    Ok(supply.into_transactions())
}

/// Sends the flood when it is due and counts the answers.
async fn send(chain: &Chain, schedule: &Schedule, bad: Vec<SignedTransaction>) -> Result<Flooded> {
    let mut feed = Feed::ready(bad);
    let requests = Arc::new(Semaphore::new(REQUESTS_MAX));
    let answers = Arc::new(Mutex::new(BTreeMap::new()));
    let mut flooded = Flooded::default();
    let mut under_way = JoinSet::new();
    let (start, mut number, mut turn) = (Instant::now(), 0, 0);
    // Whole requests at a time: the last transaction of one decides when it leaves.
    while let Some(first) = schedule.due(number) {
        let last = schedule.due(number + TOGETHER as u64 - 1).unwrap_or(schedule.time());
        sleep_until(start + last.max(first)).await;
        let mut part = Vec::with_capacity(TOGETHER);
        while part.len() < TOGETHER && schedule.due(number).is_some() {
            number += 1;
            if let Next::Transaction(transaction) = feed.next() {
                part.push(transaction);
            }
        }
        while under_way.try_join_next().is_some() {}
        let Ok(permit) = requests.clone().try_acquire_owned() else {
            flooded.not_sent += part.len() as u64;
            continue;
        };
        flooded.sent += part.len() as u64;
        let (chain, answers) = (chain.only(turn), answers.clone());
        turn += 1;
        under_way.spawn(async move {
            let codes = submit(&chain, &part).await;
            let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
            for code in codes {
                *answers.entry(code).or_default() += 1;
            }
            drop(permit);
        });
    }
    // What is not answered then is counted as sent alone.
    let _ = timeout(ANSWERS_WITHIN, async { while under_way.join_next().await.is_some() {} }).await;
    flooded.answers = answers.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(flooded)
}

/// The code of each answer.
async fn submit(chain: &Chain, part: &[SignedTransaction]) -> Vec<String> {
    let code = |answer: SubmitAnswer| match answer {
        SubmitAnswer::Refused { error, .. } => error.code,
        _ => TAKEN.to_owned(),
    };
    match chain.submit_batch(part).await {
        Ok(answers) => answers.into_iter().map(code).collect(),
        Err(error) => {
            let code = error.code().unwrap_or(NO_ANSWER).to_owned();
            vec![code; part.len()]
        }
    }
}

fn json(session: &Session<'_>, kind: Kind, [without, with]: [&Measured; 2], flooded: &Flooded) -> Value {
    json!({
        "flood": kind.code(),
        "nodes": session.target.nodes,
        "rate": session.arguments.rate,
        "flood_rate": rounded(session.arguments.rate.unwrap_or_default() as f64 * TIMES as f64),
        "flood_sent": flooded.sent,
        "flood_not_sent": flooded.not_sent,
        "flood_answers": flooded.answers,
        "without": Report::new(session, without).json(),
        "with": Report::new(session, with).json(),
    })
}

fn print(session: &Session<'_>, kind: Kind, both: [&Measured; 2], flooded: &Flooded) {
    let rate = session.arguments.rate.unwrap_or_default();
    out::line(say::bench_flood_head(
        session.target.nodes,
        rate,
        rate * TIMES,
        kind.name(),
    ));
    let head = [
        say::bench_col_phase(),
        say::bench_col_tps(),
        say::bench_col_success(),
        say::bench_col_not_sent(),
        "p50 ms".into(),
        "p99 ms".into(),
        "p99.9 ms".into(),
        say::bench_col_cpu(),
    ];
    let row = |(name, measured): (String, &Measured)| {
        let outcome = &measured.outcome;
        let cpu = Report::new(session, measured).cpu_ms_per_tx();
        vec![
            name,
            format!("{:.0}", outcome.tps()),
            percent(outcome.success_rate()),
            outcome.not_sent().to_string(),
            ms(outcome.latency_ms(0.5)),
            ms(outcome.latency_ms(0.99)),
            ms(outcome.latency_ms(0.999)),
            cpu.map_or_else(|| "-".into(), ms),
        ]
    };
    let names = [say::bench_without_flood(), say::bench_with_flood()];
    out::table(&head, &names.into_iter().zip(both).map(row).collect::<Vec<_>>());
    let answers: Vec<String> = flooded
        .answers
        .iter()
        .map(|(code, count)| format!("{code} {count}"))
        .collect();
    out::line(say::bench_flood_answers(
        flooded.sent,
        flooded.not_sent,
        answers.join(", "),
    ));
    for measured in both {
        if let Some(why) = &measured.outcome.refusal {
            out::note_line(say::bench_refused(out::one_line(why)));
        }
    }
}
