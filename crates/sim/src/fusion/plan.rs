//! What happens in a simulated fusion network, as a function of its seed.

use super::keys::{CAPTURED, CHAINS, CITIES, HUB, MACHINES};
use crate::plan::Fault;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{collections::BTreeSet, fmt, time::Duration};
use yulian_engine::simulated::Link;

/// Agents that race.
pub const AGENTS: usize = 2;
/// Virtual time that the load lasts, ms.
const BUSY_MS: u64 = 26_000;

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FusionAct {
    /// Machines stop at once, all of them at a loss of power; what they had not synced is lost.
    Crash(BTreeSet<usize>),
    /// They start again.
    Start(BTreeSet<usize>),
    /// Links between these machines and all others are cut.
    Split(BTreeSet<usize>),
    /// All links are back.
    Heal,
    /// The platform pauses a chain.
    Pause(usize),
    /// It goes on.
    Resume(usize),
    /// An agent is killed between two steps.
    Kill(usize),
    /// It starts again, from the cursor that it wrote so many writes ago.
    Restart {
        /// The agent.
        agent: usize,
        /// How many writes its disk is behind.
        stale: usize,
    },
    /// Three votes after each other change a validator each.
    Rotate(usize),
    /// The relay chain's members close the route between two chains.
    Close {
        /// Source.
        from: usize,
        /// Destination.
        to: usize,
    },
    /// A chain's members end the link to another.
    End {
        /// The chain.
        at: usize,
        /// The other.
        other: usize,
    },
    /// Whoever has a chain's keys shows another two final headers of one height.
    Fork {
        /// The chain that lies.
        by: usize,
        /// The one that is shown it.
        at: usize,
    },
    /// The keys of all validators of a chain are stolen, and used.
    Steal(usize),
    /// One key less than a quorum is.
    StealFew(usize),
    /// The regulator freezes a way; nobody named is any chain.
    Freeze {
        /// Source.
        from: Option<usize>,
        /// Destination.
        to: Option<usize>,
        /// After so long members try to lift it, ms; if never it stays.
        lasts_ms: Option<u64>,
    },
    /// A chain has used its storage up.
    Fill(usize),
    /// It is given more.
    Widen(usize),
}

/// A simulation of several chains to play.
#[derive(Debug, Clone)]
pub struct FusionPlan {
    /// Where it comes from.
    pub seed: u64,
    /// Blocks in an epoch of every chain.
    pub epoch_length: u64,
    /// Every link between machines.
    pub link: Link,
    /// How far the clocks of the chains' nodes are ahead of virtual time, ms, by chain.
    pub chains_ahead_ms: [i64; CHAINS],
    /// How far a machine's clock is ahead beside that, ms.
    pub ahead_ms: [i64; MACHINES],
    /// The machine that misbehaves on one chain from the start, and how.
    pub byzantine: Option<(usize, usize, Fault)>,
    /// What happens, at ms from the moment at which the network is built, ascending.
    pub acts: Vec<(u64, FusionAct)>,
    /// The load ends here, ms from the same moment.
    pub quiet_from_ms: u64,
}

