//! A chain all of whose validators lie: it has no blocks, only headers that they sign over whatever state suits them.
//!
//! It takes what is sent to it, or refuses it, or shows that it is late, as it likes; it claims vouchers that it never had, those that
//! are on their way to it, and those that it gave back before; it says one thing here and another there.

use super::{
    keys::{CAPTURED, CHAINS, CITIES, HUB, ORGANISATION, captured_key, carrier_key, holder_id},
    net::Net,
    proof::Session,
};
use bytes::Bytes;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};
use yulian_agents::relay::{Event, PacketKey};
use yulian_crypto::sm2::Signer as _;
use yulian_state::{Path, Tree, value_hash};
use yulian_types::{
    Digest, FinalityProof, SealedPacket, StateKey, block_digest, encode, finality_message,
    packet::{CARRY_ACKNOWLEDGE, CARRY_RECEIVE, CARRY_RELAY, CARRY_TIME_OUT},
    proto::{Carry, CarryItem, LinkConflict, LinkProof, LinkUpdate, Packet, PacketResult, VoucherMove, VoucherSeries},
    quorum,
    state_keys::{PACKET_DONE, PACKET_FAILED},
};

/// Its account among the carriers.
const ACCOUNT: usize = 2;
/// Pauses between its acts, ms.
const PAUSES_MS: std::ops::Range<u64> = 300..1_500;
/// How long it waits for a result, ms.
const PATIENCE_MS: u64 = 3_000;
/// Sequences that it claims to have used: few, so that they repeat.
const SEQUENCES: u64 = 24;
/// How far ahead its headers may lie, ms: a little less than what a light client takes.
const AHEAD_MS_MAX: u64 = 5 * 60_000;
/// Module id and tables of vouchers, as docs/cross-chain.md and the module name them.
const VOUCHER_ID: u32 = 6;
const TABLE_SERIES: u8 = 1;
const TABLE_OUTSIDE: u8 = 3;

/// What became of a transaction: nothing that must be known.
pub(crate) struct Captured {
    net: Arc<Net>,
    /// Home and id of each series.
    series: Vec<(usize, Digest)>,
    height: AtomicU64,
    time_ms: AtomicU64,
    /// Packets to it that have not ended, by place of their source.
    waiting: Mutex<BTreeMap<(usize, PacketKeyOrd), ()>>,
    followed: Mutex<[u64; CHAINS]>,
    /// Claims that it brought to a home chain.
    pub(crate) claims: AtomicUsize,
}

/// Module and sequence.
type PacketKeyOrd = (String, u64);

impl Captured {
    pub(crate) fn new(net: Arc<Net>, series: &[Digest]) -> Self {
        let start = net.captured.message.time_ms;
        Self {
            net,
            series: series.iter().enumerate().map(|(at, id)| (at + 1, *id)).collect(),
            height: AtomicU64::new(0),
            time_ms: AtomicU64::new(start),
            waiting: Mutex::default(),
            followed: Mutex::new([0; CHAINS]),
            claims: AtomicUsize::new(0),
        }
    }

    /// Lies until it is dropped; once the network is quiet it only ends what others sent to it.
    pub(crate) async fn run(&self, mut random: StdRng) {
        loop {
            self.net.pause(random.random_range(PAUSES_MS)).await;
            self.listen(&mut random);
            if self.net.is_quiet() || random.random_range(0..3) == 0 {
                self.end_one(&mut random).await;
            } else {
                self.claim(&mut random).await;
            }
        }
    }

    /// Hears what others sent to it.
    fn listen(&self, random: &mut StdRng) {
        let id = self.net.id(CAPTURED);
        for city in 1..=CITIES {
            let after = self.followed.lock().expect("heights")[city];
            for block in self.net.blocks(random, city, after) {
                for event in &block.events {
                    let (Some(what), Some(key)) = (Event::parse(&event.name), PacketKey::parse(&event.data)) else {
                        continue;
                    };
                    if key.destination != id || key.source != self.net.id(city) {
                        continue;
                    }
                    let mut waiting = self.waiting.lock().expect("packets");
                    match what {
                        Event::Sent => waiting.insert((city, (key.module, key.sequence)), ()),
                        Event::Ended => waiting.remove(&(city, (key.module, key.sequence))),
                        _ => None,
                    };
                }
                self.followed.lock().expect("heights")[city] = block.height;
            }
        }
    }

