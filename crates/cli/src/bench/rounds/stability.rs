//! Stability: a steady load far below the peak, for up to hours. Nothing may grow or slow down.

use crate::{
    bench::{
        figures::{ms, percent, rounded, thousandths},
        finish,
        report::Report,
        samples::Sample,
        say,
        schedule::Schedule,
        session::{Measured, Session},
    },
    out,
    problem::{Exit, Result},
};
use serde_json::{Value, json};
use std::time::Duration;

/// Parts that are compared.
const QUARTERS: usize = 4;
/// Memory of the last quarter against the second, at most, beyond what the state itself takes.
const MEMORY_MAX: f64 = 1.1;
/// Bytes of a node's memory that the state tree takes for a deposit for good: a key, with the allocator (`tree_bench`).
const STATE_BYTES: f64 = 113.0;
/// p99 of the last quarter against the second, at most.
const P99_MAX: f64 = 1.5;

/// Whether nothing grew and nothing got slower.
struct Verdict {
    success_rate: f64,
    not_sent: u64,
    /// Mean memory of a node in the second and in the last quarter, bytes; the node that grew most.
    memory: Option<(f64, f64)>,
    /// The same without what the deposits themselves take.
    beyond_state: Option<(f64, f64)>,
    /// p99 of the second and of the last quarter, ms.
    p99: (f64, f64),
}

impl Verdict {
    fn of(measured: &Measured, time: Duration) -> Self {
        let outcome = &measured.outcome;
        let p99 = |quarter: usize| outcome.parts.get(quarter).map_or(0.0, |part| part.latencies.ms(0.99));
        Self {
            success_rate: outcome.success_rate(),
            not_sent: outcome.not_sent(),
            memory: memory(&outcome.samples, time, 0.0),
            beyond_state: memory(&outcome.samples, time, STATE_BYTES),
            p99: (p99(1), p99(QUARTERS - 1)),
        }
    }

    fn holds(&self) -> bool {
        self.success_rate >= 1.0
            && self.not_sent == 0
            && self.beyond_state.is_none_or(|both| ratio(both) <= MEMORY_MAX)
            && ratio(self.p99) <= P99_MAX
    }

    fn json(&self) -> Value {
        json!({
            "holds": self.holds(),
            "success_rate": self.success_rate,
            "not_sent": self.not_sent,
            "memory_second_quarter_bytes": self.memory.map(|(second, _)| second.round()),
            "memory_last_quarter_bytes": self.memory.map(|(_, last)| last.round()),
            "memory_ratio": self.memory.map(ratio).map(thousandths),
            "memory_beyond_state_ratio": self.beyond_state.map(ratio).map(thousandths),
            "p99_second_quarter_ms": self.p99.0,
            "p99_last_quarter_ms": self.p99.1,
            "p99_ratio": thousandths(ratio(self.p99)),
        })
    }
}

fn ratio((before, after): (f64, f64)) -> f64 {
    match before > 0.0 {
        true => after / before,
        // Nothing was committed in the second quarter: nothing can be said for the run.
        false => f64::MAX,
    }
}

/// Mean memory in the second and the last quarter of the node that grew most, less so many bytes for each transaction
/// that was committed by then.
fn memory(samples: &[Sample], time: Duration, each: f64) -> Option<(f64, f64)> {
    let quarter = time.as_secs_f64() / QUARTERS as f64;
    let mean = |node: usize, at: usize| {
        let (mut sum, mut count, mut committed) = (0.0, 0.0, 0.0);
        for sample in samples {
            committed += sample.committed as f64;
            // Samples end some milliseconds late: their middle tells where they belong.
            let middle = sample.second - sample.seconds / 2.0;
            if (middle / quarter) as usize == at {
                sum += *sample.memory.get(node)? as f64 - committed * each;
                count += 1.0;
            }
        }
        (count > 0.0).then_some(sum / count)
    };
    let nodes = samples.first()?.memory.len();
    (0..nodes)
        .filter_map(|node| Some((mean(node, 1)?, mean(node, QUARTERS - 1)?)))
        .max_by(|one, other| ratio(*one).total_cmp(&ratio(*other)))
}

