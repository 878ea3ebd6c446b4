//! s·G + t·Q by signed windows.

use super::limbs::U256;
use super::point::{Affine, Jacobian, to_affine};
use std::sync::LazyLock;

/// Window of the digits of t: odd digits below 2⁴ in size, 8 multiples of Q.
const KEY_WINDOW: u32 = 5;
const KEY_MULTIPLES: usize = 1 << (KEY_WINDOW - 2);

/// Pieces a scalar is cut into when the key has a table: 256 / 8 = 32 doublings are left.
const PIECES: usize = 8;
const PIECE_BITS: usize = 256 / PIECES;

/// Digits of a scalar below 2²⁵⁶ take one place more.
const DIGITS: usize = 257;

/// 128 odd multiples of G, 8 KB.
static BASE: LazyLock<Table<1>> = LazyLock::new(|| Table::new(&Affine::base(), 9));
/// 64 odd multiples of each 2³²ʲ·G, 32 KB.
static SPLIT_BASE: LazyLock<Table<PIECES>> = LazyLock::new(|| Table::new(&Affine::base(), 8));

/// Odd multiples of P, 2^(256/K)·P, 2^(2·256/K)·P …
#[derive(Debug)]
struct Table<const K: usize> {
    window: u32,
    /// K pieces of 2^(window − 2) points.
    points: Box<[Affine]>,
}

impl<const K: usize> Table<K> {
    fn new(point: &Affine, window: u32) -> Self {
        let mut start = Jacobian::from(point);
        let mut points = Vec::with_capacity(K << (window - 2));
        for _ in 0..K {
            points.extend(odd_multiples(&start, 1 << (window - 2)));
            start = (0..256 / K).fold(start, |point, _| point.double());
        }
        Self {
            window,
            points: to_affine(&points).into(),
        }
    }

    /// `sum` + digit · 2^(piece · 256/K) · P.
    #[inline(always)]
    fn add_digit(&self, sum: &mut Jacobian, piece: usize, digit: i16) {
        let index = usize::from(digit.unsigned_abs() >> 1);
        let point = &self.points[(piece << (self.window - 2)) + index];
        *sum = if digit > 0 {
            sum.add_affine(point)
        } else {
            sum.add_affine(&point.neg())
        };
    }
}

/// P, 3P, 5P …
fn odd_multiples(point: &Jacobian, count: usize) -> Vec<Jacobian> {
    let twice = point.double();
    std::iter::successors(Some(*point), |last| Some(last.add(&twice)))
        .take(count)
        .collect()
}

/// What is kept of a key that signs often: 64 points, 4 KB.
#[derive(Debug)]
pub(super) struct KeyTable(Table<PIECES>);

/// Size of a [`KeyTable`], bytes.
pub(super) const KEY_TABLE_BYTES: usize = PIECES * KEY_MULTIPLES * size_of::<Affine>();

impl KeyTable {
    /// Takes as long as about two verifications.
    pub(super) fn new(key: &Affine) -> Self {
        Self(Table::new(key, KEY_WINDOW))
    }

    /// s·G + t·Q with 32 doublings.
    pub(super) fn sum(&self, s: &U256, t: &U256) -> Jacobian {
        let base = &*SPLIT_BASE;
        let (s, t) = (digits(s, base.window), digits(t, KEY_WINDOW));
        let mut sum = Jacobian::INFINITY;
        // The place beyond the last piece counts one step more of that piece.
        for step in (0..=PIECE_BITS).rev() {
            sum = sum.double();
            let first = if step == PIECE_BITS { PIECES - 1 } else { 0 };
            for piece in first..PIECES {
                let place = piece * PIECE_BITS + step;
                if s[place] != 0 {
                    base.add_digit(&mut sum, piece, s[place]);
                }
                if t[place] != 0 {
                    self.0.add_digit(&mut sum, piece, t[place]);
                }
            }
        }
        sum
    }
}

/// s·G + t·Q for a key without a table: 256 doublings shared by both (Shamir).
pub(super) fn sum(s: &U256, t: &U256, key: &Affine) -> Jacobian {
    let base = &*BASE;
    let (s, t) = (digits(s, base.window), digits(t, KEY_WINDOW));
    let multiples = odd_multiples(&key.into(), KEY_MULTIPLES);
    let mut sum = Jacobian::INFINITY;
    let unused = |place: &usize| s[*place] == 0 && t[*place] == 0;
    for place in (0..DIGITS).rev().skip_while(unused) {
        sum = sum.double();
        if t[place] != 0 {
            let multiple = &multiples[usize::from(t[place].unsigned_abs() >> 1)];
            sum = if t[place] > 0 {
                sum.add(multiple)
            } else {
                sum.add(&multiple.neg())
            };
        }
        if s[place] != 0 {
            base.add_digit(&mut sum, 0, s[place]);
        }
    }
    sum
}

/// Signed digits dᵢ with k = Σ dᵢ·2ⁱ: each is 0 or odd and below 2^(window − 1) in size, and of any
/// `window` in a row at most one is not 0 (the non-adjacent form of that width).
pub(super) fn digits(k: &U256, window: u32) -> [i16; DIGITS] {
    let mut out = [0; DIGITS];
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
        out[place] = value as i16 - ((carry as i16) << window);
        place += window as usize;
    }
    out
}

/// The 64 bits of k from a place on, zeros beyond its end.
#[inline(always)]
fn bits_from(k: &U256, place: usize) -> u64 {
    let limb = |index: usize| k.get(index).copied().unwrap_or(0);
    let (index, shift) = (place / 64, place % 64);
    let low = limb(index) >> shift;
    // A shift by 64 would be none: two shifts.
    low | limb(index + 1) << 1 << (63 - shift)
}
