//! Spike: a base rate, five times as much for a few seconds, the base rate again.

use crate::{
    bench::{
        figures::{ms, rounded, thousandths},
        finish,
        outcome::{Outcome, Part},
        report::Report,
        samples::Sample,
        say,
        schedule::{Schedule, Step},
        session::{Measured, Session},
    },
    out,
    problem::{Exit, Result},
};
use serde_json::{Value, json};
use std::time::Duration;

/// The spike is so many times the base rate.
const TIMES: f64 = 5.0;
/// Longest spike.
const SPIKE_MAX: Duration = Duration::from_secs(5);
/// Latency is as before when it is at most so many times that of the base, or below [`CALM_MS`].
const CALM: f64 = 2.0;
/// Seconds whose p99 is below this are calm whatever the base was, ms.
const CALM_MS: f64 = 50.0;

pub(super) async fn run(session: &mut Session<'_>) -> Result<Exit> {
    let (base, peak) = super::rate(session).await?;
    let schedule = schedule(base, session.arguments.time());
    let cuts = schedule.cuts();
    let measured = session.open(schedule, cuts.clone()).await?;
    let recovered = cuts
        .get(1)
        .and_then(|end| recovered_s(&measured.outcome, cuts[0], *end));
    match session.arguments.json {
        true => out::json(&json(session, &measured, base, peak, recovered)),
        false => print(session, &measured, base, recovered),
    }
    finish(session, &measured.outcome)
}

/// A quarter of the time before, a quarter but at most some seconds of spike, the rest after.
fn schedule(base: f64, time: Duration) -> Schedule {
    let (before, spike) = (time / 4, (time / 4).min(SPIKE_MAX));
    let step = |rate, time| Step { rate, time };
    Schedule::new(vec![
        step(base, before),
        step(base * TIMES, spike),
        step(base, time - before - spike),
    ])
}

/// Seconds from the end of the spike until each second's p99 stays as it was before; none if it does not.
fn recovered_s(outcome: &Outcome, begin: Duration, end: Duration) -> Option<f64> {
    let (begin, end) = (begin.as_secs_f64(), end.as_secs_f64());
    // Samples end some milliseconds late: their middle tells where they belong.
    let middle = |sample: &Sample| sample.second - sample.seconds / 2.0;
    let before: Vec<&Sample> = outcome.samples.iter().filter(|sample| middle(sample) < begin).collect();
    // The first second warms up, unless there is no other.
    let warm = usize::from(before.len() > 1);
    let usual = before[warm..].iter().map(|sample| sample.p99_ms).fold(0.0, f64::max);
    let is_calm = |sample: &Sample| sample.p99_ms <= (usual * CALM).max(CALM_MS);
    let after: Vec<&Sample> = outcome.samples.iter().filter(|sample| middle(sample) > end).collect();
    let restless = after.iter().rposition(|sample| !is_calm(sample));
    match restless {
        None => (!after.is_empty()).then_some(0.0),
        Some(last) => after.get(last + 1).map(|_| after[last].second - end),
    }
}

/// Name and figures of each part.
fn phases(measured: &Measured) -> Vec<(&'static str, String, f64, &Part)> {
    let names = [
        ("before", say::bench_phase_before()),
        ("spike", say::bench_phase_spike()),
        ("after", say::bench_phase_after()),
    ];
    let open = measured.open.as_ref();
    let mut begins = vec![Duration::ZERO];
    begins.extend(open.map(|open| open.schedule.cuts()).unwrap_or_default());
    let rate = |begin: &Duration| open.map_or(0.0, |open| open.schedule.rate_at(*begin));
    names
        .into_iter()
        .zip(begins.iter().map(rate))
        .zip(&measured.outcome.parts)
        .map(|(((code, name), rate), part)| (code, name, rate, part))
        .collect()
}

fn json(session: &Session<'_>, measured: &Measured, base: f64, peak: Option<f64>, recovered: Option<f64>) -> Value {
    let mut all = Report::new(session, measured).json();
    let phase = |(code, _, rate, part): (&str, String, f64, &Part)| {
        json!({
            "phase": code, "rate": rounded(rate), "sent": part.sent, "not_sent": part.not_sent,
            "committed": part.latencies.count(), "p50_ms": part.latencies.ms(0.5), "p99_ms": part.latencies.ms(0.99),
            "p999_ms": part.latencies.ms(0.999), "max_ms": part.latencies.ms(1.0),
        })
    };
    all["round"] = "spike".into();
    all["base_rate"] = json!(rounded(base));
    all["peak_tps"] = json!(peak.map(rounded));
    all["phases"] = phases(measured).into_iter().map(phase).collect();
    all["recovered_s"] = json!(recovered.map(thousandths));
    all
}

fn print(session: &Session<'_>, measured: &Measured, base: f64, recovered: Option<f64>) {
    out::line(say::bench_spike_head(
        session.target.nodes,
        format!("{base:.0}"),
        format!("{TIMES:.0}"),
    ));
    let head = [
        say::bench_col_phase(),
        say::bench_col_rate(),
        say::bench_col_sent(),
        say::bench_col_not_sent(),
        say::bench_col_committed(),
        "p50 ms".into(),
        "p99 ms".into(),
        "p99.9 ms".into(),
    ];
    let row = |(_, name, rate, part): (&str, String, f64, &Part)| {
        let mut row = vec![name, format!("{rate:.0}")];
        row.extend([part.sent, part.not_sent, part.latencies.count()].map(|count| count.to_string()));
        row.extend([0.5, 0.99, 0.999].map(|share| ms(part.latencies.ms(share))));
        row
    };
    out::table(&head, &phases(measured).into_iter().map(row).collect::<Vec<_>>());
    out::line(match recovered {
        Some(seconds) => say::bench_recovered(format!("{seconds:.1}")),
        None => say::bench_not_recovered(),
    });
    Report::new(session, measured).print_rows();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spike_is_short_and_the_time_is_kept() {
        let seconds = Duration::from_secs;
        for (time, cuts) in [(8, [2, 4]), (20, [5, 10]), (60, [15, 20])] {
            let schedule = schedule(10.0, seconds(time));
            assert_eq!(schedule.cuts(), cuts.map(seconds));
            assert_eq!((schedule.time(), schedule.peak()), (seconds(time), 50.0));
        }
    }

    #[test]
    fn recovery_is_when_latency_stays_as_before() {
        let outcome = |after: &[f64]| Outcome {
            samples: [900.0, 40.0, 30.0, 400.0]
                .iter()
                .chain(after)
                .enumerate()
                .map(|(at, p99_ms)| Sample {
                    second: at as f64 + 1.003,
                    seconds: 1.0,
                    p99_ms: *p99_ms,
                    ..Sample::default()
                })
                .collect(),
            ..Outcome::default()
        };
        let of = |after: &[f64]| recovered_s(&outcome(after), Duration::from_secs(3), Duration::from_secs(4));
        assert_eq!(of(&[80.0, 20.0]), Some(0.0));
        assert!((of(&[300.0, 20.0, 200.0, 20.0]).unwrap() - 3.0).abs() < 0.01);
        assert_eq!((of(&[20.0, 200.0]), of(&[])), (None, None));
    }
}
