//! A node that keeps blocks in memory and accepts every block whose validator digests are right.

use bytes::Bytes;
use futures::StreamExt;
use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};
use yulian_crypto::sm2::{PublicKey, SecretKey, Signer};
use yulian_engine::{
    Ancestors, Application, Archive, ChainConfig, ChainHandle, Fatal, FinalBlock, NodeSigner, Peer, Round, Runtime,
    SetRange, Timing,
    simulated::{SimContext, SimHost},
};
use yulian_types::{BlockLimits, Digest, NothingKnown, SealedBlock, SealedGenesis, ValidatorSet, proto};

pub(crate) const EPOCH_LENGTH: u64 = 8;

pub(crate) fn key(number: u8) -> SecretKey {
    SecretKey::from_bytes(&[number; 32]).expect("a key")
}

pub(crate) fn set(numbers: &[u8]) -> ValidatorSet {
    let validator = |number: &u8| proto::Validator {
        public_key: key(*number).public_key().as_bytes().to_vec().into(),
        name: format!("node {number}"),
        cloud: format!("cloud {number}"),
        organisation: "org".into(),
    };
    ValidatorSet::new(numbers.iter().map(validator).collect()).expect("a set")
}

pub(crate) fn genesis() -> SealedGenesis {
    SealedGenesis::new(proto::Genesis {
        version: 1,
        name: "toy".into(),
        time_ms: 1,
        protocol_version: 1,
        epoch_length: EPOCH_LENGTH,
        validators: Some(set(&[1, 2, 3, 4]).message().clone()),
        ..Default::default()
    })
    .expect("a genesis")
}

/// What survives a crash of a toy node: it counts as its disk.
#[derive(Default)]
pub(crate) struct Disk {
    pub blocks: BTreeMap<u64, Bytes>,
    pub proofs: BTreeMap<u64, Bytes>,
    pub digests: BTreeMap<Digest, u64>,
    pub delivered: BTreeMap<u64, Digest>,
    /// Headers of what was delivered, and of what a snapshot brought.
    pub headers: BTreeMap<u64, Bytes>,
    /// First height after the snapshot that the node began with.
    pub floor: Option<u64>,
    pub asked: Vec<(PublicKey, Bytes)>,
    pub received: Vec<(PublicKey, Bytes)>,
    pub faults: Vec<&'static str>,
}

#[derive(Clone)]
pub(crate) struct Toy {
    pub disk: Arc<Mutex<Disk>>,
    runtime: SimContext,
    /// From this height on, blocks name the second set as the next.
    change_at: u64,
    sets: Arc<Vec<ValidatorSet>>,
    pace: Duration,
}

impl Toy {
    pub(crate) fn new(
        disk: Arc<Mutex<Disk>>,
        runtime: SimContext,
        change_at: u64,
        sets: Arc<Vec<ValidatorSet>>,
    ) -> Self {
        Self {
            disk,
            runtime,
            change_at,
            sets,
            pace: Duration::from_millis(20),
        }
    }

    fn next_set(&self, height: u64) -> &ValidatorSet {
        &self.sets[usize::from(height >= self.change_at)]
    }

    fn header(&self, round: &Round, parent: &SealedBlock, time_ms: u64) -> proto::BlockHeader {
        let root = Bytes::from(yulian_types::empty_root().to_vec());
        let height = parent.height() + 1;
        proto::BlockHeader {
            chain_id: parent.header.chain_id.clone(),
            epoch: round.epoch,
            height,
            parent: parent.digest.to_vec().into(),
            time_ms: time_ms.max(parent.header.time_ms + 1),
            protocol_version: 1,
            parent_state_root: root.clone(),
            parent_receipt_root: root.clone(),
            parent_write_set_root: root.clone(),
            parent_message_root: root,
            validators: round.validators.digest().to_vec().into(),
            next_validators: self.next_set(height).digest().to_vec().into(),
            validators_since: round.validators_since,
            ..Default::default()
        }
    }

    fn next_height(&self) -> u64 {
        self.disk
            .lock()
            .unwrap()
            .delivered
            .keys()
            .next_back()
            .map_or(1, |height| height + 1)
    }

    /// The sets by epoch, as a ledger would know them after its last block.
    fn history(&self) -> Vec<SetRange> {
        let mut history = vec![SetRange {
            first_epoch: 0,
            first_height: 0,
            validators: Arc::new(self.sets[0].clone()),
        }];
        let disk = self.disk.lock().unwrap();
        let changed = (0..)
            .map(|e| (e + 1) * EPOCH_LENGTH - 1)
            .find(|last| *last >= self.change_at)
            .unwrap();
        if disk.delivered.contains_key(&changed) {
            let first_height = changed + 1;
            let validators = Arc::new(self.sets[1].clone());
            history.push(SetRange {
                first_epoch: first_height / EPOCH_LENGTH,
                first_height,
                validators,
            });
        }
        history
    }
}

impl Application for Toy {
    async fn propose(&self, round: Round, mut ancestors: Ancestors) -> Option<SealedBlock> {
        let parent = ancestors.next().await?;
        self.runtime.pause(self.pace).await;
        Some(SealedBlock::build(
            self.header(&round, &parent, self.runtime.now_ms()),
            vec![],
        ))
    }

    async fn verify(&self, round: Round, block: Arc<SealedBlock>, mut ancestors: Ancestors) -> bool {
        let Some(parent) = ancestors.next().await else {
            return false;
        };
        let expected = self.header(&round, &parent, block.header.time_ms);
        SealedBlock::build(expected, vec![]).digest == block.digest
    }

