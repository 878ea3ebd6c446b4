//! Execution of a block, one transaction after the other: the definition of its results.

use crate::{
    Base, Executed, Parameters, Snapshot, StateError,
    epoch::Place,
    limits::PARALLEL_TRANSACTIONS_MIN,
    parallel,
    senders::Senders,
    snapshot::{ReadPath, read_record},
    tables,
    transaction::{Effect, Frame, seal},
    view::{BlockView, BlockWrites, Expected, Trace, TransactionWrites},
};
use bytes::Bytes;
use std::sync::Arc;
use yulian_crypto::Digest;
use yulian_state::{WARM_PATHS_MAX, workers::Workers, write_set::Write};
use yulian_types::{
    ParentResults, SealedBlock, SealedTransaction, ValidatorSet, empty_root, proto,
    state_keys::{GOVERNANCE_ID, LINK_ID},
};

/// Executes the transactions of one block.
pub(crate) struct Executor<'a, B> {
    pub(crate) view: BlockView<B>,
    pub(crate) senders: Senders,
    pub(crate) frame: Frame<'a>,
    governed: bool,
}

impl<'a, B: Base> Executor<'a, B> {
    /// An executor on the state after the parent, with the senders known there.
    pub(crate) fn new(parent: Snapshot<B>, senders: Senders, frame: Frame<'a>, transactions: usize) -> Self {
        Self {
            view: BlockView::new(parent, transactions),
            senders,
            frame,
            governed: false,
        }
    }

    /// Executes the transactions of a block; encoded receipts. Threads are used where there are some and transactions enough.
    pub(crate) fn run_all(
        &mut self,
        transactions: &[Arc<SealedTransaction>],
        workers: &dyn Workers,
    ) -> Result<Vec<Bytes>, StateError> {
        if workers.threads() > 1 && transactions.len() >= PARALLEL_TRANSACTIONS_MIN {
            return parallel::run_all(self, transactions, workers);
        }
        let mut receipts = Vec::with_capacity(transactions.len());
        self.run_some(transactions, &mut receipts, workers)?;
        Ok(receipts)
    }

    /// Executes transactions one after the other; threads only bring what is not in memory.
    pub(crate) fn run_some(
        &mut self,
        transactions: &[Arc<SealedTransaction>],
        receipts: &mut Vec<Bytes>,
        workers: &dyn Workers,
    ) -> Result<(), StateError> {
        for some in transactions.chunks(WARM_PATHS_MAX) {
            let expected = self.prepare(some, workers);
            for (transaction, expected) in some.iter().zip(expected) {
                receipts.push(self.run_sealed(transaction, expected)?);
            }
        }
        Ok(())
    }

    /// Prepares some transactions that come next: the keys they are expected to read are hashed together, and what leads to
    /// them in the tree is brought close, from wherever it is.
    fn prepare(&mut self, transactions: &[Arc<SealedTransaction>], workers: &dyn Workers) -> Vec<Option<Expected>> {
        let mut keys = Vec::with_capacity(transactions.len());
        for transaction in transactions {
            // A state that cannot be read is for the transaction's own turn to find.
            let sender = self.senders.load(&mut self.view, &transaction.sender).ok().flatten();
            keys.push(self.frame.expected_key(sender.as_deref(), transaction));
        }
        let expected = self.view.locate(keys);
        self.view.bring(expected.iter().flatten(), workers);
        expected
    }

    /// Executes a transaction and returns its encoded receipt.
    pub(crate) fn run_sealed(
        &mut self,
        transaction: &SealedTransaction,
        expected: Option<Expected>,
    ) -> Result<Bytes, StateError> {
        Ok(seal(&self.run(transaction, expected, None)?.0))
    }

    /// Executes a transaction; its receipt, and which keys were touched.
    pub(crate) fn trace(&mut self, transaction: &SealedTransaction) -> Result<(proto::Receipt, Trace), StateError> {
        self.run(transaction, None, Some(Trace::default()))
    }

    fn run(
        &mut self,
        transaction: &SealedTransaction,
        expected: Option<Expected>,
        trace: Option<Trace>,
    ) -> Result<(proto::Receipt, Trace), StateError> {
        let sender = self.senders.load(&mut self.view, &transaction.sender)?;
        let effect = self
            .frame
            .run(&mut self.view, sender.as_deref(), transaction, expected, trace)?;
        let Effect { receipt, writes, trace } = effect;
        self.accept(writes);
        Ok((receipt, trace))
    }

