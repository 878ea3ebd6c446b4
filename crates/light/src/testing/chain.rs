//! Blocks, state and finality proofs.

use super::genesis::{genesis, validator};
use crate::history::SetChange;
use bytes::Bytes;
use std::{collections::BTreeMap, sync::Arc};
use yulian_crypto::{
    Digest,
    sm2::{SecretKey, Signer},
    sm3,
};
use yulian_state::{
    Change, Tree,
    write_set::{self, Write},
};
use yulian_types::{
    FinalityProof, SealedBlock, SealedGenesis, SealedTransaction, StateKey, TransactionBuilder, ValidatorSet,
    account_id, encode, finality_message, proto, receipt_root, state_keys as keys,
};

/// Time between two blocks, ms.
const BLOCK_MS: u64 = 500;
/// How long transactions of the tests are valid: for ever.
const VALID_UNTIL_MS: u64 = u64::MAX;

/// The test key of a number: validators from 0, accounts from 100.
pub fn secret(number: u32) -> SecretKey {
    let bytes = sm3::hash(&[b"yulian test key", &number.to_be_bytes()]);
    SecretKey::from_bytes(&bytes.0).expect("key")
}

/// A block with its results.
#[derive(Clone)]
pub struct TestBlock {
    /// The block.
    pub sealed: SealedBlock,
    /// Encoded receipts, one per transaction.
    pub receipts: Vec<Bytes>,
    /// What it wrote.
    pub changes: Vec<Change>,
    /// State after it.
    pub tree: Tree,
    /// Values of that state.
    pub values: BTreeMap<StateKey, Bytes>,
    /// Set of the next epoch as decided by that state.
    pub next: Arc<ValidatorSet>,
}

/// A chain of 4 or more validators whose keys the test holds.
pub struct TestChain {
    /// Its genesis.
    pub genesis: SealedGenesis,
    /// Its blocks by height.
    pub blocks: Vec<TestBlock>,
    nonce: u64,
}

impl TestChain {
    /// A chain with genesis only; see [`genesis`].
    pub fn new(name: &str, validators: u32, epoch_length: u64) -> Self {
        let genesis = genesis(name, validators, epoch_length);
        let mut chain = Self {
            blocks: Vec::new(),
            nonce: 0,
            genesis,
        };
        let writes = chain.genesis_writes();
        let set = Arc::new(chain.genesis.validators.clone());
        chain.finish(chain.genesis.block(), vec![], writes, set);
        chain
    }

    fn genesis_writes(&self) -> Vec<Write> {
        let message = &self.genesis.message;
        let mut writes = Vec::new();
        for account in &message.accounts {
            let id = Digest::from_slice(&account.id).expect("id");
            writes.push(set(StateKey::account(&id), encode(account)));
        }
        for organisation in &message.organisations {
            writes.push(set(StateKey::organisation(&organisation.id), encode(organisation)));
        }
        for parameter in &message.parameters {
            writes.push(set(StateKey::parameter(&parameter.name), encode(parameter)));
        }
        writes
    }

    /// Height of the last block.
    pub fn height(&self) -> u64 {
        self.blocks.len() as u64 - 1
    }

    /// The block at a height.
    pub fn block(&self, height: u64) -> &TestBlock {
        &self.blocks[height as usize]
    }

    /// Header bytes at a height.
    pub fn header(&self, height: u64) -> Bytes {
        self.block(height).sealed.header_bytes.clone()
    }

    /// Set in force at a height and the first height of its range.
    pub fn set_at(&self, height: u64) -> (Arc<ValidatorSet>, u64) {
        let length = self.genesis.message.epoch_length;
        let mut set = Arc::new(self.genesis.validators.clone());
        let mut since = 0;
        for epoch in 1..=height / length {
            let boundary = epoch * length - 1;
            // The boundary header shows the set decided by the state after its parent.
            let next = &self.block(boundary.saturating_sub(1)).next;
            if next.digest() != set.digest() {
                (set, since) = (next.clone(), epoch * length);
            }
        }
        (set, since)
    }

