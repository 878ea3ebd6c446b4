//! The field in eight lanes: five 52-bit limbs, Montgomery form with R = 2²⁶⁰.
//!
//! Elements are not reduced to one value. Each function states bounds in multiples of p; all stay below
//! 16p < 2²⁶⁰, where limbs have 52 bits and multiplications read them whole. A product of elements below
//! a·p and b·p is below (ab/16 + 1)·p.

#![expect(
    clippy::needless_range_loop,
    reason = "iterators would hand lanes to closures, which are not compiled for their instructions"
)]

use super::super::field::Fe;
use super::vector::{LANES, Lanes, Row};

const LOW: u64 = (1 << 52) - 1;
/// p in 52-bit limbs.
const P: [u64; 5] = [LOW, 0xf_f000_0000_0fff, LOW, LOW, 0xffff_fffe_ffff];

/// 2²⁵⁶ − p = 2²⁵⁶ modulo p, the lanes' form of 1/16.
pub(super) const MINUS_P: [u64; 5] = [1, 0xfff_ffff_f000, 0, 0, 1 << 16];
/// 2²⁶⁰ modulo p, the lanes' form of 1.
pub(super) const ONE: [u64; 5] = [16, 0xffff_ffff_0000, 0, 0, 1 << 20];

/// An element in each lane.
#[derive(Clone, Copy)]
pub(in super::super) struct Field<V>(pub(super) [V; 5]);

/// The same in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(align(64))]
pub(in super::super) struct Stored(pub(in super::super) [Row; 5]);

impl Stored {
    pub(in super::super) const ZERO: Self = Self([[0; LANES]; 5]);

    /// What a lane holds, which is below 16p, as an element in Montgomery form with R = 2²⁵⁶: 16 times
    /// what it stands for to the lanes.
    pub(in super::super) fn element(&self, lane: usize) -> Fe {
        let limb = |index: usize| self.0[index][lane];
        let low = [
            limb(0) | limb(1) << 52,
            limb(1) >> 12 | limb(2) << 40,
            limb(2) >> 24 | limb(3) << 28,
            limb(3) >> 36 | limb(4) << 16,
        ];
        Fe::from_form(&low, limb(4) >> 48)
    }

    /// The opposite of [`Self::element`].
    pub(in super::super) fn set(&mut self, lane: usize, element: &Fe) {
        let [w0, w1, w2, w3] = element.form();
        let limbs = [
            w0,
            w0 >> 52 | w1 << 12,
            w1 >> 40 | w2 << 24,
            w2 >> 28 | w3 << 36,
            w3 >> 16,
        ];
        for (row, limb) in self.0.iter_mut().zip(limbs) {
            row[lane] = limb & LOW;
        }
    }
}

