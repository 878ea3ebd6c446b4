//! A relay chain whose validators' keys are stolen: it says that it has seen what was never sent, that packets have ended as they have
//! not, and that a chain is which never was. Whoever asks for the source's own proof beside its word believes none of it.

use super::{
    captured::{Captured, Ears, SEQUENCES_FROM},
    forge::{Forger, Keys, nothing, state},
    keys::{CITIES, ORGANISATION, PHANTOM, holder_id},
    made::{Known, known, minted, other_city, packet},
    net::Net,
};
use bytes::Bytes;
use rand::{RngExt, rngs::StdRng};
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};
use yulian_types::{
    Digest, SealedPacket, StateKey, encode,
    packet::{CARRY_ACKNOWLEDGE, CARRY_RECEIVE, CARRY_TIME_OUT},
    proto::{
        CarryItem, Inquiry, InquiryAnswer, IntroduceLink, LinkClient, LinkProof, PacketResult, RelayRecord, VoucherMove,
    },
    state_keys::{LINK_ACTIVE, PACKET_DONE, PACKET_FAILED, PACKET_TIMED_OUT},
};

/// Pauses between its lies, ms.
const PAUSES_MS: std::ops::Range<u64> = 200..800;
/// Kind of an inquiry: an evidence record.
const KIND_EVIDENCE: u32 = 1;

/// The liars of a relay chain.
pub(crate) struct Word {
    net: Arc<Net>,
    hub: Arc<Captured>,
    phantom: Forger,
    /// Home and id of each series.
    series: Vec<(usize, Digest)>,
    ears: Ears,
    /// Cities that know the phantom.
    introduced: Mutex<BTreeSet<usize>>,
    /// What it said that was not so.
    pub(crate) lies: AtomicUsize,
}

impl Word {
    /// `hub` signs for the relay chain.
    pub(crate) fn new(net: Arc<Net>, hub: Arc<Captured>, series: &[Digest]) -> Self {
        Self {
            phantom: Forger::new(net.clone(), PHANTOM, Keys::All),
            net,
            hub,
            series: series.iter().enumerate().map(|(at, id)| (at + 1, *id)).collect(),
            ears: Ears::new(),
            introduced: Mutex::default(),
            lies: AtomicUsize::new(0),
        }
    }

    /// Lies until the network is quiet.
    pub(crate) async fn run(&self, mut random: StdRng) {
        while !self.net.is_quiet() {
            self.net.pause(random.random_range(PAUSES_MS)).await;
            // What goes on the relay's word alone is its to decide.
            self.ears.listen(&self.net, &mut random, |key| key.module != "notice");
            let lied = match random.random_range(0..3) {
                0 => self.sent(&mut random).await,
                1 => self.ended(&mut random).await,
                _ => self.exists(&mut random).await,
            };
            self.lies.fetch_add(usize::from(lied.is_some()), Relaxed);
        }
    }

    /// Says that a city has sent what it has not.
    async fn sent(&self, random: &mut StdRng) -> Option<()> {
        let from = random.random_range(1..=CITIES);
        let to = other_city(random, from);
        let (module, method, payload) = match random.random_range(0..4) {
            0 => ("verification", "ask", encode(&inquiry())),
            1 => ("voucher", "move", encode(&self.claim(random, from, to).await?)),
            _ => ("voucher", "move", encode(&minted(&self.net, random, from, to))),
        };
        let named = (module, method, SEQUENCES_FROM + random.random_range(1..100));
        let packet = packet(&self.net, (from, to), named, payload, random.random_range(0..2) == 0);
        let record = word(&packet);
        let (sent, relayed) = (packet.sent_key(), packet.relayed_key());
        let entries = [(sent.clone(), &packet.bytes[..]), (relayed.clone(), &record[..])];
        let head = self.hub.forger.head(random, state(&entries), 0)?;
        let own = head.prove(&sent);
        let proof = match random.random_range(0..3) {
            0 => None,
            1 => Some(own),
            // Under a header that the city really made.
            _ => Some(LinkProof {
                height: self.kept(random, to, from).await?,
                ..own
            }),
        };
        let item = CarryItem {
            kind: CARRY_RECEIVE,
            packet: packet.bytes.clone(),
            record,
            relay: Some(head.prove(&relayed)),
            proof,
        };
        self.hub.carry(random, to, vec![head.update], vec![item]).await;
        Some(())
    }

    /// What a city gives back of another's vouchers: it holds them, and has not given them back.
    async fn claim(&self, random: &mut StdRng, from: usize, to: usize) -> Option<VoucherMove> {
        let series = self.series.iter().find(|(home, _)| *home == to)?;
        let Known { series, outside, .. } = known(&self.net, random, *series, from).await?;
        Some(VoucherMove {
            series: Some(series),
            amount: outside.max(1),
            from: holder_id(from, 0).into(),
            to: holder_id(to, 0).into(),
            ..Default::default()
        })
    }

    /// A height of which a chain keeps another's header.
    async fn kept(&self, random: &mut StdRng, at: usize, of: usize) -> Option<u64> {
        let key = StateKey::link_client(&self.net.id(of));
        let client: LinkClient = self.net.record(random, at, &key).await?;
        client.heights.last().copied()
    }

