//! Judging foreign blocks and building own ones by the same rules.

use super::{BlockFault, Entry, Speculation, SpeculationError};
use crate::{
    Base, Executed, Failure,
    epoch::Place,
    hashing::DigestSet,
    protocol::known_version_at,
    senders::Senders,
    validity::{Refusal, Terms},
};
use bytes::Bytes;
use std::sync::Arc;
use yulian_crypto::Digest;
use yulian_types::{SealedBlock, SealedTransaction, proto};

/// What consensus says about the round of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundFacts {
    /// Epoch of the round.
    pub epoch: u64,
    /// Digest of the validator set of the round.
    pub validators: Digest,
}

/// The transactions that a new block can take.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Valid and within the limits, in the order of the candidates.
    pub transactions: Vec<Arc<SealedTransaction>>,
    /// Candidates that break the validity rule on this parent at this time.
    pub refused: Vec<(Digest, Failure)>,
    /// The block is full: some candidates were not looked at.
    pub full: bool,
}

impl<B: Base> Speculation<B> {
    /// Judges a proposed block: header, limits, and the validity of each transaction but for its signatures. The
    /// parent must have been executed. Clocks are the caller's.
    pub fn check_block(&mut self, block: &SealedBlock, round: &RoundFacts) -> Result<(), SpeculationError> {
        let parent = self.parent(&block.parent)?;
        self.check_round(&parent, round)?;
        self.check_header(&parent, &block.header)?;
        check_limits(&parent, block)?;
        let transactions = block.transactions.iter().map(|transaction| &**transaction);
        let answers = self.judge_all(&parent.digest, block.header.time_ms, transactions)?;
        match answers
            .into_iter()
            .enumerate()
            .find_map(|(index, answer)| answer.err().map(|e| (index, e)))
        {
            Some((index, failure)) => Err(BlockFault::Transaction { index, failure }.into()),
            None => Ok(()),
        }
    }

    /// The header of a child of `parent`. [`SealedBlock::build`] fills in version and transaction root.
    pub fn header_for(
        &self,
        parent: &Digest,
        time_ms: u64,
        round: &RoundFacts,
    ) -> Result<proto::BlockHeader, SpeculationError> {
        let parent = self.parent(parent)?;
        self.check_round(&parent, round)?;
        check_time(&parent, time_ms)?;
        self.header_after(&parent, time_ms)
    }

    /// Takes candidates in order while they are valid and fit into a block on `parent`. The first that does not fit ends it,
    /// so that no large transaction is overtaken for ever.
    pub fn select(
        &mut self,
        parent: &Digest,
        time_ms: u64,
        candidates: impl IntoIterator<Item = Arc<SealedTransaction>>,
    ) -> Result<Selection, SpeculationError> {
        let parameters = self.parent(parent)?.parameters.clone();
        let mut room = parameters.block_bytes_max;
        let mut selection = Selection::default();
        self.with_terms(parent, time_ms, |judge| {
            for transaction in candidates {
                if let Some(failure) = judge(&transaction)? {
                    selection.refused.push((transaction.id, failure));
                    continue;
                }
                let cost = SealedBlock::body_cost(&transaction) as u64;
                if cost > room || selection.transactions.len() as u64 >= parameters.block_transactions_max {
                    selection.full = true;
                    return Ok(());
                }
                room -= cost;
                selection.transactions.push(transaction);
            }
            Ok(())
        })?;
        Ok(selection)
    }

