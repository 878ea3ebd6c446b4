//! CPU of what other chains prove to this one: headers with their finality proofs, and packets under them; bytes of a packet's proof.
//!
//! `cargo run --release -p yulian-modules --example link_bench [-- --keys 1000,1000000]` executes `link.carry` as a chain does, on
//! one thread (Linux), and prints CPU time of that thread. The chain that is followed has validators whose keys are all used here, and
//! for each number after `--keys` a state of so many keys. A proof's largest size is over 2,000 packets.

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
    Anchor, MemoryBase, RoundFacts, Speculation, bootstrap, default_charter, default_parameters, path_of,
};
use yulian_modules::{
    link::{ITEMS_MAX, TABLE_ROUTES, UPDATES_MAX},
    registry,
};
use yulian_state::{
    Tree,
    write_set::{self, Write},
};
use yulian_types::{
    FinalityProof, SealedBlock, SealedGenesis, SealedPacket, SealedTransaction, StateKey, TransactionBuilder,
    ValidatorSet, account_id, block_digest, encode, finality_message,
    packet::CARRY_RELAY,
    proto::{self, Carry, CarryAnswer, CarryItem, LinkClient, LinkProof, LinkRange, LinkUpdate},
    state_keys::{LINK_ACTIVE, LINK_ID},
};

/// What is asked for, µs and bytes.
const UPDATE_US_MAX: f64 = 2_000.0;
const PROOF_BYTES_MAX: usize = 4_096;
const START_MS: u64 = 1_700_000_000_000;
const TRUST_MS: u64 = 30 * 24 * 3_600_000;
/// Transactions that are measured of each kind.
const ROUNDS: u64 = 60;
/// Packets whose proofs are measured.
const PACKETS: u64 = 2_000;
/// Table of `link`: validator sets of other chains by digest.
const TABLE_SET: u8 = 9;
const CLOUDS: [&str; 4] = ["联通", "移动", "电信", "浪潮"];

fn secret(name: &str) -> SecretKey {
    SecretKey::from_bytes(&sm3::hash(&[name.as_bytes()]).0).expect("a digest is a key")
}

fn genesis(name: &str, validators: &[SecretKey]) -> SealedGenesis {
    let validator = |(at, key): (usize, &SecretKey)| proto::Validator {
        public_key: Bytes::copy_from_slice(key.public_key().as_bytes()),
        name: format!("node-{at}"),
        cloud: CLOUDS[at % CLOUDS.len()].into(),
        organisation: "bench".into(),
    };
    let set = ValidatorSet::new(validators.iter().enumerate().map(validator).collect()).expect("a set");
    let carrier = secret("carrier").public_key();
    SealedGenesis::new(proto::Genesis {
        version: 1,
        name: name.into(),
        time_ms: START_MS,
        protocol_version: 1,
        epoch_length: 1_000_000,
        validators: Some(set.message().clone()),
        organisations: vec![proto::Organisation {
            id: "bench".into(),
            name: "bench".into(),
            member: true,
            ..Default::default()
        }],
        accounts: vec![proto::Account {
            id: account_id(&carrier).to_vec().into(),
            organisation: "bench".into(),
            public_key: Bytes::copy_from_slice(carrier.as_bytes()),
            roles: vec!["admin".into()],
            label: "carrier".into(),
            ..Default::default()
        }],
        charter: Some(default_charter()),
        parameters: default_parameters(),
        modules: ["evidence", "link", "notice", "verification", "voucher"]
            .map(String::from)
            .to_vec(),
        ..Default::default()
    })
    .expect("a genesis")
}

/// The chain that is followed: one state, and as many headers that prove it as are asked for.
struct Source {
    genesis: SealedGenesis,
    keys: Vec<SecretKey>,
    tree: Tree,
    packets: Vec<SealedPacket>,
}