    /// Tells a source how its packet ended.
    async fn ended(&self, random: &mut StdRng) -> Option<()> {
        let (city, packet) = self.ears.draw(&self.net, random).await?;
        let (result, confirmed) = (packet.result_key(), packet.confirmed_key());
        if random.random_range(0..4) == 0 {
            let late = self
                .hub
                .forger
                .head(random, nothing(b"nothing"), packet.message.timeout_ms)?;
            let item = late.item(CARRY_TIME_OUT, &packet, &result);
            self.hub.carry(random, city, vec![late.update], vec![item]).await;
            return Some(());
        }
        let record = encode(&result_of(random, &packet));
        let entries = [(result.clone(), &record[..]), (confirmed.clone(), &record[..])];
        let head = self.hub.forger.head(random, state(&entries), 0)?;
        let proof = (random.random_range(0..2) == 0).then(|| head.prove(&result));
        let item = CarryItem {
            kind: CARRY_ACKNOWLEDGE,
            packet: packet.bytes.clone(),
            record,
            relay: Some(head.prove(&confirmed)),
            proof,
        };
        self.hub.carry(random, city, vec![head.update], vec![item]).await;
        Some(())
    }

    /// Vouches for a chain that never was, and brings what that chain says.
    async fn exists(&self, random: &mut StdRng) -> Option<()> {
        let city = random.random_range(1..=CITIES);
        if !self.introduced.lock().expect("cities").contains(&city) {
            return self.introduce(random, city).await;
        }
        let (method, payload) = match random.random_range(0..4) {
            0 => ("move", minted(&self.net, random, PHANTOM, city)),
            1 => ("redeem", self.claim(random, PHANTOM, city).await?),
            _ => ("move", self.claim(random, PHANTOM, city).await?),
        };
        let named = ("voucher", method, random.random_range(1..100));
        let packet = packet(&self.net, (PHANTOM, city), named, encode(&payload), true);
        let (sent, relayed, record) = (packet.sent_key(), packet.relayed_key(), word(&packet));
        let phantom = self.phantom.head(random, state(&[(sent.clone(), &packet.bytes)]), 0)?;
        let hub = self.hub.forger.head(random, state(&[(relayed.clone(), &record)]), 0)?;
        let item = CarryItem {
            record,
            relay: Some(hub.prove(&relayed)),
            ..phantom.item(CARRY_RECEIVE, &packet, &sent)
        };
        self.hub
            .carry(random, city, vec![hub.update, phantom.update], vec![item])
            .await;
        Some(())
    }

    async fn introduce(&self, random: &mut StdRng, city: usize) -> Option<()> {
        let (genesis, id) = (self.net.genesis(PHANTOM), self.net.id(PHANTOM));
        let client = encode(&LinkClient {
            chain_id: id.to_vec().into(),
            name: "从未有过的链".into(),
            epoch_length: genesis.message.epoch_length,
            status: LINK_ACTIVE,
            digest: genesis.block().digest.to_vec().into(),
            time_ms: genesis.message.time_ms,
            ..Default::default()
        });
        let key = StateKey::link_client(&id);
        let head = self.hub.forger.head(random, state(&[(key.clone(), &client)]), 0)?;
        let LinkProof { height, proof } = head.prove(&key);
        let introduction = IntroduceLink {
            height,
            client,
            proof,
            genesis: genesis.bytes.clone(),
            ..Default::default()
        };
        self.hub.carry(random, city, vec![head.update], vec![]).await;
        let call = self.hub.call(random, city, "link.introduce", encode(&introduction));
        if call.await.is_some_and(|receipt| receipt.status == 0) {
            self.introduced.lock().expect("cities").insert(city);
        }
        Some(())
    }
}

/// The relay chain's word that it has seen a packet.
fn word(packet: &SealedPacket) -> Bytes {
    encode(&RelayRecord {
        packet: packet.digest.to_vec().into(),
        height: 1,
        time_ms: 1,
    })
}

fn inquiry() -> Inquiry {
    Inquiry {
        kind: KIND_EVIDENCE,
        digest: vec![1; 32].into(),
        organisation: ORGANISATION.into(),
        ..Default::default()
    }
}

/// How a packet is said to have ended.
fn result_of(random: &mut StdRng, packet: &SealedPacket) -> PacketResult {
    let answer = InquiryAnswer {
        found: true,
        status: 1,
        height: 1,
        ..Default::default()
    };
    let (status, code) = match random.random_range(0..4) {
        0 => (PACKET_FAILED, "voucher.holder_not_found"),
        1 => (PACKET_TIMED_OUT, "link.too_late"),
        _ => (PACKET_DONE, ""),
    };
    let answers = packet.message.module == "verification" && status == PACKET_DONE;
    PacketResult {
        packet: packet.digest.to_vec().into(),
        status,
        code: code.into(),
        output: if answers { encode(&answer) } else { Bytes::new() },
        height: 1,
        time_ms: 1,
    }
}
