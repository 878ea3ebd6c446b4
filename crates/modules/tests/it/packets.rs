//! Packets between chains: asked, answered, refused, late, and everything that must not be believed.

use crate::{
    net::{CONFIRM, EXPIRE, GIVE_UP, HUB, Net, RECEIVE, RELAY, SKIP, any_route, holder},
    world::id_bytes,
};
use bytes::Bytes;
use prost::Message;
use yulian_crypto::{Digest, sm3};
use yulian_modules::{governance, link, verification};
use yulian_state::{Path, Tree, value_hash};
use yulian_types::{
    SealedPacket, StateKey, encode,
    proto::{self, *},
    state_keys::{PACKET_DONE, PACKET_FAILED, PACKET_GIVEN_UP, PACKET_TIMED_OUT},
};

const A: usize = 1;
const B: usize = 2;

fn digest(text: &str) -> Digest {
    sm3::hash(&[text.as_bytes()])
}

/// A question of A about a record of B.
fn question(net: &Net, text: &str, timeout_ms: u64) -> Ask {
    Ask {
        destination: net.id_bytes(B),
        inquiry: Some(Inquiry {
            kind: verification::KIND_EVIDENCE,
            digest: digest(text).to_vec().into(),
            organisation: "a".into(),
            ..Default::default()
        }),
        timeout_ms,
    }
}

fn ask(net: &mut Net, text: &str, timeout_ms: u64) -> SealedPacket {
    let question = question(net, text, timeout_ms);
    let receipt = net.ok(A, "writer-a", "verification.ask", &question);
    net.packet(A, &receipt)
}

fn deposit(net: &mut Net, chain: usize, text: &str) {
    let deposit = Deposit {
        digest: digest(text).to_vec().into(),
        description: text.into(),
        source: "试验".into(),
    };
    net.ok(chain, "writer-a", "evidence.deposit", &deposit);
}

fn tell(net: &mut Net, text: &str, timeout_ms: u64) -> SealedPacket {
    let notice = Notice {
        destination: net.id_bytes(B),
        kind: "notice".into(),
        text: text.into(),
        timeout_ms,
        ..Default::default()
    };
    let receipt = net.ok(A, "admin-a", "notice.tell", &notice);
    net.packet(A, &receipt)
}

fn answer(end: &PacketEnd) -> InquiryAnswer {
    InquiryAnswer::decode(end.output.clone()).expect("an answer")
}

#[test]
fn another_chain_is_asked_and_its_answer_stands_here() {
    let mut net = Net::new(2);
    deposit(&mut net, B, "a record");
    let packet = ask(&mut net, "a record", 0);
    let end = net.deliver(&packet);
    let found = answer(&end);
    assert_eq!((end.status, found.found, found.status), (PACKET_DONE, true, 1));
    // The answer says what the other chain holds, and where.
    let record: EvidenceRecord = net.chains[B]
        .world
        .record(&StateKey::evidence(&digest("a record"), "a"))
        .expect("deposited");
    assert_eq!(
        (found.height, found.transaction_id),
        (record.height, record.transaction_id)
    );
    let packet = ask(&mut net, "no such record", 0);
    let end = net.deliver(&packet);
    assert_eq!((end.status, answer(&end).found), (PACKET_DONE, false));
}

#[test]
fn a_revoked_record_and_a_state_value_are_answered_too() {
    let mut net = Net::new(2);
    deposit(&mut net, B, "withdrawn");
    let revoke = Revoke {
        digest: digest("withdrawn").to_vec().into(),
        reason: "有误".into(),
    };
    net.ok(B, "writer-a", "evidence.revoke", &revoke);
    let packet = ask(&mut net, "withdrawn", 0);
    assert_eq!(answer(&net.deliver(&packet)).status, 3);

    let key = StateKey::organisation("a");
    let mut question = question(&net, "", 0);
    question.inquiry = Some(Inquiry {
        kind: verification::KIND_STATE,
        module_id: key.module_id,
        key: key.key.clone(),
        ..Default::default()
    });
    let receipt = net.ok(A, "writer-a", "verification.ask", &question);
    let packet = net.packet(A, &receipt);
    let found = answer(&net.deliver(&packet));
    let value = net.chains[B].world.value(&key).expect("an organisation");
    assert_eq!(found.value_hash[..], value_hash(&value).0);
}

