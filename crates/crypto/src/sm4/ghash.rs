//! GHASH (NIST SP 800-38D, 6.4) with the processor's carry-less multiplication, in constant time.
//!
//! The standard numbers bits from the left. With the bytes of a block reversed, a product comes out one bit too low,
//! which a key multiplied by x beforehand makes good; that is the relation of GHASH and POLYVAL in RFC 8452, appendix A.
//! Elements here are 128-bit numbers whose bit i is the coefficient of x^i modulo
//! x^128 + x^127 + x^126 + x^121 + 1, and a product is divided by x^128.

use super::Block;
use crate::simd::{load_u8x16, store_u8x16};
use std::arch::x86_64::*;

/// Products of so many blocks are added up before they are reduced.
const TOGETHER: usize = 8;
/// The upper half of the modulus without x^128; its lower half is 1.
const MODULUS_HIGH: u64 = 0xc2 << 56;

/// Powers of the hash key: number i is key^(i + 1), and behind it the sum of its halves in both halves.
pub(crate) type Powers = [[Block; 2]; TOGETHER];

/// The powers of a hash key, which is the encrypted block of zeros.
#[target_feature(enable = "avx,pclmulqdq")]
pub(crate) fn powers(key: &Block, out: &mut Powers) {
    let key = u128::from_be_bytes(*key);
    let carry = 0u128.wrapping_sub(key >> 127);
    let key = (key << 1) ^ (carry & (u128::from(MODULUS_HIGH) << 64 | 1));
    let key = load_u8x16(&key.to_le_bytes());
    let mut power = key;
    for out in out {
        store_u8x16(&mut out[0], power);
        store_u8x16(&mut out[1], halves_added(power));
        let mut product = Product::zero();
        product.add(power, key, halves_added(key));
        power = product.reduced();
    }
}

/// Hashes data that is filled up with zeros to whole blocks.
#[target_feature(enable = "avx,pclmulqdq")]
pub(crate) fn absorb(powers: &Powers, state: &mut Block, data: &[u8]) {
    let mut hash = load_u8x16(state);
    let (blocks, rest) = data.as_chunks();
    for blocks in blocks.chunks(TOGETHER) {
        hash = absorb_blocks(powers, hash, blocks);
    }
    if !rest.is_empty() {
        let mut block = [0; 16];
        block[..rest.len()].copy_from_slice(rest);
        hash = absorb_blocks(powers, hash, &[block]);
    }
    store_u8x16(state, hash);
}

/// (…((hash + b0)·key + b1)·key …)·key, as one sum of products by powers.
#[inline]
#[target_feature(enable = "avx,pclmulqdq")]
fn absorb_blocks(powers: &Powers, hash: __m128i, blocks: &[Block]) -> __m128i {
    let mut sum = Product::zero();
    let mut hash = hash;
    for (block, power) in blocks.iter().zip(powers[..blocks.len()].iter().rev()) {
        let element = _mm_xor_si128(hash, reversed(load_u8x16(block)));
        sum.add(element, load_u8x16(&power[0]), load_u8x16(&power[1]));
        hash = _mm_setzero_si128();
    }
    sum.reduced()
}

/// The hash as bytes of the standard.
pub(crate) fn finish(state: &Block) -> Block {
    let mut out = *state;
    out.reverse();
    out
}

#[inline]
#[target_feature(enable = "avx")]
fn reversed(a: __m128i) -> __m128i {
    _mm_shuffle_epi8(a, _mm_setr_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0))
}

#[inline]
#[target_feature(enable = "avx")]
fn halves_swapped(a: __m128i) -> __m128i {
    _mm_shuffle_epi32::<0x4e>(a)
}

#[inline]
#[target_feature(enable = "avx")]
fn halves_added(a: __m128i) -> __m128i {
    _mm_xor_si128(a, halves_swapped(a))
}

/// A sum of products before reduction, as Karatsuba's three: of low halves, of high halves, of the sums of halves.
struct Product {
    low: __m128i,
    high: __m128i,
    sums: __m128i,
}

impl Product {
    #[inline]
    #[target_feature(enable = "avx")]
    fn zero() -> Self {
        let zero = _mm_setzero_si128();
        Self {
            low: zero,
            high: zero,
            sums: zero,
        }
    }

    #[inline]
    #[target_feature(enable = "avx,pclmulqdq")]
    fn add(&mut self, a: __m128i, b: __m128i, b_halves_added: __m128i) {
        let sums = _mm_clmulepi64_si128::<0x00>(halves_added(a), b_halves_added);
        self.low = _mm_xor_si128(self.low, _mm_clmulepi64_si128::<0x00>(a, b));
        self.high = _mm_xor_si128(self.high, _mm_clmulepi64_si128::<0x11>(a, b));
        self.sums = _mm_xor_si128(self.sums, sums);
    }

    /// Divided by x^128: twice, the lowest 64 bits times the modulus are added, which clears them, as the modulus
    /// ends in 1, and the rest moves down.
    #[inline]
    #[target_feature(enable = "avx,pclmulqdq")]
    fn reduced(self) -> __m128i {
        let middle = _mm_xor_si128(self.sums, _mm_xor_si128(self.low, self.high));
        let low = _mm_xor_si128(self.low, _mm_slli_si128::<8>(middle));
        let high = _mm_xor_si128(self.high, _mm_srli_si128::<8>(middle));
        let modulus = _mm_set_epi64x(0, MODULUS_HIGH as i64);
        let once = _mm_xor_si128(halves_swapped(low), _mm_clmulepi64_si128::<0x00>(low, modulus));
        let twice = _mm_xor_si128(halves_swapped(once), _mm_clmulepi64_si128::<0x00>(once, modulus));
        _mm_xor_si128(high, twice)
    }
}
