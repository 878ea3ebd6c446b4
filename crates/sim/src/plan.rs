//! What happens in a simulation, as a function of its seed.

use crate::keys::MACHINES;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{collections::BTreeSet, fmt, time::Duration};
use yulian_engine::simulated::Link;

/// How a validator misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Signs two contradicting votes for every vote it hears.
    TwoFaced,
    /// Proposes blocks with wrong roots, wrong times or transactions that break the rules.
    Liar,
    /// Never proposes when it leads, and never answers a proposal.
    Silent,
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// A node stops at once; what it had not synced is lost.
    Crash(usize),
    /// A crashed node starts again.
    Start(usize),
    /// Links between these nodes and all others are cut.
    Split(BTreeSet<usize>),
    /// All links are back.
    Heal,
    /// A vote replaces a validator by a candidate.
    Replace {
        /// The validator that goes.
        old: usize,
        /// The candidate that comes.
        new: usize,
    },
    /// Every node loses power at once; of unsynced writes any part survives.
    PowerLoss,
}

/// A simulation to play.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where it comes from.
    pub seed: u64,
    /// Validators of genesis: machines 0 to this.
    pub validators: usize,
    /// Blocks in an epoch.
    pub epoch_length: u64,
    /// Every link.
    pub link: Link,
    /// The machine that misbehaves from the start, and how.
    pub byzantine: Option<(usize, Fault)>,
    /// Machines that do not run at the start and come to the chain by a snapshot.
    pub late: BTreeSet<usize>,
    /// What happens, at ms from the start, ascending.
    pub acts: Vec<(u64, Act)>,
    /// Clients stop sending new transactions here; ms from the start.
    pub quiet_from_ms: u64,
}

/// Virtual time that clients send for, ms.
const BUSY_MS: u64 = 40_000;
/// Pause of a client between its transactions, ms.
pub(crate) const CLIENT_PAUSE_MS: u64 = 150;

impl Plan {
    /// The plan of a seed. Faults at a time never exceed ⌊(n−1)/3⌋ validators, but for partitions and losses of power,
    /// which may stop progress until they end.
    pub fn of_seed(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let validators = if random.random_range(0..4) == 0 { 7 } else { 4 };
        let byzantine = match random.random_range(0..8) {
            0 | 1 => Some(Fault::TwoFaced),
            2 | 3 => Some(Fault::Liar),
            4 => Some(Fault::Silent),
            _ => None,
        };
        let byzantine = byzantine.map(|fault| (random.random_range(0..validators), fault));
        let link = Link {
            latency: Duration::from_millis(random.random_range(1..30)),
            jitter: Duration::from_millis(random.random_range(0..8)),
            loss_per_mille: random.random_range(0..20),
        };
        let mut plan = Self {
            seed,
            validators,
            epoch_length: random.random_range(12..40),
            link,
            byzantine,
            late: BTreeSet::new(),
            acts: vec![],
            quiet_from_ms: BUSY_MS,
        };
        plan.draw_acts(&mut random);
        plan.draw_late(&mut random);
        plan
    }

    fn draw_acts(&mut self, random: &mut StdRng) {
        let mut at = 2_000;
        let mut set: BTreeSet<usize> = (0..self.validators).collect();
        while at < BUSY_MS - 8_000 {
            let duration = random.random_range(300..5_000);
            match random.random_range(0..8) {
                0..=2 => self.draw_crash(random, at, duration),
                3 | 4 => {
                    let side = (0..random.random_range(1..=3))
                        .map(|_| random.random_range(0..MACHINES))
                        .collect();
                    self.acts.push((at, Act::Split(side)));
                    self.acts.push((at + duration, Act::Heal));
                }
                5 => self.acts.push((at, Act::PowerLoss)),
                _ => self.draw_change(random, at, &mut set),
            }
            at += duration + random.random_range(200..2_500);
        }
    }

    /// A machine that is no validator of genesis comes late; sometimes it crashes on its way.
    fn draw_late(&mut self, random: &mut StdRng) {
        if self.validators == MACHINES {
            return;
        }
        let machine = random.random_range(self.validators..MACHINES);
        let at = random.random_range(6_000..BUSY_MS - 10_000);
        self.late.insert(machine);
        self.acts.push((at, Act::Start(machine)));
        if self.byzantine.is_none() {
            let crash = at + random.random_range(20..1_500);
            self.acts.push((crash, Act::Crash(machine)));
            self.acts
                .push((crash + random.random_range(500..2_000), Act::Start(machine)));
        }
    }

    /// A crash beside a Byzantine validator would be one fault too many for four validators.
    fn draw_crash(&mut self, random: &mut StdRng, at: u64, duration: u64) {
        let node = random.random_range(0..MACHINES);
        if self.byzantine.is_none() {
            self.acts.push((at, Act::Crash(node)));
            self.acts.push((at + duration, Act::Start(node)));
        }
    }

    fn draw_change(&mut self, random: &mut StdRng, at: u64, set: &mut BTreeSet<usize>) {
        let candidates: Vec<usize> = (0..MACHINES).filter(|n| !set.contains(n)).collect();
        let liar = self.byzantine.map(|(node, _)| node);
        let leaving: Vec<usize> = set.iter().copied().filter(|n| Some(*n) != liar).collect();
        if candidates.is_empty() {
            return;
        }
        let old = leaving[random.random_range(0..leaving.len())];
        let new = candidates[random.random_range(0..candidates.len())];
        set.remove(&old);
        set.insert(new);
        self.acts.push((at, Act::Replace { old, new }));
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Link {
            latency,
            jitter,
            loss_per_mille,
        } = self.link;
        writeln!(
            f,
            "seed {}: {} validators, epochs of {}, links {latency:?} ± {jitter:?}, {loss_per_mille} ‰ lost, byzantine {:?}, late {:?}",
            self.seed, self.validators, self.epoch_length, self.byzantine, self.late
        )?;
        self.acts
            .iter()
            .try_for_each(|(at, act)| writeln!(f, "  {at:>6} ms  {act:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_follows_from_its_seed() {
        assert_eq!(Plan::of_seed(7).to_string(), Plan::of_seed(7).to_string());
        assert_ne!(Plan::of_seed(7).to_string(), Plan::of_seed(8).to_string());
    }

    #[test]
    fn seeds_cover_every_kind_of_act_and_fault() {
        let plans: Vec<Plan> = (0..64).map(Plan::of_seed).collect();
        let any = |want: fn(&Act) -> bool| plans.iter().any(|p| p.acts.iter().any(|(_, act)| want(act)));
        assert!(any(|act| matches!(act, Act::Crash(_))));
        assert!(any(|act| matches!(act, Act::Split(_))));
        assert!(any(|act| matches!(act, Act::Replace { .. })));
        assert!(any(|act| matches!(act, Act::PowerLoss)));
        for fault in [Fault::TwoFaced, Fault::Liar, Fault::Silent] {
            assert!(plans.iter().any(|p| p.byzantine.is_some_and(|(_, f)| f == fault)));
        }
    }
}
