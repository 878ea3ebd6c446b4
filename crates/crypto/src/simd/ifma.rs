//! The lanes of SM2's verifier as vectors of AVX-512 with 52-bit multiplications (IFMA).
//!
//! [`Vector`] stays in this file: its operations run only below the one function that is compiled for these
//! instructions, and that function is called only where they were found.

use super::Ifma;
use crate::sm2::lanes::{self, Job, Lanes, Row};
use std::arch::x86_64::*;

impl Ifma {
    /// Whether each claim holds, in order.
    pub(crate) fn judge(self, jobs: &[Job<'_>]) -> Vec<bool> {
        // SAFETY: the token exists only where the instructions do that the function is compiled for.
        unsafe { compiled(jobs) }
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn compiled(jobs: &[Job<'_>]) -> Vec<bool> {
    lanes::judge::<Vector>(jobs)
}

#[derive(Clone, Copy)]
struct Vector(__m512i);

/// One instruction each.
macro_rules! instructions {
    ($($name:ident($($operand:ident),*) = $intrinsic:ident;)+) => {$(
        #[inline(always)]
        fn $name(self $(, $operand: Self)*) -> Self {
            // SAFETY: a `Vector` exists only below `compiled`, where the instructions are; no memory is touched.
            Self(unsafe { $intrinsic(self.0 $(, $operand.0)*) })
        }
    )+};
}

macro_rules! shifts {
    ($($name:ident = $intrinsic:ident;)+) => {$(
        #[inline(always)]
        fn $name<const BITS: u32>(self) -> Self {
            // SAFETY: as above.
            Self(unsafe { $intrinsic::<BITS>(self.0) })
        }
    )+};
}

impl Lanes for Vector {
    instructions! {
        madd_low(a, b) = _mm512_madd52lo_epu64;
        madd_high(a, b) = _mm512_madd52hi_epu64;
        add(other) = _mm512_add_epi64;
        sub(other) = _mm512_sub_epi64;
        and(other) = _mm512_and_si512;
        or(other) = _mm512_or_si512;
    }

    shifts! {
        shl = _mm512_slli_epi64;
        shr = _mm512_srli_epi64;
        sar = _mm512_srai_epi64;
    }

    #[inline(always)]
    fn splat(number: u64) -> Self {
        // SAFETY: reached only below `compiled`; no memory is touched.
        Self(unsafe { _mm512_set1_epi64(number as i64) })
    }

    #[inline(always)]
    fn load(from: &Row) -> Self {
        // SAFETY: reached only below `compiled`; a row is 64 readable bytes, and the load needs no alignment.
        Self(unsafe { _mm512_loadu_si512(from.as_ptr().cast()) })
    }

    #[inline(always)]
    fn store(self, to: &mut Row) {
        // SAFETY: reached only below `compiled`; a row is 64 writable bytes, and the store needs no alignment.
        unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    fn not_below(self, other: Self) -> u8 {
        // SAFETY: reached only below `compiled`; no memory is touched.
        unsafe { _mm512_cmpge_epu64_mask(self.0, other.0) }
    }

    #[inline(always)]
    fn select(mask: u8, set: Self, clear: Self) -> Self {
        // SAFETY: reached only below `compiled`; no memory is touched. The blend takes its second operand
        // where the bit is set.
        Self(unsafe { _mm512_mask_blend_epi64(mask, clear.0, set.0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sm2::lanes::{Portable, outcomes};
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    #[target_feature(enable = "avx512f,avx512ifma")]
    fn compiled_outcomes(rows: &[Row; 3]) -> Vec<Row> {
        outcomes::<Vector>(rows)
    }

    #[test]
    fn instructions_mean_what_the_portable_form_says() {
        if Ifma::detect().is_none() {
            return;
        }
        let mut rng = ChaCha20Rng::seed_from_u64(16);
        for _ in 0..10_000 {
            // Bits of many and of few, so that carries and equal numbers come.
            let rows = [(); 3].map(|()| [(); 8].map(|()| rng.next_u64() >> (rng.next_u32() % 64)));
            // SAFETY: the instructions were found.
            let outcomes_here = unsafe { compiled_outcomes(&rows) };
            assert_eq!(outcomes_here, outcomes::<Portable>(&rows), "{rows:x?}");
        }
    }
}
