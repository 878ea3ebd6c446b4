//! Multiples of a point by a table of all that its digits can ask for: no doublings are left.

use super::affine_sum::{Adder, Addition};
use super::limbs::U256;
use super::point::{Affine, Jacobian, to_affine};

/// d·2^(w·i)·P for 1 ≤ d ≤ 2^(w−1) and each of the places i of a 256-bit number in signed digits to 2^w.
#[derive(Debug)]
pub(super) struct Comb {
    window: u32,
    points: Box<[Affine]>,
}

/// Places of a 256-bit number; the sign of the last digit takes one bit more.
pub(super) const fn places(window: u32) -> usize {
    257usize.div_ceil(window as usize)
}

/// Points of a table.
pub(super) const fn points(window: u32) -> usize {
    places(window) << (window - 1)
}

impl Comb {
    /// Takes 6 multiplications for each point and 256 doublings.
    pub(super) fn new(point: &Affine, window: u32) -> Self {
        let firsts = std::iter::successors(Some(Jacobian::from(point)), |last| {
            Some((0..window).fold(*last, |point, _| point.double()))
        });
        let firsts = to_affine(&firsts.take(places(window)).collect::<Vec<_>>());
        let row = 1 << (window - 1);
        let mut points = vec![firsts[0]; firsts.len() * row];
        for (place, first) in firsts.iter().enumerate() {
            points[place * row] = *first;
        }
        extend_rows(&mut points, row);
        Self {
            window,
            points: points.into(),
        }
    }

    /// Gives the points whose sum is k·P.
    #[inline(always)]
    pub(super) fn each(&self, k: &U256, mut give: impl FnMut(Affine)) {
        self.each_entry(k, |point, negative| give(point.neg_if(negative)));
    }

    /// Asks for the points of [`Self::each`] a little before they are needed: a table is larger than the caches.
    #[inline(always)]
    pub(super) fn prefetch(&self, k: &U256) {
        #[cfg(target_arch = "x86_64")]
        self.each_entry(k, |point, _| crate::simd::prefetch(point));
        #[cfg(not(target_arch = "x86_64"))]
        let _ = k;
    }

    #[inline(always)]
    fn each_entry(&self, k: &U256, mut give: impl FnMut(&Affine, bool)) {
        let row = 1 << (self.window - 1);
        for (place, points) in self.points.chunks_exact(row).enumerate() {
            let digit = signed_digit(k, self.window, place);
            if digit == 0 {
                continue;
            }
            give(&points[digit.unsigned_abs() as usize - 1], digit < 0);
        }
    }

    /// `sum` + k·P.
    pub(super) fn add_to(&self, mut sum: Jacobian, k: &U256) -> Jacobian {
        self.each(k, |point| sum = sum.add_affine(&point));
        sum
    }
}

/// Rows whose first point is P are filled with 2P, 3P …: the known 1..m give m + 1..2m in one round.
fn extend_rows(points: &mut [Affine], row: usize) {
    let mut adder = Adder::default();
    let mut known = 1;
    while known < row {
        let mut additions = Vec::with_capacity(points.len() / row * known);
        for start in (0..points.len()).step_by(row) {
            let last = start + known - 1;
            additions.extend((start..start + known).map(|index| Addition {
                into: (index + known) as u32,
                left: index as u32,
                right: last as u32,
            }));
        }
        // The order of the group is a prime above all these multiples: none is infinity.
        adder.add(points, &additions, |_, _| {
            unreachable!("small multiples of a point are not infinity")
        });
        known *= 2;
    }
}

/// The digit dᵢ of k = Σ dᵢ·2^(w·i), from −2^(w−1) to 2^(w−1) (Booth): the w bits of its place and the one
/// below, which says whether the place below has borrowed.
#[inline(always)]
pub(super) fn signed_digit(k: &U256, window: u32, place: usize) -> i32 {
    let bits = if place == 0 {
        k[0] << 1
    } else {
        bits_from(k, place * window as usize - 1)
    };
    let bits = (bits & ((2 << window) - 1)) as i32;
    ((bits + 1) >> 1) - (bits >> window << window)
}

/// The 64 bits of k from a place on, zeros beyond its end.
#[inline(always)]
pub(super) fn bits_from(k: &U256, place: usize) -> u64 {
    let limb = |index: usize| k.get(index).copied().unwrap_or(0);
    let (index, shift) = (place / 64, place % 64);
    let low = limb(index) >> shift;
    // A shift by 64 would be none: two shifts.
    low | limb(index + 1) << 1 << (63 - shift)
}
