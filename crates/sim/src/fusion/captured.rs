//! A chain all of whose validators lie. One of them has no blocks, only headers that they sign over whatever state suits them; another
//! is hosted by machines until its keys are stolen, and goes on beside the thieves.
//!
//! It takes what is sent to it, or refuses it, or shows that it is late, as it likes; it claims vouchers that it never had, those that
//! are on their way to it, and those that it gave back before; it sends others more of its own than it ever issued; it says one thing
//! here and another there.

use super::{
    forge::{Forger, Head, Keys, nothing, state},
    keys::{CHAINS, CITIES, HUB, carrier_key, holder_id},
    made::{Known, known, minted, other_city, packet},
    net::Net,
    proof::Session,
};
use bytes::Bytes;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};
use yulian_agents::relay::{Event, PacketKey};
use yulian_types::{
    Digest, SealedPacket, encode,
    packet::{CARRY_ACKNOWLEDGE, CARRY_RECEIVE, CARRY_RELAY, CARRY_TIME_OUT},
    proto::{Carry, CarryItem, LinkUpdate, PacketResult, Receipt, VoucherMove},
    state_keys::{PACKET_DONE, PACKET_FAILED},
};

/// The liars' account among the carriers.
const ACCOUNT: usize = 2;
/// Pauses between its acts, ms.
const PAUSES_MS: std::ops::Range<u64> = 200..1_000;
/// How long it waits for a result, ms.
const PATIENCE_MS: u64 = 3_000;
/// How often it shows a fork where nobody answers.
const FORK_TRIES: usize = 4;
/// Sequences that it claims to have used: few, so that they repeat.
const SEQUENCES: u64 = 24;
/// Those of a chain that machines host begin here, beyond what it really sends.
pub(crate) const SEQUENCES_FROM: u64 = 1 << 32;
/// How far ahead its headers may lie, ms: a little less than what a light client takes.
const AHEAD_MS_MAX: u64 = 5 * 60_000;

/// The liars.
pub(crate) struct Captured {
    net: Arc<Net>,
    /// Their chain.
    place: usize,
    pub(crate) forger: Forger,
    /// Home and id of each series.
    series: Vec<(usize, Digest)>,
    ears: Ears,
    /// Claims that they brought to a home chain, and vouchers of their own to others.
    pub(crate) claims: AtomicUsize,
}

/// Packets of cities that have not ended, by who hears of them.
pub(crate) struct Ears {
    followed: Mutex<[u64; CHAINS]>,
    waiting: Mutex<BTreeSet<PacketKey>>,
}

impl Ears {
    pub(crate) fn new() -> Self {
        Self {
            followed: Mutex::new([0; CHAINS]),
            waiting: Mutex::default(),
        }
    }

    /// Hears what cities sent, as far as it is of interest.
    pub(crate) fn listen(&self, net: &Net, random: &mut StdRng, wanted: impl Fn(&PacketKey) -> bool) {
        for city in 1..=CITIES {
            let after = self.followed.lock().expect("heights")[city];
            for block in net.blocks(random, city, after) {
                for event in &block.events {
                    let (Some(what), Some(key)) = (Event::parse(&event.name), PacketKey::parse(&event.data)) else {
                        continue;
                    };
                    if key.source != net.id(city) || !wanted(&key) {
                        continue;
                    }
                    let mut waiting = self.waiting.lock().expect("packets");
                    match what {
                        Event::Sent => waiting.insert(key),
                        Event::Ended => waiting.remove(&key),
                        _ => false,
                    };
                }
                self.followed.lock().expect("heights")[city] = block.height;
            }
        }
    }

    /// One of them, and the place of its source.
    pub(crate) async fn draw(&self, net: &Net, random: &mut StdRng) -> Option<(usize, SealedPacket)> {
        let waiting: Vec<PacketKey> = self.waiting.lock().expect("packets").iter().cloned().collect();
        if waiting.is_empty() {
            return None;
        }
        let key = &waiting[random.random_range(0..waiting.len())];
        let city = net.place(&key.source)?;
        let named = (&key.destination, key.module.as_str(), key.sequence);
        Some((city, net.sent(random, city, named).await?))
    }
}

/// Whether machines host the chain at a place.
fn is_hosted(place: usize) -> bool {
    place < CHAINS
}

impl Captured {
    pub(crate) fn new(net: Arc<Net>, (place, keys): (usize, Keys), series: &[Digest]) -> Self {
        Self {
            forger: Forger::new(net.clone(), place, keys),
            net,
            place,
            series: series.iter().enumerate().map(|(at, id)| (at + 1, *id)).collect(),
            ears: Ears::new(),
            claims: AtomicUsize::new(0),
        }
    }

    /// Lies until it is dropped. Once the network is quiet it only ends what others sent to it, if nobody else does.
    pub(crate) async fn run(&self, mut random: StdRng) {
        let id = self.net.id(self.place);
        loop {
            self.net.pause(random.random_range(PAUSES_MS)).await;
            self.ears.listen(&self.net, &mut random, |key| key.destination == id);
            match (self.net.is_quiet(), random.random_range(0..6)) {
                (true, _) if is_hosted(self.place) => return,
                (true, _) | (false, 0..=2) => self.end_one(&mut random).await,
                // The relay chain issues nothing.
                (false, 3) if self.place != HUB => self.flood(&mut random).await,
                (false, _) => self.claim(&mut random).await,
            }
        }
    }

    fn sequence(&self, random: &mut StdRng) -> u64 {
        let drawn = random.random_range(1..SEQUENCES);
        if is_hosted(self.place) {
            SEQUENCES_FROM + drawn
        } else {
            drawn
        }
    }

