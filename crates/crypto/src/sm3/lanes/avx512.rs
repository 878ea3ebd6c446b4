//! Sixteen lanes with AVX-512F.
//!
//! Message words and digests are turned in halves of eight lanes by the code of [`super::avx2`], which more machines
//! can test; a few instructions more than turning all sixteen at once, where the rounds take a hundred times as many.

use super::avx2;
use super::compress::compression;
use super::{Block, DIGEST_BYTES, State};
use crate::simd::{load_u32x16, store_u8x32, store_u32x16};
use std::arch::x86_64::*;

pub(super) const LANES: usize = 16;

/// Mixes block i into lane i of the state.
#[target_feature(enable = "avx2,avx512f")]
pub(crate) fn absorb(state: &mut State<LANES>, blocks: &[&Block; LANES]) {
    let message = words(blocks);
    let mut vectors = [message[0]; 8];
    for (vector, from) in vectors.iter_mut().zip(&state.0) {
        *vector = load_u32x16(from);
    }
    compress(&mut vectors, &message);
    for (to, vector) in state.0.iter_mut().zip(vectors) {
        store_u32x16(to, vector);
    }
}

/// The digest in each lane.
#[target_feature(enable = "avx2,avx512f")]
pub(crate) fn digests(state: &State<LANES>) -> [[u8; DIGEST_BYTES]; LANES] {
    let mut low = [_mm256_setzero_si256(); 8];
    let mut high = low;
    for ((low, high), from) in low.iter_mut().zip(&mut high).zip(&state.0) {
        let both = load_u32x16(from);
        *low = _mm512_castsi512_si256(both);
        *high = _mm512_extracti64x4_epi64::<1>(both);
    }
    let mut out = [[0; DIGEST_BYTES]; LANES];
    for (half, rows) in [low, high].into_iter().enumerate() {
        for (to, row) in out[8 * half..].iter_mut().zip(avx2::transpose(rows)) {
            store_u8x32(to, avx2::big_endian(row));
        }
    }
    out
}

/// Vector i holds word i of each block.
#[inline]
#[target_feature(enable = "avx2,avx512f")]
fn words(blocks: &[&Block; LANES]) -> [__m512i; 16] {
    let halves = blocks.as_chunks::<8>().0;
    let (low, high) = (avx2::words(&halves[0]), avx2::words(&halves[1]));
    let mut out = [splat(0); 16];
    for (at, to) in out.iter_mut().enumerate() {
        *to = _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low[at]), high[at]);
    }
    out
}

compression!(
    #[target_feature(enable = "avx2,avx512f")]
    __m512i
);

#[inline]
#[target_feature(enable = "avx512f")]
fn splat(word: u32) -> __m512i {
    _mm512_set1_epi32(word as i32)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn add(a: __m512i, b: __m512i) -> __m512i {
    _mm512_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn xor(a: __m512i, b: __m512i) -> __m512i {
    _mm512_xor_si512(a, b)
}

// The constant of `vpternlogd` is the truth table of its operands 0xf0, 0xcc and 0xaa.

#[inline]
#[target_feature(enable = "avx512f")]
fn xor3(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<{ 0xf0 ^ 0xcc ^ 0xaa }>(a, b, c)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn majority(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<{ (0xf0 & 0xcc) | (0xf0 & 0xaa) | (0xcc & 0xaa) }>(a, b, c)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn choose(e: __m512i, f: __m512i, g: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<{ (0xf0 & 0xcc) | (0x0f & 0xaa) }>(e, f, g)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn rotate<const LEFT: i32, const RIGHT: i32>(a: __m512i) -> __m512i {
    const { assert!(LEFT + RIGHT == 32) };
    _mm512_rol_epi32::<LEFT>(a)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn rotate_8(a: __m512i) -> __m512i {
    _mm512_rol_epi32::<8>(a)
}
