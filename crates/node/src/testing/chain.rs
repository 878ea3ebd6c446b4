//! A chain whose keys the test holds, and its blocks made without consensus.

use super::{START_MS, sender_key};
use bytes::Bytes;
use std::sync::Arc;
use yulian_crypto::{
    sm2::{FastVerifier, PublicKey, SecretKey, Signer},
    sm3,
};
use yulian_exec::{
    Anchor, Executed, MemoryBase, Registry, RoundFacts, Speculation, bootstrap, default_charter, default_parameters,
};
use yulian_types::{
    Digest, FinalityProof, SealedBlock, SealedGenesis, SealedTransaction, TransactionBuilder, ValidatorSet, account_id,
    encode, finality_message, proto, quorum,
    state_keys::{EVIDENCE_MODULE, METHOD_DEPOSIT},
};

const ORGANISATION: &str = "zz-data";
/// Numbers of the writers' keys.
const WRITERS: std::ops::Range<u8> = 40..60;
/// Number of the administrator's key.
pub(crate) const ADMIN: u8 = 39;

/// The key of a validator.
pub(crate) fn validator_key(number: u8) -> SecretKey {
    sender_key(number + 1)
}

/// The key of a writer's account.
pub(crate) fn writer_key(number: u8) -> SecretKey {
    assert!(number < WRITERS.end - WRITERS.start);
    sender_key(WRITERS.start + number)
}

fn key_bytes(key: &SecretKey) -> Bytes {
    Bytes::copy_from_slice(key.public_key().as_bytes())
}

fn validator(number: u8) -> proto::Validator {
    proto::Validator {
        public_key: key_bytes(&validator_key(number)),
        name: format!("node-{number}"),
        cloud: format!("cloud-{number}"),
        organisation: ORGANISATION.into(),
    }
}

fn account(number: u8, roles: &[&str]) -> proto::Account {
    let key = sender_key(number);
    proto::Account {
        id: account_id(&key.public_key()).to_vec().into(),
        organisation: ORGANISATION.into(),
        public_key: key_bytes(&key),
        roles: roles.iter().map(|role| role.to_string()).collect(),
        label: format!("account {number}"),
        ..Default::default()
    }
}

/// A genesis with that many validators, an admin and some writers of one organisation.
pub(crate) fn genesis(name: &str, validators: u8, epoch_length: u64) -> Arc<SealedGenesis> {
    genesis_with(name, validators, epoch_length, &[])
}

/// The same with modules.
pub(crate) fn genesis_with(name: &str, validators: u8, epoch_length: u64, modules: &[&str]) -> Arc<SealedGenesis> {
    let set = ValidatorSet::new((0..validators).map(validator).collect()).expect("a set");
    let node = |number: u8| {
        let validator = validator(number);
        proto::NodeRecord {
            public_key: validator.public_key,
            name: validator.name,
            cloud: validator.cloud,
            organisation: validator.organisation,
            address: format!("127.0.0.1:{}", 20_000 + u32::from(number)),
        }
    };
    let mut accounts = vec![account(ADMIN, &["admin"])];
    accounts.extend(WRITERS.map(|number| account(number, &["writer"])));
    let message = proto::Genesis {
        version: 1,
        name: name.into(),
        time_ms: START_MS - 1_000,
        protocol_version: 1,
        epoch_length,
        validators: Some(set.message().clone()),
        organisations: vec![proto::Organisation {
            id: ORGANISATION.into(),
            name: "郑州市大数据管理局".into(),
            member: true,
            ..Default::default()
        }],
        accounts,
        charter: Some(default_charter()),
        parameters: default_parameters(),
        nodes: (0..validators).map(node).collect(),
        modules: modules.iter().map(|name| name.to_string()).collect(),
        ..Default::default()
    };
    Arc::new(SealedGenesis::new(message).expect("a genesis"))
}

/// The digest that a test deposits under a number.
pub(crate) fn evidence_digest(number: u32) -> Digest {
    sm3::hash(&[b"evidence", &number.to_be_bytes()])
}