#[test]
fn each_step_happens_once() {
    let mut net = Net::new(2);
    let packet = ask(&mut net, "x", 0);
    net.relay(&packet);
    let (updates, item) = net.relay_item(&packet);
    net.refused("link.already_relayed", HUB, updates, item);
    net.receive(&packet);
    let (updates, item) = net.receive_item(&packet);
    net.refused("link.already_received", B, updates, item);
    net.acknowledge(&packet);
    let (updates, item) = net.acknowledge_item(&packet);
    net.refused("link.not_pending", A, updates, item);
    let (updates, item) = net.time_out_item(&packet);
    net.refused("link.not_pending", A, updates, item);
    let cursor: OutCursor = net.chains[A]
        .world
        .record(&StateKey::out_cursor(&net.id(B), "verification"))
        .expect("a cursor");
    assert_eq!((cursor.next, cursor.pending), (2, 0));
}

#[test]
fn a_late_packet_is_refused_and_refunded() {
    let mut net = Net::new(2);
    let packet = ask(&mut net, "x", 60_000);
    net.relay(&packet);
    let (updates, item) = net.time_out_item(&packet);
    net.refused("link.not_timed_out", A, updates, item);
    net.pass(packet.message.timeout_ms);
    let (updates, item) = net.receive_item(&packet);
    net.refused("link.too_late", B, updates, item);
    let (updates, item) = net.time_out_item(&packet);
    net.carry(A, updates, vec![item]);
    let end = net.end_of(&packet).expect("ended");
    assert_eq!((end.status, end.code.as_str()), (PACKET_TIMED_OUT, "link.too_late"));
}

#[test]
fn a_received_packet_cannot_be_timed_out() {
    let mut net = Net::new(2);
    let packet = ask(&mut net, "x", 60_000);
    net.relay(&packet);
    // Absence, proven by a header from before it was received ...
    net.block(B, vec![]);
    let before = net.chains[B].height();
    net.receive(&packet);
    net.pass(packet.message.timeout_ms);
    let (mut updates, mut item) = net.time_out_item(&packet);
    item.proof = Some(net.prove_at(B, before, &packet.result_key()));
    updates.insert(0, net.update(B, before, &[]));
    // ... does not count, because that header is from before the time-out.
    net.refused("link.not_timed_out", A, updates, item);
    // And the last block before the time-out carries the state without itself: the one after it must be shown.
    let (updates, item) = net.time_out_item(&packet);
    net.refused("link.proof_fails", A, updates, item);
    net.acknowledge(&packet);
    assert_eq!(net.end_of(&packet).expect("ended").status, PACKET_DONE);
}

#[test]
fn the_last_moment_belongs_to_one_side() {
    let mut net = Net::new(2);
    let packet = ask(&mut net, "x", 60_000);
    net.relay(&packet);
    let (updates, item) = net.receive_item(&packet);
    // Received in the last block before the time-out; the header of the next one, at the time-out, has it in its state.
    net.now_ms = packet.message.timeout_ms - 101;
    net.carry(B, updates, vec![item]);
    assert!(net.chains[B].time_ms() < packet.message.timeout_ms);
    net.pass(packet.message.timeout_ms);
    let (updates, item) = net.time_out_item(&packet);
    net.refused("link.proof_fails", A, updates, item);
}

