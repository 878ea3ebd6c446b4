//! The power fails at every write of a history.

use super::*;
use yulian_crypto::{Digest, sm3};

const KEEP: u64 = 40;

/// Everything the history has on the disk.
fn digest(ledger: &TestLedger) -> Digest {
    let items = items(ledger.store(), UNDO);
    let parts: Vec<_> = items.iter().flat_map(|(key, value)| [&key[..], &value[..]]).collect();
    sm3::hash(&parts)
}

fn open(chain: &Chain, log: &MemoryLog, group_bytes: usize) -> TestLedger {
    let ledger = chain.open(log).unwrap().ledger;
    ledger.keep_history(KEEP);
    ledger.past().group_bytes = group_bytes;
    ledger
}

/// Each block's batch is begun three times: its write fails half-way, its sync fails, and it becomes durable. The power fails after each.
/// What is on the disk then is always what it is after that block, or the one before, without any crash.
fn crash_everywhere(heights: u16, group_bytes: usize) -> TestLedger {
    let chain = Chain::new(heights);
    let whole = open(&chain, &MemoryLog::new(), group_bytes);
    let log = MemoryLog::new();
    let mut ledger = open(&chain, &log, group_bytes);
    for height in 1..=u64::from(heights) {
        let before = digest(&whole);
        chain.commit(&whole, height..=height);
        let after = digest(&whole);
        let forged = &chain.blocks[height as usize - 1];
        for operations in 0..3 {
            let tip = ledger.tip();
            if tip.height == height {
                // What was not acknowledged reached the disk all the same.
                continue;
            }
            log.fail_after(operations);
            let commit = ledger.begin_final(&tip, &forged.block, None, &forged.executed);
            let durable = block_on(commit.unwrap().durable()).is_ok();
            assert_eq!(durable, operations == 2);
            drop(ledger);
            log.crash(height * 3 + operations);
            ledger = open(&chain, &log, group_bytes);
            let lost = ledger.tip().height < height;
            assert!(!(lost && durable));
            assert_eq!(digest(&ledger), if lost { before } else { after }, "{height}");
        }
    }
    let (first, last) = (ledger.history_from(), heights.into());
    check(&chain, &ledger, last, first..=last);
    ledger
}

#[test]
fn a_crash_at_any_write_leaves_the_history_as_if_there_had_been_none() {
    let ledger = crash_everywhere(195, GROUP_BYTES_MAX);
    // One group was made and removed, the second is whole.
    assert_eq!(ledger.history_from(), 127);
}

#[test]
fn a_crash_at_any_write_of_groups_that_end_early() {
    let ledger = crash_everywhere(100, 1_500);
    assert!((50..=60).contains(&ledger.history_from()), "{}", ledger.history_from());
}
