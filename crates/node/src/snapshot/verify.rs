//! Checking what a member gives, piece by piece.

use super::{
    fault::Fault,
    message::{BODY_BYTES_MAX, Offer, item_bytes, items},
};
use crate::ledger::{SetMark, Tip, parse_record};
use bytes::{Bytes, BytesMut};
use prost::Message;
use yulian_crypto::sm2::Verifier;
use yulian_light::{SetChange, ValidatorHistory, verify_headers};
use yulian_state::{PartProof, Path, Prefix, write_set};
use yulian_types::{
    BlockLimits, Digest, SealedBlock, SealedGenesis, block_digest, decode_header,
    limits::{BLOCK_BYTES_MAX, HEADER_BYTES_MAX, TRANSACTION_FRAMING_BYTES},
    proto::{BlockHeader, ReceiptList},
    receipt_root,
};

/// Longest list of receipts of one block: what a store takes as a value.
const RECEIPTS_BYTES_MAX: usize = yulian_store::VALUE_BYTES_MAX;
const BLOCK_WITH_HEADER_MAX: usize = BLOCK_BYTES_MAX + HEADER_BYTES_MAX + 2 * TRANSACTION_FRAMING_BYTES;

/// What a snapshot stands on: the validator sets since genesis and a header that they made final.
#[derive(Debug)]
pub(super) struct Ground {
    /// The sets.
    pub(super) history: ValidatorHistory,
    /// Header of the height after the snapshot's.
    pub(super) header: BlockHeader,
    /// Digest of that block.
    pub(super) digest: Digest,
}

impl Ground {
    /// Proves the offer's header under the sets since genesis.
    pub(super) fn prove(history: ValidatorHistory, offer: &Offer, verifier: &dyn Verifier) -> Result<Self, Fault> {
        let headers = verify_headers(&history, std::slice::from_ref(&offer.header), &offer.proof, verifier)?;
        let last = headers.last();
        if offer.height == 0 || offer.height.checked_add(1) != Some(last.height()) {
            return Err(Fault::Form("the header is not that of the height after the snapshot"));
        }
        // A set that comes later is not in the snapshot's state, and the ledger would count it as in force.
        let newest = history.ranges().last();
        if newest.is_some_and(|range| range.first_height > last.height()) {
            return Err(Fault::Form("a change of the validator set above the snapshot"));
        }
        let (header, digest) = (last.header().clone(), last.digest());
        Ok(Self {
            history,
            header,
            digest,
        })
    }

    /// The snapshot's height.
    pub(super) fn height(&self) -> u64 {
        self.header.height - 1
    }

    /// Digest of the snapshot's block.
    pub(super) fn parent(&self) -> Digest {
        field(&self.header.parent)
    }

    /// State root after the snapshot's block.
    pub(super) fn state_root(&self) -> Digest {
        field(&self.header.parent_state_root)
    }

    /// The last block of the ledger that comes of it. How many transactions there were is not proven, and only shown.
    pub(super) fn tip(&self, time_ms: u64, transactions: u64) -> Tip {
        Tip {
            height: self.height(),
            digest: self.parent(),
            time_ms,
            state_root: self.state_root(),
            receipt_root: field(&self.header.parent_receipt_root),
            write_set_root: field(&self.header.parent_write_set_root),
            transactions: transactions.min(u64::MAX / 2),
        }
    }

    /// The sets as the ledger keeps them.
    pub(super) fn marks(&self) -> Vec<SetMark> {
        let mark = |range: &yulian_light::SetRange| SetMark {
            first_epoch: range.first_epoch,
            first_height: range.first_height,
            digest: range.validators.digest(),
        };
        self.history.ranges().iter().map(mark).collect()
    }
}

/// A digest of a header that was decoded, and so has its length.
fn field(bytes: &Bytes) -> Digest {
    Digest::from_slice(bytes).unwrap_or(Digest::ZERO)
}

/// Reads changes of the set; there is at least one.
pub(super) fn changes(body: Bytes) -> Result<Vec<SetChange>, Fault> {
    let form = || Fault::Form("changes of the validator set");
    let list = items(body).ok_or_else(form)?;
    let (triples, []) = list.as_chunks::<3>() else {
        return Err(form());
    };
    if triples.is_empty() {
        return Err(form());
    }
    let change = |[header, finality, validators]: &[Bytes; 3]| SetChange {
        header: header.clone(),
        finality: finality.clone(),
        validators: validators.clone(),
    };
    Ok(triples.iter().map(change).collect())
}

/// Follows headers down: each must be the parent of the one above it.
#[derive(Debug)]
pub(super) struct Descent {
    /// Height of the next header; `None` when genesis was reached.
    pub(super) height: Option<u64>,
    digest: Digest,
    genesis: Digest,
}

