use super::*;
use crate::testing::{Forge, Forged, deposit, evidence_digest, finality, genesis, writer_key};
use bytes::Bytes;
use futures::executor::block_on;
use yulian_crypto::sm2::{FastVerifier, Signer};
use yulian_engine::Archive;
use yulian_exec::{Base, Registry, Speculation, path_of};
use yulian_store::{CHAIN_SPACES, LogKv, META, MemoryLog, STATE, StoreError};
use yulian_types::{SealedGenesis, StateKey, account_id};

type TestLedger = Ledger<LogKv<MemoryLog>>;

const LENGTH: u64 = 8;

fn registry() -> Registry {
    yulian_modules::registry()
}

fn verifier() -> Arc<FastVerifier> {
    Arc::new(FastVerifier::default())
}

fn open(log: &MemoryLog, genesis: &Arc<SealedGenesis>) -> Result<Opened<LogKv<MemoryLog>>, LedgerError> {
    block_on(async {
        let kv = LogKv::open(log.clone(), CHAIN_SPACES).await?;
        Ledger::open(kv, genesis.clone()).await
    })
}

fn commit(ledger: &TestLedger, forged: &Forged, with_proof: bool) {
    let proof = with_proof.then_some(&forged.proof);
    let tip = ledger.tip();
    let commit = ledger
        .begin_final(&tip, &forged.block, proof, &forged.executed)
        .unwrap();
    block_on(commit.durable()).unwrap();
}

/// A ledger with 12 blocks of deposits, only every third with a proof of its own.
fn filled(log: &MemoryLog) -> (TestLedger, Vec<Forged>) {
    let genesis = genesis("test", 4, LENGTH);
    let ledger = open(log, &genesis).unwrap().ledger;
    let blocks = Forge::new(&genesis).deposits(12, 5);
    for (at, forged) in blocks.iter().enumerate() {
        commit(&ledger, forged, at % 3 == 2);
    }
    (ledger, blocks)
}

#[test]
fn what_was_committed_is_read_again() {
    let (ledger, blocks) = filled(&MemoryLog::new());
    let tip = ledger.tip();
    assert_eq!((tip.height, tip.transactions), (12, 60));
    for forged in &blocks {
        let height = forged.block.height();
        assert_eq!(ledger.final_block(height).unwrap().unwrap(), forged.block.bytes);
        assert_eq!(ledger.header(height).unwrap().unwrap(), forged.block.header_bytes);
        assert_eq!(ledger.receipts(height).unwrap().unwrap(), forged.executed.receipts);
        assert_eq!(ledger.height_of_final(&forged.block.digest).unwrap(), Some(height));
        for (index, transaction) in forged.block.transactions.iter().enumerate() {
            assert_eq!(ledger.position(&transaction.id).unwrap(), Some((height, index as u32)));
        }
    }
    assert_eq!(ledger.final_block(0).unwrap().unwrap(), ledger.genesis_block().bytes);
    assert_eq!(ledger.final_block(13).unwrap(), None);
    assert_eq!(ledger.position(&Digest([9; 32])).unwrap(), None);
    assert_eq!(ledger.height_of_final(&Digest([9; 32])).unwrap(), None);
}

#[test]
fn state_reads_give_the_values_of_the_last_block() {
    let (ledger, blocks) = filled(&MemoryLog::new());
    for write in blocks.iter().flat_map(|forged| &forged.executed.writes) {
        assert_eq!(ledger.value(&write.path()).unwrap(), write.value);
    }
    let absent = StateKey::evidence(&Digest([1; 32]), "zz-data");
    assert_eq!(ledger.value(&path_of(&absent)).unwrap(), None);
}

