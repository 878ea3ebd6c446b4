//! Lanes as arrays of words, for any machine. Compilers make no good vector code of it: it serves to test what all
//! kernels share.

use super::compress::compression;
use super::{Block, DIGEST_BYTES, State};

/// Two lanes: enough to tell them apart.
const LANES: usize = 2;
type Vector = [u32; LANES];

/// Mixes block i into lane i of the state.
pub(super) fn absorb(state: &mut State<LANES>, blocks: &[&Block; LANES]) {
    let word = |lane: usize, at: usize| {
        let bytes = blocks[lane].as_chunks::<4>().0[at];
        u32::from_be_bytes(bytes)
    };
    let message = std::array::from_fn(|at| std::array::from_fn(|lane| word(lane, at)));
    compress(&mut state.0, &message);
}

/// The digest in each lane.
pub(super) fn digests(state: &State<LANES>) -> [[u8; DIGEST_BYTES]; LANES] {
    std::array::from_fn(|lane| {
        let mut digest = [0; DIGEST_BYTES];
        for (to, words) in digest.as_chunks_mut::<4>().0.iter_mut().zip(&state.0) {
            *to = words[lane].to_be_bytes();
        }
        digest
    })
}

compression!(Vector);

fn splat(word: u32) -> Vector {
    [word; LANES]
}

fn add(a: Vector, b: Vector) -> Vector {
    std::array::from_fn(|i| a[i].wrapping_add(b[i]))
}

fn xor(a: Vector, b: Vector) -> Vector {
    std::array::from_fn(|i| a[i] ^ b[i])
}

fn xor3(a: Vector, b: Vector, c: Vector) -> Vector {
    xor(xor(a, b), c)
}

fn majority(a: Vector, b: Vector, c: Vector) -> Vector {
    std::array::from_fn(|i| (a[i] & b[i]) | (a[i] & c[i]) | (b[i] & c[i]))
}

fn choose(e: Vector, f: Vector, g: Vector) -> Vector {
    std::array::from_fn(|i| (e[i] & f[i]) | (!e[i] & g[i]))
}

fn rotate<const LEFT: u32, const RIGHT: u32>(a: Vector) -> Vector {
    const { assert!(LEFT + RIGHT == 32) };
    a.map(|word| word.rotate_left(LEFT))
}

fn rotate_8(a: Vector) -> Vector {
    a.map(|word| word.rotate_left(8))
}
