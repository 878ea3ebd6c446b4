//! What a method sees while it runs.

use crate::{
    Failure, StateError, codes,
    limits::{EVENT_BYTES_MAX, EVENTS_MAX, RECENT_DIGESTS, cost},
    senders::Sender,
    view::TransactionView,
};
use bytes::Bytes;
use prost::Message;
use std::sync::Arc;
use yulian_crypto::{
    Digest,
    sm2::{PublicKey, Signature, Verifier},
};
use yulian_types::{StateKey, ValidatorSet, decode_canonical, encode, limits::ARGUMENTS_BYTES_MAX, proto};

/// The block in which a method runs.
#[derive(Debug, Clone)]
pub struct BlockContext {
    /// Genesis digest of the chain.
    pub chain_id: Digest,
    /// Height of the block.
    pub height: u64,
    /// Block time, ms since 1970-01-01 UTC: the only time there is.
    pub time_ms: u64,
    /// Epoch of the block.
    pub epoch: u64,
    /// Protocol version in force.
    pub protocol_version: u32,
    /// Validators in force.
    pub validators: Arc<ValidatorSet>,
    /// The set against which changes executed in this block are counted: the one in force, or in the last block of an
    /// epoch the one already fixed for the next.
    pub reference: Arc<ValidatorSet>,
    /// Digests of the last ancestors, oldest first, the parent last.
    pub(crate) recent: Vec<Digest>,
}

impl BlockContext {
    /// Digest of the ancestor at a height; `None` beyond the last [`RECENT_DIGESTS`].
    pub fn ancestor(&self, height: u64) -> Option<&Digest> {
        debug_assert!(self.recent.len() <= RECENT_DIGESTS);
        let back = usize::try_from(self.height.checked_sub(height)?).ok()?;
        if back == 0 {
            return None;
        }
        self.recent.get(self.recent.len().checked_sub(back)?)
    }
}

/// One call of a method: state, block, sender, and what the method leaves behind.
pub struct Call<'a> {
    pub(crate) view: TransactionView<'a>,
    pub(crate) block: &'a BlockContext,
    pub(crate) sender: &'a Sender,
    pub(crate) transaction_id: Digest,
    pub(crate) module: &'a str,
    pub(crate) verifier: &'a dyn Verifier,
    pub(crate) events: Vec<proto::Event>,
    pub(crate) event_bytes: usize,
}

impl Call<'_> {
    /// The block in which the method runs.
    pub fn block(&self) -> &BlockContext {
        self.block
    }

    /// The sender's account as it was when the call began.
    pub fn sender(&self) -> &proto::Account {
        &self.sender.account
    }

    /// The sender's organisation as it was when the call began.
    pub fn organisation(&self) -> &proto::Organisation {
        &self.sender.organisation
    }

    /// Id of the transaction.
    pub fn transaction_id(&self) -> Digest {
        self.transaction_id
    }

    /// Decodes the arguments; anything but the canonical bytes of the message fails.
    pub fn decode<M: Message + Default>(&self, arguments: &Bytes) -> Result<M, Failure> {
        decode_canonical(arguments, ARGUMENTS_BYTES_MAX)
            .map_err(|error| Failure::new(&codes::BAD_ARGUMENTS, error.to_string()))
    }

    /// The value of a key, or `None`.
    pub fn get(&mut self, key: &StateKey) -> Result<Option<Bytes>, Failure> {
        self.view.get(key)
    }

    /// Writes a key.
    pub fn put(&mut self, key: &StateKey, value: Bytes) -> Result<(), Failure> {
        self.view.set(key, Some(value))
    }

    /// Removes a key.
    pub fn delete(&mut self, key: &StateKey) -> Result<(), Failure> {
        self.view.set(key, None)
    }

    /// The record of a key, or `None`; `table` names it where it cannot be decoded.
    pub fn record<M: Message + Default>(&mut self, key: &StateKey, table: &'static str) -> Result<Option<M>, Failure> {
        let Some(bytes) = self.get(key)? else { return Ok(None) };
        M::decode(bytes)
            .map(Some)
            .map_err(|error| self.broken(table, error.to_string()))
    }

    /// Writes a record.
    pub fn put_record<M: Message>(&mut self, key: &StateKey, record: &M) -> Result<(), Failure> {
        self.put(key, encode(record))
    }

    /// The state holds what no program of this chain writes. Whatever the method answers, the block is not executed.
    pub fn broken(&mut self, table: &'static str, reason: impl Into<String>) -> Failure {
        self.view.breaks(StateError::Record {
            table,
            reason: reason.into(),
        })
    }

    /// Whether `signature` is one of `key` over `message`. Charged, also where the bytes are no signature.
    pub fn verify(&mut self, key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<bool, Failure> {
        self.view.charge(cost::SIGNATURE)?;
        let parsed = Signature::from_bytes(signature);
        Ok(parsed.is_ok_and(|signature| self.verifier.verify(key, message, &signature)))
    }

    /// What checks signatures, for code that verifies whole messages. Whoever uses it charges for each signature.
    pub fn verifier(&self) -> &dyn Verifier {
        self.verifier
    }

    /// Charges for work that no other call charges for.
    pub fn charge(&mut self, units: u64) -> Result<(), Failure> {
        self.view.charge(units)
    }

    /// Does a part of the work that may fail by itself: what it wrote and emitted is then undone and the method goes on. What it
    /// used of the metering limit stays used; past that limit the whole transaction fails all the same.
    pub fn attempt<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<T, Failure> {
        let mark = self.view.mark();
        let (events, event_bytes) = (self.events.len(), self.event_bytes);
        let result = part(self);
        if result.is_ok() {
            self.view.release();
        } else {
            self.view.back_to(mark);
            self.events.truncate(events);
            self.event_bytes = event_bytes;
        }
        result
    }

    /// Leaves an event in the receipt.
    pub fn emit(&mut self, name: &'static str, data: Bytes) -> Result<(), Failure> {
        self.view.charge(cost::EVENT)?;
        self.view.charge_bytes(data.len(), cost::RECEIPT_BYTE)?;
        self.event_bytes = self.event_bytes.saturating_add(data.len());
        if self.events.len() == EVENTS_MAX || self.event_bytes > EVENT_BYTES_MAX {
            let detail = format!("at most {EVENTS_MAX} events of {EVENT_BYTES_MAX} bytes");
            self.view.fail(&codes::RECEIPT_TOO_LARGE, detail)?;
        }
        self.events.push(proto::Event {
            module: self.module.into(),
            name: name.into(),
            data,
        });
        Ok(())
    }
}
