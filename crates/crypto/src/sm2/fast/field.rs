//! Arithmetic modulo p = 2²⁵⁶ − 2²²⁴ − 2⁹⁶ + 2⁶⁴ − 1 in Montgomery form, R = 2²⁵⁶.
//!
//! p ≡ −1 (mod 2⁶⁴), so the Montgomery quotient digit is the lowest limb itself, and p's other limbs
//! are sums of few powers of two: a round of the reduction needs no multiplication.

use super::limbs::{U256, adc, add, from_be, less, sub, to_be};
use std::hint::select_unpredictable;

/// The field's prime p (GB/T 32918.5-2017, clause 2).
pub(super) const P: U256 = [
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_0000_0000,
    0xffff_ffff_ffff_ffff,
    0xffff_fffe_ffff_ffff,
];

/// 2²⁵⁶ − p: adding it subtracts p.
const MINUS_P: U256 = [1, 0xffff_ffff, 0, 0x1_0000_0000];

/// A field element a, held as aR mod p, always below p: equal elements have equal limbs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Fe(U256);

impl Fe {
    pub(super) const ZERO: Self = Self([0; 4]);
    /// R mod p = 2²⁵⁶ − p.
    pub(super) const ONE: Self = Self(MINUS_P);
    /// R² in the clear, which is R in Montgomery form: a product with it enters the form.
    const R2: Self = Self([
        0x0000_0002_0000_0003,
        0x0000_0002_ffff_ffff,
        0x0000_0001_0000_0001,
        0x0000_0004_0000_0002,
    ]);

    /// The element of a number, or `None` when it is not below p.
    pub(super) fn new(number: &U256) -> Option<Self> {
        less(number, &P).then(|| Self(*number).mul(&Self::R2))
    }

    /// The element of 32 big-endian bytes, or `None` when they are not below p.
    pub(super) fn from_be(bytes: &[u8; 32]) -> Option<Self> {
        Self::new(&from_be(bytes))
    }

    /// The number, below p.
    pub(super) fn number(&self) -> U256 {
        reduce([self.0[0], self.0[1], self.0[2], self.0[3], 0, 0, 0, 0]).0
    }

    pub(super) fn to_be(self) -> [u8; 32] {
        to_be(&self.number())
    }

    /// The element that low + high·2²⁵⁶ is the Montgomery form of, for high < 16.
    #[cfg(any(test, target_arch = "x86_64"))]
    pub(super) fn from_form(low: &U256, high: u64) -> Self {
        // 2²⁵⁶ ≡ 2²⁵⁶ − p. Where the sum carries, what is left is small, and no second carry follows.
        let (sum, carry) = add(low, &[high, high * MINUS_P[1], 0, high << 32]);
        let (more, _) = add(&sum, &MINUS_P);
        below_p(if carry { more } else { sum }, false)
    }

    /// The Montgomery form, below p.
    #[cfg(any(test, target_arch = "x86_64"))]
    pub(super) fn form(&self) -> U256 {
        self.0
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0 == [0; 4]
    }

    #[inline(always)]
    pub(super) fn add(&self, other: &Self) -> Self {
        let (sum, carry) = add(&self.0, &other.0);
        below_p(sum, carry)
    }

    #[inline(always)]
    pub(super) fn sub(&self, other: &Self) -> Self {
        let (difference, borrow) = sub(&self.0, &other.0);
        Self(add(&difference, &masked_p(borrow)).0)
    }

    #[inline(always)]
    pub(super) fn neg(&self) -> Self {
        Self::ZERO.sub(self)
    }

    /// This element if `wanted`, else the other, without a branch.
    #[inline(always)]
    pub(super) fn or(&self, other: &Self, wanted: bool) -> Self {
        Self([0, 1, 2, 3].map(|i| select_unpredictable(wanted, self.0[i], other.0[i])))
    }

    #[inline(always)]
    pub(super) fn double(&self) -> Self {
        self.add(self)
    }

