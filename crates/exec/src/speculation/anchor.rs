//! What a chain is resumed from.

use super::SpeculationError;
use crate::{Base, Executed, ReplayWindow, Snapshot, execute::Rules, execute::read_set, limits::RECENT_DIGESTS};
use std::sync::Arc;
use yulian_crypto::Digest;
use yulian_state::{Tree, history::Undo};
use yulian_types::{ParentResults, empty_root, proto};

/// The last final block and what later blocks ask of the past. The base holds exactly the state after this block.
#[derive(Debug, Clone)]
pub struct Anchor {
    /// Header of the block.
    pub header: proto::BlockHeader,
    /// Digest of the block.
    pub digest: Digest,
    /// Root over its receipts.
    pub receipt_root: Digest,
    /// Root over its write set.
    pub write_set_root: Digest,
    /// The state after it.
    pub tree: Tree,
    /// Ids of the blocks of the last W up to and including it.
    pub window: ReplayWindow,
    /// Digests of the last blocks, oldest first, this one last: [`RECENT_DIGESTS`] of them, or all from genesis on.
    pub recent: Vec<Digest>,
}

impl Anchor {
    /// The start of a new chain.
    pub fn genesis(genesis: &Executed) -> Self {
        Self {
            header: genesis.header.clone(),
            digest: genesis.digest,
            receipt_root: genesis.results.receipt_root,
            write_set_root: genesis.results.write_set_root,
            tree: genesis.tree.clone(),
            window: ReplayWindow::new(),
            recent: vec![genesis.digest],
        }
    }

    pub(super) fn check(&self, chain_id: &Digest) -> Result<(), SpeculationError> {
        let refuse = |reason: String| Err(SpeculationError::Anchor(reason));
        if self.header.chain_id[..] != chain_id.0 {
            return refuse("the last header belongs to another chain".into());
        }
        let expected = (self.header.height.saturating_add(1)).min(RECENT_DIGESTS as u64) as usize;
        if self.recent.len() != expected || self.recent.last() != Some(&self.digest) {
            return refuse(format!(
                "{} recent digests that must be {expected}, the last block's last",
                self.recent.len()
            ));
        }
        Ok(())
    }

    /// The last final block as if it had just been executed.
    pub(super) fn executed<B: Base>(&self, base: &B) -> Result<Executed, SpeculationError> {
        let mut state = Snapshot::new(base.clone(), self.tree.clone(), vec![], vec![]);
        let rules = Rules::read(&mut state)?;
        let mut set = |field: &[u8]| -> Result<_, SpeculationError> {
            let digest = Digest::from_slice(field);
            let digest = digest.ok_or_else(|| SpeculationError::Anchor("a malformed header".into()))?;
            Ok(Arc::new(read_set(&mut state, &digest)?))
        };
        let (validators, announced) = (set(&self.header.validators)?, set(&self.header.next_validators)?);
        let results = ParentResults {
            state_root: self.tree.root(),
            receipt_root: self.receipt_root,
            write_set_root: self.write_set_root,
            message_root: empty_root(),
            next_validators: rules.decided.digest(),
        };
        Ok(Executed {
            digest: self.digest,
            header: self.header.clone(),
            parent: Digest::from_slice(&self.header.parent).unwrap_or(Digest::ZERO),
            ids: vec![],
            receipts: vec![],
            writes: vec![],
            changes: vec![],
            tree: self.tree.clone(),
            results,
            parameters: rules.parameters,
            validators,
            validators_since: self.header.validators_since,
            announced,
            decided: rules.decided,
            protocol: rules.protocol,
            nodes_changed: false,
            links_changed: false,
            previous: vec![],
            undo: Undo::default(),
            sorted_ids: vec![],
        })
    }
}
