//! What a drill came to.

use super::{
    load::{Log, Sample, every},
    say,
    scope::{Scope, Subject},
};
use crate::{clock, out, problem::Result, refusal::sdk};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use std::time::{Duration, Instant};
use yulian_sdk::{BlockRef, Client, Options, views::RiskView};

/// Chains that are compared together.
const AT_ONCE: usize = 6;

/// When what happened.
#[derive(Debug)]
pub(super) struct Moments {
    pub(super) began: Instant,
    /// The first process was killed.
    pub(super) lost: Instant,
    /// All of them were seen to be gone.
    pub(super) gone: Instant,
    /// They were let go.
    pub(super) returning: Instant,
    /// All had caught up.
    pub(super) back: Instant,
    pub(super) ended: Instant,
}

/// A node that came back.
#[derive(Debug, Serialize)]
pub(super) struct Returned {
    pub(super) node: String,
    /// From its release until it had every chain's last block.
    pub(super) caught_up_ms: u64,
}

/// Transactions of a phase.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Figures {
    /// Final with effect.
    pub(super) done: usize,
    /// Refused, failed, or without a result in time.
    pub(super) failed: usize,
    pub(super) p50_ms: Option<u64>,
    pub(super) p99_ms: Option<u64>,
    pub(super) longest_ms: Option<u64>,
}

/// The phases of a drill.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Phases {
    /// The whole network.
    pub(super) before: Figures,
    /// Without the cloud; with what was under way when it was lost.
    pub(super) lost: Figures,
    /// Its nodes start and catch up.
    pub(super) returning: Figures,
    /// The whole network again.
    pub(super) after: Figures,
}

/// What became of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fate {
    /// It went on, as it must.
    WentOn,
    /// It stood still, though it must not.
    StoodStill,
    /// It stood still: its members accepted that this cloud can stop it.
    StoppedAsAccepted,
    /// No key of the folder may write on it.
    NotDriven,
}

/// A chain in the drill.
#[derive(Debug, Serialize)]
pub(super) struct ChainReport {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) validators: usize,
    /// Validators in the cloud.
    pub(super) in_cloud: usize,
    pub(super) faults_max: usize,
    pub(super) fate: Fate,
    /// From the loss until a transaction that was sent after it was final.
    pub(super) next_final_ms: Option<u64>,
    pub(super) phases: Phases,
    /// Height up to which all nodes that host it were compared, and whether they have the same block there.
    pub(super) compared_height: u64,
    pub(super) same_everywhere: bool,
    /// The first reason of a transaction that had no effect.
    pub(super) first_failure: Option<String>,
    pub(super) risk: Option<RiskView>,
}

/// The whole drill.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) version: &'static str,
    pub(super) started_ms: u64,
    pub(super) cloud: String,
    /// Nodes that stayed.
    pub(super) staying: usize,
    pub(super) returned: Vec<Returned>,
    /// What was asked for, and how long the cloud was away.
    pub(super) seconds: u64,
    pub(super) away_ms: u64,
    /// Between two transactions of each chain.
    pub(super) every_ms: u64,
    pub(super) chains: Vec<ChainReport>,
    /// All chains together.
    pub(super) phases: Phases,
    /// Chains that must go on and are driven, and how many of them did.
    pub(super) expected: usize,
    pub(super) went_on: usize,
    /// Every chain that must go on did, and all nodes have the same blocks. Where no chain could be driven nothing is shown.
    pub(super) held: bool,
}

impl Report {
    pub(super) async fn new(
        scope: &Scope,
        seconds: u64,
        logs: &[Log],
        moments: &Moments,
        returned: Vec<Returned>,
    ) -> Result<Self> {
        let all = Client::new(scope.all.iter().map(String::as_str), Options::default()).map_err(sdk)?;
        let chains: Vec<ChainReport> = stream::iter(scope.subjects.iter().zip(logs))
            .map(|(subject, log)| chain(&all, subject, log, moments))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let samples: Vec<Sample> = logs.iter().flat_map(Log::samples).collect();
        let with = |fate: Fate| chains.iter().filter(|chain| chain.fate == fate).count();
        let (went_on, still) = (with(Fate::WentOn), with(Fate::StoodStill));
        Ok(Self {
            version: env!("CARGO_PKG_VERSION"),
            started_ms: clock::now_ms().saturating_sub(ms(moments.began.elapsed())),
            cloud: scope.cloud.clone(),
            staying: scope.staying.len(),
            returned,
            seconds,
            away_ms: ms(moments.returning - moments.gone),
            every_ms: ms(every(scope.subjects.len())),
            held: still == 0
                && with(Fate::NotDriven) < chains.len()
                && chains.iter().all(|chain| chain.same_everywhere),
            expected: went_on + still,
            went_on,
            phases: Phases::of(&samples, moments),
            chains,
        })
    }