    /// A header of the next height that carries this state, not before `time_ms`, and what brings it.
    fn head(&self, state: &Tree, time_ms: u64) -> (u64, LinkUpdate) {
        let height = self.height.fetch_add(1, Relaxed) + 1;
        // Behind the clocks that are furthest behind, if it can be chosen: no chain refuses it for being ahead.
        let now = (0..CHAINS)
            .map(|chain| self.net.now_ms(chain))
            .min()
            .unwrap_or_default();
        let time_ms = time_ms.max(now).max(self.time_ms.load(Relaxed) + 1);
        self.time_ms.store(time_ms, Relaxed);
        (height, self.sign(height, time_ms, state))
    }

    fn sign(&self, height: u64, time_ms: u64, state: &Tree) -> LinkUpdate {
        let genesis = &self.net.captured;
        let mut header = genesis.block().header.clone();
        header.height = height;
        header.time_ms = time_ms;
        header.parent = genesis.block().digest.to_vec().into();
        header.parent_state_root = state.root().to_vec().into();
        let bytes = encode(&header);
        let (set, digest) = (&genesis.validators, block_digest(&bytes));
        let (view, parent_view) = (height, height - 1);
        let text = finality_message(&genesis.chain_id, header.epoch, view, parent_view, &digest);
        let signers: Vec<u32> = (0..quorum(set.len()) as u32).collect();
        let sign = |at: &u32| {
            let key = captured_key(&set.validators()[*at as usize].public_key);
            key.sign(&text).expect("a key in memory signs")
        };
        let proof = FinalityProof {
            epoch: header.epoch,
            view,
            parent_view,
            digest,
            signatures: signers.iter().map(sign).collect(),
            signers,
            set_size: set.len() as u32,
        };
        LinkUpdate {
            chain_id: self.net.id_bytes(CAPTURED),
            headers: vec![bytes],
            finality: proof.encode(),
            ..Default::default()
        }
    }

    async fn carry(&self, random: &mut StdRng, at: usize, updates: Vec<LinkUpdate>, item: CarryItem) {
        let carry = Carry {
            updates,
            items: vec![item],
        };
        let key = carrier_key(ACCOUNT);
        let call = self
            .net
            .call(random, (at, &key), "link.carry", encode(&carry), PATIENCE_MS);
        call.await;
    }

    /// Ends one of the packets that were sent to it: done, refused or late.
    async fn end_one(&self, random: &mut StdRng) {
        let waiting: Vec<(usize, PacketKeyOrd)> = self.waiting.lock().expect("packets").keys().cloned().collect();
        if waiting.is_empty() {
            return;
        }
        let (city, (module, sequence)) = waiting[random.random_range(0..waiting.len())].clone();
        let id = self.net.id(CAPTURED);
        let Some(packet) = self.net.sent(random, city, (&id, &module, sequence)).await else {
            return;
        };
        let key = packet.result_key();
        let path = Path::of(key.module_id, &key.key);
        let furthest = self.net.now_ms(city) + AHEAD_MS_MAX;
        if random.random_range(0..3) == 0 && packet.message.timeout_ms < furthest {
            let nothing = Tree::from_sorted([(Path::of(1, b"nothing"), value_hash(b"nothing"))]);
            let (height, update) = self.head(&nothing, packet.message.timeout_ms);
            let item = made(CARRY_TIME_OUT, &packet, height, &nothing, &path);
            return self.carry(random, city, vec![update], item).await;
        }
        let done = random.random_range(0..4) > 0;
        let record = encode(&PacketResult {
            packet: packet.digest.to_vec().into(),
            status: if done { PACKET_DONE } else { PACKET_FAILED },
            code: if done {
                String::new()
            } else {
                "voucher.holder_not_found".into()
            },
            height: self.height.load(Relaxed),
            ..Default::default()
        });
        let state = Tree::from_sorted([(path, value_hash(&record))]);
        let (height, update) = self.head(&state, 0);
        let item = made(CARRY_ACKNOWLEDGE, &packet, height, &state, &path);
        self.carry(random, city, vec![update], CarryItem { record, ..item })
            .await;
    }

