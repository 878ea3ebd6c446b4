//! Digests of what people hold in their hands: a file, a row of a table.

use yulian_crypto::{Digest, merkle, sm3};
use yulian_types::tags;

/// Digest of a row of a table: SM3("ylTblRow" ‖ line), the line as it stands in the file, without its line end.
pub fn row_digest(line: &[u8]) -> Digest {
    sm3::tagged(&tags::TABLE_ROW, &[line])
}

/// Leaf of a batch's Merkle tree for the digest of a row or a file: SM3("ylMkLeaf" ‖ digest).
pub fn batch_leaf(digest: &Digest) -> Digest {
    merkle::leaf(&digest.0)
}

/// What a pack is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A file, by the SM3 of its bytes.
    File(Digest),
    /// A row, by its [`row_digest`].
    Row(Digest),
}

impl Subject {
    /// A file whose bytes are at hand. For large files hash in pieces and use [`Subject::File`].
    pub fn file(bytes: &[u8]) -> Self {
        Self::File(sm3::hash(&[bytes]))
    }

    /// A line of a table, without its line end.
    pub fn row(line: &[u8]) -> Self {
        Self::Row(row_digest(line))
    }

    /// The digest that must have been deposited.
    pub fn digest(&self) -> Digest {
        match self {
            Self::File(digest) | Self::Row(digest) => *digest,
        }
    }
}
