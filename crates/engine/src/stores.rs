//! The library's stores of final blocks and certificates over the node's [`Archive`].

use crate::{
    api::{Archive, Fatal},
    block::{BlockCodec, EngineBlock},
    keys::EngineDigest,
    provider::Schemes,
    scheme::{Sm2Scheme, from_proof, to_proof},
};
use commonware_consensus::{
    marshal::store::{Blocks, Certificates},
    simplex::types::Finalization,
    types::Height,
};
use commonware_storage::archive::Identifier;
use std::{collections::BTreeMap, sync::Arc};
use yulian_types::{Digest, FinalityProof, proto};

/// Sets of heights as disjoint ranges.
#[derive(Debug, Default, Clone)]
pub(crate) struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    pub(crate) fn from_list(list: Vec<(u64, u64)>) -> Self {
        Self(list.into_iter().collect())
    }

    fn containing(&self, height: u64) -> Option<(u64, u64)> {
        self.0
            .range(..=height)
            .next_back()
            .filter(|(_, last)| **last >= height)
            .map(|(first, last)| (*first, *last))
    }

    pub(crate) fn insert(&mut self, height: u64) {
        if self.containing(height).is_some() {
            return;
        }
        let mut first = height;
        let mut last = height;
        if let Some((before, _)) = height.checked_sub(1).and_then(|h| self.containing(h)) {
            first = before;
        }
        if let Some(after) = self.0.remove(&(height + 1)) {
            last = after;
        }
        self.0.insert(first, last);
    }

    fn last(&self) -> Option<u64> {
        self.0.values().next_back().copied()
    }

    fn next_gap(&self, height: u64) -> (Option<u64>, Option<u64>) {
        let end = self.containing(height).map(|(_, last)| last);
        let next = self
            .0
            .range(height + 1..)
            .find(|(first, _)| Some(**first) > end.or(Some(height)));
        (end, next.map(|(first, _)| *first))
    }

    fn missing(&self, start: u64, max: usize) -> Vec<u64> {
        let mut missing = Vec::new();
        let mut at = start;
        while missing.len() < max {
            match self.next_gap(at) {
                (Some(end), _) => at = end + 1,
                (None, Some(next)) => {
                    missing.extend((at..next).take(max - missing.len()));
                    at = next;
                }
                (None, None) => break,
            }
        }
        missing
    }

    fn from(&self, height: u64) -> Vec<(u64, u64)> {
        self.0
            .iter()
            .filter(|(_, last)| **last >= height)
            .map(|(first, last)| (*first, *last))
            .collect()
    }
}

/// Final blocks.
pub(crate) struct BlockStore<A> {
    archive: A,
    codec: BlockCodec,
    held: Ranges,
}

impl<A: Archive> BlockStore<A> {
    pub(crate) fn open(archive: A, codec: BlockCodec) -> Result<Self, Fatal> {
        let held = Ranges::from_list(archive.block_ranges()?);
        Ok(Self { archive, codec, held })
    }

    fn read(&self, height: u64) -> Result<Option<Arc<EngineBlock>>, Fatal> {
        let Some(bytes) = self.archive.block(height)? else {
            return Ok(None);
        };
        let block = self
            .codec
            .decode(bytes)
            .map_err(|error| Fatal(format!("stored block {height} is damaged: {error}")))?;
        Ok(Some(Arc::new(EngineBlock(Arc::new(block)))))
    }
}

fn height_of<A: Archive>(archive: &A, id: Identifier<'_, EngineDigest>) -> Result<Option<u64>, Fatal> {
    match id {
        Identifier::Index(height) => Ok(Some(height)),
        Identifier::Key(digest) => archive.height_of(&Digest::from(*digest)),
    }
}

impl<A: Archive> Blocks for BlockStore<A> {
    type Block = Arc<EngineBlock>;
    type Error = Fatal;

    async fn put(mut self, digest: EngineDigest, block: &Arc<EngineBlock>) -> Result<Self, Fatal> {
        let height = block.0.height();
        self.archive.put_block(height, &digest.into(), block.0.bytes.clone())?;
        self.held.insert(height);
        Ok(self)
    }

    async fn sync(self) -> Result<Self, Fatal> {
        self.archive.sync().await?;
        Ok(self)
    }

    async fn get(&self, id: Identifier<'_, EngineDigest>) -> Result<Option<Arc<EngineBlock>>, Fatal> {
        match height_of(&self.archive, id)? {
            Some(height) => self.read(height),
            None => Ok(None),
        }
    }

    /// The node prunes its archive by its own rules.
    async fn prune(self, _: Height) -> Result<Self, Fatal> {
        Ok(self)
    }