impl FusionPlan {
    /// The plan of a seed. Of four validators one at a time misbehaves or is down, but for partitions and losses of power, which may
    /// stop progress until they end.
    pub fn of_seed(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed ^ 0x6675_7369_6f6e);
        let byzantine = match random.random_range(0..6) {
            0 => Some(Fault::TwoFaced),
            1 => Some(Fault::Liar),
            2 => Some(Fault::Silent),
            _ => None,
        };
        let link = Link {
            latency: Duration::from_millis(random.random_range(1..25)),
            jitter: Duration::from_millis(random.random_range(0..6)),
            loss_per_mille: random.random_range(0..12),
        };
        let mut plan = Self {
            seed,
            epoch_length: random.random_range(12..32),
            link,
            chains_ahead_ms: std::array::from_fn(|_| random.random_range(-15_000..15_000)),
            ahead_ms: std::array::from_fn(|_| random.random_range(-400..400)),
            byzantine: None,
            acts: vec![],
            quiet_from_ms: BUSY_MS,
        };
        if let Some(fault) = byzantine {
            let chain = random.random_range(0..CHAINS);
            let machine = (super::keys::candidate(chain) + random.random_range(1..MACHINES)) % MACHINES;
            plan.byzantine = Some((machine, chain, fault));
        }
        plan.draw_machines(&mut random);
        plan.draw_chains(&mut random);
        plan.draw_agents(&mut random);
        // With numbers of their own, so that what was drawn before stays as it is.
        let mut random = StdRng::seed_from_u64(seed ^ 0x6c69_6172_7300);
        plan.draw_thieves(&mut random);
        plan.draw_limits(&mut random);
        plan.acts.sort_by_key(|(at, _)| *at);
        plan
    }

    /// How a machine misbehaves on a chain.
    pub(crate) fn fault(&self, machine: usize, chain: usize) -> Option<Fault> {
        let (at, on, fault) = self.byzantine?;
        (at == machine && on == chain).then_some(fault)
    }

    /// The chain whose keys are stolen.
    pub(crate) fn stolen(&self) -> Option<usize> {
        self.acts.iter().find_map(|(_, act)| match act {
            FusionAct::Steal(chain) => Some(*chain),
            _ => None,
        })
    }

    fn add(&mut self, at: u64, act: FusionAct) {
        self.acts.push((at, act));
    }

    fn draw_machines(&mut self, random: &mut StdRng) {
        let mut at = 1_500;
        while at < BUSY_MS - 6_000 {
            let duration = random.random_range(500..3_500);
            match random.random_range(0..5) {
                0 | 1 if self.byzantine.is_none() => {
                    let machine = BTreeSet::from([random.random_range(0..MACHINES)]);
                    self.add(at, FusionAct::Crash(machine.clone()));
                    self.add(at + duration, FusionAct::Start(machine));
                }
                2 => {
                    let all: BTreeSet<usize> = (0..MACHINES).collect();
                    self.add(at, FusionAct::Crash(all.clone()));
                    self.add(at + 500, FusionAct::Start(all));
                }
                _ => {
                    let side = (0..random.random_range(1..=2)).map(|_| random.random_range(0..MACHINES));
                    let side = side.collect();
                    self.add(at, FusionAct::Split(side));
                    self.add(at + duration, FusionAct::Heal);
                }
            }
            at += duration + random.random_range(3_000..7_000);
        }
    }

    fn draw_chains(&mut self, random: &mut StdRng) {
        let mut city = || random.random_range(1..=CITIES);
        let (from, to, forked, ended, rotated) = (city(), city(), city(), city(), city());
        let paused = random.random_range(0..CHAINS);
        let at = random.random_range(2_000..BUSY_MS - 12_000);
        self.add(at, FusionAct::Pause(paused));
        self.add(at + random.random_range(5_000..11_000), FusionAct::Resume(paused));
        if from != to {
            self.add(random.random_range(4_000..BUSY_MS), FusionAct::Close { from, to });
        }
        if random.random_range(0..2) == 0 {
            let (by, at) = (CAPTURED, forked);
            self.add(random.random_range(12_000..BUSY_MS), FusionAct::Fork { by, at });
        }
        if random.random_range(0..3) == 0 {
            let other = 1 + ended % CITIES;
            let at = random.random_range(14_000..BUSY_MS);
            self.add(at, FusionAct::End { at: ended, other });
        }
        // While the validators change, nobody carries.
        if random.random_range(0..2) == 0 {
            let chain = if random.random_range(0..3) == 0 { HUB } else { rotated };
            let at = random.random_range(3_000..BUSY_MS - 10_000);
            (0..AGENTS).for_each(|agent| self.add(at, FusionAct::Kill(agent)));
            self.add(at, FusionAct::Rotate(chain));
            let back = at + random.random_range(4_000..8_000);
            (0..AGENTS).for_each(|agent| self.add(back, FusionAct::Restart { agent, stale: 0 }));
        }
    }

    /// The relay chain and a city by turns, so that every few seeds have both.
    fn draw_thieves(&mut self, random: &mut StdRng) {
        let at = random.random_range(1_000..8_000);
        let chain = match self.seed % 3 {
            0 => HUB,
            1 => random.random_range(1..=CITIES),
            _ => return self.add(at, FusionAct::StealFew(random.random_range(0..CHAINS))),
        };
        self.add(at, FusionAct::Steal(chain));
        if random.random_range(0..4) == 0 {
            let at = (chain + random.random_range(1..CHAINS)) % CHAINS;
            self.add(random.random_range(16_000..BUSY_MS), FusionAct::Fork { by: chain, at });
        }
    }

    fn draw_limits(&mut self, random: &mut StdRng) {
        let mut city = || random.random_range(1..=CITIES);
        let (one, other) = (city(), city());
        let (from, to) = match random.random_range(0..3) {
            0 => (Some(one), Some(1 + one % CITIES)),
            1 => (Some(one), None),
            _ => (None, Some(other)),
        };
        let lasts_ms = (random.random_range(0..4) > 0).then(|| random.random_range(3_000..8_000));
        let at = random.random_range(3_000..14_000);
        self.add(at, FusionAct::Freeze { from, to, lasts_ms });
        if random.random_range(0..2) == 0 {
            let (chain, at) = (random.random_range(0..CHAINS), random.random_range(3_000..16_000));
            self.add(at, FusionAct::Fill(chain));
            if random.random_range(0..3) > 0 {
                self.add(at + random.random_range(3_000..9_000), FusionAct::Widen(chain));
            }
        }
    }

    fn draw_agents(&mut self, random: &mut StdRng) {
        for agent in 0..AGENTS {
            let mut at = random.random_range(1_000..4_000);
            while at < BUSY_MS {
                self.add(at, FusionAct::Kill(agent));
                let stale = random.random_range(0..10);
                at += random.random_range(50..2_000);
                self.add(at, FusionAct::Restart { agent, stale });
                at += random.random_range(2_000..9_000);
            }
        }
    }
}