    /// a / 2: an odd number becomes even by adding p.
    #[inline(always)]
    pub(super) fn half(&self) -> Self {
        let ([r0, r1, r2, r3], carry) = add(&self.0, &masked_p(self.0[0] & 1 == 1));
        Self([
            r0 >> 1 | r1 << 63,
            r1 >> 1 | r2 << 63,
            r2 >> 1 | r3 << 63,
            r3 >> 1 | u64::from(carry) << 63,
        ])
    }

    #[inline(always)]
    pub(super) fn mul(&self, other: &Self) -> Self {
        reduce(wide_mul(&self.0, &other.0))
    }

    #[inline(always)]
    pub(super) fn sqr(&self) -> Self {
        reduce(wide_sqr(&self.0))
    }

    /// a to the power of 2ⁿ.
    fn sqr_n(&self, n: u32) -> Self {
        (0..n).fold(*self, |a, _| a.sqr())
    }

    /// What inversion and square root share: a to the powers 2³⁰ − 1 and 2³² − 1, and to the power of
    /// the leading bits of both exponents (31 ones, 0, 128 ones).
    fn leading_powers(&self) -> (Self, Self, Self) {
        let ones2 = self.sqr().mul(self);
        let ones4 = ones2.sqr_n(2).mul(&ones2);
        let ones6 = ones4.sqr_n(2).mul(&ones2);
        let ones12 = ones6.sqr_n(6).mul(&ones6);
        let ones24 = ones12.sqr_n(12).mul(&ones12);
        let ones30 = ones24.sqr_n(6).mul(&ones6);
        let ones31 = ones30.sqr().mul(self);
        let ones32 = ones31.sqr().mul(self);
        let ones64 = ones32.sqr_n(32).mul(&ones32);
        let ones128 = ones64.sqr_n(64).mul(&ones64);
        (ones30, ones32, ones31.sqr_n(1 + 128).mul(&ones128))
    }

    /// 1 / a, and 0 for 0: a to the power p − 2.
    ///
    /// p − 2 in bits: 31 ones, 0, 128 ones, 32 zeros, 62 ones, 0, 1.
    pub(super) fn invert(&self) -> Self {
        let (ones30, ones32, power) = self.leading_powers();
        let ones62 = ones32.sqr_n(30).mul(&ones30);
        power.sqr_n(32 + 62).mul(&ones62).sqr_n(2).mul(self)
    }

    /// A square root if there is one; the other is its negative.
    ///
    /// p ≡ 3 (mod 4), so it is a to the power (p + 1) / 4, in bits: 31 ones, 0, 128 ones, 31 zeros,
    /// 1, 62 zeros.
    pub(super) fn sqrt(&self) -> Option<Self> {
        let (_, _, power) = self.leading_powers();
        let root = power.sqr_n(32).mul(self).sqr_n(62);
        (root.sqr() == *self).then_some(root)
    }
}

#[inline(always)]
fn masked_p(wanted: bool) -> U256 {
    let mask = u64::from(wanted).wrapping_neg();
    P.map(|limb| limb & mask)
}

/// (carry, a) mod p, for a value below 2p.
///
/// The choice depends on data that no branch predictor can learn: as an `if` it costs a factor 2.5.
#[inline(always)]
fn below_p(a: U256, carry: bool) -> Fe {
    let (less_p, at_least_p) = add(&a, &MINUS_P);
    let (_, reduced) = adc(u64::from(carry), u64::MAX, at_least_p);
    Fe([0, 1, 2, 3].map(|i| select_unpredictable(reduced, less_p[i], a[i])))
}

/// t / R mod p, for t < pR.
///
/// Each round adds m·p for the lowest limb m, which makes that limb 0, and drops it:
/// (t + m·p) / 2⁶⁴ = (t − m) / 2⁶⁴ + m·(2¹⁹² − 2¹⁶⁰ − 2³² + 1).
/// Only the low half takes part; it stays below 2²⁵⁶ and ends at most p. Adding the high half,
/// below p, gives less than 2p.
#[inline(always)]
fn reduce(t: [u64; 8]) -> Fe {
    let mut low = [t[0], t[1], t[2], t[3]];
    for _ in 0..4 {
        low = round(low);
    }
    let (sum, carry) = add(&low, &[t[4], t[5], t[6], t[7]]);
    below_p(sum, carry)
}