    fn missing_items(&self, start: Height, max: usize) -> Vec<Height> {
        self.held
            .missing(start.get(), max)
            .into_iter()
            .map(Height::new)
            .collect()
    }

    fn next_gap(&self, value: Height) -> (Option<Height>, Option<Height>) {
        let (end, next) = self.held.next_gap(value.get());
        (end.map(Height::new), next.map(Height::new))
    }

    fn last_index(&self) -> Option<Height> {
        self.held.last().map(Height::new)
    }
}

/// Finality proofs.
pub(crate) struct ProofStore<A> {
    archive: A,
    schemes: Schemes,
    held: Ranges,
}

impl<A: Archive> ProofStore<A> {
    pub(crate) fn open(archive: A, schemes: Schemes) -> Result<Self, Fatal> {
        let held = Ranges::from_list(archive.proof_ranges()?);
        Ok(Self { archive, schemes, held })
    }
}

/// Decodes a stored proof; the size of its bitmap is that of its epoch's set.
pub(crate) fn decode_proof(schemes: &Schemes, bytes: &bytes::Bytes) -> Option<FinalityProof> {
    let message: proto::FinalityProof =
        yulian_types::decode_canonical(bytes, yulian_types::limits::FINALITY_PROOF_BYTES_MAX).ok()?;
    FinalityProof::decode(bytes, schemes.scheme(message.epoch)?.size()).ok()
}

impl<A: Archive> Certificates for ProofStore<A> {
    type BlockDigest = EngineDigest;
    type Commitment = EngineDigest;
    type Scheme = Sm2Scheme;
    type Error = Fatal;

    async fn put(
        mut self,
        height: Height,
        digest: EngineDigest,
        finalization: &Finalization<Sm2Scheme, EngineDigest>,
    ) -> Result<Self, Fatal> {
        let proof = to_proof(finalization).ok_or_else(|| Fatal("a verified certificate has no signatures".into()))?;
        self.archive.put_proof(height.get(), &digest.into(), proof.encode())?;
        self.held.insert(height.get());
        Ok(self)
    }

    async fn sync(self) -> Result<Self, Fatal> {
        self.archive.sync().await?;
        Ok(self)
    }

    async fn get(
        &self,
        id: Identifier<'_, EngineDigest>,
    ) -> Result<Option<Finalization<Sm2Scheme, EngineDigest>>, Fatal> {
        let Some(height) = height_of(&self.archive, id)? else {
            return Ok(None);
        };
        let Some(bytes) = self.archive.proof(height)? else {
            return Ok(None);
        };
        decode_proof(&self.schemes, &bytes)
            .and_then(|proof| from_proof(&proof))
            .map(Some)
            .ok_or_else(|| Fatal(format!("the stored finality proof of height {height} is damaged")))
    }

    async fn has(&self, height: Height) -> Result<bool, Fatal> {
        Ok(self.held.containing(height.get()).is_some())
    }

    async fn prune(self, _: Height) -> Result<Self, Fatal> {
        Ok(self)
    }

    fn last_index(&self) -> Option<Height> {
        self.held.last().map(Height::new)
    }

    fn ranges_from(&self, from: Height) -> impl Iterator<Item = (Height, Height)> {
        self.held
            .from(from.get())
            .into_iter()
            .map(|(first, last)| (Height::new(first), Height::new(last)))
    }
}

#[cfg(test)]
mod tests {
    use super::Ranges;

    fn ranges(heights: &[u64]) -> Ranges {
        let mut ranges = Ranges::default();
        heights.iter().for_each(|h| ranges.insert(*h));
        ranges
    }

    #[test]
    fn neighbours_become_one_range() {
        let held = ranges(&[1, 3, 2, 7, 5, 6, 2]);
        assert_eq!(held.from(0), vec![(1, 3), (5, 7)]);
        assert_eq!(held.from(3), vec![(1, 3), (5, 7)]);
        assert_eq!(held.from(4), vec![(5, 7)]);
        assert_eq!(held.last(), Some(7));
    }

    #[test]
    fn gaps_are_between_ranges_only() {
        let held = ranges(&[1, 2, 5, 9]);
        assert_eq!(held.next_gap(0), (None, Some(1)));
        assert_eq!(held.next_gap(1), (Some(2), Some(5)));
        assert_eq!(held.next_gap(3), (None, Some(5)));
        assert_eq!(held.next_gap(9), (Some(9), None));
        assert_eq!(held.next_gap(10), (None, None));
        assert_eq!(held.missing(0, 10), vec![0, 3, 4, 6, 7, 8]);
        assert_eq!(held.missing(2, 3), vec![3, 4, 6]);
        assert_eq!(held.missing(9, 3), Vec::<u64>::new());
        assert_eq!(Ranges::default().missing(1, 3), Vec::<u64>::new());
    }
}