/// Defines how numbers of at most 256 bits are shifted and cut into limbs. Shifts have to be literals.
macro_rules! scaled {
    ($(#[$doc:meta])* $name:ident, by $bits:literal $unit:ident) => {
        $(#[$doc])*
        #[inline(always)]
        pub(in super::super) fn $name(words: &[Row; 4]) -> Self {
            let w = [
                V::load(&words[0]),
                V::load(&words[1]),
                V::load(&words[2]),
                V::load(&words[3]),
            ];
            let low = V::splat(LOW);
            Self([
                w[0].shl::<$bits>().and(low),
                w[0].shr::<{ 52 - $bits }>().or(w[1].shl::<{ 12 + $bits }>()).and(low),
                w[1].shr::<{ 40 - $bits }>().or(w[2].shl::<{ 24 + $bits }>()).and(low),
                w[2].shr::<{ 28 - $bits }>().or(w[3].shl::<{ 36 + $bits }>()).and(low),
                w[3].shr::<{ 16 - $bits }>(),
            ])
        }
    };
}

impl<V: Lanes> Field<V> {
    #[inline(always)]
    pub(in super::super) fn load(from: &Stored) -> Self {
        let f = &from.0;
        Self([
            V::load(&f[0]),
            V::load(&f[1]),
            V::load(&f[2]),
            V::load(&f[3]),
            V::load(&f[4]),
        ])
    }

    #[inline(always)]
    pub(in super::super) fn store(&self, to: &mut Stored) {
        for i in 0..5 {
            self.0[i].store(&mut to.0[i]);
        }
    }

    /// The number of 52-bit limbs in each lane.
    #[inline(always)]
    pub(in super::super) fn splat(limbs: &[u64; 5]) -> Self {
        let l = limbs;
        Self([
            V::splat(l[0]),
            V::splat(l[1]),
            V::splat(l[2]),
            V::splat(l[3]),
            V::splat(l[4]),
        ])
    }

    scaled! {
        /// Twice the numbers of four 64-bit words.
        twice, by 1 bit
    }

    scaled! {
        /// Four times the numbers of four 64-bit words.
        four_times, by 2 bits
    }

    /// self − other + multiple·p, limb by limb: other must be below multiple·p.
    #[inline(always)]
    fn less(&self, other: &Self, multiple: u64) -> Self {
        let mut t = self.0;
        for i in 0..5 {
            t[i] = t[i].sub(other.0[i]).add(V::splat(multiple * P[i]));
        }
        Self(t)
    }

    /// self − other + multiple·p: other must be below multiple·p, and the result is below self's bound more.
    #[inline(always)]
    pub(in super::super) fn sub(&self, other: &Self, multiple: u64) -> Self {
        self.less(other, multiple).carried()
    }

    /// The same modulo p and below 1.001p, for self below 8p and other below multiple·p ≤ 8p.
    #[inline(always)]
    pub(in super::super) fn sub_folded(&self, other: &Self, multiple: u64) -> Self {
        self.less(other, multiple).folded()
    }

    /// self − a − b + multiple·p, modulo p and below 1.001p: a + b must be below multiple·p ≤ 8p.
    #[inline(always)]
    pub(in super::super) fn sub_both_folded(&self, a: &Self, b: &Self, multiple: u64) -> Self {
        let mut sum = a.0;
        for i in 0..5 {
            sum[i] = sum[i].add(b.0[i]);
        }
        self.sub_folded(&Self(sum), multiple)
    }

    /// self + other, at the sum of their bounds.
    #[inline(always)]
    pub(in super::super) fn add(&self, other: &Self) -> Self {
        let mut t = self.0;
        for i in 0..5 {
            t[i] = t[i].add(other.0[i]);
        }
        Self(t).carried()
    }

    /// 2^BITS·self, at as many times its bound.
    #[inline(always)]
    pub(in super::super) fn times<const BITS: u32>(&self) -> Self {
        let mut t = self.0;
        for i in 0..5 {
            t[i] = t[i].shl::<BITS>();
        }
        Self(t).carried()
    }

    #[inline(always)]
    fn carried(self) -> Self {
        Self(V::carried(self.0))
    }

    /// The same modulo p and below 1.001p. The value must not be negative, and below 16p.
    ///
    /// Subtracts h·p for h = ⌊limb 4 / 2⁴⁸⌋, the value's multiple of 2²⁵⁶ but for what lower limbs carry,
    /// which is far less than h·(2²⁵⁶ − p).
    #[inline(always)]
    pub(in super::super) fn folded(self) -> Self {
        let [t0, t1, t2, t3, t4] = self.0;
        let h = t4.sar::<48>();
        let t0 = t0.add(h);
        let t1 = t1.add(h.shl::<44>().sub(h.shl::<12>()));
        let t4 = t4.sub(h.shl::<48>()).add(h.shl::<16>());
        Self([t0, t1, t2, t3, t4]).carried()
    }

    /// Lanes of `set` where the mask's bit is set, of `clear` where it is not.
    #[inline(always)]
    pub(in super::super) fn select(mask: u8, set: &Self, clear: &Self) -> Self {
        let mut out = clear.0;
        for i in 0..5 {
            out[i] = V::select(mask, set.0[i], clear.0[i]);
        }
        Self(out)
    }

    /// Lanes that may be 0 modulo p, for a value above 0 and below 8p: all that are, and one in 2⁴⁹ others.
    /// (p ≡ −1 modulo 2⁵², so k·p ends in 2⁵² − k.)
    #[inline(always)]
    pub(in super::super) fn maybe_zero(&self) -> u8 {
        self.0[0].not_below(V::splat(LOW - 7))
    }

    /// a·b / 2²⁶⁰ modulo p.
    #[inline(always)]
    pub(in super::super) fn mul(&self, other: &Self) -> Self {
        Self(V::product(&self.0, &other.0))
    }

    /// a² / 2²⁶⁰ modulo p.
    #[inline(always)]
    pub(in super::super) fn sqr(&self) -> Self {
        Self(V::square(&self.0))
    }
}

/// Makes limbs of any sign and up to 63 bits into limbs of 52. The value must not be negative.
#[inline(always)]
pub(super) fn carried<V: Lanes>([t0, t1, t2, t3, t4]: [V; 5]) -> [V; 5] {
    let low = V::splat(LOW);
    let t1 = t1.add(t0.sar::<52>());
    let t2 = t2.add(t1.sar::<52>());
    let t3 = t3.add(t2.sar::<52>());
    let t4 = t4.add(t3.sar::<52>());
    [t0.and(low), t1.and(low), t2.and(low), t3.and(low), t4]
}

/// a·b / 2²⁶⁰ modulo p. Low and high halves are added apart: two chains instead of one.
#[inline(always)]
pub(super) fn product<V: Lanes>(a: &[V; 5], b: &[V; 5]) -> [V; 5] {
    let zero = V::splat(0);
    let (mut low, mut high) = ([zero; 10], [zero; 10]);
    for i in 0..5 {
        for j in 0..5 {
            low[i + j] = low[i + j].madd_low(a[i], b[j]);
            high[i + j + 1] = high[i + j + 1].madd_high(a[i], b[j]);
        }
    }
    for i in 0..10 {
        low[i] = low[i].add(high[i]);
    }
    reduced(low)
}

/// a² / 2²⁶⁰ modulo p: products of different limbs once, doubled.
#[inline(always)]
pub(super) fn square<V: Lanes>(a: &[V; 5]) -> [V; 5] {
    let zero = V::splat(0);
    let (mut low, mut high) = ([zero; 10], [zero; 10]);
    for i in 0..5 {
        for j in i + 1..5 {
            low[i + j] = low[i + j].madd_low(a[i], a[j]);
            high[i + j + 1] = high[i + j + 1].madd_high(a[i], a[j]);
        }
    }
    for i in 0..10 {
        let sum = low[i].add(high[i]);
        low[i] = sum.add(sum);
    }
    for i in 0..5 {
        low[2 * i] = low[2 * i].madd_low(a[i], a[i]);
        low[2 * i + 1] = low[2 * i + 1].madd_high(a[i], a[i]);
    }
    reduced(low)
}

/// t / 2²⁶⁰ modulo p, for limbs below 2⁵⁷.
///
/// Each round adds q·p for the lowest limb q, as p ≡ −1: that limb becomes 0 but for its carry, and
/// p + 1 = (2⁴⁸ − 2¹⁶)·2²⁰⁸ − (2⁴⁴ − 2¹²)·2⁵² takes two products. Limbs may turn negative on the way,
/// the value does not.
#[inline(always)]
fn reduced<V: Lanes>(mut t: [V; 10]) -> [V; 5] {
    let (low, zero) = (V::splat(LOW), V::splat(0));
    let above = V::splat((1 << 48) - (1 << 16));
    let below = V::splat((1 << 44) - (1 << 12));
    for i in 0..5 {
        let q = t[i].and(low);
        let carry = t[i].sar::<52>();
        t[i + 1] = t[i + 1].add(carry).sub(zero.madd_low(q, below));
        t[i + 2] = t[i + 2].sub(zero.madd_high(q, below));
        t[i + 4] = t[i + 4].madd_low(q, above);
        t[i + 5] = t[i + 5].madd_high(q, above);
    }
    V::carried([t[5], t[6], t[7], t[8], t[9]])
}
