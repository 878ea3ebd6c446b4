//! 256-bit numbers as four 64-bit limbs, least significant first.

/// A number below 2²⁵⁶.
pub(super) type U256 = [u64; 4];

/// The order n of the base point (GB/T 32918.5-2017, clause 2).
pub(super) const N: U256 = [
    0x53bb_f409_39d5_4123,
    0x7203_df6b_21c6_052b,
    0xffff_ffff_ffff_ffff,
    0xffff_fffe_ffff_ffff,
];

/// a + b + carry, and the carry out.
///
/// On x86-64 the instruction is asked for by name: the portable form below lets the compiler turn sums
/// with known limbs into comparisons, which costs 15 % of a verification.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn adc(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let mut sum = 0;
    let carry = std::arch::x86_64::_addcarry_u64(u8::from(carry), a, b, &mut sum);
    (sum, carry != 0)
}

/// a − b − borrow, and the borrow out.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn sbb(a: u64, b: u64, borrow: bool) -> (u64, bool) {
    let mut difference = 0;
    let borrow = std::arch::x86_64::_subborrow_u64(u8::from(borrow), a, b, &mut difference);
    (difference, borrow != 0)
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) use portable::{adc, sbb};

/// The same for other processors.
#[cfg(any(test, not(target_arch = "x86_64")))]
pub(super) mod portable {
    #[inline(always)]
    pub(in super::super) fn adc(a: u64, b: u64, carry: bool) -> (u64, bool) {
        a.carrying_add(b, carry)
    }

    #[inline(always)]
    pub(in super::super) fn sbb(a: u64, b: u64, borrow: bool) -> (u64, bool) {
        a.borrowing_sub(b, borrow)
    }
}

/// a + b, and the carry out of the top.
#[inline(always)]
pub(super) fn add(a: &U256, b: &U256) -> (U256, bool) {
    let (r0, carry) = adc(a[0], b[0], false);
    let (r1, carry) = adc(a[1], b[1], carry);
    let (r2, carry) = adc(a[2], b[2], carry);
    let (r3, carry) = adc(a[3], b[3], carry);
    ([r0, r1, r2, r3], carry)
}

/// a − b, and the borrow out of the top.
#[inline(always)]
pub(super) fn sub(a: &U256, b: &U256) -> (U256, bool) {
    let (r0, borrow) = sbb(a[0], b[0], false);
    let (r1, borrow) = sbb(a[1], b[1], borrow);
    let (r2, borrow) = sbb(a[2], b[2], borrow);
    let (r3, borrow) = sbb(a[3], b[3], borrow);
    ([r0, r1, r2, r3], borrow)
}

/// Whether a < b.
pub(super) fn less(a: &U256, b: &U256) -> bool {
    sub(a, b).1
}

/// a mod n, for any a: 2²⁵⁶ < 2n.
pub(super) fn reduce_mod_n(a: &U256) -> U256 {
    if less(a, &N) { *a } else { sub(a, &N).0 }
}

/// a + b mod n, for a, b < n.
pub(super) fn add_mod_n(a: &U256, b: &U256) -> U256 {
    let (sum, carry) = add(a, b);
    if carry || !less(&sum, &N) { sub(&sum, &N).0 } else { sum }
}

/// a − b mod n, for a, b < n.
pub(super) fn sub_mod_n(a: &U256, b: &U256) -> U256 {
    let (difference, borrow) = sub(a, b);
    if borrow { add(&difference, &N).0 } else { difference }
}

/// The number of 32 big-endian bytes.
pub(super) fn from_be(bytes: &[u8; 32]) -> U256 {
    let words = bytes.as_chunks().0;
    [3, 2, 1, 0].map(|i| u64::from_be_bytes(words[i]))
}

/// The number as 32 big-endian bytes.
pub(super) fn to_be(a: &U256) -> [u8; 32] {
    let mut out = [0; 32];
    for (word, limb) in out.chunks_exact_mut(8).zip(a.iter().rev()) {
        word.copy_from_slice(&limb.to_be_bytes());
    }
    out
}
