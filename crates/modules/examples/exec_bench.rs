//! CPU of executing deposits: blocks of 1,000 over a state of 1,000,000 keys in memory.
//!
//! `cargo run --release -p yulian-modules --example exec_bench`
//! prints CPU µs per deposit of the one thread (Linux). The tree's share is measured by applying the
//! same changes again; what is left holds the check of absence in a cold tree, about as dear as all of the executor, and
//! the hashes of values, receipts and write set.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "measuring and printing is what the program is for"
)]

use bytes::Bytes;
use std::{sync::Arc, time::Duration};
use yulian_crypto::{
    Digest,
    sm2::{FastVerifier, SecretKey, Signer},
    sm3,
};
use yulian_exec::{
    Anchor, MemoryBase, RoundFacts, Speculation, bootstrap, default_charter, default_parameters, verify_signatures,
};
use yulian_state::write_set::{self, Write};
use yulian_types::{
    SealedBlock, SealedGenesis, SealedTransaction, StateKey, TransactionBuilder, ValidatorSet, account_id, encode,
    proto,
};

const KEYS: u64 = 1_000_000;
const BLOCKS: u64 = 50;
const DEPOSITS: u64 = 1_000;
const SENDERS: usize = 64;

fn secret(name: &str) -> SecretKey {
    SecretKey::from_bytes(&sm3::hash(&[name.as_bytes()]).0).expect("a digest is a key")
}

fn genesis(senders: &[SecretKey]) -> SealedGenesis {
    let clouds = ["联通", "移动", "电信", "浪潮"];
    let validator = |cloud: &str| proto::Validator {
        public_key: Bytes::copy_from_slice(secret(cloud).public_key().as_bytes()),
        name: cloud.into(),
        cloud: cloud.into(),
        organisation: "bench".into(),
    };
    let account = |(at, key): (usize, &SecretKey)| proto::Account {
        id: account_id(&key.public_key()).to_vec().into(),
        organisation: "bench".into(),
        public_key: Bytes::copy_from_slice(key.public_key().as_bytes()),
        roles: vec!["admin".into(), "writer".into()],
        label: format!("sender {at}"),
        ..Default::default()
    };
    let set = ValidatorSet::new(clouds.map(validator).to_vec()).expect("a set");
    let message = proto::Genesis {
        version: 1,
        name: "bench".into(),
        time_ms: 1_700_000_000_000,
        protocol_version: 1,
        epoch_length: 1_000_000,
        validators: Some(set.message().clone()),
        organisations: vec![proto::Organisation {
            id: "bench".into(),
            name: "bench".into(),
            member: true,
            ..Default::default()
        }],
        accounts: senders.iter().enumerate().map(account).collect(),
        charter: Some(default_charter()),
        parameters: default_parameters(),
        nodes: vec![],
        ..Default::default()
    };
    SealedGenesis::new(message).expect("a genesis")
}

fn digest(number: u64) -> Digest {
    sm3::hash(&[b"row", &number.to_be_bytes()])
}

/// Fills base and tree with evidence of another organisation.
fn fill(base: &MemoryBase, anchor: &mut Anchor) {
    let mut number = 0;
    while number < KEYS {
        let last = (number + 50_000).min(KEYS);
        let writes: Vec<Write> = (number..last).map(old_record).collect();
        anchor.tree = anchor.tree.apply(&write_set::changes(&writes));
        base.commit(&writes);
        number = last;
    }
}

fn old_record(number: u64) -> Write {
    let digest = digest(number);
    let key = StateKey::evidence(&digest, "others");
    let record = proto::EvidenceRecord {
        digest: digest.to_vec().into(),
        kind: 1,
        depositor: digest.to_vec().into(),
        organisation: "others".into(),
        description: "a row that has been there for long".into(),
        height: number,
        time_ms: 1_700_000_000_000,
        status: 1,
        transaction_id: digest.to_vec().into(),
        ..Default::default()
    };
    Write {
        module_id: key.module_id,
        key: key.key,
        value: Some(encode(&record)),
    }
}

