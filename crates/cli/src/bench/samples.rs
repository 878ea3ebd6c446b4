//! How a run goes: a sample each second.

use super::{
    figures::{rounded, thousandths},
    flight::Flight,
    reading::{Cpu, Reading},
    usage::Process,
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval_at},
};

/// Between two samples.
const EVERY: Duration = Duration::from_secs(1);
/// A rest that is shorter than this says little and is left out.
const SHORTEST: Duration = Duration::from_millis(250);

/// What happened in about a second, and what the processes used.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sample {
    /// Its end, seconds from the start.
    pub(crate) second: f64,
    /// How long it is.
    pub(crate) seconds: f64,
    pub(crate) sent: u64,
    pub(crate) not_sent: u64,
    pub(crate) committed: u64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Share of one core that each node used.
    pub(crate) cores: Vec<f64>,
    pub(crate) loader_cores: f64,
    /// Memory of each node, bytes.
    pub(crate) memory: Vec<u64>,
}

impl Sample {
    /// Committed in a second.
    pub(crate) fn tps(&self) -> f64 {
        self.committed as f64 / self.seconds.max(0.001)
    }

    pub(crate) fn json(&self) -> Value {
        let cores: Vec<f64> = self.cores.iter().copied().map(thousandths).collect();
        json!({
            "second": thousandths(self.second), "sent": self.sent, "not_sent": self.not_sent,
            "committed": self.committed, "committed_tps": rounded(self.tps()), "p50_ms": self.p50_ms,
            "p99_ms": self.p99_ms, "cpu_cores": cores, "loader_cpu_cores": thousandths(self.loader_cores),
            "memory_bytes": self.memory,
        })
    }
}

/// Takes samples until told that the run is over.
pub(super) async fn watch(flight: &Flight, processes: &[Process], mut over: watch::Receiver<bool>) -> Vec<Sample> {
    let start = Instant::from_std(flight.started());
    let mut ticks = interval_at(start + EVERY, EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut before, mut at) = (Reading::of_processes(processes), start);
    let mut samples: Vec<Sample> = Vec::new();
    loop {
        let last = tokio::select! {
            _ = ticks.tick() => false,
            _ = over.wait_for(|over| *over) => true,
        };
        let now = Instant::now();
        if last && now - at < SHORTEST && !samples.is_empty() {
            return samples;
        }
        let after = Reading::of_processes(processes);
        let cpu = Cpu::between(&before, &after);
        let seconds = (now - at).as_secs_f64().max(0.001);
        let cores = |spent: &Duration| spent.as_secs_f64() / seconds;
        let recent = flight.take_recent();
        samples.push(Sample {
            second: (now - start).as_secs_f64(),
            seconds,
            sent: recent.sent,
            not_sent: recent.not_sent,
            committed: recent.committed,
            p50_ms: recent.latencies.ms(0.5),
            p99_ms: recent.latencies.ms(0.99),
            cores: cpu.each.iter().map(cores).collect(),
            loader_cores: cores(&cpu.loader),
            memory: after.memory.clone(),
        });
        if last {
            return samples;
        }
        (before, at) = (after, now);
    }
}
