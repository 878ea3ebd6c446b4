//! A small chain to play with.

use crate::toy::Toy;
use bytes::Bytes;
use prost::Message;
use std::sync::Arc;
use yulian_crypto::{
    Digest,
    sm2::{FastVerifier, SecretKey, Signer},
    sm3,
};
use yulian_exec::{
    Anchor, Executed, Final, MemoryBase, Registry, RoundFacts, Speculation, SpeculationError, bootstrap,
    default_charter, default_parameters,
};
use yulian_types::{
    SealedBlock, SealedGenesis, SealedTransaction, StateKey, TransactionBuilder, ValidatorSet, account_id, encode,
    proto,
};

pub(crate) const GENESIS_MS: u64 = 1_700_000_000_000;
pub(crate) const EPOCH_LENGTH: u64 = 4;
pub(crate) const CLOUDS: [&str; 4] = ["联通", "移动", "电信", "浪潮"];

pub(crate) fn secret(name: &str) -> SecretKey {
    SecretKey::from_bytes(&sm3::hash(&[name.as_bytes()]).0).expect("a digest is a key")
}

pub(crate) struct Actor {
    pub(crate) key: SecretKey,
    pub(crate) id: Digest,
}

pub(crate) fn actor(name: &str) -> Actor {
    let key = secret(name);
    let id = account_id(&key.public_key());
    Actor { key, id }
}

pub(crate) fn account(name: &str, organisation: &str, roles: &[&str]) -> proto::Account {
    let actor = actor(name);
    proto::Account {
        id: actor.id.to_vec().into(),
        organisation: organisation.into(),
        public_key: actor.key.public_key().as_bytes().to_vec().into(),
        roles: roles.iter().map(|role| role.to_string()).collect(),
        label: name.into(),
        ..Default::default()
    }
}

pub(crate) fn organisation(id: &str, member: bool) -> proto::Organisation {
    proto::Organisation {
        id: id.into(),
        name: format!("机构 {id}"),
        member,
        ..Default::default()
    }
}

pub(crate) fn validator(name: &str, cloud: &str, organisation: &str) -> proto::Validator {
    proto::Validator {
        public_key: secret(name).public_key().as_bytes().to_vec().into(),
        name: name.into(),
        cloud: cloud.into(),
        organisation: organisation.into(),
    }
}

pub(crate) fn genesis_message() -> proto::Genesis {
    let validators = CLOUDS
        .iter()
        .enumerate()
        .map(|(at, cloud)| validator(&format!("v{at}"), cloud, "a"))
        .collect();
    proto::Genesis {
        version: 1,
        name: "测试链".into(),
        time_ms: GENESIS_MS,
        protocol_version: 1,
        epoch_length: EPOCH_LENGTH,
        validators: Some(ValidatorSet::new(validators).expect("a set").message().clone()),
        organisations: vec![organisation("a", true), organisation("b", true)],
        accounts: vec![
            account("admin-a", "a", &["admin"]),
            account("writer-a", "a", &["writer"]),
            account("auditor-a", "a", &["auditor"]),
            account("admin-b", "b", &["admin", "writer"]),
        ],
        charter: Some(default_charter()),
        parameters: default_parameters(),
        nodes: vec![],
        modules: vec!["toy".into()],
        ..Default::default()
    }
}

pub(crate) struct World {
    pub(crate) genesis: SealedGenesis,
    pub(crate) base: MemoryBase,
    pub(crate) chain: Speculation<MemoryBase>,
    nonce: u64,
}

pub(crate) fn registry() -> Registry {
    Registry::new(vec![Arc::new(Toy)])
}

pub(crate) fn resume(genesis: &SealedGenesis, base: &MemoryBase, anchor: Anchor) -> Speculation<MemoryBase> {
    let verifier = Arc::new(FastVerifier::default());
    Speculation::resume(genesis, registry(), verifier, base.clone(), anchor).expect("resumes")
}

/// What a test asks to be submitted.
pub(crate) struct Order<'a> {
    pub(crate) sender: &'a str,
    pub(crate) method: &'a str,
    pub(crate) arguments: Bytes,
}

