//! What a run came to.

use super::{histogram::Histogram, samples::Sample};
use std::time::Duration;

/// The figures of a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    /// Handed to a node at least once.
    pub(crate) sent: u64,
    /// Final, and executed with success.
    pub(crate) committed: u64,
    /// Final without success, or refused.
    pub(crate) failed: u64,
    /// Neither seen in a final block nor refused when the run ended.
    pub(crate) unresolved: u64,
    /// Were due, but as many as may be were under way.
    pub(crate) no_room: u64,
    /// Were due, but not signed yet: the loader was too slow.
    pub(crate) not_signed: u64,
    /// Times that something was sent again because a node was full.
    pub(crate) pauses: u64,
    /// From the first submission of each transaction, or the moment it was due, to its final block, µs.
    pub(crate) latencies: Histogram,
    /// From the first submission to the last commit.
    pub(crate) elapsed: Duration,
    /// Final blocks that hold transactions of the run.
    pub(crate) blocks: u64,
    /// Why the first refused transaction was refused.
    pub(crate) refusal: Option<String>,
    /// Whether the transactions were used up before the time was over.
    pub(crate) used_up: bool,
    /// The parts that the run was cut into, by the time at which transactions left.
    pub(crate) parts: Vec<Part>,
    /// About one each second.
    pub(crate) samples: Vec<Sample>,
}

/// A part of a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Part {
    pub(crate) sent: u64,
    pub(crate) not_sent: u64,
    /// Of those that were committed.
    pub(crate) latencies: Histogram,
}

impl Outcome {
    /// Final successes in a second.
    pub(crate) fn tps(&self) -> f64 {
        match self.elapsed.is_zero() {
            true => 0.0,
            false => self.committed as f64 / self.elapsed.as_secs_f64(),
        }
    }

    /// Final successes of all that was sent, 0 to 1.
    pub(crate) fn success_rate(&self) -> f64 {
        self.committed as f64 / self.sent.max(1) as f64
    }

    /// Latency that a share of the transactions keeps, ms.
    pub(crate) fn latency_ms(&self, share: f64) -> f64 {
        self.latencies.ms(share)
    }

    /// Due, and never sent.
    pub(crate) fn not_sent(&self) -> u64 {
        self.no_room + self.not_signed
    }

    /// Takes in a later run; the time between the two does not count.
    pub(crate) fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.committed += other.committed;
        self.failed += other.failed;
        self.unresolved += other.unresolved;
        self.no_room += other.no_room;
        self.not_signed += other.not_signed;
        self.pauses += other.pauses;
        self.latencies.merge(&other.latencies);
        let before = self.elapsed.as_secs_f64();
        let later = |sample: Sample| Sample {
            second: sample.second + before,
            ..sample
        };
        self.samples.extend(other.samples.into_iter().map(later));
        self.elapsed += other.elapsed;
        self.blocks += other.blocks;
        self.refusal = self.refusal.take().or(other.refusal);
        self.used_up |= other.used_up;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_run_is_counted_on() {
        let run = |second| Outcome {
            sent: 4,
            committed: 3,
            no_room: 1,
            not_signed: 2,
            elapsed: Duration::from_secs(2),
            samples: vec![Sample {
                second,
                ..Sample::default()
            }],
            ..Outcome::default()
        };
        let mut both = run(1.0);
        both.add(run(1.0));
        assert_eq!((both.tps(), both.success_rate(), both.not_sent()), (1.5, 0.75, 6));
        let seconds: Vec<f64> = both.samples.iter().map(|sample| sample.second).collect();
        assert_eq!(seconds, [1.0, 3.0]);
    }
}