    /// Takes over the writes of a transaction.
    pub(crate) fn accept(&mut self, writes: TransactionWrites) {
        writes.values().for_each(|write| self.senders.forget(write));
        self.governed |= writes.values().any(|write| write.module_id == GOVERNANCE_ID);
        self.view.accept(writes);
    }

    /// Ends the block.
    pub(crate) fn finish(
        mut self,
        block: &SealedBlock,
        place: Place,
        parent: &Executed,
        receipts: Vec<Bytes>,
        workers: &dyn Workers,
    ) -> Result<(Executed, Senders), StateError> {
        let rules = if self.governed {
            Rules::read(&mut self.view)?
        } else {
            Rules::of(parent)
        };
        let writes = self.view.finish(&receipts, workers)?;
        let executed = assemble(block, place, receipts, writes, rules);
        Ok((executed, self.senders))
    }
}

/// What the state says about the blocks to come.
pub(crate) struct Rules {
    pub(crate) parameters: Arc<Parameters>,
    pub(crate) decided: Arc<ValidatorSet>,
    pub(crate) protocol: Arc<proto::ProtocolSchedule>,
}

impl Rules {
    pub(crate) fn read(state: &mut dyn ReadPath) -> Result<Self, StateError> {
        let missing = |table| StateError::Record {
            table,
            reason: "missing".into(),
        };
        let digest = state.read_path(&crate::snapshot::path_of(&tables::decided_set()))?;
        let digest = digest
            .as_deref()
            .and_then(Digest::from_slice)
            .ok_or_else(|| missing("decided set"))?;
        let protocol: Option<proto::ProtocolSchedule> = read_record(state, &tables::protocol(), "protocol schedule")?;
        Ok(Self {
            parameters: Arc::new(Parameters::read(state)?),
            decided: Arc::new(read_set(state, &digest)?),
            protocol: Arc::new(protocol.ok_or_else(|| missing("protocol schedule"))?),
        })
    }

    fn of(executed: &Executed) -> Self {
        Self {
            parameters: executed.parameters.clone(),
            decided: executed.decided.clone(),
            protocol: executed.protocol.clone(),
        }
    }
}

/// The validator set of a digest; every set that was ever decided is in the state.
pub(crate) fn read_set(state: &mut dyn ReadPath, digest: &Digest) -> Result<ValidatorSet, StateError> {
    let broken = |reason: String| StateError::Record {
        table: "validator set",
        reason,
    };
    let message: Option<proto::ValidatorSet> = read_record(state, &tables::validator_set(digest), "validator set")?;
    let message = message.ok_or_else(|| broken(format!("{digest} is missing")))?;
    ValidatorSet::from_message(message).map_err(|error| broken(error.to_string()))
}

pub(crate) fn assemble(
    block: &SealedBlock,
    place: Place,
    receipts: Vec<Bytes>,
    block_writes: BlockWrites,
    rules: Rules,
) -> Executed {
    let BlockWrites {
        writes,
        changes,
        previous,
        undo,
        tree,
        root,
        receipt_root,
    } = block_writes;
    let ids: Vec<Digest> = block.transactions.iter().map(|transaction| transaction.id).collect();
    let mut sorted_ids = ids.clone();
    sorted_ids.sort_unstable();
    let results = ParentResults {
        state_root: tree.root(),
        receipt_root,
        write_set_root: root,
        message_root: empty_root(),
        next_validators: rules.decided.digest(),
    };
    Executed {
        digest: block.digest,
        header: block.header.clone(),
        parent: block.parent,
        ids,
        receipts,
        nodes_changed: writes.iter().any(is_node_record),
        links_changed: writes.iter().any(|write| write.module_id == LINK_ID),
        writes,
        changes,
        undo,
        tree,
        results,
        parameters: rules.parameters,
        validators: place.validators,
        validators_since: place.validators_since,
        announced: place.announced,
        decided: rules.decided,
        protocol: rules.protocol,
        previous,
        sorted_ids,
    }
}

fn is_node_record(write: &Write) -> bool {
    write.module_id == GOVERNANCE_ID && matches!(write.key.first(), Some(&(tables::TABLE_NODE | tables::TABLE_NODES)))
}