impl Source {
    fn new(validators: usize, keys: u64, destination: &Digest) -> Self {
        let secrets: Vec<SecretKey> = (0..validators).map(|at| secret(&format!("validator {at}"))).collect();
        let genesis = genesis("source", &secrets);
        let packet = |sequence| packet(&genesis.chain_id, destination, sequence);
        let packets: Vec<SealedPacket> = (1..=PACKETS).map(packet).collect();
        let sent = packets
            .iter()
            .map(|packet| write(packet.sent_key(), packet.bytes.clone()));
        let mut tree = Tree::new().apply(&write_set::changes(&sent.collect::<Vec<_>>()));
        let others: Vec<u64> = (0..keys.saturating_sub(PACKETS)).collect();
        for some in others.chunks(50_000) {
            let other = |number: &u64| {
                let digest = sm3::hash(&[b"other", &number.to_be_bytes()]);
                write(StateKey::evidence(&digest, "others"), digest.to_vec().into())
            };
            let writes: Vec<Write> = some.iter().map(other).collect();
            tree = tree.apply(&write_set::changes(&writes));
        }
        // Signers are named in the order of the set.
        let order = genesis.validators.keys();
        let mut keys = secrets;
        keys.sort_by_key(|key| order.iter().position(|own| *own == key.public_key()));
        Self {
            genesis,
            keys,
            tree,
            packets,
        }
    }

    /// The update that brings the header of a height, signed by a quorum.
    fn update(&self, height: u64) -> LinkUpdate {
        let set = &self.genesis.validators;
        let header = encode(&proto::BlockHeader {
            chain_id: self.genesis.chain_id.to_vec().into(),
            height,
            parent: sm3::hash(&[&height.to_be_bytes()]).to_vec().into(),
            time_ms: START_MS + height,
            protocol_version: 1,
            parent_state_root: self.tree.root().to_vec().into(),
            parent_receipt_root: Digest::ZERO.to_vec().into(),
            parent_write_set_root: Digest::ZERO.to_vec().into(),
            parent_message_root: Digest::ZERO.to_vec().into(),
            transaction_root: Digest::ZERO.to_vec().into(),
            validators: set.digest().to_vec().into(),
            next_validators: set.digest().to_vec().into(),
            ..Default::default()
        });
        let digest = block_digest(&header);
        let message = finality_message(&self.genesis.chain_id, 0, height, height - 1, &digest);
        let quorum = set.quorum();
        let sign = |key: &SecretKey| key.sign(&message).expect("signs");
        let proof = FinalityProof {
            epoch: 0,
            view: height,
            parent_view: height - 1,
            digest,
            signers: (0..quorum as u32).collect(),
            set_size: set.len() as u32,
            signatures: self.keys[..quorum].iter().map(sign).collect(),
        };
        LinkUpdate {
            chain_id: self.genesis.chain_id.to_vec().into(),
            headers: vec![header],
            finality: proof.encode(),
            ..Default::default()
        }
    }

    fn proof(&self, packet: &SealedPacket, height: u64) -> LinkProof {
        let proof = self.tree.prove(&path_of(&packet.sent_key())).expect("in memory");
        LinkProof {
            height,
            proof: proof.to_bytes().into(),
        }
    }

    fn item(&self, packet: &SealedPacket, height: u64) -> CarryItem {
        CarryItem {
            kind: CARRY_RELAY,
            packet: packet.bytes.clone(),
            proof: Some(self.proof(packet, height)),
            ..Default::default()
        }
    }
}

fn packet(source: &Digest, destination: &Digest, sequence: u64) -> SealedPacket {
    let inquiry = proto::Inquiry {
        kind: 1,
        digest: sm3::hash(&[&sequence.to_be_bytes()]).to_vec().into(),
        organisation: "zhengzhou-data".into(),
        ..Default::default()
    };
    SealedPacket::new(proto::Packet {
        source: source.to_vec().into(),
        destination: destination.to_vec().into(),
        module: "verification".into(),
        method: "ask".into(),
        sequence,
        organisation: "kaifeng-data".into(),
        sender: vec![7; 32].into(),
        payload: encode(&inquiry),
        timeout_ms: START_MS + TRUST_MS,
        end_to_end: true,
        ..Default::default()
    })
    .expect("a packet")
}