/// A signed deposit of [`evidence_digest`] by a writer, the same at every call.
pub(crate) fn deposit(chain: &SealedGenesis, writer: u8, number: u32) -> Arc<SealedTransaction> {
    deposit_until(chain, writer, number, START_MS + 300_000)
}

/// The same with an end of validity.
pub(crate) fn deposit_until(chain: &SealedGenesis, writer: u8, number: u32, until: u64) -> Arc<SealedTransaction> {
    let key = writer_key(writer);
    deposit_of(chain, (account_id(&key.public_key()), &key), number, until)
}

/// The same by any account.
pub(crate) fn deposit_of(
    chain: &SealedGenesis,
    by: (Digest, &SecretKey),
    number: u32,
    until: u64,
) -> Arc<SealedTransaction> {
    let arguments = encode(&proto::Deposit {
        digest: evidence_digest(number).to_vec().into(),
        description: format!("row {number}"),
        source: "test".into(),
    });
    call_of(chain, by, (EVIDENCE_MODULE, METHOD_DEPOSIT), number, arguments, until)
}

/// A signed call of any method by the account whose first key this is.
pub(crate) fn call(
    chain: &SealedGenesis,
    key: &SecretKey,
    module: &str,
    method: &str,
    number: u32,
    arguments: Bytes,
    until: u64,
) -> Arc<SealedTransaction> {
    let sender = account_id(&key.public_key());
    call_of(chain, (sender, key), (module, method), number, arguments, until)
}

/// The same by an account that may have had another key first.
pub(crate) fn call_of(
    chain: &SealedGenesis,
    (sender, key): (Digest, &SecretKey),
    (module, method): (&str, &str),
    number: u32,
    arguments: Bytes,
    until: u64,
) -> Arc<SealedTransaction> {
    let mut nonce = [0; 16];
    nonce[..4].copy_from_slice(&number.to_be_bytes());
    let builder = TransactionBuilder::new(chain.chain_id, sender, nonce, until, module, method, arguments);
    let (bytes, _) = builder.sign(key).expect("a key in memory signs");
    Arc::new(SealedTransaction::decode(bytes).expect("a built transaction is well formed"))
}

/// A finality proof of a quorum of the test's validators.
pub(crate) fn finality(chain: &SealedGenesis, set: &ValidatorSet, block: &SealedBlock) -> FinalityProof {
    let (epoch, view) = (block.header.epoch, block.height());
    let message = finality_message(&chain.chain_id, epoch, view, view - 1, &block.digest);
    let keys: Vec<SecretKey> = (0..20).map(validator_key).collect();
    let sign = |index: u32| {
        let key = keys.iter().find(|key| key.public_key() == set.keys()[index as usize]);
        key.expect("a validator of the test")
            .sign(&message)
            .expect("a key in memory signs")
    };
    let signers: Vec<u32> = (0..quorum(set.len()) as u32).collect();
    FinalityProof {
        epoch,
        view,
        parent_view: view - 1,
        digest: block.digest,
        signatures: signers.iter().map(|index| sign(*index)).collect(),
        signers,
        set_size: set.len() as u32,
    }
}

/// Makes the blocks of a chain one after the other, each final at once.
pub(crate) struct Forge {
    pub(crate) genesis: Arc<SealedGenesis>,
    speculation: Speculation<MemoryBase>,
    base: MemoryBase,
}

/// A block with its results and proof.
#[derive(Clone)]
pub(crate) struct Forged {
    pub(crate) block: Arc<SealedBlock>,
    pub(crate) executed: Arc<Executed>,
    pub(crate) proof: FinalityProof,
}

impl Forge {
    pub(crate) fn new(genesis: &Arc<SealedGenesis>) -> Self {
        Self::with(genesis, yulian_modules::registry())
    }

