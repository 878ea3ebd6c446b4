//! Every method of every module, built by the SDK and executed by the chain's own rules.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use yulian_crypto::{
    Digest,
    sm2::{FastVerifier, SecretKey, Signer},
    sm3,
};
use yulian_exec::{
    Anchor, Executed, MemoryBase, RoundFacts, Speculation, bootstrap, default_charter, default_parameters,
};
use yulian_modules::registry;
use yulian_sdk::{
    Account, Action, Candidate, SignedTransaction, Terms, acceptance, candidate_proof, node_registration,
};
use yulian_types::{
    SealedBlock, SealedGenesis, SealedTransaction, ValidatorSet, account_id, decode_canonical, proto, voucher_series_id,
};

const EPOCH_LENGTH: u64 = 8;
const GENESIS_MS: u64 = 1_700_000_000_000;
const BLOCK_MS: u64 = 1_000;
const CLOUDS: [(&str, &str); 4] = [
    ("unicom", "联通"),
    ("mobile", "移动"),
    ("telecom", "电信"),
    ("inspur", "浪潮"),
];

fn key(name: &str) -> SecretKey {
    SecretKey::from_bytes(&sm3::hash(&[name.as_bytes()]).0).expect("a digest is a key")
}

fn public(name: &str) -> bytes::Bytes {
    key(name).public_key().as_bytes().to_vec().into()
}

fn node(name: &str, cloud: &str, organisation: &str) -> proto::NodeRecord {
    proto::NodeRecord {
        public_key: public(name),
        name: name.into(),
        cloud: cloud.into(),
        organisation: organisation.into(),
        address: "127.0.0.1:18000".into(),
    }
}

fn validator(name: &str, cloud: &str, organisation: &str) -> proto::Validator {
    proto::Validator {
        public_key: public(name),
        name: name.into(),
        cloud: cloud.into(),
        organisation: organisation.into(),
    }
}

fn genesis(name: &str) -> SealedGenesis {
    let mut message = proto::Genesis {
        version: 1,
        name: name.into(),
        time_ms: GENESIS_MS,
        protocol_version: 1,
        epoch_length: EPOCH_LENGTH,
        charter: Some(default_charter()),
        parameters: default_parameters(),
        modules: ["evidence", "link", "notice", "verification", "voucher"]
            .map(String::from)
            .to_vec(),
        ..Default::default()
    };
    let mut validators = vec![];
    for (id, cloud) in CLOUDS {
        message.nodes.push(node(&format!("node-{id}"), cloud, id));
        validators.push(validator(&format!("node-{id}"), cloud, id));
        message.organisations.push(proto::Organisation {
            id: id.into(),
            name: id.into(),
            member: true,
            ..Default::default()
        });
        for role in ["admin", "regulator", "writer"] {
            let name = format!("{role}-{id}");
            message.accounts.push(proto::Account {
                id: account_id(&key(&name).public_key()).to_vec().into(),
                organisation: id.into(),
                public_key: public(&name),
                roles: vec![role.into()],
                label: name,
                ..Default::default()
            });
        }
    }
    message.validators = Some(ValidatorSet::new(validators).expect("set").message().clone());
    SealedGenesis::new(message).expect("genesis")
}

struct Ledger {
    id: Digest,
    chain: Speculation<MemoryBase>,
    base: MemoryBase,
    called: BTreeSet<(String, String)>,
}

impl Ledger {
    fn new() -> Self {
        let genesis = genesis("henan");
        let first = bootstrap(&genesis).expect("state");
        let base = MemoryBase::default();
        base.commit(&first.writes);
        let verifier = Arc::new(FastVerifier::default());
        let anchor = Anchor::genesis(&first);
        Self {
            id: genesis.chain_id,
            chain: Speculation::resume(&genesis, registry(), verifier, base.clone(), anchor).expect("chain"),
            base,
            called: BTreeSet::new(),
        }
    }

    fn tip(&self) -> Arc<Executed> {
        self.chain.last_final().clone()
    }

    /// By the chain's time, whatever this machine's clock says.
    fn terms(&self) -> Terms {
        let own = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970")
            .as_millis();
        let offset = self.tip().time_ms() as i64 - own as i64;
        Terms::new(self.id).clock_offset_ms(offset)
    }