#[test]
fn what_is_not_as_its_source_sent_it_is_refused_everywhere() {
    let mut net = Net::new(2);
    let packet = ask(&mut net, "x", 0);
    let changed = |change: &dyn Fn(&mut Packet)| {
        let mut message = packet.message.clone();
        change(&mut message);
        SealedPacket::new(message).expect("well formed")
    };
    let forged = [
        changed(&|p| p.payload = Bytes::from_static(b"other")),
        changed(&|p| p.organisation = "b".into()),
        changed(&|p| p.sender = id_bytes("admin-a")),
        changed(&|p| p.timeout_ms += 1),
        changed(&|p| p.end_to_end = false),
        changed(&|p| p.sequence = 2),
        changed(&|p| p.method = "move".into()),
    ];
    for other in &forged {
        let (updates, mut item) = net.relay_item(&packet);
        item.packet = other.bytes.clone();
        net.refused("link.proof_fails", HUB, updates, item);
    }
    net.relay(&packet);
    for other in &forged {
        let (updates, mut item) = net.receive_item(&packet);
        item.packet = other.bytes.clone();
        let receipt = net.carry_receipt(B, updates, vec![item]);
        let codes = CarryAnswer::decode(receipt.output).expect("an answer").items;
        assert!(
            ["link.proof_fails", "link.not_relayed"].contains(&codes[0].as_str()),
            "{codes:?}"
        );
    }
    net.receive(&packet);
    // The result of another packet, and one that the destination did not give.
    let (updates, mut item) = net.acknowledge_item(&packet);
    let mut result = PacketResult::decode(item.record.clone()).expect("a result");
    result.status = PACKET_FAILED;
    item.record = encode(&result);
    net.refused("link.proof_fails", A, updates.clone(), item.clone());
    result.packet = vec![7; 32].into();
    item.record = encode(&result);
    net.refused("link.bad_result", A, updates.clone(), item.clone());
    item.record = Bytes::from_static(b"\xff");
    net.refused("link.bad_result", A, updates, item);
}

#[test]
fn truncated_and_odd_bytes_are_refused() {
    let mut net = Net::new(2);
    let packet = ask(&mut net, "x", 0);
    net.relay(&packet);
    let (updates, item) = net.receive_item(&packet);
    net.carry(B, updates, vec![]);
    let mut broken = Vec::new();
    for length in [0, 1, item.packet.len() / 2, item.packet.len() - 1] {
        let mut cut = item.clone();
        cut.packet = cut.packet.slice(..length);
        broken.push(("link.bad_packet", cut));
    }
    let mut odd = item.clone();
    odd.packet = [&item.packet[..], &[0x78, 0]].concat().into();
    broken.push(("link.bad_packet", odd));
    for (part, code) in [(0, "link.proof_fails"), (1, "link.proof_fails")] {
        let mut cut = item.clone();
        let proof = if part == 0 { &mut cut.proof } else { &mut cut.relay };
        let proof = proof.as_mut().expect("a proof");
        proof.proof = proof.proof.slice(..proof.proof.len() - 1);
        broken.push((code, cut));
    }
    for part in [0, 1] {
        let mut without = item.clone();
        if part == 0 {
            without.proof = None
        } else {
            without.relay = None
        }
        broken.push(("link.proof_missing", without));
    }
    let mut unknown = item.clone();
    unknown.proof.as_mut().expect("a proof").height += 1_000;
    broken.push(("link.header_not_found", unknown));
    let mut kind = item.clone();
    kind.kind = 99;
    broken.push(("link.bad_kind", kind));
    for (code, item) in broken {
        net.refused(code, B, vec![], item);
    }
    net.carry(B, vec![], vec![item]);
}

#[test]
fn a_packet_for_another_chain_is_refused() {
    let mut net = Net::new(3);
    let packet = ask(&mut net, "x", 0);
    net.relay(&packet);
    let (updates, item) = net.receive_item(&packet);
    net.refused("link.other_chain", 3, updates, item);
    let (updates, mut item) = net.relay_item(&packet);
    item.kind = RELAY;
    net.refused("link.other_chain", B, updates, item);
    // Nor does the relay take what is for itself as something to pass on.
    let question = Ask {
        destination: net.id_bytes(HUB),
        ..question(&net, "x", 0)
    };
    let receipt = net.ok(A, "writer-a", "verification.ask", &question);
    let direct = net.packet(A, &receipt);
    let (updates, item) = net.relay_item(&direct);
    net.refused("link.other_chain", HUB, updates, item);
}

