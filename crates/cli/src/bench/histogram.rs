//! Latencies in bounded memory: exact below 2 ms, within a thousandth above.

/// Bits of a value that are kept.
const KEPT_BITS: u32 = 11;
/// Buckets of each further power of two.
const STEP: usize = 1 << (KEPT_BITS - 1);

/// Counts of values, µs. A run of hours takes no more memory than one of seconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Histogram {
    counts: Vec<u32>,
    total: u64,
    max: u32,
}

impl Histogram {
    pub(crate) fn add(&mut self, value: u32) {
        let at = bucket(value);
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        self.counts[at] = self.counts[at].saturating_add(1);
        self.total += 1;
        self.max = self.max.max(value);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        if other.counts.len() > self.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (own, more) in self.counts.iter_mut().zip(&other.counts) {
            *own = own.saturating_add(*more);
        }
        self.total += other.total;
        self.max = self.max.max(other.max);
    }

    /// How many values there are.
    pub(crate) fn count(&self) -> u64 {
        self.total
    }

    /// The value of the nearest rank that a share of all does not exceed, in thousands (ms of µs); zero without values.
    pub(crate) fn ms(&self, share: f64) -> f64 {
        let rank = ((share * self.total as f64).ceil() as u64).max(1);
        let mut seen = 0;
        for (at, count) in self.counts.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= rank {
                return f64::from(largest(at).min(self.max)) / 1000.0;
            }
        }
        f64::from(self.max) / 1000.0
    }
}

fn bucket(value: u32) -> usize {
    let shift = (u32::BITS - value.leading_zeros()).saturating_sub(KEPT_BITS);
    (shift as usize) * STEP + (value >> shift) as usize
}

/// The largest value of a bucket.
fn largest(at: usize) -> u32 {
    let shift = (at / STEP).saturating_sub(1);
    let kept = (at - shift * STEP) as u64;
    u32::try_from(((kept + 1) << shift) - 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank_within_a_thousandth() {
        let mut histogram = Histogram::default();
        (1..=2000).rev().for_each(|ms| histogram.add(ms * 1000));
        for (share, ms) in [(0.5, 1000.0), (0.99, 1980.0), (0.999, 1998.0), (1.0, 2000.0)] {
            let found = histogram.ms(share);
            assert!((found - ms).abs() <= ms / 1000.0, "{found} {ms}");
        }
        assert_eq!(histogram.ms(1.0), 2000.0);
        assert_eq!(Histogram::default().ms(0.99), 0.0);
    }

    #[test]
    fn every_value_is_in_one_bucket_and_small_ones_are_exact() {
        for value in (0..5_000).chain((0..32).map(|bit| 1u32 << bit)).chain([u32::MAX]) {
            let at = bucket(value);
            assert!(largest(at) >= value && at == bucket(largest(at)), "{value}");
            assert!(u64::from(largest(at) - value) <= u64::from(value) / 1000, "{value}");
            assert!(value == 0 || (0..=1).contains(&(at - bucket(value - 1))), "{value}");
        }
        let mut one = Histogram::default();
        one.add(1234);
        assert_eq!(one.ms(0.5), 1.234);
    }

    #[test]
    fn two_are_as_one() {
        let (mut one, mut other) = (Histogram::default(), Histogram::default());
        (0..100).for_each(|us| one.add(us));
        (100..200).for_each(|us| other.add(us * 1000));
        one.merge(&other);
        assert_eq!((one.count(), one.ms(0.5), one.ms(1.0)), (200, 0.099, 199.0));
    }
}
