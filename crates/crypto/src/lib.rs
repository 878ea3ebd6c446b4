//! SM2, SM3, SM4, Merkle trees and key handles. Knows bytes, not blocks.

mod files;
pub mod key_file;
pub mod merkle;
#[cfg(target_arch = "x86_64")]
mod simd;
pub mod sm2;
pub mod sm3;
pub mod sm4;

pub use crate::sm3::Digest;
