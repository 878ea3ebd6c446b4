//! Blocks executed on 1, 2, 4 and 8 threads yield what they yield one transaction after the other: random blocks full of
//! conflicts, on a stack of blocks that are not final.

use crate::world::{World, id_bytes, id_of, proposal, public, secret};
use bytes::Bytes;
use proptest::prelude::*;
use prost::Message;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
};
use yulian_crypto::{Digest, sm2::FastVerifier};
use yulian_exec::{Anchor, Executed, MemoryBase, Speculation, bootstrap};
use yulian_modules::{
    governance::{KIND_ADD_ORGANISATION, KIND_FREEZE_ORGANISATION, KIND_SET_PARAMETER},
    registry,
};
use yulian_state::workers::Workers;
use yulian_types::{SealedBlock, SealedTransaction, StateKey, TransactionBuilder, encode, proto};

/// Threads that take the next number each.
struct Crew(usize);

impl Workers for Crew {
    fn threads(&self) -> usize {
        self.0
    }

    fn run(&self, count: usize, job: &(dyn Fn(usize) + Sync)) {
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(at) = Some(next.fetch_add(1, Relaxed)).filter(|at| *at < count) {
                job(at);
            }
        };
        thread::scope(|scope| {
            for _ in 1..self.0 {
                scope.spawn(work);
            }
            work();
        });
    }
}

/// The caller's thread, last piece first: an order in which threads seldom come.
struct Backwards;

impl Workers for Backwards {
    fn threads(&self) -> usize {
        3
    }

    fn run(&self, count: usize, job: &(dyn Fn(usize) + Sync)) {
        (0..count).rev().for_each(job);
    }
}

const ORGANISATIONS: [&str; 3] = ["a", "b", "c"];
const DIGESTS: u16 = 60;
const LIMIT: u64 = 10_000_000;

