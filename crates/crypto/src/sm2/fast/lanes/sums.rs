//! Additions of affine points in eight lanes, with one inversion for all of them: see
//! [`super::super::affine_sum`], whose rounds these are.
//!
//! Tables hold x·2²⁵⁶ and y·2²⁵⁶, where lanes want 2²⁶⁰ instead. What is loaded here is 4x·2²⁵⁶ and
//! 2y·2²⁵⁶: the lanes' form of x/4 and y/8, a point of the isomorphic curve y² = x³ − (3/16)x + b/64. The
//! formulas of addition are the same there, so only two shifts are needed and no products.
//! Coordinates are below 4p (x) and 2p (y).

use super::super::field::Fe;
use super::field::{Field, MINUS_P, ONE, Stored};
use super::vector::{LANES, Lanes};

/// A point of the isomorphic curve in each lane.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    pub(super) x: Stored,
    pub(super) y: Stored,
}

/// points[into] = points[left] + points[right] in `lanes`, and points[left] in the others; a point with
/// itself is doubled. No `into` is an operand of another addition of a round.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addition {
    pub(super) into: usize,
    pub(super) left: usize,
    pub(super) right: usize,
    pub(super) lanes: u8,
    /// Whose failure it is when points cancel or double unasked.
    pub(super) owner: usize,
}

/// Points to add up from `start` on, so many in each lane.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) lens: [usize; LANES],
}

impl Span {
    pub(super) fn len(&self) -> usize {
        *self.lens.iter().max().expect("eight lanes")
    }

    /// Lanes with more than so many points.
    pub(super) fn longer_than(&self, len: usize) -> u8 {
        (0..LANES).fold(0, |mask, lane| mask | u8::from(self.lens[lane] > len) << lane)
    }
}

/// Adds up each span into its first point, and returns the lanes of each in which that failed. Lanes
/// without points keep what was there.
#[inline(always)]
pub(super) fn add_up<V: Lanes>(points: &mut [Point], spans: &mut [Span]) -> Vec<u8> {
    let mut failed = vec![0; spans.len()];
    loop {
        let additions = pair_up(spans);
        if additions.is_empty() {
            return failed;
        }
        add::<V>(points, &additions, &mut failed);
    }
}

/// The additions of the next round: the first half of each span takes the second in. In lanes with fewer
/// points than the longest some have nothing to add.
fn pair_up(spans: &mut [Span]) -> Vec<Addition> {
    let mut additions = Vec::new();
    for (owner, span) in spans.iter_mut().enumerate() {
        let len = span.len();
        let half = len.div_ceil(2);
        for index in 0..len - half {
            let left = span.start + index;
            additions.push(Addition {
                into: left,
                left,
                right: left + half,
                lanes: span.longer_than(index + half),
                owner,
            });
        }
        span.lens = span.lens.map(|len| len.min(half));
    }
    additions
}

/// Products are gathered in so many chains.
const CHAINS: usize = 2;

/// Does the additions of one round; marks the lanes that failed at their owners.
#[inline(always)]
pub(super) fn add<V: Lanes>(points: &mut [Point], additions: &[Addition], failed: &mut [u8]) {
    let one = Field::<V>::splat(&ONE);
    let mut one_stored = Stored::ZERO;
    one.store(&mut one_stored);
    let mut products = [one_stored; CHAINS];
    let mut steps = vec![(Stored::ZERO, Stored::ZERO); additions.len()];
    for (index, addition) in additions.iter().enumerate() {
        let denominator = if addition.left == addition.right {
            Field::<V>::load(&points[addition.left].y).times::<1>()
        } else {
            Field::load(&points[addition.right].x).sub(&Field::<V>::load(&points[addition.left].x), 4)
        };
        let zero = denominator.maybe_zero() & addition.lanes;
        failed[addition.owner] |= zero;
        // 1 keeps the product of the others intact.
        let denominator = Field::select(addition.lanes & !zero, &denominator, &one);
        let product = Field::load(&products[index % CHAINS]);
        denominator.store(&mut steps[index].0);
        product.store(&mut steps[index].1);
        product.mul(&denominator).store(&mut products[index % CHAINS]);
    }
    let mut inverses = inverses(&products);
    for (index, addition) in additions.iter().enumerate().rev() {
        let inverse = Field::<V>::load(&inverses[index % CHAINS]);
        let reciprocal = inverse.mul(&Field::load(&steps[index].1));
        inverse
            .mul(&Field::load(&steps[index].0))
            .store(&mut inverses[index % CHAINS]);
        finish(points, addition, &reciprocal);
    }
}

/// One addition, given the reciprocal of its denominator.
#[inline(always)]
fn finish<V: Lanes>(points: &mut [Point], addition: &Addition, reciprocal: &Field<V>) {
    let (left, right) = (&points[addition.left], &points[addition.right]);
    let (x1, y1) = (Field::<V>::load(&left.x), Field::load(&left.y));
    let x2 = Field::load(&right.x);
    let rise = if addition.left == addition.right {
        // 3(x² − 1/16), below 9p.
        let difference = x1.sqr().sub(&Field::splat(&MINUS_P), 1);
        difference.add(&difference.times::<1>())
    } else {
        Field::load(&right.y).sub(&y1, 2)
    };
    let slope = rise.mul(reciprocal);
    let x = slope.sqr().sub_both_folded(&x1, &x2, 8);
    let y = slope.mul(&x1.sub(&x, 2)).sub_folded(&y1, 2);
    let into = &mut points[addition.into];
    Field::select(addition.lanes, &x, &x1).store(&mut into.x);
    Field::select(addition.lanes, &y, &y1).store(&mut into.y);
}

/// 1 / a in each lane of each, with one inversion. None is 0.
///
/// What lanes hold of a is 16a to [`Fe`], and what they want of 1/a is 16/a = 256 / 16a.
fn inverses(elements: &[Stored; CHAINS]) -> [Stored; CHAINS] {
    let mut before = [[Fe::ONE; LANES]; CHAINS];
    let mut product = Fe::ONE;
    for (chain, stored) in elements.iter().enumerate() {
        for (lane, before) in before[chain].iter_mut().enumerate() {
            *before = product;
            product = product.mul(&stored.element(lane));
        }
    }
    let mut inverse = product.invert();
    let scale = (0..8).fold(Fe::ONE, |scale, _| scale.double());
    let mut out = [Stored::ZERO; CHAINS];
    for chain in (0..CHAINS).rev() {
        for lane in (0..LANES).rev() {
            out[chain].set(lane, &inverse.mul(&before[chain][lane]).mul(&scale));
            inverse = inverse.mul(&elements[chain].element(lane));
        }
    }
    out
}
