//! The open loop: questions leave when they are due, whatever became of those before.

use super::{
    Arguments,
    source::{Ends, Source, Tally},
    stage::Stage,
};
use crate::{
    bench::{
        reading::{Cpu, Reading},
        say,
    },
    problem::{Cause, Result},
    progress::Progress,
    refusal::sdk,
    text::problem,
};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    task::JoinSet,
    time::{sleep, sleep_until},
};
use yulian_sdk::{
    BlockRef, SignedTransaction,
    views::{StreamDetail, SubmitAnswer},
};

/// Questions leave in groups so far apart.
const TOGETHER: Duration = Duration::from_millis(20);
/// Most messages that have not ended; what is due beyond that is not sent, and counted.
const OPEN_MAX: u64 = 50_000;
/// How long a group is handed over again and again where a node is full.
const HAND_OVER_MAX: Duration = Duration::from_secs(30);
/// Pause after a node said that it is full.
const BACK_OFF: Duration = Duration::from_millis(20);
/// Between two samples.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// Seconds at the beginning that do not count as sustained: the first messages are still on their way.
pub(super) const WARM_UP: Duration = Duration::from_secs(2);

/// What stands at a moment of the run.
#[derive(Debug, Clone, Default)]
pub(super) struct Sample {
    /// From the start, s.
    pub(super) second: f64,
    pub(super) asked: u64,
    pub(super) ended: u64,
    /// Not ended yet.
    pub(super) open: u64,
    /// What the relay agent says waits for each step.
    pub(super) agent: BTreeMap<String, usize>,
}

/// What a run came to.
pub(super) struct Measured {
    pub(super) tally: Tally,
    pub(super) ends: Ends,
    pub(super) not_sent: u64,
    pub(super) samples: Vec<Sample>,
    /// From the first question to the last end, or to the end of patience.
    pub(super) elapsed: Duration,
    pub(super) cpu: Cpu,
    pub(super) start: Reading,
    pub(super) end: Reading,
    pub(super) height: u64,
}

pub(super) async fn run(arguments: &Arguments, stage: &Stage) -> Result<Measured> {
    let mut followers = JoinSet::new();
    for source in &stage.sources {
        let from = source.chain.header(BlockRef::Latest).await.map_err(sdk)?.height + 1;
        followers.spawn(follow(source.clone(), from));
    }
    let mut progress = Progress::new(say::bench_loading(), Some(arguments.rate * arguments.seconds));
    let start = Reading::now(&stage.processes);
    let began = Instant::now();
    let mut senders = JoinSet::new();
    for (at, source) in stage.sources.iter().enumerate() {
        let plan = Plan {
            began,
            time: arguments.time(),
            rate: arguments.rate as f64 / stage.sources.len() as f64,
            // The sources take turns within the interval of one.
            shift: TOGETHER.mul_f64(at as f64 / stage.sources.len() as f64),
            open_max: OPEN_MAX / stage.sources.len() as u64,
        };
        senders.spawn(send(source.clone(), plan));
    }
    let mut samples = Vec::new();
    let until = began + arguments.time() + arguments.drain();
    let mut last_end = began;
    let mut ended = 0;
    loop {
        sleep_until((began + SAMPLE_EVERY * (samples.len() as u32 + 1)).into()).await;
        let sample = sample(stage, began);
        if sample.ended > ended {
            (ended, last_end) = (sample.ended, Instant::now());
        }
        progress.set(sample.ended);
        let over = began.elapsed() >= arguments.time() && sample.open == 0;
        samples.push(sample);
        if over || Instant::now() >= until {
            break;
        }
    }
    let mut not_sent = 0;
    while let Some(sent) = senders.join_next().await {
        not_sent += sent.or_problem(problem::no_runtime)??;
    }
    let end = Reading::now(&stage.processes);
    let (mut tally, mut ends, mut height) = (Tally::default(), Ends::default(), 0);
    for source in &stage.sources {
        tally.add(&source.tally());
        ends.add(source.ends().await?);
        height += source.chain.header(BlockRef::Latest).await.map_err(sdk)?.height;
    }
    drop(progress);
    Ok(Measured {
        tally,
        ends,
        not_sent,
        samples,
        elapsed: last_end - began,
        cpu: Cpu::between(&start, &end),
        start,
        end,
        height,
    })
}

