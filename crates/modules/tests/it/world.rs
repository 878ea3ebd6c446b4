//! A chain of four member organisations a, b, c, d and one other, e; each has an admin and a writer.

use bytes::Bytes;
use prost::Message;
use std::sync::Arc;
use yulian_crypto::{
    Digest,
    sm2::{FastVerifier, SecretKey, Signer},
    sm3,
};
use yulian_exec::{
    Anchor, Executed, MemoryBase, RoundFacts, Speculation, bootstrap, default_charter, default_parameters, tables,
};
use yulian_modules::{governance, registry};
use yulian_types::{
    SealedBlock, SealedGenesis, SealedTransaction, StateKey, TransactionBuilder, ValidatorSet, account_id, encode,
    proto, tags,
};

pub(crate) const GENESIS_MS: u64 = 1_700_000_000_000;
pub(crate) const EPOCH_LENGTH: u64 = 8;
pub(crate) const ORGANISATIONS: [(&str, &str); 4] = [("a", "联通"), ("b", "移动"), ("c", "电信"), ("d", "浪潮")];
const LIMIT: u64 = 10_000_000;

pub(crate) fn secret(name: &str) -> SecretKey {
    SecretKey::from_bytes(&sm3::hash(&[name.as_bytes()]).0).expect("a digest is a key")
}

pub(crate) fn public(name: &str) -> Bytes {
    Bytes::copy_from_slice(secret(name).public_key().as_bytes())
}

pub(crate) fn id_of(name: &str) -> Digest {
    account_id(&secret(name).public_key())
}

pub(crate) fn id_bytes(name: &str) -> Bytes {
    id_of(name).to_vec().into()
}

pub(crate) fn roles(list: &[&str]) -> Vec<String> {
    list.iter().map(|role| role.to_string()).collect()
}

pub(crate) fn account_of(name: &str, organisation: &str, list: &[&str]) -> proto::Account {
    proto::Account {
        id: id_bytes(name),
        organisation: organisation.into(),
        public_key: public(name),
        roles: roles(list),
        label: name.into(),
        ..Default::default()
    }
}

pub(crate) fn validator(name: &str, cloud: &str, organisation: &str) -> proto::Validator {
    proto::Validator {
        public_key: public(name),
        name: name.into(),
        cloud: cloud.into(),
        organisation: organisation.into(),
    }
}

pub(crate) fn node(name: &str, cloud: &str, organisation: &str) -> proto::NodeRecord {
    proto::NodeRecord {
        public_key: public(name),
        name: name.into(),
        cloud: cloud.into(),
        organisation: organisation.into(),
        address: format!("{name}.example:18000"),
    }
}

pub(crate) fn genesis_message() -> proto::Genesis {
    let mut message = proto::Genesis {
        version: 1,
        name: "测试链".into(),
        time_ms: GENESIS_MS,
        protocol_version: 1,
        epoch_length: EPOCH_LENGTH,
        charter: Some(default_charter()),
        parameters: default_parameters(),
        modules: vec!["chain".into(), "evidence".into()],
        ..Default::default()
    };
    let mut validators = Vec::new();
    for (id, cloud) in ORGANISATIONS {
        message.nodes.push(node(&format!("v-{id}"), cloud, id));
        validators.push(validator(&format!("v-{id}"), cloud, id));
    }
    for (id, member) in ORGANISATIONS
        .map(|(id, _)| (id, true))
        .into_iter()
        .chain([("e", false)])
    {
        let name = format!("机构 {id}");
        message.organisations.push(proto::Organisation {
            id: id.into(),
            name,
            member,
            ..Default::default()
        });
        message
            .accounts
            .push(account_of(&format!("admin-{id}"), id, &["admin"]));
        message
            .accounts
            .push(account_of(&format!("writer-{id}"), id, &["writer"]));
    }
    message.accounts.push(account_of("auditor-a", "a", &["auditor"]));
    message.validators = Some(ValidatorSet::new(validators).expect("a set").message().clone());
    message
}

