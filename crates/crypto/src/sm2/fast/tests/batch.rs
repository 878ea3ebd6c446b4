//! The same by batches.

use super::*;
use crate::sm2::fast::affine_sum::{Adder, Span};
use crate::sm2::fast::batch::{ALONE, Job, judge, judge_by_scalars};
use crate::sm2::fast::cache::{Known, Tabled};
use crate::sm2::fast::hot::Hot;
use crate::sm2::fast::lanes::{self, Portable};
use std::sync::Arc;

/// So many times a claim is in a batch, for the batch to share inversions.
const COPIES: usize = 4;

/// A key in each of the classes.
pub(super) struct Paths {
    key: PublicKey,
    point: Affine,
    tabled: Arc<Tabled>,
    hot: Arc<Hot>,
}

impl Paths {
    pub(super) fn new(point: &Affine) -> Self {
        let key = PublicKey::from_coordinates(&point.x.to_be(), &point.y.to_be());
        Self {
            key,
            point: *point,
            tabled: Arc::new(Tabled::new(Digest::ZERO, point)),
            hot: Arc::new(Hot::new(Digest::ZERO, point, 0)),
        }
    }

    /// s·G + t·Q for a key without a table, with one, and with a large one.
    pub(super) fn sums(&self, s: &U256, t: &U256) -> [Jacobian; 3] {
        [
            sum::sum(s, t, &self.point),
            self.tabled.table.sum(s, t),
            self.hot.sum(s, t),
        ]
    }

    fn known(&self) -> [Known; 3] {
        [
            Known::New,
            Known::Tabled(Arc::clone(&self.tabled)),
            Known::Hot(Arc::clone(&self.hot)),
        ]
    }

    /// The answers by classes in a batch in which every second claim is another, which is right.
    pub(super) fn judged(&self, claim: &Claim) -> [bool; 3] {
        let known = self.known();
        let one = [1, 0, 0, 0];
        let twice = affine(&sum::sum(&one, &one, &self.point));
        // G + Q for most keys; 2G + Q where that is infinity.
        let s = if twice.is_some() { one } else { [2, 0, 0, 0] };
        let point = affine(&sum::sum(&s, &one, &self.point)).unwrap();
        let c = limbs::reduce_mod_n(&point.x.number());
        let neighbour = Claim { s, t: one, c };
        let jobs: Vec<_> = known
            .iter()
            .flat_map(|known| [[*claim, neighbour]; COPIES].map(|pair| (known, pair)))
            .flat_map(|(known, pair)| pair.map(|claim| (known, claim)))
            .map(|(known, claim)| Job {
                key: &self.key,
                known,
                claim,
            })
            .collect();
        let answers = judge_by_scalars(&jobs);
        // The same by eight lanes: by their meaning, and by the processor if it has them.
        assert_eq!(lanes::judge::<Portable>(&jobs), answers, "{claim:x?}");
        #[cfg(target_arch = "x86_64")]
        if let Some(processor) = crate::simd::Ifma::detect() {
            assert_eq!(processor.judge(&jobs), answers, "{claim:x?}");
        }
        assert!(answers.iter().skip(1).step_by(2).all(|valid| *valid), "{claim:x?}");
        let by_class = answers.chunks(2 * COPIES).map(|class| {
            assert!(class.iter().step_by(2).all(|answer| *answer == class[0]));
            class[0]
        });
        by_class.collect::<Vec<_>>().try_into().unwrap()
    }
}

/// The sum of a span's points, by formulas that know every case.
fn total(span: &Span, points: &[Affine]) -> Option<Affine> {
    let points = span.of(points).iter();
    affine(&points.fold(Jacobian::INFINITY, |sum, point| sum.add_affine(point)))
}

#[test]
fn spans_of_points_that_meet_again_and_again() {
    let mut rng = seeded(11);
    let base = ProjectivePoint::generator();
    // Few different points: most spans double or cancel somewhere.
    let few: Vec<_> = (1..=4u64)
        .map(|k| base * Scalar::from(k))
        .flat_map(|point| [point, -point])
        .collect();
    let (mut shrunk, mut gone) = (0, 0);
    for _ in 0..20 {
        let (mut points, mut spans, mut expected) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..200 {
            let len = rng.next_u32() % 9;
            let chosen: Vec<_> = (0..len).map(|_| few[rng.next_u32() as usize % few.len()]).collect();
            let start = points.len() as u32;
            spans.push(Span { start, len });
            points.extend(chosen.iter().map(|point| ours(point).unwrap()));
            expected.push(chosen.iter().sum::<ProjectivePoint>());
        }
        let cancelled = Adder::default().shrink(&mut points, &mut spans);
        for (index, (span, expected)) in spans.iter().zip(&expected).enumerate() {
            if cancelled[index] {
                gone += 1;
                continue;
            }
            assert_eq!(total(span, &points), ours(expected));
            shrunk += usize::from(span.len == 1);
        }
    }
    assert!(shrunk > 500 && gone > 500, "{shrunk} {gone}");
}

