//! Reads of what is final and durable.

use super::{
    Deposit, Ledger, LedgerError, SetMark, evidence,
    keys::{self, Table},
};
use bytes::Bytes;
use prost::Message;
use std::ops::{Bound, Range};
use yulian_store::{INDEX, Kv, RECEIPT, TX};
use yulian_types::{Digest, decode_header, proto, proto::ReceiptList};

/// Most headers from a height to the finality proof that covers it.
pub const COVER_HEADERS_MAX: usize = 1_024;

/// That a height is final: the headers from it up to a block with a proof of its own, and that proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    /// Headers, ascending; the first is that of the height, the last that of the proof.
    pub headers: Vec<Bytes>,
    /// The proof of the last header.
    pub proof: Bytes,
}

impl<K: Kv> Ledger<K> {
    /// Header bytes of a final height.
    pub fn header(&self, height: u64) -> Result<Option<Bytes>, LedgerError> {
        if height > self.tip().height {
            return Ok(None);
        }
        Ok(self.0.kv.get(INDEX, &keys::header(height))?)
    }

    /// Bytes of a final block; `None` beyond the tip, and where the body was pruned.
    pub fn final_block(&self, height: u64) -> Result<Option<Bytes>, LedgerError> {
        if height > self.tip().height {
            return Ok(None);
        }
        self.any_block(height)
    }

    /// Height of a final block.
    pub fn height_of_final(&self, digest: &Digest) -> Result<Option<u64>, LedgerError> {
        let height = self.any_height_of(digest)?;
        Ok(height.filter(|height| *height <= self.tip().height))
    }

    /// Receipts of a final block, in order; `None` beyond the tip, and where they were pruned.
    pub fn receipts(&self, height: u64) -> Result<Option<Vec<Bytes>>, LedgerError> {
        if height > self.tip().height || self.is_pruned(height) {
            return Ok(None);
        }
        let Some(value) = self.0.kv.get(RECEIPT, &keys::height(height))? else {
            return Ok(Some(Vec::new()));
        };
        let list = ReceiptList::decode(value);
        let list = list.map_err(|_| LedgerError::damaged(format_args!("the receipts of height {height}")))?;
        Ok(Some(list.receipts))
    }

    /// Where a final transaction stands: height and index.
    pub fn position(&self, id: &Digest) -> Result<Option<(u64, u32)>, LedgerError> {
        let value = self.0.kv.get(TX, &id.0)?;
        let damaged = || LedgerError::damaged(format_args!("the place of transaction {id}"));
        let position = value
            .map(|value| keys::parse_position(&value).ok_or_else(damaged))
            .transpose()?;
        // The batch is visible a moment before it is known to be durable.
        Ok(position.filter(|(height, _)| *height <= self.tip().height))
    }

    /// The proof of exactly this height.
    pub fn own_proof(&self, height: u64) -> Result<Option<Bytes>, LedgerError> {
        self.any_proof(height)
    }

    /// The proof that covers a height: its own or that of the nearest descendant. `None` if none is held yet within
    /// [`COVER_HEADERS_MAX`].
    pub fn cover(&self, height: u64) -> Result<Option<Cover>, LedgerError> {
        let last = self.tip().height.min(height + COVER_HEADERS_MAX as u64 - 1);
        let at = self.buffer().next_proof(height, last);
        let Some(at) = at else {
            return Ok(None);
        };
        let missing = |what: &str, at| LedgerError::damaged(format_args!("the {what} of height {at} is missing"));
        let headers = (height..=at).map(|at| self.header(at)?.ok_or_else(|| missing("header", at)));
        Ok(Some(Cover {
            headers: headers.collect::<Result<_, _>>()?,
            proof: self.any_proof(at)?.ok_or_else(|| missing("proof", at))?,
        }))
    }

    /// The highest final height with a proof of its own; 0 if there is none.
    pub fn last_proven(&self) -> u64 {
        let tip = self.tip().height;
        self.buffer().last_proof(tip).unwrap_or(0)
    }

    /// Whether the body of a height was pruned.
    pub fn is_pruned(&self, height: u64) -> bool {
        height > 0 && height < self.pruned_below() && !self.buffer().holds_block(height)
    }

    /// The set in force at a height.
    pub fn set_at(&self, height: u64) -> SetMark {
        let known = self.known();
        let after = known.sets.partition_point(|mark| mark.first_height <= height);
        known.sets[after.saturating_sub(1)]
    }

    /// The first final height whose block time is `time_ms` or later; the tip's successor if there is none.
    pub fn first_at_or_after(&self, time_ms: u64) -> Result<u64, LedgerError> {
        first_height(0..self.tip().height + 1, |height| {
            let missing = || LedgerError::damaged(format_args!("the header of height {height}"));
            Ok(self.header_message(height)?.ok_or_else(missing)?.time_ms >= time_ms)
        })
    }