    /// The same with other modules.
    pub(crate) fn with(genesis: &Arc<SealedGenesis>, registry: Registry) -> Self {
        let first = bootstrap(genesis).expect("a valid genesis");
        let base = MemoryBase::default();
        base.commit(&first.writes);
        let verifier = Arc::new(FastVerifier::default());
        let anchor = Anchor::genesis(&first);
        let speculation = Speculation::resume(genesis, registry, verifier, base.clone(), anchor);
        Self {
            genesis: genesis.clone(),
            speculation: speculation.expect("a chain that begins"),
            base,
        }
    }

    /// The next block, `after_ms` after its parent.
    pub(crate) fn next(&mut self, after_ms: u64, transactions: Vec<Arc<SealedTransaction>>) -> Forged {
        let last = self.speculation.last_final().clone();
        let length = self.genesis.message.epoch_length;
        let next_epoch = (last.height() + 1) / length;
        let set = if next_epoch == last.header.epoch {
            last.validators.clone()
        } else {
            last.announced.clone()
        };
        let round = RoundFacts {
            epoch: next_epoch,
            validators: set.digest(),
        };
        let time = last.time_ms() + after_ms;
        let header = self
            .speculation
            .header_for(&last.digest, time, &round)
            .expect("a header");
        let block = SealedBlock::build(header, transactions);
        self.speculation.check_block(&block, &round).expect("a valid block");
        let executed = self.speculation.execute(&block).expect("a block that executes");
        self.speculation.finalize(&block.digest).expect("the next block");
        self.base.commit(&executed.writes);
        self.speculation.committed(block.height());
        let proof = finality(&self.genesis, &set, &block);
        let block = Arc::new(block);
        Forged { block, executed, proof }
    }

    /// Blocks with `each` deposits, every one 1 s after its parent.
    pub(crate) fn deposits(&mut self, blocks: u32, each: u32) -> Vec<Forged> {
        (0..blocks)
            .map(|at| {
                let numbers = at * each..(at + 1) * each;
                let list = numbers
                    .map(|number| deposit(&self.genesis, (number % 3) as u8, number))
                    .collect();
                self.next(1_000, list)
            })
            .collect()
    }
}

/// A proposal of the only member's admin to remove a validator.
pub(crate) fn propose_removal(chain: &SealedGenesis, key: &PublicKey) -> Arc<SealedTransaction> {
    let action = encode(&proto::RemoveValidator {
        public_key: Bytes::copy_from_slice(key.as_bytes()),
        accept_risk: None,
    });
    propose(chain, 2, action)
}

/// A proposal of the only member's admin to switch on a protocol version at a height.
pub(crate) fn propose_protocol(chain: &SealedGenesis, version: u32, height: u64) -> Arc<SealedTransaction> {
    propose(chain, 10, encode(&proto::ActivateProtocol { version, height }))
}

/// A proposal of the only member's admin.
pub(crate) fn propose(chain: &SealedGenesis, kind: u32, action: Bytes) -> Arc<SealedTransaction> {
    let arguments = encode(&proto::Propose {
        kind,
        action,
        reason: "test".into(),
    });
    let until = START_MS + 300_000;
    call(chain, &sender_key(ADMIN), "governance", "propose", 1, arguments, until)
}

/// The only member's vote for a proposal, which carries it.
pub(crate) fn vote(chain: &SealedGenesis, proposal: u64) -> Arc<SealedTransaction> {
    let arguments = encode(&proto::Vote {
        proposal,
        approve: true,
    });
    call(
        chain,
        &sender_key(ADMIN),
        "governance",
        "vote",
        2,
        arguments,
        START_MS + 300_000,
    )
}

/// A revocation of [`evidence_digest`] by a writer.
pub(crate) fn revoke(chain: &SealedGenesis, writer: u8, number: u32) -> Arc<SealedTransaction> {
    let arguments = encode(&proto::Revoke {
        digest: evidence_digest(number).to_vec().into(),
        reason: "test".into(),
    });
    let until = START_MS + 300_000;
    call(
        chain,
        &writer_key(writer),
        EVIDENCE_MODULE,
        "revoke",
        5_000,
        arguments,
        until,
    )
}