#[test]
fn the_relay_itself_is_asked_without_a_detour() {
    let mut net = Net::new(2);
    deposit(&mut net, HUB, "at the hub");
    let question = Ask {
        destination: net.id_bytes(HUB),
        ..question(&net, "at the hub", 0)
    };
    let receipt = net.ok(A, "writer-a", "verification.ask", &question);
    let packet = net.packet(A, &receipt);
    // The hub has no relay; it has agreed on the city by vote, and must be told that its packets need none.
    let (updates, mut item) = net.relay_item(&packet);
    item.kind = RECEIVE;
    net.refused("link.no_relay", HUB, updates.clone(), item.clone());
    let mut agreed = net.agreement(A);
    agreed.direct = true;
    net.carry_on(HUB, governance::KIND_AGREE_LINK, &agreed);
    let (updates, mut item) = net.relay_item(&packet);
    item.kind = RECEIVE;
    net.carry(HUB, updates, vec![item]);
    net.acknowledge(&packet);
    assert!(answer(&net.end_of(&packet).expect("ended")).found);
}

#[test]
fn the_relay_alone_cannot_make_up_a_packet_end_to_end() {
    let mut net = Net::new(2);
    let real = ask(&mut net, "x", 0);
    let mut message = real.message.clone();
    message.sequence = 9;
    let made_up = SealedPacket::new(message).expect("well formed");
    // A captured relay: its state says that it has seen what was never sent.
    let record = RelayRecord {
        packet: made_up.digest.to_vec().into(),
        height: 1,
        time_ms: 1,
    };
    let key = made_up.relayed_key();
    let path = Path::of(key.module_id, &key.key);
    let state = Tree::from_sorted([(path, value_hash(&encode(&record)))]);
    let (height, update) = net.lie(HUB, 1, &state);
    let mut item = Net::item(RECEIVE, &made_up);
    item.record = encode(&record);
    item.relay = Some(LinkProof {
        height,
        proof: state.prove(&path).to_bytes().into(),
    });
    let source = net.fresh(A);
    item.proof = Some(net.prove(A, &made_up.sent_key()));
    net.refused("link.proof_fails", B, vec![source, update], item.clone());
    // Without the flag the module still asks for it.
    let mut message = made_up.message;
    message.end_to_end = false;
    let made_up = SealedPacket::new(message).expect("well formed");
    let record = RelayRecord {
        packet: made_up.digest.to_vec().into(),
        height: 1,
        time_ms: 1,
    };
    let state = Tree::from_sorted([(path, value_hash(&encode(&record)))]);
    let (height, update) = net.lie(HUB, 2, &state);
    item.packet = made_up.bytes.clone();
    item.record = encode(&record);
    item.relay = Some(LinkProof {
        height,
        proof: state.prove(&path).to_bytes().into(),
    });
    net.refused("link.proof_fails", B, vec![update], item);
}

#[test]
fn a_source_without_the_relays_word_is_refused() {
    let mut net = Net::new(2);
    let packet = ask(&mut net, "x", 0);
    let (updates, mut item) = net.receive_item(&packet);
    item.record = encode(&RelayRecord {
        packet: packet.digest.to_vec().into(),
        height: 1,
        time_ms: 1,
    });
    net.refused("link.proof_fails", B, updates, item);
}

#[test]
fn notices_arrive_in_order_on_the_relays_word() {
    let mut net = Net::new(2);
    let first = tell(&mut net, "one", 0);
    let second = tell(&mut net, "two", 0);
    net.relay(&second);
    let (updates, item) = net.receive_item(&second);
    net.refused("link.out_of_order", B, updates, item);
    net.relay(&first);
    for packet in [&first, &second] {
        let (updates, mut item) = net.receive_item(packet);
        // The relay's word is enough.
        item.proof = None;
        net.carry(B, updates, vec![item]);
    }
    let record: NoticeRecord = net.chains[B]
        .world
        .record(&StateKey::notice(&net.id(A), "notice"))
        .expect("a notice");
    assert_eq!((record.notice.expect("it").text.as_str(), record.sequence), ("two", 2));
    // And so it is for the way back: the relay confirms, the source believes it.
    let (updates, mut item) = net.acknowledge_item(&first);
    item.kind = CONFIRM;
    net.carry(HUB, updates, vec![item.clone()]);
    let update = net.fresh(HUB);
    item.kind = crate::net::ACKNOWLEDGE;
    item.proof = None;
    item.relay = Some(net.prove(HUB, &first.confirmed_key()));
    net.carry(A, vec![update], vec![item]);
    assert_eq!(net.end_of(&first).expect("ended").status, PACKET_DONE);
}