pub(super) async fn run(session: &mut Session<'_>) -> Result<Exit> {
    let (rate, peak) = super::rate(session).await?;
    let time = session.arguments.time();
    let cuts = (1..QUARTERS as u32)
        .map(|quarter| time * quarter / QUARTERS as u32)
        .collect();
    let measured = session.open(Schedule::steady(rate, time), cuts).await?;
    let verdict = Verdict::of(&measured, time);
    let report = Report::new(session, &measured);
    if session.arguments.json {
        let mut all = report.json();
        all["round"] = "stability".into();
        all["peak_tps"] = json!(peak.map(rounded));
        all["verdict"] = verdict.json();
        out::json(&all);
    } else {
        out::line(say::bench_stability_head(
            session.target.nodes,
            format!("{rate:.0}"),
            session.arguments.seconds,
        ));
        report.print_rows();
        print(&verdict);
    }
    finish(session, &measured.outcome)
}

fn print(verdict: &Verdict) {
    let mib = |bytes: f64| format!("{:.0}", bytes / f64::from(1 << 20));
    out::line(match verdict.holds() {
        true => say::bench_stable(),
        false => say::bench_not_stable(),
    });
    let mut rows = vec![(
        say::bench_success(),
        say::bench_verdict_success(percent(verdict.success_rate), verdict.not_sent),
    )];
    let most = format!("{:.0}", MEMORY_MAX * 100.0);
    if let (Some((second, last)), Some(beyond)) = (verdict.memory, verdict.beyond_state) {
        let share = format!("{:.0}", ratio(beyond) * 100.0);
        let value = say::bench_verdict_memory(mib(second), mib(last), share, most);
        rows.push((say::bench_memory(), value));
    }
    let (second, last) = verdict.p99;
    let share = format!("{:.0}", ratio(verdict.p99).min(99.99) * 100.0);
    let most = format!("{:.0}", P99_MAX * 100.0);
    let value = say::bench_verdict_quarters(ms(second), ms(last), "ms", share, most);
    rows.push(("p99".into(), value));
    out::fields(&rows);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_node_that_grew_most_counts() {
        let samples: Vec<Sample> = (1..=8u64)
            .map(|second| Sample {
                second: second as f64 + 0.004,
                seconds: 1.0,
                committed: 5,
                memory: vec![100, 100 + second * 10],
                ..Sample::default()
            })
            .collect();
        // Quarters of two seconds: the second has 3 and 4, the last 7 and 8.
        let time = Duration::from_secs(8);
        assert_eq!(memory(&samples, time, 0.0), Some((135.0, 175.0)));
        // All that it grew by is what was committed.
        assert_eq!(memory(&samples, time, 2.0), Some((100.0, 100.0)));
        assert_eq!(memory(&[], time, 0.0), None);
    }

    #[test]
    fn a_run_holds_only_if_everything_does() {
        let verdict = |success_rate, not_sent, beyond, p99| Verdict {
            success_rate,
            not_sent,
            memory: Some((100.0, 500.0)),
            beyond_state: Some(beyond),
            p99,
        };
        let flat = (100.0, 109.0);
        assert!(verdict(1.0, 0, flat, (20.0, 29.0)).holds());
        assert!(!verdict(0.999, 0, flat, (20.0, 20.0)).holds());
        assert!(!verdict(1.0, 1, flat, (20.0, 20.0)).holds());
        assert!(!verdict(1.0, 0, (100.0, 120.0), (20.0, 20.0)).holds());
        assert!(!verdict(1.0, 0, flat, (20.0, 31.0)).holds());
        assert!(!verdict(1.0, 0, flat, (0.0, 20.0)).holds());
    }
}
