//! A node whose state tree may take little memory finds, proves and refuses what any other does.

use super::*;
use crate::{ledger::import_within, testing::Forged};
use yulian_exec::{Speculation, SpeculationError, StateError};
use yulian_state::{Prefix, Tree};
use yulian_store::{Batch, Kv, STATE};

const KEYS: u16 = 9_000;
const LOADED: u16 = 3;
const HEIGHTS: u16 = 41;

/// Thousands of keys first, as few have no bucket that lies in one chunk; then some at a time, removals among them.
fn chain() -> Chain {
    let pairs = |height: u16| -> Vec<(u16, u16)> {
        if height <= LOADED {
            let each = KEYS / LOADED;
            return (0..each).map(|at| ((height - 1) * each + at, height)).collect();
        }
        let pair = |at: u16| {
            let removed = (height + at).is_multiple_of(3);
            let key = (u32::from(height) * 1_231 + u32::from(at) * 577) % (u32::from(KEYS) + 500);
            (key as u16, if removed { 0 } else { height })
        };
        (0..height % 8 * 9).map(pair).collect()
    };
    Chain::of((1..=HEIGHTS).map(pairs))
}

struct Node {
    ledger: TestLedger,
    speculation: Speculation<TestLedger>,
}

fn node(chain: &Chain, log: &MemoryLog, limit: Option<usize>) -> Node {
    let opened = chain.open_within(log, limit).unwrap();
    let ledger = opened.ledger;
    let verifier = Arc::new(FastVerifier::default());
    let speculation = Speculation::resume(&chain.genesis, registry(), verifier, ledger.clone(), opened.anchor);
    Node {
        ledger,
        speculation: speculation.unwrap(),
    }
}

impl Node {
    fn execute(&mut self, forged: &Forged) -> Result<(), SpeculationError> {
        let executed = self.speculation.execute(&forged.block)?;
        assert_eq!(executed.results, forged.executed.results);
        assert_eq!(executed.receipts, forged.executed.receipts);
        assert_eq!(executed.undo, forged.executed.undo);
        Ok(())
    }

    /// Makes an executed block final; false if the disk failed.
    fn finalize(&mut self, forged: &Forged) -> bool {
        let executed = self.speculation.finalize(&forged.block.digest).unwrap().executed;
        let tip = self.ledger.tip();
        let commit = self
            .ledger
            .begin_final(&tip, &forged.block, Some(&forged.proof), &executed);
        let durable = block_on(commit.unwrap().durable()).is_ok();
        if durable && executed.height().is_multiple_of(3) {
            // Said late, so that the base runs ahead of what reads it.
            self.speculation.committed(executed.height());
        }
        durable
    }

    fn tree(&self) -> Tree {
        self.speculation.last_final().tree.clone()
    }

    /// What it proves, from the last states and from the records, against the trees that were never short of memory.
    fn check(&self, chain: &Chain, height: u64) {
        let tree = self.tree();
        for past in (0..=height).rev().step_by(3) {
            let then = chain.tree(past);
            for key in (0..KEYS + 500).filter(|key| (u64::from(*key) + past).is_multiple_of(1_499)) {
                let expected = value(&chain.models[past as usize], key);
                if let Some(state) = self.speculation.final_state(past) {
                    let found = state.prove(&state_key(&key.to_be_bytes())).unwrap();
                    assert_eq!(found, (expected.clone(), then.prove(&path(key))), "key {key} at {past}");
                }
                let found = self.ledger.prove_past((height, &tree), past, &path(key)).unwrap();
                assert_eq!(found.proof, then.prove(&path(key)), "key {key} at {past}");
                assert_eq!(found.value_hash, expected.as_deref().map(value_hash));
            }
        }
        let pinned = self.ledger.pin().unwrap();
        let mut prefix = Prefix::ALL;
        while prefix.bits() < 20 {
            let part = pinned.fill(&tree, &prefix).unwrap().prove_part(&prefix);
            assert_eq!(part, chain.tree(height).prove_part(&prefix));
            prefix = prefix.halves().unwrap()[usize::from(prefix.bits() % 3 == 1)];
        }
    }
}

