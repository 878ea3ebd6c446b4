//! Vouchers on one chain and between chains: nothing is lost, nothing is made, whoever lies.

use crate::{
    net::{ACKNOWLEDGE, HUB, Net, RECEIVE, RELAY, holder},
    world::id_bytes,
};
use bytes::Bytes;
use prost::Message;
use yulian_crypto::{Digest, sm3};
use yulian_state::{Path, Tree, value_hash};
use yulian_types::{
    SealedPacket, StateKey, encode,
    proto::*,
    state_keys::{PACKET_DONE, PACKET_FAILED, PACKET_TIMED_OUT},
};

const A: usize = 1;
const B: usize = 2;
const C: usize = 3;

pub(crate) fn terms() -> Bytes {
    sm3::hash(&[b"terms"]).to_vec().into()
}

fn issuing(net: &Net, chain: usize, amount: u64) -> IssueVoucher {
    IssueVoucher {
        series: "人才房票".into(),
        title: "人才住房券".into(),
        terms: terms(),
        expires_ms: net.chains[chain].world.genesis.message.time_ms + 365 * 24 * 3_600_000,
        amount,
        holder: net.account(chain),
    }
}

pub(crate) fn issue(net: &mut Net, chain: usize, amount: u64) -> Digest {
    let issuing = issuing(net, chain, amount);
    let receipt = net.ok(chain, "writer-a", "voucher.issue", &issuing);
    Digest::from_slice(&VoucherId::decode(receipt.output).expect("an id").series).expect("an id")
}

pub(crate) fn sending(net: &Net, series: &Digest, to: usize, amount: u64) -> SendVoucher {
    SendVoucher {
        series: series.to_vec().into(),
        destination: net.id_bytes(to),
        holder: net.account(to),
        amount,
        timeout_ms: 600_000,
    }
}

fn send(net: &mut Net, series: &Digest, from: usize, to: usize, amount: u64) -> SealedPacket {
    let sending = sending(net, series, to, amount);
    let receipt = net.ok(from, &holder(from), "voucher.send", &sending);
    net.packet(from, &receipt)
}

fn amount(net: &Net, chain: usize, key: &StateKey) -> u64 {
    let record: Option<VoucherAmount> = net.chains[chain].world.record(key);
    record.map_or(0, |record| record.amount)
}

/// What the chain's holder has.
pub(crate) fn has(net: &Net, chain: usize, series: &Digest) -> u64 {
    amount(net, chain, &StateKey::voucher_balance(series, &net.account(chain)))
}

pub(crate) fn record(net: &Net, chain: usize, series: &Digest) -> VoucherSeries {
    net.chains[chain]
        .world
        .record(&StateKey::voucher_series(series))
        .unwrap_or_default()
}

pub(crate) fn outside(net: &Net, home: usize, series: &Digest, chain: usize) -> u64 {
    amount(net, home, &StateKey::voucher_outside(series, &net.id(chain)))
}

#[test]
fn vouchers_are_issued_given_and_redeemed() {
    let mut net = Net::unlinked(1);
    let series = issue(&mut net, A, 100);
    let give = |to: &str, amount| TransferVoucher {
        series: series.to_vec().into(),
        holder: id_bytes(to),
        amount,
    };
    net.ok(A, &holder(A), "voucher.transfer", &give("writer-b", 30));
    net.fails(
        "voucher.not_enough",
        A,
        &holder(A),
        "voucher.transfer",
        &give("writer-b", 71),
    );
    net.fails(
        "voucher.bad_amount",
        A,
        &holder(A),
        "voucher.transfer",
        &give("writer-b", 0),
    );
    net.fails(
        "voucher.holder_not_found",
        A,
        &holder(A),
        "voucher.transfer",
        &give("nobody", 1),
    );
    let redeem = |amount| RedeemVoucher {
        series: series.to_vec().into(),
        amount,
        timeout_ms: 0,
    };
    net.ok(A, "writer-b", "voucher.redeem", &redeem(10));
    let books = record(&net, A, &series);
    assert_eq!((books.issued, books.redeemed, books.held), (100, 10, 90));
    issue(&mut net, A, 5);
    assert_eq!(record(&net, A, &series).issued, 105);
    net.pass(books.expires_ms);
    net.block(A, vec![]);
    net.fails("voucher.expired", A, "writer-b", "voucher.redeem", &redeem(1));
}