    /// Claims vouchers of a home chain: as many as it has, more, or those on their way to it.
    async fn claim(&self, random: &mut StdRng) {
        let (home, id) = self.series[random.random_range(0..self.series.len())];
        let series: Option<VoucherSeries> = self
            .net
            .record(random, home, &StateKey::new(VOUCHER_ID, TABLE_SERIES, &[&id.0]))
            .await;
        let Some(series) = series else { return };
        let key = StateKey::new(VOUCHER_ID, TABLE_OUTSIDE, &[&id.0, &self.net.id(CAPTURED).0]);
        let outside: Option<yulian_types::proto::VoucherAmount> = self.net.record(random, home, &key).await;
        let outside = outside.map_or(0, |record| record.amount);
        let amounts = [
            outside / 2,
            outside,
            outside + 1,
            outside + series.moving,
            3 * outside + 7,
        ];
        let amount = amounts[random.random_range(0..amounts.len())].max(1);
        let other = 1 + home % CITIES;
        let (method, amount, onward) = match random.random_range(0..6) {
            0 => ("redeem", amount, None),
            1 => ("reclaim", 0, None),
            2 => ("move", amount, Some(other)),
            _ => ("move", amount, None),
        };
        let movement = VoucherMove {
            series: Some(VoucherSeries {
                held: 0,
                moving: 0,
                issued: 0,
                redeemed: 0,
                outside: 0,
                unclaimed: 0,
                ..series
            }),
            amount,
            from: holder_id(CAPTURED, 0).into(),
            to: holder_id(onward.unwrap_or(home), 0).into(),
            onward: onward.map_or(Bytes::new(), |chain| self.net.id_bytes(chain)),
            onward_timeout_ms: onward.map_or(0, |_| 6_000),
            ..Default::default()
        };
        // Now and then it speaks for somebody else, or to somebody who is no home of these.
        let (source, to) = match random.random_range(0..10) {
            0 => (other, home),
            1 => (CAPTURED, other),
            _ => (CAPTURED, home),
        };
        let packet = SealedPacket::new(Packet {
            source: self.net.id_bytes(source),
            destination: self.net.id_bytes(to),
            module: "voucher".into(),
            method: method.into(),
            sequence: random.random_range(1..SEQUENCES),
            organisation: ORGANISATION.into(),
            payload: encode(&movement),
            timeout_ms: self.net.now_ms(to) + 30_000,
            end_to_end: true,
            ..Default::default()
        });
        let Ok(packet) = packet else { return };
        self.bring(random, to, &packet).await;
        self.claims.fetch_add(1, Relaxed);
    }

    /// Brings a packet that it made up to the relay chain and to its destination.
    async fn bring(&self, random: &mut StdRng, to: usize, packet: &SealedPacket) {
        let key = packet.sent_key();
        let path = Path::of(key.module_id, &key.key);
        let state = Tree::from_sorted([(path, value_hash(&packet.bytes))]);
        let (height, update) = self.head(&state, 0);
        let item = made(CARRY_RELAY, packet, height, &state, &path);
        self.carry(random, HUB, vec![update.clone()], item).await;
        for _ in 0..3 {
            self.net.pause(random.random_range(100..300)).await;
            let mut session = Session::new(&self.net, to);
            let Some(word) = session.prove(random, HUB, &packet.relayed_key(), 0).await else {
                continue;
            };
            let Some(record) = word.value else { continue };
            let item = CarryItem {
                record,
                relay: Some(word.proof),
                ..made(CARRY_RECEIVE, packet, height, &state, &path)
            };
            let updates = [session.into_updates(), vec![update]].concat();
            return self.carry(random, to, updates, item).await;
        }
    }

    /// Shows a chain two final headers of one height.
    pub(crate) async fn fork(&self, at: usize, seed: u64) {
        let mut random = StdRng::seed_from_u64(seed);
        let [one, two] = [b"one", b"two"].map(|text| Tree::from_sorted([(Path::of(1, text), value_hash(text))]));
        let (height, first) = self.head(&one, 0);
        let time_ms = self.time_ms.fetch_add(1, Relaxed) + 1;
        let conflict = LinkConflict {
            chain_id: self.net.id_bytes(CAPTURED),
            first: Some(first),
            second: Some(self.sign(height, time_ms, &two)),
        };
        let key = carrier_key(ACCOUNT);
        let call = self.net.call(
            &mut random,
            (at, &key),
            "link.report_conflict",
            encode(&conflict),
            4 * PATIENCE_MS,
        );
        call.await;
    }
}

/// An item with a proof under a header of the captured chain.
fn made(kind: u32, packet: &SealedPacket, height: u64, state: &Tree, path: &Path) -> CarryItem {
    CarryItem {
        kind,
        packet: packet.bytes.clone(),
        proof: Some(LinkProof {
            height,
            proof: state.prove(path).to_bytes().into(),
        }),
        ..Default::default()
    }
}