/// Blocks are executed two ahead of the last final one; at every tenth the power fails in the middle of its commit.
fn run(chain: &Chain, limit: Option<usize>) -> (Node, MemoryLog) {
    let log = MemoryLog::new();
    let mut node = node(chain, &log, limit);
    let mut height = 0;
    while height < u64::from(HEIGHTS) {
        for ahead in chain.blocks.iter().skip(height as usize).take(3) {
            node.execute(ahead).unwrap();
        }
        let fails = height % 10 == 9 && node.speculation.pending() == 3;
        if fails {
            log.fail_after(height / 10 % 2);
        }
        if node.finalize(&chain.blocks[height as usize]) {
            height += 1;
        } else {
            drop(node);
            log.crash(height);
            node = self::node(chain, &log, limit);
            let reached = node.ledger.tip().height;
            assert!(reached == height || reached == height + 1);
            height = reached;
            // Once the failure is behind it, it goes on.
            for ahead in chain.blocks.iter().skip(height as usize).take(1) {
                node.execute(ahead).unwrap();
                assert!(node.finalize(ahead));
                height += 1;
            }
        }
        if let Some(limit) = limit.filter(|_| height > u64::from(LOADED)) {
            assert!(node.tree().bytes() <= limit.max(96_000), "{}", node.tree().bytes());
        }
        if height.is_multiple_of(8) {
            node.check(chain, height);
        }
    }
    (node, log)
}

#[test]
fn any_limit_gives_the_same_results_and_proofs_through_crashes() {
    let chain = chain();
    let (whole, _) = run(&chain, None);
    for limit in [0, 400_000] {
        let (node, log) = run(&chain, Some(limit));
        assert!(node.tree().cold() > usize::from(KEYS) / 2);
        assert_eq!(node.tree().root(), whole.tree().root());
        node.check(&chain, u64::from(HEIGHTS));
        let items = |ledger: &TestLedger| [STATE, UNDO].map(|space| items(ledger.store(), space));
        assert_eq!(items(&node.ledger), items(&whole.ledger));
        drop(node);
        // Opened again without a limit, and with one.
        assert_eq!(self::node(&chain, &log, None).tree().cold(), 0);
        self::node(&chain, &log, Some(limit)).check(&chain, u64::from(HEIGHTS));
    }
}

#[test]
fn a_chain_is_restored_within_a_limit() {
    let chain = chain();
    let (whole, _) = run(&chain, None);
    let mut backup = Vec::new();
    export(&whole.ledger, &mut backup, |_| ()).unwrap();
    let restored = block_on(async {
        let kv = LogKv::open(MemoryLog::new(), CHAIN_SPACES).await.unwrap();
        let verifier = Arc::new(FastVerifier::default());
        import_within(kv, &mut &backup[..], None, registry(), verifier, Some(0), |_| ()).await
    });
    let (restored, report) = restored.unwrap();
    assert_eq!(report.state_root, whole.tree().root());
    assert_eq!(items(restored.store(), STATE), items(whole.ledger.store(), STATE));
    assert_eq!(items(restored.store(), UNDO), items(whole.ledger.store(), UNDO));
}

/// A record changes on the disk below a bucket that is not in memory, while the node runs.
#[test]
fn a_damaged_record_stops_execution_and_proofs_and_never_gives_a_wrong_root() {
    let chain = chain();
    let log = MemoryLog::new();
    let mut node = node(&chain, &log, Some(0));
    let (last, before) = chain.blocks.split_last().unwrap();
    for forged in before {
        node.execute(forged).unwrap();
        assert!(node.finalize(forged));
    }
    let (written, _) = last.executed.changes.first().expect("a block that writes");
    let tree = node.tree();
    let prefix = tree.missing([written])[0];
    let neighbour = items(node.ledger.store(), STATE).into_iter();
    let mut under = neighbour.filter(|(key, _)| prefix.holds(&yulian_state::Path::from_slice(key).unwrap()));
    let (key, record) = under.next_back().unwrap();
    let mut damaged = record.to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    let mut batch = Batch::new();
    batch.put(STATE, &key, damaged);
    block_on(node.ledger.store().commit(batch)).unwrap();

    let refused = SpeculationError::State(StateError::StaleUnder(prefix));
    assert_eq!(node.execute(last), Err(refused));
    let height = node.ledger.tip().height;
    for past in [height, height - 20] {
        let refused = node.ledger.prove_past((height, &tree), past, written).unwrap_err();
        assert!(
            matches!(refused, PastError::Ledger(LedgerError::Damaged(_))),
            "{refused}"
        );
    }
    assert!(node.ledger.pin().unwrap().fill(&tree, &prefix).is_err());
    for limit in [None, Some(0)] {
        let refused = chain.open_within(&log, limit).map(|_| ()).unwrap_err();
        assert!(matches!(refused, LedgerError::StateRoot { .. }), "{refused}");
    }
}
