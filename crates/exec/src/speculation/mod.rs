//! The stack of unfinalised blocks over the committed state.
//!
//! A child is proposed before its parent is final, so blocks are executed speculatively: each executed block holds its
//! own writes, tree version and receipts, and dropping it costs nothing. What a block yields depends on its ancestors
//! alone, never on which other blocks were executed or dropped.

mod anchor;
mod check;
mod error;
mod history;

pub use self::{
    anchor::Anchor,
    check::{RoundFacts, Selection},
    error::{BlockFault, SpeculationError},
};

use crate::{
    Base, BlockContext, Executed, Failure, Registry, ReplayWindow, Snapshot, Trace,
    epoch::Place,
    execute::Executor,
    genesis::modules_of,
    hashing::DigestMap,
    limits::{PENDING_BLOCKS_MAX, RECENT_DIGESTS, UNCOMMITTED_BLOCKS_MAX},
    protocol::known_version_at,
    senders::Senders,
    transaction::Frame,
};
use history::History;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};
use yulian_crypto::{Digest, sm2::Verifier};
use yulian_state::workers::{OneThread, Workers};
use yulian_types::{SealedBlock, SealedGenesis, SealedTransaction, proto};

/// An executed block with what is kept for its children.
struct Entry {
    executed: Arc<Executed>,
    /// Senders of the state after it.
    senders: Senders,
    /// Order of execution: a parent's is below its children's.
    sequence: u64,
}

/// A block that has become final.
#[derive(Debug, Clone)]
pub struct Final {
    /// All that it yielded: receipts, writes, tree.
    pub executed: Arc<Executed>,
    /// Executed blocks that were dropped, because they do not descend from it.
    pub dropped: Vec<Digest>,
}

/// Executes, judges and finalises the blocks of one chain. Lives inside one task.
pub struct Speculation<B> {
    base: B,
    registry: Registry,
    verifier: Arc<dyn Verifier>,
    workers: Arc<dyn Workers>,
    chain_id: Digest,
    epoch_length: u64,
    /// The last final block and all executed descendants of it.
    entries: DigestMap<Entry>,
    /// Their digests in the order of execution.
    order: BTreeMap<u64, Digest>,
    next_sequence: u64,
    last_final: Arc<Executed>,
    window: ReplayWindow,
    history: History,
}

impl<B: Base> Speculation<B> {
    /// Resumes a chain from its last final block; `base` holds exactly the state after it. For a new chain, commit the
    /// writes of [`crate::bootstrap`] and use [`Anchor::genesis`]. Of the registry, the chain has the modules that its genesis
    /// lists.
    pub fn resume(
        genesis: &SealedGenesis,
        registry: Registry,
        verifier: Arc<dyn Verifier>,
        base: B,
        anchor: Anchor,
    ) -> Result<Self, SpeculationError> {
        anchor.check(&genesis.chain_id)?;
        let registry = modules_of(&registry, &genesis.message)?;
        let last_final = Arc::new(anchor.executed(&base)?);
        let entry = Entry {
            executed: last_final.clone(),
            senders: Senders::default(),
            sequence: 0,
        };
        let mut entries = DigestMap::default();
        entries.insert(anchor.digest, entry);
        Ok(Self {
            base,
            registry,
            verifier,
            workers: Arc::new(OneThread),
            chain_id: genesis.chain_id,
            epoch_length: genesis.message.epoch_length,
            entries,
            order: BTreeMap::from([(0, anchor.digest)]),
            next_sequence: 1,
            window: anchor.window,
            history: History::new(last_final.clone(), anchor.recent),
            last_final,
        })
    }

    /// Executes on these threads. Results are the same on any; without, there is the caller's alone.
    pub fn with_workers(mut self, workers: Arc<dyn Workers>) -> Self {
        self.workers = workers;
        self
    }

    /// The last final block.
    pub fn last_final(&self) -> &Arc<Executed> {
        &self.last_final
    }

    /// An executed block: the last final one or a descendant.
    pub fn executed(&self, digest: &Digest) -> Option<&Arc<Executed>> {
        self.entries.get(digest).map(|entry| &entry.executed)
    }

    /// Number of executed blocks that are not final.
    pub fn pending(&self) -> usize {
        self.entries.len() - 1
    }