#[test]
fn a_proof_covers_the_heights_below_it() {
    let (ledger, blocks) = filled(&MemoryLog::new());
    let cover = ledger.cover(4).unwrap().unwrap();
    let headers: Vec<Bytes> = blocks[3..6]
        .iter()
        .map(|forged| forged.block.header_bytes.clone())
        .collect();
    assert_eq!(cover.headers, headers);
    assert_eq!(cover.proof, blocks[5].proof.encode());
    assert_eq!(ledger.cover(6).unwrap().unwrap().headers.len(), 1);
    assert_eq!(ledger.cover(0).unwrap().unwrap().headers.len(), 4);
    assert_eq!(ledger.cover(13).unwrap(), None);
    assert_eq!(ledger.last_proven(), 12);
}

#[test]
fn evidence_is_found_by_depositor_and_by_time() {
    let (ledger, _) = filled(&MemoryLog::new());
    let account = account_id(&writer_key(1).public_key());
    let all = ledger.deposits_of(&account, None, 100).unwrap();
    let expected: Vec<Digest> = (0..60).rev().filter(|n| n % 3 == 1).map(evidence_digest).collect();
    assert_eq!(all.iter().map(|deposit| deposit.digest).collect::<Vec<_>>(), expected);
    assert!(all.iter().all(|deposit| deposit.organisation == "zz-data"));
    // Page by page it is the same.
    let mut paged: Vec<Deposit> = Vec::new();
    loop {
        let before = paged.last().map(|last| (last.height, last.index));
        let page = ledger.deposits_of(&account, before, 3).unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 3);
        paged.extend(page);
    }
    assert_eq!(paged, all);
    let block_3 = ledger.deposits_between((3, 0), 3, 100).unwrap();
    assert_eq!(
        block_3.iter().map(|d| d.digest).collect::<Vec<_>>(),
        (10..15).map(evidence_digest).collect::<Vec<_>>()
    );
    assert_eq!(ledger.deposits_between((3, 3), 4, 3).unwrap().len(), 3);
    assert_eq!(ledger.deposits_between((5, 0), 4, 3).unwrap(), []);
    assert_eq!(ledger.depositing_organisations(), ["zz-data"]);
    assert_eq!(ledger.organisations(), ["zz-data"]);
    let time_of = |height: u64| ledger.header_message(height).unwrap().unwrap().time_ms;
    assert_eq!(ledger.first_at_or_after(time_of(5)).unwrap(), 5);
    assert_eq!(ledger.first_at_or_after(time_of(5) + 1).unwrap(), 6);
    assert_eq!(ledger.first_at_or_after(0).unwrap(), 0);
    assert_eq!(ledger.first_at_or_after(u64::MAX).unwrap(), 13);
}

#[test]
fn a_ledger_opens_again_where_it_stood_and_execution_goes_on() {
    let log = MemoryLog::new();
    let (ledger, blocks) = filled(&log);
    let genesis = ledger.genesis().clone();
    drop(ledger);
    let opened = open(&log, &genesis).unwrap();
    assert_eq!(opened.ledger.tip().height, 12);
    assert_eq!(opened.anchor.tree.root(), blocks[11].executed.results.state_root);
    assert_eq!(opened.anchor.recent.len(), 13);
    for id in blocks.iter().flat_map(|forged| &forged.executed.ids) {
        assert!(
            opened.anchor.window.contains(id),
            "a transaction of the last minutes can be replayed"
        );
    }
    let mut forge = Forge::new(&genesis);
    let mut all = forge.deposits(12, 5);
    all.push(forge.next(1_000, vec![deposit(&genesis, 0, 900)]));
    let ledger = opened.ledger;
    let mut speculation = Speculation::resume(&genesis, registry(), verifier(), ledger.clone(), opened.anchor).unwrap();
    let executed = speculation.execute(&all[12].block).unwrap();
    assert_eq!(executed.results, all[12].executed.results);
    commit(&ledger, &all[12], true);
    assert_eq!(ledger.tip().state_root, all[12].executed.results.state_root);
}

