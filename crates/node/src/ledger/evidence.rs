//! Node-local look-ups of evidence: what was deposited in a block, and by whom. The records themselves are state.
//!
//! An index item lists the deposits of one block (or of one depositor in one block); each entry is
//! index of the transaction (4) ‖ digest (32) ‖ length of the organisation id (1) ‖ organisation id.

use super::{
    keys::{self, Table},
    state::Part,
};
use bytes::Bytes;
use prost::Message;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use yulian_exec::Executed;
use yulian_store::{Batch, INDEX};
use yulian_types::{
    Digest,
    proto::EvidenceRecord,
    state_keys::{EVIDENCE_ID, TABLE_RECORD},
};

/// A deposit, as the look-ups name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deposit {
    /// Height of the block.
    pub height: u64,
    /// Place of the transaction in the block.
    pub index: u32,
    /// What was deposited.
    pub digest: Digest,
    /// Organisation whose record it is.
    pub organisation: String,
}

/// The deposits of a block with their depositors, in the order of the transactions.
fn deposits(executed: &Executed) -> Vec<(Digest, Deposit)> {
    let records: Vec<EvidenceRecord> = executed
        .writes
        .iter()
        .filter(|write| write.module_id == EVIDENCE_ID && write.key.first() == Some(&TABLE_RECORD))
        // What execution wrote is canonical.
        .filter_map(|write| EvidenceRecord::decode(write.value.clone()?).ok())
        // A record that was only superseded or revoked here stands since an earlier block.
        .filter(|record: &EvidenceRecord| record.height == executed.height())
        .collect();
    if records.is_empty() {
        return Vec::new();
    }
    let places: HashMap<&Digest, usize> = executed.ids.iter().enumerate().map(|(at, id)| (id, at)).collect();
    let mut found: Vec<_> = records
        .into_iter()
        .filter_map(|record| {
            let index = *places.get(&Digest::from_slice(&record.transaction_id)?)? as u32;
            let deposit = Deposit {
                height: record.height,
                index,
                digest: Digest::from_slice(&record.digest)?,
                organisation: record.organisation,
            };
            Some((Digest::from_slice(&record.depositor)?, deposit))
        })
        .collect();
    found.sort_by_key(|(_, deposit)| deposit.index);
    found
}

fn encode<'a>(deposits: impl Iterator<Item = &'a Deposit>) -> Vec<u8> {
    let mut out = Vec::new();
    for deposit in deposits {
        let name = deposit.organisation.as_bytes();
        let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
        out.extend_from_slice(&deposit.index.to_be_bytes());
        out.extend_from_slice(&deposit.digest.0);
        out.push(length);
        out.extend_from_slice(&name[..usize::from(length)]);
    }
    out
}

/// Reads an index item.
pub(super) fn decode(height: u64, mut bytes: &[u8]) -> Option<Vec<Deposit>> {
    let mut out = Vec::new();
    while !bytes.is_empty() {
        let (index, rest) = bytes.split_first_chunk()?;
        let (digest, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first()?;
        let (name, rest) = rest.split_at_checked(usize::from(*length))?;
        out.push(Deposit {
            height,
            index: u32::from_be_bytes(*index),
            digest: Digest(*digest),
            organisation: std::str::from_utf8(name).ok()?.into(),
        });
        bytes = rest;
    }
    Some(out)
}

/// Adds the index items of a block: one for the block, one for each depositor in it, one for an organisation that
/// never deposited before.
pub(super) fn index(batch: &mut Batch, executed: &Executed, known: &mut BTreeSet<String>) {
    let deposits = deposits(executed);
    if deposits.is_empty() {
        return;
    }
    let height = executed.height();
    let key = keys::index(Table::EvidenceByHeight, &[&keys::height(height)]);
    batch.put(INDEX, &key, encode(deposits.iter().map(|(_, deposit)| deposit)));
    let mut by_depositor: BTreeMap<&Digest, Vec<&Deposit>> = BTreeMap::new();
    for (depositor, deposit) in &deposits {
        by_depositor.entry(depositor).or_default().push(deposit);
        note_organisation(batch, &deposit.organisation, known);
    }
    for (depositor, list) in by_depositor {
        batch.put(INDEX, &keys::depositor(depositor, height), encode(list.into_iter()));
    }
}

fn note_organisation(batch: &mut Batch, organisation: &str, known: &mut BTreeSet<String>) {
    if known.insert(organisation.into()) {
        let key = keys::index(Table::DepositingOrganisation, &[organisation.as_bytes()]);
        batch.put(INDEX, &key, Bytes::new());
    }
}

/// Notes the organisation of an evidence record of the state.
pub(super) fn index_organisation(batch: &mut Batch, part: &Part, known: &mut BTreeSet<String>) {
    // The key is table ‖ digest ‖ organisation.
    const BEFORE_ORGANISATION: usize = 1 + 32;
    if part.module_id == EVIDENCE_ID
        && part.key.first() == Some(&TABLE_RECORD)
        && let Some(name) = part.key.get(BEFORE_ORGANISATION..)
        && let Ok(name) = std::str::from_utf8(name)
        && !known.contains(name)
    {
        note_organisation(batch, name, known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_survive_and_every_cut_inside_an_entry_is_refused() {
        let deposit = |index| Deposit {
            height: 3,
            index,
            digest: Digest([index as u8; 32]),
            organisation: format!("org-{index}"),
        };
        let list = [deposit(0), deposit(300)];
        let bytes = encode(list.iter());
        assert_eq!(decode(3, &bytes).unwrap(), list);
        let first = encode(list[..1].iter()).len();
        for cut in (1..bytes.len()).filter(|cut| *cut != first) {
            assert_eq!(decode(3, &bytes[..cut]), None);
        }
    }
}