    /// The modules.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Executes a block whose parent is the last final block or an executed one. The header is checked, the validity of
    /// the transactions is not: see [`Speculation::check_block`]. A block executed already is not executed again.
    pub fn execute(&mut self, block: &SealedBlock) -> Result<Arc<Executed>, SpeculationError> {
        if let Some(entry) = self.entries.get(&block.digest) {
            return Ok(entry.executed.clone());
        }
        let parent = self.parent(&block.parent)?;
        self.check_header(&parent, &block.header)?;
        let (executed, senders) = self.compute(&parent, block)?;
        let executed = Arc::new(executed);
        self.make_room(&parent.digest);
        self.order.insert(self.next_sequence, block.digest);
        let entry = Entry {
            executed: executed.clone(),
            senders,
            sequence: self.next_sequence,
        };
        self.entries.insert(block.digest, entry);
        self.next_sequence += 1;
        Ok(executed)
    }

    fn compute(&self, parent: &Executed, block: &SealedBlock) -> Result<(Executed, Senders), SpeculationError> {
        let place = Place::after(parent, self.epoch_length);
        let context = self.context(parent, &place, block.header.time_ms)?;
        let mut executor = self.executor(parent, &context, block.transactions.len())?;
        let receipts = executor.run_all(&block.transactions, &*self.workers)?;
        Ok(executor.finish(block, place, parent, receipts, &*self.workers)?)
    }

    /// What a transaction would yield as the only one of a block on `parent`, and the keys it would touch. Neither its
    /// validity nor its signatures are judged.
    pub fn simulate(
        &self,
        parent: &Digest,
        transaction: &SealedTransaction,
        time_ms: u64,
    ) -> Result<(proto::Receipt, Trace), SpeculationError> {
        let parent = self.parent(parent)?;
        let place = Place::after(&parent, self.epoch_length);
        let context = self.context(&parent, &place, time_ms)?;
        Ok(self.executor(&parent, &context, 1)?.trace(transaction)?)
    }

