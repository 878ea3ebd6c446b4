//! Key streams of SM4 (GB/T 32907-2016) with the processor's instructions for AES, in constant time.
//!
//! The S-boxes of both ciphers are an inversion in a field of 256 elements between affine maps, and all such fields are
//! one field under different names. So SM4's S-box is AES's S-box between two affine maps: one from SM4's input to the
//! names that AES uses, one from AES's output to SM4's. An affine map of a byte is the sum of two table look-ups by four
//! bits each, and a 16-entry look-up is one instruction (`pshufb`), which takes the same time for all bytes.
//!
//! Word i of several blocks shares a vector, as in the description of the cipher: a round works on whole vectors.

use super::{Block, KEY_BYTES, NONCE_BYTES, RoundKeys};

/// Consecutive blocks of a key stream.
pub(crate) type Eight = [Block; 8];

/// The affine map into AES's S-box, by the low and the high half of a byte.
const INTO_AES: [[u8; 16]; 2] = [
    [
        0x3e, 0xb2, 0x0e, 0x82, 0xbb, 0x37, 0x8b, 0x07, 0xa1, 0x2d, 0x91, 0x1d, 0x24, 0xa8, 0x14, 0x98,
    ],
    [
        0x00, 0xdc, 0x2e, 0xf2, 0xc5, 0x19, 0xeb, 0x37, 0x08, 0xd4, 0x26, 0xfa, 0xcd, 0x11, 0xe3, 0x3f,
    ],
];
/// The affine map from AES's S-box, likewise.
const FROM_AES: [[u8; 16]; 2] = [
    [
        0x6c, 0xd4, 0xa6, 0x1e, 0x52, 0xea, 0x98, 0x20, 0x0b, 0xb3, 0xc1, 0x79, 0x35, 0x8d, 0xff, 0x47,
    ],
    [
        0x00, 0xe0, 0x50, 0xb0, 0x9d, 0x7d, 0xcd, 0x2d, 0xc0, 0x20, 0x90, 0x70, 0x5d, 0xbd, 0x0d, 0xed,
    ],
];
const LOW_HALVES: [u8; 16] = [0x0f; 16];
/// Reverses the bytes of each word.
const BIG_ENDIAN: [u8; 16] = [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12];

/// Where the bytes come from that undo AES's ShiftRows, which comes with its S-box, and then rotate each word left by
/// so many bytes.
const fn unshifted(rotated_bytes: usize) -> [u8; 16] {
    let mut out = [0; 16];
    let mut i = 0;
    while i < 16 {
        let unrotated = i / 4 * 4 + (i + 4 - rotated_bytes) % 4;
        out[i] = ((unrotated + 12 * (unrotated % 4)) % 16) as u8;
        i += 1;
    }
    out
}

/// Defines `sets` out of the caller's table of vector operations: `splat`, `table`, `counters`, `add`, `xor`,
/// `and`, `high_halves` (which may leave bits above), `rotate_2`, `look_up(table, at)`, `aes_s_box`, `unpack_32` and
/// `unpack_64` of each 128 bits, and `store`.
macro_rules! encryption {
    ($(#[$attribute:meta])* $vector:ty, $blocks:literal blocks) => {
        /// As many blocks of a nonce from a counter on as a number of vectors holds, encrypted. More vectors take little
        /// longer, as long as each waits for its own results most of the time.
        $(#[$attribute])*
        fn sets<const SETS: usize>(keys: &RoundKeys, nonce: &[u8; NONCE_BYTES], counter: u32, out: &mut [Eight]) {
            let words = nonce.as_chunks().0;
            let [x0, x1, x2] = [words[0], words[1], words[2]].map(u32::from_be_bytes);
            let mut sets = [[splat(x0), splat(x1), splat(x2), splat(counter)]; SETS];
            for (i, set) in sets.iter_mut().enumerate() {
                set[3] = add(set[3], counters(i as u32 * $blocks));
            }
            // The words keep their registers and their names move on by one each round.
            macro_rules! round {
                ($word:literal $next:literal $second:literal $third:literal, $key:expr) => {
                    for set in &mut sets {
                        // Last what was computed last: this is the path that all waits for.
                        let others = xor(xor(xor(set[$next], set[$second]), splat($key)), set[$third]);
                        set[$word] = mixed_into(set[$word], others);
                    }
                };
            }
            for &[first, second, third, fourth] in keys.as_chunks().0 {
                round!(0 1 2 3, first);
                round!(1 2 3 0, second);
                round!(2 3 0 1, third);
                round!(3 0 1 2, fourth);
            }
            for (set, out) in sets.iter().zip(out.as_flattened_mut().as_chunks_mut().0) {
                store_set(out, set);
            }
        }

        /// Adds S-box and linear map of `a` to a word.
        $(#[$attribute])*
        #[inline]
        fn mixed_into(word: $vector, a: $vector) -> $vector {
            let substituted = affine(&FROM_AES, aes_s_box(affine(&INTO_AES, a)));
            let rotated = [
                look_up(substituted, table(const { &unshifted(0) })),
                look_up(substituted, table(const { &unshifted(1) })),
                look_up(substituted, table(const { &unshifted(2) })),
                look_up(substituted, table(const { &unshifted(3) })),
            ];
            // B ⊕ (B ⋘ 2) ⊕ (B ⋘ 10) ⊕ (B ⋘ 18) ⊕ (B ⋘ 24)
            let by_two = rotate_2(xor(xor(rotated[0], rotated[1]), rotated[2]));
            xor(xor(word, xor(rotated[0], rotated[3])), by_two)
        }

        $(#[$attribute])*
        #[inline]
        fn affine(halves: &[[u8; 16]; 2], a: $vector) -> $vector {
            let mask = table(&LOW_HALVES);
            let low = look_up(table(&halves[0]), and(a, mask));
            let high = look_up(table(&halves[1]), and(high_halves(a), mask));
            xor(low, high)
        }

        /// Blocks from words. The cipher's last words come first.
        $(#[$attribute])*
        #[inline]
        fn store_set(out: &mut [Block; $blocks], [x0, x1, x2, x3]: &[$vector; 4]) {
            let [a, b] = unpack_32(*x3, *x2);
            let [c, d] = unpack_32(*x1, *x0);
            let [first, second] = unpack_64(a, c);
            let [third, fourth] = unpack_64(b, d);
            let order = table(&BIG_ENDIAN);
            store(out, [first, second, third, fourth].map(|block| look_up(block, order)));
        }
    };
}

/// One block in a 128-bit register, for processors with AES and AVX.
pub(crate) mod narrow {
    use super::*;
    use crate::simd::{load_u8x16, store_u8x16};
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
}

/// Two blocks in a 256-bit register, for processors with VAES.
pub(crate) mod wide {
    use super::*;
    use crate::simd::{load_u8x16, store_u8x16};
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
}
