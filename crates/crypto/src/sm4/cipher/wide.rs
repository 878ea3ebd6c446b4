//! Two blocks in a 256-bit register, for processors with VAES.

use super::{BIG_ENDIAN, Eight, FROM_AES, INTO_AES, LOW_HALVES, encryption, unshifted};
use crate::simd::{load_u8x16, store_u8x16};
use crate::sm4::{Block, NONCE_BYTES, RoundKeys};
use std::arch::x86_64::*;

encryption!(#[target_feature(enable = "avx2,vaes")] __m256i, 8 blocks);

/// The blocks of a nonce from a counter on, encrypted.
#[target_feature(enable = "avx2,vaes")]
pub(crate) fn key_stream(keys: &RoundKeys, nonce: &[u8; NONCE_BYTES], counter: u32, out: &mut [Eight]) {
    for (out, counter) in out.chunks_mut(4).zip((counter..).step_by(32)) {
        match out.len() {
            1 => sets::<1>(keys, nonce, counter, out),
            2 => sets::<2>(keys, nonce, counter, out),
            3 => sets::<3>(keys, nonce, counter, out),
            _ => sets::<4>(keys, nonce, counter, out),
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn splat(word: u32) -> __m256i {
    _mm256_set1_epi32(word as i32)
}

#[inline]
#[target_feature(enable = "avx2")]
fn table(bytes: &[u8; 16]) -> __m256i {
    _mm256_broadcastsi128_si256(load_u8x16(bytes))
}

#[inline]
#[target_feature(enable = "avx2")]
fn counters(from: u32) -> __m256i {
    _mm256_add_epi32(splat(from), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
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
fn and(a: __m256i, b: __m256i) -> __m256i {
    _mm256_and_si256(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn high_halves(a: __m256i) -> __m256i {
    _mm256_srli_epi32::<4>(a)
}

#[inline]
#[target_feature(enable = "avx2")]
fn rotate_2(a: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_slli_epi32::<2>(a), _mm256_srli_epi32::<30>(a))
}

#[inline]
#[target_feature(enable = "avx2")]
fn look_up(table: __m256i, at: __m256i) -> __m256i {
    _mm256_shuffle_epi8(table, at)
}

#[inline]
#[target_feature(enable = "avx2,vaes")]
fn aes_s_box(a: __m256i) -> __m256i {
    _mm256_aesenclast_epi128(a, _mm256_setzero_si256())
}

#[inline]
#[target_feature(enable = "avx2")]
fn unpack_32(a: __m256i, b: __m256i) -> [__m256i; 2] {
    [_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b)]
}

#[inline]
#[target_feature(enable = "avx2")]
fn unpack_64(a: __m256i, b: __m256i) -> [__m256i; 2] {
    [_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b)]
}

/// The low halves are the first four blocks.
#[inline]
#[target_feature(enable = "avx2")]
fn store(out: &mut [Block; 8], blocks: [__m256i; 4]) {
    for (i, block) in blocks.into_iter().enumerate() {
        store_u8x16(&mut out[i], _mm256_castsi256_si128(block));
        store_u8x16(&mut out[i + 4], _mm256_extracti128_si256::<1>(block));
    }
}
