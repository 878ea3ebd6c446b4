//! One block in a 128-bit register, for processors with AES and AVX.

use super::{BIG_ENDIAN, Eight, FROM_AES, INTO_AES, LOW_HALVES, encryption, unshifted};
use crate::simd::{load_u8x16, store_u8x16};
use crate::sm4::{Block, KEY_BYTES, NONCE_BYTES, RoundKeys};
use std::arch::x86_64::*;

encryption!(#[target_feature(enable = "aes,avx")] __m128i, 4 blocks);

/// The blocks of a nonce from a counter on, encrypted.
#[target_feature(enable = "aes,avx")]
pub(crate) fn key_stream(keys: &RoundKeys, nonce: &[u8; NONCE_BYTES], counter: u32, out: &mut [Eight]) {
    for (out, counter) in out.chunks_mut(2).zip((counter..).step_by(16)) {
        match out.len() {
            1 => sets::<2>(keys, nonce, counter, out),
            _ => sets::<4>(keys, nonce, counter, out),
        }
    }
}

/// The round keys of a key, in constant time.
#[target_feature(enable = "aes,avx")]
pub(crate) fn expand(key: &[u8; KEY_BYTES], keys: &mut RoundKeys) {
    const START: [u32; 4] = [0xa3b1_bac6, 0x56aa_3350, 0x677d_9197, 0xb270_22dc];
    let mut words = START;
    for (word, bytes) in words.iter_mut().zip(key.as_chunks().0) {
        *word ^= u32::from_be_bytes(*bytes);
    }
    for (round, key) in keys.iter_mut().enumerate() {
        let constant =
            u32::from_be_bytes(std::array::from_fn(|byte| (4 * round + byte) as u8).map(|n| n.wrapping_mul(7)));
        // All columns are equal, so that ShiftRows changes nothing.
        let others = words[(round + 1) % 4] ^ words[(round + 2) % 4] ^ words[(round + 3) % 4] ^ constant;
        let substituted = affine(&FROM_AES, aes_s_box(affine(&INTO_AES, splat(others))));
        let word = _mm_cvtsi128_si32(substituted) as u32;
        words[round % 4] ^= word ^ word.rotate_left(13) ^ word.rotate_left(23);
        *key = words[round % 4];
    }
    zeroize::Zeroize::zeroize(&mut words);
}

#[inline]
#[target_feature(enable = "avx")]
fn splat(word: u32) -> __m128i {
    _mm_set1_epi32(word as i32)
}

#[inline]
#[target_feature(enable = "avx")]
fn table(bytes: &[u8; 16]) -> __m128i {
    load_u8x16(bytes)
}

#[inline]
#[target_feature(enable = "avx")]
fn counters(from: u32) -> __m128i {
    _mm_add_epi32(splat(from), _mm_setr_epi32(0, 1, 2, 3))
}

#[inline]
#[target_feature(enable = "avx")]
fn add(a: __m128i, b: __m128i) -> __m128i {
    _mm_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "avx")]
fn xor(a: __m128i, b: __m128i) -> __m128i {
    _mm_xor_si128(a, b)
}

#[inline]
#[target_feature(enable = "avx")]
fn and(a: __m128i, b: __m128i) -> __m128i {
    _mm_and_si128(a, b)
}

#[inline]
#[target_feature(enable = "avx")]
fn high_halves(a: __m128i) -> __m128i {
    _mm_srli_epi32::<4>(a)
}

#[inline]
#[target_feature(enable = "avx")]
fn rotate_2(a: __m128i) -> __m128i {
    _mm_or_si128(_mm_slli_epi32::<2>(a), _mm_srli_epi32::<30>(a))
}

#[inline]
#[target_feature(enable = "avx")]
fn look_up(table: __m128i, at: __m128i) -> __m128i {
    _mm_shuffle_epi8(table, at)
}

#[inline]
#[target_feature(enable = "aes,avx")]
fn aes_s_box(a: __m128i) -> __m128i {
    _mm_aesenclast_si128(a, _mm_setzero_si128())
}

#[inline]
#[target_feature(enable = "avx")]
fn unpack_32(a: __m128i, b: __m128i) -> [__m128i; 2] {
    [_mm_unpacklo_epi32(a, b), _mm_unpackhi_epi32(a, b)]
}

#[inline]
#[target_feature(enable = "avx")]
fn unpack_64(a: __m128i, b: __m128i) -> [__m128i; 2] {
    [_mm_unpacklo_epi64(a, b), _mm_unpackhi_epi64(a, b)]
}

#[inline]
#[target_feature(enable = "avx")]
fn store(out: &mut [Block; 4], blocks: [__m128i; 4]) {
    for (out, block) in out.iter_mut().zip(blocks) {
        store_u8x16(out, block);
    }
}
