//! Eight lanes with AVX2.

use super::compress::compression;
use super::{Block, DIGEST_BYTES, State};
use crate::simd::{load_u8x32, load_u32x8, store_u8x32, store_u32x8};
use std::arch::x86_64::*;

pub(super) const LANES: usize = 8;

/// Mixes block i into lane i of the state.
#[target_feature(enable = "avx2")]
pub(crate) fn absorb(state: &mut State<LANES>, blocks: &[&Block; LANES]) {
    let message = words(blocks);
    let mut vectors = [message[0]; 8];
    for (vector, from) in vectors.iter_mut().zip(&state.0) {
        *vector = load_u32x8(from);
    }
    compress(&mut vectors, &message);
    for (to, vector) in state.0.iter_mut().zip(vectors) {
        store_u32x8(to, vector);
    }
}

/// The digest in each lane.
#[target_feature(enable = "avx2")]
pub(crate) fn digests(state: &State<LANES>) -> [[u8; DIGEST_BYTES]; LANES] {
    let mut vectors = [splat(0); 8];
    for (vector, from) in vectors.iter_mut().zip(&state.0) {
        *vector = load_u32x8(from);
    }
    let mut out = [[0; DIGEST_BYTES]; LANES];
    for (to, row) in out.iter_mut().zip(transpose(vectors)) {
        store_u8x32(to, big_endian(row));
    }
    out
}

/// Vector i holds word i of each block.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn words(blocks: &[&Block; LANES]) -> [__m256i; 16] {
    let mut out = [splat(0); 16];
    for half in 0..2 {
        let mut rows = [splat(0); LANES];
        for (row, block) in rows.iter_mut().zip(blocks) {
            *row = big_endian(load_u8x32(&block.as_chunks::<32>().0[half]));
        }
        out[8 * half..][..8].copy_from_slice(&transpose(rows));
    }
    out
}

/// Turns rows of eight words into columns.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn transpose(rows: [__m256i; 8]) -> [__m256i; 8] {
    // Pairs of words, then pairs of pairs within each 128-bit half, then the halves.
    let mut pairs = rows;
    for i in 0..4 {
        pairs[2 * i] = _mm256_unpacklo_epi32(rows[2 * i], rows[2 * i + 1]);
        pairs[2 * i + 1] = _mm256_unpackhi_epi32(rows[2 * i], rows[2 * i + 1]);
    }
    let mut fours = rows;
    for i in [0, 4] {
        fours[i] = _mm256_unpacklo_epi64(pairs[i], pairs[i + 2]);
        fours[i + 1] = _mm256_unpackhi_epi64(pairs[i], pairs[i + 2]);
        fours[i + 2] = _mm256_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
        fours[i + 3] = _mm256_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
    }
    let mut columns = rows;
    for i in 0..4 {
        columns[i] = _mm256_permute2x128_si256::<0x20>(fours[i], fours[i + 4]);
        columns[i + 4] = _mm256_permute2x128_si256::<0x31>(fours[i], fours[i + 4]);
    }
    columns
}

/// Reverses the bytes of each word.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn big_endian(a: __m256i) -> __m256i {
    let order = _mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
    _mm256_shuffle_epi8(a, _mm256_broadcastsi128_si256(order))
}

compression!(
    #[target_feature(enable = "avx2")]
    __m256i
);

#[inline]
#[target_feature(enable = "avx2")]
fn splat(word: u32) -> __m256i {
    _mm256_set1_epi32(word as i32)
}

#[inline]
#[target_feature(enable = "avx2")]
fn add(a: __m256i, b: __m256i) -> __m256i {
    _mm256_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn xor(a: __m256i, b: __m256i) -> __m256i {
    _mm256_xor_si256(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn xor3(a: __m256i, b: __m256i, c: __m256i) -> __m256i {
    xor(xor(a, b), c)
}

/// (a ∧ b) ∨ (c ∧ (a ∨ b)): one operation less than as the standard writes it.
#[inline]
#[target_feature(enable = "avx2")]
fn majority(a: __m256i, b: __m256i, c: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_and_si256(a, b), _mm256_and_si256(c, _mm256_or_si256(a, b)))
}

/// g ⊕ (e ∧ (f ⊕ g)): as (e ∧ f) ∨ (¬e ∧ g), with one constant chain less.
#[inline]
#[target_feature(enable = "avx2")]
fn choose(e: __m256i, f: __m256i, g: __m256i) -> __m256i {
    xor(g, _mm256_and_si256(e, xor(f, g)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn rotate<const LEFT: i32, const RIGHT: i32>(a: __m256i) -> __m256i {
    const { assert!(LEFT + RIGHT == 32) };
    _mm256_or_si256(_mm256_slli_epi32::<LEFT>(a), _mm256_srli_epi32::<RIGHT>(a))
}

#[inline]
#[target_feature(enable = "avx2")]
fn rotate_8(a: __m256i) -> __m256i {
    let order = _mm_setr_epi8(3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14);
    _mm256_shuffle_epi8(a, _mm256_broadcastsi128_si256(order))
}
