//! Spaces: the named parts of a store, each with its own sorted keys.

/// A part of a store with its own sorted keys.
///
/// The name is the folder-independent identity on disk, the id the one in memory and in the log: both are
/// unique within a store and never reused for another meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Space {
    id: u8,
    name: &'static str,
    large: bool,
}

impl Space {
    /// A space of small values (up to a few hundred bytes).
    pub const fn new(id: u8, name: &'static str) -> Self {
        let large = false;
        Self { id, name, large }
    }

    /// A space of values that are kilobytes and more: they are kept apart from their keys, so that
    /// compaction does not rewrite them.
    pub const fn large(id: u8, name: &'static str) -> Self {
        let large = true;
        Self { id, name, large }
    }

    /// The number that stands for the space in a log record.
    pub const fn id(self) -> u8 {
        self.id
    }

    /// The name that stands for the space on disk: ASCII letters, digits and `_`.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Whether values are kept apart from keys.
    pub const fn is_large(self) -> bool {
        self.large
    }
}

/// State path (32 bytes) → flat record of the current value (encoded by the caller).
pub const STATE: Space = Space::new(1, "state");
/// Height (8 bytes big-endian) → block bytes.
pub const BLOCK: Space = Space::large(2, "block");
/// Block digest → height.
pub const BLOCK_DIGEST: Space = Space::new(3, "block_digest");
/// Height → bytes of a finality proof.
pub const PROOF: Space = Space::new(4, "proof");
/// Height → receipts of the block.
pub const RECEIPT: Space = Space::large(5, "receipt");
/// Transaction id → height ‖ index.
pub const TX: Space = Space::new(6, "tx");
/// Node-local look-ups, free-form.
pub const INDEX: Space = Space::new(7, "index");
/// What a node has to remember about the chain and the store itself.
pub const META: Space = Space::new(8, "meta");
/// What stood in the state before each of the last blocks, for proofs at former heights.
pub const UNDO: Space = Space::large(9, "undo");

/// The spaces that a chain's folder has.
pub const CHAIN_SPACES: &[Space] = &[STATE, BLOCK, BLOCK_DIGEST, PROOF, RECEIPT, TX, INDEX, META, UNDO];