#[derive(Debug, Clone)]
enum Deed {
    Deposit(u16),
    Batch(u16, u64),
    Supersede(u16, u16),
    Revoke(u16),
    /// The writer's key is replaced by number n of its keys.
    Rotate(u8),
    Freeze(bool),
    /// A new account, numbered.
    Register(u8),
    /// A deposit by such an account, whether or not there is one.
    DepositBy(u8, u16),
    ProposeParameter(u64),
    ProposeFreeze,
    ProposeOrganisation(u8),
    Vote(u64, bool),
    Nonsense(&'static str),
}

/// Keys that a transaction declares.
#[derive(Debug, Clone, Copy)]
enum Declared {
    Nothing,
    /// Those of the digests that it names.
    Right,
    /// Some other digest's.
    Wrong(u16),
}

#[derive(Debug, Clone)]
struct Act {
    organisation: usize,
    deed: Deed,
    declared: Declared,
    limit: u64,
    /// The number of the key that signs for the writer: after a rotation the old one is wrong.
    key: u8,
}

fn deed() -> impl Strategy<Value = Deed> {
    let digest = || 1..DIGESTS;
    prop_oneof![
        30 => digest().prop_map(Deed::Deposit),
        // So many that most of a block has no conflict.
        60 => (1_000..u16::MAX).prop_map(Deed::Deposit),
        4 => (digest(), 0..3u64).prop_map(|(digest, count)| Deed::Batch(digest, count)),
        10 => (digest(), digest()).prop_map(|(digest, by)| Deed::Supersede(digest, by)),
        10 => digest().prop_map(Deed::Revoke),
        1 => (0..3u8).prop_map(Deed::Rotate),
        2 => any::<bool>().prop_map(Deed::Freeze),
        2 => (0..4u8).prop_map(Deed::Register),
        4 => (0..4u8, digest()).prop_map(|(account, digest)| Deed::DepositBy(account, digest)),
        1 => (300_000..300_003u64).prop_map(Deed::ProposeParameter),
        1 => Just(Deed::ProposeFreeze),
        1 => (0..3u8).prop_map(Deed::ProposeOrganisation),
        3 => (1..6u64, any::<bool>()).prop_map(|(proposal, approve)| Deed::Vote(proposal, approve)),
        2 => prop_oneof![Just("evidence.nothing"), Just("nothing.deposit")].prop_map(Deed::Nonsense),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let declared = prop_oneof![
        6 => Just(Declared::Nothing),
        3 => Just(Declared::Right),
        1 => (1..DIGESTS).prop_map(Declared::Wrong),
    ];
    let limit = prop_oneof![9 => Just(LIMIT), 1 => prop_oneof![500..1_500u64, 10_000..30_000u64]];
    let key = prop_oneof![8 => Just(0u8), 1 => 0..3u8];
    (0..ORGANISATIONS.len(), deed(), declared, limit, key).prop_map(|(organisation, deed, declared, limit, key)| Act {
        organisation,
        deed,
        declared,
        limit,
        key,
    })
}

/// A block: how far back its parent is, and what it holds.
fn plan() -> impl Strategy<Value = Vec<(usize, Vec<Act>)>> {
    let sizes = prop_oneof![0..70usize, 200..700usize];
    let acts = sizes.prop_flat_map(|size| proptest::collection::vec(act(), size));
    proptest::collection::vec((prop_oneof![4 => Just(0usize), 1 => 0..3usize], acts), 1..6)
}

fn digest(number: u16) -> Digest {
    let mut bytes = [1; 32];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    Digest(bytes)
}

fn key_name(account: &str, number: u8) -> String {
    match number {
        0 => account.into(),
        number => format!("{account} key {number}"),
    }
}

/// Sender, key, method and arguments.
fn call(world: &World, act: &Act) -> (String, String, &'static str, Bytes) {
    let own = ORGANISATIONS[act.organisation];
    let (admin, writer) = (format!("admin-{own}"), format!("writer-{own}"));
    let bytes = |number: u16| Bytes::from(digest(number).to_vec());
    let by_writer = |method, message: Bytes| (writer.clone(), key_name(&writer, act.key), method, message);
    let by_admin = |method, message: Bytes| (admin.clone(), admin.clone(), method, message);
    let deposit = |number: u16| {
        encode(&proto::Deposit {
            digest: bytes(number),
            ..Default::default()
        })
    };
    match act.deed {
        Deed::Deposit(number) => by_writer("evidence.deposit", deposit(number)),
        Deed::Batch(number, count) => by_writer(
            "evidence.deposit_batch",
            encode(&proto::DepositBatch {
                root: bytes(number),
                count,
                ..Default::default()
            }),
        ),
        Deed::Supersede(number, by) => by_writer(
            "evidence.supersede",
            encode(&proto::Supersede {
                digest: bytes(number),
                by: bytes(by),
                reason: "r".into(),
            }),
        ),
        Deed::Revoke(number) => by_writer(
            "evidence.revoke",
            encode(&proto::Revoke {
                digest: bytes(number),
                reason: "r".into(),
            }),
        ),
        Deed::Rotate(number) => {
            let key = key_name(&writer, number);
            let rotation = proto::RotateKey {
                account: id_bytes(&writer),
                public_key: public(&key),
                possession: world.possession(&key, &id_of(&writer)),
            };
            by_admin("account.rotate_key", encode(&rotation))
        }
        Deed::Freeze(true) => by_admin(
            "account.freeze",
            encode(&proto::FreezeAccount {
                account: id_bytes(&writer),
                reason: "r".into(),
            }),
        ),
        Deed::Freeze(false) => by_admin(
            "account.unfreeze",
            encode(&proto::UnfreezeAccount {
                account: id_bytes(&writer),
            }),
        ),
        Deed::Register(number) => {
            let registration = world.registration(&newcomer(number), &["writer"]);
            by_admin("account.register", encode(&registration))
        }
        Deed::DepositBy(number, what) => {
            let name = newcomer(number);
            (name.clone(), name, "evidence.deposit", deposit(what))
        }
        Deed::ProposeParameter(value) => {
            let set = proto::SetParameter {
                name: "heartbeat_ms".into(),
                value,
            };
            by_admin("governance.propose", encode(&proposal(KIND_SET_PARAMETER, &set)))
        }
        Deed::ProposeFreeze => {
            let id = proto::OrganisationId { id: "e".into() };
            by_admin("governance.propose", encode(&proposal(KIND_FREEZE_ORGANISATION, &id)))
        }
        Deed::ProposeOrganisation(number) => {
            let id = format!("new-{number}");
            let addition = proto::AddOrganisation {
                name: id.clone(),
                admin_public_key: public(&id),
                admin_label: "管理员".into(),
                admin_possession: world.possession(&id, &id_of(&id)),
                id,
                member: true,
            };
            by_admin(
                "governance.propose",
                encode(&proposal(KIND_ADD_ORGANISATION, &addition)),
            )
        }
        Deed::Vote(proposal, approve) => by_admin("governance.vote", encode(&proto::Vote { proposal, approve })),
        Deed::Nonsense(method) => by_writer(method, Bytes::new()),
    }
}

fn newcomer(number: u8) -> String {
    format!("newcomer {number}")
}

fn declared(act: &Act) -> Vec<Bytes> {
    let own = ORGANISATIONS[act.organisation];
    let key = |number: u16| StateKey::evidence(&digest(number), own).declared();
    match (act.declared, &act.deed) {
        (Declared::Nothing, _) => vec![],
        (Declared::Wrong(number), _) => vec![key(number)],
        (_, Deed::Deposit(number) | Deed::Batch(number, _) | Deed::Revoke(number)) => vec![key(*number)],
        (_, Deed::Supersede(number, by)) => {
            let keys = std::collections::BTreeSet::from([key(*number), key(*by)]);
            keys.into_iter().collect()
        }
        _ => vec![],
    }
}

fn transaction(world: &World, act: &Act, nonce: u64) -> Arc<SealedTransaction> {
    let (sender, key, call, arguments) = call(world, act);
    let (module, method) = call.split_once('.').expect("module.method");
    let (chain, until) = (world.genesis.chain_id, world.tip().time_ms() + 300_000);
    let nonce = u128::from(nonce).to_be_bytes();
    let builder = TransactionBuilder::new(chain, id_of(&sender), nonce, until, module, method, arguments);
    let builder = builder.metering_limit(act.limit).declared_keys(declared(act));
    let (bytes, _) = builder.sign(&secret(&key)).expect("signs");
    Arc::new(SealedTransaction::decode(bytes).expect("well formed"))
}

/// Everything that executing yields, also what only its own crate sees.
fn all_of(executed: &Executed) -> String {
    format!("{executed:?}")
}

struct Chain {
    base: MemoryBase,
    chain: Speculation<MemoryBase>,
}

fn chain(world: &World, workers: Option<Arc<dyn Workers>>) -> Chain {
    let first = bootstrap(&world.genesis).expect("a state");
    let base = MemoryBase::default();
    base.commit(&first.writes);
    let verifier = Arc::new(FastVerifier::default());
    let anchor = Anchor::genesis(&first);
    let chain = Speculation::resume(&world.genesis, registry(), verifier, base.clone(), anchor).expect("resumes");
    let chain = match workers {
        Some(workers) => chain.with_workers(workers),
        None => chain,
    };
    Chain { base, chain }
}

impl Chain {
    fn finalize(&mut self, digest: &Digest) {
        let done = self.chain.finalize(digest).expect("final");
        self.base.commit(&done.executed.writes);
        self.chain.committed(done.executed.height());
    }

    /// What the senders that are known after a block say about everybody.
    fn judgements(&mut self, tip: &Digest, probes: &[Arc<SealedTransaction>]) -> Vec<String> {
        let time = self.chain.executed(tip).expect("executed").time_ms() + 1;
        let judge = |probe: &Arc<SealedTransaction>| {
            let judged = self.chain.judge(tip, probe, time).expect("judged");
            judged.err().map_or(String::new(), |failure| failure.to_string())
        };
        probes.iter().map(judge).collect()
    }
}

/// A transaction of every account by every key that it may have.
fn probes(world: &World) -> Vec<Arc<SealedTransaction>> {
    let mut acts = Vec::new();
    for organisation in 0..ORGANISATIONS.len() {
        let act = |deed, key| Act {
            organisation,
            deed,
            declared: Declared::Nothing,
            limit: LIMIT,
            key,
        };
        acts.extend((0..3).map(|key| act(Deed::Deposit(7), key)));
        acts.push(act(Deed::Freeze(true), 0));
        acts.extend((0..4).map(|number| act(Deed::DepositBy(number, 7), 0)));
    }
    let sealed = acts.iter().zip(u64::MAX / 2..);
    sealed.map(|(act, nonce)| transaction(world, act, nonce)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(15), ..ProptestConfig::default() })]

