//! SM4-GCM by vector instructions; [`super::cipher`] and [`super::ghash`] are its parts.

use super::cipher::Eight;
use super::ghash::{self, Powers};
use super::{Block, KEY_BYTES, MESSAGE_BYTES_MAX, NONCE_BYTES, RoundKeys, TAG_BYTES};
use crate::simd::{Aes, Vaes};
use zeroize::Zeroize as _;

const BLOCK_BYTES: usize = size_of::<Block>();
/// The part of a key stream that is computed at once: enough for the fastest kernel.
type Stream = [Eight; 4];
const STREAM_BYTES: usize = size_of::<Stream>();
const STREAM_BLOCKS: u32 = (STREAM_BYTES / BLOCK_BYTES) as u32;

/// What a key becomes; wiped when dropped.
pub(super) struct VectorGcm {
    aes: Aes,
    vaes: Option<Vaes>,
    round_keys: RoundKeys,
    powers: Powers,
}

impl VectorGcm {
    /// The cipher of a key. Boxed before there is a secret in it, so that no copy is left behind by a move.
    pub(super) fn new(aes: Aes, vaes: Option<Vaes>, key: &[u8; KEY_BYTES]) -> Box<Self> {
        let mut new = Box::new(Self {
            aes,
            vaes,
            round_keys: [0; 32],
            powers: Powers::default(),
        });
        aes.expand(key, &mut new.round_keys);
        // The hash key is the encrypted block of zeros.
        let mut stream = new.stream(&[0; NONCE_BYTES], 0, BLOCK_BYTES);
        aes.powers(&stream[0][0], &mut new.powers);
        stream.zeroize();
        new
    }

    /// Encrypts and returns the tag.
    pub(super) fn seal(&self, nonce: &[u8; NONCE_BYTES], aad: &[u8], text: &mut [u8]) -> [u8; TAG_BYTES] {
        let mut hash = Block::default();
        self.aes.absorb(&self.powers, &mut hash, aad);
        let stream = self.stream(nonce, 1, BLOCK_BYTES + text.len());
        let length = text.len();
        // Hashing a chunk overlaps with encrypting the next.
        self.apply(nonce, &stream, text, |chunk| {
            self.aes.absorb(&self.powers, &mut hash, chunk)
        });
        self.tag(&stream[0][0], hash, aad.len(), length)
    }

    /// Decrypts if the tag matches. Nothing is decrypted otherwise.
    pub(super) fn open(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &[u8],
        text: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<(), super::NotAuthentic> {
        let mut hash = Block::default();
        self.aes.absorb(&self.powers, &mut hash, aad);
        self.aes.absorb(&self.powers, &mut hash, text);
        let stream = self.stream(nonce, 1, BLOCK_BYTES + text.len());
        let expected = self.tag(&stream[0][0], hash, aad.len(), text.len());
        // One comparison of 128 bits: no time depends on where they differ.
        if u128::from_ne_bytes(expected) != u128::from_ne_bytes(*tag) {
            return Err(super::NotAuthentic);
        }
        self.apply(nonce, &stream, text, |_| ());
        Ok(())
    }

    /// Adds the key stream to a text and shows what became of each chunk. The stream from counter 1 is there already:
    /// its first block masks the tag, the others belong to the text.
    ///
    /// The counter has 32 bits and a text at most 2^26 blocks, so that it never wraps round.
    fn apply(&self, nonce: &[u8; NONCE_BYTES], first: &Stream, text: &mut [u8], mut done: impl FnMut(&[u8])) {
        const { assert!(MESSAGE_BYTES_MAX / BLOCK_BYTES < u32::MAX as usize - 2 * STREAM_BLOCKS as usize) };
        let (head, rest) = text.split_at_mut(text.len().min(STREAM_BYTES - BLOCK_BYTES));
        add(head, &bytes(first)[BLOCK_BYTES..]);
        done(head);
        let mut counter = 1 + STREAM_BLOCKS;
        for chunk in rest.chunks_mut(STREAM_BYTES) {
            add(chunk, bytes(&self.stream(nonce, counter, chunk.len())));
            done(chunk);
            counter += STREAM_BLOCKS;
        }
    }

    fn tag(&self, mask: &Block, hash: Block, aad_bytes: usize, text_bytes: usize) -> [u8; TAG_BYTES] {
        let bits = (aad_bytes as u128) << 67 | (text_bytes as u128) << 3;
        let mut hash = hash;
        self.aes.absorb(&self.powers, &mut hash, &bits.to_be_bytes());
        let mut tag = ghash::finish(&hash);
        add(&mut tag, mask);
        tag
    }

    /// The key stream from a counter on, at least so many bytes of it if it is not all.
    fn stream(&self, nonce: &[u8; NONCE_BYTES], counter: u32, bytes: usize) -> Stream {
        let mut out = Stream::default();
        let needed = bytes.div_ceil(size_of::<Eight>()).min(out.len());
        match self.vaes {
            Some(vaes) => vaes.key_stream(&self.round_keys, nonce, counter, &mut out[..needed]),
            None => self
                .aes
                .key_stream(&self.round_keys, nonce, counter, &mut out[..needed]),
        }
        out
    }
}

impl Drop for VectorGcm {
    fn drop(&mut self) {
        self.round_keys.zeroize();
        self.powers.zeroize();
    }
}

fn bytes(stream: &Stream) -> &[u8] {
    stream.as_flattened().as_flattened()
}

fn add(text: &mut [u8], stream: &[u8]) {
    for (byte, key) in text.iter_mut().zip(stream) {
        *byte ^= key;
    }
}
