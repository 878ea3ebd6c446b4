//! Messages that are hashed together, as blocks with SM3's padding.

use super::Block;
use crate::sm3::{DIGEST_BYTES, Digest, Tag, hash, tagged};

const BLOCK_BYTES: usize = size_of::<Block>();
/// The padding is a bit and the length in bits: so many bytes at least.
const PADDING_BYTES_MIN: usize = 1 + size_of::<u64>();

/// Messages by number, from 0.
pub(crate) trait Batch {
    fn len(&self) -> usize;

    /// How many blocks a message has with its padding.
    fn blocks(&self, message: usize) -> usize;

    /// Block `at` of a message: where it stands, or put together in the buffer.
    fn block<'a>(&'a self, message: usize, at: usize, buffer: &'a mut Block) -> &'a Block;

    /// The digest of one message, for which no others were found.
    fn hash_alone(&self, message: usize) -> Digest;
}

fn padded_blocks(length: usize) -> usize {
    (length + PADDING_BYTES_MIN).div_ceil(BLOCK_BYTES)
}

/// Adds what the padding of a message has in block `at`, of which the rest is message or zero.
fn pad(block: &mut Block, at: usize, length: usize) {
    if let Some(end) = length.checked_sub(at * BLOCK_BYTES).filter(|&end| end < BLOCK_BYTES) {
        block[end] = 0x80;
    }
    if at + 1 == padded_blocks(length) {
        let bits = (length as u64) << 3;
        block[BLOCK_BYTES - size_of::<u64>()..].copy_from_slice(&bits.to_be_bytes());
    }
}

/// Messages of N bytes.
pub(crate) struct Equal<'a, const N: usize>(pub(crate) &'a [[u8; N]]);

impl<const N: usize> Batch for Equal<'_, N> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn blocks(&self, _message: usize) -> usize {
        padded_blocks(N)
    }

    fn block<'a>(&'a self, message: usize, at: usize, buffer: &'a mut Block) -> &'a Block {
        let (whole, rest) = self.0[message].as_chunks();
        if let Some(block) = whole.get(at) {
            return block;
        }
        *buffer = [0; BLOCK_BYTES];
        if at == whole.len() {
            buffer[..rest.len()].copy_from_slice(rest);
        }
        pad(buffer, at, N);
        buffer
    }

    fn hash_alone(&self, message: usize) -> Digest {
        hash(&[&self.0[message]])
    }
}

/// Tagged pairs of digests.
pub(crate) struct Pairs<'a> {
    pub(crate) tag: &'a Tag,
    pub(crate) pairs: &'a [[Digest; 2]],
}

impl Pairs<'_> {
    const LENGTH: usize = size_of::<Tag>() + 2 * DIGEST_BYTES;
}

impl Batch for Pairs<'_> {
    fn len(&self) -> usize {
        self.pairs.len()
    }

    fn blocks(&self, _message: usize) -> usize {
        padded_blocks(Self::LENGTH)
    }

    fn block<'a>(&'a self, message: usize, at: usize, buffer: &'a mut Block) -> &'a Block {
        const RIGHT_AT: usize = size_of::<Tag>() + DIGEST_BYTES;
        const SPLIT: usize = BLOCK_BYTES - RIGHT_AT;
        let [left, right] = &self.pairs[message];
        if at == 0 {
            buffer[..size_of::<Tag>()].copy_from_slice(self.tag);
            buffer[size_of::<Tag>()..RIGHT_AT].copy_from_slice(&left.0);
            buffer[RIGHT_AT..].copy_from_slice(&right.0[..SPLIT]);
        } else {
            *buffer = [0; BLOCK_BYTES];
            buffer[..DIGEST_BYTES - SPLIT].copy_from_slice(&right.0[SPLIT..]);
            pad(buffer, at, Self::LENGTH);
        }
        buffer
    }

    fn hash_alone(&self, message: usize) -> Digest {
        let [left, right] = &self.pairs[message];
        tagged(self.tag, &[&left.0, &right.0])
    }
}

/// Messages in parts, all with the same bytes before them.
pub(crate) struct Parts<'a, const PARTS: usize> {
    lead: &'a [u8],
    messages: &'a [[&'a [u8]; PARTS]],
}

impl<'a, const PARTS: usize> Parts<'a, PARTS> {
    pub(crate) fn new(lead: &'a [u8], messages: &'a [[&'a [u8]; PARTS]]) -> Self {
        Self { lead, messages }
    }

    fn parts(&self, message: usize) -> impl Iterator<Item = &'a [u8]> {
        std::iter::once(self.lead).chain(self.messages[message])
    }

    fn length(&self, message: usize) -> usize {
        self.parts(message).map(<[u8]>::len).sum()
    }
}

impl<const PARTS: usize> Batch for Parts<'_, PARTS> {
    fn len(&self) -> usize {
        self.messages.len()
    }

    fn blocks(&self, message: usize) -> usize {
        padded_blocks(self.length(message))
    }

    fn block<'a>(&'a self, message: usize, at: usize, buffer: &'a mut Block) -> &'a Block {
        let start = at * BLOCK_BYTES;
        let mut filled = 0;
        // Where the part starts in the message.
        let mut offset = 0;
        for part in self.parts(message) {
            // Of this part, what comes after all that was before this block or is in it already.
            let rest = (start + filled).checked_sub(offset).and_then(|skip| part.get(skip..));
            offset += part.len();
            let Some(rest) = rest else { continue };
            if let (0, Some(block)) = (filled, rest.first_chunk()) {
                return block;
            }
            let taken = rest.len().min(BLOCK_BYTES - filled);
            buffer[filled..][..taken].copy_from_slice(&rest[..taken]);
            filled += taken;
        }
        buffer[filled..].fill(0);
        pad(buffer, at, self.length(message));
        buffer
    }

    fn hash_alone(&self, message: usize) -> Digest {
        self.parts(message)
            .fold(crate::sm3::Hasher::default(), |mut hasher, part| {
                hasher.update(part);
                hasher
            })
            .finish()
    }
}