impl Descent {
    pub(super) fn below(ground: &Ground, genesis: &SealedGenesis) -> Self {
        Self {
            height: Some(ground.height()),
            digest: ground.parent(),
            genesis: genesis.block().digest,
        }
    }

    /// Takes the next headers, descending; returns them with their heights. A member that gives fewer than fit would hold up
    /// whoever joins for as long as it likes.
    pub(super) fn take(&mut self, body: Bytes) -> Result<Vec<(u64, Bytes)>, Fault> {
        let full = body.len() + item_bytes(&[0; HEADER_BYTES_MAX]) > BODY_BYTES_MAX;
        let list = items(body).ok_or(Fault::Form("headers"))?;
        if list.is_empty() {
            return Err(Fault::Form("no headers"));
        }
        let mut out = Vec::with_capacity(list.len());
        for bytes in list {
            let height = self.height.ok_or(Fault::Form("headers below genesis"))?;
            let wrong = || Fault::Ancestor(height);
            if block_digest(&bytes) != self.digest {
                return Err(wrong());
            }
            let header = decode_header(&bytes).map_err(|_| wrong())?;
            let at_genesis = height == 0;
            if header.height != height || (at_genesis && self.digest != self.genesis) {
                return Err(wrong());
            }
            self.digest = field(&header.parent);
            self.height = height.checked_sub(1);
            out.push((height, bytes));
        }
        if self.height.is_some() && !full {
            return Err(Fault::Form("fewer headers than fit"));
        }
        Ok(out)
    }
}

/// Checks that a body holds exactly the state under a prefix; returns the records with their paths.
pub(super) fn part(root: &Digest, prefix: &Prefix, body: Bytes) -> Result<Vec<(Path, Bytes)>, Fault> {
    let mut list = items(body).ok_or(Fault::Form("a part of the state"))?.into_iter();
    let proof = list.next().ok_or(Fault::Form("a part of the state without a proof"))?;
    let proof = PartProof::from_bytes(&proof)?;
    let records: Vec<Bytes> = list.collect();
    let parts: Option<Vec<_>> = records.iter().map(parse_record).collect();
    let parts = parts.ok_or(Fault::Form("a record of the state"))?;
    let keys: Vec<(u32, &[u8])> = parts.iter().map(|part| (part.module_id, &part.key[..])).collect();
    let paths = Path::of_many(&keys);
    let values = paths
        .iter()
        .zip(&parts)
        .map(|(path, part)| (*path, Some(&part.value[..])));
    let leaves: Vec<(Path, Digest)> = write_set::changes_at(values)
        .into_iter()
        .filter_map(|(path, hash)| Some((path, hash?)))
        .collect();
    proof.verify(root, prefix, &leaves)?;
    Ok(paths.into_iter().zip(records).collect())
}

/// Takes the first block and its receipts from a list, if they are there whole.
pub(super) fn take_pair(bytes: &mut BytesMut) -> Result<Option<(Bytes, Bytes)>, Fault> {
    let length = |at: usize, most: usize| {
        let Some(length) = bytes.get(at..).and_then(|rest| rest.first_chunk()) else {
            return Ok(None);
        };
        match u32::from_be_bytes(*length) as usize {
            long if long > most => Err(Fault::Form("a block or receipts beyond all limits")),
            length => Ok(Some(length)),
        }
    };
    let Some(block) = length(0, BLOCK_WITH_HEADER_MAX)? else {
        return Ok(None);
    };
    let Some(receipts) = length(4 + block, RECEIPTS_BYTES_MAX)? else {
        return Ok(None);
    };
    if bytes.len() < 8 + block + receipts {
        return Ok(None);
    }
    let pair = bytes.split_to(8 + block + receipts).freeze();
    Ok(Some((pair.slice(4..4 + block), pair.slice(8 + block..))))
}

/// Checks a block against the digest of its height.
pub(super) fn block(height: u64, digest: &Digest, bytes: Bytes) -> Result<SealedBlock, Fault> {
    let block = SealedBlock::decode(bytes, &BlockLimits::default());
    let block = block.map_err(|source| Fault::Block { height, source })?;
    if block.digest != *digest {
        return Err(Fault::OtherBlock(height));
    }
    Ok(block)
}

/// Checks the receipts of a block against the next header; returns them as the ledger keeps them.
pub(super) fn receipts(height: u64, next: &BlockHeader, bytes: Bytes) -> Result<Bytes, Fault> {
    let list = ReceiptList::decode(bytes).map_err(|_| Fault::Receipts(height))?;
    if next.parent_receipt_root[..] != receipt_root(&list.receipts).0 {
        return Err(Fault::Receipts(height));
    }
    Ok(yulian_types::encode(&list))
}
