//! Many claims at a time: their points are added with shared inversions.
//!
//! Every answer is exactly the standard's and depends on its own claim only: a sum in which two points
//! cancel, which only made-up signatures have, leaves the batch and is done again by itself.

use super::affine_sum::{Adder, Addition, Span, Total};
use super::cache::Known;
use super::claim::Claim;
use super::comb::{self, Comb};
use super::point::{Affine, Jacobian};
use super::sum::{self, BASE, BASE_WINDOW, PLAIN_MULTIPLES, STEPS};
use crate::sm2::PublicKey;
use std::ops::Range;

/// Claims that share inversions. Their points take 5 KB each, and all should stay in the second-level cache.
pub(super) const BLOCK: usize = 256;
/// Fewer claims do not pay for the inversions they share.
pub(super) const WORTH_SHARING: usize = 8;

/// Points of one claim, about: where memory is set aside.
const POINTS: usize = comb::places(BASE_WINDOW) + 64;

/// A claim of a key of which something may be known.
pub(crate) struct Job<'a> {
    pub(super) key: &'a PublicKey,
    pub(super) known: &'a Known,
    pub(super) claim: Claim,
}

/// The sums of a block while they are gathered and added up.
#[derive(Default)]
struct Sums {
    points: Vec<Affine>,
    groups: Vec<Span>,
}

