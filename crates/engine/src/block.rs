//! Our block in the shape the consensus library asks for.

use crate::keys::EngineDigest;
use bytes::{BufMut, Bytes};
use commonware_codec::{Buf, EncodeSize, Error as CodecError, Read, Write};
use commonware_consensus::{Block, BoundedBlock, Heightable, types::Height};
use commonware_cryptography::{Digested, Digestible};
use std::sync::Arc;
use yulian_types::{BlockError, BlockLimits, KnownTransactions, SealedBlock, limits::*};

/// Room for the length in front of a block.
const LENGTH_BYTES: usize = 10;

/// A sealed block. Decoding checks that the body is the one that the digest commits to.
#[derive(Clone, Debug)]
pub(crate) struct EngineBlock(pub(crate) Arc<SealedBlock>);

/// Most bytes of an encoded block under the limits.
pub(crate) fn block_bytes_max(limits: &BlockLimits) -> usize {
    limits.body_bytes_max + HEADER_BYTES_MAX + 2 * TRANSACTION_FRAMING_BYTES
}

impl EngineBlock {
    /// With the digest it carries already.
    pub(crate) fn digested(block: Arc<SealedBlock>) -> Digested<Self> {
        let digest = block.digest.into();
        Digested::precomputed(Self(block), digest)
    }
}

impl Write for EngineBlock {
    fn write(&self, out: &mut impl BufMut) {
        self.0.bytes.write(out)
    }
}

impl EncodeSize for EngineBlock {
    fn encode_size(&self) -> usize {
        self.0.bytes.encode_size()
    }
}

/// What reading a block takes.
#[derive(Clone, Debug)]
pub(crate) struct BlockCodec {
    pub(crate) limits: BlockLimits,
    pub(crate) known: Arc<dyn KnownTransactions>,
}

impl BlockCodec {
    pub(crate) fn decode(&self, bytes: Bytes) -> Result<SealedBlock, BlockError> {
        SealedBlock::decode_with(bytes, &self.limits, &*self.known)
    }
}

impl Read for EngineBlock {
    type Cfg = BlockCodec;

    fn read_cfg(input: &mut impl Buf, codec: &BlockCodec) -> Result<Self, CodecError> {
        let bytes = Bytes::read_cfg(input, &(..=block_bytes_max(&codec.limits)).into())?;
        let block = codec.decode(bytes).map_err(|error| {
            tracing::debug!(%error, "refused a malformed block");
            CodecError::Invalid("EngineBlock", "malformed block")
        })?;
        Ok(Self(Arc::new(block)))
    }
}

impl Digestible for EngineBlock {
    type Digest = EngineDigest;

    fn digest(&self) -> EngineDigest {
        self.0.digest.into()
    }
}

impl Heightable for EngineBlock {
    fn height(&self) -> Height {
        Height::new(self.0.height())
    }
}

impl Block for EngineBlock {
    fn parent(&self) -> EngineDigest {
        self.0.parent.into()
    }
}

impl BoundedBlock for EngineBlock {
    fn max_encode_size(codec: &BlockCodec) -> usize {
        LENGTH_BYTES + block_bytes_max(&codec.limits)
    }
}
