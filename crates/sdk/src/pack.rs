//! Evidence packs: fetched, narrowed to a row, verified without any node.

use crate::{client::Chain, error::SdkError, table::RowBatch};
use bytes::Bytes;
use yulian_crypto::{
    Digest,
    sm2::{FastVerifier, KEY_CACHE_BYTES},
};
use yulian_light::{EvidencePack, Outcome, PackError, Subject, Trust};

/// Why no pack was made.
#[derive(Debug, thiserror::Error)]
pub enum PackFailure {
    /// The node gave none.
    #[error(transparent)]
    Client(#[from] SdkError),
    /// What the node gave does not hold, or not for this row.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The node gave a pack of another chain.
    #[error("the node gave a pack of chain {0}")]
    OtherChain(Digest),
    /// The relay chain keeps no light client of the pack's chain.
    #[error("the chain {relay} keeps no light client of {chain}")]
    NotLinked {
        /// Genesis digest of the relay chain.
        relay: Digest,
        /// Genesis digest of the pack's chain.
        chain: Digest,
    },
    /// The node that was asked for a proof answered with something else.
    #[error("the answer is no proof of {0}")]
    NoProof(&'static str),
    /// The batch has no such row.
    #[error("the batch has no row {0}")]
    NoRow(u64),
}

/// Verifies a pack offline.
///
/// # Errors
/// The first thing that does not hold. See [`Outcome`] for packs of unknown chains.
pub fn verify_pack(json: &[u8], subject: Option<&Subject>, trust: &Trust) -> Result<Outcome, PackError> {
    yulian_light::verify_pack(json, subject, trust, &FastVerifier::new(KEY_CACHE_BYTES))
}

/// The pack of one row, out of the pack of its batch.
///
/// # Errors
/// If the row is not in the batch, the batch is not the pack's, or the pack does not hold.
pub fn row_pack(batch_pack: &[u8], digest: &Digest, batch: &RowBatch, index: u64) -> Result<Vec<u8>, PackFailure> {
    let proof = batch.prove(index).ok_or(PackFailure::NoRow(index))?;
    let pack = EvidencePack::decode(batch_pack)?;
    Ok(pack.for_row(digest, &proof, &FastVerifier::new(KEY_CACHE_BYTES))?)
}

impl Chain {
    /// The pack of a deposit, checked to hold together and to be of this chain.
    ///
    /// # Errors
    /// If the node gives none or a wrong one.
    pub async fn pack(&self, digest: &Digest, organisation: Option<&str>) -> Result<Bytes, PackFailure> {
        let json = self.evidence_pack(digest, organisation).await?;
        match verify_pack(&json, None, &Trust::chains([self.id()]))? {
            Outcome::Proven(_) => Ok(json),
            Outcome::UnknownChain(report) => Err(PackFailure::OtherChain(report.chain_id)),
        }
    }
}