#[inline(always)]
fn round([m, t1, t2, t3]: U256) -> U256 {
    let (low, high) = (m << 32, m >> 32);
    let (r0, carry) = adc(t1, m, false);
    let (r1, carry) = adc(t2, 0, carry);
    let (r2, carry) = adc(t3, 0, carry);
    // This may wrap; the subtraction brings it back.
    let (r3, _) = adc(m, 0, carry);
    sub(&[r0, r1, r2, r3], &[low, high, low, high]).0
}

#[inline(always)]
fn mul64(a: u64, b: u64) -> (u64, u64) {
    let product = u128::from(a) * u128::from(b);
    (product as u64, (product >> 64) as u64)
}

/// t + a·b, where t has the limbs above it free; used row by row.
#[inline(always)]
fn row(t: U256, a: &U256, b: u64) -> (u64, U256) {
    let (l0, h0) = mul64(a[0], b);
    let (l1, h1) = mul64(a[1], b);
    let (l2, h2) = mul64(a[2], b);
    let (l3, h3) = mul64(a[3], b);
    let ([r0, r1, r2, r3], carry) = add(&t, &[l0, l1, l2, l3]);
    let (r4, _) = adc(h3, 0, carry);
    let (high, _) = add(&[r1, r2, r3, r4], &[h0, h1, h2, 0]);
    (r0, high)
}

/// a·b as eight limbs.
#[inline(always)]
fn wide_mul(a: &U256, b: &U256) -> [u64; 8] {
    let (r0, t) = row([0; 4], a, b[0]);
    let (r1, t) = row(t, a, b[1]);
    let (r2, t) = row(t, a, b[2]);
    let (r3, t) = row(t, a, b[3]);
    [r0, r1, r2, r3, t[0], t[1], t[2], t[3]]
}

/// a² as eight limbs: the products of different limbs once, doubled, then the squares.
#[inline(always)]
fn wide_sqr(a: &U256) -> [u64; 8] {
    let (l01, h01) = mul64(a[0], a[1]);
    let (l02, h02) = mul64(a[0], a[2]);
    let (l03, h03) = mul64(a[0], a[3]);
    let (l12, h12) = mul64(a[1], a[2]);
    let (l13, h13) = mul64(a[1], a[3]);
    let (l23, h23) = mul64(a[2], a[3]);
    let (t2, carry) = adc(l02, h01, false);
    let (t3, carry) = adc(l03, h02, carry);
    let (t4, _) = adc(h03, 0, carry);
    let ([t3, t4, t5, t6], _) = add(&[t3, t4, h13, h23], &[l12, h12, l23, 0]);
    let (t4, carry) = adc(t4, l13, false);
    let (t5, carry) = adc(t5, 0, carry);
    let (t6, _) = adc(t6, 0, carry);
    let t1 = l01;
    let (s0, q0) = mul64(a[0], a[0]);
    let (s1, q1) = mul64(a[1], a[1]);
    let (s2, q2) = mul64(a[2], a[2]);
    let (s3, q3) = mul64(a[3], a[3]);
    let (d1, carry) = adc(t1, t1, false);
    let (d2, carry) = adc(t2, t2, carry);
    let (d3, carry) = adc(t3, t3, carry);
    let (d4, carry) = adc(t4, t4, carry);
    let (d5, carry) = adc(t5, t5, carry);
    let (d6, carry) = adc(t6, t6, carry);
    let d7 = u64::from(carry);
    let (r1, carry) = adc(d1, q0, false);
    let (r2, carry) = adc(d2, s1, carry);
    let (r3, carry) = adc(d3, q1, carry);
    let (r4, carry) = adc(d4, s2, carry);
    let (r5, carry) = adc(d5, q2, carry);
    let (r6, carry) = adc(d6, s3, carry);
    let (r7, _) = adc(d7, q3, carry);
    [s0, r1, r2, r3, r4, r5, r6, r7]
}
