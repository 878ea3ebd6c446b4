//! Additions of affine points, many at a time, with one inversion for all of them.
//!
//! The slope of the line through two points needs a division. By Montgomery's trick n divisions cost one
//! inversion and 3(n − 1) multiplications, which makes an affine addition cost 5 multiplications and a
//! squaring where a mixed Jacobian one costs 8 and 3. Points of one sum are added in pairs, then their
//! sums in pairs, and so on: each round is one inversion, however many sums are under way. Where too few
//! are left to pay for it, what remains is left to Jacobian additions.

use super::field::Fe;
use super::point::Affine;

/// Additions that pay for an inversion: it takes as long as 350 multiplications, and each saves 5.
const ROUND_MIN: usize = 64;
/// Products are gathered in so many chains, because one chain would wait for each multiplication's end.
const CHAINS: usize = 4;

/// points[into] = points[left] + points[right]. No `into` is an operand of another addition of a round.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addition {
    pub(super) into: u32,
    pub(super) left: u32,
    pub(super) right: u32,
}

impl Addition {
    #[inline(always)]
    fn operands<'a>(&self, points: &'a [Affine]) -> (&'a Affine, &'a Affine) {
        (&points[self.left as usize], &points[self.right as usize])
    }
}

/// What is to be added up: `len` points from `start` on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) len: u32,
}

impl Span {
    pub(super) fn of<'a>(&self, points: &'a [Affine]) -> &'a [Affine] {
        &points[self.start as usize..(self.start + self.len) as usize]
    }
}

/// The memory that a round needs, kept from round to round.
#[derive(Debug, Default)]
pub(super) struct Adder {
    additions: Vec<Addition>,
    /// For each addition, its span.
    owners: Vec<u32>,
    /// For each addition, its denominator and the product of those before it in its chain.
    steps: Vec<(Fe, Fe)>,
}

impl Adder {
    /// Makes the points of each span fewer without changing their sum, as long as that pays. Returns the
    /// spans where two points cancelled each other, whose points are undefined then: only made-up ones do.
    pub(super) fn shrink(&mut self, points: &mut [Affine], spans: &mut [Span]) -> Vec<bool> {
        let mut cancelled = vec![false; spans.len()];
        loop {
            let additions = |span: &Span| (span.len / 2) as usize;
            if spans.iter().map(additions).sum::<usize>() < ROUND_MIN {
                return cancelled;
            }
            self.pair_up(spans);
            let additions = std::mem::take(&mut self.additions);
            self.add(points, &additions, |index, owners| {
                cancelled[owners[index] as usize] = true
            });
            self.additions = additions;
        }
    }

    /// The additions of the next round: the first half of each span takes the second in.
    fn pair_up(&mut self, spans: &mut [Span]) {
        self.additions.clear();
        self.owners.clear();
        for (index, span) in spans.iter_mut().enumerate() {
            let half = span.len.div_ceil(2);
            for left in span.start..span.start + span.len - half {
                let right = left + half;
                self.additions.push(Addition {
                    into: left,
                    left,
                    right,
                });
                self.owners.push(index as u32);
            }
            span.len = half;
        }
    }

    /// Does the additions of one round. An addition whose sum is infinity leaves its point undefined and
    /// is reported.
    pub(super) fn add(
        &mut self,
        points: &mut [Affine],
        additions: &[Addition],
        mut cancelled: impl FnMut(usize, &[u32]),
    ) {
        let mut products = [Fe::ONE; CHAINS];
        self.steps.clear();
        for (index, addition) in additions.iter().enumerate() {
            let (left, right) = addition.operands(points);
            let mut denominator = right.x.sub(&left.x);
            if denominator.is_zero() {
                denominator = left.y.add(&right.y);
                if denominator.is_zero() {
                    // 1 keeps the product of the others intact.
                    denominator = Fe::ONE;
                    cancelled(index, &self.owners);
                }
            }
            let product = &mut products[index % CHAINS];
            self.steps.push((denominator, *product));
            *product = product.mul(&denominator);
        }
        let mut inverses = inverses(&products);
        for (index, (addition, (denominator, before))) in additions.iter().zip(&self.steps).enumerate().rev() {
            let inverse = &mut inverses[index % CHAINS];
            let reciprocal = inverse.mul(before);
            *inverse = inverse.mul(denominator);
            let (left, right) = addition.operands(points);
            let slope = rise(left, right).mul(&reciprocal);
            let x = slope.sqr().sub(&left.x).sub(&right.x);
            let y = slope.mul(&left.x.sub(&x)).sub(&left.y);
            points[addition.into as usize] = Affine { x, y };
        }
    }
}

/// How far the line through two points, which are not each other's negative, rises over its denominator:
/// y₂ − y₁ over x₂ − x₁, or 3x² + a over 2y where they are equal.
#[inline(always)]
fn rise(left: &Affine, right: &Affine) -> Fe {
    if left.x == right.x {
        tangent_rise(&left.x)
    } else {
        right.y.sub(&left.y)
    }
}

/// 3x² + a, for a = −3.
#[cold]
fn tangent_rise(x: &Fe) -> Fe {
    let difference = x.sqr().sub(&Fe::ONE);
    difference.double().add(&difference)
}

/// 1 / a of each, with one inversion.
fn inverses(elements: &[Fe; CHAINS]) -> [Fe; CHAINS] {
    let [a, b, c, d] = elements;
    let (ab, cd) = (a.mul(b), c.mul(d));
    let all = ab.mul(&cd).invert();
    let (of_ab, of_cd) = (all.mul(&cd), all.mul(&ab));
    [of_ab.mul(b), of_ab.mul(a), of_cd.mul(d), of_cd.mul(c)]
}