    fn block(&mut self, transactions: Vec<Arc<SealedTransaction>>) -> Arc<Executed> {
        let tip = self.tip();
        let (epoch, before) = ((tip.height() + 1) / EPOCH_LENGTH, tip.height() / EPOCH_LENGTH);
        let in_force = if epoch == before {
            &tip.validators
        } else {
            &tip.announced
        };
        let round = RoundFacts {
            epoch,
            validators: in_force.digest(),
        };
        let header = self
            .chain
            .header_for(&tip.digest, tip.time_ms() + BLOCK_MS, &round)
            .expect("header");
        let block = SealedBlock::build(header, transactions);
        self.chain.check_block(&block, &round).expect("valid");
        self.chain.execute(&block).expect("executes");
        let done = self.chain.finalize(&block.digest).expect("final").executed;
        self.base.commit(&done.writes);
        self.chain.committed(done.height());
        done
    }

    fn next_epoch(&mut self) {
        let epoch = self.tip().height() / EPOCH_LENGTH;
        while self.tip().height() / EPOCH_LENGTH == epoch {
            self.block(vec![]);
        }
    }

    fn execute(&mut self, transaction: Result<SignedTransaction, yulian_crypto::sm2::SignError>) -> proto::Receipt {
        let transaction = transaction.expect("signature");
        let sealed = Arc::new(SealedTransaction::decode(transaction.bytes).expect("form"));
        self.called
            .insert((sealed.payload.module.clone(), sealed.payload.method.clone()));
        let done = self.block(vec![sealed]);
        decode_canonical(&done.receipts[0], usize::MAX).expect("receipt")
    }

    /// Executes a transaction that must succeed; returns its answer.
    fn run(&mut self, transaction: Result<SignedTransaction, yulian_crypto::sm2::SignError>) -> bytes::Bytes {
        let receipt = self.execute(transaction);
        assert_eq!((receipt.status, receipt.code.as_str()), (0, ""), "{}", receipt.detail);
        receipt.output
    }

    /// The code of a transaction that must fail, though not for its form.
    fn refused(&mut self, transaction: Result<SignedTransaction, yulian_crypto::sm2::SignError>) -> String {
        let receipt = self.execute(transaction);
        assert_eq!(receipt.status, 1);
        receipt.code
    }

    fn propose(&mut self, by: &str, action: &Action) -> u64 {
        let transaction = account(&format!("admin-{by}")).propose(&self.terms(), action, "按章程调整");
        let output = self.run(transaction);
        let answer: proto::ProposalId = decode_canonical(&output, usize::MAX).expect("answer");
        answer.proposal
    }

    /// Proposes and carries.
    fn decide(&mut self, action: &Action) {
        let proposal = self.propose("unicom", action);
        for by in ["unicom", "mobile", "telecom"] {
            let vote = account(&format!("admin-{by}")).vote(&self.terms(), proposal, true);
            self.run(vote);
        }
    }

    fn candidate(&self, name: &str, cloud: &str, organisation: &str) -> Candidate {
        let tip = self.tip();
        Candidate {
            validator: validator(name, cloud, organisation),
            proof: candidate_proof(&self.id, tip.height(), &tip.digest, &key(name)).expect("signature"),
        }
    }
}

fn account(name: &str) -> Account {
    Account::of_first_key(key(name))
}

#[test]
fn every_method_is_built_as_the_chain_wants_it() {
    let mut ledger = Ledger::new();
    evidence(&mut ledger);
    accounts(&mut ledger);
    governance(&mut ledger);
    links(&mut ledger);
    vouchers(&mut ledger);
    let registry = registry();
    let of_module = |module: &Arc<dyn yulian_exec::Module>| {
        let name = module.name().to_string();
        module
            .methods()
            .iter()
            .map(move |method| (name.clone(), method.name.to_string()))
            .collect::<Vec<_>>()
    };
    // Those of a register, and what carriers bring with its proofs, are made by `Account::call` with their messages.
    let carried = |(module, method): &(String, String)| {
        module == "link" && ["carry", "introduce", "report_conflict"].contains(&method.as_str())
    };
    let built = |module: &&Arc<dyn yulian_exec::Module>| module.name() != "chain";
    let declared = registry.modules().filter(built).flat_map(of_module);
    let declared: BTreeSet<_> = declared.filter(|call| !carried(call)).collect();
    assert_eq!(ledger.called, declared);
}