#[test]
fn spans_of_random_points_never_cancel() {
    let mut rng = seeded(12);
    let base = ProjectivePoint::generator();
    for len in [0, 1, 2, 3, 63, 64, 127, 128, 129, 255, 256, 257, 1000] {
        let chosen: Vec<_> = (0..len).map(|_| base * random_scalar(&mut rng)).collect();
        let mut points: Vec<_> = chosen.iter().map(|point| ours(point).unwrap()).collect();
        let mut spans = [Span { start: 0, len }];
        assert_eq!(Adder::default().shrink(&mut points, &mut spans), [false]);
        assert!(spans[0].len <= len.min(127));
        assert_eq!(total(&spans[0], &points), ours(&chosen.iter().sum()));
    }
}

#[test]
fn table_of_each_class_holds_multiples_at_its_ends() {
    let mut rng = seeded(13);
    let base = ProjectivePoint::generator();
    let key = base * random_scalar(&mut rng);
    let paths = Paths::new(&ours(&key).unwrap());
    // One digit, and the largest and smallest it may be, at every place: each entry of a table is met.
    let mut powers = vec![Scalar::ONE];
    powers.extend((1..256).scan(Scalar::ONE, |power, _| {
        *power = power.double();
        Some(*power)
    }));
    for power in powers {
        for t in [power, -power - power.double()] {
            let s = t + Scalar::ONE;
            if t != Scalar::ZERO {
                check_sum(&s, &t, &paths, &(base * s + key * t));
            }
        }
    }
}

/// Random claims of one key, every third of them wrong, with what they should give.
fn random_claims(count: usize, paths: &Paths, rng: &mut impl Rng) -> Vec<(Claim, bool)> {
    let claim = |index: usize| {
        let (s, t) = (scalar_limbs(&random_scalar(rng)), scalar_limbs(&random_scalar(rng)));
        let x = affine(&sum::sum(&s, &t, &paths.point)).unwrap().x.number();
        let c = limbs::reduce_mod_n(&x);
        let right = !index.is_multiple_of(3);
        let c = if right { c } else { [c[0] ^ 2, c[1], c[2], c[3]] };
        (Claim { s, t, c }, right)
    };
    (0..count).map(claim).collect()
}

#[test]
fn random_claims_are_never_done_alone() {
    let mut rng = seeded(14);
    let keys: Vec<_> = (0..3)
        .map(|_| Paths::new(&ours(&(ProjectivePoint::generator() * random_scalar(&mut rng))).unwrap()))
        .collect();
    for count in [1, 2, 7, 8, 9, 31, 64, 100] {
        let claims: Vec<_> = keys.iter().map(|key| random_claims(count, key, &mut rng)).collect();
        let mut jobs = Vec::new();
        let mut expected = Vec::new();
        let known: Vec<_> = keys.iter().map(Paths::known).collect();
        for (index, &(claim, right)) in (0..count).map(|index| (index, &claims[index % 3][index])) {
            // The classes change from claim to claim.
            let (key, class) = (index % 3, index / 2 % 3);
            jobs.push(Job {
                key: &keys[key].key,
                known: &known[key][class],
                claim,
            });
            expected.push(right);
        }
        ALONE.set(0);
        assert_eq!(judge_by_scalars(&jobs), expected);
        assert_eq!(lanes::judge::<Portable>(&jobs), expected);
        assert_eq!(judge(&jobs), expected);
        assert_eq!(ALONE.get(), 0);
    }
}

#[test]
fn made_up_claims_leave_their_batch_by_themselves() {
    let mut rng = seeded(15);
    let base = ProjectivePoint::generator();
    for _ in 0..3 {
        let (s, t) = (random_scalar(&mut rng), random_scalar(&mut rng));
        let quotient = s * t.invert().unwrap();
        for (key, doubles) in [(base * quotient, true), (-base * quotient, false)] {
            let made_up = Paths::new(&ours(&key).unwrap());
            let other = Paths::new(&ours(&(base * random_scalar(&mut rng))).unwrap());
            let twice = ours(&(base * (s + s))).unwrap().x.number();
            let claim = Claim {
                s: scalar_limbs(&s),
                t: scalar_limbs(&t),
                c: limbs::reduce_mod_n(&twice),
            };
            for class in 0..3 {
                let (known, others) = (made_up.known(), other.known());
                let neighbours = random_claims(60, &other, &mut rng);
                let mut jobs: Vec<_> = neighbours
                    .iter()
                    .map(|(claim, _)| Job {
                        key: &other.key,
                        known: &others[class],
                        claim: *claim,
                    })
                    .collect();
                let mut expected: Vec<_> = neighbours.iter().map(|(_, right)| *right).collect();
                jobs.insert(
                    11,
                    Job {
                        key: &made_up.key,
                        known: &known[class],
                        claim,
                    },
                );
                expected.insert(11, doubles);
                ALONE.set(0);
                assert_eq!(judge_by_scalars(&jobs), expected);
                assert!(ALONE.get() <= 1);
                ALONE.set(0);
                assert_eq!(lanes::judge::<Portable>(&jobs), expected);
                assert!(ALONE.get() <= 1);
            }
        }
    }
}
