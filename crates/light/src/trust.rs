//! What a verifier believes beforehand.

use crate::{header::HeaderError, history::ValidatorHistory};
use bytes::Bytes;
use yulian_types::{BlockError, Digest, block_digest, decode_header, proto::BlockHeader};

/// The chains that a verifier trusts, by genesis digest, and if it has one a recent header of one of them.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    chains: Vec<Digest>,
    recent: Option<(Digest, BlockHeader)>,
}

/// Bytes that were given as a trusted header are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the trusted header: {0}")]
pub struct NotATrustedHeader(#[from] BlockError);

impl Trust {
    /// Trusts the chains of these genesis digests.
    pub fn chains(digests: impl IntoIterator<Item = Digest>) -> Self {
        Self {
            chains: digests.into_iter().collect(),
            recent: None,
        }
    }

    /// Trusts no chain: the answer is never yes.
    pub fn nobody() -> Self {
        Self::default()
    }

    /// Trusts a header too, got from a source that the verifier believes. Packs of its chain must agree with it: that
    /// is what exposes a history made up with the keys of a retired validator set.
    ///
    /// # Errors
    /// If the bytes are no header.
    pub fn with_header(mut self, header: &Bytes) -> Result<Self, NotATrustedHeader> {
        self.recent = Some((block_digest(header), decode_header(header)?));
        Ok(self)
    }

    /// Whether a chain is trusted.
    pub fn knows(&self, chain_id: &Digest) -> bool {
        self.chains.contains(chain_id)
    }

    /// Compares proven headers (digest, height) and the history with the trusted header, as far as they overlap.
    /// `last_height` is the highest height that the pack shows.
    pub(crate) fn agrees(
        &self,
        history: &ValidatorHistory,
        shown: &[(Digest, u64)],
        last_height: u64,
    ) -> Result<(), HeaderError> {
        let Some((digest, recent)) = &self.recent else {
            return Ok(());
        };
        if recent.chain_id[..] != history.chain_id().0 {
            return Ok(());
        }
        if shown
            .iter()
            .any(|(other, height)| *height == recent.height && other != digest)
        {
            return Err(HeaderError::OtherBlock(recent.height));
        }
        if recent.height <= last_height {
            return history.agrees(recent);
        }
        // The header is newer: its set held at the pack's last height already unless it changed in between.
        if recent.validators_since <= last_height {
            let mut then = recent.clone();
            then.height = last_height;
            return history.agrees(&then);
        }
        Ok(())
    }
}
