//! SM3 of many messages side by side: lane i of every vector belongs to message i of a group.
//!
//! The messages of a group have the same number of blocks. A group too small to be worth the vectors is hashed one
//! message after the other, and so is everything on a processor without vectors that have a kernel here.

#![cfg_attr(
    not(target_arch = "x86_64"),
    allow(
        dead_code,
        unused_imports,
        unused_macros,
        reason = "no kernel for this processor: all but the tests hash one message after the other"
    )
)]

pub(crate) mod batch;
pub(crate) mod compress;

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
#[cfg(test)]
mod portable;
#[cfg(test)]
mod tests;

#[cfg(target_arch = "x86_64")]
use crate::simd::{Avx2, Avx512};
use crate::sm3::{DIGEST_BYTES, Digest};
use batch::Batch;

/// What the compression function takes at once.
pub(crate) type Block = [u8; 64];

/// The eight state words of each lane.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(crate) struct State<const LANES: usize>(pub(crate) [[u32; LANES]; 8]);

impl<const LANES: usize> State<LANES> {
    fn start() -> Self {
        Self(compress::START.map(|word| [word; LANES]))
    }
}

/// The compression function of as many lanes as there are blocks.
pub(crate) trait Kernel<const LANES: usize>: Copy {
    /// Fewer messages than this are hashed faster one after the other.
    const GROUP_MIN: usize;

    /// Mixes block i into lane i of the state.
    fn absorb(self, state: &mut State<LANES>, blocks: &[&Block; LANES]);

    /// The digest in each lane.
    fn digests(self, state: &State<LANES>) -> [[u8; DIGEST_BYTES]; LANES];
}

/// Hashes all messages of a batch with the widest kernel of this processor; digest i is that of message i.
pub(super) fn hash(batch: &impl Batch) -> Vec<Digest> {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(kernel) = Avx512::detect() {
            return hash_with(kernel, batch);
        }
        if let Some(kernel) = Avx2::detect() {
            return hash_with(kernel, batch);
        }
    }
    hash_each(batch)
}

/// Without a kernel.
fn hash_each(batch: &impl Batch) -> Vec<Digest> {
    (0..batch.len()).map(|message| batch.hash_alone(message)).collect()
}

fn hash_with<const LANES: usize, K: Kernel<LANES>>(kernel: K, batch: &impl Batch) -> Vec<Digest> {
    let mut out = vec![Digest::ZERO; batch.len()];
    let Some(blocks) = (!out.is_empty()).then(|| batch.blocks(0)) else {
        return out;
    };
    if (1..batch.len()).all(|message| batch.blocks(message) == blocks) {
        hash_run(kernel, batch, blocks, 0..batch.len(), &mut out);
        return out;
    }
    let mut order: Vec<_> = (0..batch.len())
        .map(|message| (batch.blocks(message), message))
        .collect();
    order.sort_unstable();
    for run in order.chunk_by(|a, b| a.0 == b.0) {
        let messages = run.iter().map(|&(_, message)| message);
        hash_run(kernel, batch, run[0].0, messages, &mut out);
    }
    out
}

/// Hashes messages of `blocks` blocks each.
fn hash_run<const LANES: usize, K: Kernel<LANES>>(
    kernel: K,
    batch: &impl Batch,
    blocks: usize,
    mut messages: impl Iterator<Item = usize>,
    out: &mut [Digest],
) {
    loop {
        let (mut group, mut filled) = ([0; LANES], 0);
        // The places are first, so that a message for which there is none is left for the next group.
        for (place, message) in group.iter_mut().zip(&mut messages) {
            *place = message;
            filled += 1;
        }
        let group = &group[..filled];
        if filled < K::GROUP_MIN {
            for &message in group {
                out[message] = batch.hash_alone(message);
            }
        } else {
            let digests = hash_group(kernel, batch, blocks, group);
            for (&message, digest) in group.iter().zip(digests) {
                out[message] = Digest(digest);
            }
        }
        if filled < LANES {
            return;
        }
    }
}

/// Hashes at most LANES messages of `blocks` blocks each. Lanes without a message get blocks of zeros.
fn hash_group<const LANES: usize>(
    kernel: impl Kernel<LANES>,
    batch: &impl Batch,
    blocks: usize,
    group: &[usize],
) -> [[u8; DIGEST_BYTES]; LANES] {
    let mut state = State::start();
    let mut buffers = [[0; size_of::<Block>()]; LANES];
    for at in 0..blocks {
        let mut places = [&[0; size_of::<Block>()]; LANES];
        for ((place, buffer), &message) in places.iter_mut().zip(&mut buffers).zip(group) {
            *place = batch.block(message, at, buffer);
        }
        kernel.absorb(&mut state, &places);
    }
    kernel.digests(&state)
}