#[test]
fn a_crash_leaves_a_ledger_that_ends_with_a_block() {
    for seed in 0..20 {
        let log = MemoryLog::new();
        let genesis = genesis("test", 4, LENGTH);
        let ledger = open(&log, &genesis).unwrap().ledger;
        let blocks = Forge::new(&genesis).deposits(6, 4);
        for forged in &blocks[..4] {
            commit(&ledger, forged, true);
        }
        // One more reaches the disk in part.
        log.fail_after(seed % 3);
        let tip = ledger.tip();
        let last = ledger
            .begin_final(&tip, &blocks[4].block, None, &blocks[4].executed)
            .unwrap();
        let written = block_on(last.durable()).is_ok();
        log.crash(seed);
        let again = open(&log, &genesis).unwrap();
        let height = again.ledger.tip().height;
        assert!(height == 4 || height == 5, "seed {seed}");
        assert!(!written || height == 5, "seed {seed}");
        for forged in &blocks[height as usize..] {
            commit(&again.ledger, forged, true);
        }
        assert_eq!(again.ledger.tip().height, 6);
        let report = replay(&again.ledger, registry(), verifier(), ReplayOptions::default(), |_| ()).unwrap();
        assert_eq!(report.transactions, 24);
    }
}

#[test]
fn blocks_come_in_order_only() {
    let (ledger, blocks) = filled(&MemoryLog::new());
    let tip = ledger.tip();
    let refused = ledger
        .begin_final(&tip, &blocks[11].block, None, &blocks[11].executed)
        .unwrap_err();
    assert!(matches!(refused, LedgerError::NotNext { found: 12, last: 12 }));
}

#[test]
fn another_genesis_a_newer_format_and_a_changed_value_are_refused() {
    let log = MemoryLog::new();
    let (ledger, _) = filled(&log);
    let own = ledger.genesis().clone();
    let refused = open(&log, &genesis("other", 4, LENGTH)).unwrap_err();
    assert!(matches!(refused, LedgerError::OtherGenesis { found, .. } if found == own.chain_id));

    let key = path_of(&StateKey::evidence(&evidence_digest(3), "zz-data"));
    let mut value = ledger.store().get(STATE, key.as_bytes()).unwrap().unwrap().to_vec();
    *value.last_mut().unwrap() ^= 1;
    let mut batch = yulian_store::Batch::new();
    batch.put(STATE, key.as_bytes(), value);
    block_on(ledger.store().commit(batch)).unwrap();
    let refused = open(&log, &own).unwrap_err();
    assert!(
        matches!(refused, LedgerError::StateRoot { height: 12, .. }),
        "{refused}"
    );

    let mut batch = yulian_store::Batch::new();
    batch.put(META, b"format", 2u32.to_be_bytes().to_vec());
    block_on(ledger.store().commit(batch)).unwrap();
    let refused = open(&log, &own).unwrap_err();
    assert!(matches!(refused, LedgerError::NewerFormat { found: 2, known: 1 }));
}

#[test]
fn the_engines_puts_are_seen_at_once_and_survive_a_sync() {
    let log = MemoryLog::new();
    let genesis = genesis("test", 4, LENGTH);
    let ledger = open(&log, &genesis).unwrap().ledger;
    let blocks = Forge::new(&genesis).deposits(5, 1);
    let put = |ledger: &TestLedger, at: usize| {
        let Forged { block, proof, .. } = &blocks[at];
        ledger
            .put_block(block.height(), &block.digest, block.bytes.clone())
            .unwrap();
        ledger.put_proof(block.height(), &block.digest, proof.encode()).unwrap();
    };
    for at in [0, 1, 4] {
        put(&ledger, at);
    }
    assert_eq!(ledger.block(5).unwrap().unwrap(), blocks[4].block.bytes);
    assert_eq!(Archive::height_of(&ledger, &blocks[4].block.digest).unwrap(), Some(5));
    assert_eq!(Archive::proof(&ledger, 2).unwrap().unwrap(), blocks[1].proof.encode());
    assert_eq!(ledger.block(3).unwrap(), None);
    // A height that is held stays what it is.
    ledger
        .put_block(5, &blocks[3].block.digest, blocks[3].block.bytes.clone())
        .unwrap();
    assert_eq!(ledger.block(5).unwrap().unwrap(), blocks[4].block.bytes);
    block_on(ledger.sync()).unwrap();
    put(&ledger, 2);
    log.crash(7);
    let ledger = open(&log, &genesis).unwrap().ledger;
    assert_eq!(ledger.block_ranges().unwrap(), [(1, 2), (5, 5)]);
    assert_eq!(ledger.proof_ranges().unwrap(), [(1, 2), (5, 5)]);
    assert_eq!(ledger.block(5).unwrap().unwrap(), blocks[4].block.bytes);
    // Nothing of it is final before it has been executed.
    assert_eq!(ledger.tip().height, 0);
    assert_eq!(ledger.final_block(1).unwrap(), None);
    assert_eq!(ledger.height_of_final(&blocks[0].block.digest).unwrap(), None);
    // What waits to be synced goes with the next final block.
    put(&ledger, 2);
    commit(&ledger, &blocks[0], false);
    log.crash(8);
    let ledger = open(&log, &genesis).unwrap().ledger;
    assert_eq!(ledger.block_ranges().unwrap(), [(1, 3), (5, 5)]);
    assert_eq!(ledger.tip().height, 1);
}

