//! What a run came to, for people and for programs.

use super::{
    Arguments,
    disk::Disk,
    flight::Outcome,
    load::Plan,
    say,
    supply::Cost,
    usage::{self, Process},
};
use crate::out;
use serde_json::{Value, json};
use std::time::Duration;

const MIB: u64 = 1 << 20;

/// Use of the processes at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    cpu: Vec<Duration>,
    loader: Duration,
    memory: Vec<u64>,
    stored: u64,
}

impl Reading {
    pub(crate) fn now(processes: &[Process]) -> Self {
        Self {
            cpu: processes.iter().map(|process| usage::cpu(process.pid)).collect(),
            loader: usage::cpu(std::process::id()),
            memory: processes.iter().map(|process| usage::memory(process.pid)).collect(),
            stored: processes
                .iter()
                .filter_map(|process| process.folder.as_deref())
                .map(usage::stored)
                .sum(),
        }
    }

    /// Memory of each process, MiB.
    pub(crate) fn memory_mib(&self) -> Vec<u64> {
        self.memory.iter().map(|bytes| bytes / MIB).collect()
    }
}

/// Processor time between two readings.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cpu {
    nodes: Duration,
    loader: Duration,
}

impl Cpu {
    pub(crate) fn between(start: &Reading, end: &Reading) -> Self {
        let nodes = start
            .cpu
            .iter()
            .zip(&end.cpu)
            .map(|(start, end)| end.saturating_sub(*start))
            .sum();
        Self {
            nodes,
            loader: end.loader.saturating_sub(start.loader),
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.nodes += other.nodes;
        self.loader += other.loader;
    }
}

/// 100,000 transactions, or what is left, of a long run.
#[derive(Debug, Clone)]
pub(crate) struct Leg {
    pub(crate) first: u64,
    pub(crate) outcome: Outcome,
    pub(crate) memory_mib: Vec<u64>,
}

impl Leg {
    /// A line for the person who waits.
    pub(crate) fn print(&mut self) {
        let memory: Vec<String> = self.memory_mib.iter().map(|mib| format!("{mib} MiB")).collect();
        let last = self.first + self.outcome.sent.saturating_sub(1);
        let (p50, p99) = (self.outcome.latency_ms(0.5), self.outcome.latency_ms(0.99));
        let tps = format!("{:.0}", self.outcome.tps());
        let memory = memory.join(", ");
        out::line(say::bench_leg(self.first, last, tps, ms(p50), ms(p99), memory));
    }

    fn json(&mut self) -> Value {
        json!({
            "first": self.first, "sent": self.outcome.sent, "committed": self.outcome.committed,
            "committed_tps": rounded(self.outcome.tps()), "p50_ms": self.outcome.latency_ms(0.5),
            "p99_ms": self.outcome.latency_ms(0.99), "memory_mib": self.memory_mib,
        })
    }
}

/// All that is known of a run.
pub(crate) struct Report<'a> {
    pub(crate) arguments: &'a Arguments,
    pub(crate) plan: Plan,
    pub(crate) nodes: usize,
    pub(crate) processes: &'a [Process],
    pub(crate) disk: Option<Disk>,
    pub(crate) transaction_bytes: u64,
    pub(crate) signing: Cost,
    pub(crate) outcome: Outcome,
    pub(crate) cpu: Cpu,
    pub(crate) start: Reading,
    pub(crate) end: Reading,
    pub(crate) legs: Vec<Leg>,
}