    fn executor<'a>(
        &'a self,
        parent: &Executed,
        context: &'a BlockContext,
        transactions: usize,
    ) -> Result<Executor<'a, B>, SpeculationError> {
        let senders = self
            .entries
            .get(&parent.digest)
            .map(|entry| entry.senders.clone())
            .unwrap_or_default();
        let state = self.snapshot(&parent.digest)?;
        let frame = Frame {
            context,
            registry: &self.registry,
            verifier: &*self.verifier,
        };
        Ok(Executor::new(state, senders, frame, transactions))
    }

    fn context(&self, parent: &Executed, place: &Place, time_ms: u64) -> Result<BlockContext, SpeculationError> {
        Ok(BlockContext {
            chain_id: self.chain_id,
            height: place.height,
            time_ms,
            epoch: place.epoch,
            protocol_version: known_version_at(&parent.protocol, place.height)?,
            validators: place.validators.clone(),
            reference: place.reference.clone(),
            recent: self.recent(&parent.digest),
        })
    }

    /// Digests of the last [`RECENT_DIGESTS`] blocks up to `tip`, oldest first.
    fn recent(&self, tip: &Digest) -> Vec<Digest> {
        let pending: Vec<Digest> = self.path(tip).map(|executed| executed.digest).collect();
        let finals = RECENT_DIGESTS.saturating_sub(pending.len());
        let mut recent = self.history.recent(finals);
        recent.extend(pending.into_iter().take(RECENT_DIGESTS).rev());
        recent
    }

    /// The executed blocks from `tip` down to the last final block, which is not among them.
    fn path<'a>(&'a self, tip: &Digest) -> impl Iterator<Item = &'a Arc<Executed>> + use<'a, B> {
        let start = self.executed(tip);
        let not_final = move |executed: &&Arc<Executed>| executed.digest != self.last_final.digest;
        std::iter::successors(start, |executed| self.executed(&executed.parent)).take_while(not_final)
    }

    fn parent(&self, digest: &Digest) -> Result<Arc<Executed>, SpeculationError> {
        self.executed(digest)
            .cloned()
            .ok_or(SpeculationError::UnknownBlock(*digest))
    }

    /// The state after the last final block or an executed one.
    pub fn snapshot(&self, digest: &Digest) -> Result<Snapshot<B>, SpeculationError> {
        let executed = self.parent(digest)?;
        let overlays = self.path(digest).cloned().chain(self.history.uncommitted()).collect();
        Ok(Snapshot::new(
            self.base.clone(),
            executed.tree.clone(),
            overlays,
            vec![],
        ))
    }

    /// The state after one of the last final blocks: [`crate::limits::FINAL_STATES_KEPT`] of them, fewer when they changed
    /// many keys, never fewer than [`crate::limits::FINAL_STATES_KEPT_MIN`].
    pub fn final_state(&self, height: u64) -> Option<Snapshot<B>> {
        self.history.state(height, &self.base)
    }

    /// Makes a child of the last final block final. Blocks that do not descend from it are dropped. The node writes
    /// what the block yielded to the base and then says so by [`Speculation::committed`].
    pub fn finalize(&mut self, digest: &Digest) -> Result<Final, SpeculationError> {
        let executed = self.parent(digest)?;
        if executed.parent != self.last_final.digest || executed.height() != self.last_final.height() + 1 {
            return Err(SpeculationError::NotNext(*digest));
        }
        if self.history.uncommitted_len() >= UNCOMMITTED_BLOCKS_MAX {
            return Err(SpeculationError::Uncommitted(self.history.uncommitted_len()));
        }
        let dropped = self.drop_all_but_descendants(digest);
        let window_ms = executed.parameters.replay_window_ms;
        self.window.push(executed.time_ms(), &executed.ids, window_ms);
        self.history.push(executed.clone());
        self.last_final = executed.clone();
        Ok(Final { executed, dropped })
    }

    /// The base now holds the state of this height: the writes up to it need not be kept for reading.
    pub fn committed(&mut self, height: u64) {
        self.history.committed(height);
    }

    /// Forgets an executed block and its descendants. The last final block stays.
    pub fn discard(&mut self, digest: &Digest) {
        if *digest == self.last_final.digest || !self.entries.contains_key(digest) {
            return;
        }
        let doomed = self.descendants(digest);
        self.remove(&doomed);
    }

    fn drop_all_but_descendants(&mut self, digest: &Digest) -> Vec<Digest> {
        let kept = self.descendants(digest);
        let old_final = self.last_final.digest;
        let doomed: BTreeSet<Digest> = self
            .order
            .values()
            .filter(|other| !kept.contains(*other))
            .copied()
            .collect();
        self.remove(&doomed);
        doomed.into_iter().filter(|other| *other != old_final).collect()
    }

    fn remove(&mut self, doomed: &BTreeSet<Digest>) {
        for digest in doomed {
            if let Some(entry) = self.entries.remove(digest) {
                self.order.remove(&entry.sequence);
            }
        }
    }

    /// A block and all executed blocks that build on it.
    fn descendants(&self, digest: &Digest) -> BTreeSet<Digest> {
        let mut found = BTreeSet::from([*digest]);
        for other in self.order.values() {
            if self
                .executed(other)
                .is_some_and(|executed| found.contains(&executed.parent))
            {
                found.insert(*other);
            }
        }
        found
    }

    /// Forgets the oldest block that nothing builds on, if there are too many. `parent` is about to get a child.
    fn make_room(&mut self, parent: &Digest) {
        if self.pending() < PENDING_BLOCKS_MAX {
            return;
        }
        let parents: BTreeSet<Digest> = self
            .order
            .values()
            .filter_map(|digest| self.executed(digest))
            .map(|executed| executed.parent)
            .collect();
        let leaf =
            |digest: &&Digest| !parents.contains(*digest) && *digest != parent && **digest != self.last_final.digest;
        if let Some(oldest) = self.order.values().find(leaf).copied() {
            self.remove(&BTreeSet::from([oldest]));
        }
    }

    fn seen(&self, parent: &Digest, id: &Digest) -> bool {
        self.window.contains(id) || self.path(parent).any(|executed| executed.contains_id(id))
    }

    /// Judges a transaction as one of a block on `parent` with this block time, as at admission: `Err` inside `Ok` says
    /// which rule it breaks. Its signatures are not looked at: see [`crate::verify_signatures`].
    pub fn judge(
        &mut self,
        parent: &Digest,
        transaction: &SealedTransaction,
        time_ms: u64,
    ) -> Result<Result<(), Failure>, SpeculationError> {
        let mut answers = self.judge_all(parent, time_ms, std::iter::once(transaction))?;
        Ok(answers.pop().unwrap_or(Ok(())))
    }
}

impl<B> fmt::Debug for Speculation<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Speculation")
            .field("last_final", &self.last_final.height())
            .field("executed", &self.order.len())
            .finish_non_exhaustive()
    }
}