pub(crate) fn order<'a>(sender: &'a str, method: &'a str, arguments: impl Into<Bytes>) -> Order<'a> {
    Order {
        sender,
        method,
        arguments: arguments.into(),
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(genesis_message())
    }

    pub(crate) fn with(message: proto::Genesis) -> Self {
        let genesis = SealedGenesis::new(message).expect("a genesis");
        let first = bootstrap(&genesis).expect("a state");
        let base = MemoryBase::default();
        base.commit(&first.writes);
        let chain = resume(&genesis, &base, Anchor::genesis(&first));
        Self {
            genesis,
            base,
            chain,
            nonce: 0,
        }
    }

    pub(crate) fn tip(&self) -> Arc<Executed> {
        self.chain.last_final().clone()
    }

    pub(crate) fn builder(&mut self, order: Order<'_>, time_ms: u64) -> TransactionBuilder {
        self.nonce += 1;
        let nonce = u128::from(self.nonce).to_be_bytes();
        let sender = actor(order.sender).id;
        let (chain, until) = (self.genesis.chain_id, time_ms + 60_000);
        TransactionBuilder::new(chain, sender, nonce, until, "toy", order.method, order.arguments)
    }

    pub(crate) fn transaction(&mut self, order: Order<'_>) -> Arc<SealedTransaction> {
        let (sender, time) = (order.sender.to_string(), self.tip().time_ms());
        let builder = self.builder(order, time);
        sign(builder, &sender)
    }

    /// A child of an executed block, one second later.
    pub(crate) fn child(&self, parent: &Digest, transactions: Vec<Arc<SealedTransaction>>) -> SealedBlock {
        let time = self.chain.executed(parent).expect("executed").time_ms() + 1_000;
        self.child_at(parent, time, transactions)
    }

    pub(crate) fn child_at(
        &self,
        parent: &Digest,
        time_ms: u64,
        transactions: Vec<Arc<SealedTransaction>>,
    ) -> SealedBlock {
        let round = self.round(parent);
        SealedBlock::build(
            self.chain.header_for(parent, time_ms, &round).expect("a header"),
            transactions,
        )
    }

    /// The round of a child, worked out from the rule for epochs and not by the code under test.
    pub(crate) fn round(&self, parent: &Digest) -> RoundFacts {
        let parent = self.chain.executed(parent).expect("executed");
        let epoch = (parent.height() + 1) / self.genesis.message.epoch_length;
        let parent_epoch = parent.height() / self.genesis.message.epoch_length;
        let in_force = if epoch == parent_epoch {
            &parent.validators
        } else {
            &parent.announced
        };
        RoundFacts {
            epoch,
            validators: in_force.digest(),
        }
    }

    /// Checks, executes, finalises and commits a block on the last final one.
    pub(crate) fn advance(&mut self, transactions: Vec<Arc<SealedTransaction>>) -> Final {
        let tip = self.tip().digest;
        let block = self.child(&tip, transactions);
        let round = self.round(&tip);
        self.chain.check_block(&block, &round).expect("a valid block");
        self.chain.execute(&block).expect("executes");
        self.finalize(&block.digest)
    }

    pub(crate) fn finalize(&mut self, digest: &Digest) -> Final {
        let done = self.chain.finalize(digest).expect("final");
        self.base.commit(&done.executed.writes);
        self.chain.committed(done.executed.height());
        done
    }

    /// Runs one transaction in a block of its own.
    pub(crate) fn run(&mut self, order: Order<'_>) -> proto::Receipt {
        let transaction = self.transaction(order);
        let done = self.advance(vec![transaction]);
        receipt(&done.executed.receipts[0])
    }

    pub(crate) fn value(&self, key: &StateKey) -> Option<Bytes> {
        self.chain
            .snapshot(&self.tip().digest)
            .expect("known")
            .get(key)
            .expect("reads")
    }

    pub(crate) fn record<M: Message + Default>(&self, key: &StateKey) -> M {
        M::decode(self.value(key).expect("present")).expect("a record")
    }

    pub(crate) fn execute(&mut self, block: &SealedBlock) -> Result<Arc<Executed>, SpeculationError> {
        self.chain.execute(block)
    }
}

pub(crate) fn sign(builder: TransactionBuilder, name: &str) -> Arc<SealedTransaction> {
    let (bytes, _) = builder.sign(&secret(name)).expect("signs");
    Arc::new(SealedTransaction::decode(bytes).expect("well formed"))
}

pub(crate) fn receipt(bytes: &Bytes) -> proto::Receipt {
    proto::Receipt::decode(bytes.clone()).expect("a receipt")
}

pub(crate) fn bytes_of(record: &impl Message) -> Vec<u8> {
    encode(record).to_vec()
}
