//! Key streams of SM4 (GB/T 32907-2016) with the processor's instructions for AES, in constant time.
//!
//! The S-boxes of both ciphers are an inversion in a field of 256 elements between affine maps, and all such fields are
//! one field under different names. So SM4's S-box is AES's S-box between two affine maps: one from SM4's input to the
//! names that AES uses, one from AES's output to SM4's. An affine map of a byte is the sum of two table look-ups by four
//! bits each, and a 16-entry look-up is one instruction (`pshufb`), which takes the same time for all bytes.
//!
//! Word i of several blocks shares a vector, as in the description of the cipher: a round works on whole vectors.

pub(crate) mod narrow;
#[cfg(test)]
mod tests;
pub(crate) mod wide;

use super::Block;

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

pub(crate) use encryption;
