//! What a run over the relay chain came to, for a person and for a program.

use super::{
    Arguments,
    load::{Measured, Sample, WARM_UP},
    stage::Stage,
};
use crate::{
    bench::{
        figures::{ms, rounded, thousandths},
        say,
    },
    out, text,
};
use serde_json::{Value, json};
use std::time::Duration;
use yulian_agents::relay::RelayStatus;

/// Samples that a person is shown of a run.
const ROWS: usize = 12;

pub(super) struct Report<'a> {
    arguments: &'a Arguments,
    stage: &'a Stage,
    measured: &'a Measured,
    agent: Option<RelayStatus>,
}

impl<'a> Report<'a> {
    pub(super) fn new(arguments: &'a Arguments, stage: &'a Stage, measured: &'a Measured) -> Self {
        Self {
            arguments,
            stage,
            measured,
            agent: stage.agent(),
        }
    }

    /// Messages that have no end at their source.
    fn lost(&self) -> u64 {
        self.measured.ends.open
    }

    /// Every message that was sent is done.
    pub(super) fn holds(&self) -> bool {
        let ends = &self.measured.ends;
        let sent = self.measured.tally.sent;
        sent > 0 && ends.done == sent && self.lost() == 0
    }

    /// Acknowledged in a second, between the warm-up and the end of the load.
    fn sustained(&self) -> f64 {
        let (first, last) = (WARM_UP.as_secs_f64(), self.arguments.seconds as f64);
        let at = |second: f64| self.measured.samples.iter().find(|sample| sample.second >= second);
        match (at(first), at(last)) {
            (Some(from), Some(to)) if to.second > from.second => {
                (to.ended - from.ended) as f64 / (to.second - from.second)
            }
            _ => self.overall(),
        }
    }

    /// Acknowledged in a second, from the first question to the last end.
    fn overall(&self) -> f64 {
        self.measured.tally.ended as f64 / self.measured.elapsed.as_secs_f64().max(0.001)
    }

    fn latency(&self, share: f64) -> f64 {
        self.measured.tally.latencies.ms(share)
    }

    fn backlog_max(&self) -> u64 {
        self.measured
            .samples
            .iter()
            .map(|sample| sample.open)
            .max()
            .unwrap_or(0)
    }

    fn per_message(&self, time: Duration) -> f64 {
        time.as_secs_f64() * 1_000.0 / self.measured.tally.ended.max(1) as f64
    }

    pub(super) fn json(&self) -> Value {
        let Measured {
            tally,
            ends,
            not_sent,
            samples,
            elapsed,
            height,
            ..
        } = self.measured;
        let shown: Vec<Value> = samples.iter().map(sample_json).collect();
        json!({
            "rate": self.arguments.rate,
            "chains": self.stage.sources.len(),
            "acknowledged_per_s": rounded(self.sustained()),
            "overall_per_s": rounded(self.overall()),
            "p50_ms": self.latency(0.5),
            "p99_ms": self.latency(0.99),
            "max_ms": self.latency(1.0),
            "asked": tally.asked,
            "not_sent": not_sent,
            "refused": tally.refused,
            "first_refusal": tally.refusal,
            "sent": tally.sent,
            "ended": tally.ended,
            "done": ends.done,
            "failed": ends.failed,
            "timed_out": ends.timed_out,
            "given_up": ends.given_up,
            "lost": self.lost(),
            "backlog_max": self.backlog_max(),
            "seconds": thousandths(elapsed.as_secs_f64()),
            "source_blocks": height,
            "cpu": self.cpu_json(),
            "agent": self.agent,
            "samples": shown,
        })
    }

    fn cpu_json(&self) -> Vec<Value> {
        let Measured { cpu, start, end, .. } = self.measured;
        let processes = self.stage.processes.iter().enumerate();
        let of = |(at, process): (usize, &crate::bench::usage::Process)| {
            let time = cpu.each.get(at).copied().unwrap_or_default();
            json!({
                "process": process.name,
                "ms_per_message": thousandths(self.per_message(time)),
                "cores": thousandths(time.as_secs_f64() / self.wall()),
                "memory_start_bytes": start.memory.get(at),
                "memory_end_bytes": end.memory.get(at),
            })
        };
        let loader = json!({ "process": "yulian bench", "ms_per_message": thousandths(self.per_message(cpu.loader)),
            "cores": thousandths(cpu.loader.as_secs_f64() / self.wall()) });
        processes.map(of).chain([loader]).collect()
    }

    /// Seconds between the two readings.
    fn wall(&self) -> f64 {
        self.measured.samples.last().map_or(1.0, |sample| sample.second)
    }

    pub(super) fn print(&self) {
        let Measured {
            tally, ends, not_sent, ..
        } = self.measured;
        out::line(say::bench_relay_head(self.stage.sources.len(), self.arguments.rate));
        let [p50, p99, max] = [0.5, 0.99, 1.0].map(|share| ms(self.latency(share)));
        let per_s = |value: f64| format!("{value:.0}");
        let mut rows = vec![
            (
                say::bench_relay_rate(),
                say::bench_relay_rate_value(per_s(self.sustained()), per_s(self.overall()), tally.ended),
            ),
            (say::bench_latency(), say::bench_relay_latency_value(p50, p99, max)),
            (
                say::bench_relay_ends(),
                say::bench_relay_ends_value(
                    tally.sent,
                    ends.done,
                    ends.failed,
                    ends.timed_out,
                    ends.given_up,
                    self.lost(),
                ),
            ),
            (
                say::bench_not_sent(),
                say::bench_relay_not_sent_value(not_sent, tally.refused),
            ),
        ];
        rows.extend(self.process_rows());
        rows.extend(self.backlog_rows());
        out::fields(&rows);
        if let Some(why) = &tally.refusal {
            out::note_line(say::bench_refused(out::one_line(why)));
        }
        if let Some(error) = self.agent.as_ref().and_then(|agent| agent.last_error.as_ref()) {
            out::note_line(text::say::fusion_agent_error(&error.chain, out::one_line(&error.text)));
        }
    }

    fn process_rows(&self) -> Vec<(String, String)> {
        let Measured { cpu, start, end, .. } = self.measured;
        let (start, end) = (start.memory_mib(), end.memory_mib());
        let row = |(at, process): (usize, &crate::bench::usage::Process)| {
            let label = if at == 0 { say::bench_cpu() } else { String::new() };
            let time = cpu.each.get(at).copied().unwrap_or_default();
            let cores = format!("{:.2}", time.as_secs_f64() / self.wall());
            let each = ms(self.per_message(time));
            let value = say::bench_relay_process_value(&process.name, each, cores, start[at], end[at]);
            (label, value)
        };
        self.stage.processes.iter().enumerate().map(row).collect()
    }

    fn backlog_rows(&self) -> Vec<(String, String)> {
        let samples = &self.measured.samples;
        let step = samples.len().div_ceil(ROWS).max(1);
        let shown = samples.iter().step_by(step).enumerate();
        let row = |(at, sample): (usize, &Sample)| {
            let label = if at == 0 {
                say::bench_relay_backlog()
            } else {
                String::new()
            };
            let second = format!("{:.0}", sample.second);
            let agent: usize = sample.agent.values().sum();
            let value = say::bench_relay_backlog_value(second, sample.asked, sample.ended, sample.open, agent);
            (label, value)
        };
        shown.map(row).collect()
    }
}

fn sample_json(sample: &Sample) -> Value {
    json!({ "second": thousandths(sample.second), "asked": sample.asked, "ended": sample.ended,
        "open": sample.open, "agent_backlog": sample.agent })
}