fn sample(stage: &Stage, began: Instant) -> Sample {
    let mut tally = Tally::default();
    let mut open = 0;
    for source in &stage.sources {
        tally.add(&source.tally());
        open += source.open();
    }
    let agent = stage.agent().map(|status| status.backlog).unwrap_or_default();
    Sample {
        second: began.elapsed().as_secs_f64(),
        asked: tally.asked,
        ended: tally.ended,
        open,
        agent,
    }
}

/// Follows a source until the run is over. A stream that ends is opened again from where it was.
async fn follow(source: Arc<Source>, from: u64) {
    let mut next = from;
    loop {
        let mut follow = source.chain.follow(next, StreamDetail::Raw);
        while let Some(Ok(block)) = follow.next().await {
            source.seen(&block);
            next = block.header.height + 1;
        }
        sleep(BACK_OFF).await;
    }
}

/// When the questions of one source leave.
struct Plan {
    began: Instant,
    time: Duration,
    rate: f64,
    shift: Duration,
    open_max: u64,
}

impl Plan {
    /// When question `number` is due.
    fn due(&self, number: u64) -> Duration {
        self.shift + Duration::from_secs_f64(number as f64 / self.rate)
    }
}

/// Sends everything when it is due; how many were not sent because too many had not ended.
async fn send(source: Arc<Source>, plan: Plan) -> Result<u64> {
    let mut handing = JoinSet::new();
    let (mut number, mut not_sent) = (0, 0);
    while plan.due(number) < plan.time {
        sleep_until((plan.began + plan.due(number)).into()).await;
        let now = plan.began.elapsed() + TOGETHER;
        let room = plan.open_max.saturating_sub(source.open());
        let mut group = Vec::new();
        while plan.due(number) <= now && plan.due(number) < plan.time {
            match (group.len() as u64) < room {
                true => group.push(source.sign(number, plan.began + plan.due(number))?),
                false => not_sent += 1,
            }
            number += 1;
        }
        if !group.is_empty() {
            handing.spawn(hand_over(source.clone(), group));
        }
        while handing.try_join_next().is_some() {}
    }
    while handing.join_next().await.is_some() {}
    Ok(not_sent)
}

/// Takes a group to the node until each of it is taken or refused for good.
async fn hand_over(source: Arc<Source>, mut group: Vec<SignedTransaction>) {
    let until = Instant::now() + HAND_OVER_MAX;
    loop {
        let mut why = String::new();
        match source.chain.submit_batch(&group).await {
            Ok(answers) => {
                let mut left = Vec::new();
                for (transaction, answer) in group.into_iter().zip(answers) {
                    match answer {
                        SubmitAnswer::Refused { error, .. } if is_passing(&error.code) => {
                            why.clone_from(&error.code);
                            left.push(transaction);
                        }
                        SubmitAnswer::Refused { error, .. } => source.refused(&transaction.id, error.code),
                        SubmitAnswer::Queued { .. } | SubmitAnswer::Final(_) => {}
                    }
                }
                group = left;
            }
            Err(error) => why = error.to_string(),
        }
        if group.is_empty() {
            return;
        }
        if Instant::now() >= until {
            group
                .iter()
                .for_each(|transaction| source.refused(&transaction.id, why.clone()));
            return;
        }
        sleep(BACK_OFF).await;
    }
}

/// Says something about the node at this moment, not about the transaction.
fn is_passing(code: &str) -> bool {
    crate::bench::load::PASSING.contains(&code)
}
