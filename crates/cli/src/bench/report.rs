//! What a run came to: the figures that follow from it, and one JSON object with all of them.

use super::{
    figures::{ms, rounded, thousandths},
    outcome::Outcome,
    samples::Sample,
    say,
    session::{Measured, Session},
};
use crate::out;
use serde_json::{Value, json};
use std::time::Duration;

/// The loader among the processes.
const LOADER: &str = "loader";

/// 100,000 transactions, or what is left, of a long run.
#[derive(Debug, Clone)]
pub(crate) struct Leg {
    pub(crate) first: u64,
    pub(crate) outcome: Outcome,
    pub(crate) memory_mib: Vec<u64>,
}

impl Leg {
    /// A line for the person who waits.
    pub(crate) fn print(&self) {
        let memory: Vec<String> = self.memory_mib.iter().map(|mib| format!("{mib} MiB")).collect();
        let last = self.first + self.outcome.sent.saturating_sub(1);
        let (p50, p99) = (self.outcome.latency_ms(0.5), self.outcome.latency_ms(0.99));
        let tps = format!("{:.0}", self.outcome.tps());
        let memory = memory.join(", ");
        out::line(say::bench_leg(self.first, last, tps, ms(p50), ms(p99), memory));
    }

    fn json(&self) -> Value {
        json!({
            "first": self.first, "sent": self.outcome.sent, "committed": self.outcome.committed,
            "committed_tps": rounded(self.outcome.tps()), "p50_ms": self.outcome.latency_ms(0.5),
            "p99_ms": self.outcome.latency_ms(0.99), "memory_mib": self.memory_mib,
        })
    }
}

/// All that is known of a run.
pub(crate) struct Report<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) measured: &'a Measured,
}

impl<'a> Report<'a> {
    pub(crate) fn new(session: &'a Session<'a>, measured: &'a Measured) -> Self {
        Self { session, measured }
    }

    /// Processor time of all processes for one transaction, ms; none where the nodes' processes are not known.
    pub(crate) fn cpu_ms_per_tx(&self) -> Option<f64> {
        let cpu = &self.measured.cpu;
        (!self.session.target.processes.is_empty()).then(|| self.per_tx(cpu.nodes() + cpu.loader))
    }

    pub(super) fn per_tx(&self, time: Duration) -> f64 {
        time.as_secs_f64() * 1000.0 / self.measured.outcome.committed.max(1) as f64
    }

    pub(super) fn stored_per_tx(&self) -> Option<u64> {
        let Measured {
            start, end, outcome, ..
        } = self.measured;
        let processes = self.session.target.processes.len() as u64;
        let bytes = end.stored.saturating_sub(start.stored);
        (processes > 0).then(|| bytes / (outcome.committed.max(1) * processes))
    }

    pub(super) fn tx_per_block(&self) -> f64 {
        let outcome = &self.measured.outcome;
        outcome.committed as f64 / outcome.blocks.max(1) as f64
    }

    /// One object with every figure.
    pub(crate) fn json(&self) -> Value {
        let mut all = self.run_json();
        // Two objects, because one macro of so many keys is too deep for the compiler.
        for more in [self.machine_json(), self.open_json()] {
            if let (Value::Object(all), Value::Object(more)) = (&mut all, more) {
                all.extend(more);
            }
        }
        all
    }

    fn run_json(&self) -> Value {
        let Measured { outcome, plan, .. } = self.measured;
        let cpu = &self.measured.cpu;
        json!({
            "committed_tps": rounded(outcome.tps()),
            "success_rate": outcome.success_rate(),
            "p50_ms": outcome.latency_ms(0.5),
            "p99_ms": outcome.latency_ms(0.99),
            "p999_ms": outcome.latency_ms(0.999),
            "max_ms": outcome.latency_ms(1.0),
            "cpu_ms_per_tx": self.cpu_ms_per_tx().map(thousandths),
            "cpu_nodes_ms_per_tx": self.cpu_ms_per_tx().map(|_| thousandths(self.per_tx(cpu.nodes()))),
            "cpu_loader_ms_per_tx": thousandths(self.per_tx(cpu.loader)),
            "clients": plan.clients,
            "wait": plan.wait,
            "batch": if plan.wait { 1 } else { plan.batch },
            "window": if plan.wait { 1 } else { plan.window },
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
            "legs": self.measured.legs.iter().map(Leg::json).collect::<Vec<_>>(),
            "samples": outcome.samples.iter().map(Sample::json).collect::<Vec<_>>(),
        })
    }

    fn machine_json(&self) -> Value {
        let Session { target, disk, .. } = self.session;
        let Measured {
            start, end, signing, ..
        } = self.measured;
        let disk = disk.as_ref();
        let memory = target.processes.iter().zip(start.memory.iter().zip(&end.memory));
        let memory: Vec<Value> = memory
            .map(|(process, (start, end))| json!({ "node": process.name, "start_bytes": start, "end_bytes": end }))
            .collect();
        json!({
            "nodes": target.nodes,
            "fsyncs_per_s": disk.map(|disk| disk.syncs_per_s),
            "path": disk.map(|disk| &disk.path),
            "file_system": disk.map(|disk| &disk.file_system),
            "transaction_bytes": self.measured.transaction_bytes,
            "disk_bytes_per_tx": self.stored_per_tx(),
            "memory": memory,
            "cpu": self.cpu_json(),
            "signers": target.accounts.len(),
            "signers_registered": target.registered,
            "new_signers": self.session.arguments.new_signers,
            "signing": {
                "transactions": signing.count,
                "seconds": thousandths(signing.elapsed.as_secs_f64()),
                "cpu_s": thousandths(signing.cpu.as_secs_f64()),
            },
        })
    }

    /// Processor time of each process, the loader last.
    fn cpu_json(&self) -> Value {
        let cpu = &self.measured.cpu;
        let names = self
            .session
            .target
            .processes
            .iter()
            .map(|process| process.name.as_str());
        let all = names.zip(&cpu.each).chain([(LOADER, &cpu.loader)]);
        all.map(|(name, time)| json!({ "process": name, "ms_per_tx": thousandths(self.per_tx(*time)) }))
            .collect()
    }

    fn open_json(&self) -> Value {
        let outcome = &self.measured.outcome;
        let open = self.measured.open.as_ref();
        json!({
            "loop": if open.is_some() { "open" } else { "closed" },
            "rate": open.map(|open| rounded(open.schedule.peak())),
            "under_way_max": open.map(|open| open.under_way_max),
            "signed_meanwhile": open.is_some_and(|open| open.signed_meanwhile),
            "not_sent": outcome.not_sent(),
            "not_sent_no_room": outcome.no_room,
            "not_sent_not_signed": outcome.not_signed,
        })
    }
}
