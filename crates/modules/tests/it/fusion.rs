//! Random life of a fusion network: several carriers, late and repeated, chains that sleep; each packet ends once, vouchers stay.

use crate::{
    net::{ACKNOWLEDGE, HUB, Net, RECEIVE, RELAY, TIME_OUT, holder},
    vouchers::{has, issue, outside, record, sending},
};
use std::collections::BTreeMap;
use yulian_crypto::Digest;
use yulian_modules::voucher;
use yulian_types::{
    SealedPacket, StateKey,
    proto::*,
    state_keys::{PACKET_DONE, PACKET_FAILED, PACKET_TIMED_OUT},
};

const CITIES: usize = 3;
const STEPS: usize = 150;
const SEEDS: u64 = 12;

/// A stream of numbers that a seed fixes (SplitMix64, Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % most
    }
}

struct Life {
    net: Net,
    random: Random,
    /// Series with their home.
    series: Vec<(usize, Digest)>,
    /// Everything that was ever sent, by source, destination, module and sequence.
    packets: BTreeMap<(usize, usize, String, u64), SealedPacket>,
    /// What a carrier prepared some time ago.
    stale: Vec<(usize, Vec<LinkUpdate>, CarryItem)>,
}

impl Life {
    fn new(seed: u64) -> Self {
        let mut net = Net::new(CITIES);
        let mut series = Vec::new();
        for city in 1..=CITIES {
            series.push((city, issue(&mut net, city, 1_000)));
        }
        Self {
            net,
            random: Random(seed),
            series,
            packets: BTreeMap::new(),
            stale: Vec::new(),
        }
    }

    fn city(&mut self) -> usize {
        1 + self.random.below(CITIES as u64) as usize
    }

    /// Finds what chains have sent, also by themselves.
    fn look(&mut self) {
        for from in 1..=CITIES {
            for to in 1..=CITIES {
                for module in ["voucher", "verification", "notice"] {
                    let destination = self.net.id(to);
                    let key = StateKey::out_cursor(&destination, module);
                    let cursor: OutCursor = self.net.chains[from].world.record(&key).unwrap_or_default();
                    for sequence in 1..cursor.next {
                        let place = (from, to, module.to_owned(), sequence);
                        if let Some(packet) = self.net.sent(from, &destination, module, sequence) {
                            self.packets.entry(place).or_insert(packet);
                        }
                    }
                }
            }
        }
    }

    fn act(&mut self) {
        let (from, to) = (self.city(), self.city());
        match self.random.below(10) {
            0..=3 => {
                let at = self.random.below(self.series.len() as u64) as usize;
                let (_, series) = self.series[at];
                let amount = 1 + self.random.below(200);
                let mut sending = sending(&self.net, &series, to, amount);
                sending.timeout_ms = 5_000 + self.random.below(60_000);
                if self.random.below(8) == 0 {
                    sending.holder = vec![3; 32].into();
                }
                // What cannot be sent is a failed receipt.
                self.net.run(from, &holder(from), "voucher.send", &sending);
            }
            4 => {
                let (_, series) = self.series[self.random.below(CITIES as u64) as usize];
                let redeem = RedeemVoucher {
                    series: series.to_vec().into(),
                    amount: 1 + self.random.below(50),
                    timeout_ms: 0,
                };
                self.net.run(from, &holder(from), "voucher.redeem", &redeem);
            }
            5 => {
                let (_, series) = self.series[self.random.below(CITIES as u64) as usize];
                let reclaim = ReclaimVoucher {
                    series: series.to_vec().into(),
                    timeout_ms: 0,
                };
                self.net.run(from, &holder(from), "voucher.reclaim", &reclaim);
            }
            6 => {
                let notice = Notice {
                    destination: self.net.id_bytes(to),
                    kind: "notice".into(),
                    text: "通告".into(),
                    timeout_ms: 5_000 + self.random.below(60_000),
                    ..Default::default()
                };
                self.net.run(from, "admin-a", "notice.tell", &notice);
            }
            7 => self.net.pass(self.net.now_ms + self.random.below(20_000)),
            _ => {
                self.net.block(from, vec![]);
            }
        }
    }

    /// A carrier works on some packet: the right step, another one, or one that it prepared long ago.
    fn carry(&mut self) {
        if self.packets.is_empty() {
            return;
        }
        if self.random.below(5) == 0 && !self.stale.is_empty() {
            let at = self.random.below(self.stale.len() as u64) as usize;
            let (chain, updates, item) = self.stale[at].clone();
            self.net.carry_receipt(chain, updates, vec![item]);
            return;
        }
        let at = self.random.below(self.packets.len() as u64) as usize;
        let packet = self.packets.values().nth(at).expect("one").clone();
        let kind = 1 + self.random.below(5) as u32;
        self.step(&packet, kind);
    }

