//! Serial execution of a block: the definition of its results.

use crate::{
    Base, BlockContext, Call, Executed, Failure, Parameters, Registry, Snapshot, StateError, codes,
    epoch::Place,
    limits::{DETAIL_BYTES_MAX, OUTPUT_BYTES_MAX, cost},
    senders::{Sender, Senders},
    snapshot::{ReadPath, read_record},
    tables,
    validity::unknown_sender,
    view::{BlockView, BlockWrites, Trace, TransactionEnd, TransactionView, TransactionWrites},
};
use bytes::Bytes;
use std::sync::Arc;
use yulian_crypto::{Digest, sm2::Verifier};
use yulian_state::{Path, write_set::Write};
use yulian_types::{
    ParentResults, SealedBlock, SealedTransaction, StateKey, ValidatorSet, empty_root, encode, proto, receipt_root,
    state_keys::GOVERNANCE_ID,
};

const STATUS_SUCCESS: u32 = 0;
const STATUS_FAILED: u32 = 1;

/// Executes the transactions of one block.
pub(crate) struct Executor<'a, B> {
    pub(crate) view: BlockView<B>,
    pub(crate) senders: Senders,
    pub(crate) context: &'a BlockContext,
    pub(crate) registry: &'a Registry,
    pub(crate) verifier: &'a dyn Verifier,
    governed: bool,
}

type Output = (Bytes, Vec<proto::Event>);

/// A key that a transaction is expected to read, with its path.
pub(crate) type Expected = (StateKey, Path);

impl<'a, B: Base> Executor<'a, B> {
    /// An executor on the state after the parent, with the senders known there.
    pub(crate) fn new(
        parent: Snapshot<B>,
        senders: Senders,
        context: &'a BlockContext,
        registry: &'a Registry,
        verifier: &'a dyn Verifier,
        transactions: usize,
    ) -> Self {
        Self {
            view: BlockView::new(parent, transactions),
            senders,
            context,
            registry,
            verifier,
            governed: false,
        }
    }

    /// Executes a transaction and returns its receipt. A failure leaves nothing but the receipt.
    pub(crate) fn run(
        &mut self,
        transaction: &SealedTransaction,
        expected: Option<Expected>,
    ) -> Result<proto::Receipt, StateError> {
        Ok(self.run_with(transaction, expected, None)?.0)
    }

    /// Prepares some transactions that come next: the keys they are expected to read are hashed together, and what leads to
    /// them in the tree is brought close.
    pub(crate) fn prepare(
        &mut self,
        transactions: &[Arc<SealedTransaction>],
    ) -> Result<Vec<Option<Expected>>, StateError> {
        let mut keys = Vec::with_capacity(transactions.len());
        for transaction in transactions {
            keys.push(self.expected_key(transaction)?);
        }
        let known = keys.iter().flatten().map(|key| (key.module_id, &key.key[..]));
        let paths = Path::of_many(&known.collect::<Vec<_>>());
        self.view.warm(&paths)?;
        let mut paths = paths.into_iter();
        let with_path = |key: Option<StateKey>| key.and_then(|key| Some((key, paths.next()?)));
        Ok(keys.into_iter().map(with_path).collect())
    }

    fn expected_key(&mut self, transaction: &SealedTransaction) -> Result<Option<StateKey>, StateError> {
        let Some(sender) = self.senders.load(&mut self.view, &transaction.sender)? else {
            return Ok(None);
        };
        let payload = &transaction.payload;
        let found = self.registry.find(&payload.module, &payload.method).ok();
        Ok(found.and_then(|(module, method)| module.expected_key(method.name, &payload.arguments, &sender.account)))
    }

    /// Like [`Executor::run`], and tells which keys were touched.
    pub(crate) fn trace(&mut self, transaction: &SealedTransaction) -> Result<(proto::Receipt, Trace), StateError> {
        self.run_with(transaction, None, Some(Trace::default()))
    }

    fn run_with(
        &mut self,
        transaction: &SealedTransaction,
        expected: Option<Expected>,
        trace: Option<Trace>,
    ) -> Result<(proto::Receipt, Trace), StateError> {
        let end = self.attempt(transaction, expected, trace)?;
        let mut receipt = proto::Receipt {
            transaction_id: Bytes::copy_from_slice(&transaction.id.0),
            metering: end.metering,
            ..Default::default()
        };
        match end.result {
            Ok((output, events)) => {
                self.accept(end.writes);
                receipt.status = STATUS_SUCCESS;
                (receipt.output, receipt.events) = (output, events);
            }
            Err(failure) => {
                receipt.status = STATUS_FAILED;
                receipt.code = failure.code.code.into();
                receipt.detail = cut(failure.detail);
            }
        }
        Ok((receipt, end.trace))
    }