fn deposit(chain_id: Digest, key: &SecretKey, number: u64, time_ms: u64) -> Arc<SealedTransaction> {
    let message = proto::Deposit {
        digest: digest(number).to_vec().into(),
        description: "411002 许昌市魏都区 county-level district".into(),
        source: "henan-divisions.csv".into(),
    };
    let sender = account_id(&key.public_key());
    let nonce = u128::from(number).to_be_bytes();
    let until = time_ms + 60_000;
    let builder = TransactionBuilder::new(chain_id, sender, nonce, until, "evidence", "deposit", encode(&message));
    let (bytes, _) = builder.sign(key).expect("signs");
    Arc::new(SealedTransaction::decode(bytes).expect("well formed"))
}

/// CPU time of this thread so far.
fn cpu() -> Duration {
    // A yield makes the scheduler bring its account up to date.
    std::thread::yield_now();
    let account = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds = account.split_whitespace().next().and_then(|field| field.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}

fn per_deposit(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6 / (BLOCKS * DEPOSITS) as f64
}

fn main() {
    let senders: Vec<SecretKey> = (0..SENDERS).map(|at| secret(&format!("sender {at}"))).collect();
    let genesis = genesis(&senders);
    let first = bootstrap(&genesis).expect("a state");
    let base = MemoryBase::default();
    base.commit(&first.writes);
    let mut anchor = Anchor::genesis(&first);
    fill(&base, &mut anchor);
    let verifier = Arc::new(FastVerifier::default());
    let mut chain = Speculation::resume(
        &genesis,
        yulian_modules::registry(),
        verifier.clone(),
        base.clone(),
        anchor,
    )
    .expect("resumes");
    println!("state: {} keys", chain.last_final().tree.len());
    let round = RoundFacts {
        epoch: 0,
        validators: genesis.validators.digest(),
    };
    let (mut select, mut check, mut execute, mut tree, mut verify) = <(_, _, _, _, _)>::default();
    for block in 0..BLOCKS {
        let tip = chain.last_final().clone();
        let time = tip.time_ms() + 200;
        let numbers = KEYS + block * DEPOSITS..KEYS + (block + 1) * DEPOSITS;
        let candidates: Vec<_> = numbers
            .map(|number| deposit(genesis.chain_id, &senders[number as usize % SENDERS], number, time))
            .collect();
        let timed = |spent: &mut Duration, from: Duration| *spent += cpu() - from;

        let from = cpu();
        assert!(verify_signatures(&candidates, &*verifier).into_iter().all(|ok| ok));
        timed(&mut verify, from);
        let from = cpu();
        let selection = chain.select(&tip.digest, time, candidates).expect("selects");
        timed(&mut select, from);
        assert_eq!(selection.transactions.len() as u64, DEPOSITS);
        let header = chain.header_for(&tip.digest, time, &round).expect("a header");
        let sealed = SealedBlock::build(header, selection.transactions);
        let from = cpu();
        chain.check_block(&sealed, &round).expect("valid");
        timed(&mut check, from);
        let from = cpu();
        let executed = chain.execute(&sealed).expect("executes");
        timed(&mut execute, from);
        let from = cpu();
        let again = tip.tree.apply(&executed.changes);
        timed(&mut tree, from);
        assert_eq!(again.root(), executed.results.state_root);
        assert_eq!(executed.writes.len() as u64, DEPOSITS);
        chain.finalize(&sealed.digest).expect("final");
        base.commit(&executed.writes);
        chain.committed(executed.height());
    }
    println!("blocks of {DEPOSITS}: {BLOCKS}, senders: {SENDERS}");
    println!("verify signatures       {:6.2} µs per deposit", per_deposit(verify));
    println!("select (building)       {:6.2}", per_deposit(select));
    println!("check_block (verifying) {:6.2}", per_deposit(check));
    println!("execute, all of it      {:6.2}", per_deposit(execute));
    println!("  of which the tree     {:6.2}", per_deposit(tree));
    println!(
        "  the rest              {:6.2}",
        per_deposit(execute.saturating_sub(tree))
    );
}
