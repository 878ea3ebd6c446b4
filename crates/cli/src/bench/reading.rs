//! Use of the processes, at one moment and between two.

use super::usage::{self, Process};
use std::time::Duration;

const MIB: u64 = 1 << 20;

/// Use of the processes at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    cpu: Vec<Duration>,
    loader: Duration,
    pub(crate) memory: Vec<u64>,
    pub(crate) stored: u64,
}

impl Reading {
    /// The use of the processes now, but for the disk: to walk through its folders takes too long for every second.
    pub(super) fn of_processes(processes: &[Process]) -> Self {
        Self {
            cpu: processes.iter().map(|process| usage::cpu(process.pid)).collect(),
            loader: usage::cpu(std::process::id()),
            memory: processes.iter().map(|process| usage::memory(process.pid)).collect(),
            stored: 0,
        }
    }

    pub(crate) fn now(processes: &[Process]) -> Self {
        let folders = processes.iter().filter_map(|process| process.folder.as_deref());
        Self {
            stored: folders.map(usage::stored).sum(),
            ..Self::of_processes(processes)
        }
    }

    /// Memory of each process, MiB.
    pub(crate) fn memory_mib(&self) -> Vec<u64> {
        self.memory.iter().map(|bytes| bytes / MIB).collect()
    }
}

/// Processor time between two readings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cpu {
    /// Of each node.
    pub(crate) each: Vec<Duration>,
    pub(crate) loader: Duration,
}

impl Cpu {
    pub(crate) fn between(start: &Reading, end: &Reading) -> Self {
        let spent = |(start, end): (&Duration, &Duration)| end.saturating_sub(*start);
        Self {
            each: start.cpu.iter().zip(&end.cpu).map(spent).collect(),
            loader: end.loader.saturating_sub(start.loader),
        }
    }

    /// Of all nodes.
    pub(crate) fn nodes(&self) -> Duration {
        self.each.iter().sum()
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.each.resize(self.each.len().max(other.each.len()), Duration::ZERO);
        for (own, more) in self.each.iter_mut().zip(other.each) {
            *own += more;
        }
        self.loader += other.loader;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_process_is_counted_for_itself() {
        let second = Duration::from_secs(1);
        let reading = |cpu: [u32; 2], loader| Reading {
            cpu: cpu.map(|seconds| second * seconds).to_vec(),
            loader: second * loader,
            memory: vec![5 << 20],
            stored: 0,
        };
        // A process that was started anew has used less than before; that is no negative use.
        let mut cpu = Cpu::default();
        cpu.add(Cpu::between(&reading([1, 5], 2), &reading([4, 3], 3)));
        cpu.add(Cpu::between(&reading([0, 0], 0), &reading([1, 1], 1)));
        assert_eq!(cpu.each, [second * 4, second]);
        assert_eq!((cpu.nodes(), cpu.loader), (second * 5, second * 2));
        assert_eq!(reading([0, 0], 0).memory_mib(), [5]);
    }
}