fn evidence(ledger: &mut Ledger) {
    let writer = account("writer-unicom");
    let digests = [1_u8, 2, 3].map(|number| sm3::hash(&[&[number]]));
    let terms = ledger.terms();
    ledger.run(writer.deposit(&terms, &digests[0], "目录", "数据局"));
    ledger.run(writer.deposit(&terms, &digests[1], "目录二", "数据局"));
    ledger.run(writer.deposit_batch(&terms, &digests[2], 7, "表", "table.csv"));
    ledger.run(writer.supersede(&terms, &digests[0], &digests[1], "更正"));
    ledger.run(writer.revoke(&terms, &digests[2], "作废"));
}

fn accounts(ledger: &mut Ledger) {
    let admin = account("admin-mobile");
    let terms = ledger.terms();
    let output = ledger.run(admin.register_account(&terms, &key("new"), &["writer", "admin", "writer"], "新账户"));
    let answer: proto::AccountId = decode_canonical(&output, usize::MAX).expect("answer");
    let new = account("new");
    assert_eq!(answer.account[..], new.id().0);
    ledger.run(admin.set_roles(&terms, &new.id(), &["writer", "auditor"]));
    ledger.run(new.rotate_key(&terms, &new.id(), &key("rotated")));
    let rotated = Account::new(new.id(), key("rotated"));
    ledger.run(rotated.deposit(&terms, &sm3::hash(&[b"rotated"]), "a", "b"));
    ledger.run(admin.freeze_account(&terms, &new.id(), "调查"));
    ledger.run(admin.unfreeze_account(&terms, &new.id()));
}

fn invited(ledger: &mut Ledger, charter: &proto::Charter) {
    let terms = proto::InviteOrganisation {
        id: "luoyang".into(),
        name: "洛阳市大数据局".into(),
        member: true,
        admin_public_key: key("admin-luoyang").public_key().as_bytes().to_vec().into(),
        admin_label: "管理员".into(),
        valid_until_ms: ledger.tip().time_ms() + 3_600_000,
    };
    ledger.decide(&Action::InviteOrganisation(terms.clone()));
    ledger.decide(&Action::WithdrawInvitation("luoyang".into()));
    ledger.decide(&Action::InviteOrganisation(terms));
    let digest = sm3::hash(&[b"ylChartr", &yulian_types::encode(charter)]);
    let acceptance = acceptance(&ledger.id, &digest, "luoyang", &key("admin-luoyang")).expect("signature");
    let carrier = account("writer-mobile");
    ledger.run(carrier.join_organisation(&ledger.terms(), &acceptance));
    let admin = account("admin-luoyang");
    let output = ledger.run(admin.leave_organisation(&ledger.terms(), "合并"));
    let answer: proto::LeaveAnswer = decode_canonical(&output, usize::MAX).expect("answer");
    assert!(answer.left);
}

fn governance(ledger: &mut Ledger) {
    let admin = account("admin-unicom");
    for (name, cloud) in [("fifth", "省大数据中心"), ("spare", "联通")] {
        let registration = node_registration(&ledger.id, node(name, cloud, "unicom"), &key(name)).expect("signature");
        ledger.run(admin.register_node(&ledger.terms(), &registration));
    }
    let fifth = ledger.candidate("fifth", "省大数据中心", "unicom");
    ledger.decide(&Action::AddValidator(fifth, None));
    ledger.next_epoch();
    ledger.next_epoch();
    let spare = ledger.candidate("spare", "联通", "unicom");
    ledger.decide(&Action::ReplaceValidator(key("node-unicom").public_key(), spare, None));
    ledger.next_epoch();
    ledger.next_epoch();
    ledger.decide(&Action::RemoveValidator(key("fifth").public_key(), None));
    ledger.next_epoch();
    ledger.next_epoch();
    ledger.run(admin.remove_node(&ledger.terms(), &key("fifth").public_key()));

    let parameter = default_parameters()
        .into_iter()
        .find(|it| it.maximum > it.value)
        .expect("a parameter");
    ledger.decide(&Action::SetParameter {
        name: parameter.name,
        value: parameter.maximum,
    });
    let terms = ledger.terms();
    let kaifeng = Action::add_organisation(
        &terms,
        "kaifeng",
        "开封市大数据局",
        false,
        &key("admin-kaifeng"),
        "管理员",
    );
    ledger.decide(&kaifeng.expect("signature"));
    ledger.decide(&Action::FreezeOrganisation("kaifeng".into()));
    ledger.decide(&Action::UnfreezeOrganisation("kaifeng".into()));
    ledger.decide(&Action::RemoveOrganisation("kaifeng".into()));
    let charter = proto::Charter {
        text_digest: vec![7; 32].into(),
        ..default_charter()
    };
    ledger.decide(&Action::ChangeCharter(charter.clone()));
    invited(ledger, &charter);
    let height = ledger.tip().height() + 1_000;
    ledger.decide(&Action::ActivateProtocol { version: 2, height });
}

