//! What must hold on every seed.

use crate::{client::Book, cluster::Node};
use std::collections::BTreeMap;
use yulian_types::{BlockLimits, Digest, SealedBlock, decode_header, receipt_root};

/// Final blocks that any node ever showed, over all phases of a simulation.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    finals: BTreeMap<u64, Digest>,
    roots: BTreeMap<u64, Digest>,
}

/// A rule that did not hold.
pub(crate) type Broken = String;

impl Seen {
    /// Compares a node's whole ledger with what was seen before.
    pub(crate) fn compare(&mut self, machine: usize, node: &Node) -> Result<u64, Broken> {
        let ledger = node.ledger();
        let tip = ledger.tip().height;
        for height in 1..=tip {
            let bytes = ledger.header(height).map_err(|e| e.to_string())?;
            let bytes = bytes.ok_or_else(|| format!("machine {machine} has no header {height} below its tip {tip}"))?;
            let header = decode_header(&bytes).map_err(|e| e.to_string())?;
            let digest = yulian_types::block_digest(&bytes);
            let first = *self.finals.entry(height).or_insert(digest);
            if first != digest {
                return Err(format!(
                    "FORK: height {height} is {first} and, on machine {machine}, {digest}"
                ));
            }
            let root = Digest::from_slice(&header.parent_state_root).unwrap_or(Digest::ZERO);
            self.roots.insert(height - 1, root);
        }
        let executed = node.watch().borrow().executed.clone();
        let root = executed.results.state_root;
        let expected = *self.roots.entry(executed.height()).or_insert(root);
        if expected != root {
            return Err(format!(
                "ROOTS: after height {} machine {machine} has {root}, others {expected}",
                executed.height()
            ));
        }
        Ok(tip)
    }
}

/// Every transaction stands at most once in the chain, and those whose result was received where they were said to be, as far
/// as the node holds blocks.
pub(crate) fn transactions(node: &Node, book: &Book) -> Result<usize, Broken> {
    let ledger = node.ledger();
    let mut found: BTreeMap<Digest, (u64, Digest, usize)> = BTreeMap::new();
    let first = ledger.pruned_below().max(1);
    for height in first..=ledger.tip().height {
        let bytes = ledger.final_block(height).map_err(|e| e.to_string())?;
        let bytes = bytes.ok_or_else(|| format!("block {height} is missing"))?;
        let block = SealedBlock::decode(bytes, &BlockLimits::default()).map_err(|e| e.to_string())?;
        for (index, transaction) in block.transactions.iter().enumerate() {
            if let Some((before, ..)) = found.insert(transaction.id, (height, block.digest, index)) {
                return Err(format!("TWICE: {} is in blocks {before} and {height}", transaction.id));
            }
        }
    }
    for (id, sent) in book {
        let Some(received) = sent.received.as_ref().filter(|received| received.height >= first) else {
            continue;
        };
        match found.get(id) {
            Some((height, digest, index)) if (*height, *digest) == (received.height, received.digest) => {
                let receipts = ledger.receipts(*height).map_err(|e| e.to_string())?.unwrap_or_default();
                if receipts.get(*index) != Some(&received.receipt) {
                    return Err(format!(
                        "RESULT: {id} was answered with another receipt than the chain's"
                    ));
                }
            }
            other => {
                return Err(format!(
                    "LOST: {id} was answered as final at {}, the chain has {other:?}",
                    received.height
                ));
            }
        }
    }
    Ok(found.len())
}

/// The receipts of every final block are those that the next header commits to.
pub(crate) fn receipts(node: &Node) -> Result<(), Broken> {
    let ledger = node.ledger();
    for height in ledger.pruned_below().max(1)..ledger.tip().height {
        let receipts = ledger.receipts(height).map_err(|e| e.to_string())?.unwrap_or_default();
        let next = ledger.header(height + 1).map_err(|e| e.to_string())?;
        let next = next.ok_or_else(|| format!("no header {}", height + 1))?;
        let next = decode_header(&next).map_err(|e| e.to_string())?;
        if next.parent_receipt_root[..] != receipt_root(&receipts).0 {
            return Err(format!(
                "RECEIPTS: those of block {height} are not what block {} commits to",
                height + 1
            ));
        }
    }
    Ok(())
}