    /// Every change of the set up to a height.
    pub fn set_changes(&self, height: u64) -> Vec<SetChange> {
        let starts = (1..=height).filter(|at| self.set_at(*at).1 == *at);
        let change = |start: u64| SetChange {
            header: self.header(start - 1),
            finality: self.finality(start - 1),
            validators: self.set_at(start).0.encode(),
        };
        starts.map(change).collect()
    }

    /// A signed deposit by account `number` (see [`genesis`]).
    pub fn deposit(&mut self, number: u32, digest: &Digest, description: &str) -> Bytes {
        let arguments = encode(&proto::Deposit {
            digest: digest.to_vec().into(),
            description: description.into(),
            source: "henan-divisions.csv".into(),
        });
        self.call(number, keys::EVIDENCE_MODULE, keys::METHOD_DEPOSIT, arguments)
    }

    /// A signed deposit of a batch.
    pub fn deposit_batch(&mut self, number: u32, root: &Digest, count: u64) -> Bytes {
        let arguments = encode(&proto::DepositBatch {
            root: root.to_vec().into(),
            count,
            description: "河南省统计用区划代码".into(),
            source: "henan-divisions.csv".into(),
        });
        self.call(number, keys::EVIDENCE_MODULE, keys::METHOD_DEPOSIT_BATCH, arguments)
    }

    /// Any signed call by account `number`.
    pub fn call(&mut self, number: u32, module: &str, method: &str, arguments: Bytes) -> Bytes {
        let key = secret(100 + number);
        let sender = account_id(&key.public_key());
        self.nonce += 1;
        let nonce = u128::from(self.nonce).to_be_bytes();
        let chain = self.genesis.chain_id;
        let builder = TransactionBuilder::new(chain, sender, nonce, VALID_UNTIL_MS, module, method, arguments);
        builder.sign(&key).expect("signature").0
    }

    /// Adds a block of these transactions. Deposits make their records; everything else succeeds and does nothing.
    pub fn push(&mut self, transactions: Vec<Bytes>) -> u64 {
        self.push_with(transactions, vec![], None)
    }

    /// Adds a block with further writes and, if given, a new decision about the next epoch's validators.
    pub fn push_with(&mut self, transactions: Vec<Bytes>, extra: Vec<Write>, next: Option<Vec<u32>>) -> u64 {
        let sealed: Vec<_> = transactions
            .into_iter()
            .map(|bytes| Arc::new(SealedTransaction::decode(bytes).expect("transaction")))
            .collect();
        let block = SealedBlock::build(self.next_header(), sealed);
        let mut writes = self.deposits(&block);
        writes.extend(extra);
        let receipt = |transaction: &Arc<SealedTransaction>| {
            encode(&proto::Receipt {
                transaction_id: transaction.id.to_vec().into(),
                metering: 1_200,
                ..Default::default()
            })
        };
        let receipts = block.transactions.iter().map(receipt).collect();
        let next = match next {
            None => self.blocks[self.blocks.len() - 1].next.clone(),
            Some(numbers) => {
                let validators = numbers.into_iter().map(validator).collect();
                Arc::new(ValidatorSet::new(validators).expect("set"))
            }
        };
        self.finish(block, receipts, writes, next);
        self.height()
    }

    fn next_header(&self) -> proto::BlockHeader {
        let parent = &self.blocks[self.blocks.len() - 1];
        let height = self.height() + 1;
        let (validators, since) = self.set_at(height);
        let digest = |digest: Digest| Bytes::from(digest.to_vec());
        proto::BlockHeader {
            chain_id: digest(self.genesis.chain_id),
            epoch: height / self.genesis.message.epoch_length,
            height,
            parent: digest(parent.sealed.digest),
            time_ms: parent.sealed.header.time_ms + BLOCK_MS,
            protocol_version: 1,
            parent_state_root: digest(parent.tree.root()),
            parent_receipt_root: digest(receipt_root(&parent.receipts)),
            parent_write_set_root: digest(write_set::root(&parent.changes)),
            parent_message_root: digest(Digest::ZERO),
            validators: digest(validators.digest()),
            next_validators: digest(parent.next.digest()),
            validators_since: since,
            ..Default::default()
        }
    }

