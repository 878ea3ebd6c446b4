//! Executing one transaction: a receipt and writes, of which nothing is in the state yet.

use crate::{
    BlockContext, Call, Failure, Registry, StateError, codes,
    limits::{DETAIL_BYTES_MAX, OUTPUT_BYTES_MAX, cost},
    senders::Sender,
    snapshot::ReadPath,
    validity::unknown_sender,
    view::{Expected, Trace, TransactionEnd, TransactionView, TransactionWrites},
};
use bytes::Bytes;
use yulian_crypto::sm2::Verifier;
use yulian_types::{SealedTransaction, StateKey, encode, proto};

const STATUS_SUCCESS: u32 = 0;
const STATUS_FAILED: u32 = 1;

type Output = (Bytes, Vec<proto::Event>);

/// What all transactions of a block are executed with. It never changes, so that threads may share it.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) context: &'a BlockContext,
    pub(crate) registry: &'a Registry,
    pub(crate) verifier: &'a dyn Verifier,
}

/// What a transaction leads to.
pub(crate) struct Effect {
    pub(crate) receipt: proto::Receipt,
    /// Empty if it failed: a failure leaves nothing but the receipt.
    pub(crate) writes: TransactionWrites,
    pub(crate) trace: Trace,
}

impl Frame<'_> {
    /// Executes a transaction of a sender, `None` if there is no such account. The effect is a function of the values that
    /// `state` answers with, the sender, the frame and the transaction; `expected` only saves time.
    pub(crate) fn run(
        &self,
        state: &mut dyn ReadPath,
        sender: Option<&Sender>,
        transaction: &SealedTransaction,
        expected: Option<Expected>,
        trace: Option<Trace>,
    ) -> Result<Effect, StateError> {
        let end = self.attempt(state, sender, transaction, expected, trace)?;
        let mut receipt = proto::Receipt {
            transaction_id: Bytes::copy_from_slice(&transaction.id.0),
            metering: end.metering,
            ..Default::default()
        };
        let writes = match end.result {
            Ok((output, events)) => {
                receipt.status = STATUS_SUCCESS;
                (receipt.output, receipt.events) = (output, events);
                end.writes
            }
            Err(failure) => {
                receipt.status = STATUS_FAILED;
                receipt.code = failure.code.code.into();
                receipt.detail = cut(failure.detail);
                TransactionWrites::new()
            }
        };
        let trace = end.trace;
        Ok(Effect { receipt, writes, trace })
    }

    fn attempt(
        &self,
        state: &mut dyn ReadPath,
        sender: Option<&Sender>,
        transaction: &SealedTransaction,
        expected: Option<Expected>,
        trace: Option<Trace>,
    ) -> Result<TransactionEnd<Output>, StateError> {
        let payload = &transaction.payload;
        let mut view = TransactionView::new(state, &payload.declared_keys, payload.metering_limit, trace);
        view.expect(expected);
        if let Err(failure) = charge_entry(&mut view, transaction) {
            return view.finish(Err(failure));
        }
        let Some(sender) = sender else {
            return view.finish(Err(unknown_sender(transaction)));
        };
        let found = self.registry.find(&payload.module, &payload.method);
        // What an earlier transaction of this block changed counts here: a frozen account acts no more.
        let allowed = found.and_then(|(module, method)| allow(sender, transaction, method).map(|()| (module, method)));
        let (module, method) = match allowed {
            Ok(found) => found,
            Err(failure) => return view.finish(Err(failure)),
        };
        let mut call = Call {
            view,
            block: self.context,
            sender,
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

    /// The key that a transaction will most likely read first.
    pub(crate) fn expected_key(&self, sender: Option<&Sender>, transaction: &SealedTransaction) -> Option<StateKey> {
        let payload = &transaction.payload;
        let (module, method) = self.registry.find(&payload.module, &payload.method).ok()?;
        module.expected_key(method.name, &payload.arguments, &sender?.account)
    }
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