#[test]
fn a_replay_finds_every_root_and_a_backup_restores_the_chain() {
    let (ledger, blocks) = filled(&MemoryLog::new());
    let mut heights = Vec::new();
    let report = replay(&ledger, registry(), verifier(), ReplayOptions::default(), |h| {
        heights.push(h)
    })
    .unwrap();
    assert_eq!(heights, (1..=12).collect::<Vec<_>>());
    assert_eq!((report.transactions, report.signatures, report.proofs), (60, 60, 4));
    assert_eq!(report.state_root, blocks[11].executed.results.state_root);

    let mut backup = Vec::new();
    let written = export(&ledger, &mut backup, |_| ()).unwrap();
    assert_eq!((written.height, written.bytes), (12, backup.len() as u64));
    let restored = restore(&backup, Some(ledger.chain_id())).unwrap();
    assert_eq!(restored.tip(), ledger.tip());
    let mut again = Vec::new();
    export(&restored, &mut again, |_| ()).unwrap();
    assert!(again == backup, "a restored chain gives the same backup");
}

fn restore(backup: &[u8], expected: Option<Digest>) -> Result<TestLedger, TransferError> {
    block_on(async {
        let kv = LogKv::open(MemoryLog::new(), CHAIN_SPACES)
            .await
            .map_err(LedgerError::from)?;
        let mut input = backup;
        import(kv, &mut input, expected, registry(), verifier(), |_| ())
            .await
            .map(|(ledger, _)| ledger)
    })
}

#[test]
fn a_changed_backup_is_refused() {
    let genesis = genesis("test", 4, LENGTH);
    let ledger = open(&MemoryLog::new(), &genesis).unwrap().ledger;
    for forged in Forge::new(&genesis).deposits(3, 1) {
        commit(&ledger, &forged, true);
    }
    let mut backup = Vec::new();
    export(&ledger, &mut backup, |_| ()).unwrap();
    restore(&backup, None).unwrap();
    let other = Digest([1; 32]);
    assert!(
        matches!(restore(&backup, Some(other)), Err(TransferError::OtherChain { expected, .. }) if expected == other)
    );
    for at in (0..backup.len()).step_by(7) {
        let mut changed = backup.clone();
        changed[at] ^= 0x10;
        let expected = Some(ledger.chain_id());
        assert!(restore(&changed, expected).is_err(), "byte {at}");
    }
    for end in (0..backup.len()).step_by(101) {
        assert!(restore(&backup[..end], None).is_err(), "cut at {end}");
    }
    let longer = [&backup[..], &[0]].concat();
    assert!(matches!(restore(&longer, None), Err(TransferError::Damaged(_))));
}