#[test]
fn what_is_issued_is_checked() {
    let mut net = Net::unlinked(1);
    let good = issuing(&net, A, 1);
    let broken = [
        (
            "voucher.bad_voucher",
            IssueVoucher {
                series: " a".into(),
                ..good.clone()
            },
        ),
        (
            "voucher.bad_voucher",
            IssueVoucher {
                series: "a\nb".into(),
                ..good.clone()
            },
        ),
        (
            "voucher.bad_voucher",
            IssueVoucher {
                title: String::new(),
                ..good.clone()
            },
        ),
        (
            "voucher.bad_voucher",
            IssueVoucher {
                terms: Bytes::new(),
                ..good.clone()
            },
        ),
        (
            "voucher.bad_voucher",
            IssueVoucher {
                expires_ms: 1,
                ..good.clone()
            },
        ),
        (
            "voucher.bad_amount",
            IssueVoucher {
                amount: 0,
                ..good.clone()
            },
        ),
        (
            "voucher.holder_not_found",
            IssueVoucher {
                holder: vec![1; 32].into(),
                ..good.clone()
            },
        ),
    ];
    for (code, message) in broken {
        net.fails(code, A, "writer-a", "voucher.issue", &message);
    }
    net.inadmissible("exec.role_missing", A, "auditor-a", "voucher.issue", &good);
    net.ok(
        A,
        "writer-a",
        "voucher.issue",
        &IssueVoucher {
            amount: u64::MAX,
            ..good.clone()
        },
    );
    net.fails("voucher.bad_amount", A, "writer-a", "voucher.issue", &good);
    let other = IssueVoucher {
        terms: vec![1; 32].into(),
        ..good
    };
    net.fails("voucher.other_terms", A, "writer-a", "voucher.issue", &other);
}

#[test]
fn a_voucher_goes_round_three_cities() {
    let mut net = Net::new(3);
    let series = issue(&mut net, A, 100);
    let packet = send(&mut net, &series, A, B, 60);
    assert_eq!((has(&net, A, &series), record(&net, A, &series).moving), (40, 60));
    assert_eq!(net.deliver(&packet).status, PACKET_DONE);
    assert_eq!((has(&net, B, &series), outside(&net, A, &series, B)), (60, 60));
    // From B to C it passes its home, which sends it on.
    let packet = send(&mut net, &series, B, C, 25);
    let end = net.deliver(&packet);
    assert_eq!(end.status, PACKET_DONE);
    // The answer that B has proven names the packet in which they go on.
    let named = PacketRef::decode(end.output).expect("names a packet");
    assert_eq!(
        (named.chain, named.module.as_str(), named.sequence),
        (net.id_bytes(C), "voucher", 1)
    );
    let onward = net.sent(A, &net.id(C), "voucher", 1).expect("sent on");
    assert_eq!(net.deliver(&onward).status, PACKET_DONE);
    assert_eq!((has(&net, B, &series), has(&net, C, &series)), (35, 25));
    let packet = send(&mut net, &series, C, A, 25);
    assert_eq!(net.deliver(&packet).status, PACKET_DONE);
    assert_eq!(has(&net, A, &series), 65);
    let redeem = RedeemVoucher {
        series: series.to_vec().into(),
        amount: 5,
        timeout_ms: 0,
    };
    let receipt = net.ok(B, &holder(B), "voucher.redeem", &redeem);
    let packet = net.packet(B, &receipt);
    assert_eq!(net.deliver(&packet).status, PACKET_DONE);
    let books = record(&net, A, &series);
    assert_eq!(
        (books.redeemed, books.held, books.outside, books.moving),
        (5, 65, 30, 0)
    );
}

/// Ids of all series that a chain knows, by number.
fn listed(net: &Net, chain: usize) -> Vec<Digest> {
    let world = &net.chains[chain].world;
    let count: Counter = world.record(&StateKey::voucher_count()).unwrap_or_default();
    let at = |number| -> VoucherId { world.record(&StateKey::voucher_at(number)).expect("listed") };
    let ids = (0..count.value).map(|number| Digest::from_slice(&at(number).series).expect("an id"));
    assert_eq!(world.value(&StateKey::voucher_at(count.value)), None);
    ids.collect()
}