#[test]
fn a_late_notice_lets_the_next_one_pass() {
    let mut net = Net::new(2);
    let first = tell(&mut net, "one", 60_000);
    let second = tell(&mut net, "two", 3_600_000);
    net.relay(&first);
    net.relay(&second);
    net.pass(first.message.timeout_ms);
    net.receive(&first);
    net.receive(&second);
    net.acknowledge(&first);
    net.acknowledge(&second);
    let status = |packet| net.end_of(packet).expect("ended").status;
    assert_eq!((status(&first), status(&second)), (PACKET_TIMED_OUT, PACKET_DONE));
}

#[test]
fn what_never_comes_holds_up_nobody_in_its_sequence() {
    let mut net = Net::new(2);
    let first = tell(&mut net, "one", 60_000);
    let second = tell(&mut net, "two", 3_600_000);
    // The first one is never relayed; its source takes it back.
    net.relay(&second);
    net.pass(first.message.timeout_ms);
    let (updates, item) = net.time_out_item(&first);
    net.carry(A, updates, vec![item]);
    let (updates, item) = net.receive_item(&second);
    net.refused("link.out_of_order", B, updates, item);
    let skip = |net: &mut Net, packet: &SealedPacket| {
        let update = net.fresh(A);
        let named = PacketRef {
            chain: net.id_bytes(A),
            module: "notice".into(),
            sequence: packet.message.sequence,
        };
        let item = CarryItem {
            kind: SKIP,
            packet: encode(&named),
            record: net.chains[A].world.value(&packet.ended_key()).unwrap_or_default(),
            proof: Some(net.prove(A, &packet.ended_key())),
            ..Default::default()
        };
        (vec![update], item)
    };
    // What has not ended is not passed over, nor what has not come to its turn.
    let (updates, mut item) = skip(&mut net, &second);
    net.refused("link.bad_result", B, updates.clone(), item.clone());
    item.record = net.chains[A].world.value(&first.ended_key()).expect("ended");
    net.refused("link.out_of_order", B, updates, item);
    let (updates, item) = skip(&mut net, &first);
    net.carry(B, updates.clone(), vec![item.clone()]);
    net.refused("link.out_of_order", B, updates, item);
    net.receive(&second);
    net.acknowledge(&second);
    assert_eq!(net.end_of(&second).expect("ended").status, PACKET_DONE);
}

#[test]
fn what_is_not_for_others_is_not_answered() {
    let mut net = Net::new(2);
    let mut question = question(&net, "", 0);
    question.inquiry = Some(Inquiry {
        kind: verification::KIND_STATE,
        module_id: yulian_types::state_keys::VOUCHER_ID,
        key: vec![yulian_types::state_keys::TABLE_BALANCE, 1, 2].into(),
        ..Default::default()
    });
    net.fails(
        "verification.not_answered",
        A,
        "writer-a",
        "verification.ask",
        &question,
    );
}

#[test]
fn the_relay_tells_of_a_time_out() {
    let mut net = Net::new(2);
    let packet = tell(&mut net, "one", 60_000);
    net.relay(&packet);
    let (updates, mut item) = net.time_out_item(&packet);
    item.kind = EXPIRE;
    net.refused("link.not_timed_out", HUB, updates, item);
    net.pass(packet.message.timeout_ms);
    let (updates, mut item) = net.time_out_item(&packet);
    item.kind = EXPIRE;
    net.carry(HUB, updates.clone(), vec![item.clone()]);
    net.refused("link.already_confirmed", HUB, updates, item);
    let update = net.fresh(HUB);
    let mut item = Net::item(crate::net::ACKNOWLEDGE, &packet);
    item.record = net.chains[HUB].world.value(&packet.confirmed_key()).expect("confirmed");
    item.relay = Some(net.prove(HUB, &packet.confirmed_key()));
    net.carry(A, vec![update], vec![item]);
    assert_eq!(net.end_of(&packet).expect("ended").status, PACKET_TIMED_OUT);
}