    async fn finalized(&self, block: FinalBlock) -> Result<(), Fatal> {
        let block = block.block;
        let mut disk = self.disk.lock().unwrap();
        disk.headers.insert(block.height(), block.header_bytes.clone());
        let before = disk.delivered.insert(block.height(), block.digest);
        assert!(
            before.is_none_or(|digest| digest == block.digest),
            "a delivered block was replaced"
        );
        Ok(())
    }

    fn validator_set(&self, digest: &Digest) -> Option<Arc<ValidatorSet>> {
        self.sets
            .iter()
            .find(|set| set.digest() == *digest)
            .cloned()
            .map(Arc::new)
    }

    fn received(&self, from: PublicKey, message: Bytes) {
        self.disk.lock().unwrap().received.push((from, message));
    }

    async fn asked(&self, from: PublicKey, request: Bytes) -> Option<Bytes> {
        let answer = Bytes::from([b"answer to ", &request[..]].concat());
        self.disk.lock().unwrap().asked.push((from, request));
        Some(answer)
    }

    fn fault(&self, _: PublicKey, kind: &'static str) {
        self.disk.lock().unwrap().faults.push(kind);
    }
}

impl Archive for Toy {
    fn put_block(&self, height: u64, digest: &Digest, bytes: Bytes) -> Result<(), Fatal> {
        let mut disk = self.disk.lock().unwrap();
        disk.blocks.entry(height).or_insert(bytes);
        disk.digests.insert(*digest, height);
        Ok(())
    }

    fn put_proof(&self, height: u64, digest: &Digest, bytes: Bytes) -> Result<(), Fatal> {
        let mut disk = self.disk.lock().unwrap();
        disk.proofs.entry(height).or_insert(bytes);
        disk.digests.insert(*digest, height);
        Ok(())
    }

    fn sync(&self) -> impl Future<Output = Result<(), Fatal>> + Send {
        std::future::ready(Ok(()))
    }

    fn block(&self, height: u64) -> Result<Option<Bytes>, Fatal> {
        Ok(self.disk.lock().unwrap().blocks.get(&height).cloned())
    }

    fn header(&self, height: u64) -> Result<Option<Bytes>, Fatal> {
        let disk = self.disk.lock().unwrap();
        let stored = || {
            let block = SealedBlock::decode(disk.blocks.get(&height)?.clone(), &limits()).unwrap();
            Some(block.header_bytes)
        };
        Ok(disk.headers.get(&height).cloned().or_else(stored))
    }

    fn height_of(&self, digest: &Digest) -> Result<Option<u64>, Fatal> {
        Ok(self.disk.lock().unwrap().digests.get(digest).copied())
    }

    fn proof(&self, height: u64) -> Result<Option<Bytes>, Fatal> {
        Ok(self.disk.lock().unwrap().proofs.get(&height).cloned())
    }

    fn block_ranges(&self) -> Result<Vec<(u64, u64)>, Fatal> {
        Ok(ranges(self.disk.lock().unwrap().blocks.keys()))
    }

    fn proof_ranges(&self) -> Result<Vec<(u64, u64)>, Fatal> {
        Ok(ranges(self.disk.lock().unwrap().proofs.keys()))
    }
}

fn ranges<'a>(heights: impl Iterator<Item = &'a u64>) -> Vec<(u64, u64)> {
    let mut out: Vec<(u64, u64)> = vec![];
    for height in heights {
        match out.last_mut() {
            Some((_, last)) if *last + 1 == *height => *last = *height,
            _ => out.push((*height, *height)),
        }
    }
    out
}

fn limits() -> BlockLimits {
    BlockLimits {
        body_bytes_max: 1 << 16,
        transactions_max: 100,
    }
}

/// What a snapshot of a node after a height brings: headers, sets, and one proof, without any block.
pub(crate) fn snapshot(of: &Disk, height: u64) -> Disk {
    let floor = height + 1;
    Disk {
        delivered: of.delivered.range(..=height).map(|(h, d)| (*h, *d)).collect(),
        headers: of.headers.range(..=height).map(|(h, b)| (*h, b.clone())).collect(),
        proofs: BTreeMap::from([(floor, of.proofs[&floor].clone())]),
        digests: BTreeMap::from([(of.delivered[&floor], floor)]),
        floor: Some(floor),
        ..Disk::default()
    }
}

/// Starts the toy chain on a host.
pub(crate) async fn start(host: &SimHost, toy: Toy, number: u8, peers: &[u8]) -> ChainHandle {
    let genesis = genesis();
    let peer = |n: &u8| Peer {
        key: key(*n).public_key(),
        address: String::new(),
    };
    let config = ChainConfig {
        chain_id: genesis.chain_id,
        genesis: Arc::new(genesis.block()),
        epoch_length: EPOCH_LENGTH,
        history: toy.history(),
        known_epoch: toy.next_height() / EPOCH_LENGTH,
        floor: toy.disk.lock().unwrap().floor,
        limits: limits(),
        known: Arc::new(NothingKnown),
        prefix: format!("n{number}"),
        timing: Timing::default(),
        peers: peers.iter().map(peer).collect(),
    };
    host.start_chain(config, toy.clone(), toy)
        .await
        .expect("the chain starts")
}

pub(crate) fn signer(number: u8) -> NodeSigner {
    NodeSigner(Arc::new(key(number)))
}
