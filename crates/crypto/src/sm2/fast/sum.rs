//! s·G + t·Q by signed digits.

use super::comb::{Comb, bits_from};
use super::limbs::{N, U256, less, sub};
use super::point::{Affine, Jacobian, to_affine};
use std::sync::LazyLock;

/// Window of the digits of t for a key without a table: odd digits below 2⁴ in size.
const PLAIN_WINDOW: u32 = 5;
/// Q, 3Q … 15Q.
pub(super) const PLAIN_MULTIPLES: usize = 1 << (PLAIN_WINDOW - 2);

/// Pieces t is cut into when the key has a table: 256 / 32 = 8 doublings are left.
const PIECES: usize = 32;
/// Steps of a sum with a table; each but the last ends with a doubling.
pub(super) const STEPS: usize = 256 / PIECES;
/// Window of the digits of t when the key has a table: ±1 and ±3.
const TABLE_WINDOW: u32 = 3;
const TABLE_MULTIPLES: usize = 1 << (TABLE_WINDOW - 2);

/// Digits of a scalar below 2²⁵⁶ take one place more.
const DIGITS: usize = 257;

/// All that s·G can be made of, 24 places of 1,024 points: 1.5 MB. A larger window would save few additions
/// and leave the second-level cache.
pub(super) static BASE: LazyLock<Comb> = LazyLock::new(|| Comb::new(&Affine::base(), BASE_WINDOW));
/// Window of [`BASE`].
pub(super) const BASE_WINDOW: u32 = 11;

/// P, 3P, 5P …
fn odd_multiples(point: &Jacobian, count: usize) -> Vec<Jacobian> {
    let twice = point.double();
    std::iter::successors(Some(*point), |last| Some(last.add(&twice)))
        .take(count)
        .collect()
}

/// What is kept of a key that signs again: P and 3P for each P = 2⁸ʲ·Q, 64 points, 4 KB.
#[derive(Debug)]
pub(super) struct KeyTable(Box<[Affine]>);

/// Size of a [`KeyTable`], bytes.
pub(super) const KEY_TABLE_BYTES: usize = PIECES * TABLE_MULTIPLES * size_of::<Affine>();

impl KeyTable {
    /// Takes as long as about one verification without a table.
    pub(super) fn new(key: &Affine) -> Self {
        let mut start = Jacobian::from(key);
        let mut points = Vec::with_capacity(PIECES * TABLE_MULTIPLES);
        for _ in 0..PIECES {
            points.extend(odd_multiples(&start, TABLE_MULTIPLES));
            start = (0..STEPS).fold(start, |point, _| point.double());
        }
        Self(to_affine(&points).into())
    }

    /// Gives points Pᵢ with their steps kᵢ, greatest step first, so that t·Q = Σ 2^kᵢ·Pᵢ.
    #[inline(always)]
    pub(super) fn each(&self, t: &U256, mut give: impl FnMut(usize, Affine)) {
        let (t, flipped) = absolute(t);
        let mut found = [(0u8, 0u8, false); 256];
        let (mut count, mut ends) = (0, [0; STEPS]);
        each_digit(&t, TABLE_WINDOW, |place, digit| {
            let index = place / STEPS * TABLE_MULTIPLES + usize::from(digit.unsigned_abs() >> 1);
            let step = STEPS - 1 - place % STEPS;
            found[count] = (step as u8, index as u8, (digit < 0) != flipped);
            count += 1;
            ends[step] += 1;
        });
        // Sorted by counting: no comparison is mispredicted.
        let mut next = [0; STEPS];
        for step in 1..STEPS {
            next[step] = next[step - 1] + ends[step - 1];
        }
        let mut sorted = [(0, 0, false); 256];
        for entry in &found[..count] {
            let at = &mut next[usize::from(entry.0)];
            sorted[*at] = *entry;
            *at += 1;
        }
        for (step, index, negative) in &sorted[..count] {
            give(
                STEPS - 1 - usize::from(*step),
                self.0[usize::from(*index)].neg_if(*negative),
            );
        }
    }

    /// s·G + t·Q with 8 doublings.
    pub(super) fn sum(&self, s: &U256, t: &U256) -> Jacobian {
        let (mut sum, mut at) = (Jacobian::INFINITY, STEPS - 1);
        self.each(t, |step, point| {
            while at > step {
                sum = sum.double();
                at -= 1;
            }
            sum = sum.add_affine(&point);
        });
        sum = (0..at).fold(sum, |sum, _| sum.double());
        BASE.add_to(sum, s)
    }
}

/// s·G + t·Q for a key without a table.
pub(super) fn sum(s: &U256, t: &U256, key: &Affine) -> Jacobian {
    BASE.add_to(multiply(t, key), s)
}

/// t·Q.
pub(super) fn multiply(t: &U256, key: &Affine) -> Jacobian {
    let multiples = odd_multiples(&key.into(), PLAIN_MULTIPLES);
    by_doubling(t, |sum, index, negative| {
        let multiple = &multiples[index];
        if negative {
            sum.add(&multiple.neg())
        } else {
            sum.add(multiple)
        }
    })
}

/// t·Q, given Q, 3Q … 15Q.
pub(super) fn multiply_affine(t: &U256, multiples: &[Affine]) -> Jacobian {
    by_doubling(t, |sum, index, negative| {
        sum.add_affine(&multiples[index].neg_if(negative))
    })
}

/// t·Q by 256 doublings; `add` adds to its sum the multiple 2·index + 1 of Q, or its negative.
#[inline(always)]
fn by_doubling(t: &U256, mut add: impl FnMut(&Jacobian, usize, bool) -> Jacobian) -> Jacobian {
    let digits = digits(t, PLAIN_WINDOW);
    let mut sum = Jacobian::INFINITY;
    for place in (0..DIGITS).rev().skip_while(|place| digits[*place] == 0) {
        sum = sum.double();
        let digit = digits[place];
        if digit != 0 {
            sum = add(&sum, usize::from(digit.unsigned_abs() >> 1), digit < 0);
        }
    }
    sum
}

/// ±k mod n, whichever is below 2²⁵⁵, and whether it is −k. For k < n.
fn absolute(k: &U256) -> (U256, bool) {
    let (negative, _) = sub(&N, k);
    if less(&negative, k) {
        (negative, true)
    } else {
        (*k, false)
    }
}

/// Signed digits dᵢ with k = Σ dᵢ·2ⁱ: each is 0 or odd and below 2^(window − 1) in size, and of any
/// `window` in a row at most one is not 0 (the non-adjacent form of that width).
pub(super) fn digits(k: &U256, window: u32) -> [i16; DIGITS] {
    let mut out = [0; DIGITS];
    each_digit(k, window, |place, digit| out[place] = digit);
    out
}

/// Gives the places and values of the digits that are not 0, lowest first.
#[inline(always)]
fn each_digit(k: &U256, window: u32, mut give: impl FnMut(usize, i16)) {
    let mut place = 0;
    // All bits equal to this one are digits 0 from here on: a borrowed 2ʷ turns ones into zeros.
    let mut carry = 0;
    loop {
        let bits = bits_from(k, place);
        let changed = bits ^ u64::wrapping_neg(carry);
        if changed == 0 {
            if place + 64 > 256 {
                break;
            }
            place += 64;
            continue;
        }
        place += changed.trailing_zeros() as usize;
        let value = (bits_from(k, place) & ((1 << window) - 1)) + carry;
        carry = value >> (window - 1);
        give(place, value as i16 - ((carry as i16) << window));
        place += window as usize;
    }
}