    fn step(&mut self, packet: &SealedPacket, kind: u32) {
        let (chain, (updates, item)) = match kind {
            RELAY => (HUB, self.net.relay_item(packet)),
            RECEIVE => (self.net.place(&packet.destination), self.net.receive_item(packet)),
            ACKNOWLEDGE => (self.net.place(&packet.source), self.net.acknowledge_item(packet)),
            TIME_OUT => (self.net.place(&packet.source), self.net.time_out_item(packet)),
            _ => return,
        };
        if self.random.below(4) == 0 {
            self.stale.push((chain, updates, item));
        } else {
            self.net.carry_receipt(chain, updates, vec![item]);
        }
    }

    /// At home the sums agree after every step; elsewhere no more is held than home knows, on its way included.
    fn check(&self) {
        for (home, series) in &self.series {
            let books = record(&self.net, *home, series);
            let parts = books.redeemed + books.held + books.moving + books.outside + books.unclaimed;
            assert_eq!(books.issued, parts);
            assert_eq!(books.held, has(&self.net, *home, series));
            let held: u64 = (1..=CITIES)
                .filter(|c| c != home)
                .map(|c| record(&self.net, c, series).held)
                .sum();
            assert!(
                held <= books.outside + books.moving,
                "{held} are held outside, {books:?}"
            );
        }
    }

    /// Carriers work until nothing is pending.
    fn settle(&mut self) {
        for _ in 0..40 {
            self.look();
            let pending: Vec<SealedPacket> = self
                .packets
                .values()
                .filter(|packet| self.net.end_of(packet).is_none())
                .cloned()
                .collect();
            if pending.is_empty() {
                return;
            }
            for packet in pending {
                for kind in [RELAY, RECEIVE, ACKNOWLEDGE, TIME_OUT] {
                    let (chain, (updates, item)) = match kind {
                        RELAY => (HUB, self.net.relay_item(&packet)),
                        RECEIVE => (self.net.place(&packet.destination), self.net.receive_item(&packet)),
                        ACKNOWLEDGE => (self.net.place(&packet.source), self.net.acknowledge_item(&packet)),
                        _ => (self.net.place(&packet.source), self.net.time_out_item(&packet)),
                    };
                    self.net.carry_receipt(chain, updates, vec![item]);
                }
            }
            self.net.pass(self.net.now_ms + 10_000);
        }
        panic!("packets are pending still");
    }

    /// Both ends tell the same story of each packet, and everything that is outside is somewhere.
    fn check_end(&self) {
        for packet in self.packets.values() {
            let end = self.net.end_of(packet).expect("ended");
            let destination = &self.net.chains[self.net.place(&packet.destination)].world;
            let result: Option<PacketResult> = destination.record(&packet.result_key());
            let told = result.map(|result| result.status);
            let agree = match end.status {
                PACKET_DONE | PACKET_FAILED => told == Some(end.status),
                PACKET_TIMED_OUT => told.is_none() || told == Some(PACKET_TIMED_OUT),
                _ => false,
            };
            assert!(
                agree,
                "{} ended as {}, its destination says {told:?}",
                packet.message.sequence, end.status
            );
        }
        for (home, series) in &self.series {
            let books = record(&self.net, *home, series);
            assert_eq!(books.moving, 0);
            let mut held = 0;
            for city in (1..=CITIES).filter(|city| city != home) {
                let there = record(&self.net, city, series).held;
                assert_eq!(there, outside(&self.net, *home, series, city));
                assert_eq!(there, has(&self.net, city, series));
                held += there;
            }
            assert_eq!(books.issued, books.redeemed + books.held + held + books.unclaimed);
        }
    }
}

#[test]
fn each_packet_ends_once_and_vouchers_stay() {
    let mut moved = 0;
    for seed in 0..SEEDS {
        let mut life = Life::new(seed);
        for _ in 0..STEPS {
            life.act();
            life.look();
            life.carry();
            life.carry();
            life.check();
        }
        life.settle();
        life.check();
        life.check_end();
        let of_vouchers = |packet: &&SealedPacket| packet.message.module == voucher::VOUCHER_MODULE;
        moved += life.packets.values().filter(of_vouchers).count();
    }
    assert!(moved > 15 * SEEDS as usize, "only {moved} packets of vouchers");
}