/// Links to another chain and what is sent there.
fn links(ledger: &mut Ledger) {
    let other = genesis("kaifeng");
    let id = other.chain_id.to_vec();
    ledger.decide(&Action::AgreeLink(proto::AgreeLink {
        chain_id: id.clone().into(),
        name: "开封".into(),
        ..Default::default()
    }));
    let writer = account("writer-unicom");
    let open = proto::OpenLink {
        genesis: other.bytes.clone(),
        ..Default::default()
    };
    let terms = ledger.terms();
    ledger.run(writer.open_link(&terms, &open));
    ledger.run(writer.tick(&terms));
    let ask = proto::Ask {
        destination: id.clone().into(),
        inquiry: Some(proto::Inquiry {
            kind: 1,
            digest: vec![1; 32].into(),
            organisation: "mobile".into(),
            ..Default::default()
        }),
        timeout_ms: 60_000,
    };
    let output = ledger.run(writer.ask(&terms, &ask));
    let sent: proto::PacketRef = decode_canonical(&output, usize::MAX).expect("names a packet");
    assert_eq!(
        (&sent.chain[..], sent.module.as_str(), sent.sequence),
        (&id[..], "verification", 1)
    );
    let notice = proto::Notice {
        destination: id.into(),
        kind: "policy".into(),
        text: "按新目录报送".into(),
        ..Default::default()
    };
    ledger.run(account("admin-unicom").tell(&terms, &notice));

    let any = Digest::ZERO.to_vec();
    let route = proto::SetRoute {
        source: any.clone().into(),
        destination: any.clone().into(),
        ..Default::default()
    };
    ledger.decide(&Action::SetRoute(route.clone()));
    ledger.decide(&Action::RemoveRoute(proto::RemoveRoute {
        source: route.source,
        destination: route.destination,
        module: route.module,
    }));
    let terms = ledger.terms();
    ledger.run(account("regulator-unicom").freeze_way(&terms, &Digest::ZERO, &Digest::ZERO, "核查"));
    ledger.decide(&Action::LiftFreeze(proto::Freeze {
        source: any.clone().into(),
        destination: any.into(),
        ..Default::default()
    }));
}

fn vouchers(ledger: &mut Ledger) {
    let issuer = account("writer-unicom");
    let terms = ledger.terms();
    let issue = proto::IssueVoucher {
        series: "人才房票".into(),
        title: "人才住房券".into(),
        terms: vec![3; 32].into(),
        expires_ms: ledger.tip().time_ms() + 1_000_000,
        amount: 10,
        holder: issuer.id().to_vec().into(),
    };
    let output = ledger.run(issuer.issue_vouchers(&terms, &issue));
    let answer: proto::VoucherId = decode_canonical(&output, usize::MAX).expect("answer");
    let series = Digest::from_slice(&answer.series).expect("an id");
    assert_eq!(series, voucher_series_id(&ledger.id, "unicom", "人才房票"));
    ledger.run(issuer.transfer_vouchers(&terms, &series, &account("writer-mobile").id(), 4));
    assert!(ledger.run(issuer.redeem_vouchers(&terms, &series, 1, 0)).is_empty());
    let send = proto::SendVoucher {
        series: answer.series,
        destination: genesis("kaifeng").chain_id.to_vec().into(),
        holder: issuer.id().to_vec().into(),
        amount: 2,
        timeout_ms: 60_000,
    };
    ledger.run(issuer.send_vouchers(&terms, &send));
    // There is nothing to be reclaimed at home: the call is well formed and refused.
    let code = ledger.refused(issuer.reclaim_vouchers(&terms, &series, 0));
    assert_eq!(code, "voucher.bad_voucher");
    ledger.decide(&Action::EndLink(genesis("kaifeng").chain_id));
}