fn write(key: StateKey, value: Bytes) -> Write {
    Write {
        module_id: key.module_id,
        key: key.key,
        value: Some(value),
    }
}

/// The relay chain, which knows the source and the destination and lets everything pass.
struct Relay {
    chain: Speculation<MemoryBase>,
    base: MemoryBase,
    genesis: SealedGenesis,
    nonce: u128,
}

impl Relay {
    fn new(linked: &[&SealedGenesis]) -> Self {
        let keys: Vec<SecretKey> = (0..4).map(|at| secret(&format!("relay {at}"))).collect();
        let genesis = genesis("relay", &keys);
        let first = bootstrap(&genesis).expect("a state");
        let base = MemoryBase::default();
        base.commit(&first.writes);
        let mut anchor = Anchor::genesis(&first);
        let any = Digest::ZERO.to_vec();
        let route = proto::SetRoute {
            source: any.clone().into(),
            destination: any.into(),
            ..Default::default()
        };
        let routes = proto::RouteList { routes: vec![route] };
        let mut writes = vec![write(StateKey::new(LINK_ID, TABLE_ROUTES, &[]), encode(&routes))];
        writes.extend(linked.iter().flat_map(|other| client(other)));
        anchor.tree = anchor.tree.apply(&write_set::changes(&writes));
        base.commit(&writes);
        let verifier = Arc::new(FastVerifier::default());
        let chain = Speculation::resume(&genesis, registry(), verifier, base.clone(), anchor).expect("resumes");
        Self {
            chain,
            base,
            genesis,
            nonce: 0,
        }
    }

    /// CPU time of a block with one transaction, and how many parts of it succeeded.
    fn carry(&mut self, carry: &Carry) -> (Duration, usize) {
        let tip = self.chain.last_final().clone();
        let time = tip.time_ms() + 200;
        self.nonce += 1;
        let key = secret("carrier");
        let (sender, nonce) = (account_id(&key.public_key()), self.nonce.to_be_bytes());
        let id = self.genesis.chain_id;
        let builder = TransactionBuilder::new(id, sender, nonce, time + 60_000, "link", "carry", encode(carry));
        let (bytes, _) = builder.metering_limit(10_000_000).sign(&key).expect("signs");
        let transaction = Arc::new(SealedTransaction::decode(bytes).expect("well formed"));
        let round = RoundFacts {
            epoch: 0,
            validators: self.genesis.validators.digest(),
        };
        let header = self.chain.header_for(&tip.digest, time, &round).expect("a header");
        let sealed = SealedBlock::build(header, vec![transaction]);
        let from = cpu();
        let executed = self.chain.execute(&sealed).expect("executes");
        let spent = cpu() - from;
        let receipt = <proto::Receipt as prost::Message>::decode(executed.receipts[0].clone()).expect("a receipt");
        assert_eq!(receipt.status, 0, "{} {}", receipt.code, receipt.detail);
        let answer = <CarryAnswer as prost::Message>::decode(receipt.output).expect("an answer");
        let codes = answer.updates.iter().chain(&answer.items);
        let done = codes.filter(|code| code.is_empty()).count();
        self.base.commit(&executed.writes);
        self.chain.finalize(&sealed.digest).expect("final");
        self.chain.committed(executed.height());
        (spent, done)
    }
}

