//! When the transactions of an open loop leave, whatever becomes of those before them.

use std::time::Duration;

/// A rate for a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    /// Transactions per second.
    pub(crate) rate: f64,
    pub(crate) time: Duration,
}

impl Step {
    /// Transactions that leave in it.
    fn count(&self) -> u64 {
        (self.rate * self.time.as_secs_f64()).round() as u64
    }
}

/// Rates one after the other.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Schedule {
    steps: Vec<Step>,
}

impl Schedule {
    pub(crate) fn new(steps: Vec<Step>) -> Self {
        Self { steps }
    }

    /// One rate all the time.
    pub(crate) fn steady(rate: f64, time: Duration) -> Self {
        Self::new(vec![Step { rate, time }])
    }

    /// When transaction `number` leaves, from the start; none when the schedule is over.
    pub(crate) fn due(&self, number: u64) -> Option<Duration> {
        let mut left = number;
        let mut begin = Duration::ZERO;
        for step in &self.steps {
            if left < step.count() {
                return Some(begin + Duration::from_secs_f64(left as f64 / step.rate));
            }
            left -= step.count();
            begin += step.time;
        }
        None
    }

    /// All transactions.
    pub(crate) fn count(&self) -> u64 {
        self.steps.iter().map(Step::count).sum()
    }

    pub(crate) fn time(&self) -> Duration {
        self.steps.iter().map(|step| step.time).sum()
    }

    /// The rate at a time; zero when the schedule is over.
    pub(crate) fn rate_at(&self, time: Duration) -> f64 {
        let mut end = Duration::ZERO;
        let step = self.steps.iter().find(|step| {
            end += step.time;
            time < end
        });
        step.map_or(0.0, |step| step.rate)
    }

    /// The rates for a person: "200, 1000, 200".
    pub(crate) fn rates(&self) -> String {
        let rates: Vec<String> = self.steps.iter().map(|step| format!("{:.0}", step.rate)).collect();
        rates.join(", ")
    }

    /// The highest rate.
    pub(crate) fn peak(&self) -> f64 {
        self.steps.iter().map(|step| step.rate).fold(0.0, f64::max)
    }

    /// Where each step but the first begins.
    pub(crate) fn cuts(&self) -> Vec<Duration> {
        let mut begin = Duration::ZERO;
        let later = self.steps.len().saturating_sub(1);
        let cut = |step: &Step| {
            begin += step.time;
            begin
        };
        self.steps.iter().take(later).map(cut).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn transactions_leave_evenly_and_then_no_more() {
        let schedule = Schedule::steady(4.0, 2 * SECOND);
        let due: Vec<_> = (0..9).map(|number| schedule.due(number)).collect();
        let expected = (0..8).map(|quarter| Some(SECOND / 4 * quarter)).chain([None]);
        assert_eq!(due, expected.collect::<Vec<_>>());
        assert_eq!((schedule.count(), schedule.time()), (8, 2 * SECOND));
        assert_eq!(Schedule::default().due(0), None);
    }

    #[test]
    fn steps_follow_one_another() {
        let step = |rate, seconds| Step {
            rate,
            time: SECOND * seconds,
        };
        let schedule = Schedule::new(vec![step(2.0, 3), step(10.0, 1), step(2.0, 2)]);
        assert_eq!((schedule.count(), schedule.peak()), (20, 10.0));
        assert_eq!(schedule.rates(), "2, 10, 2");
        assert_eq!(schedule.due(5), Some(SECOND / 2 * 5));
        assert_eq!(schedule.due(6), Some(SECOND * 3));
        assert_eq!(schedule.due(7), Some(SECOND * 3 + SECOND / 10));
        assert_eq!(schedule.due(16), Some(SECOND * 4));
        assert_eq!(schedule.due(20), None);
        assert_eq!(schedule.cuts(), [SECOND * 3, SECOND * 4]);
        let rates = [0, 2, 3, 4, 5, 6].map(|second| schedule.rate_at(SECOND * second));
        assert_eq!(rates, [2.0, 2.0, 10.0, 2.0, 2.0, 0.0]);
    }
}