#[test]
fn a_chain_lists_the_series_that_it_knows() {
    let mut net = Net::new(2);
    let first = issue(&mut net, A, 100);
    assert_eq!(listed(&net, A), [first]);
    assert_eq!(issue(&mut net, A, 1), first);
    let other = IssueVoucher {
        series: "公租房券".into(),
        ..issuing(&net, A, 7)
    };
    let receipt = net.ok(A, "writer-a", "voucher.issue", &other);
    let second = Digest::from_slice(&VoucherId::decode(receipt.output).expect("an id").series).expect("an id");
    net.fails(
        "voucher.other_terms",
        A,
        "writer-a",
        "voucher.issue",
        &IssueVoucher {
            terms: vec![1; 32].into(),
            ..other
        },
    );
    assert_eq!(listed(&net, A), [first, second]);
    // Another chain lists it once it has some.
    let mut sending = sending(&net, &first, B, 10);
    let sent = send(&mut net, &second, A, B, 3);
    sending.holder = vec![9; 32].into();
    let receipt = net.ok(A, &holder(A), "voucher.send", &sending);
    let refused = net.packet(A, &receipt);
    assert_eq!(net.deliver(&refused).status, PACKET_FAILED);
    assert_eq!(listed(&net, B), []);
    assert_eq!(net.deliver(&sent).status, PACKET_DONE);
    let more = send(&mut net, &second, A, B, 2);
    assert_eq!(net.deliver(&more).status, PACKET_DONE);
    assert_eq!((listed(&net, B), listed(&net, A)), (vec![second], vec![first, second]));
}

#[test]
fn what_does_not_arrive_comes_back() {
    let mut net = Net::new(2);
    let series = issue(&mut net, A, 100);
    let packet = send(&mut net, &series, A, B, 60);
    net.relay(&packet);
    net.pass(packet.message.timeout_ms);
    let (updates, item) = net.time_out_item(&packet);
    net.carry(A, updates, vec![item]);
    assert_eq!(net.end_of(&packet).expect("ended").status, PACKET_TIMED_OUT);
    assert_eq!(has(&net, A, &series), 100);
    // A holder who is not there.
    let mut sending = sending(&net, &series, B, 10);
    sending.holder = vec![9; 32].into();
    let receipt = net.ok(A, &holder(A), "voucher.send", &sending);
    let packet = net.packet(A, &receipt);
    let end = net.deliver(&packet);
    assert_eq!(
        (end.status, end.code.as_str()),
        (PACKET_FAILED, "voucher.holder_not_found")
    );
    assert_eq!((has(&net, A, &series), record(&net, A, &series).moving), (100, 0));
}

#[test]
fn what_fails_beyond_home_goes_back_to_its_holder() {
    let mut net = Net::new(3);
    let series = issue(&mut net, A, 100);
    let packet = send(&mut net, &series, A, B, 60);
    net.deliver(&packet);
    let mut sending = sending(&net, &series, C, 20);
    sending.holder = vec![9; 32].into();
    let receipt = net.ok(B, &holder(B), "voucher.send", &sending);
    let packet = net.packet(B, &receipt);
    assert_eq!(net.deliver(&packet).status, PACKET_DONE);
    let onward = net.sent(A, &net.id(C), "voucher", 1).expect("sent on");
    assert_eq!(net.deliver(&onward).status, PACKET_FAILED);
    let back = net.sent(A, &net.id(B), "voucher", 2).expect("sent back");
    net.relay(&back);
    // Even the way back fails: it waits at home for whoever asks for it.
    net.pass(back.message.timeout_ms);
    let (updates, item) = net.time_out_item(&back);
    net.carry(A, updates, vec![item]);
    assert_eq!(record(&net, A, &series).unclaimed, 20);
    let reclaim = ReclaimVoucher {
        series: series.to_vec().into(),
        timeout_ms: 0,
    };
    let receipt = net.ok(B, &holder(B), "voucher.reclaim", &reclaim);
    let packet = net.packet(B, &receipt);
    assert_eq!(net.deliver(&packet).status, PACKET_DONE);
    let back = net.sent(A, &net.id(B), "voucher", 3).expect("sent back");
    assert_eq!(net.deliver(&back).status, PACKET_DONE);
    assert_eq!(has(&net, B, &series), 60);
    let books = record(&net, A, &series);
    assert_eq!(
        (books.held, books.outside, books.unclaimed, books.moving),
        (40, 60, 0, 0)
    );
    let receipt = net.ok(B, &holder(B), "voucher.reclaim", &reclaim);
    let packet = net.packet(B, &receipt);
    assert_eq!(net.deliver(&packet).code, "voucher.nothing_unclaimed");
}

