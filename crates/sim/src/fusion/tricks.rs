//! Somebody who brings what others brought once more: as it was, elsewhere, cut short, with a bit changed, or under another kind. And
//! somebody in a hurry, who has packets refunded before their time and after they were received, and pushes in before others.

use super::{
    captured::Ears,
    keys::{CHAINS, HUB, carrier_key},
    net::Net,
    proof::Session,
};
use bytes::Bytes;
use rand::{RngExt, rngs::StdRng};
use std::sync::Arc;
use yulian_types::{
    SealedPacket, encode,
    packet::{CARRY_ACKNOWLEDGE, CARRY_GIVE_UP, CARRY_RECEIVE, CARRY_TIME_OUT},
    proto::{Carry, CarryItem, PacketResult},
    state_keys::PACKET_DONE,
};

/// The account among the carriers.
const ACCOUNT: usize = 3;
/// Pauses between two tricks, ms.
const PAUSES_MS: std::ops::Range<u64> = 500..2_500;
/// Pauses of whoever is in a hurry, ms.
const HURRY_MS: std::ops::Range<u64> = 200..900;
/// How long a result is waited for, ms.
const PATIENCE_MS: u64 = 3_000;
/// Kinds of carried items.
const KINDS: u32 = 8;

/// Plays tricks until the network is quiet.
pub(crate) async fn run(net: Arc<Net>, mut random: StdRng) {
    while !net.is_quiet() {
        net.pause(random.random_range(PAUSES_MS)).await;
        let drawn = {
            let carried = net.carried.lock().expect("carried");
            (!carried.is_empty()).then(|| carried[random.random_range(0..carried.len())].clone())
        };
        let Some((mut at, mut carry)) = drawn else { continue };
        match random.random_range(0..6) {
            0 => {}
            1 => at = (at + random.random_range(1..CHAINS)) % CHAINS,
            2 => carry.items.reverse(),
            _ => carry.items.iter_mut().for_each(|item| twist(&mut random, item)),
        }
        let key = carrier_key(ACCOUNT);
        let call = net.call(&mut random, (at, &key), "link.carry", encode(&carry), PATIENCE_MS);
        call.await;
    }
}

/// Has what cities sent refunded, on whatever their destinations say of it, until the network is quiet.
pub(crate) async fn hurry(net: Arc<Net>, mut random: StdRng) {
    let ears = Ears::new();
    while !net.is_quiet() {
        net.pause(random.random_range(HURRY_MS)).await;
        ears.listen(&net, &mut random, |_| true);
        let Some((city, packet)) = ears.draw(&net, &mut random).await else {
            continue;
        };
        let Some(destination) = net.place(&packet.destination).filter(|place| *place < CHAINS) else {
            continue;
        };
        let mut session = Session::new(&net, city);
        if packet.message.ordered && random.random_range(0..2) == 0 {
            push_in(&net, &mut random, destination, &packet).await;
            continue;
        }
        let (kind, record) = match random.random_range(0..5) {
            0 => (CARRY_GIVE_UP, Bytes::new()),
            1 => (CARRY_ACKNOWLEDGE, made_up(&packet)),
            _ => (CARRY_TIME_OUT, Bytes::new()),
        };
        let said = session.prove(&mut random, destination, &packet.result_key(), 0).await;
        let Some(said) = said else { continue };
        let carry = Carry {
            updates: session.into_updates(),
            items: vec![CarryItem {
                kind,
                record,
                packet: packet.bytes.clone(),
                proof: Some(said.proof),
                ..Default::default()
            }],
        };
        let key = carrier_key(ACCOUNT);
        let call = net.call(&mut random, (city, &key), "link.carry", encode(&carry), PATIENCE_MS);
        call.await;
    }
}

/// A result that no destination told.
fn made_up(packet: &SealedPacket) -> Bytes {
    encode(&PacketResult {
        packet: packet.digest.to_vec().into(),
        status: PACKET_DONE,
        height: 1,
        time_ms: 1,
        ..Default::default()
    })
}

/// Brings a packet of an ordered sequence, whatever goes before it.
async fn push_in(net: &Net, random: &mut StdRng, to: usize, packet: &SealedPacket) -> Option<()> {
    let mut session = Session::new(net, to);
    let source = net.place(&packet.source)?;
    let sent = session.prove(random, source, &packet.sent_key(), 0).await?;
    let mut item = CarryItem {
        kind: CARRY_RECEIVE,
        packet: packet.bytes.clone(),
        proof: Some(sent.proof),
        ..Default::default()
    };
    if to != HUB {
        let word = session.prove(random, HUB, &packet.relayed_key(), 0).await?;
        (item.record, item.relay) = (word.value?, Some(word.proof));
    }
    let carry = Carry {
        updates: session.into_updates(),
        items: vec![item],
    };
    let key = carrier_key(ACCOUNT);
    let call = net.call(random, (to, &key), "link.carry", encode(&carry), PATIENCE_MS);
    call.await.map(drop)
}

fn twist(random: &mut StdRng, item: &mut CarryItem) {
    match random.random_range(0..6) {
        0 => item.packet = damaged(random, &item.packet),
        1 => item.record = damaged(random, &item.record),
        2 => item.kind = random.random_range(1..=KINDS),
        3 => item.relay = item.proof.clone(),
        4 => item.packet = item.packet.slice(..item.packet.len() / 2),
        _ => {
            if let Some(proof) = &mut item.proof {
                proof.proof = damaged(random, &proof.proof);
            }
        }
    }
}

fn damaged(random: &mut StdRng, bytes: &Bytes) -> Bytes {
    let mut bytes = bytes.to_vec();
    if !bytes.is_empty() {
        let at = random.random_range(0..bytes.len());
        bytes[at] ^= 1 << random.random_range(0..8);
    }
    bytes.into()
}