/// Whether each claim holds, in order.
pub(super) fn judge(jobs: &[Job<'_>]) -> Vec<bool> {
    #[cfg(target_arch = "x86_64")]
    if let Some(answers) = crate::simd::ifma::judge(jobs) {
        return answers;
    }
    judge_by_scalars(jobs)
}

/// The same by instructions that every processor has.
pub(super) fn judge_by_scalars(jobs: &[Job<'_>]) -> Vec<bool> {
    let mut adder = Adder::default();
    let plain = jobs.iter().filter(|job| job.known.is_plain());
    let multiples = odd_multiples(&mut adder, plain.map(|job| super::point_of(job.key)));
    let mut sums = Sums {
        points: Vec::with_capacity(jobs.len() * POINTS),
        groups: Vec::with_capacity(jobs.len()),
    };
    let own: Vec<_> = jobs.iter().map(|job| sums.gather(job)).collect();
    let totals = adder.totals(&mut sums.points, &mut sums.groups);
    let mut multiples = multiples.chunks_exact(MULTIPLES);
    let answer = |(job, groups): (&Job<'_>, Range<usize>)| {
        let claim = &job.claim;
        let totals = &totals[groups];
        let sum = match job.known {
            Known::Hot(_) => return direct(totals[0], job),
            Known::Tabled(_) => by_steps(totals),
            Known::New | Known::Seen(_) => {
                let multiples = multiples.next().expect("one row for each plain claim");
                plain_sum(&claim.t, &multiples[..PLAIN_MULTIPLES], totals[0])
            }
        };
        sum.map_or_else(|| alone(job), |sum| sum.has_x_mod_n(&claim.c))
    };
    jobs.iter().zip(own).map(answer).collect()
}

impl Sums {
    /// Gathers the points that make up a claim's sum, and returns its groups.
    fn gather(&mut self, job: &Job<'_>) -> Range<usize> {
        let first = self.groups.len();
        let claim = &job.claim;
        match job.known {
            Known::Hot(hot) => self.group(|points| {
                push_all(points, &BASE, &claim.s);
                push_all(points, &hot.comb, &claim.t);
            }),
            Known::Tabled(tabled) => {
                let mut at = STEPS - 1;
                let mut start = self.points.len();
                tabled.table.each(&claim.t, |step, point| {
                    while at > step {
                        start = self.close(start);
                        at -= 1;
                    }
                    self.points.push(point);
                });
                for _ in 0..at {
                    start = self.close(start);
                }
                push_all(&mut self.points, &BASE, &claim.s);
                self.close(start);
            }
            Known::New | Known::Seen(_) => self.group(|points| push_all(points, &BASE, &claim.s)),
        }
        first..self.groups.len()
    }

    fn group(&mut self, fill: impl FnOnce(&mut Vec<Affine>)) {
        let start = self.points.len();
        fill(&mut self.points);
        self.close(start);
    }

    /// Makes a group of the points from `start` on; the next group starts where this ends.
    fn close(&mut self, start: usize) -> usize {
        let end = self.points.len();
        self.groups.push(Span {
            start: start as u32,
            len: (end - start) as u32,
        });
        end
    }
}

fn push_all(points: &mut Vec<Affine>, comb: &Comb, k: &[u64; 4]) {
    comb.each(k, |point| points.push(point));
}

/// A claim whose points were all added up.
fn direct(total: Total, job: &Job<'_>) -> bool {
    match total {
        Total::Point(point) => point.has_x_mod_n(&job.claim.c),
        Total::Infinity => false,
        Total::Cancelled => alone(job),
    }
}

/// Σ 2ᵏ·totalₖ, the greatest k first; `None` if points cancelled.
fn by_steps(totals: &[Total]) -> Option<Jacobian> {
    totals.iter().try_fold(Jacobian::INFINITY, |sum, total| {
        let doubled = sum.double();
        match total {
            Total::Infinity => Some(doubled),
            Total::Point(point) => Some(doubled.add_affine(point)),
            Total::Cancelled => None,
        }
    })
}

/// t·Q + s·G, given Q's odd multiples and s·G; `None` if points cancelled.
fn plain_sum(t: &[u64; 4], multiples: &[Affine], base: Total) -> Option<Jacobian> {
    let product = sum::multiply_affine(t, multiples);
    match base {
        Total::Point(base) => Some(product.add_affine(&base)),
        Total::Infinity => Some(product),
        Total::Cancelled => None,
    }
}

#[cfg(test)]
thread_local! {
    /// How often [`alone`] was asked by this thread.
    pub(super) static ALONE: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// The answer by formulas that know every case.
pub(super) fn alone(job: &Job<'_>) -> bool {
    #[cfg(test)]
    ALONE.set(ALONE.get() + 1);
    let claim = &job.claim;
    sum::sum(&claim.s, &claim.t, &super::point_of(job.key)).has_x_mod_n(&claim.c)
}

/// Places of a row of multiples: 1, 3 … 15, then 2, 4 and 8, which lead there.
const MULTIPLES: usize = PLAIN_MULTIPLES + 3;
/// How the multiples arise from the first, in rounds; by place.
const ROUNDS: [&[[u32; 3]]; 4] = [
    // 2 = 1 + 1
    &[[8, 0, 0]],
    // 3 = 2 + 1, 4 = 2 + 2
    &[[1, 8, 0], [9, 8, 8]],
    // 5 = 4 + 1, 7 = 4 + 3, 8 = 4 + 4
    &[[2, 9, 0], [3, 9, 1], [10, 9, 9]],
    // 9 = 8 + 1, 11 = 8 + 3, 13 = 8 + 5, 15 = 8 + 7
    &[[4, 10, 0], [5, 10, 1], [6, 10, 2], [7, 10, 3]],
];

/// For each key a row of [`MULTIPLES`], of which the first 8 are Q, 3Q … 15Q.
fn odd_multiples(adder: &mut Adder, keys: impl Iterator<Item = Affine>) -> Vec<Affine> {
    let mut points: Vec<_> = keys.flat_map(|key| [key; MULTIPLES]).collect();
    let mut additions = Vec::new();
    for round in ROUNDS {
        additions.clear();
        for row in (0..points.len() as u32).step_by(MULTIPLES) {
            additions.extend(round.iter().map(|[into, left, right]| Addition {
                into: row + into,
                left: row + left,
                right: row + right,
            }));
        }
        // A key's order is a prime above 16: none of these is infinity.
        adder.add(&mut points, &additions, |_, _| {
            unreachable!("small multiples of a key are not infinity")
        });
    }
    points
}
