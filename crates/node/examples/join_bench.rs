//! Joining by a snapshot of that many keys, without a network between: what source and joiner need of processor and disk.
//!
//! `cargo run --release -p yulian-node --example join_bench -- 1000000 FOLDER`
//! makes a ledger in the folder FOLDER/source, joins from it into FOLDER/joined, and opens that. It prints seconds (Linux) and bytes.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "measuring and printing is what the program is for"
)]

use bytes::Bytes;
use std::{
    collections::VecDeque,
    error::Error,
    future::Future,
    path::Path,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use yulian_crypto::{
    Digest,
    sm2::{PublicKey, SecretKey, Signer},
    sm3,
};
use yulian_engine::{Application, Archive, Runtime, Task};
use yulian_exec::{bootstrap, default_charter, default_parameters};
use yulian_node::{
    ChainNode, ChainOptions,
    ledger::Ledger,
    snapshot::{Joined, Members, join},
};
use yulian_state::{Tree, write_set};
use yulian_store::{Batch, FjallKv, INDEX, Kv, META, Options, STATE};
use yulian_types::{
    FinalityProof, SealedBlock, SealedGenesis, ValidatorSet, account_id, empty_root, encode, finality_message, proto,
    state_keys::{EVIDENCE_ID, TABLE_RECORD},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const HEIGHT: u64 = 1_000;
const KEYS_AT_ONCE: u64 = 20_000;

#[derive(Clone)]
struct Clock;

impl Runtime for Clock {
    fn now_ms(&self) -> u64 {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        now.map_or(0, |time| time.as_millis() as u64)
    }

    fn pause(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        tokio::time::sleep(duration)
    }

    fn start<F: Future<Output = ()> + Send + 'static>(&self, _: &'static str, future: F) -> Task {
        let task = tokio::spawn(future);
        Task::new(move || task.abort())
    }

    fn start_dedicated<F: Future<Output = ()> + Send + 'static>(&self, name: &'static str, future: F) -> Task {
        self.start(name, future)
    }

    fn random(&self, out: &mut [u8]) {
        out.fill(7);
    }
}

/// The source, which answers at once.
struct Direct {
    source: ChainNode<Clock, FjallKv>,
    key: PublicKey,
    answers: VecDeque<Bytes>,
    requests: VecDeque<Bytes>,
}

impl Members for Direct {
    fn send(&mut self, _: &PublicKey, message: Bytes) {
        self.requests.push_back(message);
    }

    async fn receive(&mut self) -> Option<(PublicKey, Bytes)> {
        while let Some(request) = self.requests.pop_front() {
            let answer = self.source.asked(self.key, request).await;
            self.answers.extend(answer);
        }
        match self.answers.pop_front() {
            Some(answer) => Some((self.key, answer)),
            None => std::future::pending().await,
        }
    }
}

fn genesis(keys: &[SecretKey]) -> Result<Arc<SealedGenesis>> {
    let validator = |(number, key): (usize, &SecretKey)| proto::Validator {
        public_key: Bytes::copy_from_slice(key.public_key().as_bytes()),
        name: format!("node-{number}"),
        cloud: format!("cloud-{number}"),
        organisation: "org".into(),
    };
    let set = ValidatorSet::new(keys.iter().enumerate().map(validator).collect())?;
    Ok(Arc::new(SealedGenesis::new(proto::Genesis {
        version: 1,
        name: "bench".into(),
        time_ms: 1_750_000_000_000,
        protocol_version: 1,
        epoch_length: 256,
        validators: Some(set.message().clone()),
        organisations: vec![proto::Organisation {
            id: "org".into(),
            name: "郑州市大数据管理局".into(),
            member: true,
            ..Default::default()
        }],
        accounts: vec![proto::Account {
            id: account_id(&keys[0].public_key()).to_vec().into(),
            organisation: "org".into(),
            public_key: Bytes::copy_from_slice(keys[0].public_key().as_bytes()),
            roles: vec!["admin".into()],
            label: "admin".into(),
            ..Default::default()
        }],
        charter: Some(default_charter()),
        parameters: default_parameters(),
        ..Default::default()
    })?))
}

/// An evidence record as a deposit leaves it.
fn record(number: u64) -> write_set::Write {
    let digest = sm3::hash(&[&number.to_be_bytes()]);
    let value = proto::EvidenceRecord {
        digest: digest.to_vec().into(),
        kind: 1,
        depositor: digest.to_vec().into(),
        organisation: "org".into(),
        description: "第一批行政区划代码".into(),
        source: "bench".into(),
        height: 1,
        time_ms: 1_750_000_000_001,
        status: 1,
        transaction_id: digest.to_vec().into(),
        ..Default::default()
    };
    write_set::Write {
        module_id: EVIDENCE_ID,
        key: [&[TABLE_RECORD][..], &digest.0, b"org"].concat().into(),
        value: Some(encode(&value)),
    }
}