/// A packet that a captured chain claims to have sent, with the proofs for it.
fn made_up(
    net: &mut Net,
    from: usize,
    to: usize,
    movement: &VoucherMove,
    method: &str,
    sequence: u64,
) -> (Vec<LinkUpdate>, SealedPacket, LinkProof) {
    let packet = SealedPacket::new(Packet {
        source: net.id_bytes(from),
        destination: net.id_bytes(to),
        module: "voucher".into(),
        method: method.into(),
        sequence,
        organisation: "a".into(),
        payload: encode(movement),
        timeout_ms: net.now_ms + 600_000,
        end_to_end: true,
        ..Default::default()
    })
    .expect("well formed");
    let key = packet.sent_key();
    let path = Path::of(key.module_id, &key.key);
    let state = Tree::from_sorted([(path, value_hash(&packet.bytes))]);
    let (height, update) = net.lie(from, sequence, &state);
    let proof = LinkProof {
        height,
        proof: state.prove(&path).to_bytes().into(),
    };
    (vec![update], packet, proof)
}

/// Brings a made-up packet to its destination, with the relay's word, which believes the source's quorum as everybody does.
fn bring(net: &mut Net, made: (Vec<LinkUpdate>, SealedPacket, LinkProof)) -> PacketResult {
    let (updates, packet, proof) = made;
    let mut item = Net::item(RELAY, &packet);
    item.proof = Some(proof.clone());
    net.carry(HUB, updates.clone(), vec![item]);
    let hub = net.fresh(HUB);
    let mut item = Net::item(RECEIVE, &packet);
    item.record = net.chains[HUB].world.value(&packet.relayed_key()).expect("relayed");
    item.proof = Some(proof);
    item.relay = Some(net.prove(HUB, &packet.relayed_key()));
    let at = net.place(&packet.destination);
    net.carry(at, [updates, vec![hub]].concat(), vec![item]);
    net.chains[at].world.record(&packet.result_key()).expect("a result")
}

#[test]
fn a_captured_chain_gets_no_more_than_it_holds() {
    let mut net = Net::new(3);
    let series = issue(&mut net, A, 100);
    let packet = send(&mut net, &series, A, B, 30);
    net.deliver(&packet);
    let described = VoucherSeries {
        held: 0,
        moving: 0,
        ..record(&net, B, &series)
    };
    let claim = |net: &Net, amount| VoucherMove {
        series: Some(described.clone()),
        amount,
        from: net.account(B),
        to: net.account(A),
        ..Default::default()
    };
    // All validators of B lie.
    let too_much = claim(&net, 31);
    let made = made_up(&mut net, B, A, &too_much, "move", 50);
    let result = bring(&mut net, made);
    assert_eq!(
        (result.status, result.code.as_str()),
        (PACKET_FAILED, "voucher.over_outstanding")
    );
    let all = claim(&net, 30);
    let made = made_up(&mut net, B, A, &all, "move", 51);
    assert_eq!(bring(&mut net, made).status, PACKET_DONE);
    let one_more = claim(&net, 1);
    let made = made_up(&mut net, B, A, &one_more, "move", 52);
    assert_eq!(bring(&mut net, made).code, "voucher.over_outstanding");
    let books = record(&net, A, &series);
    assert_eq!((books.held, books.outside), (100, 0));
    // Nor does a third chain take A's vouchers from B.
    let elsewhere = VoucherMove {
        to: net.account(C),
        ..claim(&net, 1)
    };
    let made = made_up(&mut net, B, C, &elsewhere, "move", 53);
    assert_eq!(bring(&mut net, made).code, "voucher.not_from_home");
    // Nor a series that names another home than the one its id was made with.
    let mut false_home = described.clone();
    false_home.home = net.id_bytes(B);
    let twisted = VoucherMove {
        series: Some(false_home),
        ..elsewhere
    };
    let made = made_up(&mut net, B, C, &twisted, "move", 54);
    assert_eq!(bring(&mut net, made).code, "voucher.bad_voucher");
}

#[test]
fn a_captured_chain_cannot_claim_what_is_on_its_way_and_have_it_refunded() {
    let mut net = Net::new(2);
    let series = issue(&mut net, A, 100);
    let first = send(&mut net, &series, A, B, 10);
    net.deliver(&first);
    let described = VoucherSeries {
        held: 0,
        moving: 0,
        ..record(&net, B, &series)
    };
    let moving = send(&mut net, &series, A, B, 50);
    net.relay(&moving);
    let claim = VoucherMove {
        series: Some(described),
        amount: 60,
        from: net.account(B),
        to: net.account(A),
        ..Default::default()
    };
    let made = made_up(&mut net, B, A, &claim, "move", 50);
    assert_eq!(bring(&mut net, made).code, "voucher.over_outstanding");
}