impl Report<'_> {
    /// Processor time of all processes for one transaction, ms; none where the nodes' processes are not known.
    fn cpu_ms_per_tx(&self) -> Option<f64> {
        let all = self.cpu.nodes + self.cpu.loader;
        (!self.processes.is_empty()).then(|| self.per_tx(all))
    }

    fn per_tx(&self, time: Duration) -> f64 {
        time.as_secs_f64() * 1000.0 / self.outcome.committed.max(1) as f64
    }

    fn stored_per_tx(&self) -> Option<u64> {
        let bytes = self.end.stored.saturating_sub(self.start.stored);
        let all = self.outcome.committed.max(1) * self.processes.len() as u64;
        (!self.processes.is_empty()).then(|| bytes / all)
    }

    fn tx_per_block(&self) -> f64 {
        self.outcome.committed as f64 / self.outcome.blocks.max(1) as f64
    }

    /// One object with every figure.
    pub(crate) fn json(&mut self) -> Value {
        let latency = [0.5, 0.99, 1.0].map(|share| self.outcome.latency_ms(share));
        let memory: Vec<Value> = (0..self.processes.len())
            .map(|at| {
                let name = &self.processes[at].name;
                json!({ "node": name, "start_bytes": self.start.memory[at], "end_bytes": self.end.memory[at] })
            })
            .collect();
        let legs: Vec<Value> = self.legs.iter_mut().map(Leg::json).collect();
        let outcome = &self.outcome;
        json!({
            "committed_tps": rounded(outcome.tps()),
            "success_rate": outcome.success_rate(),
            "p50_ms": latency[0],
            "p99_ms": latency[1],
            "max_ms": latency[2],
            "cpu_ms_per_tx": self.cpu_ms_per_tx().map(thousandths),
            "cpu_nodes_ms_per_tx": self.cpu_ms_per_tx().map(|_| thousandths(self.per_tx(self.cpu.nodes))),
            "cpu_loader_ms_per_tx": thousandths(self.per_tx(self.cpu.loader)),
            "nodes": self.nodes,
            "fsyncs_per_s": self.disk.as_ref().map(|disk| disk.syncs_per_s),
            "path": self.disk.as_ref().map(|disk| &disk.path),
            "file_system": self.disk.as_ref().map(|disk| &disk.file_system),
            "clients": self.plan.clients,
            "wait": self.plan.wait,
            "batch": if self.plan.wait { 1 } else { self.plan.batch },
            "window": if self.plan.wait { 1 } else { self.plan.window },
            "transaction_bytes": self.transaction_bytes,
            "sent": outcome.sent,
            "committed": outcome.committed,
            "failed": outcome.failed,
            "unresolved": outcome.unresolved,
            "first_refusal": outcome.refusal,
            "resubmissions": outcome.pauses,
            "seconds": thousandths(outcome.elapsed.as_secs_f64()),
            "used_up": outcome.used_up,
            "blocks": outcome.blocks,
            "tx_per_block": rounded(self.tx_per_block()),
            "disk_bytes_per_tx": self.stored_per_tx(),
            "memory": memory,
            "signing": {
                "transactions": self.signing.count,
                "seconds": thousandths(self.signing.elapsed.as_secs_f64()),
                "cpu_s": thousandths(self.signing.cpu.as_secs_f64()),
            },
            "legs": legs,
        })
    }

    /// The same for a person.
    pub(crate) fn print(&mut self) {
        let rows = self.rows();
        out::line(say::bench_head(self.nodes, self.plan.clients));
        out::fields(&rows);
        if let Some(why) = &self.outcome.refusal {
            out::note_line(say::bench_refused(out::one_line(why)));
        }
        if self.outcome.used_up {
            out::note_line(say::bench_used_up());
        }
        if !self.legs.is_empty() {
            out::note_line(say::bench_legs_note());
        }
    }

    fn rows(&mut self) -> Vec<(String, String)> {
        let [p50, p99, max] = [0.5, 0.99, 1.0].map(|share| ms(self.outcome.latency_ms(share)));
        let outcome = &self.outcome;
        let seconds = format!("{:.1}", outcome.elapsed.as_secs_f64());
        let rate = format!("{:.3}", outcome.success_rate() * 100.0);
        let loader = ms(self.per_tx(self.cpu.loader));
        let mode = match self.plan.wait {
            true => say::bench_mode_wait(),
            false => say::bench_mode_stream(self.plan.batch, self.plan.window),
        };
        let mut rows = vec![
            (say::bench_mode(), mode),
            (
                say::bench_throughput(),
                say::bench_throughput_value(format!("{:.0}", outcome.tps()), outcome.committed, seconds),
            ),
            (
                say::bench_success(),
                say::bench_success_value(rate, outcome.sent, outcome.failed, outcome.unresolved, outcome.pauses),
            ),
            (say::bench_latency(), say::bench_latency_value(p50, p99, max)),
            (
                say::bench_cpu(),
                match self.cpu_ms_per_tx() {
                    Some(all) => say::bench_cpu_value(ms(all), ms(self.per_tx(self.cpu.nodes)), loader),
                    None => say::bench_cpu_unknown(loader),
                },
            ),
            (
                say::bench_blocks(),
                say::bench_blocks_value(outcome.blocks, format!("{:.0}", self.tx_per_block())),
            ),
            (
                say::bench_size(),
                say::bench_size_value(self.transaction_bytes, self.arguments.size),
            ),
        ];
        rows.extend(self.machine_rows());
        rows
    }

    fn machine_rows(&self) -> Vec<(String, String)> {
        let mut rows = Vec::new();
        if let Some(disk) = &self.disk {
            let value = say::bench_disk_value(disk.path.display(), &disk.file_system, disk.syncs_per_s);
            rows.push((say::bench_disk(), value));
        }
        if let Some(bytes) = self.stored_per_tx() {
            rows.push((say::bench_stored(), say::bench_stored_value(bytes)));
        }
        let (start, end) = (self.start.memory_mib(), self.end.memory_mib());
        for (at, process) in self.processes.iter().enumerate() {
            let label = if at == 0 { say::bench_memory() } else { String::new() };
            rows.push((label, say::bench_memory_value(&process.name, start[at], end[at])));
        }
        let Cost { count, elapsed, cpu } = self.signing;
        let seconds = elapsed.as_secs_f64().max(0.001);
        let each = cpu.as_secs_f64() * 1000.0 / count.max(1) as f64;
        let value = say::bench_sign_value(
            count,
            format!("{seconds:.1}"),
            format!("{:.0}", count as f64 / seconds),
            ms(each),
        );
        rows.push((say::bench_sign(), value));
        rows
    }
}

fn ms(value: f64) -> String {
    match value {
        _ if value < 1.0 => format!("{value:.3}"),
        _ if value < 10.0 => format!("{value:.2}"),
        _ => format!("{value:.0}"),
    }
}

fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn thousandths(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_the_digits_that_matter() {
        assert_eq!([0.2834, 3.456, 129.4].map(ms), ["0.283", "3.46", "129"]);
        assert_eq!((rounded(5123.456), thousandths(0.28349)), (5123.5, 0.283));
    }
}