#[test]
fn routes_decide_who_may_send() {
    let mut net = Net::new(3);
    let close = |net: &Net, module: &str, closed, organisations: &[&str]| SetRoute {
        source: net.id_bytes(A),
        destination: net.id_bytes(B),
        module: module.into(),
        organisations: organisations.iter().map(|id| id.to_string()).collect(),
        closed,
        ..Default::default()
    };
    let packet = ask(&mut net, "x", 0);
    let closed = close(&net, "verification", true, &[]);
    net.carry_on(HUB, governance::KIND_SET_ROUTE, &closed);
    let (updates, item) = net.relay_item(&packet);
    net.refused("link.route_closed", HUB, updates, item);
    // Notices take the wider route still.
    let other = tell(&mut net, "one", 0);
    net.relay(&other);
    let only_b = close(&net, "verification", false, &["b"]);
    net.carry_on(HUB, governance::KIND_SET_ROUTE, &only_b);
    let (updates, item) = net.relay_item(&packet);
    net.refused("link.not_allowed", HUB, updates, item);
    let both = close(&net, "verification", false, &["a", "b"]);
    net.carry_on(HUB, governance::KIND_SET_ROUTE, &both);
    net.relay(&packet);
    let mut none = any_route();
    none.closed = true;
    net.carry_on(HUB, governance::KIND_SET_ROUTE, &none);
    let routes: RouteList = net.chains[HUB].world.record(&StateKey::routes()).expect("routes");
    assert_eq!(routes.routes.len(), 2);
    let last = tell(&mut net, "two", 0);
    let (updates, item) = net.relay_item(&last);
    net.refused("link.route_closed", HUB, updates, item);
    // What has passed goes on.
    net.receive(&packet);
}

#[test]
fn a_route_that_is_removed_leaves_the_decision_to_the_next_wider_one() {
    let mut net = Net::new(3);
    let route = |net: &Net, module: &str, closed| SetRoute {
        source: net.id_bytes(A),
        destination: net.id_bytes(B),
        module: module.into(),
        closed,
        ..Default::default()
    };
    let removal = |route: &SetRoute| RemoveRoute {
        source: route.source.clone(),
        destination: route.destination.clone(),
        module: route.module.clone(),
    };
    let exact = route(&net, "verification", true);
    let pair = route(&net, "", false);
    let packet = ask(&mut net, "x", 0);
    let absent = crate::world::proposal(governance::KIND_REMOVE_ROUTE, &removal(&exact));
    net.fails("link.route_not_found", HUB, "admin-a", "governance.propose", &absent);
    net.carry_on(HUB, governance::KIND_SET_ROUTE, &exact);
    // A pattern is removed only as it was set.
    let wider = crate::world::proposal(governance::KIND_REMOVE_ROUTE, &removal(&pair));
    net.fails("link.route_not_found", HUB, "admin-a", "governance.propose", &wider);
    let (updates, item) = net.relay_item(&packet);
    net.refused("link.route_closed", HUB, updates, item);
    // Gone, the route for any chain decides, which is open.
    net.carry_on(HUB, governance::KIND_REMOVE_ROUTE, &removal(&exact));
    assert_eq!(
        net.chains[HUB]
            .world
            .value(&StateKey::route(&exact.source, &exact.destination, "verification")),
        None
    );
    net.relay(&packet);
    // Without any route nothing passes; what was relayed goes on.
    net.carry_on(HUB, governance::KIND_REMOVE_ROUTE, &removal(&any_route()));
    let routes: RouteList = net.chains[HUB].world.record(&StateKey::routes()).expect("routes");
    assert!(routes.routes.is_empty());
    let late = ask(&mut net, "y", 0);
    let (updates, item) = net.relay_item(&late);
    net.refused("link.no_route", HUB, updates, item);
    net.receive(&packet);
    net.acknowledge(&packet);
}