#[test]
fn a_captured_home_harms_its_own_vouchers_alone() {
    let mut net = Net::new(2);
    let series = issue(&mut net, A, 100);
    let packet = send(&mut net, &series, A, B, 30);
    net.deliver(&packet);
    let described = VoucherSeries {
        held: 0,
        moving: 0,
        ..record(&net, B, &series)
    };
    let flood = |net: &Net| VoucherMove {
        series: Some(described.clone()),
        amount: u64::MAX - 30,
        from: net.account(A),
        to: net.account(B),
        ..Default::default()
    };
    let all = flood(&net);
    let made = made_up(&mut net, A, B, &all, "move", 50);
    assert_eq!(bring(&mut net, made).status, PACKET_DONE);
    // All of it is sent home, and as much comes again: what is on its way keeps its place.
    let away = send(&mut net, &series, B, A, u64::MAX);
    assert_eq!(record(&net, B, &series).moving, u64::MAX);
    let made = made_up(&mut net, A, B, &all, "move", 51);
    assert_eq!(bring(&mut net, made).code, "voucher.bad_amount");
    // Home says that it failed.
    let failed = encode(&PacketResult {
        packet: away.digest.to_vec().into(),
        status: PACKET_FAILED,
        code: "voucher.over_outstanding".into(),
        height: 1,
        time_ms: 1,
        ..Default::default()
    });
    let key = away.result_key();
    let path = Path::of(key.module_id, &key.key);
    let state = Tree::from_sorted([(path, value_hash(&failed))]);
    let (height, update) = net.lie(A, 60, &state);
    let mut item = Net::item(ACKNOWLEDGE, &away);
    item.record = failed;
    item.proof = Some(LinkProof {
        height,
        proof: state.prove(&path).to_bytes().into(),
    });
    net.carry(B, vec![update], vec![item]);
    assert_eq!((has(&net, B, &series), record(&net, B, &series).moving), (u64::MAX, 0));
}

#[test]
fn packets_with_odd_contents_are_refused_and_change_nothing() {
    let mut net = Net::new(2);
    let series = issue(&mut net, A, 100);
    let packet = send(&mut net, &series, A, B, 30);
    net.deliver(&packet);
    let described = VoucherSeries {
        held: 0,
        moving: 0,
        ..record(&net, B, &series)
    };
    let good = VoucherMove {
        series: Some(described.clone()),
        amount: 1,
        from: net.account(B),
        to: net.account(A),
        ..Default::default()
    };
    let cases = [
        (
            "move",
            VoucherMove {
                series: None,
                ..good.clone()
            },
        ),
        (
            "move",
            VoucherMove {
                amount: 0,
                ..good.clone()
            },
        ),
        (
            "move",
            VoucherMove {
                from: Bytes::new(),
                ..good.clone()
            },
        ),
        (
            "move",
            VoucherMove {
                series: Some(VoucherSeries {
                    held: 1,
                    ..described.clone()
                }),
                ..good.clone()
            },
        ),
        (
            "move",
            VoucherMove {
                series: Some(VoucherSeries {
                    series: "x".into(),
                    ..described
                }),
                ..good.clone()
            },
        ),
        ("reclaim", good.clone()),
    ];
    for (number, (method, movement)) in cases.iter().enumerate() {
        let made = made_up(&mut net, B, A, movement, method, 60 + number as u64);
        let result = bring(&mut net, made);
        assert_eq!(
            (result.status, result.code.as_str()),
            (PACKET_FAILED, "voucher.bad_voucher"),
            "{number}"
        );
    }
    let unknown_method = made_up(&mut net, B, A, &good, "burn", 80);
    assert_eq!(bring(&mut net, unknown_method).code, "voucher.not_from_home");
    assert_eq!(outside(&net, A, &series, B), 30);
}

/// Made by `vectors/generators/packets.py` from the protocol's text alone.
#[test]
fn ids_of_series_are_those_of_the_vectors() {
    let vectors: serde_json::Value = serde_json::from_str(include_str!("../../../../vectors/packets.json")).unwrap();
    for case in vectors["series"].as_array().unwrap() {
        let text = |name: &str| case[name].as_str().unwrap();
        let id = yulian_types::voucher_series_id(&text("home").parse().unwrap(), text("organisation"), text("name"));
        assert_eq!(id.to_string(), text("id"));
    }
}