    /// Organisations that ever deposited evidence, sorted.
    pub fn depositing_organisations(&self) -> Vec<String> {
        self.known().depositing.iter().cloned().collect()
    }

    /// Organisations that were ever registered, sorted.
    pub fn organisations(&self) -> Vec<String> {
        self.known().organisations.iter().cloned().collect()
    }

    /// Accounts of an organisation after one, in ascending order of id, at most `limit`.
    pub fn accounts_of(
        &self,
        organisation: &str,
        after: Option<&Digest>,
        limit: usize,
    ) -> Result<Vec<Digest>, LedgerError> {
        let prefix = keys::accounts(organisation);
        let end = keys::prefix_end(&prefix);
        let from = after.map(|after| keys::account(organisation, &after.0));
        let from = from.as_deref().map_or(Bound::Included(&prefix[..]), Bound::Excluded);
        let items = self.0.kv.range(INDEX, from, Bound::Excluded(&end), limit, false)?;
        let damaged = || LedgerError::damaged(format_args!("the accounts of {organisation}"));
        let id = |key: &[u8]| Digest::from_slice(key.get(prefix.len()..)?);
        items.into_iter().map(|(key, _)| id(&key).ok_or_else(damaged)).collect()
    }

    /// Deposits of an account, newest first, from the one before (height, index) on; at most about `limit`, whole blocks
    /// of them, so that the caller cuts.
    pub fn deposits_of(
        &self,
        account: &Digest,
        before: Option<(u64, u32)>,
        limit: usize,
    ) -> Result<Vec<Deposit>, LedgerError> {
        let first = keys::depositor(account, 0);
        let top = before.map_or(u64::MAX, |(height, _)| height);
        let last = keys::depositor(account, top.min(self.tip().height));
        let items = self
            .0
            .kv
            .range(INDEX, Bound::Included(&first), Bound::Included(&last), limit, true)?;
        let earlier = |deposit: &Deposit| before.is_none_or(|before| (deposit.height, deposit.index) < before);
        let mut out = Vec::new();
        for (key, value) in items {
            let mut deposits = parse(&key, &value)?;
            deposits.reverse();
            out.extend(deposits.into_iter().filter(earlier));
            if out.len() >= limit {
                break;
            }
        }
        out.truncate(limit);
        Ok(out)
    }

    /// Deposits from (height, index) on to the end of `last_height`, oldest first, at most `limit`.
    pub fn deposits_between(
        &self,
        from: (u64, u32),
        last_height: u64,
        limit: usize,
    ) -> Result<Vec<Deposit>, LedgerError> {
        let key = |height: u64| keys::index(Table::EvidenceByHeight, &[&keys::height(height)]);
        let (first, last) = (key(from.0), key(last_height.min(self.tip().height)));
        if first > last {
            return Ok(Vec::new());
        }
        let items = self
            .0
            .kv
            .range(INDEX, Bound::Included(&first), Bound::Included(&last), limit, false)?;
        let mut out = Vec::new();
        for (key, value) in items {
            let deposits = parse(&key, &value)?;
            out.extend(
                deposits
                    .into_iter()
                    .filter(|deposit| (deposit.height, deposit.index) >= from),
            );
            if out.len() >= limit {
                break;
            }
        }
        out.truncate(limit);
        Ok(out)
    }

    /// The genesis message's header and every later one are kept; this reads one as a message.
    pub fn header_message(&self, height: u64) -> Result<Option<proto::BlockHeader>, LedgerError> {
        let bytes = self.header(height)?;
        let damaged = |_| LedgerError::damaged(format_args!("the header of height {height}"));
        bytes.map(|bytes| decode_header(&bytes).map_err(damaged)).transpose()
    }
}

/// The first of some heights that `reached` holds for, and with it for all after; their end if there is none.
pub(crate) fn first_height<E>(heights: Range<u64>, mut reached: impl FnMut(u64) -> Result<bool, E>) -> Result<u64, E> {
    let (mut low, mut high) = (heights.start, heights.end);
    while low < high {
        let middle = low + (high - low) / 2;
        if reached(middle)? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}

fn parse(key: &[u8], value: &[u8]) -> Result<Vec<Deposit>, LedgerError> {
    let height = key
        .len()
        .checked_sub(keys::HEIGHT_BYTES)
        .and_then(|at| keys::parse_height(&key[at..]));
    let deposits = height.and_then(|height| evidence::decode(height, value));
    deposits.ok_or_else(|| LedgerError::damaged("an item of the evidence look-up"))
}