    /// Brings headers and an item to a chain.
    pub(crate) async fn carry(&self, random: &mut StdRng, at: usize, updates: Vec<LinkUpdate>, items: Vec<CarryItem>) {
        let carry = Carry { updates, items };
        self.call(random, at, "link.carry", encode(&carry)).await;
    }

    pub(crate) async fn call(&self, random: &mut StdRng, at: usize, call: &str, arguments: Bytes) -> Option<Receipt> {
        let key = carrier_key(ACCOUNT);
        let call = self.net.call(random, (at, &key), call, arguments, PATIENCE_MS);
        call.await
    }

    /// Ends one of the packets that were sent to it: done, refused or late.
    async fn end_one(&self, random: &mut StdRng) {
        let Some((city, packet)) = self.ears.draw(&self.net, random).await else {
            return;
        };
        let key = packet.result_key();
        let furthest = self.net.now_ms(city) + AHEAD_MS_MAX;
        if random.random_range(0..3) == 0 && packet.message.timeout_ms < furthest {
            let late = self.forger.head(random, nothing(b"nothing"), packet.message.timeout_ms);
            let Some(late) = late else { return };
            let item = late.item(CARRY_TIME_OUT, &packet, &key);
            return self.carry(random, city, vec![late.update], vec![item]).await;
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
            height: self.forger.height(),
            ..Default::default()
        });
        let head = self.forger.head(random, state(&[(key.clone(), &record)]), 0);
        let Some(head) = head else { return };
        let item = CarryItem {
            record,
            ..head.item(CARRY_ACKNOWLEDGE, &packet, &key)
        };
        self.carry(random, city, vec![head.update], vec![item]).await;
    }

    /// Claims vouchers of a home chain: as many as it has, more, or those on their way to it.
    async fn claim(&self, random: &mut StdRng) {
        let of_others: Vec<_> = self.series.iter().filter(|(home, _)| *home != self.place).collect();
        let mut drawn = *of_others[random.random_range(0..of_others.len())];
        let mut found = known(&self.net, random, drawn, self.place).await;
        for other in of_others {
            // Rather where there is something to be had.
            if found.as_ref().is_none_or(|found| found.outside == 0) {
                drawn = *other;
                found = known(&self.net, random, drawn, self.place).await;
            }
        }
        let (home, _) = drawn;
        let Some(Known {
            series,
            moving,
            outside,
        }) = found
        else {
            return;
        };
        let amounts = [outside / 2, outside, outside + 1, outside + moving, 3 * outside + 7];
        let amount = amounts[random.random_range(0..amounts.len())].max(1);
        let other = 1 + home % CITIES;
        let (method, amount, onward) = match random.random_range(0..6) {
            0 => ("redeem", amount, None),
            1 => ("reclaim", 0, None),
            2 => ("move", amount, Some(other)),
            _ => ("move", amount, None),
        };
        let movement = VoucherMove {
            series: Some(series),
            amount,
            from: holder_id(self.place, 0).into(),
            to: holder_id(onward.unwrap_or(home), 0).into(),
            onward: onward.map_or(Bytes::new(), |chain| self.net.id_bytes(chain)),
            onward_timeout_ms: onward.map_or(0, |_| 6_000),
            ..Default::default()
        };
        // Now and then it speaks for somebody else, or to somebody who is no home of these.
        let (source, to) = match random.random_range(0..10) {
            0 => (other, home),
            1 => (self.place, other),
            _ => (self.place, home),
        };
        self.make(random, (source, to), method, &movement).await;
    }

    /// Sends a city vouchers of its own that it never issued, now and then more than fit.
    async fn flood(&self, random: &mut StdRng) {
        let to = other_city(random, self.place);
        let movement = minted(&self.net, random, self.place, to);
        self.make(random, (self.place, to), "move", &movement).await;
    }

    async fn make(&self, random: &mut StdRng, (source, to): (usize, usize), method: &str, movement: &VoucherMove) {
        if to == self.place {
            return;
        }
        let sequence = self.sequence(random);
        let packet = packet(
            &self.net,
            (source, to),
            ("voucher", method, sequence),
            encode(movement),
            true,
        );
        self.bring(random, to, &packet).await;
        self.claims.fetch_add(1, Relaxed);
    }

    /// Brings a packet that it made up to the relay chain and to its destination.
    async fn bring(&self, random: &mut StdRng, to: usize, packet: &SealedPacket) {
        let key = packet.sent_key();
        let head = self.forger.head(random, state(&[(key.clone(), &packet.bytes)]), 0);
        let Some(head) = head else { return };
        let item = |head: &Head, kind| head.item(kind, packet, &key);
        if self.place == HUB {
            let item = item(&head, CARRY_RECEIVE);
            return self.carry(random, to, vec![head.update], vec![item]).await;
        }
        let relay = vec![item(&head, CARRY_RELAY)];
        self.carry(random, HUB, vec![head.update.clone()], relay).await;
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
                ..item(&head, CARRY_RECEIVE)
            };
            let updates = [session.into_updates(), vec![head.update]].concat();
            return self.carry(random, to, updates, vec![item]).await;
        }
    }

    /// Shows a chain two final headers of one height.
    pub(crate) async fn fork(&self, at: usize, seed: u64) {
        let mut random = StdRng::seed_from_u64(seed);
        let Some(conflict) = self.forger.conflict(&mut random) else {
            return;
        };
        for _ in 0..FORK_TRIES {
            let call = self.call(&mut random, at, "link.report_conflict", encode(&conflict));
            if call.await.is_some() {
                return;
            }
        }
    }
}