/// Writes the state and gives its root.
async fn fill(kv: &FjallKv, genesis: &SealedGenesis, keys: u64) -> Result<Digest> {
    let first = bootstrap(genesis).map_err(|fault| fault.to_string())?;
    let mut tree: Tree = first.tree.clone();
    for from in (0..keys).step_by(KEYS_AT_ONCE as usize) {
        let writes: Vec<_> = (from..keys.min(from + KEYS_AT_ONCE)).map(record).collect();
        tree = tree.apply(&write_set::changes(&writes));
        let mut batch = Batch::new();
        for write in writes {
            let length = (write.key.len() as u16).to_be_bytes();
            let value = write.value.clone().unwrap_or_default();
            let record = [&write.module_id.to_be_bytes()[..], &length, &write.key, &value].concat();
            batch.put(STATE, write.path().as_bytes(), record);
        }
        kv.commit(batch).await?;
    }
    Ok(tree.root())
}

/// A ledger whose first block left all the keys, and many empty ones after it.
async fn make(kv: &FjallKv, genesis: &Arc<SealedGenesis>, signers: &[SecretKey], keys: u64) -> Result<()> {
    let ledger = Ledger::open(kv.clone(), genesis.clone()).await?.ledger;
    let root = fill(kv, genesis, keys).await?;
    let set = Bytes::from(genesis.validators.digest().to_vec());
    let empty = Bytes::from(empty_root().to_vec());
    let mut parent = genesis.block();
    let mut batch = Batch::new();
    for height in 1..=HEIGHT {
        let header = proto::BlockHeader {
            chain_id: genesis.chain_id.to_vec().into(),
            epoch: height / 256,
            height,
            parent: parent.digest.to_vec().into(),
            time_ms: parent.header.time_ms + 1_000,
            protocol_version: 1,
            parent_state_root: root.to_vec().into(),
            parent_receipt_root: empty.clone(),
            parent_write_set_root: empty.clone(),
            parent_message_root: empty.clone(),
            validators: set.clone(),
            next_validators: set.clone(),
            ..Default::default()
        };
        let block = SealedBlock::build(header, vec![]);
        let (epoch, digest) = (block.header.epoch, block.digest);
        let message = finality_message(&genesis.chain_id, epoch, height, height - 1, &digest);
        let proof = FinalityProof {
            epoch,
            view: height,
            parent_view: height - 1,
            digest,
            signatures: signers
                .iter()
                .map(|key| key.sign(&message))
                .collect::<std::result::Result<_, _>>()?,
            signers: (0..signers.len() as u32).collect(),
            set_size: signers.len() as u32,
        };
        ledger.put_block(height, &digest, block.bytes.clone())?;
        ledger.put_proof(height, &digest, proof.encode())?;
        batch.put(
            INDEX,
            &[&[1][..], &height.to_be_bytes()].concat(),
            block.header_bytes.clone(),
        );
        parent = block;
    }
    ledger.sync().await?;
    let tip = [
        &HEIGHT.to_be_bytes()[..],
        &parent.digest.0,
        &parent.header.time_ms.to_be_bytes(),
        &root.0,
        &empty,
        &empty,
        &keys.to_be_bytes(),
    ];
    batch.put(META, b"tip", tip.concat());
    Ok(kv.commit(batch).await?)
}

async fn run(keys: u64, folder: &Path) -> Result<()> {
    let mut signers: Vec<SecretKey> = (1..=4)
        .map(|number| SecretKey::from_bytes(&[number; 32]))
        .collect::<std::result::Result<_, _>>()?;
    // Signatures stand in the order of the set.
    signers.sort_by_key(|key| *key.public_key().as_bytes());
    let genesis = genesis(&signers)?;
    let there = FjallKv::open(&folder.join("source"), Options::default())?;
    make(&there, &genesis, &signers, keys).await?;
    println!("source: {keys} keys, {} MiB on disk", there.disk_bytes()? >> 20);
    let signer: Arc<dyn Signer> = Arc::new(signers.swap_remove(0));
    let source = ChainNode::open(Clock, there, genesis.clone(), signer.clone(), ChainOptions::default()).await?;
    let here = FjallKv::open(&folder.join("joined"), Options::default())?;
    let members = Direct {
        source,
        key: signer.public_key(),
        answers: VecDeque::new(),
        requests: VecDeque::new(),
    };
    let began = Instant::now();
    let joined = join(&Clock, &here, &genesis, members, vec![signer.public_key()]).await?;
    let brought = began.elapsed().as_secs_f64();
    let Joined::Snapshot { bytes, .. } = joined else {
        return Err("no snapshot".into());
    };
    println!(
        "brought in: {brought:.1} s, {} MiB received, {} MiB on disk",
        bytes >> 20,
        here.disk_bytes()? >> 20
    );
    let began = Instant::now();
    let node = ChainNode::open(Clock, here, genesis, signer, ChainOptions::default()).await?;
    println!(
        "opened: {:.1} s, at height {}",
        began.elapsed().as_secs_f64(),
        node.ledger().tip().height
    );
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let keys = arguments.next().ok_or("how many keys?")?.parse()?;
    let folder = arguments.next().ok_or("in which folder?")?;
    run(keys, Path::new(&folder)).await
}