#[test]
fn a_proof_by_too_few_is_found_by_the_replay() {
    let genesis = genesis("test", 4, LENGTH);
    let ledger = open(&MemoryLog::new(), &genesis).unwrap().ledger;
    let mut forged = Forge::new(&genesis).deposits(1, 1).remove(0);
    let mut proof = finality(&genesis, &genesis.validators, &forged.block);
    proof.signers.pop();
    proof.signatures.pop();
    forged.proof = proof;
    commit(&ledger, &forged, true);
    let found = replay(&ledger, registry(), verifier(), ReplayOptions::default(), |_| ()).unwrap_err();
    assert!(matches!(found, ReplayError::Finality { height: 1, .. }), "{found}");
}

#[test]
fn pruning_removes_old_bodies_but_neither_headers_nor_boundaries_nor_the_window() {
    let log = MemoryLog::new();
    let genesis = genesis("test", 4, LENGTH);
    let ledger = open(&log, &genesis).unwrap().ledger;
    let mut forge = Forge::new(&genesis);
    let total = RETAIN_BLOCKS_MIN + 300;
    for height in 1..=total {
        let transactions = match height {
            1..=50 => vec![deposit(&genesis, 0, height as u32)],
            _ => vec![],
        };
        commit(&ledger, &forge.next(1_000, transactions), height % 2 == 0);
    }
    while block_on(ledger.prune(0)).unwrap() {}
    assert_eq!(ledger.pruned_below(), 300);
    assert!(!block_on(ledger.prune(0)).unwrap());
    for height in 1..300 {
        let boundary = height % LENGTH == LENGTH - 1;
        assert_eq!(
            ledger.final_block(height).unwrap().is_some(),
            boundary,
            "height {height}"
        );
        assert_eq!(ledger.is_pruned(height), !boundary);
        assert!(ledger.header(height).unwrap().is_some());
        assert!(ledger.cover(height).unwrap().is_some());
    }
    assert!(ledger.final_block(300).unwrap().is_some());
    assert!(matches!(
        replay(&ledger, registry(), verifier(), ReplayOptions::default(), |_| ()),
        Err(ReplayError::Pruned(300))
    ));
    let again = open(&log, &genesis).unwrap();
    assert_eq!(again.ledger.pruned_below(), 300);
    assert_eq!(again.ledger.tip().height, total);
    // With W = 10 min and a block a second, nothing of the last 600 heights goes however little is to be retained:
    // here the least retention is longer, so the window itself is complete in any case.
    assert_eq!(again.anchor.recent.len(), 256);
}

#[test]
fn a_window_that_is_longer_than_the_least_retention_is_found_again_after_pruning() {
    let log = MemoryLog::new();
    let genesis = genesis("test", 4, LENGTH);
    let ledger = open(&log, &genesis).unwrap().ledger;
    let mut forge = Forge::new(&genesis);
    // Two blocks a second: the ten minutes of the window are 1,200 blocks.
    for height in 1..=1_500u64 {
        let transactions = match height {
            280..=320 => vec![deposit(&genesis, 0, height as u32)],
            _ => vec![],
        };
        commit(&ledger, &forge.next(500, transactions), true);
    }
    while block_on(ledger.prune(0)).unwrap() {}
    assert_eq!(ledger.pruned_below(), 300);
    let window = open(&log, &genesis).unwrap().anchor.window;
    for height in 280..=320u64 {
        let known = window.contains(&deposit(&genesis, 0, height as u32).id);
        assert_eq!(known, height >= 300, "height {height}");
    }
}

#[test]
fn a_full_disk_stops_the_ledger_with_a_clear_error() {
    let log = MemoryLog::new();
    let genesis = genesis("test", 4, LENGTH);
    let ledger = open(&log, &genesis).unwrap().ledger;
    let blocks = Forge::new(&genesis).deposits(2, 1);
    log.fail_after(0);
    let tip = ledger.tip();
    let failed = ledger
        .begin_final(&tip, &blocks[0].block, None, &blocks[0].executed)
        .unwrap();
    let error = block_on(failed.durable()).unwrap_err();
    assert!(matches!(error, LedgerError::Store(StoreError::DiskFull)), "{error}");
    assert_eq!(ledger.tip().height, 0);
}
