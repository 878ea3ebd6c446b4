//! Packs of deposits whose depositor, key or organisation is not that of genesis, or is not any more what it was.

use super::*;
use yulian_crypto::sm2::SecretKey;
use yulian_light::{Depositor, NameSource};
use yulian_modules::governance::{KIND_ADD_ORGANISATION, KIND_FREEZE_ORGANISATION, KIND_REMOVE_ORGANISATION};
use yulian_types::encode;

const UNTIL: u64 = START_MS + 300_000;
const NEW_ORGANISATION: &str = "ly-data";

/// One node, and what its chain is asked for.
struct World {
    cluster: Cluster,
    api: TestChain,
    calls: u32,
}

/// An account by its first key, and the key that it signs with.
#[derive(Clone, Copy)]
struct Who {
    account: Digest,
    key: u8,
}

impl Who {
    fn first(key: u8) -> Self {
        let account = account_id(&sender_key(key).public_key());
        Self { account, key }
    }

    fn with_key(self, key: u8) -> Self {
        Self { key, ..self }
    }
}

fn key_bytes(key: &SecretKey) -> Bytes {
    Bytes::copy_from_slice(key.public_key().as_bytes())
}

impl World {
    async fn new(runtime: &TestRuntime) -> Self {
        let cluster = Cluster::start(runtime, 1, genesis("test", 4, 16)).await;
        let api = api(&cluster);
        Self { cluster, api, calls: 0 }
    }

    /// A block of this transaction, which must have its effect.
    async fn done(&self, transaction: Arc<SealedTransaction>) {
        let id = transaction.id;
        self.api.submit(bytes(&[transaction]), None).await;
        self.cluster.step(0, SECOND).await.unwrap();
        let result = self.api.transaction(id).await.unwrap().result.unwrap();
        assert!(result.success, "{result:?}");
    }

    async fn call(&mut self, by: Who, method: &str, arguments: Bytes) {
        self.calls += 1;
        let number = 10_000 + self.calls;
        let (genesis, by) = (&self.cluster.genesis, (by.account, &sender_key(by.key)));
        self.done(call_of(genesis, by, ("account", method), number, arguments, UNTIL))
            .await;
    }

    /// The only member decides.
    async fn decide(&mut self, proposal: u64, kind: u32, action: Bytes) {
        self.done(propose(&self.cluster.genesis, kind, action)).await;
        self.done(vote(&self.cluster.genesis, proposal)).await;
    }

    fn possession(&self, account: &Digest, key: u8) -> Bytes {
        let message = sm3::tagged(&tags::KEY_POSSESSION, &[&self.cluster.genesis.chain_id.0, &account.0]);
        Bytes::copy_from_slice(sender_key(key).sign(&message.0).unwrap().as_bytes())
    }

    async fn register(&mut self, who: Who, label: &str) {
        let arguments = encode(&proto::RegisterAccount {
            public_key: key_bytes(&sender_key(who.key)),
            roles: vec!["writer".into()],
            label: label.into(),
            possession: self.possession(&who.account, who.key),
        });
        self.call(Who::first(ADMIN), "register", arguments).await;
    }

    async fn rotate(&mut self, who: Who, key: u8) -> Who {
        let arguments = encode(&proto::RotateKey {
            account: who.account.to_vec().into(),
            public_key: key_bytes(&sender_key(key)),
            possession: self.possession(&who.account, key),
        });
        self.call(who, "rotate_key", arguments).await;
        who.with_key(key)
    }

    async fn add_organisation(&mut self, admin: Who) {
        let action = proto::AddOrganisation {
            id: NEW_ORGANISATION.into(),
            name: "洛阳市数据局".into(),
            member: false,
            admin_public_key: key_bytes(&sender_key(admin.key)),
            admin_label: "洛阳".into(),
            admin_possession: self.possession(&admin.account, admin.key),
        };
        self.decide(1, KIND_ADD_ORGANISATION, encode(&action)).await;
    }

    async fn deposit(&self, who: Who, number: u32) {
        let by = (who.account, &sender_key(who.key));
        self.done(deposit_of(&self.cluster.genesis, by, number, UNTIL)).await;
    }

    /// Who deposited, as a reader finds who has the pack, the file and the chain's digest.
    async fn depositor(&self, number: u32) -> Depositor {
        let pack = self.api.evidence_pack(evidence_digest(number), None).await.unwrap();
        let trust = Trust::chains([self.cluster.genesis.chain_id]);
        match verify_pack(&pack, Some(&file(number)), &trust, &FastVerifier::default()).unwrap() {
            Outcome::Proven(report) => report.depositor,
            other => panic!("{other:?}"),
        }
    }

    async fn assert_depositor(&self, number: u32, who: Who, account: (&str, NameSource), name: (&str, NameSource)) {
        let found = self.depositor(number).await;
        let label = found.label.as_ref().map(|(label, source)| (label.as_str(), *source));
        let organisation = found
            .organisation_name
            .as_ref()
            .map(|(name, source)| (name.as_str(), *source));
        assert_eq!((found.account, found.sender), (who.account, who.account));
        assert_eq!(found.key, sender_key(who.key).public_key());
        assert_eq!((label, organisation), (Some(account), Some(name)), "{number}");
    }
}

#[test]
fn packs_verify_whatever_became_of_the_depositor() {
    simulate(async |runtime| {
        let mut world = World::new(&runtime).await;
        let (newcomer, guest, writer) = (Who::first(200), Who::first(210), Who::first(40));
        world.register(newcomer, "新窗口").await;
        world.add_organisation(guest).await;
        world.deposit(newcomer, 1).await;
        world.deposit(guest, 2).await;
        world.deposit(writer, 3).await;
        let newcomer_later = world.rotate(newcomer, 201).await;
        let writer_later = world.rotate(writer, 141).await;
        world.deposit(newcomer_later, 4).await;
        world.deposit(writer_later, 5).await;
        // Nobody signs with these keys any more, the account is frozen, and the organisation gone.
        world.rotate(newcomer_later, 202).await;
        world.rotate(writer_later, 142).await;
        let freeze = encode(&proto::FreezeAccount {
            account: newcomer.account.to_vec().into(),
            reason: "test".into(),
        });
        world.call(Who::first(ADMIN), "freeze", freeze).await;
        let id = encode(&proto::OrganisationId {
            id: NEW_ORGANISATION.into(),
        });
        world.decide(2, KIND_FREEZE_ORGANISATION, id.clone()).await;
        world.decide(3, KIND_REMOVE_ORGANISATION, id).await;
        world.cluster.step(0, SECOND).await.unwrap();

        use NameSource::{Genesis, State};
        let (home, guests) = (("郑州市大数据管理局", Genesis), ("洛阳市数据局", State));
        world.assert_depositor(1, newcomer, ("新窗口", State), home).await;
        world.assert_depositor(2, guest, ("洛阳", State), guests).await;
        world.assert_depositor(3, writer, ("account 40", Genesis), home).await;
        world.assert_depositor(4, newcomer_later, ("新窗口", State), home).await;
        world
            .assert_depositor(5, writer_later, ("account 40", Genesis), home)
            .await;
    });
}