    #[test]
    fn any_number_of_threads_yields_what_one_does(plan in plan()) {
        let world = World::new();
        let mut serial = chain(&world, None);
        let crews: [Arc<dyn Workers>; 5] = [Arc::new(Crew(1)), Arc::new(Crew(2)), Arc::new(Crew(4)), Arc::new(Crew(8)), Arc::new(Backwards)];
        let mut others: Vec<Chain> = crews.into_iter().map(|crew| chain(&world, Some(crew))).collect();
        let probes = probes(&world);
        let genesis = world.tip().digest;
        let mut blocks: Vec<Digest> = vec![genesis];
        let mut parents = BTreeMap::new();
        let mut nonce = 0;
        for (back, acts) in &plan {
            let parent = blocks[blocks.len() - 1 - back.min(&(blocks.len() - 1))];
            let executed = serial.chain.executed(&parent).expect("executed").clone();
            let transactions = acts.iter().map(|act| { nonce += 1; transaction(&world, act, nonce) }).collect();
            let header = serial.chain.header_for(&parent, executed.time_ms() + 1_000 + nonce, &world.round(&executed));
            let block = SealedBlock::build(header.expect("a header"), transactions);
            let expected = all_of(&serial.chain.execute(&block).expect("executes"));
            let judged = serial.judgements(&block.digest, &probes);
            for other in &mut others {
                let found = all_of(&other.chain.execute(&block).expect("executes"));
                prop_assert!(found == expected, "another result than one after the other");
                prop_assert_eq!(&other.judgements(&block.digest, &probes), &judged);
            }
            parents.insert(block.digest, parent);
            blocks.push(block.digest);
        }
        // The branch of the last block becomes final.
        let last = *blocks.last().expect("genesis at least");
        let mut branch: Vec<Digest> = std::iter::successors(Some(last), |digest| parents.get(digest).copied()).collect();
        branch.pop();
        for digest in branch.iter().rev() {
            serial.finalize(digest);
            others.iter_mut().for_each(|other| other.finalize(digest));
        }
        for other in &mut others {
            let tip = other.chain.last_final();
            prop_assert_eq!(tip.tree.root(), serial.chain.last_final().tree.root());
        }
    }
}