/// What a chain keeps of another at genesis.
fn client(of: &SealedGenesis) -> Vec<Write> {
    let set = &of.validators;
    let client = LinkClient {
        chain_id: of.chain_id.to_vec().into(),
        name: of.message.name.clone(),
        epoch_length: of.message.epoch_length,
        trust_period_ms: TRUST_MS,
        status: LINK_ACTIVE,
        digest: of.block().digest.to_vec().into(),
        time_ms: START_MS,
        ranges: vec![LinkRange {
            validators: set.digest().to_vec().into(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let set_key = StateKey::new(LINK_ID, TABLE_SET, &[&of.chain_id.0, &set.digest().0]);
    vec![
        write(StateKey::link_client(&of.chain_id), encode(&client)),
        write(set_key, set.encode()),
    ]
}

fn cpu() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// The numbers after an option.
fn option(name: &str) -> Option<Vec<u64>> {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|argument| argument == name)?;
    let numbers = arguments.get(at + 1)?.split(',').map(str::parse);
    Some(numbers.collect::<Result<_, _>>().expect("numbers"))
}

fn median(mut times: Vec<f64>) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[times.len() - 1])
}

/// CPU µs of an update: of a transaction with as many as there may be, and of one with a single one, transaction and block included.
fn updates(validators: usize) {
    let destination = genesis(
        "destination",
        &[0, 1, 2, 3].map(|at| secret(&format!("destination {at}"))),
    );
    let source = Source::new(validators, PACKETS, &destination.chain_id);
    let mut relay = Relay::new(&[&source.genesis, &destination]);
    let (mut many, mut alone) = (Vec::new(), Vec::new());
    let mut height = 0;
    for _ in 0..ROUNDS {
        for (count, times) in [(UPDATES_MAX as u64, &mut many), (1, &mut alone)] {
            let updates: Vec<LinkUpdate> = (1..=count).map(|more| source.update(height + more)).collect();
            height += count;
            let carry = Carry {
                updates,
                items: Vec::new(),
            };
            let (spent, done) = relay.carry(&carry);
            assert_eq!(done as u64, count);
            times.push(spent.as_secs_f64() * 1e6 / count as f64);
        }
    }
    let bytes = prost::Message::encoded_len(&source.update(1));
    let ((many, _), (alone, worst)) = (median(many), median(alone));
    println!(
        "header update, {validators:>2} validators: {many:6.1} µs CPU of {UPDATES_MAX} in a transaction, {alone:6.1} alone (longest {worst:.1}), \
         {bytes} bytes; target {UPDATE_US_MAX} µs: {:.2} of it",
        alone / UPDATE_US_MAX
    );
}

/// CPU µs of a packet that is relayed, and the bytes of its proof.
fn packets(keys: u64) {
    let destination = genesis(
        "destination",
        &[0, 1, 2, 3].map(|at| secret(&format!("destination {at}"))),
    );
    let source = Source::new(4, keys, &destination.chain_id);
    let mut relay = Relay::new(&[&source.genesis, &destination]);
    let mut times = Vec::new();
    for (at, some) in source.packets.chunks(ITEMS_MAX).enumerate() {
        let height = at as u64 + 1;
        let header = Carry {
            updates: vec![source.update(height)],
            items: Vec::new(),
        };
        relay.carry(&header);
        let carry = Carry {
            updates: Vec::new(),
            items: some.iter().map(|packet| source.item(packet, height)).collect(),
        };
        let (spent, done) = relay.carry(&carry);
        assert_eq!(done, some.len());
        times.push(spent.as_secs_f64() * 1e6 / some.len() as f64);
    }
    let size = |packet: &SealedPacket| source.proof(packet, 1).proof.len();
    let mut sizes: Vec<usize> = source.packets.iter().map(size).collect();
    sizes.sort_unstable();
    let item = prost::Message::encoded_len(&source.item(&source.packets[0], 1));
    let (each, _) = median(times);
    let largest = sizes[sizes.len() - 1];
    println!(
        "packet under a kept header, {keys:>8} keys: {each:5.1} µs CPU; proof {} bytes, largest {largest}; with the packet {item}; \
         target {PROOF_BYTES_MAX} bytes: {:.2} of it",
        sizes[sizes.len() / 2],
        largest as f64 / PROOF_BYTES_MAX as f64
    );
}

fn main() {
    [4, 7, 16].into_iter().for_each(updates);
    let keys = option("--keys").unwrap_or_else(|| vec![PACKETS, 1_000_000]);
    keys.into_iter().for_each(packets);
}
