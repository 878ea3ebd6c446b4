//! Eight claims side by side, one in each lane of a vector, by 52-bit multiplications (AVX-512 IFMA).
//!
//! Written once for any [`Lanes`]: the processor's vectors (`crate::simd::ifma`), and a portable form with
//! exactly their meaning, by which it is tested on every machine. All functions that touch lanes are
//! `inline(always)` and hand no lanes to closures, because only what is inlined into a function compiled
//! for these instructions is made of them.
//!
//! A lane in which points cancel or double is found by a zero, and its claim is done again alone: a lane
//! cannot touch its neighbours.

mod field;
mod gather;
mod jacobian;
mod judge;
mod sums;
mod vector;

pub(crate) use self::judge::judge;
pub(crate) use self::vector::{Lanes, Row};
pub(crate) use super::batch::Job;

#[cfg(test)]
pub(crate) use self::vector::{Portable, outcomes};
#[cfg(test)]
pub(super) use self::{
    field::{Field, Stored},
    vector::LANES,
};