/// The random blocks are worth something only if all of this happens in them.
#[test]
fn the_random_blocks_hold_every_kind_of_conflict() {
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(
        ProptestConfig::default(),
        proptest::test_runner::TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &[15; 32]),
    );
    let world = World::new();
    let mut codes: BTreeMap<String, usize> = BTreeMap::new();
    let mut nonce = 0;
    for _ in 0..24 {
        let tree = plan().new_tree(&mut runner).expect("a plan");
        let mut chain = chain(&world, None);
        for (_, acts) in proptest::strategy::ValueTree::current(&tree) {
            let tip = chain.chain.last_final().clone();
            let sealed = acts.iter().map(|act| {
                nonce += 1;
                transaction(&world, act, nonce)
            });
            let sealed = sealed.collect();
            let header = chain
                .chain
                .header_for(&tip.digest, tip.time_ms() + 1_000, &world.round(&tip));
            let block = SealedBlock::build(header.expect("a header"), sealed);
            let executed = chain.chain.execute(&block).expect("executes");
            for receipt in &executed.receipts {
                let receipt = proto::Receipt::decode(receipt.clone()).expect("a receipt");
                *codes.entry(receipt.code).or_default() += 1;
            }
            chain.finalize(&block.digest);
        }
    }
    for code in [
        "",
        "exec.account_frozen",
        "exec.metering_exceeded",
        "exec.undeclared_key",
        "exec.unknown_method",
        "exec.unknown_module",
        "exec.unknown_sender",
        "exec.wrong_key",
        "evidence.already_deposited",
        "evidence.not_active",
        "evidence.not_found",
        "governance.already_voted",
    ] {
        assert!(codes.contains_key(code), "{code} never happens: {codes:?}");
    }
}
