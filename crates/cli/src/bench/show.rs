//! The report of a run for a person.

use super::{
    figures::{ms, percent},
    report::Report,
    say,
    session::{Measured, Session},
    supply::Cost,
};
use crate::out;

impl Report<'_> {
    /// All figures, and what has to be known of them.
    pub(crate) fn print(&self) {
        out::line(say::bench_head(self.session.target.nodes, self.measured.plan.clients));
        self.print_rows();
    }

    /// The figures under a head of another's.
    pub(crate) fn print_rows(&self) {
        let mut rows = self.load_rows();
        rows.extend(self.machine_rows());
        out::fields(&rows);
        self.print_notes();
    }

    fn print_notes(&self) {
        let outcome = &self.measured.outcome;
        if let Some(why) = &outcome.refusal {
            out::note_line(say::bench_refused(out::one_line(why)));
        }
        if outcome.not_sent() > 0 {
            out::note_line(say::bench_not_sent_note(outcome.not_sent()));
        }
        match (outcome.used_up, self.session.arguments.new_signers) {
            (true, true) => out::note_line(say::bench_signers_used_up(self.session.target.accounts.len())),
            (true, false) => out::note_line(say::bench_used_up()),
            (false, _) => {}
        }
        if !self.measured.legs.is_empty() {
            out::note_line(say::bench_legs_note());
        }
    }

    fn mode(&self) -> String {
        let plan = &self.measured.plan;
        match &self.measured.open {
            Some(open) => say::bench_mode_open(open.schedule.rates(), open.under_way_max),
            None if plan.wait => say::bench_mode_wait(),
            None => say::bench_mode_stream(plan.batch, plan.window),
        }
    }

    fn load_rows(&self) -> Vec<(String, String)> {
        let outcome = &self.measured.outcome;
        let [p50, p99, p999, max] = [0.5, 0.99, 0.999, 1.0].map(|share| ms(outcome.latency_ms(share)));
        let seconds = format!("{:.1}", outcome.elapsed.as_secs_f64());
        let rate = percent(outcome.success_rate());
        let mut rows = vec![
            (say::bench_mode(), self.mode()),
            (
                say::bench_throughput(),
                say::bench_throughput_value(format!("{:.0}", outcome.tps()), outcome.committed, seconds),
            ),
            (
                say::bench_success(),
                say::bench_success_value(rate, outcome.sent, outcome.failed, outcome.unresolved, outcome.pauses),
            ),
        ];
        if self.measured.open.is_some() {
            let value = say::bench_not_sent_value(outcome.not_sent(), outcome.no_room, outcome.not_signed);
            rows.push((say::bench_not_sent(), value));
        }
        rows.extend([
            (say::bench_latency(), say::bench_latency_value(p50, p99, p999, max)),
            (say::bench_cpu(), self.cpu()),
            (
                say::bench_blocks(),
                say::bench_blocks_value(outcome.blocks, format!("{:.0}", self.tx_per_block())),
            ),
            (
                say::bench_size(),
                say::bench_size_value(self.measured.transaction_bytes, self.session.arguments.size),
            ),
        ]);
        rows
    }

    fn cpu(&self) -> String {
        let cpu = &self.measured.cpu;
        let loader = ms(self.per_tx(cpu.loader));
        match self.cpu_ms_per_tx() {
            Some(all) => say::bench_cpu_value(ms(all), ms(self.per_tx(cpu.nodes())), loader),
            None => say::bench_cpu_unknown(loader),
        }
    }

    fn machine_rows(&self) -> Vec<(String, String)> {
        let Session { target, disk, .. } = self.session;
        let mut rows = Vec::new();
        if let Some(disk) = disk {
            let value = say::bench_disk_value(disk.path.display(), &disk.file_system, disk.syncs_per_s);
            rows.push((say::bench_disk(), value));
        }
        if let Some(bytes) = self.stored_per_tx() {
            rows.push((say::bench_stored(), say::bench_stored_value(bytes)));
        }
        rows.extend(self.process_rows());
        let accounts = target.accounts.len();
        let value = match self.session.arguments.new_signers {
            true => say::bench_accounts_new(accounts, target.registered),
            false => say::bench_accounts_value(accounts, target.registered),
        };
        rows.push((say::bench_accounts(), value));
        rows.push((say::bench_sign(), self.signing()));
        rows
    }

    /// A row for each node.
    fn process_rows(&self) -> Vec<(String, String)> {
        let Measured { start, end, cpu, .. } = self.measured;
        let (start, end) = (start.memory_mib(), end.memory_mib());
        let row = |(at, process): (usize, &super::usage::Process)| {
            let label = if at == 0 { say::bench_processes() } else { String::new() };
            let each = ms(self.per_tx(cpu.each.get(at).copied().unwrap_or_default()));
            (label, say::bench_process_value(&process.name, each, start[at], end[at]))
        };
        self.session.target.processes.iter().enumerate().map(row).collect()
    }

    fn signing(&self) -> String {
        if self.measured.open.as_ref().is_some_and(|open| open.signed_meanwhile) {
            return say::bench_sign_meanwhile();
        }
        let Cost { count, elapsed, cpu } = self.measured.signing;
        let seconds = elapsed.as_secs_f64().max(0.001);
        let each = cpu.as_secs_f64() * 1000.0 / count.max(1) as f64;
        let rate = format!("{:.0}", count as f64 / seconds);
        say::bench_sign_value(count, format!("{seconds:.1}"), rate, ms(each))
    }
}
