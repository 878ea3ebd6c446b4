//! Finality proofs: our own message, verified without the consensus engine.
//!
//! A validator signs, with SM2 and the default user id,
//!
//! ```text
//! varint(len(ns)) ‖ ns ‖ varint(epoch) ‖ varint(view) ‖ varint(parent view) ‖ block digest (32 bytes)
//! ns = "yulian/1/" ‖ chain id (32 bytes) ‖ "_FINALIZE"
//! ```
//!
//! varint = unsigned LEB128. A test in `engine` pins these bytes to what the engine signs.

use crate::{
    codec::{CodecError, decode_canonical, encode},
    limits::FINALITY_PROOF_BYTES_MAX,
    proto,
    validators::ValidatorSet,
};
use bytes::Bytes;
use yulian_crypto::{
    Digest,
    sm2::{Item, Signature, Verifier},
};

const VERSION: u32 = 1;
const FINALIZE_SUFFIX: &[u8] = b"_FINALIZE";

/// Signing namespace of a chain: every vote of its validators starts with it.
pub fn namespace(chain_id: &Digest) -> Vec<u8> {
    [b"yulian/1/".as_slice(), &chain_id.0].concat()
}

/// The bytes that a validator signs to finalise `digest`.
pub fn finality_message(chain_id: &Digest, epoch: u64, view: u64, parent_view: u64, digest: &Digest) -> Vec<u8> {
    let namespace = [namespace(chain_id).as_slice(), FINALIZE_SUFFIX].concat();
    let mut out = Vec::with_capacity(namespace.len() + 64);
    varint(&mut out, namespace.len() as u64);
    out.extend_from_slice(&namespace);
    for number in [epoch, view, parent_view] {
        varint(&mut out, number);
    }
    out.extend_from_slice(&digest.0);
    out
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Why a finality proof does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FinalityError {
    /// Not canonical protobuf.
    #[error("finality proof: {0}")]
    Codec(#[from] CodecError),
    /// The message's version is unknown.
    #[error("finality proof of unknown version {0}")]
    Version(u32),
    /// The digest is not 32 bytes or a signature is malformed.
    #[error("finality proof with a malformed {0}")]
    Field(&'static str),
    /// The bitmap does not fit the set, or names fewer or more signers than there are signatures.
    #[error("the signer bitmap does not fit a set of {validators} validators and {signatures} signatures")]
    Bitmap {
        /// Size of the validator set.
        validators: usize,
        /// Number of signatures.
        signatures: usize,
    },
    /// Too few signers.
    #[error("{found} signatures, {needed} are needed")]
    TooFew {
        /// Signatures present.
        found: usize,
        /// Quorum of the set.
        needed: usize,
    },
    /// A signature is wrong.
    #[error("the signature of validator {0} is wrong")]
    Signature(String),
}

/// A quorum's signatures over the finalisation of one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinalityProof {
    /// Epoch in which the block was finalised.
    pub epoch: u64,
    /// View (round) of the epoch.
    pub view: u64,
    /// View of the block's parent.
    pub parent_view: u64,
    /// Digest of the block.
    pub digest: Digest,
    /// Indices of the signers in the epoch's set, ascending.
    pub signers: Vec<u32>,
    /// Size of the validator set that the bitmap was made for.
    pub set_size: u32,
    /// One signature for each signer.
    pub signatures: Vec<Signature>,
}

impl FinalityProof {
    /// The canonical bytes.
    pub fn encode(&self) -> Bytes {
        let mut bitmap = vec![0u8; (self.set_size as usize).div_ceil(8)];
        for index in &self.signers {
            bitmap[*index as usize / 8] |= 1 << (index % 8);
        }
        encode(&proto::FinalityProof {
            version: VERSION,
            epoch: self.epoch,
            view: self.view,
            parent_view: self.parent_view,
            digest: self.digest.to_vec().into(),
            signers: bitmap.into(),
            signatures: self.signatures.iter().map(|s| s.as_bytes().to_vec().into()).collect(),
        })
    }

    /// Decodes a proof made for a set of `set_size` validators. Signatures are parsed, not verified.
    pub fn decode(bytes: &Bytes, set_size: usize) -> Result<Self, FinalityError> {
        let message: proto::FinalityProof = decode_canonical(bytes, FINALITY_PROOF_BYTES_MAX)?;
        if message.version != VERSION {
            return Err(FinalityError::Version(message.version));
        }
        let digest = Digest::from_slice(&message.digest).ok_or(FinalityError::Field("digest"))?;
        let signers = parse_bitmap(&message.signers, set_size, message.signatures.len())?;
        let signatures = message
            .signatures
            .iter()
            .map(|bytes| Signature::from_bytes(bytes).map_err(|_| FinalityError::Field("signature")))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            epoch: message.epoch,
            view: message.view,
            parent_view: message.parent_view,
            digest,
            signers,
            set_size: set_size as u32,
            signatures,
        })
    }

    /// Checks that a quorum of `set` finalised `self.digest` on the chain.
    pub fn verify(&self, chain_id: &Digest, set: &ValidatorSet, verifier: &dyn Verifier) -> Result<(), FinalityError> {
        let found = self.signers.len();
        if self.set_size as usize != set.len() || found != self.signatures.len() {
            return Err(FinalityError::Bitmap {
                validators: set.len(),
                signatures: self.signatures.len(),
            });
        }
        if !self.signers.is_sorted_by(|a, b| a < b) || self.signers.last().is_some_and(|i| *i as usize >= set.len()) {
            return Err(FinalityError::Bitmap {
                validators: set.len(),
                signatures: found,
            });
        }
        if found < set.quorum() {
            return Err(FinalityError::TooFew {
                found,
                needed: set.quorum(),
            });
        }
        let message = finality_message(chain_id, self.epoch, self.view, self.parent_view, &self.digest);
        let items: Vec<Item<'_>> = self
            .signers
            .iter()
            .zip(&self.signatures)
            .map(|(index, signature)| Item {
                key: &set.keys()[*index as usize],
                message: &message,
                signature,
            })
            .collect();
        match verifier.verify_many(&items).iter().position(|ok| !ok) {
            None => Ok(()),
            Some(at) => Err(FinalityError::Signature(
                set.validators()[self.signers[at] as usize].name.clone(),
            )),
        }
    }
}

fn parse_bitmap(bitmap: &[u8], validators: usize, signatures: usize) -> Result<Vec<u32>, FinalityError> {
    let refuse = FinalityError::Bitmap { validators, signatures };
    if bitmap.len() != validators.div_ceil(8) {
        return Err(refuse);
    }
    let signers: Vec<u32> = (0..bitmap.len() as u32 * 8)
        .filter(|i| bitmap[*i as usize / 8] >> (i % 8) & 1 == 1)
        .collect();
    if signers.len() != signatures || signers.last().is_some_and(|last| *last as usize >= validators) {
        return Err(refuse);
    }
    Ok(signers)
}