pub(crate) struct World {
    pub(crate) genesis: SealedGenesis,
    pub(crate) base: MemoryBase,
    pub(crate) chain: Speculation<MemoryBase>,
    nonce: u64,
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
        let verifier = Arc::new(FastVerifier::default());
        let chain = Speculation::resume(&genesis, registry(), verifier, base.clone(), Anchor::genesis(&first));
        Self {
            genesis,
            base,
            chain: chain.expect("resumes"),
            nonce: 0,
        }
    }

    pub(crate) fn tip(&self) -> Arc<Executed> {
        self.chain.last_final().clone()
    }

    pub(crate) fn height(&self) -> u64 {
        self.tip().height()
    }

    pub(crate) fn transaction(&mut self, sender: &str, call: &str, message: &impl Message) -> Arc<SealedTransaction> {
        self.signed_by(sender, sender, call, encode(message))
    }

    /// A transaction of the account whose first key is `account`'s, signed with another key.
    pub(crate) fn signed_by(
        &mut self,
        account: &str,
        key: &str,
        call: &str,
        arguments: Bytes,
    ) -> Arc<SealedTransaction> {
        self.nonce += 1;
        let (module, method) = call.split_once('.').expect("module.method");
        let until = self.tip().time_ms() + 300_000;
        let nonce = u128::from(self.nonce).to_be_bytes();
        let builder = TransactionBuilder::new(
            self.genesis.chain_id,
            id_of(account),
            nonce,
            until,
            module,
            method,
            arguments,
        );
        let (bytes, _) = builder.metering_limit(LIMIT).sign(&secret(key)).expect("signs");
        Arc::new(SealedTransaction::decode(bytes).expect("well formed"))
    }

    pub(crate) fn round(&self, parent: &Executed) -> RoundFacts {
        let (epoch, before) = ((parent.height() + 1) / EPOCH_LENGTH, parent.height() / EPOCH_LENGTH);
        let in_force = if epoch == before {
            &parent.validators
        } else {
            &parent.announced
        };
        RoundFacts {
            epoch,
            validators: in_force.digest(),
        }
    }

    /// Checks, executes, finalises and commits a block.
    pub(crate) fn advance_at(&mut self, time_ms: u64, transactions: Vec<Arc<SealedTransaction>>) -> Arc<Executed> {
        let tip = self.tip();
        let round = self.round(&tip);
        let header = self.chain.header_for(&tip.digest, time_ms, &round).expect("a header");
        let block = SealedBlock::build(header, transactions);
        self.chain.check_block(&block, &round).expect("a valid block");
        self.chain.execute(&block).expect("executes");
        let done = self.chain.finalize(&block.digest).expect("final").executed;
        self.base.commit(&done.writes);
        self.chain.committed(done.height());
        done
    }

    /// Whether a transaction may enter the next block; the code of the rule that it breaks.
    pub(crate) fn judge(&mut self, transaction: Arc<SealedTransaction>) -> Result<(), String> {
        let tip = self.tip();
        let verdict = self
            .chain
            .judge(&tip.digest, &transaction, tip.time_ms() + 1)
            .expect("judged");
        verdict.map_err(|failure| failure.code.code.into())
    }

    pub(crate) fn advance(&mut self, transactions: Vec<Arc<SealedTransaction>>) -> Arc<Executed> {
        let time = self.tip().time_ms() + 1_000;
        self.advance_at(time, transactions)
    }

    pub(crate) fn advance_to(&mut self, height: u64) {
        while self.height() < height {
            self.advance(vec![]);
        }
    }

    /// Runs one transaction in a block of its own and returns the receipt.
    pub(crate) fn run(&mut self, sender: &str, call: &str, message: &impl Message) -> proto::Receipt {
        let transaction = self.transaction(sender, call, message);
        let done = self.advance(vec![transaction]);
        proto::Receipt::decode(done.receipts[0].clone()).expect("a receipt")
    }

    /// Runs one transaction that must succeed.
    pub(crate) fn ok(&mut self, sender: &str, call: &str, message: &impl Message) -> proto::Receipt {
        let receipt = self.run(sender, call, message);
        assert_eq!(
            (receipt.status, receipt.code.as_str()),
            (0, ""),
            "{call}: {}",
            receipt.detail
        );
        receipt
    }

    /// Runs one transaction that must fail with a code and leave the state as it was; returns the detail.
    pub(crate) fn fails(&mut self, code: &str, sender: &str, call: &str, message: &impl Message) -> String {
        let before = self.tip().tree.root();
        let receipt = self.run(sender, call, message);
        assert_eq!(
            (receipt.status, receipt.code.as_str()),
            (1, code),
            "{call}: {}",
            receipt.detail
        );
        assert_eq!(self.tip().tree.root(), before);
        receipt.detail
    }

    pub(crate) fn value(&self, key: &StateKey) -> Option<Bytes> {
        self.chain
            .snapshot(&self.tip().digest)
            .expect("known")
            .get(key)
            .expect("reads")
    }

    pub(crate) fn record<M: Message + Default>(&self, key: &StateKey) -> Option<M> {
        self.value(key).map(|bytes| M::decode(bytes).expect("a record"))
    }

    pub(crate) fn account(&self, name: &str) -> proto::Account {
        self.record(&StateKey::account(&id_of(name))).expect("an account")
    }

    pub(crate) fn proposal(&self, id: u64) -> proto::Proposal {
        self.record(&tables::proposal(id)).expect("a proposal")
    }

    pub(crate) fn open(&self) -> Vec<u64> {
        let open: proto::OpenProposals = self.record(&tables::open_proposals()).unwrap_or_default();
        open.proposals.iter().map(|proposal| proposal.id).collect()
    }

    /// Signature of a key that it is held, for an account.
    pub(crate) fn possession(&self, key: &str, account: &Digest) -> Bytes {
        let message = sm3::tagged(&tags::KEY_POSSESSION, &[&self.genesis.chain_id.0, &account.0]);
        sign(key, &message)
    }

    pub(crate) fn registration(&self, key: &str, list: &[&str]) -> proto::RegisterAccount {
        proto::RegisterAccount {
            public_key: public(key),
            roles: roles(list),
            label: key.into(),
            possession: self.possession(key, &id_of(key)),
        }
    }

    pub(crate) fn node_registration(&self, node: proto::NodeRecord, key: &str) -> proto::RegisterNode {
        let message = sm3::tagged(
            &tags::NODE_REGISTRATION,
            &[&self.genesis.chain_id.0, node.address.as_bytes()],
        );
        proto::RegisterNode {
            possession: sign(key, &message),
            node: Some(node),
        }
    }

    /// A candidate's signature over the last final header.
    pub(crate) fn candidate_proof(&self, key: &str) -> proto::CandidateProof {
        let tip = self.tip();
        self.candidate_proof_of(key, tip.height(), tip.digest)
    }

    pub(crate) fn candidate_proof_of(&self, key: &str, height: u64, digest: Digest) -> proto::CandidateProof {
        let parts: [&[u8]; 3] = [&self.genesis.chain_id.0, &height.to_be_bytes(), &digest.0];
        let message = sm3::tagged(&tags::CANDIDATE, &parts);
        proto::CandidateProof {
            height,
            digest: digest.to_vec().into(),
            signature: sign(key, &message),
        }
    }

    /// Registers a node of an organisation by its admin.
    pub(crate) fn register_node(&mut self, name: &str, cloud: &str, organisation: &str) {
        let registration = self.node_registration(node(name, cloud, organisation), name);
        self.ok(
            &format!("admin-{organisation}"),
            "governance.register_node",
            &registration,
        );
    }

    pub(crate) fn propose(&mut self, kind: u32, action: &impl Message) -> u64 {
        let receipt = self.ok("admin-a", "governance.propose", &proposal(kind, action));
        proto::ProposalId::decode(receipt.output).expect("an id").proposal
    }

    pub(crate) fn vote(&mut self, organisation: &str, proposal: u64, approve: bool) -> proto::Receipt {
        self.run(
            &format!("admin-{organisation}"),
            "governance.vote",
            &proto::Vote { proposal, approve },
        )
    }

    /// Proposes and votes yes by a, b and c: three of four members are more than two thirds.
    pub(crate) fn carry(&mut self, kind: u32, action: &impl Message) -> u64 {
        let id = self.propose(kind, action);
        for organisation in ["a", "b", "c"] {
            let receipt = self.vote(organisation, id, true);
            assert_eq!((receipt.code.as_str(), receipt.detail.as_str()), ("", ""));
        }
        assert_eq!(self.proposal(id).status, governance::STATUS_CARRIED);
        id
    }

    /// A proposal that is refused at once.
    pub(crate) fn cannot_propose(&mut self, code: &str, kind: u32, action: &impl Message) -> String {
        self.fails(code, "admin-a", "governance.propose", &proposal(kind, action))
    }

    pub(crate) fn decided(&self) -> ValidatorSet {
        (*self.tip().decided).clone()
    }
}

pub(crate) fn proposal(kind: u32, action: &impl Message) -> proto::Propose {
    proto::Propose {
        kind,
        action: encode(action),
        reason: "试验".into(),
    }
}

pub(crate) fn sign(key: &str, message: &Digest) -> Bytes {
    Bytes::copy_from_slice(secret(key).sign(&message.0).expect("signs").as_bytes())
}

pub(crate) fn events(receipt: &proto::Receipt) -> Vec<(&str, &[u8])> {
    receipt
        .events
        .iter()
        .map(|event| (event.name.as_str(), &event.data[..]))
        .collect()
}