    /// Judges transactions as those of one block: an id that repeats is refused the second time.
    pub(super) fn judge_all<'a>(
        &mut self,
        parent: &Digest,
        time_ms: u64,
        transactions: impl Iterator<Item = &'a SealedTransaction>,
    ) -> Result<Vec<Result<(), Failure>>, SpeculationError> {
        let mut answers = Vec::new();
        self.with_terms(parent, time_ms, |judge| {
            for transaction in transactions {
                answers.push(judge(transaction)?.map_or(Ok(()), Err));
            }
            Ok(())
        })?;
        Ok(answers)
    }

    /// Runs `work` with a judge of transactions for one block on `parent`. The judge answers with the broken rule, if any.
    fn with_terms(
        &mut self,
        parent: &Digest,
        time_ms: u64,
        work: impl FnOnce(&mut Judge<'_>) -> Result<(), SpeculationError>,
    ) -> Result<(), SpeculationError> {
        let executed = self.parent(parent)?;
        let mut state = self.snapshot(parent)?;
        // The senders of the parent's state are worth keeping for its next child.
        let mut senders = self.take_senders(parent);
        let mut in_block = DigestSet::default();
        let terms = Terms {
            chain_id: &self.chain_id,
            time_ms,
            parameters: &executed.parameters,
            registry: &self.registry,
        };
        let mut judge = |transaction: &SealedTransaction| {
            let seen = |id: &Digest| in_block.contains(id) || self.seen(parent, id);
            match terms.judge(transaction, seen, &mut senders, &mut state) {
                Ok(()) => {
                    in_block.insert(transaction.id);
                    Ok(None)
                }
                Err(Refusal::Invalid(failure)) => Ok(Some(failure)),
                Err(Refusal::State(error)) => Err(error.into()),
            }
        };
        let result = work(&mut judge);
        if let Some(entry) = self.entries.get_mut(parent) {
            entry.senders = senders;
        }
        result
    }

    fn take_senders(&mut self, digest: &Digest) -> Senders {
        let take = |entry: &mut Entry| std::mem::take(&mut entry.senders);
        self.entries.get_mut(digest).map(take).unwrap_or_default()
    }

    fn header_after(&self, parent: &Executed, time_ms: u64) -> Result<proto::BlockHeader, SpeculationError> {
        let place = Place::after(parent, self.epoch_length);
        let bytes = |digest: &Digest| Bytes::copy_from_slice(&digest.0);
        let results = &parent.results;
        Ok(proto::BlockHeader {
            version: parent.header.version,
            chain_id: bytes(&self.chain_id),
            epoch: place.epoch,
            height: place.height,
            parent: bytes(&parent.digest),
            time_ms,
            protocol_version: known_version_at(&parent.protocol, place.height)?,
            transaction_root: Bytes::new(),
            parent_state_root: bytes(&results.state_root),
            parent_receipt_root: bytes(&results.receipt_root),
            parent_write_set_root: bytes(&results.write_set_root),
            parent_message_root: bytes(&results.message_root),
            validators: bytes(&place.validators.digest()),
            next_validators: bytes(&results.next_validators),
            validators_since: place.validators_since,
        })
    }

    /// A header that decoded is checked against the one that we would have made.
    pub(super) fn check_header(&self, parent: &Executed, header: &proto::BlockHeader) -> Result<(), SpeculationError> {
        check_time(parent, header.time_ms)?;
        let own = self.header_after(parent, header.time_ms)?;
        let numbers = [
            ("version", u64::from(own.version), u64::from(header.version)),
            ("height", own.height, header.height),
            ("epoch", own.epoch, header.epoch),
            (
                "protocol_version",
                u64::from(own.protocol_version),
                u64::from(header.protocol_version),
            ),
            ("validators_since", own.validators_since, header.validators_since),
        ];
        for (field, expected, found) in numbers {
            if expected != found {
                return Err(fault(field, expected, found));
            }
        }
        let digests = [
            ("chain_id", &own.chain_id, &header.chain_id),
            ("parent", &own.parent, &header.parent),
            ("parent_state_root", &own.parent_state_root, &header.parent_state_root),
            (
                "parent_receipt_root",
                &own.parent_receipt_root,
                &header.parent_receipt_root,
            ),
            (
                "parent_write_set_root",
                &own.parent_write_set_root,
                &header.parent_write_set_root,
            ),
            (
                "parent_message_root",
                &own.parent_message_root,
                &header.parent_message_root,
            ),
            ("validators", &own.validators, &header.validators),
            ("next_validators", &own.next_validators, &header.next_validators),
        ];
        for (field, expected, found) in digests {
            if expected != found {
                return Err(fault(field, hex(expected), hex(found)));
            }
        }
        Ok(())
    }

    fn check_round(&self, parent: &Executed, round: &RoundFacts) -> Result<(), SpeculationError> {
        let place = Place::after(parent, self.epoch_length);
        if round.epoch != place.epoch {
            let (round, height) = (round.epoch.to_string(), place.epoch.to_string());
            return Err(BlockFault::Round {
                field: "epoch",
                round,
                height,
            }
            .into());
        }
        if round.validators != place.validators.digest() {
            let (round, height) = (round.validators.to_string(), place.validators.digest().to_string());
            return Err(BlockFault::Round {
                field: "validators",
                round,
                height,
            }
            .into());
        }
        Ok(())
    }
}

/// Answers with the rule that a transaction breaks, if any; remembers the valid ones as part of the block.
type Judge<'a> = dyn FnMut(&SealedTransaction) -> Result<Option<Failure>, SpeculationError> + 'a;

fn check_limits(parent: &Executed, block: &SealedBlock) -> Result<(), BlockFault> {
    let (found, limit) = (
        block.transactions.len() as u64,
        parent.parameters.block_transactions_max,
    );
    if found > limit {
        return Err(BlockFault::TooMany { found, limit });
    }
    let found = block
        .transactions
        .iter()
        .map(|transaction| SealedBlock::body_cost(transaction) as u64)
        .sum();
    let limit = parent.parameters.block_bytes_max;
    if found > limit {
        return Err(BlockFault::TooLong { found, limit });
    }
    Ok(())
}

fn check_time(parent: &Executed, time_ms: u64) -> Result<(), BlockFault> {
    let parent = parent.time_ms();
    if time_ms > parent {
        Ok(())
    } else {
        Err(BlockFault::Time { parent, found: time_ms })
    }
}

fn fault(field: &'static str, expected: impl ToString, found: impl ToString) -> SpeculationError {
    BlockFault::Header {
        field,
        expected: expected.to_string(),
        found: found.to_string(),
    }
    .into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