    /// The longest time that a chain took for its next block.
    pub(super) fn slowest(&self) -> Option<(&str, u64)> {
        let times = self.chains.iter().filter(|chain| chain.fate == Fate::WentOn);
        let times = times.filter_map(|chain| Some((chain.name.as_str(), chain.next_final_ms?)));
        times.max_by_key(|(_, ms)| *ms)
    }

    /// The time that half of the chains took at most.
    pub(super) fn median_next_ms(&self) -> Option<u64> {
        let times = self.chains.iter().filter(|chain| chain.fate == Fate::WentOn);
        let mut times: Vec<u64> = times.filter_map(|chain| chain.next_final_ms).collect();
        times.sort_unstable();
        rank(&times, 50)
    }

    pub(super) fn print(&self) {
        let head = [
            say::drill_column_chain(),
            say::drill_column_set(),
            say::drill_column_next(),
            say::drill_column_before(),
            say::drill_column_lost(),
            say::drill_column_after(),
            say::drill_column_fate(),
        ];
        let row = |chain: &ChainReport| {
            vec![
                out::one_line(&chain.name),
                say::drill_set(chain.in_cloud, chain.validators, chain.faults_max),
                chain.next_final_ms.map_or_else(|| "-".into(), clock::span),
                latency(&chain.phases.before),
                latency(&chain.phases.lost),
                latency(&chain.phases.after),
                fate(chain),
            ]
        };
        out::table(&head, &self.chains.iter().map(row).collect::<Vec<_>>());
        for node in &self.returned {
            out::line(say::drill_returned(
                out::one_line(&node.node),
                clock::span(node.caught_up_ms),
            ));
        }
        let all = &self.phases;
        for (name, phase) in [
            (say::drill_column_before(), &all.before),
            (say::drill_column_lost(), &all.lost),
            (say::drill_column_returning(), &all.returning),
            (say::drill_column_after(), &all.after),
        ] {
            out::line(say::drill_phase(name, phase.done, phase.failed, latency(phase)));
        }
        out::line(match self.held {
            true => say::drill_held(&self.cloud, self.went_on, self.expected, clock::span(self.away_ms)),
            false => say::drill_not_held(&self.cloud, self.went_on, self.expected),
        });
    }
}

/// A chain's fate in words, with what went wrong beside it.
fn fate(chain: &ChainReport) -> String {
    let fate = match chain.fate {
        Fate::WentOn => say::drill_went_on(),
        Fate::StoodStill => say::drill_stood_still(),
        Fate::StoppedAsAccepted => say::drill_stopped_as_accepted(),
        Fate::NotDriven => say::drill_not_driven(),
    };
    match chain.same_everywhere {
        true => fate,
        false => say::drill_differs(fate, chain.compared_height),
    }
}

fn latency(figures: &Figures) -> String {
    match (figures.p50_ms, figures.p99_ms) {
        (Some(p50), Some(p99)) => format!("{p50}/{p99}"),
        _ => "-".into(),
    }
}

async fn chain(all: &Client, subject: &Subject, log: &Log, moments: &Moments) -> Result<ChainReport> {
    let next = log.first_after(moments.gone).filter(|ended| *ended < moments.returning);
    let fate = match (subject.driven(), next, subject.survives()) {
        (false, _, _) => Fate::NotDriven,
        (true, Some(_), _) => Fate::WentOn,
        (true, None, true) => Fate::StoodStill,
        (true, None, false) => Fate::StoppedAsAccepted,
    };
    let samples = log.samples();
    let (compared_height, same_everywhere) = compare(all, subject).await?;
    Ok(ChainReport {
        name: subject.chain.name().into(),
        id: subject.chain.id().to_string(),
        validators: subject.validators,
        in_cloud: subject.leaving,
        faults_max: subject.faults_max,
        fate,
        next_final_ms: next.map(|ended| ms(ended - moments.lost)),
        phases: Phases::of(&samples, moments),
        compared_height,
        same_everywhere,
        first_failure: samples.into_iter().find_map(|sample| sample.failed),
        risk: subject.risk.clone(),
    })
}