    fn accept(&mut self, writes: TransactionWrites) {
        writes.values().for_each(|write| self.senders.forget(write));
        self.governed |= writes.values().any(|write| write.module_id == GOVERNANCE_ID);
        self.view.accept(writes);
    }

    fn attempt(
        &mut self,
        transaction: &SealedTransaction,
        expected: Option<Expected>,
        trace: Option<Trace>,
    ) -> Result<TransactionEnd<Output>, StateError> {
        let payload = &transaction.payload;
        let sender = self.senders.load(&mut self.view, &transaction.sender)?;
        let mut view = TransactionView::new(&mut self.view, &payload.declared_keys, payload.metering_limit, trace);
        view.expect(expected);
        if let Err(failure) = charge_entry(&mut view, transaction) {
            return view.finish(Err(failure));
        }
        let Some(sender) = sender else {
            return view.finish(Err(unknown_sender(transaction)));
        };
        let found = self.registry.find(&payload.module, &payload.method);
        // What an earlier transaction of this block changed counts here: a frozen account acts no more.
        let allowed = found.and_then(|(module, method)| allow(&sender, transaction, method).map(|()| (module, method)));
        let (module, method) = match allowed {
            Ok(found) => found,
            Err(failure) => return view.finish(Err(failure)),
        };
        let mut call = Call {
            view,
            block: self.context,
            sender: &sender,
            transaction_id: transaction.id,
            module: module.name(),
            verifier: self.verifier,
            events: Vec::new(),
            event_bytes: 0,
        };
        let result = module.call(&mut call, method.name, &payload.arguments);
        let result = result.and_then(|output| charge_output(&mut call.view, output));
        let Call { view, events, .. } = call;
        view.finish(result.map(|output| (output, events)))
    }

    /// Ends the block.
    pub(crate) fn finish(
        mut self,
        block: &SealedBlock,
        place: Place,
        parent: &Executed,
        receipts: Vec<Bytes>,
    ) -> Result<(Executed, Senders), StateError> {
        let rules = if self.governed {
            Rules::read(&mut self.view)?
        } else {
            Rules::of(parent)
        };
        let writes = self.view.finish()?;
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
    } = block_writes;
    let ids: Vec<Digest> = block.transactions.iter().map(|transaction| transaction.id).collect();
    let mut sorted_ids = ids.clone();
    sorted_ids.sort_unstable();
    let results = ParentResults {
        state_root: tree.root(),
        receipt_root: receipt_root(&receipts),
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

fn allow(sender: &Sender, transaction: &SealedTransaction, method: &crate::Method) -> Result<(), Failure> {
    sender.check_standing(transaction)?;
    sender.check_role(method)
}

/// What every transaction pays before anything else happens.
fn charge_entry(view: &mut TransactionView<'_>, transaction: &SealedTransaction) -> Result<(), Failure> {
    view.charge(cost::BASE)?;
    view.charge(cost::SIGNATURE.saturating_mul(transaction.signers.len() as u64))?;
    view.charge_bytes(transaction.payload.arguments.len(), cost::ARGUMENT_BYTE)
}

fn charge_output(view: &mut TransactionView<'_>, output: Bytes) -> Result<Bytes, Failure> {
    view.charge_bytes(output.len(), cost::RECEIPT_BYTE)?;
    if output.len() > OUTPUT_BYTES_MAX {
        view.fail(
            &codes::RECEIPT_TOO_LARGE,
            format!("an answer of {} bytes", output.len()),
        )?;
    }
    Ok(output)
}

/// At most [`DETAIL_BYTES_MAX`] bytes, cut between characters.
fn cut(mut text: String) -> String {
    let end = (0..=DETAIL_BYTES_MAX)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    if text.len() > end {
        text.truncate(end);
    }
    text
}

/// The canonical bytes of a receipt.
pub(crate) fn seal(receipt: &proto::Receipt) -> Bytes {
    encode(receipt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_is_cut_between_characters() {
        assert_eq!(cut("short".into()), "short");
        // 3 bytes a character: 170 of them are 510 bytes, the 171st would end at 513.
        assert_eq!(cut("字".repeat(200)), "字".repeat(170));
        assert_eq!(cut("a".repeat(DETAIL_BYTES_MAX)).len(), DETAIL_BYTES_MAX);
        assert_eq!(cut("a".repeat(DETAIL_BYTES_MAX + 1)).len(), DETAIL_BYTES_MAX);
    }
}