impl fmt::Display for FusionPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "fusion seed {}: epochs of {}, links {:?} ± {:?}, {} ‰ lost, chains ahead {:?} ms, machines {:?} ms, byzantine {:?}",
            self.seed,
            self.epoch_length,
            self.link.latency,
            self.link.jitter,
            self.link.loss_per_mille,
            self.chains_ahead_ms,
            self.ahead_ms,
            self.byzantine
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
        let text = |seed| FusionPlan::of_seed(seed).to_string();
        assert_eq!(text(7), text(7));
        assert_ne!(text(7), text(8));
    }

    #[test]
    fn seeds_cover_every_kind_of_act_and_fault() {
        let plans: Vec<FusionPlan> = (0..64).map(FusionPlan::of_seed).collect();
        let any = |want: fn(&FusionAct) -> bool| plans.iter().any(|p| p.acts.iter().any(|(_, act)| want(act)));
        assert!(any(|act| matches!(act, FusionAct::Crash(all) if all.len() == MACHINES)));
        assert!(any(|act| matches!(act, FusionAct::Crash(one) if one.len() == 1)));
        assert!(any(|act| matches!(act, FusionAct::Split(_))));
        assert!(any(|act| matches!(act, FusionAct::Pause(HUB))));
        assert!(any(|act| matches!(act, FusionAct::Rotate(HUB))));
        assert!(any(|act| matches!(act, FusionAct::Rotate(1..))));
        assert!(any(|act| matches!(act, FusionAct::Close { .. })));
        assert!(any(|act| matches!(act, FusionAct::End { .. })));
        assert!(any(|act| matches!(act, FusionAct::Fork { by: CAPTURED, .. })));
        assert!(any(|act| matches!(act, FusionAct::Fork { by: HUB, .. })));
        assert!(any(|act| matches!(act, FusionAct::Fork { by: 1..CAPTURED, .. })));
        assert!(any(|act| matches!(act, FusionAct::Steal(HUB))));
        assert!(any(|act| matches!(act, FusionAct::Steal(1..))));
        assert!(any(|act| matches!(act, FusionAct::StealFew(HUB))));
        assert!(any(|act| matches!(act, FusionAct::StealFew(1..))));
        assert!(any(|act| matches!(act, FusionAct::Freeze { to: None, .. })));
        assert!(any(|act| matches!(act, FusionAct::Freeze { from: None, .. })));
        assert!(any(|act| matches!(act, FusionAct::Freeze { lasts_ms: None, .. })));
        assert!(any(|act| matches!(act, FusionAct::Fill(HUB))));
        assert!(any(|act| matches!(act, FusionAct::Fill(1..))));
        assert!(any(|act| matches!(act, FusionAct::Restart { stale: 1.., .. })));
        for fault in [Fault::TwoFaced, Fault::Liar, Fault::Silent] {
            assert!(plans.iter().any(|p| p.byzantine.is_some_and(|(.., f)| f == fault)));
        }
    }
}