    fn deposits(&self, block: &SealedBlock) -> Vec<Write> {
        let record = |transaction: &Arc<SealedTransaction>| {
            let payload = &transaction.payload;
            let (digest, kind, count, description, source) = match payload.method.as_str() {
                keys::METHOD_DEPOSIT => {
                    let call: proto::Deposit =
                        yulian_types::decode_canonical(&payload.arguments, usize::MAX).expect("arguments");
                    (call.digest, keys::KIND_SINGLE, 0, call.description, call.source)
                }
                keys::METHOD_DEPOSIT_BATCH => {
                    let call: proto::DepositBatch =
                        yulian_types::decode_canonical(&payload.arguments, usize::MAX).expect("arguments");
                    (call.root, keys::KIND_BATCH, call.count, call.description, call.source)
                }
                _ => return None,
            };
            let account = StateKey::account(&transaction.sender);
            let account: proto::Account =
                yulian_types::decode_canonical(&self.latest().values[&account], usize::MAX).expect("account");
            let key = Digest::from_slice(&digest).expect("digest");
            Some(set(
                StateKey::evidence(&key, &account.organisation),
                encode(&proto::EvidenceRecord {
                    digest,
                    kind,
                    depositor: account.id,
                    organisation: account.organisation,
                    description,
                    source,
                    height: block.header.height,
                    time_ms: block.header.time_ms,
                    count,
                    status: keys::STATUS_ACTIVE,
                    transaction_id: transaction.id.to_vec().into(),
                    ..Default::default()
                }),
            ))
        };
        block.transactions.iter().filter_map(record).collect()
    }

    /// The last block.
    pub fn latest(&self) -> &TestBlock {
        &self.blocks[self.blocks.len() - 1]
    }

    fn finish(&mut self, sealed: SealedBlock, receipts: Vec<Bytes>, writes: Vec<Write>, next: Arc<ValidatorSet>) {
        let (tree, mut values) = match self.blocks.last() {
            Some(parent) => (parent.tree.clone(), parent.values.clone()),
            None => (Tree::new(), BTreeMap::new()),
        };
        let changes = write_set::changes(&writes);
        for Write { module_id, key, value } in writes {
            let key = StateKey { module_id, key };
            match value {
                Some(value) => values.insert(key, value),
                None => values.remove(&key),
            };
        }
        self.blocks.push(TestBlock {
            tree: tree.apply(&changes),
            sealed,
            receipts,
            changes,
            values,
            next,
        });
    }

    /// A write of the evidence record of `digest` and `organisation` as `change` leaves it.
    pub fn record_write(
        &self,
        digest: &Digest,
        organisation: &str,
        change: impl FnOnce(&mut proto::EvidenceRecord),
    ) -> Write {
        let key = StateKey::evidence(digest, organisation);
        let mut record: proto::EvidenceRecord =
            yulian_types::decode_canonical(&self.latest().values[&key], usize::MAX).expect("record");
        change(&mut record);
        set(key, encode(&record))
    }

    /// The finality proof of a height, signed by the first quorum of its set.
    pub fn finality(&self, height: u64) -> Bytes {
        let quorum = self.set_at(height).0.quorum() as u32;
        self.finality_by(height, &(0..quorum).collect::<Vec<_>>())
    }

    /// The finality proof of a height, signed by the validators of these indices of its set.
    pub fn finality_by(&self, height: u64, signers: &[u32]) -> Bytes {
        let set = self.set_at(height).0;
        let header = &self.block(height).sealed;
        let (epoch, view) = (header.header.epoch, header.header.height * 2);
        let message = finality_message(&self.genesis.chain_id, epoch, view, view - 1, &header.digest);
        let sign = |index: &u32| {
            let key = set.keys()[*index as usize];
            let numbers = 0..100;
            let mut keys = numbers.map(secret);
            let found = keys
                .find(|secret| secret.public_key() == key)
                .expect("a validator's key");
            found.sign(&message).expect("signature")
        };
        let proof = FinalityProof {
            epoch,
            view,
            parent_view: view - 1,
            digest: header.digest,
            signers: signers.to_vec(),
            set_size: set.len() as u32,
            signatures: signers.iter().map(sign).collect(),
        };
        proof.encode()
    }
}

fn set(key: StateKey, value: Bytes) -> Write {
    Write {
        module_id: key.module_id,
        key: key.key,
        value: Some(value),
    }
}