#[test]
fn the_regulator_stops_a_way_at_once() {
    let mut net = Net::new(2);
    let packet = ask(&mut net, "x", 0);
    let freeze = Freeze {
        source: net.id_bytes(A),
        destination: Digest::ZERO.to_vec().into(),
        reason: "核查".into(),
    };
    net.inadmissible("exec.role_missing", HUB, "admin-a", "link.freeze", &freeze);
    net.ok(HUB, "regulator", "link.freeze", &freeze);
    net.fails("link.frozen_already", HUB, "regulator", "link.freeze", &freeze);
    let (updates, item) = net.relay_item(&packet);
    net.refused("link.frozen", HUB, updates, item);
    net.carry_on(HUB, governance::KIND_LIFT_FREEZE, &freeze);
    net.relay(&packet);
}

#[test]
fn packets_to_a_chain_that_is_gone_end_by_vote() {
    let mut net = Net::new(2);
    let packet = ask(&mut net, "x", 0);
    let item = Net::item(GIVE_UP, &packet);
    net.refused("link.not_ended", A, vec![], item.clone());
    let gone = EndLink {
        chain_id: net.id_bytes(B),
    };
    net.carry_on(A, governance::KIND_END_LINK, &gone);
    net.carry(A, vec![], vec![item]);
    assert_eq!(net.end_of(&packet).expect("ended").status, PACKET_GIVEN_UP);
    let question = question(&net, "y", 0);
    net.fails("link.client_ended", A, "writer-a", "verification.ask", &question);
}

#[test]
fn sending_is_bounded() {
    let mut net = Net::new(2);
    let mut question = question(&net, "x", 4_999);
    net.fails("link.bad_timeout", A, "writer-a", "verification.ask", &question);
    question.timeout_ms = verification::TIMEOUT_MS_MAX + 1;
    net.fails("verification.bad_inquiry", A, "writer-a", "verification.ask", &question);
    question.timeout_ms = 0;
    question.destination = digest("nowhere").to_vec().into();
    net.fails("link.unknown_chain", A, "writer-a", "verification.ask", &question);
    question.destination = net.id_bytes(B);
    for (count, code) in [
        (link::PENDING_PER_ORGANISATION_MAX as usize, ""),
        (1, "link.queue_full"),
    ] {
        let world = &mut net.chains[A].world;
        let transactions: Vec<_> = (0..count)
            .map(|_| world.transaction("writer-a", "verification.ask", &question))
            .collect();
        for some in transactions.chunks(1_024) {
            let executed = net.block(A, some.to_vec());
            for receipt in &executed.receipts {
                assert_eq!(proto::Receipt::decode(receipt.clone()).expect("a receipt").code, code);
            }
        }
    }
    // Another organisation's way is free.
    net.ok(A, "writer-b", "verification.ask", &question);
}

#[test]
fn many_go_with_one_header_and_fail_alone() {
    let mut net = Net::new(2);
    let packets: Vec<_> = (0..link::ITEMS_MAX).map(|n| ask(&mut net, &n.to_string(), 0)).collect();
    let update = net.fresh(A);
    let mut items: Vec<_> = packets
        .iter()
        .map(|packet| {
            let mut item = Net::item(RELAY, packet);
            item.proof = Some(net.prove(A, &packet.sent_key()));
            item
        })
        .collect();
    items[3].packet = packets[4].bytes.clone();
    let receipt = net.carry_receipt(HUB, vec![update], items.clone());
    assert_eq!(receipt.status, 0, "{}", receipt.detail);
    let codes = CarryAnswer::decode(receipt.output).expect("an answer").items;
    assert_eq!(codes[3], "link.proof_fails");
    assert_eq!(codes.iter().filter(|code| code.is_empty()).count(), link::ITEMS_MAX - 1);
    items.push(items[0].clone());
    let receipt = net.carry_receipt(HUB, vec![], items);
    assert_eq!(receipt.code, "link.too_many");
}

#[test]
fn a_tick_makes_a_block_and_nothing_else() {
    let mut net = Net::new(1);
    let before = net.chains[A].world.tip().tree.root();
    net.ok(A, &holder(A), "link.tick", &Vote::default());
    assert_eq!(net.chains[A].world.tip().tree.root(), before);
}
