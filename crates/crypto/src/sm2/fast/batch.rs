//! Many claims at a time: their points are added with shared inversions.
//!
//! Every answer is exactly the standard's and depends on its own claim only: a sum in which two points
//! cancel, which only made-up signatures have, leaves the batch and is done again by itself.

use super::affine_sum::{Adder, Addition, Span};
use super::cache::Known;
use super::claim::Claim;
use super::comb::{self, Comb};
use super::point::{Affine, Jacobian};
use super::sum::{self, BASE, BASE_WINDOW, PLAIN_MULTIPLES, STEPS};
use crate::sm2::PublicKey;
use std::ops::Range;

/// Claims that share inversions. Their points take 5 KB each, and all should stay in the second-level cache, of which
/// other work of the machine wants its part: with half as many as with 256 inversions take 2 % more.
pub(super) const BLOCK: usize = 128;
/// So many claims before it is gathered, the entries of a claim are asked for.
const AHEAD: usize = 2;
/// Fewer keys without tables do not pay for the inversions that make their multiples affine.
const PLAIN_MIN: usize = 8;
/// Fewer claims do not fill the lanes of a vector and pay for their inversions.
#[cfg(target_arch = "x86_64")]
const LANES_MIN: usize = 16;

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
    spans: Vec<Span>,
}

/// Whether each claim holds, in order.
pub(super) fn judge(jobs: &[Job<'_>]) -> Vec<bool> {
    #[cfg(target_arch = "x86_64")]
    if jobs.len() >= LANES_MIN
        && let Some(lanes) = super::self_test::trusted()
    {
        return lanes.judge(jobs);
    }
    judge_by_scalars(jobs)
}

/// The same by instructions that every processor has.
pub(super) fn judge_by_scalars(jobs: &[Job<'_>]) -> Vec<bool> {
    let mut adder = Adder::default();
    let plain: Vec<_> = jobs.iter().filter(|job| job.known.is_plain()).collect();
    let multiples = if plain.len() < PLAIN_MIN {
        Vec::new()
    } else {
        odd_multiples(&mut adder, plain.iter().map(|job| super::point_of(job.key)))
    };
    let mut sums = Sums {
        points: Vec::with_capacity(jobs.len() * POINTS),
        spans: Vec::with_capacity(jobs.len()),
    };
    jobs.iter().take(AHEAD).for_each(prefetch);
    let gather = |(at, job): (usize, &Job<'_>)| {
        jobs.get(at + AHEAD).into_iter().for_each(prefetch);
        sums.gather(job)
    };
    let own: Vec<_> = jobs.iter().enumerate().map(gather).collect();
    let cancelled = adder.shrink(&mut sums.points, &mut sums.spans);
    let mut multiples = multiples.chunks_exact(MULTIPLES);
    let answer = |(job, own): (&Job<'_>, Range<usize>)| {
        // Taken before anything else: the next claim's row comes next.
        let multiples = job.known.is_plain().then(|| multiples.next()).flatten();
        if cancelled[own.clone()].contains(&true) {
            return alone(job);
        }
        let claim = &job.claim;
        let spans = sums.spans[own].iter().map(|span| span.of(&sums.points));
        match job.known {
            Known::Hot(_) | Known::Tabled(_) => holds(spans, &claim.c),
            Known::New => {
                let product = multiples.map_or_else(
                    || sum::multiply(&claim.t, &super::point_of(job.key)),
                    |row| sum::multiply_affine(&claim.t, &row[..PLAIN_MULTIPLES]),
                );
                spans.fold(product, add_all).has_x_mod_n(&claim.c)
            }
        }
    };
    jobs.iter().zip(own).map(answer).collect()
}

/// Asks for the entries of tables that a claim needs.
fn prefetch(job: &Job<'_>) {
    BASE.prefetch(&job.claim.s);
    if let Known::Hot(hot) = job.known {
        hot.comb.prefetch(&job.claim.t);
    }
}

/// Whether Σ 2ᵏ·(sum of the points of span k), the greatest k first, has an x with x mod n = c.
fn holds<'a>(mut spans: impl Iterator<Item = &'a [Affine]> + Clone, c: &[u64; 4]) -> bool {
    // What most sums end as needs no further addition.
    let mut rest = spans.clone();
    if let (Some([point]), None) = (rest.next(), rest.next()) {
        return point.has_x_mod_n(c);
    }
    let first = spans.next().unwrap_or_default();
    let first = add_all(Jacobian::INFINITY, first);
    spans
        .fold(first, |sum, points| add_all(sum.double(), points))
        .has_x_mod_n(c)
}

fn add_all(sum: Jacobian, points: &[Affine]) -> Jacobian {
    points.iter().fold(sum, |sum, point| sum.add_affine(point))
}

impl Sums {
    /// Gathers the points that make up a claim's sum, and returns its spans.
    fn gather(&mut self, job: &Job<'_>) -> Range<usize> {
        let first = self.spans.len();
        let claim = &job.claim;
        match job.known {
            Known::Hot(hot) => self.span(|points| {
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
            Known::New => self.span(|points| push_all(points, &BASE, &claim.s)),
        }
        first..self.spans.len()
    }

    fn span(&mut self, fill: impl FnOnce(&mut Vec<Affine>)) {
        let start = self.points.len();
        fill(&mut self.points);
        self.close(start);
    }

    /// Makes a span of the points from `start` on; the next span starts where this ends.
    fn close(&mut self, start: usize) -> usize {
        let end = self.points.len();
        self.spans.push(Span {
            start: start as u32,
            len: (end - start) as u32,
        });
        end
    }
}

fn push_all(points: &mut Vec<Affine>, comb: &Comb, k: &[u64; 4]) {
    comb.each(k, |point| points.push(point));
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
