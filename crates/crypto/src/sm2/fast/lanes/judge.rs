//! Claims eight at a time.

use super::super::batch::{Job, alone};
use super::super::cache::{Known, Tabled};
use super::super::comb::{Comb, places, signed_digit};
use super::super::hot::Hot;
use super::super::point;
use super::super::sum::{BASE, STEPS};
use super::field::Stored;
use super::gather::{Lists, pick};
use super::jacobian::{Affine, Jacobian};
use super::sums::{Addition, Point, add, add_up};
use super::vector::{LANES, Lanes};

/// Claims with the places of their answers.
type Placed<'a, T> = (usize, &'a Job<'a>, T);

/// Whether each claim holds, in order.
#[inline(always)]
pub(crate) fn judge<V: Lanes>(jobs: &[Job<'_>]) -> Vec<bool> {
    let (mut hot, mut tabled, mut plain) = (Vec::new(), Vec::new(), Vec::new());
    for (place, job) in jobs.iter().enumerate() {
        match job.known {
            Known::Hot(known) => hot.push((place, job, &**known)),
            Known::Tabled(known) => tabled.push((place, job, &**known)),
            Known::New => plain.push((place, job, ())),
        }
    }
    let mut answers = vec![false; jobs.len()];
    judge_hot::<V>(&hot, &mut answers);
    judge_tabled::<V>(&tabled, &mut answers);
    judge_plain::<V>(&plain, &mut answers);
    answers
}

/// All points of a claim are added up.
#[inline(always)]
fn judge_hot<V: Lanes>(jobs: &[Placed<'_, &Hot>], answers: &mut [bool]) {
    let (mut points, mut lists) = (Vec::new(), Lists::new());
    let mut spans = Vec::with_capacity(jobs.len().div_ceil(LANES));
    for row in jobs.chunks(LANES) {
        for (lane, (_, job, hot)) in row.iter().enumerate() {
            push_all(&mut lists, lane, &BASE, &job.claim.s);
            push_all(&mut lists, lane, &hot.comb, &job.claim.t);
        }
        spans.push(lists.take::<V>(&mut points));
    }
    let failed = add_up::<V>(&mut points, &mut spans);
    for ((row, span), failed) in jobs.chunks(LANES).zip(&spans).zip(failed) {
        let failed = failed | !span.longer_than(0);
        for (lane, (place, job, _)) in row.iter().enumerate() {
            answers[*place] = if failed >> lane & 1 == 1 {
                alone(job)
            } else {
                point_of(&points[span.start], lane).has_x_mod_n(&job.claim.c)
            };
        }
    }
}

#[inline(always)]
fn push_all(lists: &mut Lists, lane: usize, comb: &Comb, k: &[u64; 4]) {
    comb.each(k, |point| lists.push(lane, &point));
}

/// The point of a lane: what is 4x and 2y to [`super::super::field::Fe`] there.
fn point_of(point: &Point, lane: usize) -> point::Affine {
    point::Affine {
        x: point.x.element(lane).half().half(),
        y: point.y.element(lane).half(),
    }
}

/// The points of each step are added up, and the steps' sums by doubling.
#[inline(always)]
fn judge_tabled<V: Lanes>(jobs: &[Placed<'_, &Tabled>], answers: &mut [bool]) {
    let (mut points, mut spans) = (Vec::new(), Vec::new());
    let mut lists: [_; STEPS] = std::array::from_fn(|_| Lists::new());
    for row in jobs.chunks(LANES) {
        for (lane, (_, job, tabled)) in row.iter().enumerate() {
            tabled
                .table
                .each(&job.claim.t, |step, point| lists[step].push(lane, &point));
            push_all(&mut lists[0], lane, &BASE, &job.claim.s);
        }
        for lists in lists.iter_mut().rev() {
            spans.push(lists.take::<V>(&mut points));
        }
    }
    let failed = add_up::<V>(&mut points, &mut spans);
    let steps = spans.chunks(STEPS).zip(failed.chunks(STEPS));
    for (row, (spans, failed)) in jobs.chunks(LANES).zip(steps) {
        let mut sum = Jacobian::<V>::infinity();
        for span in spans {
            sum = sum.double();
            // A step without points in all lanes has no place in `points`.
            if span.len() > 0 {
                sum = sum.add(&Affine::load(&points[span.start], 0), span.longer_than(0));
            }
        }
        let failed = failed.iter().fold(0, |all, failed| all | failed);
        finish(row, &sum.store_xz(), failed, answers);
    }
}

/// Compares the sums of a row.
#[inline(always)]
fn finish<T>(row: &[Placed<'_, T>], [x, z]: &[Stored; 2], failed: u8, answers: &mut [bool]) {
    for (lane, (place, job, _)) in row.iter().enumerate() {
        // 16X and 16Z: x = X/Z² = 16·16X / (16Z)².
        let sum = point::Jacobian {
            x: (0..4).fold(x.element(lane), |x, _| x.double()),
            z: z.element(lane),
            ..point::Jacobian::INFINITY
        };
        answers[*place] = if failed >> lane & 1 == 1 || sum.z.is_zero() {
            alone(job)
        } else {
            sum.has_x_mod_n(&job.claim.c)
        };
    }
}

/// Window of the digits of t for keys without tables: 16 multiples each.
const WINDOW: u32 = 5;
const MULTIPLES: usize = 1 << (WINDOW - 1);

/// s·G is added up, and t·Q by doublings: one digit at a time, at the same place in all lanes.
#[inline(always)]
fn judge_plain<V: Lanes>(jobs: &[Placed<'_, ()>], answers: &mut [bool]) {
    let (mut points, mut lists) = (Vec::new(), Lists::new());
    let mut spans = Vec::with_capacity(jobs.len().div_ceil(LANES));
    for row in jobs.chunks(LANES) {
        for (lane, (_, job, ())) in row.iter().enumerate() {
            push_all(&mut lists, lane, &BASE, &job.claim.s);
        }
        spans.push(lists.take::<V>(&mut points));
    }
    let failed = add_up::<V>(&mut points, &mut spans);
    let multiples = multiples::<V>(jobs);
    let rows = jobs.chunks(LANES).zip(multiples.chunks(MULTIPLES));
    for ((row, multiples), (span, failed)) in rows.zip(spans.iter().zip(failed)) {
        let sum = multiply::<V>(row, multiples);
        let base = Affine::load(&points[span.start], 0);
        let sum = sum.add(&base, span.longer_than(0));
        finish(row, &sum.store_xz(), failed, answers);
    }
}

/// Q, 2Q … 16Q of each row's keys.
#[inline(always)]
fn multiples<V: Lanes>(jobs: &[Placed<'_, ()>]) -> Vec<Point> {
    let (mut points, mut lists) = (Vec::new(), Lists::new());
    for row in jobs.chunks(LANES) {
        for (lane, (_, job, ())) in row.iter().enumerate() {
            lists.push(lane, &super::super::point_of(job.key));
        }
        // Lanes without a claim get a key too, so that nothing there is 0.
        for lane in row.len()..LANES {
            lists.push(lane, &point::Affine::base());
        }
        let span = lists.take::<V>(&mut points);
        points.resize(span.start + MULTIPLES, Point::NONE);
    }
    let rows = points.len() / MULTIPLES;
    let mut known = 1;
    while known < MULTIPLES {
        let row = |row: usize| {
            let last = row * MULTIPLES + known - 1;
            (row * MULTIPLES..=last).map(move |index| Addition {
                into: index + known,
                left: index,
                right: last,
                lanes: u8::MAX,
                owner: 0,
            })
        };
        let additions: Vec<_> = (0..rows).flat_map(row).collect();
        // A key's order is a prime above 16: nothing cancels, and what doubles is asked to.
        add::<V>(&mut points, &additions, &mut [0]);
        known *= 2;
    }
    points
}

/// t·Q of each lane.
#[inline(always)]
fn multiply<V: Lanes>(row: &[Placed<'_, ()>], multiples: &[Point]) -> Jacobian<V> {
    let mut sum = Jacobian::infinity();
    for place in (0..places(WINDOW)).rev() {
        if place + 1 < places(WINDOW) {
            for _ in 0..WINDOW {
                sum = sum.double();
            }
        }
        let (mut indices, mut some, mut negative) = ([0; LANES], 0, 0);
        for (lane, (_, job, ())) in row.iter().enumerate() {
            let digit = signed_digit(&job.claim.t, WINDOW, place);
            indices[lane] = (digit.unsigned_abs() as usize).saturating_sub(1);
            some |= u8::from(digit != 0) << lane;
            negative |= u8::from(digit < 0) << lane;
        }
        sum = sum.add(&Affine::load(&pick(multiples, &indices), negative), some);
    }
    sum
}
