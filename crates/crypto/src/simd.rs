//! The only place of the crate with unsafe code: what the processor has, loads and stores, and the calls into functions
//! compiled for more than every processor has.
//!
//! A token such as [`Avx2`] exists only where its instructions were found, so holding one is the proof that a call
//! needs. Kernels themselves are safe functions with `#[target_feature]`, in the files of their algorithms: there,
//! intrinsics that touch no memory are safe, and memory is reached through the loads and stores of this file.

#![allow(unsafe_code)]

mod ifma;

use crate::sm3::DIGEST_BYTES;
use crate::sm3::lanes::{self, Block, Kernel, State};
use crate::sm4::cipher::{Eight, narrow, wide};
use crate::sm4::ghash::{self, Powers};
use crate::sm4::{self, KEY_BYTES, NONCE_BYTES, RoundKeys};
use std::arch::is_x86_feature_detected;
use std::arch::x86_64::*;

/// Asks the processor for memory that will be read soon, and does not wait for it.
#[inline(always)]
pub(crate) fn prefetch<T>(soon: &T) {
    // SAFETY: a hint that reads nothing and cannot fail; every x86-64 processor has it.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(soon).cast()) }
}

macro_rules! token {
    ($(#[$doc:meta])* $name:ident: $($feature:tt)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub(crate) struct $name(());

        impl $name {
            /// The token, if this processor has the instructions. The standard library remembers the answer.
            pub(crate) fn detect() -> Option<Self> {
                let all = true $(&& is_x86_feature_detected!($feature))+;
                all.then_some(Self(()))
            }
        }
    };
}

token! {
    /// 256-bit integer vectors.
    Avx2: "avx2"
}
token! {
    /// 512-bit vectors of 32- and 64-bit integers, and [`Avx2`].
    Avx512: "avx2" "avx512f"
}
token! {
    /// 512-bit vectors with multiplications of 52 bits.
    Ifma: "avx512f" "avx512ifma"
}
token! {
    /// 128-bit vectors with AES and carry-less multiplication.
    Aes: "avx" "aes" "pclmulqdq"
}
token! {
    /// 256-bit vectors with AES.
    Vaes: "avx2" "vaes"
}

/// Loads and stores of whole arrays, which need no alignment.
macro_rules! memory {
    ($feature:literal $vector:ty:
        $($load:ident $store:ident $array:ty, $load_intrinsic:ident $store_intrinsic:ident;)+
    ) => {$(
        /// The array as a vector, element 0 lowest.
        #[inline]
        #[target_feature(enable = $feature)]
        pub(crate) fn $load(from: &$array) -> $vector {
            const { assert!(size_of::<$array>() == size_of::<$vector>()) };
            // SAFETY: the reference is to as many readable bytes as the vector has, and the load is unaligned.
            unsafe { $load_intrinsic(from.as_ptr().cast()) }
        }

        /// Writes a vector over the array.
        #[inline]
        #[target_feature(enable = $feature)]
        pub(crate) fn $store(to: &mut $array, vector: $vector) {
            const { assert!(size_of::<$array>() == size_of::<$vector>()) };
            // SAFETY: the reference is to as many writable bytes as the vector has, and the store is unaligned.
            unsafe { $store_intrinsic(to.as_mut_ptr().cast(), vector) }
        }
    )+};
}

memory! { "sse2" __m128i:
    load_u8x16 store_u8x16 [u8; 16], _mm_loadu_si128 _mm_storeu_si128;
}
memory! { "avx2" __m256i:
    load_u8x32 store_u8x32 [u8; 32], _mm256_loadu_si256 _mm256_storeu_si256;
    load_u32x8 store_u32x8 [u32; 8], _mm256_loadu_si256 _mm256_storeu_si256;
}
memory! { "avx512f" __m512i:
    load_u32x16 store_u32x16 [u32; 16], _mm512_loadu_si512 _mm512_storeu_si512;
}

macro_rules! sm3_kernel {
    ($token:ident $kernel:ident, $lanes:literal lanes, from $group_min:literal) => {
        impl Kernel<$lanes> for $token {
            const GROUP_MIN: usize = $group_min;

            fn absorb(self, state: &mut State<$lanes>, blocks: &[&Block; $lanes]) {
                // SAFETY: the token exists only where the kernel's instructions do.
                unsafe { lanes::$kernel::absorb(state, blocks) }
            }

            fn digests(self, state: &State<$lanes>) -> [[u8; DIGEST_BYTES]; $lanes] {
                // SAFETY: the token exists only where the kernel's instructions do.
                unsafe { lanes::$kernel::digests(state) }
            }
        }
    };
}

sm3_kernel!(Avx2 avx2, 8 lanes, from 2);
sm3_kernel!(Avx512 avx512, 16 lanes, from 3);

impl Aes {
    /// The round keys of a key.
    pub(crate) fn expand(self, key: &[u8; KEY_BYTES], keys: &mut RoundKeys) {
        // SAFETY: the token exists only where AES and AVX do.
        unsafe { narrow::expand(key, keys) }
    }

    /// See [`narrow::key_stream`].
    pub(crate) fn key_stream(self, keys: &RoundKeys, nonce: &[u8; NONCE_BYTES], counter: u32, out: &mut [Eight]) {
        // SAFETY: the token exists only where AES and AVX do.
        unsafe { narrow::key_stream(keys, nonce, counter, out) }
    }

    /// See [`ghash::powers`].
    pub(crate) fn powers(self, key: &sm4::Block, out: &mut Powers) {
        // SAFETY: the token exists only where AVX and carry-less multiplication do.
        unsafe { ghash::powers(key, out) }
    }

    /// See [`ghash::absorb`].
    pub(crate) fn absorb(self, powers: &Powers, state: &mut sm4::Block, data: &[u8]) {
        // SAFETY: the token exists only where AVX and carry-less multiplication do.
        unsafe { ghash::absorb(powers, state, data) }
    }
}

impl Vaes {
    /// See [`wide::key_stream`].
    pub(crate) fn key_stream(self, keys: &RoundKeys, nonce: &[u8; NONCE_BYTES], counter: u32, out: &mut [Eight]) {
        // SAFETY: the token exists only where VAES and AVX2 do.
        unsafe { wide::key_stream(keys, nonce, counter, out) }
    }
}
