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

/// a + b, and the carry out of the top.
#[inline(always)]
pub(super) fn add(a: &U256, b: &U256) -> (U256, bool) {
    let (r0, carry) = a[0].overflowing_add(b[0]);
    let (r1, carry) = a[1].carrying_add(b[1], carry);
    let (r2, carry) = a[2].carrying_add(b[2], carry);
    let (r3, carry) = a[3].carrying_add(b[3], carry);
    ([r0, r1, r2, r3], carry)
}

/// a − b, and the borrow out of the top.
#[inline(always)]
pub(super) fn sub(a: &U256, b: &U256) -> (U256, bool) {
    let (r0, borrow) = a[0].overflowing_sub(b[0]);
    let (r1, borrow) = a[1].borrowing_sub(b[1], borrow);
    let (r2, borrow) = a[2].borrowing_sub(b[2], borrow);
    let (r3, borrow) = a[3].borrowing_sub(b[3], borrow);
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