/// The highest block that every node has which hosts a chain, and whether it is the same one.
async fn compare(all: &Client, subject: &Subject) -> Result<(u64, bool)> {
    let id = subject.chain.id().to_string();
    let mut hosts = Vec::new();
    for at in 0..all.urls().count() {
        match all.only(at).chain(&id).await {
            Ok(chain) => hosts.push(chain),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(sdk(error)),
        }
    }
    let mut height = u64::MAX;
    for host in &hosts {
        height = height.min(host.info().await.map_err(sdk)?.height);
    }
    let mut digests = Vec::new();
    for host in &hosts {
        digests.push(host.header(BlockRef::Height(height)).await.map_err(sdk)?.digest);
    }
    Ok((height, digests.windows(2).all(|pair| pair[0] == pair[1])))
}

impl Phases {
    fn of(samples: &[Sample], moments: &Moments) -> Self {
        let within = |from: Instant, to: Instant| move |sample: &&Sample| sample.sent >= from && sample.sent < to;
        // What was under way when the cloud was lost felt the loss.
        let hit = |sample: &&Sample| sample.sent < moments.lost && sample.ended >= moments.lost;
        let quiet = |sample: &&Sample| sample.ended < moments.lost;
        let lost = |sample: &&Sample| hit(sample) || within(moments.lost, moments.returning)(sample);
        Self {
            before: Figures::of(samples.iter().filter(quiet)),
            lost: Figures::of(samples.iter().filter(lost)),
            returning: Figures::of(samples.iter().filter(within(moments.returning, moments.back))),
            after: Figures::of(
                samples
                    .iter()
                    .filter(|sample| sample.sent >= moments.back && sample.sent <= moments.ended),
            ),
        }
    }
}

impl Figures {
    fn of<'a>(samples: impl Iterator<Item = &'a Sample>) -> Self {
        let (done, failed): (Vec<_>, Vec<_>) = samples.partition(|sample| sample.failed.is_none());
        let mut times: Vec<u64> = done.iter().map(|sample| ms(sample.ended - sample.sent)).collect();
        times.sort_unstable();
        Self {
            done: done.len(),
            failed: failed.len(),
            p50_ms: rank(&times, 50),
            p99_ms: rank(&times, 99),
            longest_ms: times.last().copied(),
        }
    }
}

/// The value of the nearest rank that a share, in percent, does not exceed.
fn rank(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(start: Instant) -> Moments {
        let at = |second| start + Duration::from_secs(second);
        Moments {
            began: start,
            lost: at(10),
            gone: at(11),
            returning: at(20),
            back: at(25),
            ended: at(35),
        }
    }

    #[test]
    fn what_was_under_way_at_the_loss_counts_as_lost() {
        let start = Instant::now();
        let sample = |sent: u64, took: u64, failed: bool| Sample {
            sent: start + Duration::from_secs(sent),
            ended: start + Duration::from_secs(sent + took),
            failed: failed.then(|| "x".to_owned()),
        };
        let samples = [
            sample(1, 2, false),
            sample(9, 3, false),
            sample(12, 1, false),
            sample(13, 30, true),
            sample(21, 4, false),
            sample(30, 1, false),
        ];
        let phases = Phases::of(&samples, &moments(start));
        let seen = |figures: &Figures| (figures.done, figures.failed, figures.p50_ms, figures.longest_ms);
        assert_eq!(seen(&phases.before), (1, 0, Some(2_000), Some(2_000)));
        assert_eq!(seen(&phases.lost), (2, 1, Some(1_000), Some(3_000)));
        assert_eq!(seen(&phases.returning), (1, 0, Some(4_000), Some(4_000)));
        assert_eq!(seen(&phases.after), (1, 0, Some(1_000), Some(1_000)));
    }

    #[test]
    fn ranks_are_the_nearest() {
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!((rank(&hundred, 50), rank(&hundred, 99)), (Some(50), Some(99)));
        assert_eq!((rank(&[7], 99), rank(&[], 50)), (Some(7), None));
    }
}
